"""Letters that the usual font lacks come from another one that the machine has."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from chainrule import plot
from chainrule.plot import fonts

SCRIPT_A = "\N{MATHEMATICAL BOLD SCRIPT CAPITAL A}"  # in the font STIXGeneral, which comes with matplotlib


@pytest.fixture
def stix(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose font for rare letters is STIXGeneral."""
    monkeypatch.setattr(fonts, "WIDE_FONTS", ("No Such Font", "STIXGeneral"))
    fonts.installed.cache_clear()
    yield
    fonts.installed.cache_clear()


@pytest.mark.usefixtures("stix")
def test_letters_come_from_a_font_that_has_them() -> None:
    assert fonts.installed() == ("STIXGeneral",)
    ax = plot.lines([1, 2], title=SCRIPT_A, xlabel="x", legend=[f"the letter {SCRIPT_A}"])
    ax.figure._repr_png_()  # a missing letter is a warning, which is an error here
    assert ax.title.get_fontfamily() == [*ax.xaxis.label.get_fontfamily(), "STIXGeneral"]


def test_without_such_a_font_matplotlib_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: ())
    figure = plot.lines([1, 2], title="学习曲线").figure
    with pytest.warns(UserWarning, match="missing from font"):
        figure._repr_png_()


@pytest.mark.usefixtures("stix")
def test_a_font_that_was_chosen_is_kept_first() -> None:
    ax = plot.lines([1, 2])
    ax.set_title(f"{SCRIPT_A} and more", fontfamily="DejaVu Serif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax.figure._repr_png_()
    assert ax.title.get_fontfamily() == ["DejaVu Serif", "STIXGeneral"]
