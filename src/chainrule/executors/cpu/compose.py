"""Ops that are made of others, taken apart, until every value is of a form that a kernel can compute.

The rules stand in the table (`lower=Composed(...)`) and are written in Tensors, like gradient rules: they are
traced here with the value's inputs. Afterwards equal parts are shared: the softmax of a loss and that of its
gradient are computed once. Next: `plan.py`.
"""

from __future__ import annotations

from typing import Any

from ...graph.graph import Graph
from ...graph.simplify import simplify
from ...graph.tracer import Traced, Tracer, traced
from ...graph.values import CAPTURE, CONSTANT, OP, Value, reachable
from ...ops.lowering import Composed
from ...ops.primitive import tracing
from ...tape.mode import no_grad


def decompose(graph: Graph) -> Graph:
    """The same graph without composed ops."""
    while True:
        known = {*graph.inputs, *graph.captures, *graph.values}
        replace = {v: new for v in graph.values if (new := _taken_apart(v, known)) is not None}
        if not replace:
            return graph
        graph = simplify(graph.rebuilt(replace))


def _taken_apart(v: Value, known: set[Value]) -> Value | None:
    if v.kind != OP or v.op is None or not isinstance(v.op.lower, Composed):
        return None
    outer = tracing.tracer
    tracing.tracer = Tracer()
    try:
        with no_grad():
            inputs = [traced(x) if isinstance(x, Value) else x for x in v.inputs]
            out: Any = v.op.lower.rule(*inputs, **v.settings)
        if out is NotImplemented:
            return None
        assert isinstance(out, Traced), f"the lowering of {v.op.name} gave {out!r}"
        new = out.value
        for x in reachable([new]):
            if x.kind == CAPTURE and x not in known:  # made by the rule: it will never change
                x.kind, x.data = CONSTANT, x.data._a
    finally:
        tracing.tracer = outer
    assert (new.shape, new.dtype) == (v.shape, v.dtype), f"{v.op.name} was lowered to {new!r}, not {v!r}"
    return new
