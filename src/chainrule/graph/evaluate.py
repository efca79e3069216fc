"""Running a graph with NumPy, value by value.

A value is dropped after its last use. Inputs are taken in row-major order. Results own their memory: what a
view or an input passes through unchanged is copied before it is returned. Writes happen after everything is
computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import TensorBase, wrap
from ..core import settings
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, ChainruleError, DTypeError, IndexingError, ShapeError, nearest
from ..inplace import check, touch
from ..ops.views import EXPAND
from ..tape.mode import no_grad
from .debug import check_result
from .host import Host
from .values import CONSTANT, PART, Value


def call(graph: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Run a graph on tensors, arrays or numbers. The outputs are put together as the traced function did."""
    given = bind(graph, inputs, named)
    targets = [_target(graph.name, v, given[v]) for v, _ in graph.writes]
    _refuse_overlap(graph.name, targets, given)
    outputs, writes = evaluate(graph, {v: _array(graph.name, v, x) for v, x in given.items()})
    for target, new in zip(targets, writes, strict=True):
        if isinstance(target, Host):
            target.store(new.item())
        else:
            target._a[...] = new
            touch(target)
    tensors = [wrap(a) for a in outputs]
    if graph.structure is not None:
        return graph.structure(tensors)
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def bind(graph: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> dict[Value, Any]:
    """What is given for each input and capture. A captured tensor may be replaced by name."""
    names = [v.name or f"input {i}" for i, v in enumerate(graph.inputs)]
    if len(inputs) > len(names):
        raise ArgumentError.of(
            graph.name, given=f"{len(inputs)} inputs", must=f"it takes {len(names)}: {', '.join(names)}"
        )
    given = dict(zip(names, inputs, strict=False))
    valid = [*names, *(v.name for v in graph.captures)]
    for name, x in named.items():
        if name not in valid or name in given:
            raise ArgumentError.of(
                graph.name,
                given=f"an input {name!r}" + (" twice" if name in given else nearest(name, valid)),
                must=f"its inputs are {', '.join(valid)}" if valid else "it has no inputs",
            )
        given[name] = x
    for name in names:
        if name not in given:
            raise ArgumentError.of(
                graph.name, given=f"no value for {name!r}", must=f"its inputs are {', '.join(names)}"
            )
    bound = {v: given[name] for name, v in zip(names, graph.inputs, strict=True)}
    for v in graph.captures:
        bound[v] = given.get(v.name, v.data)
        if bound[v] is None:
            raise ArgumentError.of(
                graph.name,
                given=f"no tensor for the captured {v.name!r}",
                must="a graph that was read from text has no tensors of its own",
                hint=f"{graph.name}(..., {v.name}=tensor)",
            )
    return bound


def _array(name: str, v: Value, x: Any) -> np.ndarray[Any, Any]:
    """The array of an input in row-major order, after checking shape and type."""
    if isinstance(x, TensorBase):
        a = x._a
    elif isinstance(x, Host):
        a = np.array(x.value(), v.dtype.numpy)
    else:
        a = x if isinstance(x, np.ndarray) else np.asarray(x, v.dtype.numpy)
    if a.shape != v.shape:
        raise ShapeError.of(
            name, given=f"{v.name!r} with shape {a.shape}", must=f"the graph was made for {v.shape}"
        )
    if FROM_NUMPY.get(a.dtype) is not v.dtype:
        raise DTypeError.of(
            name,
            given=f"{v.name!r} of type {a.dtype}",
            must=f"the graph was made for {v.dtype.name}",
            hint=f"{v.name}.to({v.dtype})"
            if isinstance(x, TensorBase)
            else f"{v.name}.astype({v.dtype.name!r})",
        )
    if type(a) is not np.ndarray:
        raise ArgumentError.of(
            name, given=f"{v.name!r} without values", must="a graph runs on tensors with values"
        )
    return np.asarray(a, order="C")


def _target(name: str, v: Value, x: Any) -> TensorBase | Host:
    """The tensor, or number of Python, that a graph writes to."""
    if isinstance(x, Host):
        return x
    if not isinstance(x, TensorBase):
        raise ArgumentError.of(
            name,
            given=f"{type(x).__name__} for {v.name!r}, which it changes in place",
            must="only a tensor can be changed in place",
            hint=f"{v.name}=tensor(...)",
        )
    with no_grad():
        check(x, (), name)
    return x


def _refuse_overlap(name: str, targets: list[TensorBase | Host], given: dict[Value, Any]) -> None:
    """What is changed in place must not share memory with another input: to the graph they are separate."""
    for target in targets:
        if isinstance(target, Host):
            continue
        for v, x in given.items():
            if x is target and sum(y is target for y in given.values()) == 1:
                continue
            a = x._a if isinstance(x, TensorBase) else x
            if isinstance(a, np.ndarray) and np.may_share_memory(target._a, a):
                raise ArgumentError.of(
                    name,
                    given=f"{v.name!r} {a.shape} on memory that it changes in place for another input",
                    must="tensors that are changed in place must not share memory with other inputs",
                    hint=f"{v.name}.clone()",
                )


def evaluate(graph: Any, known: dict[Value, np.ndarray[Any, Any]]) -> tuple[list[Any], list[Any]]:
    """(outputs, values to write) as arrays with memory of their own."""
    arrays: dict[Value, Any] = dict(known)
    last_use: dict[Value, int] = {}
    for i, v in enumerate(graph.values):
        for x in v.operands:
            last_use[x] = i
    kept = {*graph.outputs, *(v for _, v in graph.writes)}
    with np.errstate(all="ignore"):
        for i, v in enumerate(graph.values):
            arrays[v] = step(v, arrays)
            for x in v.operands:
                if last_use[x] == i and x not in kept:
                    arrays.pop(x, None)
    return [_own(arrays[v]) for v in graph.outputs], [_own(arrays[v]) for _, v in graph.writes]


def step(v: Value, arrays: dict[Value, Any]) -> Any:
    """The array of one value, from those of its inputs."""
    if v.kind == CONSTANT:
        return v.data
    if v.kind == PART:
        return arrays[v.inputs[0]][v.index]
    assert v.op is not None
    if v.op is EXPAND and v.inputs[0].kind == CONSTANT:  # an array that was written as one number
        return np.full(v.shape, v.inputs[0].data)
    inputs = [arrays[x] if isinstance(x, Value) else x for x in v.inputs]
    try:
        result = v.op.numpy(*inputs, **v.settings)
    except ChainruleError as err:
        raise type(err).of(err.summary, site=v.site, at=v.site is not None) from None
    except (ValueError, IndexError, ZeroDivisionError) as err:  # LinAlgError is a ValueError
        shapes = " and ".join(str(np.shape(a)) for a in inputs)
        kind = IndexingError if isinstance(err, IndexError) else ArgumentError
        raise kind.of(v.op.formula, given=shapes, must=str(err), site=v.site, at=v.site is not None) from None
    result = result if v.op.outputs != 1 else np.asarray(result)
    if settings.check():
        check_result(v, inputs, result)
    return result


def _own(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array(a, order="C")
