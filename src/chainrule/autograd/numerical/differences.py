"""Derivatives from values alone: difference quotients, and their extrapolation to a step of 0.

A difference quotient has two errors. The formula cuts off the Taylor series: the error falls with the step h,
like h for the forward quotient and like h² for the central one. And values are rounded to a relative `eps`:
their difference has an error of about eps |f|, which the division by h makes larger. The sum is least where
both are alike: at h = eps^(1/2) forward, and eps^(1/3) central, in units of the scale of x.

No Tensors here: a function of an array gives its values as one flat float64 array.
Next: `complex_step.py`, which subtracts nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Matrix = np.ndarray[Any, np.dtype[np.float64]]
Values = Callable[[Array], Matrix]

FORWARD, CENTRAL, COMPLEX, RICHARDSON = "forward", "central", "complex", "richardson"
METHODS = (CENTRAL, FORWARD, COMPLEX, RICHARDSON)

# The power of eps that is the best step; see the top of the file. Ridders' table starts with a much larger
# step, at which the series still converges, and comes down from there.
_POWER = {FORWARD: 1 / 2, CENTRAL: 1 / 3, RICHARDSON: 1 / 10}
_SHRINK = 1.4  # each row of the table has a step smaller by this: Ridders' own choice
_ROWS = 12


class Slope(NamedTuple):
    """An estimate of d values / d x[i], and how far it may be off; NaN where nobody can say."""

    value: Matrix
    error: Matrix


def default_step(method: str, dtype: np.dtype[Any]) -> float:
    """The step for numbers of size 1; for larger ones it grows with them."""
    if method == COMPLEX:
        # Nothing is subtracted, so nothing is lost however small the step; its square must be a number.
        return 1e-100 if dtype == np.float64 else 1e-15
    return float(np.finfo(dtype).eps ** _POWER[method])


def scaled(step: float, x: Any) -> float:
    """A step for the number x: relative for numbers above 1, absolute below."""
    return step * max(1.0, abs(float(x)))


def moved(x: Array, i: int, by: float) -> Array:
    """A copy of x with its i-th element moved; the sum is rounded to the type of x."""
    probe = x.copy()
    flat = probe.reshape(-1)
    flat[i] = flat[i] + x.dtype.type(by)
    return probe


def difference(values: Values, x: Array, i: int, step: float, method: str) -> tuple[Matrix, float]:
    """(f(high) - f(low), high - low), where x[i] moves by `step` up, and down too in the central form.

    The width is that of the two numbers as they are stored, (x + h) - x, which is seldom h itself.
    """
    high = moved(x, i, step)
    low = x if method == FORWARD else moved(x, i, -step)
    width = float(high.reshape(-1)[i]) - float(low.reshape(-1)[i])
    with np.errstate(all="ignore"):
        return values(high) - values(low), width


def richardson(values: Values, x: Array, i: int, step: float) -> Slope:
    """Central differences at smaller and smaller steps, extrapolated to 0 (Ridders 1982, eqs. 6 and 7).

    The error of a central difference is a series in h²: from two steps the first term follows and is taken
    away, from three the second, and so on. Each entry of that table is compared with the two it was made of;
    the one that differs least is the answer, and the difference its error, for each value on its own.
    """
    best: Matrix | None = None
    error: Matrix | None = None
    above: list[Matrix] = []
    with np.errstate(all="ignore"):
        for row in range(_ROWS):
            change, width = difference(values, x, i, step / _SHRINK**row, CENTRAL)
            if width == 0:
                break
            entries = [change / width]
            factor = 1.0
            for column in range(row):
                factor *= _SHRINK**2
                entries.append((factor * entries[column] - above[column]) / (factor - 1))
                gap = np.maximum(
                    abs(entries[-1] - entries[column]), abs(entries[-1] - above[column])
                )  # NaN where a step left the domain: never the least
                if best is None or error is None:
                    best, error = np.full_like(gap, np.nan), np.full_like(gap, np.inf)
                better = gap < error
                best, error = np.where(better, entries[-1], best), np.where(better, gap, error)
            above = entries
    if best is None or error is None:
        raise LostStep(float(x.reshape(-1)[i]), step)
    return Slope(best, np.where(np.isnan(best), np.nan, error))


def slope(values: Values, x: Array, i: int, step: float, method: str) -> Slope:
    """d values / d x[i] with a step for this very element.

    Raises:  LostStep if the step is so small that x + h is x.
    """
    if method == RICHARDSON:
        return richardson(values, x, i, step)
    change, width = difference(values, x, i, step, method)
    if width == 0:
        raise LostStep(float(x.reshape(-1)[i]), step)
    with np.errstate(all="ignore"):
        value = change / width
    return Slope(value, np.full_like(value, np.nan))


class LostStep(Exception):
    """x + h was x: the facts, for a message."""

    def __init__(self, x: float, step: float) -> None:
        super().__init__(x, step)
        self.x, self.step = x, step


def jacobian(values: Values, x: Array, step: float, method: str) -> tuple[Matrix, Matrix]:
    """(d values / d x, errors), both (elements of x, values); `step` is the one for numbers of size 1."""
    flat = x.reshape(-1)
    slopes = [slope(values, x, i, scaled(step, flat[i]), method) for i in range(x.size)]
    if not slopes:
        count = values(x).size
        return np.zeros((0, count)), np.zeros((0, count))
    return np.array([s.value for s in slopes]), np.array([s.error for s in slopes])
