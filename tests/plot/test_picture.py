"""What drawing leaves behind: nothing. And what importing loads: no matplotlib before the first picture."""

from __future__ import annotations

import io
import subprocess
import sys

import matplotlib as mpl
import matplotlib.image
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule import plot


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_matplotlib_loads_at_the_first_picture_and_pyplot_never() -> None:
    code = """
import sys
loaded = lambda: [name in sys.modules for name in ("matplotlib", "matplotlib.pyplot", "pandas")]
import chainrule
print(loaded())
from chainrule import plot
print(loaded())
try:
    plot.normal(0, -1)
except ValueError:
    print(loaded())
plot.normal()
plot.normal()._repr_png_()
print(loaded())
"""
    assert run(code).splitlines() == ["[False, False, False]"] * 3 + ["[True, False, False]"]


def test_settings_and_backend_are_left_alone() -> None:
    code = """
import matplotlib as mpl
before = dict(mpl.rcParams.items())
from chainrule import plot
plot.activations()
plot.confusion_matrix([0, 1], [0, 1])._repr_png_()
after = dict(mpl.rcParams.items())
print([key for key in before if before[key] != after[key] and before[key] is not after[key]])
"""
    assert run(code) == "[]\n"


def test_a_picture_shows_itself_in_a_notebook() -> None:
    ax = plot.normal(figsize=(4, 3))
    for one in (ax, ax.figure):
        content, size = one._repr_png_()
        assert matplotlib.image.imread(io.BytesIO(content)).shape == (600, 800, 4)
        assert size == {"width": 400, "height": 300}


def test_an_axes_in_the_users_figure_does_not() -> None:
    ax = plot.normal(ax=Figure().add_subplot())
    assert not hasattr(ax, "_repr_png_")


def test_dark_settings_of_the_user_do_not_hide_the_picture() -> None:
    with mpl.rc_context({"axes.facecolor": "black", "figure.facecolor": "black", "text.color": "white"}):
        content, _ = plot.tangent(lambda x: x**2, 1).figure._repr_png_()
    pixels = matplotlib.image.imread(io.BytesIO(content))[..., :3]
    assert (pixels.min(axis=-1) > 0.99).mean() > 0.7


@pytest.mark.parametrize("figsize", [None, (5.6, 3.6)])
def test_a_long_legend_stands_beside_and_the_picture_grows_for_it(
    figsize: tuple[float, float] | None,
) -> None:
    few, many = (
        plot.lines([[i, i + 1] for i in range(n)], legend=[f"line {i}" for i in range(n)], figsize=figsize)
        for n in (2, 12)
    )
    assert few.figure.get_size_inches()[0] == pytest.approx(5.6)
    assert (many.figure.get_size_inches()[0] > 6) == (figsize is None)
    for ax in (few, many):
        ax.figure.draw_without_rendering()
    assert few.get_legend().get_window_extent().x0 < few.bbox.x1
    assert many.get_legend().get_window_extent().x0 > many.bbox.x1


def crowded(ax: Axes | None = None) -> Axes:
    """Lines everywhere: there is no free corner for a legend."""
    return plot.lines([[(i + j) % 2 for i in range(60)] for j in range(2)], legend=["a", "b"], ax=ax)


def test_a_legend_that_would_hide_a_line_stands_beside() -> None:
    ax = crowded()
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 > ax.bbox.x1


def test_in_the_users_figure_the_legend_stays_inside() -> None:
    first, second = Figure().subplots(1, 2)
    crowded(first)
    first.figure.draw_without_rendering()
    assert first.get_legend().get_window_extent().x1 < second.bbox.x0
