"""Which captured tensors are constants: those that nobody but the graph holds can neither change nor be seen.

Used by `trace.py` and `symbols.py`. What stays a capture is read anew at each run.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import TensorBase, wrap
from ..core.dtypes import FROM_NUMPY
from ..ops.views import EXPAND
from .values import Value, constant, op_value

SMALL = 4  # elements; larger arrays that hold one number are written as that number, expanded


def constants(captures: Sequence[Value], fresh: set[Value]) -> tuple[dict[Value, Value], set[Value]]:
    """For each capture whose tensor nobody else holds the value that replaces it.

    fresh:   captures of tensors that each run makes anew; they are replaced even if somebody holds them.
    Returns: the replacements, and which of the fresh ones are held.

    The captures must be all that refers to their tensors here. Whether somebody else does is found out by
    letting go of tensor and array, and looking whether they are still there. Numbers of Python stay captures.
    """
    captures = [v for v in captures if isinstance(v.data, TensorBase)]
    replace: dict[Value, Value] = {}
    held: set[Value] = set()
    tensors = [weakref.ref(v.data) for v in captures]
    arrays: list[Any] = [v.data._a for v in captures]
    for v in captures:
        v.data = None
    for i, v in enumerate(captures):
        v.data = tensors[i]()
        if v.data is None:
            v.data = wrap(np.array(arrays[i], order="C"))
            shared = _let_go(arrays, i)
            if shared is not None:
                v.data = wrap(shared)
                continue
        elif v not in fresh:
            continue
        else:
            held.add(v)
        replace[v] = known(np.array(v.data._a, order="C"))
    return replace, held


def _let_go(arrays: list[Any], i: int) -> np.ndarray[Any, Any] | None:
    """Drop the i-th array; if somebody else holds its memory, give the array back."""
    a, arrays[i] = arrays[i], None
    root = a
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root.base is not None:  # memory that is not NumPy's
        return a  # type: ignore[no-any-return]
    offset = a.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    shape, kind, strides = a.shape, a.dtype, a.strides
    memory = weakref.ref(root)
    del a, root
    root = memory()
    return None if root is None else np.ndarray(shape, kind, root, offset, strides)


def name_them(captures: Sequence[Value], inputs: Sequence[Value]) -> None:
    """Names c1, c2, ... for captures, but none that an input has; numbers of Python have names already."""
    taken = {v.name for v in inputs}
    free = (name for i in itertools.count(1) if (name := f"c{i}") not in taken)
    for v in captures:
        if isinstance(v.data, TensorBase):
            v.name = next(free)
            continue
        names = itertools.chain([v.name], (f"{v.name}_{i}" for i in itertools.count(2)))
        v.name = next(name for name in names if name not in taken)
        taken.add(v.name)


def known(a: np.ndarray[Any, Any]) -> Value:
    """The value of an array: a constant, or one number expanded."""
    kind = FROM_NUMPY[a.dtype]
    if a.size > SMALL:
        first = np.array(a.reshape(-1)[0])
        if a.tobytes() == first.tobytes() * a.size:  # bits: NaN equals itself, and 0.0 is not -0.0
            return op_value(EXPAND, (constant(first, kind),), {"shape": a.shape}, kind)
    return constant(a, kind)
