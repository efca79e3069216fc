"""Changing parts of an array without copying the whole, where nobody will miss the old values.

Operations that replace some elements (`INDEX_PUT`, `SCATTER`, ...) give a changed copy of their input. While
an in-place operation runs that nobody records, `inplace.py` lends them its array: then there is no copy.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class _State(threading.local):
    lent: Array | None = None


_state = _State()


@contextmanager
def lend(a: Array) -> Iterator[None]:
    """Inside, `own_copy(a)` is a itself, in this thread."""
    before = _state.lent
    _state.lent = a
    try:
        yield
    finally:
        _state.lent = before


def own_copy(x: Array) -> Array:
    """An array with the values of x that may be changed.

    >>> a = np.zeros(2)
    >>> own_copy(a) is a
    False
    >>> with lend(a):
    ...     own_copy(a) is a
    True
    """
    return x if x is _state.lent else x.copy()
