"""Buffers for large results, used again instead of asked for anew.

A fresh page costs a fault and a clearing by the operating system, several times the price of the
arithmetic that fills it. So a result of at least `THRESHOLD` bytes lives in a buffer that this module keeps:
a buffer that nothing but this module refers to any more (its reference count says so; NumPy makes every
view of it, and every view of a view, refer to the buffer itself) is handed out again. No finalizers, no
hooks: a buffer is busy exactly as long as some array uses it.

Buffers are kept in size classes. A request looks at a bounded number of them, so that it never costs more
than a fresh buffer would. What is kept is bounded by `limit_bytes`; above it the buffers of the class that
was unused for longest are let go.
"""

from __future__ import annotations

import os
import sys
import threading
from math import prod
from typing import Any

import numpy as np

THRESHOLD = 1 << 17  # bytes; from here on the C allocator asks the system for pages of their own
_PAGE = 4096
# Where in a page large arrays begin: at a cache line, and far from where those of the system do. A processor
# tells loads from recent stores by their place in the page: a result that began a little after an input there
# would make each load wait for a store, and a simple expression take up to twice as long.
_PLACE = 2048 + 64
_PROBES = 4  # buffers looked at, at either end, for a request
_STEPS = 8  # size classes between a power of two and the next: at most 1/8 of a buffer is wasted

Buffer = np.ndarray[Any, np.dtype[np.uint8]]


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not known on this system: assume a small machine
        return 4 << 30


limit_bytes = _physical_memory() // 8  # idle and busy buffers tracked here, together

_lock = threading.Lock()
if hasattr(
    os, "register_at_fork"
):  # a lock that another thread holds would stay locked in the child for ever
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_classes: dict[int, list[Buffer]] = {}  # size of a class -> its buffers; classes in order of last use
_tracked_bytes = 0
_IDLE_REFCOUNT = 3  # the list, the variable that is asked about, and getrefcount's argument


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """An uninitialised C-contiguous array; from a reused buffer, and aligned, if it is large."""
    nbytes = prod(shape) * dtype.itemsize
    if nbytes < THRESHOLD:
        return np.empty(shape, dtype)
    size = class_size(nbytes)
    with _lock:
        buffers = _classes.pop(size, None) or []
        _classes[size] = buffers  # now the latest used
        buffer = _idle(buffers)
        if buffer is None:
            buffer = _fresh(buffers, size)
        start: int = buffer.__array_interface__["data"][0]
        return np.ndarray(shape, dtype, buffer, (_PLACE - start) % _PAGE)


def class_size(nbytes: int) -> int:
    """The size of the class that a request belongs to."""
    step = max(1 << (nbytes.bit_length() - 1), 1) // _STEPS
    return -(-nbytes // step) * step


def _idle(buffers: list[Buffer]) -> Buffer | None:
    """An idle one: among the latest used, which may still be in the cache, or among those unused for longest.

    Busy ones met at the front go to the back, so that the next request meets others.
    """
    for i in range(len(buffers) - 1, max(len(buffers) - 1 - _PROBES, -1), -1):
        if sys.getrefcount(buffers[i]) == _IDLE_REFCOUNT - 1:  # no variable holds it
            buffer = buffers.pop(i)
            buffers.append(buffer)
            return buffer
    for _ in range(min(_PROBES, len(buffers))):
        buffer = buffers.pop(0)
        buffers.append(buffer)
        if sys.getrefcount(buffer) == _IDLE_REFCOUNT:
            return buffer
    return None


def _fresh(buffers: list[Buffer], size: int) -> Buffer:
    global _tracked_bytes
    buffer: Buffer = np.empty(size + _PAGE, np.uint8)
    _tracked_bytes += size
    if _tracked_bytes > limit_bytes:
        _forget(_tracked_bytes - limit_bytes)
    if _tracked_bytes <= limit_bytes:
        buffers.append(buffer)
    else:
        _tracked_bytes -= size  # too large to be kept: it dies with its last array
    return buffer


def _forget(excess: int) -> None:
    """Let go of buffers, least recently used class first; busy ones die with their last array."""
    global _tracked_bytes
    for size in list(_classes):
        buffers = _classes[size]
        while buffers and excess > 0:
            buffers.pop()
            _tracked_bytes -= size
            excess -= size
        if excess <= 0:
            return


def release() -> None:
    """Give all idle buffers back to the system."""
    global _tracked_bytes
    with _lock:
        for size, buffers in list(_classes.items()):
            busy = []
            while buffers:
                buffer = buffers.pop()
                if sys.getrefcount(buffer) == _IDLE_REFCOUNT - 1:  # no longer in the list
                    _tracked_bytes -= size
                else:
                    busy.append(buffer)
            _classes[size] = busy


def tracked() -> tuple[int, int]:
    """(number of buffers, bytes) known to this module, idle and busy."""
    with _lock:
        return sum(map(len, _classes.values())), _tracked_bytes
