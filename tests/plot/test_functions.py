"""Curves and tangents against closed forms, first the notes' f(x) = 3x² − 4x and its tangent 2x − 3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import plot


def notes(x: Any) -> Any:
    return 3 * x**2 - 4 * x


def test_the_picture_of_the_notes() -> None:
    ax = plot.tangent(notes, at=1, xlim=(0, 3))
    curve, tangent, point = ax.lines
    x = np.linspace(0, 3, 401)
    np.testing.assert_allclose(curve.get_data(), [x, 3 * x**2 - 4 * x], atol=1e-12)
    np.testing.assert_allclose(tangent.get_data(), [x, 2 * x - 3], atol=1e-12)
    assert [float(v[0]) for v in point.get_data()] == [1.0, -1.0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "notes(x)")


def test_several_tangents() -> None:
    places = [0.0, 1.0, 2.5]
    ax = plot.tangent(torch.sin, places)
    tangents = ax.lines[1::2]
    assert len(tangents) == 3
    for place, line in zip(places, tangents, strict=True):
        x, y = (np.asarray(v) for v in line.get_data())
        np.testing.assert_allclose(y, math.sin(place) + math.cos(place) * (x - place), atol=1e-12)
    low, high = ax.lines[0].get_xdata()[[0, -1]]
    assert low < min(places) <= max(places) < high


def test_a_tangent_at_a_point_outside_of_what_is_drawn() -> None:
    ax = plot.tangent(notes, at=2, xlim=(0, 1))
    x, y = (np.asarray(v) for v in ax.lines[1].get_data())
    np.testing.assert_allclose(y, 4 + 8 * (x - 2))


def test_function_with_its_derivative() -> None:
    ax = plot.function(torch.exp, (-1, 2), derivative=True)
    for line in ax.lines:
        x, y = (np.asarray(v) for v in line.get_data())
        np.testing.assert_allclose(y, np.exp(x), rtol=1e-14)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["exp(x)", "exp′(x)"]


def test_functions_of_any_make() -> None:
    def collatz(x: Any) -> Any:  # control flow decides point by point
        y = x
        while y < 10:
            y = y * 2
        return y if x > 2 else -y

    for f in (collatz, lambda x: float(x) * 2, lambda x: np.sin(float(x)), lambda x: x.reshape(1, 1)):
        (line,) = plot.function(f, (1, 3)).lines
        x, y = (np.asarray(v) for v in line.get_data())
        wanted = [float(f(torch.tensor(v, dtype=torch.float64))) for v in x]
        np.testing.assert_allclose(y, wanted)


def test_the_derivative_is_that_of_the_branch_taken() -> None:
    ax = plot.function(lambda x: x**2 if x > 0 else -3 * x, (-1, 1), derivative=True)
    x, slope = (np.asarray(v) for v in ax.lines[1].get_data())
    np.testing.assert_allclose(slope, np.where(x > 0, 2 * x, -3))


def test_names() -> None:
    assert plot.function(torch.sin).get_ylabel() == "sin(x)"
    assert plot.function(lambda x: x).get_ylabel() == "f(x)"
    ax = plot.function(lambda x: x * 2, label="double", derivative=True)
    assert [line.get_label() for line in ax.lines] == ["double", "derivative of double"]


def test_gaps_where_it_is_not_defined() -> None:
    ax = plot.function(torch.log, (-1, 1), derivative=True)
    for line in ax.lines:
        x, y = (np.asarray(v) for v in line.get_data())
        assert np.isnan(y[x < 0]).all()
        assert np.isfinite(y[x > 0]).all()


def test_functions_add_up_in_one_axes() -> None:
    ax = plot.function(torch.sin)
    plot.function(torch.cos, ax=ax)
    assert len(ax.lines) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sin(x)", "cos(x)"]


def test_drawing_leaves_no_gradient_behind() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    plot.tangent(lambda x: w * x**2, at=1.0)
    assert w.grad is None


@pytest.mark.parametrize("enabled", [True, False])
def test_it_works_under_no_grad_and_leaves_the_mode(enabled: bool) -> None:
    with torch.set_grad_enabled(enabled):
        plot.tangent(torch.sin, at=1.0)
        assert torch.is_grad_enabled() is enabled
