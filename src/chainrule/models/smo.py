"""Support vector machines with any kernel: sequential minimal optimisation, settled by a Newton step.

The problem, for classification and regression alike: find z between `low` and `high` with sum 0 that makes
`1/2 z'K z - t'z` smallest. `f = t - K z` is minus its gradient, so at the solution there is a number b with
f <= b where z could only grow, f >= b where it could only shrink, and f = b in between, where z is free.

1. SMO moves two numbers at a time, one up and one down: the one with the largest f, and the partner with
   which most is gained (Fan, Chen and Lin 2005). Two columns of K are enough for that.
2. It finds soon which numbers are free, and slowly how large they are. So the end is a Newton step of all
   free ones at once, which solves for them exactly.

Rows may take part several times, each with its own t and bounds: z, t, low, high are (copies, n). Regression
needs two. Nothing here knows classes. Next: `interior.py`, which is faster for linear kernels; `svm.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .base import Array
from .smo_code import LANES, advance

_TINY = 1e-12  # the curvature of pairs of equal rows is 0
_CACHE = 400 << 20  # bytes of kernel columns that are kept
_NEWTON = 2000  # free numbers at most that a Newton step moves: it solves as many equations


class Problem(NamedTuple):
    """block: columns of K by their numbers, (k,) -> (n, k); diagonal (n,) of K; t, low, high (copies, n)."""

    block: Callable[[Array], Array]
    diagonal: Array
    t: Array
    low: Array
    high: Array

    def slope(self, z: Array) -> Array:
        """f = t - K z, from the columns where z is not 0, a part at a time."""
        total = z.sum(axis=0)
        f = self.t.copy()
        used = np.flatnonzero(total)
        for start in range(0, len(used), 512):
            part = used[start : start + 512]
            f -= self.block(part) @ total[part]
        return f


class Solved(NamedTuple):
    """z (copies, n), the offset b, how many pairs moved, and by how much the conditions are violated."""

    z: Array
    offset: float
    pairs: int
    gap: float


def solve(problem: Problem, start: Array | None = None, *, tol: float, most: int) -> Solved:
    """z between low and high with sum 0 that makes `1/2 z'K z - t'z` smallest.

    start:  z to begin with, between the bounds and with sum 0; 0 by default.
    tol:    by how much the conditions may be violated, before the Newton step; most: pairs at most.
    """
    z = np.zeros(problem.t.shape) if start is None else start.copy()
    f = problem.slope(z)
    pairs = _pairs(problem, z, f, tol, most)
    settled = settle(problem, z, f)
    if settled is not None:
        again = problem.slope(settled)
        if _gap(problem, settled, again) <= max(_gap(problem, z, f), 1e-9):
            z, f = settled, again
    return Solved(z, _offset(problem, z, f), pairs, _gap(problem, z, f))


def settle(problem: Problem, z: Array, f: Array) -> Array | None:
    """z with its free numbers so that f is the same at all of them; None where that leaves the bounds."""
    n = z.shape[1]
    free = np.flatnonzero((z > problem.low) & (z < problem.high))
    k = len(free)
    if not 0 < k <= _NEWTON:
        return None
    system = np.ones((k + 1, k + 1))
    rows, place = np.unique(free % n, return_inverse=True)
    system[:k, :k] = problem.block(rows)[rows][np.ix_(place, place)]
    system[k, k] = 0
    right = np.append(f.reshape(-1)[free], -z.sum())
    try:
        step = np.linalg.solve(system, right)[:k]
    except np.linalg.LinAlgError:
        step = np.full(k, np.nan)
    if not np.abs(step).max() < 1e6 * max(
        1.0, float(np.abs(z).max())
    ):  # equal rows: of all steps the shortest
        step = np.linalg.lstsq(system, right, rcond=None)[0][:k]
    moved = z.copy()
    moved.reshape(-1)[free] += step
    return moved if ((moved >= problem.low) & (moved <= problem.high)).all() else None


def _gap(problem: Problem, z: Array, f: Array) -> float:
    """By how much f at numbers that can grow exceeds f at numbers that can shrink."""
    return float(np.where(z < problem.high, f, -np.inf).max() - np.where(z > problem.low, f, np.inf).min())


def _offset(problem: Problem, z: Array, f: Array) -> float:
    free = (z > problem.low) & (z < problem.high)
    if free.any():
        return float(f[free].mean())
    largest = float(np.where(z < problem.high, f, -np.inf).max())
    return (largest + float(np.where(z > problem.low, f, np.inf).min())) / 2


class _Columns:
    """Columns of K and 1 / (curvature of each pair with that row), in one array each, as long as they fit."""

    def __init__(self, problem: Problem, width: int) -> None:
        n = len(problem.diagonal)
        self.block, self.diagonal = problem.block, problem.diagonal
        most = min(n, max(2, _CACHE // (16 * width)))
        self.values, self.steep = np.zeros((most, width)), np.ones((most, width))
        self.slot = np.full(n, -1)
        self.rows: list[int] = []  # whose column is in which place
        self.next = 0

    def add(self, row: int, needed: int) -> None:
        """Compute a column, in place of the oldest one but that of `needed` if there is no place left."""
        n = len(self.diagonal)
        column = self.block(np.array([row]))[:, 0]
        if len(self.rows) < len(self.values):
            place = len(self.rows)
            self.rows.append(row)
        else:
            if self.rows[self.next] == needed:
                self.next = (self.next + 1) % len(self.rows)
            place, self.next = self.next, (self.next + 1) % len(self.rows)
            self.slot[self.rows[place]] = -1
            self.rows[place] = row
        self.slot[row] = place
        self.values[place, :n] = column
        curvature = self.diagonal + (self.diagonal[row] - 2 * column)
        self.steep[place, :n] = 1 / np.maximum(curvature, _TINY)


def _pairs(problem: Problem, z: Array, f: Array, tol: float, most: int) -> int:
    """Move pairs until the conditions hold within tol; z and f change in place. How many moved.

    `up` is f where z can grow, else -inf; `down` is f where it can shrink, else inf: what is looked for needs
    no other test then.
    """
    copies, n = z.shape
    width = -(-n // LANES) * LANES

    def padded(values: Array, beyond: float) -> Array:
        whole = np.full((copies, width), beyond)
        whole[:, :n] = values
        return whole

    up = padded(np.where(z < problem.high, f, -np.inf), -np.inf)
    down = padded(np.where(z > problem.low, f, np.inf), np.inf)
    zs, low, high = padded(z, 0.0), padded(problem.low, 0.0), padded(problem.high, 0.0)
    gain, moved = np.empty_like(up), np.zeros(1, np.int64)
    columns = _Columns(problem, width)
    run = advance()
    arrays = [a.ctypes.data for a in (up, down, zs, low, high, columns.values, columns.steep, columns.slot, gain)]
    while True:
        row = run(width, up.size, *arrays, tol, most, moved.ctypes.data)
        if row < 0:
            break
        columns.add(row, int(up.argmax()) % width)
    z[:] = zs[:, :n]
    there = np.where(np.isfinite(up), up, down)[:, :n]
    np.copyto(f, np.where(np.isfinite(there), there, f))
    return int(moved[0])
