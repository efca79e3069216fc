"""How many threads compiled functions use: asked and set here, under PyTorch's names.

Only the number lives here. The threads themselves are `executors/cpu/pool.py`, which starts them when they
first have something to do. Results do not depend on the number.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from . import settings
from .errors import ArgumentError

MOST = 1024  # what the pool has room for

_chosen: int | None = None
_listeners: list[Callable[[], object]] = []


def get_num_threads() -> int:
    """How many threads a compiled function uses.

    By default as many as there are processors that this process may run on; `CHAINRULE_THREADS` and
    `set_num_threads` change it.

    >>> import chainrule as torch
    >>> torch.get_num_threads() >= 1
    True
    """
    return _chosen or settings.threads() or _processors()


def set_num_threads(number: int) -> None:
    """Let compiled functions use this many threads from now on, the calling one included.

    It changes speed only: results are the same for every number. What runs eagerly in NumPy is not affected.

    Raises: ArgumentError (a RuntimeError) if it is not a whole number from 1 to 1024.

    >>> import chainrule as torch
    >>> before = torch.get_num_threads()
    >>> torch.set_num_threads(1)
    >>> torch.get_num_threads()
    1
    >>> torch.set_num_threads(before)
    """
    global _chosen
    if type(number) is not int or not 1 <= number <= MOST:
        raise ArgumentError.of(
            "set_num_threads",
            given=repr(number),
            must=f"the number of threads must be an int from 1 to {MOST}",
            hint=f"set_num_threads({_processors()}), one per processor",
        )
    _chosen = number
    for listener in _listeners:
        listener()


def on_change(listener: Callable[[], object]) -> None:
    """Call this whenever the number was set."""
    _listeners.append(listener)


def _processors() -> int:
    """How many processors this process may run on."""
    try:
        return min(len(os.sched_getaffinity(0)), MOST)
    except (AttributeError, OSError):  # macOS, Windows
        return min(os.cpu_count() or 1, MOST)
