"""Histograms of what a model holds, parameter by parameter: its weights, or their gradients.

Whether that is healthy, and what to do if it is not, is for other tools to say; these are the pictures.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError, GradError, nearest
from ..nn import Module
from ..tensor import Tensor
from . import style
from .picture import figure, panels
from .values import Floats, shortened, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
PANEL_WIDTH, PANEL_HEIGHT = 3.0, 2.1


def weights(model: Module, match: str = "*", *, bins: int = BINS) -> Figure:
    """A histogram of each parameter of a model, with its mean and standard deviation.

    Args:    match: which parameters, by name: "*.weight", "encoder.*"; `*` stands for any letters.
             bins: how many bars.
    Returns: the Figure, with an Axes for each parameter in the order of the model.
    Raises:  ArgumentError: no module, or no parameter of such a name.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> figure = plot.weights(torch.nn.Sequential(torch.nn.Linear(20, 10), torch.nn.ReLU()))
    >>> [ax.get_title() for ax in figure.axes]
    ['0.weight (10, 20)', '0.bias (10)']
    """
    chosen = _chosen(model, match, bins, "plot.weights")
    return _histograms(
        {name: p.detach() for name, p in chosen.items()}, chosen, bins, style.COLORS[0], "weights"
    )


def gradients(model: Module, match: str = "*", *, bins: int = BINS) -> Figure:
    """A histogram of the gradient of each parameter, as the last backward left it, with mean and deviation.

    Vanishing gradients show in the standard deviations, which then get smaller from the last layer to the
    first.

    Args:    match, bins: as for `weights`.
    Returns: the Figure; a parameter without a gradient has an empty Axes that says so.
    Raises:  as `weights`; GradError: no parameter has a gradient.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> model = torch.nn.Linear(3, 2)
    >>> model(torch.ones(4, 3)).sum().backward()
    >>> [ax.get_title() for ax in plot.gradients(model).axes]
    ['weight (2, 3)', 'bias (2)']
    """
    chosen = _chosen(model, match, bins, "plot.gradients")
    if all(p.grad is None for p in chosen.values()):
        raise GradError.of(
            "plot.gradients",
            given=f"{len(chosen)} parameters without a gradient",
            must="gradients are there after backward, until zero_grad",
            hint="loss.backward(), then plot.gradients(model), then optimizer.zero_grad()",
        )
    return _histograms(
        {name: p.grad for name, p in chosen.items()}, chosen, bins, style.COLORS[1], "gradients"
    )


def _chosen(model: Any, match: str, bins: int, what: str) -> dict[str, Tensor]:
    if not isinstance(model, Module):
        raise ArgumentError.of(what, given=shortened(model), must="the model must be an nn.Module")
    if bins < 1:
        raise ArgumentError.of(what, given=f"bins = {bins}", must="there must be one bar at least")
    named: dict[str, Tensor] = dict(model.named_parameters())
    chosen = {name: p for name, p in named.items() if fnmatchcase(name, match)}
    if not named:
        raise ArgumentError.of(what, given=shortened(model), must="the model has no parameters to show")
    if not chosen:
        raise ArgumentError.of(
            what,
            given=f"match = {match!r}",
            must=f"there is no such parameter{nearest(match, list(named))}, but {_listed(list(named))}",
        )
    return chosen


def _listed(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def _histograms(
    values: dict[str, Tensor | None], params: dict[str, Tensor], bins: int, color: str, what: str
) -> Figure:
    columns = style.columns(len(values))
    rows = -(-len(values) // columns)
    fig = figure(max(PANEL_WIDTH * columns, 4.2), PANEL_HEIGHT * rows + 0.3)
    made = panels(fig, rows, columns)
    for ax in made[len(values) :]:
        ax.remove()
    for ax, (name, value) in zip(made, values.items(), strict=False):
        shape = ", ".join(str(size) for size in params[name].shape)
        title = ax.set_title(f"{name} ({shape})", fontsize=style.SMALL, color=style.INK)
        title.set_parse_math(False)
        _shrink(title, len(name) + len(shape) + 3)
        if value is None:
            ax.set(xticks=[], yticks=[])
            ax.text(
                0.5, 0.5, "no gradient", ha="center", va="center", transform=ax.transAxes, color=style.FAINT
            )
        else:
            _histogram(ax, value.detach().numpy().reshape(-1).astype(np.float64), bins, color)
    fig.supylabel(f"number of {what}", fontsize=style.TEXT, color=style.INK)
    return fig


def _histogram(ax: Axes, numbers: Floats, bins: int, color: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    finite = numbers[np.isfinite(numbers)]
    lost = numbers.size - finite.size
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        if high - low <= 1e-6 * max(abs(low), abs(high)):  # all the same: one bar, as wide as one of a few
            room = 0.5 * max(abs(low), 1e-3)
            ax.hist(finite, bins=11, range=(low - room, high + room), color=color)
        else:
            ax.hist(finite, bins=min(bins, max(5, finite.size)), range=(low, high), color=color)
        if ax.get_xlim()[0] < 0 < ax.get_xlim()[1]:
            ax.axvline(0, color=style.INK, linewidth=0.8, linestyle="-")
        text = f"mean {_short(finite.mean())}, std {_short(finite.std())}"
    else:
        text = "no finite number" if numbers.size else "empty"
    if lost and finite.size:
        text += f"\n{lost} not finite"
    ax.set_xlabel(text, fontsize=style.SMALL, color=style.COLORS[1] if lost else style.INK)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    return written(float(f"{value:.3g}"))


def _shrink(title: Any, letters: int) -> None:
    """A long name gets smaller letters, so that it stays over its own picture."""
    fit = 30
    if letters > fit:
        title.set_fontsize(max(style.SMALL * fit / letters, 5.0))
