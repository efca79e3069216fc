"""Curves with poles, as of 1/x and tan(x): how far up and down to draw, and where not to draw a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .slopes import Scalar, values
from .values import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HIGH = 8.0  # a curve that is so many times higher than nearly all of it may have a pole


def limits(f: Scalar, x: Floats, y: Floats, *, derivative: bool = False) -> tuple[float, float] | None:
    """How far up and down to draw a curve with a pole, which would make all the rest flat; None without one.

    A pole is not told from a narrow peak by its height, but by what happens closer to it: a peak ends.
    """
    finite = y[np.isfinite(y)]
    if len(finite) < 50:
        return None
    low, high = np.quantile(finite, [0.05, 0.95])
    room = float(high - low)
    if np.ptp(finite) <= HIGH * room or room == 0:
        return None
    top = int(np.nanargmax(np.where(np.isfinite(y), np.abs(y - np.median(finite)), np.nan)))
    place, height, step = float(x[top]), abs(float(y[top])), float(x[1] - x[0])
    for _ in range(3):
        if height > 1e3 * room:
            break
        near = place + np.linspace(-step, step, 21)
        around = np.abs(values(f, near, "plot.function", derivative=derivative)[1 if derivative else 0])
        if not np.isfinite(around).all() and not derivative:
            break
        best = int(np.nanargmax(around))
        if not around[best] > 3 * height:
            return None
        place, height, step = float(near[best]), float(around[best]), step / 10
    return float(low) - 0.3 * room, float(high) + 0.3 * room


def broken(x: Floats, y: Floats, between: tuple[float, float] | None) -> tuple[Floats, Floats]:
    """The curve without a line across a pole, from one side to the other."""
    if between is None:
        return x, y
    side = np.where(y > between[1], 1, np.where(y < between[0], -1, 0))
    crossed = np.flatnonzero(side[1:] * side[:-1] == -1) + 1
    return np.insert(x, crossed, x[crossed]), np.insert(y, crossed, np.nan)


def keep_in(ax: Axes, known: list[tuple[float, float] | None], heights: list[Floats]) -> None:
    """Set the limits where there is a pole: the function's, or both if only the derivative has one."""
    if known[0] is not None:
        ax.set_ylim(*known[0])
    elif known[-1] is not None:
        low, high = _around(heights[0])
        ax.set_ylim(min(low, known[-1][0]), max(high, known[-1][1]))


def _around(y: Floats) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    room = 0.05 * float(np.ptp(finite))
    return float(finite.min()) - room, float(finite.max()) + room
