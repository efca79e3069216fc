"""Derivatives by vectors and matrices as one writes them: ∂a/∂w = xᵀ, ∂z/∂w = 2·b·xᵀ, in either layout.

In denominator layout a derivative of a scalar has the shape of what it is taken by, so it is the adjoint with
everything put in; numerator layout is its transpose, and transposing is done on the formula: (A @ B)ᵀ is
Bᵀ @ Aᵀ. A derivative that is no matrix (of a matrix by a matrix) is given as what it does with the adjoint:
G ↦ G @ Xᵀ. No formula is shown here that has not been evaluated and found equal to the derivative.
Next: `derivation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..base import TensorBase
from ..core.errors import ArgumentError, ChainruleError, nearest
from .compounds import MATRIX_VECTOR, VECTOR_MATRIX
from .formula import Formula
from .formula import tree as t
from .phrases import derivative, evaluate, factor, named, value_formula
from .reverse import Share
from .simplify import simplified
from .steps import MADE, Program, Step, Value

NUMERATOR: Final = "numerator"
DENOMINATOR: Final = "denominator"
LONGEST: Final = 100  # letters of a formula; a longer one says less than the chain that it comes from


def check_layout(layout: str) -> str:
    """The layout, if it is one."""
    if layout not in (NUMERATOR, DENOMINATOR):
        close = nearest(str(layout), [NUMERATOR, DENOMINATOR])
        raise ArgumentError.of(
            "explain",
            given=f"layout={layout!r}",
            must=f"the layout must be 'numerator' or 'denominator'{close}",
        )
    return layout


# -- of one step ------------------------------------------------------------------------------------------


def local(step: Step, i: int, layout: str) -> Formula | None:
    """∂out/∂operand as a matrix in a layout; None if it is none (see `mapping`)."""
    x: Value = step.operands[i]
    out = step.out
    by = factor(step, i)
    if by is not None:
        return _elementwise(by, x, out, layout)
    if (step.op is MATRIX_VECTOR and i == 1) or (step.op is VECTOR_MATRIX and i == 0):
        matrix = named(step.operands[1 - i])
        straight = (step.op is MATRIX_VECTOR) == (layout == NUMERATOR)
        return matrix if straight else Formula(t.Attribute(matrix.tree, "T"))
    if out.shape == () and len(x.shape) <= 2:
        d = derivative(step, i, Formula.number(1))
        return transposed(d, ranks_of(step.values)) if layout == NUMERATOR else d
    return None


def _elementwise(by: Formula, x: Value, out: Value, layout: str) -> Formula | None:
    if out.shape == x.shape == ():
        return by
    if out.shape != x.shape or len(x.shape) != 1:
        return None
    value = t.value_of(by.tree)
    if value is not None:
        return (by * Formula.name("I")).tidy()
    return Formula(t.Call("diag", (by.tree,)))


def mapping(step: Step, i: int) -> Formula:
    """What the step makes of the adjoint G of its result, for an operand."""
    return Share(step, i, None).formula(Formula.name("G"))


# -- of the whole function --------------------------------------------------------------------------------


def whole(
    program: Program, shares: Mapping[int, list[Share]], leaf: Value, layout: str, space: Mapping[str, Any]
) -> list[Formula]:
    """∂f/∂leaf, for the sum of f, with everything put in: simplified, and as it is; none if long."""
    shape = program.output.shape
    seed = Formula.parse(f"ones({shape})") if shape else Formula.number(1)
    known: dict[int, Formula | None] = {id(program.output): seed}
    waiting = [id(leaf)]
    while waiting:
        key = waiting[-1]
        if key in known:
            waiting.pop()
            continue
        missing = [id(s.step.out) for s in shares.get(key, ()) if id(s.step.out) not in known]
        if missing:
            waiting += missing
            continue
        known[key] = _added(shares.get(key, ()), known)
        waiting.pop()
    formula = known[id(leaf)]
    if formula is None:
        return []
    formula = without_identity(expanded(formula, by_values(program)))
    if layout == NUMERATOR:
        formula = transposed(formula, ranks_of(program.values))
    forms = (simplified(formula, lambda node: shape_of(node, space)), formula)
    return [form for form in forms if len(form.text()) <= LONGEST]


def shape_of(node: t.Node, space: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The shape of a part of a formula; None if it cannot be evaluated."""
    try:
        value = evaluate(Formula(node), space)
    except (ChainruleError, AttributeError, TypeError, IndexError):
        return None
    return tuple(getattr(value, "shape", ()))


