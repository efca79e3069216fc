"""Functions of one number and their derivatives: the curve, and its tangents.

Values and slopes come from `slopes.py`; what happens at a pole is in `poles.py`. Next: `activation.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError
from . import style
from .picture import panel
from .poles import broken, keep_in, limits
from .slopes import Scalar, name_of, values
from .values import interval, numbers, several, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 401  # odd, so that the middle of a symmetric interval, often 0, is one of them


def function(
    f: Scalar,
    xlim: Any = (-3, 3),
    *,
    derivative: bool = False,
    label: str | None = None,
    points: int = POINTS,
    xlabel: str | None = "x",
    ylabel: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The curve of a function of one number, and with `derivative` that of f'(x), by backward.

    Where f is no finite number the curve has a gap; at a pole the picture ends before it gets flat.

    Args:    f: gets a 0-d float64 tensor, gives a tensor of one element or a number.
             label: the name in the legend; None is the name of the function.
    Returns: the Axes.
    Raises:  ArgumentError: f gives something else, or no finite number in all of xlim; GradError: the
             derivative was asked for, and f does not compute with the tensor that it gets.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> ax = plot.function(torch.sin, (0, 6), derivative=True)
    >>> [line.get_label() for line in ax.lines]
    ['sin(x)', 'sin′(x)']
    """
    low, high = interval(xlim, "plot.function")
    x = np.linspace(low, high, points)
    y, slope = values(f, x, "plot.function", derivative=derivative)
    name = label or f"{name_of(f)}(x)"
    drawn = [(name, y)]
    if derivative:
        stem, _, rest = name.partition("(")
        drawn.append((f"{stem}\N{PRIME}({rest}" if rest else f"derivative of {name}", slope))
    found = [limits(f, x, height, derivative=index > 0) for index, (_, height) in enumerate(drawn)]
    ax = panel(ax, "plot.function", figsize=figsize)
    for text, height in drawn:
        ax.plot(*broken(x, height, found[0] or found[-1]), label=text)
    keep_in(ax, found, [height for _, height in drawn])
    style.label(ax, x=xlabel, y=ylabel or (None if derivative or label else name), title=title)
    if derivative or label or len(ax.lines) > 1:
        style.legend(ax)
    return ax


def tangent(
    f: Scalar,
    at: Any,
    xlim: Any = None,
    *,
    label: str | None = None,
    points: int = POINTS,
    xlabel: str | None = "x",
    ylabel: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A curve with its tangent at one point or several: y = f(a) + f'(a) (x - a), the slope by backward.

    Args:    f: as for `function`. at: the number a, or several.
             xlim: what is drawn of the curve; None is a piece around the points.
    Returns: the Axes: the curve, then each tangent and its point.
    Raises:  as `function`; ArgumentError also where f has no finite value or slope at a.

    >>> from chainrule import plot
    >>> ax = plot.tangent(lambda x: 3 * x**2 - 4 * x, at=1, xlim=(0, 3))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['f(x)', 'tangent at x = 1, slope 2']
    """
    places = numbers(several(at), "plot.tangent", "at", axes=1)
    if xlim is None:
        span = max(float(np.ptp(places)), 2.0) if places.size else 2.0
        xlim = (
            (float(places.min()) - 0.75 * span, float(places.max()) + 0.75 * span) if places.size else (-1, 1)
        )
    low, high = interval(xlim, "plot.tangent")
    x = np.linspace(low, high, points)
    heights, slopes = values(f, places, "plot.tangent", derivative=True)
    for place, height, slope in zip(places, heights, slopes, strict=True):
        if not (math.isfinite(height) and math.isfinite(slope)):
            raise ArgumentError.of(
                "plot.tangent",
                given=f"x = {written(place)}, where f(x) = {written(height)} and f'(x) = {written(slope)}",
                must="there is a tangent only where value and slope are finite numbers",
                hint="a point at which f can be differentiated",
            )
    y, _ = values(f, x, "plot.tangent")
    found = limits(f, x, y)
    ax = panel(ax, "plot.tangent", figsize=figsize)
    name = label or f"{name_of(f)}(x)"
    ax.plot(*broken(x, y, found), label=name)
    keep_in(ax, [found], [y])
    for place, height, slope in zip(places, heights, slopes, strict=True):
        text = f"tangent at x = {written(place)}, slope {written(float(f'{slope:.4g}'))}"
        (line,) = ax.plot(x, height + slope * (x - place), label=text, linewidth=style.LINE * 0.8)
        ax.plot([place], [height], "o", color=line.get_color(), markersize=5, zorder=line.get_zorder() + 1)
    style.label(ax, x=xlabel, y=ylabel or name, title=title)
    style.legend(ax)
    return ax
