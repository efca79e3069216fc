"""Kernels: inner products after a map into another space, without going there.

`linear` x'y, `poly` (gamma x'y + coef0)^degree, `rbf` exp(-gamma ||x - y||^2), or a function of two matrices
of rows. Next: `smo.py`, which asks for their columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .base import Array

LINEAR, POLY, RBF = KINDS = ("linear", "poly", "rbf")


class Kernel:
    """k(x, y) of the rows x (n, d) of one matrix with those of others: `kernel(y)` is (n, m) for y (m, d)."""

    def __init__(
        self,
        rows: Array,
        kind: str | Callable[[Array, Array], Any],
        gamma: float,
        degree: float,
        coef0: float,
    ) -> None:
        self.rows, self.kind, self.gamma, self.degree, self.coef0 = rows, kind, gamma, degree, coef0
        self.squares = np.einsum("ij,ij->i", rows, rows)  # (n,)
        self.lengths = gamma * self.squares

    def __call__(self, y: Array) -> Array:
        """The kernel of all rows with each of y: (m, d) -> (n, m)."""
        if callable(self.kind):
            values = np.asarray(self.kind(self.rows, y), np.float64)
            if values.shape != (len(self.rows), len(y)):
                raise ArgumentError.of(
                    "kernel",
                    given=f"rows {self.rows.shape} and {y.shape}, and returned {values.shape}",
                    must=f"it must return a number for each pair of rows, {(len(self.rows), len(y))}",
                )
            return values
        products: Array = (y @ self.rows.T).T  # so that a column lies in one piece
        if self.kind == LINEAR:
            return products
        if self.kind == POLY:
            products *= self.gamma
            products += self.coef0
            return _power(products, self.degree)
        # exp(-gamma (x'x - 2 x'y + y'y)), in place: here is where the time goes
        flat = products.T  # (m, n)
        flat *= 2 * self.gamma
        flat -= self.lengths
        flat -= self.gamma * np.einsum("ij,ij->i", y, y)[:, None]
        np.minimum(flat, 0, out=flat)  # rounding must not make a distance negative
        np.exp(flat, out=flat)
        return products

    def columns(self, numbers: Array) -> Array:
        """The kernel of all rows with some of them: (k,) -> (n, k)."""
        return self(self.rows[numbers])

    def diagonal(self) -> Array:
        """The kernel of each row with itself: (n,)."""
        if callable(self.kind):
            return np.array([float(np.asarray(self.kind(r[None], r[None])).item()) for r in self.rows])
        if self.kind == RBF:
            return np.ones(len(self.rows))
        if self.kind == LINEAR:
            squares: Array = self.squares
            return squares
        return _power(self.gamma * self.squares + self.coef0, self.degree)


def _power(x: Array, degree: float) -> Array:
    """x**degree; NumPy's own takes ten times as long for whole numbers above 2."""
    if degree != int(degree) or not 1 <= degree <= 8:
        powered: Array = x**degree
        return powered
    result = x
    for _ in range(int(degree) - 1):
        result = result * x
    return result
