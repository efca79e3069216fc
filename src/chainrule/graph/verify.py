"""Is a graph well formed? Every value defined before its use, every shape and type what its rule says."""

from __future__ import annotations

from typing import Any

from ..core.errors import describe
from .errors import GraphError
from .graph import Graph
from .rules import ruled
from .text import name_values, one_type, right_side, type_text
from .values import CAPTURE, CONSTANT, INPUT, OP, PART, Value


def verify(graph: Graph) -> Graph:
    """The graph itself, if it is well formed; else a GraphError naming the value and the user's line.

    >>> import chainrule as torch
    >>> from chainrule.graph import trace, verify
    >>> len(verify(trace(lambda x: (x * x).sum(), torch.ones(3))).values)
    2
    """
    names = name_values(graph)
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
    return graph


def _check(v: Value, names: dict[Value, str]) -> None:
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


def _bad(v: Value, names: dict[Value, str], must: str) -> GraphError:
    line = f"{names.get(v, '?')}: {type_text(v)}"
    if v.kind in (OP, PART, CONSTANT):
        line += f" = {right_side(v, _Named(names))}"
    where = f" (traced at {describe(v.site)})" if v.site is not None else ""
    return GraphError.of(f"graph{where}", given=f"the line `{line}`", must=must, at=False)


class _Named(dict[Value, str]):
    def __missing__(self, v: Value) -> str:
        return "undefined"
