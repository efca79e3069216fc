"""Where an element of a value lies in memory: views, broadcasting and transposing as strides.

A kernel evaluates expressions at the points of its domain. Between the domain and the memory of a value lie
views and broadcasts. NumPy knows what each of them does to strides, so we let it do the arithmetic: `strided`
applies them to a stand-in array of bytes that is never read, and looks at what comes out.

A reshape of elements that do not lie in order would be a copy: `NotStrided` names the value that has to be
stored first. Next: `plan.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...core.shapes import Shape
from ...graph.values import Value
from ...ops.lowering import Strided

Place = tuple[int, tuple[int, ...]]  # offset and strides, in elements


class Step(NamedTuple):
    """One view on the way from a value to the domain. Compared by its fields, so chains can be keys."""

    source: Any  # the value that is viewed; None for a broadcast
    target: Any  # the value that is the view, or the shape broadcast to

    def __call__(self, a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.source is None:
            return np.broadcast_to(a, self.target)
        op = self.target.op
        rule: Callable[..., Any] = op.lower.view or op.numpy
        out: np.ndarray[Any, Any] = rule(a, **self.target.settings)
        return out


Steps = tuple[Step, ...]  # applied in order, from the value to the domain


class NotStrided(Exception):
    """The elements of `value` have to be stored in order before they can be viewed as asked."""

    def __init__(self, value: Value) -> None:
        self.value = value


def is_view(v: Value) -> bool:
    return v.op is not None and isinstance(v.op.lower, Strided)


def broadcast_step(shape: Shape, to: Shape) -> Steps:
    """The step from an input of an elementwise op to its result."""
    return () if shape == to else (Step(None, to),)


def row_major(shape: Shape) -> tuple[int, ...]:
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def strided(shape: Shape, steps: Steps, axis: int | None = None) -> Place:
    """(offset, strides) over the domain that `steps` lead to, for row-major memory of `shape`.

    axis: instead, the index along that axis of `shape` as a function of the domain's indices.
    """
    if 0 in shape:
        raise AssertionError("nothing is read of an empty value")
    if axis is None:
        a = np.empty(shape, np.int8)
    else:
        line = np.empty(shape[axis], np.int8).reshape([-1 if d == axis else 1 for d in range(len(shape))])
        a = np.broadcast_to(line, shape)
    start = a.__array_interface__["data"][0]
    size = prod(shape) if axis is None else shape[axis]
    source: Any = None  # of the last view; a broadcast alone cannot fail
    for step in steps:
        b = step(a)
        if step.source is not None:
            source = step.source
        at = b.__array_interface__["data"][0]
        if b.size and not (start <= at < start + size and _is_of(b, a)):
            raise NotStrided(source)
        a = b
    if 0 in a.shape:
        return 0, (0,) * a.ndim
    offset = a.__array_interface__["data"][0] - start
    return offset, tuple(0 if n == 1 else s for n, s in zip(a.shape, a.strides, strict=True))


def _is_of(b: np.ndarray[Any, Any], a: np.ndarray[Any, Any]) -> bool:
    return bool(np.may_share_memory(b, a))


def is_row_local(place: Place, shape: Shape, domain: Shape, rows: int) -> bool:
    """Whether a point of the domain reads only its own row of a value: `rows` leading axes name the row."""
    if len(shape) < rows or shape[:rows] != domain[:rows]:
        return False
    offset, strides = place
    own = row_major(shape)
    for n, s, t in zip(domain[:rows], strides[:rows], own[:rows], strict=True):
        if n > 1 and s != t:
            return False
    low = high = offset
    for n, s in zip(domain[rows:], strides[rows:], strict=True):
        low, high = (low, high + s * (n - 1)) if s >= 0 else (low + s * (n - 1), high)
    return low >= 0 and high < max(prod(shape[rows:]), 1)


def is_identity(place: Place, domain: Shape) -> bool:
    """Whether each point reads the element at its own place of an array of the domain's shape."""
    want = tuple(0 if n == 1 else s for n, s in zip(domain, row_major(domain), strict=True))
    return place == (0, want)
