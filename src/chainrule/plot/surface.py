"""The surface of a loss of two numbers as a map, and the paths of gradient descent over it.

Each band of colour of the map covers as much of it as the others, so a flat valley and its steep walls both
have their lines. How an optimizer walks: `descent.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError
from ..nn import Module
from ..optim import SGD
from . import style
from .descent import (
    WHAT,
    Landscape,
    MakeOptimizer,
    Path,
    described,
    height,
    of_function,
    of_model,
    pair,
    put,
    walk,
)
from .picture import panel
from .values import Floats, interval, numbers, several

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = 14
MARGIN = 0.25  # around the paths, as a share of their extent
STEPS_MARKED = 60  # a path of more steps is a line without points


def loss_surface(
    loss: Callable[..., Any],
    start: Any = None,
    *,
    model: Module | None = None,
    data: Any = None,
    lr: Any = 0.1,
    batch_size: Any = None,
    steps: int = 20,
    optimizer: MakeOptimizer = SGD,
    xlim: Any = None,
    ylim: Any = None,
    points: int = 51,
    seed: int = 0,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A map of the loss over two parameters, and where gradient descent goes: one path for each choice.

    Three ways to say what the loss is:

        loss_surface(loss, start)                    loss(w), w a tensor (2,)
        loss_surface(loss, start, data=(x, y))       loss(w, x, y), of all rows or of a batch
        loss_surface(nn.MSELoss(), model=model, data=(x, y))    loss(model(x), y); the model learns two
        numbers

    Args:    start: two numbers; None starts at the model's own, which stay as they are.
             lr, batch_size: one or several of each; every pair walks. None as a batch size is all rows.
             optimizer: makes one from (parameters, lr=...), for instance `torch.optim.Adam`, or
             `functools.partial(torch.optim.SGD, momentum=0.9)`.
             xlim, ylim: what is shown; None is what holds the start and every point of a path that is not
             higher.
             points: the map is computed on so many by so many. seed: of the order of the rows, the same for
             all.
    Returns: the Axes; each path is one of its lines, with a point for each step.
    Raises:  ArgumentError: what is missing or does not fit, named; ShapeError: the model has not two numbers
             to learn, or x and y have different numbers of rows.

    >>> from chainrule import plot
    >>> ax = plot.loss_surface(lambda w: (w**2).sum(), start=(2.0, -1.0), lr=0.25, steps=2)
    >>> ax.lines[0].get_xdata().tolist()  # each step halves the distance
    [2.0, 1.0, 0.5]
    """
    if not isinstance(steps, int) or steps < 0 or points < 2:
        raise ArgumentError.of(
            WHAT,
            given=f"steps = {steps!r}, points = {points!r}",
            must="steps must be 0 or more, points 2 or more",
        )
    both = pair(data)
    land = of_function(loss, start, both) if model is None else of_model(model, loss, start, both)
    rates = numbers(several(lr), WHAT, "lr", axes=1).tolist()
    sizes = several(batch_size)
    if not rates or not sizes:
        raise ArgumentError.of(
            WHAT, given=f"lr = {rates}, batch_size = {sizes}", must="there must be one of each at least"
        )
    paths = [walk(land, optimizer, rate, size, steps, seed) for size in sizes for rate in rates]
    box = _around(paths)
    (left, right), (low, high) = (
        box[i] if given is None else interval(given, WHAT, name)
        for i, (given, name) in enumerate(((xlim, "xlim"), (ylim, "ylim")))
    )
    x, y = np.linspace(left, right, points), np.linspace(low, high, points)
    heights = _heights(land, x, y)
    levels = _levels(heights)
    ax = panel(ax, WHAT, 6.4, 4.4, figsize=figsize, grid=False)
    shades = ax.contourf(x, y, heights, levels, cmap=style.MAP, alpha=0.75, extend="both")
    ax.contour(x, y, heights, levels, colors="white", linewidths=0.5, alpha=0.6, linestyles="-")
    _draw_paths(ax, paths, several_lr=len(rates) > 1 or len(sizes) == 1, several_sizes=sizes != [None])
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    bar = ax.figure.colorbar(shades, ax=ax, label="loss", pad=0.02)
    bar.ax.tick_params(labelsize=style.SMALL, color=style.FAINT, labelcolor=style.INK)
    bar.set_label("loss", fontsize=style.TEXT, color=style.INK)
    bar.outline.set_visible(False)
    style.label(ax, x=land.names[0], y=land.names[1], title=title)
    style.legend(ax, below=len(paths) > 1)
    return ax


