"""Forward mode over a list of steps: each value's tangent beside it, from the inputs to the result.

The numbers come from `ops/forward.py`, as everywhere; the formulas say the same in the notation of
differentials: v = x1*x2 moves by dv = x2*dx1 + x1*dx2. Next: `reverse.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ops.forward import tangent_of
from ..ops.primitive import LINEAR, MOVEMENT, MULTILINEAR
from .formula import Formula
from .formula import tree as t
from .phrases import factor, value_formula
from .steps import STILL, Program, Step, Value


def tangents(program: Program, directions: Mapping[int, Any]) -> dict[int, Any]:
    """Per value (by id) its tangent, when the leaves (by id) move in the given directions."""
    moves: dict[int, Any] = dict(directions)
    for step in program.moving:
        given = [moves.get(id(x)) if isinstance(x, Value) and x.varies else None for x in step.operands]
        moved = tangent_of(step.op, step.out.tensor, step.primals, given, step.settings)
        if moved is not None:
            moves[id(step.out)] = moved if moved.shape == step.out.shape else moved.expand(step.out.shape)
    return moves


def differential(x: Value) -> Formula:
    """How the tangent of a value is written."""
    return Formula.name(differential_name(x.name))


def differential_name(name: str) -> str:
    """dx; d(fc1.weight)."""
    return f"d{name}" if name.isidentifier() else f"d({name})"


def tangent_formula(step: Step) -> Formula:
    """The tangent of a step's result in terms of those of its operands."""
    op, moving = step.op, step.moving
    if op.jvp is LINEAR or op.kind is MOVEMENT:
        return _of_tangents(step)
    if op.jvp is MULTILINEAR and op.kind != "elementwise":
        return _sum([_with_tangent(step, i) for i in moving])
    terms = []
    for i in moving:
        x = step.operands[i]
        by = factor(step, i)
        terms.append(by * differential(x) if by is not None else _in_words(step, i))
    return _sum(terms).tidy()


def _sum(terms: list[Formula]) -> Formula:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _with_tangent(step: Step, i: int) -> Formula:
    """The step's formula with one operand's tangent in its place."""
    operands = tuple(_moved(y) if j == i else y for j, y in enumerate(step.operands))
    return value_formula(Step(step.op, operands, step.settings, step.out))


def _of_tangents(step: Step) -> Formula:
    """A linear op of the tangents; what does not move adds nothing."""
    moving = [x for x in step.values if x.varies]
    if step.op.kind == "elementwise" and all(x.shape == step.out.shape for x in moving):
        operands = tuple(_moved(x) if isinstance(x, Value) and x.varies else 0 for x in step.operands)
    else:
        operands = tuple(_moved(x) if isinstance(x, Value) and x.varies else _still(x) for x in step.operands)
    return value_formula(Step(step.op, operands, step.settings, step.out)).tidy()


def _moved(x: Any) -> Value:
    assert isinstance(x, Value)
    return Value(x.data, x.shape, x.kind, name=differential_name(x.name))


def _still(x: Any) -> Any:
    if isinstance(x, Value) and (x.data is None or x.data.dtype.kind != "f"):
        return x  # an index
    return Value(x.data, x.shape, STILL, name=x.name) if isinstance(x, Value) else 0


def _in_words(step: Step, i: int) -> Formula:
    """The derivative applied to a tangent, for an op with a forward rule of its own: ∂z/∂x · dx."""
    x = step.operands[i]
    assert isinstance(x, Value)
    jacobian = t.Name(f"∂{step.out.name}/∂{x.name}")
    return Formula(t.Binary("@" if x.shape or step.out.shape else "*", jacobian, differential(x).tree))
