"""`trace`: a Python function over tensors as a graph.

The function runs once, with traced tensors for its inputs. What Python does on the way (loops over numbers,
`if` on settings, function calls) is gone afterwards; what depends on values of tensors is refused. Tensors
from outside (parameters, buffers) are captured: the graph reads them when it runs, and writes them if the
function did. So are the places of random streams, and options of optimizers (`host.py`). Next: `symbols.py`.
"""

from __future__ import annotations

import gc
import inspect
import itertools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import eager
from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY
from ..core.errors import describe
from ..creation import as_tensor
from ..ops.primitive import tracing
from .captures import constants, name_them
from .debug import show
from .errors import TraceError
from .graph import Graph
from .host import Host
from .simplify import simplify as _simplify
from .tracer import Tracer, traced
from .values import CAPTURE, INPUT, Value
from .verify import verify


@contextmanager
def recording(tracer: Tracer) -> Iterator[None]:
    """Every op of this thread goes to the tracer, until the end of the block or an error."""
    tracing.tracer = tracer
    eager.change_special(1)
    try:
        yield
    except BaseException:
        tracing.tracer = None
        tracer.finish()
        raise
    finally:
        tracing.tracer = None
        eager.change_special(-1)


def trace(function: Callable[..., Any], *inputs: Any, simplify: bool = False) -> Graph:
    """The graph of `function(*inputs)`; the inputs are only looked at for their shapes and types.

    The function may return a tensor, or tuples, lists and dicts of tensors (and None). It may differentiate:
    `autograd.grad` inside becomes part of the graph. In-place operations on tensors from outside
    become writes.
    simplify:  pass the graph through `simplify` before it is returned.
    Raises:    TraceError where the function asks for a value, or returns no tensor.

    >>> import chainrule as torch
    >>> from chainrule.graph import trace
    >>> def loss(x, w):
    ...     return ((x @ w) ** 2).sum()
    >>> print(trace(loss, torch.ones(4, 2), torch.ones(2, 1)))
    def loss(x: float32[4, 2], w: float32[2, 1]):
        v1: float32[4, 1] = matmul(x, w)
        v2: float32[4, 1] = square(v1)
        v3: float32[()] = sum(v2, dim=(0, 1), keepdim=False)
        return v3
    """
    if tracing.tracer is not None:
        raise TraceError.of(
            "trace",
            given="a call inside a traced function",
            must="a trace inside a trace is not possible",
            hint="call the function itself",
        )
    given = [as_tensor(x) for x in inputs]
    names = _names(function, len(given))
    values = [
        Value(INPUT, x._a.shape, FROM_NUMPY[x._a.dtype], name=name)
        for x, name in zip(given, names, strict=True)
    ]
    tracer = Tracer()
    with recording(tracer):
        stands = [
            traced(v, ordered=x._a.flags.c_contiguous).requires_grad_(x.requires_grad)
            for v, x in zip(values, given, strict=True)
        ]
        returned = function(*stands)
        outputs: list[Any] = []
        rebuild = _structure(returned, outputs)
        results = [tracer.lift(x).value for x in outputs]
        writes = [(v, stand.value) for v, stand in zip(values, stands, strict=True)]
    assumptions = list(tracer.assumptions.values())
    met, fresh, made = tracer.finish()
    del returned, outputs, stands, given, inputs
    _refuse_kept(made)
    writes = [(before, now) for before, now in writes + met if now is not before]
    captures = [before for before, _ in met]
    _refuse_overlap(captures, writes)
    replace, held = constants(captures, fresh)
    for before, _ in writes:
        if before in held:
            raise _kept_and_written(before)
    captures = [v for v in captures if v not in replace]
    writes = [(before, now) for before, now in writes if before not in replace]
    name_them(captures, values)
    name = getattr(function, "__name__", "graph")
    name = name if name.isidentifier() else "graph"
    graph = Graph(name, values, results, captures, writes, rebuild, assumptions)
    graph = verify(graph.rebuilt(replace) if replace else graph)
    show("graph", graph)
    return _simplify(graph) if simplify else graph


def _refuse_kept(made: list[weakref.ref[Any]]) -> None:
    """Refuse a traced tensor that somebody still holds: it has no value, and later runs do not renew it."""
    if any(ref() is not None for ref in made):
        gc.collect()  # what only refers to itself is not held by anybody
    for ref in made:
        x = ref()
        if x is not None:
            v = x._value
            raise TraceError.of(
                "trace",
                given=f"a tensor {x._a.shape} that was made inside the traced function, at "
                f"{describe(v.site)}, "
                "and is still held outside",
                must="a later run would make another one, and what holds this one would never know",
                hint="return it, or make it outside and change it in place; an optimizer makes its state "
                "in its "
                "first step: take that one before",
                site=v.site,
            )


def _kept_and_written(v: Value) -> TraceError:
    return TraceError.of(
        "trace",
        given=f"a tensor {v.shape} that was made inside the traced function, changed in place, and is still "
        f"held "
        "outside",
        must="whether later runs make it anew or go on with it cannot be said",
        hint="make it outside; an optimizer makes its state in its first step: take that one before",
        site=v.site,
    )


def _refuse_overlap(captures: list[Value], writes: list[tuple[Value, Value]]) -> None:
    """A write to a captured tensor changes others on the same memory, which the graph would not see."""
    for written, _ in writes:
        if written.kind != CAPTURE or isinstance(written.data, Host):
            continue
        for other in captures:
            if other is written or isinstance(other.data, Host):
                continue
            if np.may_share_memory(written.data._a, other.data._a):
                raise TraceError.of(
                    "trace",
                    given=f"a write to a tensor {written.shape} from outside, and another tensor "
                    f"{other.shape} "
                    "from outside on the same memory",
                    must="the graph would not see what the write does to the other one",
                    hint="make the view inside the traced function",
                    site=other.site,
                )


def _names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    names = names[:count]
    others = (name for i in itertools.count(len(names) + 1) if (name := f"x{i}") not in names)
    return [*names, *itertools.islice(others, count - len(names))]


def _structure(returned: Any, tensors: list[Any]) -> Callable[[list[Any]], Any]:
    """Collect the tensors of a nested result, and tell how to build it again from others."""
    if isinstance(returned, TensorBase):
        tensors.append(returned)
        i = len(tensors) - 1
        return lambda xs: xs[i]
    if returned is None:
        return lambda xs: None
    if isinstance(returned, dict):
        parts = {key: _structure(x, tensors) for key, x in returned.items()}
        return lambda xs: {key: part(xs) for key, part in parts.items()}
    if isinstance(returned, tuple | list):
        items = [_structure(x, tensors) for x in returned]
        kind = type(returned)
        if hasattr(returned, "_fields"):
            return lambda xs: kind(*[item(xs) for item in items])
        return lambda xs: kind([item(xs) for item in items])
    raise TraceError.of(
        "trace",
        given=f"a function that returns {type(returned).__name__}",
        must="it may return tensors, and tuples, lists and dicts of them",
        hint="return the tensor itself, without item() or float()",
    )