def _draw_paths(ax: Axes, paths: list[Path], *, several_lr: bool, several_sizes: bool) -> None:
    from matplotlib.patheffects import Normal, Stroke

    for index, path in enumerate(paths):
        width = max(3.0 - 0.6 * index, 1.2)  # a path on which a later one lies is seen below it
        ax.plot(
            path.points[:, 0],
            path.points[:, 1],
            color=PATHS[index % len(PATHS)],
            linestyle="-",
            linewidth=width,
            marker=style.MARKERS[index % len(style.MARKERS)] if len(path.points) <= STEPS_MARKED else None,
            markersize=max(7.0 - index, 3.5),
            path_effects=[Stroke(linewidth=width + 1.6, foreground="white"), Normal()],  # seen on all colours
            label=described(path, with_lr=several_lr, with_batch=several_sizes),
            zorder=3,
        )
    first = paths[0].points[0]
    ax.plot(
        *first, marker="o", color="white", markeredgecolor=style.INK, markersize=8, linestyle="", zorder=4
    )


# Not the blue and green that the map is made of.
PATHS = ("#D55E00", "#222222", "#CC79A7", "#E69F00", "#0072B2", "#F0F0F0", "#8B0000")


def _around(paths: list[Path]) -> list[tuple[float, float]]:
    """The limits: the start, and every point of a path that is not higher, with a margin."""
    start = paths[0].points[0]
    good = np.concatenate([start[None], *(p.points[p.losses <= p.losses[0]] for p in paths)])
    low, high = good.min(axis=0), good.max(axis=0)
    extent = high - low
    # A path along one axis, or none at all, still needs a map around it.
    extent = np.maximum(extent, max(0.5 * float(extent.max()), 1e-3 * float(np.abs(good).max()), 1e-9))
    if np.ptp(good) == 0 or len(good) == 1:
        extent = np.maximum(np.abs(start), 1.0)
    middle = (low + high) / 2
    half = extent * (0.5 + MARGIN)
    return [(float(middle[i] - half[i]), float(middle[i] + half[i])) for i in range(2)]


def _heights(land: Landscape, x: Floats, y: Floats) -> Any:
    """The loss at each point (y, x), without those where it is no finite number."""
    params, made = land.params, np.empty((len(y), len(x)))
    for row, second in enumerate(y):
        for column, first in enumerate(x):
            put(params, np.array([first, second]))
            made[row, column] = height(land)
    if not np.isfinite(made).any():
        raise ArgumentError.of(
            WHAT,
            given=f"a loss that is no finite number on all of [{x[0]:g}, {x[-1]:g}] × [{y[0]:g}, {y[-1]:g}]",
            must="there must be something to draw",
            hint="xlim=(a, b), ylim=(c, d) where it is defined",
        )
    return np.ma.masked_invalid(made)


def _levels(heights: Any) -> Floats:
    """The heights between bands of equal area, in numbers short enough to be read."""
    known = heights.compressed()
    exact = np.quantile(known, np.linspace(0, 1, BANDS + 1))[1:-1]
    spread = float(np.ptp(exact))
    if spread == 0:  # a plain
        room = max(abs(float(exact[0])) * 1e-3, 1e-3)
        return np.array([exact[0] - room, exact[0] + room])
    digits = int(np.ceil(-np.log10(spread))) + 2  # hundredths of what there is to tell apart
    return np.unique(np.round(exact, digits))
