"""Least squares that can be trusted: w with the smallest ||A w - b||, right to the last digits.

The idea, in float64:

1. Scale the columns of A by powers of two to sizes near 1. This is exact, and makes the answer and the rank
   independent of the units in which the columns are measured.
2. Factor with orthogonal columns, A = Q R. The singular values of R say how many columns are independent, and
   the condition number. If not all are, R is factored again with pivoting: the column that sticks out most
   from those chosen so far comes next. (If all are, their order would change nothing but rounding errors.)
3. Refine. Solution and residual together solve `r + A w = b, A' r = 0`; what the computed ones leave over in
   these two equations is computed with twice the precision (`twofold.py`) and corrected by the same factors,
   until nothing changes (Björck 1967). The result is as if each step had been exact, as long as the condition
   number is below 1e15 or so.
4. Without full rank, the above solves for as many independent columns; of all w that do as well, the smallest
   is the projection onto the rows of A.

The notes' `(X'X)^-1 X'y` squares the condition number instead, and so loses twice the digits: `normal`.
Nothing here knows Tensors. Next: `../ops/matrices.py`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .twofold import dot
from .warn import warn

Array = NDArray[Any]

EPS = float(np.finfo(np.float64).eps)
_MOST_STEPS = 12  # of refinement; each gains as many digits as EPS * condition leaves, so 2 to 4 are usual


class Solution(NamedTuple):
    """What `solve` found.

    w:          (n, k), a column for each right-hand side.
    rank:       how many columns of A count as independent.
    condition:  of A with its columns scaled to a size near 1: the largest singular value by the smallest of
                those that count. So many times larger than in the data are relative errors in w.
    """

    w: Array
    rank: int
    condition: float


def solve(A: Array, b: Array, rcond: float | None = None, *, low: Array | None = None) -> Solution:
    """w with the smallest ||A w - b||, the smallest such w if there are several; in float64.

    A:      (m, n), finite; b: (m, k), finite.
    low:    what A lacks where its entries are rounded: then the w of A + low.
    rcond:  singular values of the scaled A up to rcond * the largest count as 0; EPS * max(m, n) by default.

    >>> solve(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([[1.0], [3.0], [5.0]])).w.ravel()
    array([1., 2.])
    >>> solve(np.array([[1.0, 1.0]]), np.array([[1.0]])).w.ravel()  # the smallest of all with w1 + w2 = 1
    array([0.5, 0.5])
    """
    m, n = A.shape
    if m == 0 or n == 0:
        return Solution(np.zeros((n, b.shape[1])), 0, 1.0)
    scale = powers_of_two(np.abs(A).max(axis=0))  # (n,)
    scale_b = powers_of_two(np.abs(b).max(axis=0))  # (k,)
    A = A / scale
    low = None if low is None else low / scale
    q, r = np.linalg.qr(A)  # (m, n) -> (m, k), (k, n)
    singular = np.linalg.svd(r, compute_uv=False)
    rank = int((singular > (EPS * max(m, n) if rcond is None else rcond) * singular[0]).sum())
    if rank == 0:
        return Solution(np.zeros((n, b.shape[1])), 0, 1.0)
    chosen = np.arange(n)
    if rank < n:
        turn, r, order = _pivoted(r, rank)
        chosen = order[:rank]
        q, A = q @ turn, A[:, chosen]  # (m, rank) each
        low = None if low is None else low[:, chosen]
    w = np.zeros((n, b.shape[1]))
    factors = _Factors(A, low, q, np.linalg.inv(r[:, :rank]))
    for k in range(b.shape[1]):
        w[chosen, k] = factors.refined(b[:, k] / scale_b[k])
    w /= scale[:, None]
    if rank < n:  # the rows of A, in the users' units, span what the smallest w lies in
        rows = np.empty_like(r)
        rows[:, order] = r
        rows *= scale
        rows /= np.abs(rows).max(axis=1, keepdims=True)
        span = np.linalg.qr(rows.T)[0]  # (n, rank)
        w = span @ (span.T @ w)
    return Solution(w * scale_b, rank, float(singular[0] / singular[rank - 1]))


def normal(A: Array, b: Array) -> Array:
    """(A'A)^-1 A'b as it is written: the closed form of the textbooks, with the condition number squared.

    Raises:  numpy.linalg.LinAlgError if A'A is singular.

    >>> normal(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0], [3.0]])).round(12).ravel()
    array([1., 2.])
    """
    result: Array = np.linalg.inv(A.T @ A) @ (A.T @ b)
    return result


def warn_if_doubtful(what: str, found: Solution, columns: int, eps: float = EPS) -> None:
    """A warning if rounding the data in their last digit (eps) leaves less than half of the digits of w."""
    if found.rank == columns and found.condition * math.sqrt(eps) > 1:
        lost = min(1.0, eps * found.condition)
        warn(
            f"{what}: the condition number of the columns is {found.condition:.1e}, so relative errors of "
            f"{eps:.0e} in the data, which rounding makes, become {lost:.0e} in the weights\n"
            "  try: leave out columns that nearly depend on others, or center the columns"
        )


def powers_of_two(sizes: Array) -> Array:
    """For each size the power of two below it, 1 for 0: dividing by it makes no error and gives 1 to 2.

    >>> powers_of_two(np.array([0.0, 1.0, 5.0, 0.3]))
    array([1.  , 1.  , 4.  , 0.25])
    """
    exponents = np.frexp(sizes)[1] - 1
    result: Array = np.ldexp(1.0, np.where(sizes > 0, exponents, 0).clip(-1021, 1023))
    return result


def _pivoted(r: Array, rank: int) -> tuple[Array, Array, Array]:
    """`rank` Householder steps with pivoting: turn (k, rank), upper trapezoidal r (rank, n), order (n,).

    turn @ r is the given matrix with its columns in that order, up to what lies beyond the rank.
    """
    r = r.copy()
    k, n = r.shape
    turn = np.eye(k)
    order = np.arange(n)
    for step in range(rank):
        lengths = np.einsum("ij,ij->j", r[step:, step:], r[step:, step:])
        best = step + int(np.argmax(lengths))
        r[:, [step, best]] = r[:, [best, step]]
        order[[step, best]] = order[[best, step]]
        v = r[step:, step].copy()
        length = math.sqrt(float(v @ v))
        v[0] += math.copysign(length, v[0])
        square = float(v @ v)
        if square:
            r[step:, step:] -= np.outer(v, (2 / square) * (v @ r[step:, step:]))
            turn[:, step:] -= np.outer(turn[:, step:] @ v, (2 / square) * v)
        r[step + 1 :, step] = 0
    return turn[:, :rank], r[:rank], order


class _Factors(NamedTuple):
    """A matrix (m, n) of full rank, what it lacks, its factor q, and the inverse of the other one, r."""

    A: Array
    low: Array | None
    q: Array
    back: Array

    def correction(self, f: Array, g: Array) -> tuple[Array, Array]:
        """(residual, w) that solve `residual + A w = f, A' residual = g`, up to rounding."""
        along = self.q.T @ f - self.back.T @ g  # (n,)
        return f - self.q @ along, self.back @ along

    def refined(self, b: Array) -> Array:
        """w for one right-hand side (m,), corrected until it stands."""
        n = self.A.shape[1]
        residual, w = self.correction(b, np.zeros(n))
        flipped = None if self.low is None else self.low.T
        before = float(np.linalg.norm(w))
        for _ in range(_MOST_STEPS):
            f = dot(self.A.T, -w, b, -residual, low=flipped)  # b - residual - A w
            change, step = self.correction(f, -dot(self.A, residual, low=self.low))
            size = float(np.linalg.norm(step))
            if not size < before / 2:  # no better than the last one: that was rounding already
                break
            residual, w = residual + change, w + step
            # The next step would be smaller again by as much as this one was.
            if np.all(np.abs(step) * (size / before) <= EPS / 4 * np.abs(w)):
                break
            before = size
        return w
