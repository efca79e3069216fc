"""How many units in the last place a result is away from a more exact one."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def ulps(got: Array, exact: Array, around: Array | None = None) -> Array:
    """|got - exact| in units of the distance between numbers of got's type around `exact`; 0 for equal ones.

    around: take that distance around other numbers.

    exact: in a type with more digits than got's, or the same. NaN and infinities must be met: else infinite.
    What is beyond the type's range counts as the first number there that it does not have.
    """
    kind = np.finfo(got.dtype)
    wide = np.longdouble if got.dtype == np.float64 else np.float64
    with np.errstate(all="ignore"):
        near = exact.astype(got.dtype)
        same = (got == near) | (np.isnan(got) & np.isnan(near))
        limit = wide(2.0) ** kind.maxexp
        x, y = (np.clip(v.astype(wide), -limit, limit) for v in (got, exact))
        size = np.abs(y if around is None else around.astype(wide))
        _, exponent = np.frexp(np.clip(size, wide(kind.smallest_subnormal), wide(kind.max)))
        unit = np.ldexp(wide(1), np.maximum(exponent - kind.nmant - 1, kind.minexp - kind.nmant))
        away = np.abs(x - y) / unit
    return np.where(same, 0, np.where(np.isnan(away), np.inf, away)).astype(np.float64)
