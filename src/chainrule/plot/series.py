"""Lines and points from numbers: the general pictures, which the others are made like.

Next: `functions.py`, which draws functions instead of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from . import style
from .picture import panel
from .values import Floats, counted, interval, numbers, plain, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALES = ("linear", "log", "symlog", "logit")
CROWD = 2000  # from so many points on they are drawn small and let others shine through


def lines(
    X: Any,
    Y: Any = None,
    *,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    legend: Sequence[str] | str | None = None,
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One line or several: `lines(y)`, `lines(x, y)`, `lines(x, [y1, y2])`, `lines([x1, x2], [y1, y2])`.

    Values that are not numbers (nan) leave a gap; a line with one point is drawn as a point.

    Shapes:  a line is (n,), or a list of n numbers; several lines are (lines, n), or a list of them. Without
             Y, X are the heights over 0, 1, 2, ...; one X serves all Y, and one Y all X.
    Args:    legend: a name for each line. xlim, ylim: (low, high).
             fmts: matplotlib's short forms ("-", "m--", "g-.") for one line after the other, from the start
             again if there are more lines.
             figsize: inches (width, height) of a new picture. ax: draw into this Axes instead.
    Returns: the Axes.
    Raises:  ShapeError: an x and a y of different lengths, or different numbers of both; ArgumentError: what
             are no numbers, names for another number of lines, an unknown scale.

    >>> from chainrule import plot
    >>> ax = plot.lines([0, 1, 2], [[0, 1, 4], [0, 2, 4]], legend=["x²", "2x"], xlabel="x")
    >>> [line.get_label() for line in ax.lines]
    ['x²', '2x']
    """
    pairs = _pairs(X, Y)
    names = [legend] if isinstance(legend, str) else list(legend or ())
    if names and len(names) != len(pairs):
        raise ArgumentError.of(
            "plot.lines",
            given=f"{counted(len(names), 'name')} in the legend for {counted(len(pairs), 'line')}",
            must="each line must have its name",
        )
    for name, scale in (("xscale", xscale), ("yscale", yscale)):
        if scale not in SCALES:
            raise ArgumentError.of(
                "plot.lines", given=f"{name} = {scale!r}", must=f"{name} must be one of {', '.join(SCALES)}"
            )
    limits = [
        None if v is None else interval(v, "plot.lines", n) for v, n in ((xlim, "xlim"), (ylim, "ylim"))
    ]
    ax = panel(ax, "plot.lines", figsize=figsize)
    ax.set(xscale=xscale, yscale=yscale)
    for index, ((x, y), fmt) in enumerate(zip(pairs, cycle(fmts or [""]), strict=False)):
        marker = (
            "o" if np.isfinite(y).sum() == 1 and not fmt else None
        )  # a line through one point is not seen
        options: dict[str, Any] = {} if marker is None else {"marker": marker}
        ax.plot(x, y, *([fmt] if fmt else []), label=names[index] if names else None, **options)
    if limits[0] is not None:
        ax.set_xlim(limits[0])
    if limits[1] is not None:
        ax.set_ylim(limits[1])
    style.label(ax, x=xlabel, y=ylabel, title=title)
    style.legend(ax)
    return ax


def scatter(
    x: Any,
    y: Any,
    *,
    size: float | None = None,
    label: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A point for each pair of numbers, for instance a feature and the target of each row.

    Shapes:  x and y have equally many elements; columns (n, 1) will do.
    Args:    size: the area of a point, in points²; None chooses one by how many there are.
    Returns: the Axes.
    Raises:  ShapeError: different numbers of elements; ArgumentError: what are no numbers.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> features, labels = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.5], [0.1]])
    >>> ax = plot.scatter(features[:, 1], labels)
    >>> ax.collections[0].get_offsets().tolist()
    [[2.0, 0.5], [4.0, 0.10000000149011612]]
    """
    points_x, points_y = numbers(x, "plot.scatter", "x"), numbers(y, "plot.scatter", "y")
    if points_x.size != points_y.size:
        raise ShapeError.of(
            "plot.scatter",
            given=f"x of shape {points_x.shape} and y of shape {points_y.shape}",
            must=f"each x must have its y ({points_x.size} and {points_y.size} values)",
        )
    crowded = points_x.size >= CROWD
    ax = panel(ax, "plot.scatter", figsize=figsize)
    ax.scatter(
        points_x.ravel(),
        points_y.ravel(),
        s=size if size is not None else 5 if crowded else 14,
        alpha=0.4 if crowded else 0.8,
        linewidths=0,
        label=label,
    )
    style.label(ax, x=xlabel, y=ylabel, title=title)
    style.legend(ax)
    return ax


def _pairs(X: Any, Y: Any) -> list[tuple[Floats, Floats]]:
    """The lines as pairs (x, y) of the same length."""
    heights = _each(X, "X") if Y is None else _each(Y, "Y")
    if Y is None:
        return [(np.arange(len(y), dtype=np.float64), y) for y in heights]
    places = _each(X, "X")
    if len(places) == 1:
        places = places * len(heights)
    elif len(heights) == 1:
        heights = heights * len(places)
    if len(places) != len(heights):
        raise ShapeError.of(
            "plot.lines",
            given=f"{len(places)} lines in X and {len(heights)} in Y",
            must="there must be as many of both, or one X for all",
        )
    for number, (x, y) in enumerate(zip(places, heights, strict=True)):
        if len(x) != len(y):
            which = f" of line {number + 1}" if len(places) > 1 else ""
            raise ShapeError.of(
                "plot.lines",
                given=f"{len(x)} values of x and {len(y)} of y{which}",
                must="each point must have both",
            )
    return list(zip(places, heights, strict=True))


def _each(value: Any, name: str) -> list[Floats]:
    """The lines in an argument: one (n,), or several, which may differ in length if they are in a list."""
    if isinstance(value, list | tuple) and any(np.ndim(_size(v)) for v in value):
        return [numbers(v, "plot.lines", f"{name}[{i}]", axes=1) for i, v in enumerate(value)]
    found = numbers(value, "plot.lines", name)
    if found.ndim not in (1, 2):
        raise ShapeError.of(
            "plot.lines",
            given=f"{name} of shape {found.shape}",
            must=f"{name} must be one line (n,) or several (lines, n)",
        )
    if found.ndim == 2 and found.shape[1] == 1 and found.shape[0] > 1:
        raise ShapeError.of(
            "plot.lines",
            given=f"{name} of shape {found.shape}",
            must=f"these would be {found.shape[0]} lines of one point each",
            hint=f"{name}.reshape(-1) for one line of {found.shape[0]} points",
        )
    return [found] if found.ndim == 1 else list(found)


def _size(value: Any) -> Any:
    """Something with the number of axes of a list's item, whatever it holds."""
    try:
        return plain(value)
    except ValueError:  # lists of different lengths
        return [shortened(value)]
