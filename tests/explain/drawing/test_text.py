"""Widths against the fonts that matplotlib brings along; cutting and wrapping."""

from __future__ import annotations

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from chainrule.explain.drawing import text

SAMPLES = ["v1 = log(x1)", "∂x1 += ∂v2 * x2", "W" * 30, "iiii.llll", "größer", "● keeps x1, x2", "0.weight.T"]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_estimates_are_not_too_small(sample: str, weight: str) -> None:
    font = FontProperties(family="DejaVu Sans Mono", weight=weight, size=13)
    real = TextPath((0, 0), sample, prop=font).get_extents().width
    assert real <= text.width(sample, 13)
    assert text.width(sample, 13) < 0.9 * 13 * len(sample)


def test_wide_and_combining_characters() -> None:
    assert text.width("学习", 10) > 20
    assert text.width("e\u0301", 10) == text.width("e", 10)


def test_wrapping() -> None:
    assert text.wrapped("short", 10, 2) == ["short"]
    assert text.wrapped("one two three four five six", 10, 3) == ["one two", "  three", "  four fi…"]
    assert all(len(line) <= 12 for line in text.wrapped("x" * 100, 12, 3))
    assert text.shortened("abcdef", 4) == "abc…"


def test_control_characters_become_blanks() -> None:
    assert text.visible("a\nb\x00c\ud800d") == "a b c d"
