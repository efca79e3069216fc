"""How long each kernel of a graph takes here, measured on numbers that are made up for it.

The graph is compiled once more, with code that reads the processor's counter before and after each kernel. It
runs on memory of its own: floating-point numbers between 0.1 and 0.5, zeros for all others, which are valid
indices. So nothing of the user's is read, changed, or drawn. Next: `report.py`.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np

from ...graph.graph import Graph
from ...graph.values import Value
from . import pool, target
from .memory import nbytes
from .module import Builder, build
from .plan import Kernel
from .program import _BACK, _ENTRY, MAIN
from .table import ARENA, CALLBACK, CLOCK, ERROR, FIRST, OWNER, POOL

SECONDS: Final = 0.5  # of runs, about
MOST_RUNS: Final = 200
MOST_BYTES: Final = 4 << 30  # of made-up memory
_APART: Final = 0.02  # seconds between two looks at the counter that tell how fast it counts


@dataclass(eq=False, slots=True)
class Times:
    """Seconds: `of` each kernel (all its runs in a loop together), and `between` kernels in one run.

    Each is a median by itself: what disturbs one kernel in one run and another in the next is in none of
    them.

    runs:    how many runs these are the medians of.
    problem: why there are none.
    """

    builder: Builder
    of: dict[Kernel, float] = field(default_factory=dict)
    between: float = 0.0
    runs: int = 0
    problem: str = ""

    @property
    def total(self) -> float:
        """Of one run of the program."""
        return self.between + sum(self.of[kernel] for kernel in self.builder.plan.kernels)


def measure(graph: Graph) -> Times:
    """Compile a graph with clocks and run it."""
    builder = build(graph, timed=True)
    times = Times(builder)
    size = memory_bytes(builder)
    if size > MOST_BYTES:
        most = MOST_BYTES >> 30
        times.problem = (
            f"not timed: a run on made-up numbers needs {size / 2**30:.1f} GiB, more than {most} GiB"
        )
        return times
    _Runs(builder, times).measure()
    return times


def memory_bytes(builder: Builder) -> int:
    """What a run of its own takes: arguments, results, the arena."""
    return sum(map(nbytes, (*builder.plan.arguments, *builder.graph.outputs))) + builder.memory.size


class _Runs:
    """A timed program with all its memory."""

    def __init__(self, builder: Builder, times: Times) -> None:
        self.times = times
        self.kernels = builder.shared.timed or []
        self._called = builder.shared.called
        self._loaded = target.compile_module(builder.shared.module)
        self._main = _ENTRY(self._loaded.address(MAIN))
        self._back = _BACK(self._call_back)
        self._problem: BaseException | None = None
        plan, memory = builder.plan, builder.memory
        arguments = {v: _made_up(v) for v in plan.arguments}
        changed = [arguments[c] for c, _ in builder.graph.writes]
        self._changed = [(a, a.copy()) for a in changed]
        self.clocks = np.zeros(len(self.kernels) + 2, np.int64)
        self._error = np.zeros(1, np.int64)
        arena = np.zeros(memory.size + 64, np.uint8)
        arrays = [
            *arguments.values(),
            *(np.empty(v.shape, v.dtype.numpy) for v in builder.graph.outputs),
            *(np.ascontiguousarray(v.data) for v in memory.constants),
        ]
        self._table = table = (ctypes.c_size_t * builder.table_size)()
        table[POOL] = pool.address()
        table[CALLBACK] = ctypes.cast(self._back, ctypes.c_void_p).value or 0
        table[OWNER] = 0
        table[ARENA] = -(-arena.ctypes.data // 64) * 64
        table[ERROR] = self._error.ctypes.data
        table[CLOCK] = self.clocks.ctypes.data
        for i, a in enumerate(arrays, FIRST):
            table[i] = a.ctypes.data
        self._keep = [arena, *arrays]

    def _call_back(self, owner: int, number: int, table: int) -> int:
        try:
            self._called[number].run(table)
        except BaseException as err:  # native code cannot pass it on
            self._problem = err
            return 1
        return 0

    def measure(self) -> None:
        """Run for a while; medians into `times`. The first run warms up; it counts only if it is long."""
        samples: list[np.ndarray[Any, Any]] = []
        begun = time.perf_counter()
        seconds = self._run()
        looked, start = time.perf_counter(), int(self.clocks[1])
        if seconds >= SECONDS:
            samples.append(self.clocks.copy())
        while not self.times.problem and len(samples) < MOST_RUNS:
            if samples and time.perf_counter() - begun > SECONDS:
                break
            self._run()
            samples.append(self.clocks.copy())
        if self.times.problem:
            return
        if len(samples) == 1 and seconds >= SECONDS:
            rate = (start - int(self.clocks[0])) / seconds  # counts in a second
        else:
            time.sleep(max(0.0, _APART - (time.perf_counter() - looked)))
            self._run()
            rate = (int(self.clocks[1]) - start) / (time.perf_counter() - looked)
        if rate <= 0:
            self.times.problem = "not timed: this processor's counter cannot be read"
            return
        counts = np.array(samples)
        self.times.runs = len(counts)
        between = counts[:, 1] - counts[:, 0]
        outer = set(self.times.builder.plan.kernels)
        for i, kernel in enumerate(self.kernels, 2):
            self.times.of[kernel] = median(counts[:, i].tolist()) / rate
            if kernel in outer:
                between -= counts[:, i]
        self.times.between = median(between.tolist()) / rate

    def _run(self) -> float:
        """One run from the same start; its seconds."""
        self.clocks[2:] = 0
        for a, before in self._changed:
            a[...] = before
        start = time.perf_counter()
        failed = self._main(ctypes.addressof(self._table))
        seconds = time.perf_counter() - start
        if failed or self._error[0]:
            reason = self._problem or "an index outside of its axis"
            self.times.problem = f"not timed: on made-up numbers it ends with {reason}"
        return seconds


def _made_up(v: Value) -> np.ndarray[Any, Any]:
    """An array for a value: some random numbers over and over, for making a large one takes no time then."""
    out = np.zeros(v.shape, v.dtype.numpy)
    if v.dtype.is_floating_point and out.size:
        numbers = np.random.default_rng(0).uniform(0.1, 0.5, min(out.size, 1 << 16)).astype(out.dtype)
        flat = out.reshape(-1)
        whole = out.size // numbers.size * numbers.size
        flat[:whole].reshape(-1, numbers.size)[...] = numbers
        flat[whole:] = numbers[: out.size - whole]
    return out
