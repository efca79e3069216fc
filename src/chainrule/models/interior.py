"""Quadratic programs with bounds, by an interior point method: few steps, each a system of linear equations.

The problem: find z between `low` and `high` that makes `1/2 z'(K + D) z - t'z` smallest, with sum 0 if there is
an offset. The idea (Mehrotra 1992): each bound has a force that keeps z away from it; force times distance is
the same number mu everywhere. Newton steps follow the solution as mu goes to 0, some twenty of them. What makes a
step cheap is K = X X' with few features: then its n equations shrink to as many as there are features
(Sherman, Morrison and Woodbury). For few rows K may be any kernel matrix.

It ends close to the bounds, not on them: `settled` puts there what belongs there and solves for the rest.
Next: `linear_svc.py` and `svm.py`, which use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .base import Array

_STEPS = 100
_CLOSE = 1e-10  # mu and residuals, relative to where they began


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
        return product + self.diagonal * z

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
    z = low + np.minimum(span, max(1.0, float(np.median(span)))) / 2
    u = v = np.ones(len(z))
    v = np.where(bounded, v, 0.0)
    u = u * max(1.0, float(np.abs(t).max()))
    v = v * max(1.0, float(np.abs(t).max()))
    b = 0.0
    count = len(z) + int(bounded.sum())
    first = None
    for step in range(_STEPS):
        s, r = z - low, np.where(bounded, high - z, 1.0)
        slope = quadratic.times(z) - t + b - u + v  # 0 at the solution
        total = float(z.sum()) if offset else 0.0
        mu = float(u @ s + v @ (r * bounded)) / count
        scale = float(np.abs(t).max()) + 1e-300
        size = max(mu / (scale * float(span.mean())), float(np.abs(slope).max()) / scale)
        if first is None:
            first = max(size, 1.0)
        if size < _CLOSE * first and abs(total) < _CLOSE * float(span.sum()):
            break
        inverse = quadratic.inverse(u / s + v / r)
        ones = inverse(np.ones(len(z))) if offset else z
        target_u, target_v = u * s, v * r

        def direction(cu: Array, cv: Array) -> tuple[Array, float, Array, Array]:
            """The step to slope 0, total 0, u s = u s - cu and v r = v r - cv."""
            back = inverse(-slope - cu / s + cv / r)  # noqa: B023
            db = (float(back.sum()) + total) / float(ones.sum()) if offset else 0.0  # noqa: B023
            dz = back - db * ones if offset else back  # noqa: B023
            return dz, db, (-cu - u * dz) / s, np.where(bounded, (-cv + v * dz) / r, 0.0)  # noqa: B023

        dz, _, du, dv = direction(target_u, target_v)
        reach = _reach(s, r, u, v, bounded, dz, du, dv, 1.0)
        after = float((u + reach * du) @ (s + reach * dz) + (v + reach * dv) @ ((r - reach * dz) * bounded)) / count
        aim = mu * (after / mu) ** 3
        dz, db, du, dv = direction(target_u + du * dz - aim, np.where(bounded, target_v - dv * dz - aim, 0.0))
        reach = _reach(s, r, u, v, bounded, dz, du, dv, 0.995)
        z, b, u, v = z + reach * dz, b + reach * db, u + reach * du, v + reach * dv
    at_low, at_high = u > (z - low) / span * scale, bounded & (v > (high - z) / span * scale)
    z = np.where(at_low, low, np.where(at_high, high, z))
    return Optimum(z, b, step)


def _reach(s: Array, r: Array, u: Array, v: Array, bounded: Array, dz: Array, du: Array, dv: Array, part: float) -> float:
    """How far to go at most along a direction, 1 at most, so that distances and forces stay above 0."""
    reach = 1.0
    for value, change in ((s, dz), (r[bounded], -dz[bounded]), (u, du), (v[bounded], dv[bounded])):
        falling = change < 0
        if falling.any():
            reach = min(reach, part * float((-value[falling] / change[falling]).min()))
    return reach
