"""What the machine can do at best: matrix products and copying. And a control that uses no side's code.

The shares in the table are of these rates, which are measured in a process of their own: with NumPy and as
`executors/cpu/machine.py` does it. What is faster counts: it has been reached, so the machine can do it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..executors.cpu.machine import copy_bandwidth, product_rate
from .measure import block, calls_per_block

SIDE = 1024  # of the square matrices: large enough for the full rate, small enough for a moment
COPIED = 20_000_000  # float32: far more than the caches hold
TIMES = 7


def products(threads: int) -> float:
    """Floating-point operations per second of a float32 matrix product, the best of several."""
    a = np.random.default_rng(0).standard_normal((SIDE, SIDE), dtype=np.float32)
    b, out = a.T.copy(), np.empty_like(a)

    def run() -> object:
        return np.matmul(a, b, out=out)

    calls = calls_per_block(run)
    with_numpy = 2 * SIDE**3 / min(block(run, calls) for _ in range(TIMES))
    product_rate.cache_clear()  # of this moment, not of the first one
    return max(with_numpy, product_rate("float32", threads) or 0.0)


def copy(threads: int) -> float:
    """Bytes per second, read and written, of copying an array, the best of several."""
    source = np.ones(COPIED, np.float32)
    target = np.empty_like(source)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:

        def run() -> None:
            list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))

        calls = calls_per_block(run)
        with_numpy = 2 * source.nbytes / min(block(run, calls) for _ in range(TIMES))
    copy_bandwidth.cache_clear()
    return max(with_numpy, copy_bandwidth(threads))


def control() -> float:
    """Seconds of work in NumPy and plain Python, the best of a few."""
    a = np.random.default_rng(0).standard_normal((256, 256), dtype=np.float32)
    numbers = list(range(20_000))

    def run() -> object:
        np.tanh(a @ a)
        return sum(n * n for n in numbers)

    calls = calls_per_block(run)
    return min(block(run, calls) for _ in range(5))
