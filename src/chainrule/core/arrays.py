"""NumPy arrays of users, on their way into tensors: of a known type, plain, with nothing masked."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .dtypes import FROM_NUMPY, dtype
from .errors import ArgumentError, DTypeError


def known_type(kind: np.dtype[Any], what: str) -> dtype:
    """The element type that tensors have for a NumPy type. Raises DTypeError if there is none."""
    kind = kind.newbyteorder("=")
    if kind not in FROM_NUMPY:
        raise DTypeError.of(
            what,
            given=f"a NumPy array of type {kind}",
            must="supported are " + ", ".join(d.name for d in dtypes.ALL),
            hint="array.astype('float32')" if kind.kind in "fuO" else "",
        )
    return FROM_NUMPY[kind]


def unmasked(a: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    """The array, unless it is one of `numpy.ma` that hides values: a tensor would show them again."""
    mask = getattr(a, "mask", None)
    if mask is not None and np.any(mask):
        raise ArgumentError.of(
            what,
            given=f"a masked array {a.shape}",
            must="tensors have no mask, so the values under it would count",
            hint="array.filled(0), or another value for what is missing",
        )
    return a


def operand(a: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    """An array beside a tensor as the plain array that tensors hold; not copied if it is one already."""
    kind = known_type(a.dtype, what)
    return np.asarray(unmasked(a, what), kind.numpy)


def shared(a: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    """The same memory as a plain array (a memory map, say, is a kind of its own)."""
    return unmasked(a, what).view(np.ndarray)
