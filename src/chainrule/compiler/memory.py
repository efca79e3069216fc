"""Where an array's memory is.

NumPy's own ways to ask (`ctypes.data`, `__array_interface__`) build objects and cost more than a call of a
compiled function may. CPython keeps an array's address right behind the header that every object has; whether
that is so here is tried once, at import. Next: `signature.py`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

HEADER = object.__basicsize__  # bytes before the first field of an object
_pointer_at = ctypes.c_void_p.from_address


def _asked(a: Array) -> int:
    where: int = a.__array_interface__["data"][0]
    return where


def _read(a: Array) -> int:
    return _pointer_at(id(a) + HEADER).value or 0


def _readable() -> bool:
    """Whether reading the field gives what NumPy says, for several arrays."""
    if sys.implementation.name != "cpython":
        return False
    whole = np.arange(24.0).reshape(2, 3, 4)
    return all(_read(a) == _asked(a) for a in (whole, whole[1], whole.T, np.array(1.0), np.zeros((0, 2))))


address: Callable[[Array], int] = _read if _readable() else _asked
