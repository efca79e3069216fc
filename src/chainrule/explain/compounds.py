"""Steps that people see as one, though several primitives ran: a product with a vector, and the trace.

`x @ w` of two vectors runs as a product of a row and a column, between changes of shape; written out, that
hides what the textbook says in a line: ∂⟨x, w⟩/∂w = xᵀ. `joined` puts such steps together. The entries here
have the same fields as those of the table and are walked over like them; they stand in no table, because
nothing but a derivation asks for them. Next: `forward.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..ops.contract import MATMUL
from ..ops.gradient import Rule
from ..ops.primitive import LINEAR, REDUCTION, Primitive
from ..ops.reduce import SUM
from ..ops.views import DIAGONAL, RESHAPE
from .steps import MADE, Step, Value


def _product(name: str, why: str, rules: tuple[Any, Any], d: tuple[str, str], shape: Any) -> Primitive:
    names = MATMUL.inputs
    return replace(
        MATMUL, name=name, why=why, numpy=np.matmul, d=d, shape=shape, broadcasts=False, plans={},
        vjp=tuple(Rule(r, names, "", name) for r in rules),
    )  # fmt: skip


def outer(x: Any, y: Any) -> Any:
    """The product of a column and a row."""
    return x.unsqueeze(1) * y.unsqueeze(0)


DOT: Final = _product(
    "dot", "inner product", (lambda g, y: g * y, lambda g, x: g * x), ("g * y", "g * x"), lambda x, y: ()
)
MATRIX_VECTOR: Final = _product(
    "mv", "matrix times vector",
    (lambda g, y: outer(g, y), lambda g, x: x.mT @ g), ("outer(g, y)", "x.T @ g"), lambda x, y: x[:1],
)  # fmt: skip
VECTOR_MATRIX: Final = _product(
    "vm", "vector times matrix", (lambda g, y: y @ g, lambda g, x: outer(x, g)), ("y @ g", "outer(x, g)"),
    lambda x, y: y[1:],
)  # fmt: skip
TRACE: Final = replace(
    SUM, name="trace", formula="trace(x)", why="trace rule", kind=REDUCTION, jvp=LINEAR, plans={},
    shape=lambda x: (), numpy=lambda x: np.asarray(np.trace(x)),
    vjp=(Rule(lambda g, x_shape: g * _identity(g, x_shape), SUM.inputs, "", "trace"),),
    d=("g * eye(x.shape[0])",),
)  # fmt: skip


# What these rules are called in each layout, by each operand.
RULES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    DOT.name: {
        "numerator": ("∂⟨x, y⟩/∂x = yᵀ", "∂⟨x, y⟩/∂y = xᵀ"),
        "denominator": ("∂⟨x, y⟩/∂x = y", "∂⟨x, y⟩/∂y = x"),
    },
    MATRIX_VECTOR.name: {
        "numerator": ("product rule for matrices", "∂Ay/∂y = A"),
        "denominator": ("product rule for matrices", "∂Ay/∂y = Aᵀ"),
    },
    VECTOR_MATRIX.name: {
        "numerator": ("∂xᵀA/∂x = Aᵀ", "product rule for matrices"),
        "denominator": ("∂xᵀA/∂x = A", "product rule for matrices"),
    },
    TRACE.name: {"numerator": ("∂tr(AX)/∂X = A",), "denominator": ("∂tr(AX)/∂X = Aᵀ",)},
}


def _identity(g: Any, shape: tuple[int, ...]) -> Any:
    out = g.new_zeros(shape)
    np.fill_diagonal(out._a, 1)
    return out


def joined(steps: list[Step]) -> list[Step]:
    """The steps with those put together that belong together."""
    users: dict[int, int] = {}
    for step in steps:
        for v in step.values:
            users[id(v)] = users.get(id(v), 0) + 1
    gone: set[int] = set()
    changed: dict[int, Step] = {}
    for step in steps:
        found = _vectors(step, users) or _trace(step, users)
        if found is not None:
            whole, parts = found
            changed[id(step)] = whole
            gone.update(id(part) for part in parts)
    return [changed.get(id(step), step) for step in steps if id(step) not in gone]


def _within(value: Any, step: Step, users: dict[int, int]) -> Step | None:
    """The step that made a value, if nobody else uses it and the user's call of `step` made it on the way."""
    made = value.step if isinstance(value, Value) and value.kind == MADE else None
    if made is None or users.get(id(value)) != 1 or value.wish:
        return None
    same = (made.site, made.call, made.fixed) == (step.site, step.call, step.fixed)
    return made if same else None


def _vectors(step: Step, users: dict[int, int]) -> tuple[Step, list[Step]] | None:
    """A product with one or two vectors: reshape, product, reshape."""
    if step.op is not RESHAPE:
        return None
    product = _within(step.operands[0], step, users)
    if product is None or product.op is not MATMUL:
        return None
    operands, parts = [], [product]
    for x in product.operands:
        shaped = _within(x, step, users)
        if shaped is not None and shaped.op is RESHAPE and len(shaped.shapes[0]) == 1:
            operands.append(shaped.operands[0])
            parts.append(shaped)
        else:
            operands.append(x)
    ranks = tuple(len(x.shape) for x in operands)
    kinds: dict[tuple[int, ...], Primitive] = {(1, 1): DOT, (2, 1): MATRIX_VECTOR, (1, 2): VECTOR_MATRIX}
    op = kinds.get(ranks)
    if op is None or len(step.out.shape) != sum(ranks) - 2:
        return None
    return _instead(step, op, tuple(operands)), parts


def _trace(step: Step, users: dict[int, int]) -> tuple[Step, list[Step]] | None:
    """The sum of a diagonal."""
    if step.op is not SUM or step.out.shape:
        return None
    part = _within(step.operands[0], step, users)
    if part is None or part.op is not DIAGONAL or part.settings["offset"] or len(part.shapes[0]) != 2:
        return None
    return _instead(step, TRACE, part.operands), [part]


def _instead(step: Step, op: Primitive, operands: tuple[Any, ...]) -> Step:
    whole = replace(step, op=op, operands=operands, settings={})
    whole.out.step = whole
    return whole
