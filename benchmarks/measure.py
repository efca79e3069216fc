"""How a benchmark is measured: both sides in one process, taking turns, with the best and the median.

A workload is a function of the module it is written for, `workload(torch) -> run`: it prepares its data and
returns a function without arguments, which is what is timed. The same workload thus runs on chainrule and on
PyTorch, and can do nothing for one that it does not do for the other.

This file knows no workload; `overhead.py` and `models.py` hold them, `__main__.py` prints.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Run = Callable[[], object]
Workload = Callable[[Any], Run]

BLOCK = 0.02  # seconds: a block of calls is at least this long, far above the clock's resolution
ROUNDS = 15  # blocks of each side


@dataclass(frozen=True)
class Case:
    """One workload with what a reader needs to know about it."""

    name: str
    what: str  # sizes, dtype, and what is inside the timed part
    workload: Workload
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


def compare(workload: Workload, modules: dict[str, Any], *, rounds: int = ROUNDS) -> dict[str, Timing]:
    """Time one workload on each module, block by block in turns, so that a slow moment hits both sides."""
    runs = {name: workload(module) for name, module in modules.items()}
    calls = {name: calls_per_block(run) for name, run in runs.items()}
    timings = {name: Timing() for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run()  # not timed: the other side's data has to leave the caches, and its threads the cores
            timings[name].seconds.append(block(run, calls[name]))
    return timings


def block(run: Run, calls: int) -> float:
    """Seconds per call of one block."""
    repeat = range(calls)
    start = time.perf_counter()
    for _ in repeat:
        run()
    return (time.perf_counter() - start) / calls


def calls_per_block(run: Run) -> int:
    """How many calls take at least `BLOCK` seconds; doubles as warm-up."""
    calls = 1
    while True:
        seconds = block(run, calls) * calls
        if seconds >= BLOCK:
            return calls
        calls = max(2 * calls, min(int(calls * BLOCK / max(seconds, 1e-9)), 100 * calls))
