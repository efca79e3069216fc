"""The certified regression problems of NIST's Statistical Reference Datasets (`nist/`), and exact solutions.

The data are decimal numbers, and read as such: what they certify is checked with rational numbers.
"""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).resolve().parent / "nist"
CERTIFIED: dict[str, dict[str, Any]] = json.loads((FOLDER / "certified.json").read_text(encoding="utf-8"))
NAMES = tuple(CERTIFIED)


class Problem(NamedTuple):
    """rows: the predictors as given, without a constant; powers: of the single predictor, None for many."""

    y: list[Fraction]
    rows: list[list[Fraction]]
    powers: list[int] | None
    coefficients: list[Fraction]
    deviations: list[Fraction]
    residual_deviation: Fraction

    @property
    def intercept(self) -> bool:
        return self.powers is None or 0 in self.powers

    def design(self) -> list[list[Fraction]]:
        """The columns that the coefficients belong to, exactly."""
        if self.powers is None:
            return [[Fraction(1), *row] for row in self.rows]
        return [[row[0] ** power for power in self.powers] for row in self.rows]


def problem(name: str) -> Problem:
    with open(FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = [[Fraction(cell) for cell in row] for row in list(csv.reader(file))[1:]]
    certified = CERTIFIED[name]
    return Problem(
        [row[0] for row in rows],
        [row[1:] for row in rows],
        certified["powers"],
        [Fraction(value) for value in certified["coefficients"]],
        [Fraction(value) for value in certified["deviations"]],
        Fraction(certified["residual_deviation"]),
    )


def exact(A: list[list[Fraction]], y: list[Fraction]) -> tuple[list[Fraction], list[list[Fraction]]]:
    """The least squares solution and inv(A'A), by Gauss-Jordan elimination without any rounding."""
    n = len(A[0])
    table = [
        [sum((row[a] * row[b] for row in A), Fraction(0)) for b in range(n)]
        + [sum((row[a] * v for row, v in zip(A, y, strict=True)), Fraction(0))]
        + [Fraction(int(a == b)) for b in range(n)]
        for a in range(n)
    ]
    for c in range(n):
        table[c] = [value / table[c][c] for value in table[c]]
        for r in range(n):
            if r != c:
                factor = table[r][c]
                table[r] = [value - factor * above for value, above in zip(table[r], table[c], strict=True)]
    return [row[n] for row in table], [row[n + 1 :] for row in table]


def digits(found: Any, wanted: list[Fraction]) -> float:
    """The correct digits of the worst number: -log10 of its relative error; 15 at most, as certified."""
    errors = [
        abs(Fraction(float(value)) - right) / abs(right)
        for value, right in zip(np.ravel(found), wanted, strict=True)
    ]
    return float(-np.log10(max(float(max(errors)), 1e-15)))
