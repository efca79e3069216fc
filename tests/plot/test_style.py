"""The looks: colours that can be told apart on white, and things put in rows."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from chainrule.plot import style


def luminance(color: str) -> float:
    """Relative luminance, by the definition of the Web Content Accessibility Guidelines."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_colours_stand_out_from_white_and_from_each_other() -> None:
    assert len(set(style.COLORS)) == len(style.COLORS) == len(style.MARKERS)
    for color in style.COLORS:
        assert 1.05 / (luminance(color) + 0.05) > 2
    assert 1.05 / (luminance(style.INK) + 0.05) > 7


def test_the_first_two_colours_differ_for_those_who_do_not_see_red_or_green() -> None:
    # Without the red or the green cones, blue against the mean of red and green is what is left of a hue.
    first, second = (to_rgb(color) for color in style.COLORS[:2])
    assert (first[2] - (first[0] + first[1]) / 2) - (second[2] - (second[0] + second[1]) / 2) > 0.5


def test_a_tint_is_between_the_colour_and_white() -> None:
    assert style.tint("#000000", 0.25) == (0.75, 0.75, 0.75)
    assert style.tint("#0072B2", 1.0) == pytest.approx(to_rgb("#0072B2"))


@pytest.mark.parametrize(
    ("count", "wanted"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3), (6, 3), (7, 3), (8, 3)]
)
def test_columns(count: int, wanted: int) -> None:
    assert style.columns(count) == wanted