def _added(shares: Any, known: Mapping[int, Formula | None]) -> Formula | None:
    total: Formula | None = None
    for share in shares:
        g = known[id(share.step.out)]
        if g is None:
            return None
        term = share.formula(g).tidy()
        total = term if total is None else total + term
    return None if total is None or len(total.text()) > 2 * LONGEST else total


def by_values(program: Program) -> dict[str, Value]:
    """All values of a program by name."""
    found = {v.name: v for v in program.values}
    found.update({v.name: v for s in program.steps for v in s.values})
    return found


def expanded(formula: Formula, values: Mapping[str, Value]) -> Formula:
    """The formula with values that have no name of the user's written out, as far as that stays short.

    Numbers that do not depend on what is differentiated (a count of rows) are written as numbers.
    """
    for _ in range(8):
        constants, inner = {}, {}
        for name in formula.names:
            v = values.get(name)
            if v is None or v.kind != MADE or v.wish or v.step is None:
                continue
            if not v.varies and not v.shape and v.data is not None:
                constants[name] = number_formula(v.data.item())
            elif not isinstance((made := value_formula(v.step)).tree, t.Altered):
                inner[name] = made
        formula = formula.substitute(constants).tidy()
        longer = formula.substitute(inner).tidy()
        if not inner or len(longer.text()) > LONGEST:
            return formula
        formula = longer
    return formula


def number_formula(x: Any) -> Formula:
    """A number in a formula."""
    return Formula.number(int(x) if float(x).is_integer() and abs(x) < 1e9 else x)


def ranks_of(values: Any) -> dict[str, int]:
    """Per name how many axes the value has."""
    return {v.name: len(v.shape) for v in values}


def transposed(formula: Formula, ranks: Mapping[str, int]) -> Formula:
    """The transpose of a formula for a matrix, a vector or a number."""
    return without_identity(Formula(_transposed(formula.tree, ranks))).tidy()


def without_identity(formula: Formula) -> Formula:
    """The formula without products with the identity."""

    def change(node: t.Node) -> t.Node:
        node = t.rebuilt(node, change)
        if isinstance(node, t.Binary) and node.sign == "@":
            if isinstance(node.y, t.Call) and node.y.function == "eye":
                return node.x
            if isinstance(node.x, t.Call) and node.x.function == "eye":
                return node.y
        return node

    return Formula(change(formula.tree))


def _transposed(node: t.Node, ranks: Mapping[str, int]) -> t.Node:
    if isinstance(node, t.Constant) or (isinstance(node, t.Name) and ranks.get(node.name, 1) == 0):
        return node
    if isinstance(node, t.Name) and node.name == "I":
        return node
    if isinstance(node, t.Attribute) and node.name in ("T", "mT"):
        return node.of
    if isinstance(node, t.Unary):
        return t.Unary(node.sign, _transposed(node.x, ranks))
    if isinstance(node, t.Binary):
        x, y = _transposed(node.x, ranks), _transposed(node.y, ranks)
        if node.sign == "@":
            return t.Binary("@", y, x)
        if node.sign == "**":
            return t.Binary("**", x, node.y)
        return t.Binary(node.sign, x, y)
    if isinstance(node, t.Call) and node.function in ("eye", "diag"):
        return node
    if isinstance(node, t.Call) and node.function == "outer" and len(node.arguments) == 2:
        return t.Call("outer", (node.arguments[1], node.arguments[0]))
    if isinstance(node, t.Call) and node.of is None and len(node.arguments) == 1 and not node.settings:
        (x,) = node.arguments
        if isinstance(x, t.Name) and ranks.get(x.name, 1) == 0:
            return node
    return t.Attribute(node, "T")


def holds(formula: Formula, wanted: Any, space: Mapping[str, Any]) -> bool:
    """Whether a formula gives these numbers (in either orientation of a row of numbers)."""
    try:
        value = evaluate(formula, space)
    except (ChainruleError, AttributeError, TypeError, IndexError):  # it cannot be evaluated
        return False
    a = value._a if isinstance(value, TensorBase) else np.asarray(value, float)
    b = np.asarray(wanted, float)
    if a.shape != b.shape and (a.ndim > 1 or b.ndim > 1 or a.size != b.size):
        return False
    scale = float(np.abs(b[np.isfinite(b)]).max(initial=0)) or 1.0
    return bool(np.allclose(a.reshape(b.shape), b, rtol=1e-3, atol=1e-4 * scale, equal_nan=True))
