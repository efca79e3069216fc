"""Inputs for the sweep over the table: functions of a random generator that make one array.

They keep clear of kinks and poles; kinks get tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # naming numpy.random here would load it, for a tenth of the import's time
    Maker = Callable[[np.random.Generator], np.ndarray[Any, Any]]


def floats(
    low: float = -2.0,
    high: float = 2.0,
    shape: tuple[int, ...] = (2, 3),
    avoid: tuple[float, ...] = (),
    gap: float = 0.1,
) -> Maker:
    """Uniform in [low, high), at least `gap` away from the values in `avoid`."""

    def make(rng: np.random.Generator) -> np.ndarray[Any, Any]:
        x = rng.uniform(low, high, shape)
        for a in avoid:
            close = np.abs(x - a) < gap
            x = np.where(close, a + np.where(x >= a, gap, -gap) * 1.5, x)
        return x

    return make


def positive(shape: tuple[int, ...] = (2, 3), low: float = 0.3, high: float = 3.0) -> Maker:
    return floats(low, high, shape)


def distinct(shape: tuple[int, ...] = (2, 3), step: float = 0.37) -> Maker:
    """All elements different by at least `step`, in random order: no ties for max, sort and median."""

    def make(rng: np.random.Generator) -> np.ndarray[Any, Any]:
        n = int(np.prod(shape))
        return (rng.permutation(n).reshape(shape) - n / 2 + 0.25) * step

    return make


def integers(low: int = -5, high: int = 6, shape: tuple[int, ...] = (2, 3)) -> Maker:
    return lambda rng: rng.integers(low, high, shape)


def booleans(shape: tuple[int, ...] = (2, 3)) -> Maker:
    return lambda rng: rng.random(shape) < 0.5


def at(places: Any) -> Maker:
    """An index array with these elements."""
    return lambda rng: np.asarray(places).astype(np.int64)


def definite(n: int = 3, batch: tuple[int, ...] = ()) -> Maker:
    """A symmetric positive definite matrix, well conditioned."""

    def make(rng: np.random.Generator) -> np.ndarray[Any, Any]:
        m = rng.standard_normal((*batch, n, n))
        return m @ m.swapaxes(-1, -2) + n * np.eye(n)

    return make


def invertible(n: int = 3, batch: tuple[int, ...] = ()) -> Maker:
    return lambda rng: rng.standard_normal((*batch, n, n)) + n * np.eye(n)
