"""Ops that are made of others, taken apart, until every value is of a form that a kernel can compute.

The rules stand in the table (`lower=Composed(...)`) and are written in Tensors, like gradient rules: they are
traced here with the value's inputs. Afterwards equal parts are shared: the softmax of a loss and that of its
gradient are computed once. Next: `forms.py`, then `roots.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    if not any(_is_composed(v) for v in graph.values):
        return graph
    new = _Apart([*graph.inputs, *graph.captures])
    new.take(graph.values)
    return simplify(
        Graph(
            graph.name,
            graph.inputs,
            [new.of[v] for v in graph.outputs],
            graph.captures,
            [(c, new.of[v]) for c, v in graph.writes],
            graph.structure,
            graph.assumptions,
        )
    )


def _is_composed(v: Value) -> bool:
    return v.kind == OP and v.op is not None and isinstance(v.op.lower, Composed)


class _Apart:
    """Goes through values in order, once. of: what became of each of them."""

    def __init__(self, known: Iterable[Value]) -> None:
        self.of = {v: v for v in known}

    def take(self, values: Iterable[Value]) -> None:
        """Values whose inputs were taken before."""
        for v in values:
            self.of[v] = self._apart(self._with_new_inputs(v))

    def _with_new_inputs(self, v: Value) -> Value:
        if all(self.of[x] is x for x in v.operands):
            return v
        inputs = tuple(self.of[x] if isinstance(x, Value) else x for x in v.inputs)
        return Value(
            v.kind, v.shape, v.dtype, op=v.op, inputs=inputs, settings=v.settings, data=v.data,
            index=v.index, name=v.name, site=v.site,
        )  # fmt: skip

    def _apart(self, v: Value) -> Value:
        """What computes the value; what its rule is made of may be composed again."""
        made = _rule(v) if _is_composed(v) else None
        if made is None:
            return v
        for x in v.operands:
            self.of[x] = x  # they have been taken apart
        fresh = [x for x in reachable([made]) if x not in self.of]
        for x in fresh:
            if x.kind == CAPTURE:  # made by the rule: it will never change
                x.kind, x.data = CONSTANT, x.data._a
        self.take(fresh)
        return self.of[made]


def _rule(v: Value) -> Value | None:
    """The value as its op's rule composes it; None for inputs that the rule does not cover."""
    assert v.op is not None
    assert isinstance(v.op.lower, Composed)
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
    finally:
        tracing.tracer = outer
    assert (new.shape, new.dtype) == (v.shape, v.dtype), f"{v.op.name} was lowered to {new!r}, not {v!r}"
    return new
