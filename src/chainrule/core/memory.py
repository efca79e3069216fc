"""Buffers for large results, used again instead of asked for anew.

A fresh page costs a fault and a clearing by the operating system, several times the price of the
arithmetic that fills it. So a result of at least `THRESHOLD` bytes lives in a buffer that this module keeps:
a buffer that nothing but this module refers to any more (its reference count says so; NumPy makes every
view of it, and every view of a view, refer to the buffer itself) is handed out again. No finalizers, no
hooks: a buffer is busy exactly as long as some array uses it.

What is kept for reuse is bounded by `limit_bytes`; above it idle buffers are let go, oldest first.
"""

from __future__ import annotations

import os
import sys
import threading
from math import prod
from typing import Any

import numpy as np

THRESHOLD = 1 << 20  # bytes; below it the C allocator's own reuse is as good
_SLACK = 1.25  # a buffer may be this much larger than asked for: waste is bounded, reuse is likely


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not known on this system: assume a small machine
        return 4 << 30


limit_bytes = _physical_memory() // 8  # idle and busy buffers tracked here, together

_lock = threading.Lock()
_buffers: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
_IDLE_REFCOUNT = 3  # the list, the loop variable and getrefcount's argument


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """An uninitialised C-contiguous array; from a reused buffer if it is large."""
    nbytes = prod(shape) * dtype.itemsize
    if nbytes < THRESHOLD:
        return np.empty(shape, dtype)
    with _lock:
        buffer = _find(nbytes)
        if buffer is None:
            buffer = np.empty(nbytes, np.uint8)
            _make_room(nbytes)
            _buffers.append(buffer)
        return np.ndarray(shape, dtype, buffer)


def _find(nbytes: int) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    for buffer in reversed(_buffers):  # the latest is the likeliest to be in cache
        if nbytes <= buffer.nbytes <= nbytes * _SLACK and sys.getrefcount(buffer) == _IDLE_REFCOUNT:
            return buffer
    return None


def _make_room(nbytes: int) -> None:
    """Forget idle buffers, then busy ones (they die with their last array), until the new one fits."""
    total = nbytes + sum(b.nbytes for b in _buffers)
    if total <= limit_bytes:
        return
    kept = []
    for buffer in _buffers:
        if total > limit_bytes and sys.getrefcount(buffer) == _IDLE_REFCOUNT:
            total -= buffer.nbytes
        else:
            kept.append(buffer)
    while kept and total > limit_bytes:
        total -= kept.pop(0).nbytes
    _buffers[:] = kept


def release() -> None:
    """Give all idle buffers back to the system."""
    with _lock:
        busy = [i for i, b in enumerate(_buffers) if sys.getrefcount(b) != _IDLE_REFCOUNT + 1]
        _buffers[:] = [_buffers[i] for i in busy]


def tracked() -> tuple[int, int]:
    """(number of buffers, bytes) known to this module, idle and busy."""
    with _lock:
        return len(_buffers), sum(b.nbytes for b in _buffers)
