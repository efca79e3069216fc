"""How all pictures look: sizes, colours that everyone can tell apart, a quiet grid.

The looks are given to each Axes that is made here, never to matplotlib's settings, which belong to the user's
program; fonts are the user's own. An Axes that the user hands in keeps its looks. Next: `picture.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

# Okabe and Ito's colours for all kinds of colour vision, without the yellow, which is faint on white; in an
# order in which neighbours differ in lightness too.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
STYLES = ("-", "--", "-.", ":")  # with seven colours: 28 lines before two look alike, also in print
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
MAP = "viridis"  # for heights: the same steps look the same, in grey too
SHADES = "Blues"  # for shares from 0 to 1

INK, FAINT, GRID = "#222222", "#888888", "#E3E3E3"
WIDTH, HEIGHT = 5.6, 3.6  # inches; half a page, or a third of a screen
DPI = 100
TEXT, SMALL = 10.0, 8.5  # points
LINE = 1.8
INSIDE = 5  # a legend with more entries stands beside the picture


def dress(ax: Axes, *, grid: bool = True) -> None:
    """Give a new Axes the looks of this package."""
    from cycler import cycler

    count = len(COLORS) * len(STYLES)
    ax.set_prop_cycle(
        cycler(color=[COLORS[i % len(COLORS)] for i in range(count)])
        + cycler(linestyle=[STYLES[i % len(STYLES)] for i in range(count)])
        + cycler(linewidth=[LINE] * count)
    )
    ax.set_facecolor("white")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(which="both", color=FAINT, labelcolor=INK, labelsize=SMALL)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(color=GRID, linewidth=0.8, linestyle="-")


def label(ax: Axes, *, x: str | None = None, y: str | None = None, title: str | None = None) -> None:
    """Name the axes; a name that is there already is the user's own and stays."""
    if x and not ax.get_xlabel():
        ax.set_xlabel(x, fontsize=TEXT, color=INK)
    if y and not ax.get_ylabel():
        ax.set_ylabel(y, fontsize=TEXT, color=INK)
    if title and not ax.get_title():
        ax.set_title(title, fontsize=TEXT, color=INK)


def legend(ax: Axes, *, below: bool = False) -> Legend | None:
    """A legend of all that has a label: where it hides no line or, where there is no such place, outside.

    Outside is to the right, or with `below` (for a picture that is full everywhere) always below. In an Axes
    of the user's it stays inside: outside may be another one.
    """
    handles, labels = ax.get_legend_handles_labels()
    if not labels:
        return None
    # Dashes need the length to be told apart.
    looks: dict[str, Any] = {"fontsize": SMALL, "labelcolor": INK, "handlelength": 2.6, "frameon": True}
    whole: Any = ax.figure
    own = hasattr(whole, "make_room")
    if own and below:
        made = whole.legend(handles, labels, loc="outside lower center", ncols=columns(len(labels)), **looks)
    else:
        made = ax.legend(loc="best", **looks)
        if own and (len(labels) > INSIDE or _hides_a_line(ax, made)):
            made.remove()
            made = ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **looks)
            whole.draw_without_rendering()
            whole.make_room(made.get_window_extent().width / whole.dpi)
    made.get_frame().set(facecolor="white", edgecolor="none", alpha=0.85)
    return cast("Legend", made)


def columns(count: int, most: int = 3) -> int:
    """Into how many columns so many things go, such that the last row is as full as it can be."""
    rows = -(-count // most)
    return -(-count // rows)


def _hides_a_line(ax: Axes, made: Legend) -> bool:
    whole: Any = ax.figure
    whole.draw_without_rendering()
    box = made.get_window_extent()
    for line in ax.lines:
        x, y = line.get_transform().transform(np.column_stack(line.get_data(orig=False))).T
        # Points between the given ones, about as dense as pixels: a straight line has only two.
        steps = np.linspace(0, len(x) - 1, max(4 * len(x), 1000))
        x, y = np.interp(steps, np.arange(len(x)), x), np.interp(steps, np.arange(len(y)), y)
        if bool(((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)).any()):
            return True
    return False


def tint(color: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white: `share` of the colour, the rest white."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return 1 - share * (1 - red), 1 - share * (1 - green), 1 - share * (1 - blue)


def names_for(ax: Axes, names: Sequence[str], axis: str, *, rotate: bool) -> None:
    """Texts instead of numbers along an axis, at 0, 1, 2, ...; taken as they are, without formulas."""
    side = ax.xaxis if axis == "x" else ax.yaxis
    side.set_ticks(range(len(names)))
    side.set_ticklabels(names)
    for text in side.get_ticklabels():
        text.set_parse_math(False)
        if rotate:
            text.set(rotation=45, ha="right", rotation_mode="anchor")
