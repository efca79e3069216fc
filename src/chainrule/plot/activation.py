"""Activation functions and their derivatives. Next: `functions.py` for other functions of one number."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backward import grad
from ..core.dtypes import float64
from ..core.errors import ArgumentError, nearest
from ..creation import tensor
from ..nn import Module
from ..nn import functional as F
from ..tape.mode import enable_grad
from ..tensor import Tensor
from . import style
from .picture import figure, panel, panels
from .slopes import name_of
from .values import Floats, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 401  # odd, so that 0, where many have a kink, is one of them


def activations(
    *which: str | Callable[..., Any],
    xlim: Any = (-5, 5),
    points: int = POINTS,
    ax: Axes | None = None,
) -> Figure | Axes:
    """Activation functions, and below them their derivatives by backward.

    Args:    which: names in `nn.functional` ("relu"), its functions, layers (`nn.LeakyReLU(0.1)`), or
             functions of your own; without any: relu, sigmoid and tanh.
             ax: draw into this Axes instead, each derivative thin beside its function.
    Returns: the Figure with two Axes, or the given Axes.
    Raises:  ArgumentError: an unknown name, or what is not computed for each element by itself (softmax).

    >>> from chainrule import plot
    >>> above, below = plot.activations("relu", "sigmoid").axes
    >>> f"{max(below.lines[1].get_ydata()):.4f}"  # the sigmoid lets through a quarter of a gradient at best
    '0.2500'
    """
    low, high = interval(xlim, "plot.activations")
    x = np.linspace(low, high, points)
    drawn = [(_named(one), *_elementwise(one, x)) for one in which or ("relu", "sigmoid", "tanh")]
    if ax is not None:
        ax = panel(ax, "plot.activations")
        for name, y, slope in drawn:
            (line,) = ax.plot(x, y, linestyle="-", label=name)
            color, width = line.get_color(), 0.6 * line.get_linewidth()
            ax.plot(x, slope, linestyle="--", color=color, linewidth=width, label=f"derivative of {name}")
        style.label(ax, x="x")
        style.legend(ax)
        return ax
    fig = figure(style.WIDTH, 1.6 * style.HEIGHT)
    above, below = panels(fig, 2, 1, sharex=True)
    for name, y, slope in drawn:
        above.plot(x, y, label=name)
        below.plot(x, slope, label=name)
    above.tick_params(labelbottom=False)
    below.set_ylim(*_with_margin(np.concatenate([[0.0, 1.0], *(slope for _, _, slope in drawn)])))
    style.label(above, y="f(x)")
    style.label(below, x="x", y="f\N{PRIME}(x)")
    style.legend(above)
    return fig


def _elementwise(one: Any, x: Floats) -> tuple[Floats, Floats]:
    """An activation and its derivative at all points at once."""
    f: Any = deepcopy(one).eval() if isinstance(one, Module) else _function_called(one)
    argument = tensor(x, dtype=float64, requires_grad=True)
    with enable_grad():
        result = f(argument.clone())  # a layer with inplace=True overwrites what it gets
        few = x[:: max(len(x) // 7, 1)]
        alone = [f(tensor([place], dtype=float64)) for place in few]
    mixed = not isinstance(result, Tensor) or result.shape != argument.shape
    if not mixed:
        together = result.detach().numpy()[:: max(len(x) // 7, 1)]
        mixed = not np.allclose(together, [float(y.detach()) for y in alone], equal_nan=True)
    if mixed:
        raise ArgumentError.of(
            "plot.activations",
            given=_named(one),
            must="it must compute each element by itself, and the same each time",
            hint='an elementwise one, such as "relu" or nn.LeakyReLU(0.1)',
        )
    (slope,) = grad(result, argument, tensor(np.ones_like(x)), materialize_grads=True)
    return result.detach().numpy(), slope.numpy()


def _function_called(one: Any) -> Callable[..., Any]:
    if not isinstance(one, str):
        found: Callable[..., Any] = one
        return found
    if one not in F.__all__:
        raise ArgumentError.of(
            "plot.activations",
            given=f"the name {one!r}",
            must=f"it must be the name of a function in nn.functional{nearest(one, list(F.__all__))}",
        )
    named: Callable[..., Any] = getattr(F, one)
    return named


def _named(one: Any) -> str:
    if isinstance(one, Module):
        text = repr(one)
        return text.removesuffix("()") if len(text) <= 40 else type(one).__name__
    return one if isinstance(one, str) else name_of(one)


def _with_margin(y: Floats, share: float = 0.05) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    low, high = float(finite.min()), float(finite.max())
    room = share * (high - low)
    return low - room, high + room
