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

_CACHE = 400 << 20  # bytes of kernel columns that are kept
_AHEAD = 8  # columns that are computed together
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
    columns = Columns(problem)
    pairs = _pairs(problem, columns, z, f, tol, most)
    gap = _gap(problem, z, f)
    if gap < 2 * tol:
        settled = settle(problem, z, f, columns)
        if settled is not None and (after := _gap(problem, *settled)) <= max(gap, 1e-9):
            (z, f), gap = settled, after
    return Solved(z, _offset(problem, z, f), pairs, gap)


def settle(problem: Problem, z: Array, f: Array, columns: Columns) -> tuple[Array, Array] | None:
    """z with free numbers that make f the same at all of them, and f; None where that leaves the bounds."""
    n = z.shape[1]
    free = np.flatnonzero((z > problem.low) & (z < problem.high))
    k = len(free)
    if not 0 < k <= _NEWTON:
        return None
    rows, place = np.unique(free % n, return_inverse=True)
    values = columns.of(rows)  # (rows, n)
    system = np.ones((k + 1, k + 1))
    system[:k, :k] = values[:, rows][np.ix_(place, place)]
    system[k, k] = 0
    right = np.append(f.reshape(-1)[free], -z.sum())
    try:
        step = np.linalg.solve(system, right)[:k]
    except np.linalg.LinAlgError:
        step = np.full(k, np.nan)
    if not np.abs(step).max() < 1e6 * max(1.0, float(np.abs(z).max())):  # equal rows: the shortest step
        step = np.linalg.lstsq(system, right, rcond=None)[0][:k]
    moved = z.copy()
    moved.reshape(-1)[free] += step
    if not ((moved >= problem.low) & (moved <= problem.high)).all():
        return None
    return moved, f - np.bincount(place, weights=step, minlength=len(rows)) @ values


def _gap(problem: Problem, z: Array, f: Array) -> float:
    """By how much f at numbers that can grow exceeds f at numbers that can shrink."""
    return float(np.where(z < problem.high, f, -np.inf).max() - np.where(z > problem.low, f, np.inf).min())


def _offset(problem: Problem, z: Array, f: Array) -> float:
    free = (z > problem.low) & (z < problem.high)
    if free.any():
        return float(f[free].mean())
    largest = float(np.where(z < problem.high, f, -np.inf).max())
    return (largest + float(np.where(z > problem.low, f, np.inf).min())) / 2


class Columns:
    """Columns of K, as rows of one array, computed when they are asked for and kept while they fit."""

    def __init__(self, problem: Problem) -> None:
        n = len(problem.diagonal)
        self.block = problem.block
        self.width = -(-n // LANES) * LANES
        most = min(n, max(2 * _AHEAD, _CACHE // (8 * self.width)))
        self.values = np.zeros((most, self.width))
        self.slot = np.full(n, -1)  # where the column of a row is
        self.row = np.full(most, -1)  # whose column is there
        self.next = 0

    def add(self, rows: Array) -> None:
        """Compute columns, in place of the oldest ones if there is no room."""
        n = len(self.slot)
        places = (self.next + np.arange(len(rows))) % len(self.values)
        self.next = int(places[-1] + 1) % len(self.values)
        gone = self.row[places]
        self.slot[gone[gone >= 0]] = -1
        self.slot[rows], self.row[places] = places, rows
        self.values[places, :n] = self.block(rows).T

    def of(self, rows: Array) -> Array:
        """The columns of some rows, as rows (k, n): known ones are not computed again."""
        n = len(self.slot)
        found = np.empty((len(rows), n))
        known = self.slot[rows] >= 0
        found[known] = self.values[self.slot[rows[known]], :n]
        if not known.all():
            found[~known] = self.block(rows[~known]).T
        return found


def _pairs(problem: Problem, columns: Columns, z: Array, f: Array, tol: float, most: int) -> int:
    """Move pairs until the conditions hold within tol; z and f change in place. How many moved.

    `up` is f where z can grow, else -inf; `down` is f where it can shrink, else inf: what is looked for needs
    no other test then.
    """
    copies, n = z.shape
    width = columns.width

    def padded(values: Array, beyond: float) -> Array:
        whole = np.full((copies, width), beyond)
        whole[:, :n] = values
        return whole

    up = padded(np.where(z < problem.high, f, -np.inf), -np.inf)
    down = padded(np.where(z > problem.low, f, np.inf), np.inf)
    zs, low, high = padded(z, 0.0), padded(problem.low, 0.0), padded(problem.high, 0.0)
    diagonal = np.ones(width)
    diagonal[:n] = problem.diagonal
    gain, moved = np.empty_like(up), np.zeros(1, np.int64)
    run = advance()
    arrays = (up, down, zs, low, high, columns.values, diagonal, columns.slot, gain)
    places = [array.ctypes.data for array in arrays]
    while True:
        row = run(width, up.size, *places, tol, most, moved.ctypes.data)
        if row < 0:
            break
        columns.add(_wanted(row, up, down, columns.slot))
    z[:] = zs[:, :n]
    there = np.where(np.isfinite(up), up, down)[:, :n]
    np.copyto(f, np.where(np.isfinite(there), there, f))
    return int(moved[0])


def _wanted(row: int, up: Array, down: Array, slot: Array) -> Array:
    """The row whose column is needed, and those that will be soon, the largest violations: all at once."""
    n = len(slot)
    score = np.where(slot < 0, np.maximum(up.max(axis=0)[:n], -down.min(axis=0)[:n]), -np.inf)
    score[row] = np.inf
    if n <= _AHEAD:
        return np.flatnonzero(score > -np.inf)
    rows = np.argpartition(score, n - _AHEAD)[n - _AHEAD :]
    return np.asarray(rows[score[rows] > -np.inf])
