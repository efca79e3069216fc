"""The one pool of native threads, which compiled functions share.

`address()` is that of

    int pool_run(void (*body)(void *ctx, int64 index), void *ctx, int64 count)

which calls `body(ctx, index)` once for every index below `count`, on the caller's thread and the pool's
workers, and returns when all are done. Which thread takes which index is chance: what a body does may depend
on its index alone. Code that another job runs (a body that calls `pool_run` again, two Python threads at
once) runs its own job alone, one index after another; so nothing ever waits for a job but its caller.

Workers start with the first job that has something for them. Between jobs they look for the next one for some
tens of microseconds, then sleep: an idle program uses no processor, and a job that follows soon costs about
as much as a few exchanges of a cache line. A worker that does not come in time is not waited for. Workers
have nothing to do with Python: they do not hold its lock, and the program ends whether they sleep or look.

A forked child has no workers; its first job makes new ones. Where there are no POSIX threads every job runs
in its caller.

The native code and how it works are in `pool_code.py`; the number of threads is in `core/threads.py`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from chainrule.core.threads import get_num_threads, on_change

from . import cache, target

_PATIENCE: Final = 50e-6  # seconds to look for work before sleeping; to be woken takes about as long
_POSIX: Final = sys.platform != "win32"

_loaded: target.Loaded | None = None


def address() -> int:
    """The address of `pool_run`; the first call loads the pool."""
    return _pool().address("pool_run")


def nudge_address() -> int | None:
    """The address of `void pool_nudge(void)`: wake sleeping workers because there will be work in a moment.

    None where there are no threads.
    """
    return _pool().address("pool_nudge") if _POSIX else None


def threads() -> int:
    """How many threads work on a job, the caller's included."""
    return get_num_threads() if _POSIX else 1


def _pool() -> target.Loaded:
    """The pool's code, loaded once for the process."""
    global _loaded
    if _loaded is None:
        with target.lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def _load() -> target.Loaded:
    """Load the pool's code and tell it how many threads there shall be and how long they are patient."""
    key = cache.key("pool")
    entry = cache.lookup(key)
    if entry is not None:
        loaded = target.load(entry.code, entry.meta["names"])
    else:
        from . import pool_code  # loads LLVM

        names, code = target.emit(str(pool_code.module(threads=_POSIX)))
        loaded = target.load(code, names)
        cache.store(key, code, {"names": names})
    # Workers may still look for work, in this code, when the interpreter takes its modules down.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded))
    if _POSIX:
        _function(loaded, "pool_patience", ctypes.c_int64)(_looks(loaded))
        on_change(lambda: _set_threads(loaded))
        _set_threads(loaded)
        os.register_at_fork(after_in_child=_function(loaded, "pool_forget"))
    return loaded


def _set_threads(loaded: target.Loaded) -> None:
    _function(loaded, "pool_set", ctypes.c_int64)(threads())


def _looks(loaded: target.Loaded) -> int:
    """How many looks for work take as long as a worker's patience; one takes 4 to 60 ns, by processor."""
    pauses = _function(loaded, "pool_pauses", ctypes.c_int64)
    number = 1000
    best = min(_seconds(pauses, number) for _ in range(3))
    return max(1, int(number * _PATIENCE / best))


def _seconds(function: Callable[[int], Any], number: int) -> float:
    start = time.perf_counter()
    function(number)
    return time.perf_counter() - start


def _function(loaded: target.Loaded, name: str, *args: Any) -> Callable[..., Any]:
    """A function of the pool that gives nothing, callable from Python."""
    return ctypes.CFUNCTYPE(None, *args)(loaded.address(name))
