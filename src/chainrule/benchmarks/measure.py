"""How time is taken: blocks of calls, the best and the median of several blocks.

This file knows no workload and no side. `rounds.py` lets the sides take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Run = Callable[[], object]

BLOCK = 0.02  # seconds: a block of calls is at least this long, far above the clock's resolution


@dataclass(frozen=True)
class Case:
    """A piece of work written once for chainrule and PyTorch: `workload(torch)` prepares it."""

    name: str
    what: str  # sizes, dtype, and what is inside the timed part
    workload: Callable[[Any], Run]
    limit: float | None = None  # chainrule's median should be at most this many times PyTorch's


@dataclass
class Timing:
    """Seconds per call, one number for each block."""

    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def block(run: Run, calls: int) -> float:
    """Seconds per call of one block."""
    repeat = range(calls)
    start = time.perf_counter()
    for _ in repeat:
        run()
    return (time.perf_counter() - start) / calls


def warm_block(run: Run, calls: int) -> float:
    """The same after a call that is not timed: what others left in the caches has to go.

    A run that is a block by itself needs none; its first moments do not count.
    """
    if calls > 1:
        run()
    return block(run, calls)


def calls_per_block(run: Run) -> int:
    """How many calls take at least `BLOCK` seconds; doubles as warm-up."""
    calls = 1
    while True:
        seconds = block(run, calls) * calls
        if seconds >= BLOCK:
            return calls
        calls = max(2 * calls, min(int(calls * BLOCK / max(seconds, 1e-9)), 100 * calls))


def show(seconds: float) -> str:
    """A time with three digits and its unit.

    >>> [show(s) for s in (2.5, 0.0123, 4.56e-6, 1.2e-7)]
    ['2.5 s', '12.3 ms', '4.56 µs', '0.12 µs']
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
