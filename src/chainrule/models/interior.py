"""Quadratic programs with bounds, by an interior point method: few steps, each a system of linear equations.

The problem: find z between `low` and `high` that makes `1/2 z'(K + D) z - t'z` smallest, with sum 0 if there
is an offset. The idea (Mehrotra 1992): each bound has a force that keeps z away from it; force times
distance is the same number mu everywhere. Newton steps follow the solution as mu goes to 0, some twenty of
them. What makes a step cheap is K = X X' with few features: then its n equations shrink to as many as there
are features (Sherman, Morrison and Woodbury). For few rows K may be any kernel matrix.

It ends close to the bounds, and puts on them what belongs there.
Next: `linear_svc.py` and `svm.py`, which use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .base import Array

_STEPS = 100
_CLOSE = 1e-15  # mu, slope and sum, relative to the problem: the end
_ENOUGH = 1e-8  # the same, where rounding allows no more


class Optimum(NamedTuple):
    """z (n,), the offset (0 if there is none), and how many steps it took."""

    z: Array
    offset: float
    steps: int


class Quadratic(NamedTuple):
    """K as X X' (rows: X) or as itself (rows: K), and the diagonal D that is added to it."""

    rows: Array
    diagonal: Array
    factored: bool  # whether `rows` is X

    def times(self, z: Array) -> Array:
        """(K + D) z."""
        product: Array = self.rows @ (self.rows.T @ z) if self.factored else self.rows @ z
        product += self.diagonal * z
        return product

    def inverse(self, extra: Array) -> Callable[[Array], Array]:
        """v -> (K + D + diag(extra))^-1 v, for extra > 0."""
        d = self.diagonal + extra
        if not self.factored:
            system = self.rows + np.diag(d)
            half = np.linalg.inv(np.linalg.cholesky(system))
            return lambda v: half.T @ (half @ v)
        scaled = self.rows / d[:, None]  # (n, features)
        inner = self.rows.T @ scaled
        inner[np.diag_indices(len(inner))] += 1
        half = np.linalg.inv(np.linalg.cholesky(inner))

        def apply(v: Array) -> Array:
            w = v / d
            result: Array = w - scaled @ (half.T @ (half @ (self.rows.T @ w)))
            return result

        return apply


def solve(quadratic: Quadratic, t: Array, low: Array, high: Array, *, offset: bool) -> Optimum:
    """z between low and high (which may be inf) that makes `1/2 z'(K + D)z - t'z` smallest; all (n,).

    offset: whether the sum of z must be 0.
    """
    bounded = np.isfinite(high)
    span = np.where(bounded, high - low, 1.0)
    scale = max(1.0, float(np.abs(t).max()))
    # Distances from the bounds have variables of their own: as differences they would round to 0.
    s = np.minimum(span, max(1.0, float(np.median(span)))) / 2
    r = np.where(bounded, span - s, 1.0)
    u, v = np.full(len(t), scale), np.where(bounded, scale, 0.0)
    z, b = low + s, 0.0
    count = len(z) + int(bounded.sum())
    best: tuple[float, tuple[Array, float, Array, Array, Array, Array]] | None = None
    steps = 0
    while steps < _STEPS:
        steps += 1
        slope = quadratic.times(z) - t + b - u + v  # 0 at the solution
        total = float(z.sum()) if offset else 0.0
        mu = float(u @ s + v @ (r * bounded)) / count
        size = (mu / float(span.mean()) + float(np.abs(slope).max())) / scale + abs(total) / float(span.sum())
        if best is None or size < best[0]:
            best = size, (z, b, s, r, u, v)
        elif size > 10 * best[0] or size <= _ENOUGH:  # rounding has the upper hand
            break
        if size < _CLOSE:
            break
        try:
            inverse = quadratic.inverse(u / s + v / r)
        except np.linalg.LinAlgError:
            if best[0] > _ENOUGH:
                raise
            break
        ones = inverse(np.ones(len(z))) if offset else z

        def direction(cu: Array, cv: Array) -> tuple[Array, float, Array, Array]:
            """The step to slope 0, total 0, u s = u s - cu and v r = v r - cv."""
            back = inverse(-slope - cu / s + cv / r)  # noqa: B023
            db = (float(back.sum()) + total) / float(ones.sum()) if offset else 0.0  # noqa: B023
            dz = back - db * ones if offset else back  # noqa: B023
            return dz, db, (-cu - u * dz) / s, np.where(bounded, (-cv + v * dz) / r, 0.0)  # noqa: B023

        dz, _, du, dv = direction(u * s, v * r)
        reach = _reach(s, r, u, v, bounded, dz, du, dv, 1.0)
        left = (u + reach * du) @ (s + reach * dz) + (v + reach * dv) @ ((r - reach * dz) * bounded)
        aim = mu * (float(left) / count / mu) ** 3
        dz, db, du, dv = direction(u * s + du * dz - aim, np.where(bounded, v * r - dv * dz - aim, 0.0))
        reach = _reach(s, r, u, v, bounded, dz, du, dv, 0.995)
        z, b, u, v = z + reach * dz, b + reach * db, u + reach * du, v + reach * dv
        s, r = s + reach * dz, np.where(bounded, r - reach * dz, 1.0)
    assert best is not None
    z, b, s, r, u, v = best[1]
    # What the force holds at a bound, rather than the slope of the rest, belongs there.
    z = np.where(u * span > s * scale, low, np.where(bounded & (v * span > r * scale), high, z))
    return Optimum(z, b, steps)


def _reach(
    s: Array, r: Array, u: Array, v: Array, bounded: Array, dz: Array, du: Array, dv: Array, part: float
) -> float:
    """How far to go at most along a direction, 1 at most, so that distances and forces stay above 0."""
    reach = 1.0
    for value, change in ((s, dz), (r[bounded], -dz[bounded]), (u, du), (v[bounded], dv[bounded])):
        falling = change < 0
        if falling.any():
            reach = min(reach, part * float((-value[falling] / change[falling]).min()))
    return reach
