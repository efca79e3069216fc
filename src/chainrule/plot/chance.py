"""Pictures of chance: the normal density, and relative frequencies that settle at their probabilities.

Next: `series.py` for lines of any numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError
from . import style
from .picture import panel
from .values import Floats, counted, interval, numbers, several, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 401
REACH = 4.0  # standard deviations on both sides; outside lie 6 of 100 000


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    xlim: Any = None,
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The density of the normal distribution, exp(-(x - mean)² / (2 std²)) / (std sqrt(2π)), one or several.

    Args:    mean, std: numbers, or lists of them; one number of either serves all of the other.
             xlim: None reaches 4 standard deviations to both sides of each.
    Returns: the Axes.
    Raises:  ArgumentError: a std that is not above 0, or lists of different lengths.

    >>> from chainrule import plot
    >>> ax = plot.normal([0, 0, 3], [1, 2, 1])
    >>> f"{max(ax.lines[0].get_ydata()):.4f}"
    '0.3989'
    """
    means, stds = (numbers(several(v), "plot.normal", n, axes=1) for v, n in ((mean, "mean"), (std, "std")))
    count = max(len(means), len(stds))
    if len(means) not in (1, count) or len(stds) not in (1, count):
        raise ArgumentError.of(
            "plot.normal",
            given=f"{len(means)} means and {len(stds)} standard deviations",
            must="there must be as many of both, or one of either",
        )
    if not (np.isfinite(means).all() and np.isfinite(stds).all() and (stds > 0).all()):
        raise ArgumentError.of(
            "plot.normal",
            given=f"mean = {means.tolist()}, std = {stds.tolist()}",
            must="means must be finite numbers, standard deviations finite and above 0",
            hint="std = variance ** 0.5, if it is the variance that you have",
        )
    pairs = list(zip(np.resize(means, count), np.resize(stds, count), strict=True))
    if xlim is None:
        xlim = (min(m - REACH * s for m, s in pairs), max(m + REACH * s for m, s in pairs))
    low, high = interval(xlim, "plot.normal")
    # A narrow bell among wide ones needs points of its own, or it loses its top.
    x = np.unique(
        np.concatenate([np.linspace(low, high, POINTS), *(_around(m, s, low, high) for m, s in pairs)])
    )
    ax = panel(ax, "plot.normal", figsize=figsize)
    for m, s in pairs:
        y = np.exp(-((x - m) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
        ax.plot(x, y, label=f"mean {written(m)}, std {written(s)}")
    ax.set_ylim(bottom=0)
    style.label(ax, x="x", y="p(x)", title=title)
    style.legend(ax)
    return ax


def frequencies(
    counts: Any,
    expected: Any = None,
    *,
    outcomes: Sequence[str] | None = None,
    xlabel: str | None = "groups of draws",
    ylabel: str | None = "relative frequency so far",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How the share of each outcome settles as draws go on, as of `Multinomial(...).sample((groups,))`.

    Shapes:  counts (groups, outcomes): how often each outcome came up in each group of draws.
    Args:    expected: the probability of each outcome, or one for all; drawn as a dashed line.
             outcomes: their names; None numbers them from 0, as they are indexed.
    Returns: the Axes: one line for each outcome, `counts.cumsum(0) / total so far`.
    Raises:  ShapeError: not (groups, outcomes); ArgumentError: counts below 0, a first group without a draw,
             or other numbers of names or probabilities than of outcomes.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> ax = plot.frequencies(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), expected=0.5)
    >>> ax.lines[0].get_ydata().tolist()
    [1.0, 0.5]
    """
    table = numbers(counts, "plot.frequencies", "counts", axes=2)
    groups, kinds = table.shape
    if not np.isfinite(table).all() or (table < 0).any() or groups == 0 or table[0].sum() == 0:
        raise ArgumentError.of(
            "plot.frequencies",
            given=f"counts of shape {table.shape}, the first group {table[:1].ravel().tolist()}",
            must="each group must count its draws: numbers from 0, not all 0 in the first group",
        )
    names = [str(i) for i in range(kinds)] if outcomes is None else [str(name) for name in outcomes]
    shares = (
        []
        if expected is None
        else numbers(several(expected), "plot.frequencies", "expected", axes=1).tolist()
    )
    if len(names) != kinds or len(shares) not in (0, 1, kinds):
        raise ArgumentError.of(
            "plot.frequencies",
            given=f"{counted(kinds, 'outcome')}, {counted(len(names), 'name')} and {len(shares)} expected",
            must="each outcome must have its own name and probability, or one probability serves all",
        )
    so_far = table.cumsum(axis=0)  # (groups, outcomes)
    so_far /= so_far.sum(axis=1, keepdims=True)
    ax = panel(ax, "plot.frequencies", figsize=figsize)
    trials = np.arange(1, groups + 1)
    for index, name in enumerate(names):
        ax.plot(trials, so_far[:, index], linestyle="-", linewidth=1.3, label=name)
    for share in sorted(set(shares)):
        ax.axhline(
            share,
            color=style.INK,
            linestyle="--",
            linewidth=1.2,
            label=f"expected: {written(round(share, 4))}",
        )
    ax.set_ylim(bottom=0)
    style.label(ax, x=xlabel, y=ylabel, title=title)
    style.legend(ax)
    return ax


def _around(mean: float, std: float, low: float, high: float) -> Floats:
    near = mean + std * np.linspace(-REACH, REACH, 161)
    return near[(near >= low) & (near <= high)]
