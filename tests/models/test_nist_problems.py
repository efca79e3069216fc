"""The files of NIST's problems hold what NIST certified: data and results fit, without any rounding."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from tests.models.nist_problems import NAMES, exact, problem


def within(found: float, wanted: Fraction) -> bool:
    """Equal to the 15 digits that are certified."""
    return abs(found - float(wanted)) <= 2e-14 * abs(float(wanted))


@pytest.mark.parametrize("name", NAMES)
def test_certified_values_follow_exactly_from_the_data(name: str) -> None:
    given = problem(name)
    A = given.design()
    w, inverse = exact(A, given.y)
    assert all(within(float(a), b) for a, b in zip(w, given.coefficients, strict=True))
    residuals = [
        y - sum(a * b for a, b in zip(row, w, strict=True)) for row, y in zip(A, given.y, strict=True)
    ]
    variance = sum(r * r for r in residuals) / (len(A) - len(w))
    assert within(math.sqrt(variance), given.residual_deviation)
    deviations = [math.sqrt(variance * inverse[k][k]) for k in range(len(w))]
    assert all(within(a, b) for a, b in zip(deviations, given.deviations, strict=True))


def test_all_problems_are_there() -> None:
    assert set(NAMES) == {
        "norris", "pontius", "noint1", "noint2", "filip", "longley",
        "wampler1", "wampler2", "wampler3", "wampler4", "wampler5",
    }  # fmt: skip
    assert [len(problem(name).y) for name in ("norris", "pontius", "filip", "longley")] == [36, 40, 82, 16]
