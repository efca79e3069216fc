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
    """Columns of K, and 1 / (curvature of each pair with that row): computed once, while they fit."""

    def __init__(self, problem: Problem) -> None:
        self.block, self.diagonal = problem.block, problem.diagonal
        self.known: dict[int, tuple[Array, Array]] = {}
        self.most = max(2, _CACHE // (16 * len(self.diagonal)))

    def __getitem__(self, row: int) -> tuple[Array, Array]:
        found = self.known.get(row)
        if found is None:
            if len(self.known) >= self.most:
                del self.known[next(iter(self.known))]
            column = self.block(np.array([row]))[:, 0]
            curvature = self.diagonal + (self.diagonal[row] - 2 * column)
            np.maximum(curvature, _TINY, out=curvature)
            self.known[row] = found = column, np.reciprocal(curvature, out=curvature)
        return found


def _pairs(problem: Problem, z: Array, f: Array, tol: float, most: int) -> int:
    """Move pairs until the conditions hold within tol; z and f change in place. How many moved.

    `up` is f where z can grow, else -inf; `down` is f where it can shrink, else inf: what is looked for needs
    no other test then. This loop is all the time there is, so it works in place and asks for nothing twice.
    """
    n = z.shape[1]
    columns = _Columns(problem)
    up, down = np.where(z < problem.high, f, -np.inf), np.where(z > problem.low, f, np.inf)
    low1, high1, z1 = problem.low.reshape(-1), problem.high.reshape(-1), z.reshape(-1)
    up1, down1 = up.reshape(-1), down.reshape(-1)
    gain, change = np.empty_like(up), np.empty(n)
    gain1 = gain.reshape(-1)
    moved = 0
    while moved < most:
        i = int(up1.argmax())
        np.subtract(up1[i], down, out=gain)
        if gain1.max() < tol:
            break
        column, steep = columns[i % n]
        np.maximum(gain, 0, out=gain)
        np.multiply(gain, gain, out=gain)
        np.multiply(gain, steep, out=gain)
        j = int(gain1.argmax())
        fi, fj = up1[i], down1[j]
        t = min((fi - fj) * steep[j % n], high1[i] - z1[i], z1[j] - low1[j])
        np.subtract(column, columns[j % n][0], out=change)
        np.multiply(change, t, out=change)
        np.subtract(up, change, out=up)
        np.subtract(down, change, out=down)
        fi, fj = fi - change[i % n], fj - change[j % n]
        # What ends at a bound is put there exactly.
        z1[i] = high1[i] if t == high1[i] - z1[i] else z1[i] + t
        z1[j] = low1[j] if t == z1[j] - low1[j] else z1[j] - t
        up1[i], down1[i] = (fi if z1[i] < high1[i] else -np.inf), (fi if z1[i] > low1[i] else np.inf)
        up1[j], down1[j] = (fj if z1[j] < high1[j] else -np.inf), (fj if z1[j] > low1[j] else np.inf)
        moved += 1
    np.copyto(f, np.where(np.isfinite(up), up, np.where(np.isfinite(down), down, f)))
    return moved
