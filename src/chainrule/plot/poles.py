"""Curves with poles, as of 1/x and tan(x): how far up and down to draw, and where not to draw a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .slopes import Scalar, values
from .values import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HIGH = 8.0  # a curve that is so many times higher than most of it may have a pole
ENOUGH = 50  # points, to speak of "most of it"


def limits(f: Scalar, x: Floats, y: Floats, *, derivative: bool = False) -> tuple[float, float] | None:
    """How far up and down to draw a curve with a pole, which would make the rest flat; None without one."""
    finite = y[np.isfinite(y)]
    if len(finite) < ENOUGH:
        return None
    low, high = (float(v) for v in np.quantile(finite, [0.1, 0.9]))
    room = high - low
    if np.ptp(finite) <= HIGH * room or not _has_pole(f, x, y, derivative):
        return None
    return low - 0.3 * room, high + 0.3 * room


def _has_pole(f: Scalar, x: Floats, y: Floats, derivative: bool) -> bool:
    """Whether the highest place is a pole, not a narrow peak: ten times closer it is higher, and again."""
    level = float(np.median(y[np.isfinite(y)]))

    def height(places: Floats) -> Floats:
        found = values(f, places, "plot.function", derivative=derivative)[1 if derivative else 0]
        return np.abs(found - level)

    place, step = float(x[np.nanargmax(np.abs(y - level))]), float(x[1] - x[0])
    for closer in (step, step / 10, step / 100):
        near = place + np.linspace(-closer, closer, 21)
        place = float(near[np.nanargmax(height(near))])
    rising = [np.nanmax(height(place + np.array([-d, d]))) for d in (step, step / 10, step / 100)]
    return bool(rising[1] > 3 * rising[0] and rising[2] > 3 * rising[1])


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
