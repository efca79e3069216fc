"""The error against the step: its two regimes, its best step, and the step that x swallows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.autograd import numerical_error_curve
from chainrule.core.errors import ArgumentError, GradError

CURVES = numerical_error_curve(torch.sin, 1.0)


def test_a_step_of_two_to_the_minus_32_is_too_small_in_float32() -> None:
    curve = CURVES.curve("forward", torch.float32)
    assert curve.lost_step == 2.0**-24  # half the distance to the next number: rounds to even, so back to 1
    i = int(np.flatnonzero(curve.steps == 2.0**-32)[0])
    assert curve.estimates[i] == 0
    assert curve.errors[i] == pytest.approx(np.cos(1.0))
    wide = CURVES.curve("forward", torch.float64)
    assert wide.moves[i]
    assert wide.errors[i] < 1e-5


@pytest.mark.parametrize(
    ("method", "dtype", "power"), [("forward", torch.float64, 1 / 2), ("central", torch.float64, 1 / 3)]
)
def test_the_best_step_is_where_theory_says(method: str, dtype: Any, power: float) -> None:
    curve = CURVES.curve(method, dtype)
    best = torch.finfo(dtype).eps ** power
    assert best / 64 < curve.best_step < best * 64


@pytest.mark.parametrize("method", ["forward", "central"])
def test_errors_stay_below_the_two_lines(method: str) -> None:
    curve = CURVES.curve(method, torch.float64)
    seen = curve.moves & (curve.steps < 0.1)
    assert (curve.errors[seen] <= 1.1 * curve.truncation[seen] + 2 * curve.rounding[seen] / np.sin(1.0)).all()
    large = (curve.steps < 0.1) & (curve.truncation > 100 * curve.rounding)
    np.testing.assert_allclose(curve.errors[large], curve.truncation[large], rtol=0.1)


def test_the_complex_step_has_no_rounding_branch() -> None:
    curve = CURVES.curve("complex", torch.float64)
    assert curve.errors[-1] < 1e-15
    assert curve.lost_step is None


def test_richardson_is_possible_too() -> None:
    curves = numerical_error_curve(
        torch.exp, 1.0, methods=["richardson"], dtypes=[torch.float64], steps=[0.1]
    )
    (curve,) = curves
    assert curve.errors[0] < 1e-10
    assert np.isnan(curve.truncation).all()


def test_text() -> None:
    curves = numerical_error_curve(
        lambda x: x * x, 1.0, methods=["forward"], dtypes=[torch.float32], steps=[2**-4, 2**-12, 2**-32]
    )
    assert str(curves) == (
        "Error of numerical derivatives at x = 1, where f'(x) = 2\n"
        "\n"
        "  step h    forward float32\n"
        "    2^-4            6.2e-02\n"
        "   2^-12            0.0e+00\n"  # 2^-24 in its square is rounded away
        "   2^-32      2.0e+00 x+h=x\n"
        "\n"
        "forward float32: best at h = 2^-12, error 0.0e+00; from h = 2^-32 on x + h == x, and the difference "
        "is 0."
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: numerical_error_curve(torch.sin, torch.ones(2)),
            "numerical_error_curve got a tensor (2,)\n"
            "  the curve is that of a function of one number\n"
            "  try: lambda t: fn(x + t * direction), at 0",
        ),
        (
            lambda: numerical_error_curve(torch.sin, 1.0, steps=[0.0]),
            "numerical_error_curve got steps=[0.0]\n  steps are positive numbers",
        ),
        (
            lambda: numerical_error_curve(lambda x: x.expand(2), 1.0),
            "numerical_error_curve got a function that returns a tensor (2,)\n"
            "  the curve is that of one number\n"
            "  try: fn(x).sum()",
        ),
        (
            lambda: numerical_error_curve(lambda x: x.detach() * 2, 1.0),
            "numerical_error_curve got a function that backward cannot differentiate\n"
            "  errors are distances from the exact derivative\n"
            "  try: exact=...",
        ),
        (
            lambda: CURVES.curve("richardson", torch.float64),
            "curve got method 'richardson' in float64\n"
            "  there are forward float32, central float32, complex float32, forward float64, central "
            "float64, complex float64",
        ),
    ],
)
def test_messages(call: Any, text: str) -> None:
    with pytest.raises((ArgumentError, GradError)) as info:
        call()
    assert info.value.summary == text
