"""Is a graph well formed? Every value defined before its use, every shape and type what its rule says."""

from __future__ import annotations

from typing import Any

from ..core.errors import describe
from .errors import GraphError
from .graph import Graph
from .rules import ruled
from .text import Names, name_values, one_type, right_side, type_text
from .values import CAPTURE, CONSTANT, INPUT, LOOP, OP, PART, Value


def verify(graph: Graph) -> Graph:
    """The graph itself, if it is well formed; else a GraphError naming the value and the user's line.

    >>> import chainrule as torch
    >>> from chainrule.graph import trace, verify
    >>> len(verify(trace(lambda x: (x * x).sum(), torch.ones(3))).values)
    2
    """
    _verify(graph, name_values(graph))
    return graph


def _verify(graph: Graph, names: Names) -> None:
    known: set[Value] = {*graph.inputs, *graph.captures}
    for v in known:
        if v.kind not in (INPUT, CAPTURE):
            raise _bad(v, names, "an input must be of kind input or capture")
    for v in graph.values:
        for x in v.operands:
            if x not in known:
                raise _bad(v, names, f"{names.get(x, 'one of its inputs')} is used before it is defined")
        _check(v, names)
        known.add(v)
    for v in graph.outputs:
        if v not in known:
            raise _bad(v, names, "an output is never defined")
    for c, v in graph.writes:
        if c.kind not in (INPUT, CAPTURE):
            raise _bad(c, names, "only inputs and captured tensors can be written")
        if v not in known or (v.shape, v.dtype) != (c.shape, c.dtype):
            raise _bad(v, names, f"what is written to {names[c]} must be defined and of type {type_text(c)}")


def _check(v: Value, names: Names) -> None:
    if v.kind == CONSTANT:
        if v.data.shape != v.shape or v.data.dtype != v.dtype.numpy:
            raise _bad(v, names, f"the constant is {v.data.dtype}{list(v.data.shape)}")
        return
    if v.kind == PART:
        whole = v.inputs[0]
        if not (isinstance(whole.shape, tuple) and 0 <= v.index < len(whole.shape)) or not isinstance(
            whole.dtype, tuple
        ):
            raise _bad(v, names, f"{names[whole]} has no result {v.index}")
        if (v.shape, v.dtype) != (whole.shape[v.index], whole.dtype[v.index]):
            raise _bad(
                v, names, f"result {v.index} is {one_type(whole.dtype[v.index], whole.shape[v.index])}"
            )
        return
    if v.kind == LOOP:
        _check_loop(v, names)
        return
    if v.kind != OP or v.op is None:
        raise _bad(v, names, f"a value of kind {v.kind!r} cannot be computed")
    op = v.op
    if len(v.inputs) < len(op.inputs) or (len(v.inputs) > len(op.inputs) and not op.tail):
        raise _bad(v, names, f"{op.name} takes {len(op.inputs)} inputs, not {len(v.inputs)}")
    shape, kind = ruled(v)
    wanted: Any = kind if op.outputs == 1 else (kind,) * op.outputs
    if (v.shape, v.dtype) != (shape, wanted):
        text = one_type(kind, shape) if op.outputs == 1 else ", ".join(one_type(kind, s) for s in shape)
        raise _bad(v, names, f"by its rules the result is {text}")


def _check_loop(v: Value, names: Names) -> None:
    loop = v.data
    body = loop.body
    if body.captures or body.writes or any(p.kind != INPUT for p in body.inputs):
        raise _bad(v, names, "the body of a loop has inputs and results, nothing else")
    if len(v.inputs) != len(body.inputs) or len(body.inputs) < len(body.outputs) + loop.sequences:
        raise _bad(v, names, f"its body takes {len(body.inputs)} inputs, not {len(v.inputs)}")
    _verify(body, names)
    carried, sequences, invariants = loop.split(list(zip(body.inputs, v.inputs, strict=True)))
    for p, x in (*carried, *invariants):
        if (p.shape, p.dtype) != (x.shape, x.dtype):
            raise _bad(v, names, f"{names[p]} in the body is {type_text(p)}, and outside {type_text(x)}")
    for p, x in sequences:
        if x.dtype is not p.dtype or x.shape != (loop.trips, *p.shape):
            must = one_type(p.dtype, (loop.trips, *p.shape))
            raise _bad(v, names, f"{names[p]} in the body is a row of a sequence {must}")
    for (p, _), out in zip(carried, body.outputs, strict=True):
        if (out.shape, out.dtype) != (p.shape, p.dtype):
            raise _bad(v, names, f"{names[p]} must keep its type {type_text(p)} from iteration to iteration")
    shapes, kinds = tuple(y.shape for y in body.outputs), tuple(y.dtype for y in body.outputs)
    if (v.shape, v.dtype) != (shapes, kinds):
        text = ", ".join(type_text(y) for y in body.outputs)
        raise _bad(v, names, f"the results of its body are ({text})")


def _bad(v: Value, names: Names, must: str) -> GraphError:
    line = f"{names.get(v, '?')}: {type_text(v)}"
    if v.kind in (OP, PART, CONSTANT, LOOP):
        line += f" = {right_side(v, _Named(names))}"
    where = f" (traced at {describe(v.site)})" if v.site is not None else ""
    return GraphError.of(f"graph{where}", given=f"the line `{line}`", must=must, at=False)


class _Named(Names):
    def __missing__(self, v: Value) -> str:
        return "undefined"
