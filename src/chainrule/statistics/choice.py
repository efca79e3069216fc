"""Choosing by scores: hard and soft maximum, temperature, margins.

The central idea: the hard choice is the limit of the soft one. softmax(x / t) becomes the one-hot vector of
the largest score as the temperature t goes to 0, and uniform as it grows; t logsumexp(x / t) comes down to
the maximum in the same way, and its gradient is softmax(x / t). `softmin` is softmax of -x:
`nn.functional.softmin`, which is public here, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plot
from ..core.errors import ArgumentError, ShapeError
from ..creation import arange, as_tensor
from ..eager import need_tensor
from ..functions.elementwise import where
from ..functions.extrema import amax, argmax
from ..functions.reductions import logsumexp
from ..functions.scans import softmax
from ..functions.selection import gather
from ..nn.functional.activation import softmin
from ..tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["hardmax", "margin", "smooth_maximum", "softmax_at", "softmin", "temperatures"]


def hardmax(x: Tensor, dim: int = -1) -> Tensor:
    """1 at the largest score along an axis (the first of equals), 0 elsewhere. It has no gradient.

    Shapes:  x (..., k) -> (..., k), in the type of x.

    >>> import chainrule as torch
    >>> hardmax(torch.tensor([1.0, 3.0, 2.0]))
    tensor([0., 1., 0.])
    """
    scores = need_tensor(x, "hardmax").detach().movedim(dim, -1)  # (..., k)
    chosen = argmax(scores, -1, keepdim=True) == arange(scores.shape[-1])
    return chosen.to(x.dtype).movedim(-1, dim)


def softmax_at(x: Tensor, temperature: Any = 1.0, dim: int = -1) -> Tensor:
    """softmax(x / temperature): `hardmax` as the temperature goes to 0, uniform as it grows.

    Args:    temperature: a number > 0, or a tensor that broadcasts against x.
    Raises:  ArgumentError for a temperature that is not above 0.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 3.0, 2.0])
    >>> softmax_at(x, 0.001), softmax_at(x, 100.0)
    (tensor([0., 1., 0.]), tensor([0.3300, 0.3367, 0.3333]))
    """
    return softmax(need_tensor(x, "softmax_at") / _warm(temperature, "softmax_at"), dim)


def smooth_maximum(x: Tensor, temperature: float = 1.0, dim: int = -1) -> Tensor:
    """t log Σ exp(x / t): above the maximum by at most t log k; its gradient is softmax(x / t).

    Raises:  ArgumentError for a temperature that is not above 0.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
    >>> smooth_maximum(x).backward()
    >>> smooth_maximum(x, 0.01).item(), x.grad
    (3.0, tensor([0.0900, 0.6652, 0.2447]))
    """
    t = _warm(temperature, "smooth_maximum")
    out: Tensor = t * logsumexp(need_tensor(x, "smooth_maximum") / t, dim)
    return out


def margin(scores: Tensor, labels: Tensor) -> Tensor:
    """By how much the score of the true class is above the best of the others: o_y - max o_i, i ≠ y.

    An example is classified right where it is above 0, and with margin Δ where it is at least Δ.

    Shapes:  scores (n, k), labels (n,), class numbers -> (n,).
    Raises:  ShapeError for other shapes; ArgumentError for a label that is no class.

    >>> import chainrule as torch
    >>> margin(torch.tensor([[2.0, 0.5, 1.0], [0.0, 0.3, 1.0]]), torch.tensor([0, 1]))
    tensor([ 1.0000, -0.7000])
    """
    if scores.ndim != 2 or tuple(labels.shape) != (scores.shape[0],) or scores.shape[1] < 2:
        raise ShapeError.of(
            "margin",
            given=f"scores {tuple(scores.shape)} and labels {tuple(labels.shape)}",
            must="scores must be (n, k) with k >= 2 classes, and labels (n,)",
        )
    true = gather(scores, 1, labels.unsqueeze(1))  # (n, 1)
    others = where(arange(scores.shape[1]) == labels.unsqueeze(1), -float("inf"), scores)
    return true.squeeze(1) - amax(others, 1)


def temperatures(
    x: Any,
    low: float = 0.05,
    high: float = 20.0,
    *,
    title: str | None = "softmax(x / t): from the hard choice to none",
    ax: Axes | None = None,
) -> Axes:
    """A picture of softmax(x / t) against the temperature t: one line for each score, hard at the left.

    Shapes:  x (k,).
    Raises:  ShapeError for anything but a vector; ArgumentError unless 0 < low < high.

    >>> axes = temperatures([1.0, 3.0, 2.0])
    >>> [line.get_label() for line in axes.lines]
    ['score 1', 'score 3', 'score 2']
    """
    scores = as_tensor(x).detach().double()
    if scores.ndim != 1:
        raise ShapeError.of(
            "temperatures", given=f"x {tuple(scores.shape)}", must="x must be a vector of scores"
        )
    if not 0 < low < high:
        raise ArgumentError.of(
            "temperatures", given=f"low={low}, high={high}", must="it must be 0 < low < high"
        )
    t = np.geomspace(low, high, 200)
    soft = softmax_at(scores, as_tensor(t).unsqueeze(1))  # (200, k)
    return plot.lines(
        t,
        list(soft.numpy().T),
        legend=[f"score {v:g}" for v in scores.tolist()],
        xlabel="temperature t",
        ylabel="probability",
        xscale="log",
        title=title,
        ylim=(0, 1),
        ax=ax,
    )


def _warm(temperature: Any, what: str) -> Any:
    cold = temperature.min().item() if isinstance(temperature, Tensor) else temperature
    if not cold > 0:
        raise ArgumentError.of(
            what,
            given=f"temperature={cold}",
            must="the temperature must be above 0",
            hint="hardmax(x), for the limit at 0",
        )
    return temperature
