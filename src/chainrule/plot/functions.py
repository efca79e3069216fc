"""Functions of one number and their derivatives: the curve, its tangents, activations.

A derivative is never a difference quotient here: the function is run on a tensor, and backward gives the
slope. The function runs once for each point, on a 0-d tensor, so it may be written with `if` and `while`, and
what it computes at one point cannot depend on the others. Next: `learning.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backward import grad
from ..core.dtypes import float64
from ..core.errors import ArgumentError, GradError, ShapeError, nearest
from ..creation import tensor
from ..nn import Module
from ..nn import functional as F
from ..tape.mode import enable_grad, no_grad
from ..tensor import Tensor
from . import style
from .picture import figure, panel, panels
from .values import Floats, interval, numbers, several, shortened, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scalar = Callable[[Tensor], Any]
POINTS = 401  # odd, so that the middle of a symmetric interval, often 0, is one of them
POLE = 8.0  # a curve that is so many times higher than nearly all of it has a pole, which is cut off


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
    ax = panel(ax, "plot.function", figsize=figsize)
    drawn = [(name, y)]
    if derivative:
        stem, _, rest = name.partition("(")
        drawn.append((f"{stem}\N{PRIME}({rest}" if rest else f"derivative of {name}", slope))
    for text, height in drawn:
        ax.plot(*_cut_poles(ax, x, height), label=text)
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
    ax = panel(ax, "plot.tangent", figsize=figsize)
    name = label or f"{name_of(f)}(x)"
    ax.plot(*_cut_poles(ax, x, y), label=name)
    for place, height, slope in zip(places, heights, slopes, strict=True):
        text = f"tangent at x = {written(place)}, slope {written(slope)}"
        (line,) = ax.plot(x, height + slope * (x - place), label=text, linewidth=style.LINE * 0.8)
        ax.plot([place], [height], "o", color=line.get_color(), markersize=5, zorder=line.get_zorder() + 1)
    style.label(ax, x=xlabel, y=ylabel or name, title=title)
    style.legend(ax)
    return ax


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


def values(f: Scalar, x: Floats, what: str, *, derivative: bool = False) -> tuple[Floats, Floats]:
    """f and, if asked for, its derivative at each of these points: (n,), (n,)."""
    y, slope = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for index, place in enumerate(x):
        argument = tensor(float(place), dtype=float64, requires_grad=derivative)
        with enable_grad() if derivative else no_grad():
            result = f(argument)
            y[index] = _one_number(result, what)
            if derivative:
                slope[index] = _slope(result, argument, what)
    if x.size > 1 and not np.isfinite(y).any():
        raise ArgumentError.of(
            what,
            given=f"a function that is no finite number at any of {x.size} points in"
            f" [{written(x.min())}, {written(x.max())}]",
            must="there must be something to draw",
            hint="xlim=(a, b) with an interval where it is defined",
        )
    return y, slope


def name_of(f: Any) -> str:
    """The name of a function as one writes it; 'f' for a lambda."""
    name = getattr(f, "__name__", "f")
    return "f" if name == "<lambda>" else name.strip("_") or "f"


def _one_number(result: Any, what: str) -> float:
    if isinstance(result, Tensor | np.ndarray | np.generic):
        if math.prod(result.shape) == 1:
            return float(result.detach() if isinstance(result, Tensor) else result.item())
        raise ShapeError.of(
            what,
            given=f"a function that gives shape {tuple(result.shape)} for a 0-d tensor",
            must="it must give one number for one number",
            hint="lambda x: model(x.reshape(1, 1)), for a model with one input and one output",
        )
    if isinstance(result, int | float):
        return float(result)
    raise ArgumentError.of(
        what,
        given=f"a function that gives {shortened(result)}",
        must="it must give one number for one number: a tensor of one element, or a float",
    )


def _slope(result: Any, argument: Tensor, what: str) -> float:
    slope = None
    if isinstance(result, Tensor) and result.requires_grad:
        (slope,) = grad(result.reshape(()), argument, allow_unused=True)
    if slope is None:
        raise GradError.of(
            what,
            given="a function whose result does not come from the tensor that it gets",
            must="its derivative is not known: what math, NumPy or float() compute is not recorded",
            hint="the functions of chainrule: torch.sin(x) instead of math.sin(x)",
        )
    return float(slope)


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


def _cut_poles(ax: Axes, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Keep a pole from making the rest flat, and from being crossed by a line from one side to the other."""
    finite = y[np.isfinite(y)]
    low, high = np.quantile(finite, [0.02, 0.98])
    room = max(high - low, 1e-300)
    if np.ptp(finite) <= POLE * room or len(finite) < 50:
        return x, y
    low, high = low - 0.3 * room, high + 0.3 * room
    ax.set_ylim(low, high)
    side = np.where(y > high, 1, np.where(y < low, -1, 0))
    crossed = np.flatnonzero(side[1:] * side[:-1] == -1) + 1
    return np.insert(x, crossed, x[crossed]), np.insert(y, crossed, np.nan)


def _with_margin(y: Floats, share: float = 0.05) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    low, high = float(finite.min()), float(finite.max())
    room = share * (high - low)
    return low - room, high + room
