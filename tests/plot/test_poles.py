"""Poles are cut off and not crossed by a line; high but finite peaks are shown whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import plot


@pytest.mark.parametrize(
    ("f", "xlim"),
    [
        (lambda x: 1 / x, (-3, 3)),
        (lambda x: 1 / x, (-3, 3.1)),
        (lambda x: 1 / x**2, (-3, 3)),
        (lambda x: 1 / (x - 0.123), (-3, 3)),
        (lambda x: -1 / x**4, (0, 3)),
        (torch.tan, (-5, 5)),
        (torch.tan, (0, math.pi)),  # a point of the curve is the pole
    ],
)
def test_the_rest_of_a_curve_with_a_pole_is_not_flat(f: Callable[[Any], Any], xlim: Any) -> None:
    ax = plot.function(f, xlim)
    low, high = ax.get_ylim()
    y = np.asarray(ax.lines[0].get_ydata())
    shown = y[np.isfinite(y)]
    middle = np.quantile(shown, 0.8) - np.quantile(shown, 0.2)
    assert np.ptp(shown) > 4 * (high - low)
    assert middle > 0.01 * (high - low)


@pytest.mark.parametrize("f", [lambda x: 1 / x, torch.tan, lambda x: 1 / (x - 0.123)])
def test_no_line_crosses_a_pole(f: Callable[[Any], Any]) -> None:
    ax = plot.function(f, (-1, 1.7))
    low, high = ax.get_ylim()
    y = np.asarray(ax.lines[0].get_ydata())
    assert not ((y[:-1] > high) & (y[1:] < low)).any()
    assert not ((y[:-1] < low) & (y[1:] > high)).any()


@pytest.mark.parametrize(
    "f",
    [
        torch.exp,
        torch.log,
        lambda x: x**9,
        lambda x: torch.exp(-((x - 1) ** 2) * 2000),
        lambda x: torch.exp(-((x - 1.003) ** 2) * 1e5) + 0.01 * x,
        lambda x: x * 0 + 5,
    ],
)
def test_what_has_no_pole_is_shown_whole(f: Callable[[Any], Any]) -> None:
    ax = plot.function(f, (-3, 3))
    low, high = ax.get_ylim()
    y = np.asarray(ax.lines[0].get_ydata())
    y = y[np.isfinite(y)]
    assert low <= y.min()
    assert y.max() <= high


def test_a_pole_of_the_derivative_alone_hides_nothing_of_the_function() -> None:
    ax = plot.function(torch.sqrt, (0, 4), derivative=True)
    low, high = ax.get_ylim()
    assert low <= 0
    assert 2 <= high < 8
