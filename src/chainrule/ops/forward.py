"""Forward mode for one primitive: the tangent of its result, from the `jvp` field of its entry.

The field is a word for most entries; this file is the only place that knows what the words mean. It does not
walk graphs and keeps no state: a forward-mode interpreter calls `tangent_of` for each primitive it runs.
Next: `../eager.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

from .primitive import DIAGONAL, LINEAR, MULTILINEAR, Primitive, Word
from .views import EXPAND


def jvp_of(
    op: Primitive, primals: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]
) -> tuple[Any, Any]:
    """(out, its tangent) for `out = op(*primals, **settings)`; see `tangent_of`."""
    out = op(*primals, **settings)
    return out, tangent_of(op, out, primals, tangents, settings)


def tangent_of(
    op: Primitive, out: Any, primals: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]
) -> Any:
    """How `out = op(*primals, **settings)` moves when the primals move by the tangents; None if it does not.

    primals:  what the op ran on: Tensors of the type it computes in (a conversion is an op of its own) or
              Python numbers.
    tangents: per primal a Tensor of its shape and type, or None where it does not move.
    The result has the shape and type of `out`. It is made of primitives, so it can be differentiated again.
    """
    if not op.differentiable or all(t is None for t in tangents) or not out.is_floating_point():
        return None
    rule = op.jvp
    if not isinstance(rule, Word):
        return rule(tangents, out, *primals, **settings)
    if rule is LINEAR:
        moves = [_still(x) if t is None else t for x, t in zip(primals, tangents, strict=True)]
        return op(*moves, **settings)
    if rule is MULTILINEAR:
        terms = [
            op(*primals[:i], t, *primals[i + 1 :], **settings)
            for i, t in enumerate(tangents)
            if t is not None
        ]
    else:
        assert rule is DIAGONAL
        terms = _factors_times(op, out, primals, tangents, settings)
        if not terms:
            return None
    total = reduce(add, terms)
    return total if total.shape == out.shape else EXPAND(total, shape=tuple(out.shape))


def _still(x: Any) -> Any:
    """The tangent of a primal that does not move."""
    return x.new_zeros(x.shape) if hasattr(x, "new_zeros") else 0


def _factors_times(
    op: Primitive, out: Any, primals: Sequence[Any], tangents: Sequence[Any], settings: dict[str, Any]
) -> list[Any]:
    """Elementwise ops: the gradient rule multiplies by the derivative, and that is all forward mode needs."""
    shapes = [tuple(getattr(x, "shape", ())) for x in primals]
    return [
        rule.call(t, primals, shapes, out, settings, i)
        for i, t in enumerate(tangents)
        if t is not None and (rule := op.rule_for(i)) is not None
    ]
