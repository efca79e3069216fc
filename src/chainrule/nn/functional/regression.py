"""Losses that compare numbers with numbers: squared, absolute, Huber, and two likelihoods.

Input and target should have one shape; another one warns (`../broadcast_check.py`). The reduction is the mean
over all elements unless said otherwise. Next: `classification.py`.
"""

from __future__ import annotations

import math

from ...autograd import no_grad
from ...core.errors import ArgumentError, ShapeError
from ...creation import full_like
from ...functions.elementwise import where
from ...functions.options import values_known
from ...tensor import Tensor
from ..broadcast_check import same_shapes
from .reduction import REDUCTIONS, chosen, invalid, reduced


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean of (input - target)². With weights: sum(w d²) / sum(w).

    Shapes:  input (...), target (...), weight (...) -> (), or (...) for reduction="none".
    Warns:   if the shapes differ. Raises: ShapeError if they do not broadcast.

    >>> import chainrule as torch
    >>> mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    same_shapes("mse_loss", input, target)
    reduction = chosen(size_average, reduce, reduction)
    return _weighted((input - target).square(), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean of |input - target|; the derivative where they are equal is 0. With weights: sum(w |d|) / sum(w).

    Shapes, warnings and errors as in `mse_loss`.

    >>> import chainrule as torch
    >>> l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """
    same_shapes("l1_loss", input, target)
    reduction = chosen(size_average, reduce, reduction)
    return _weighted((input - target).abs(), weight, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d² / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = input - target. Source: Huber, 1964.

    Weights multiply the losses; the mean is then over the number of elements, not over the weights.
    Shapes, warnings and errors as in `mse_loss`.

    >>> import chainrule as torch
    >>> huber_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    same_shapes("huber_loss", input, target)
    if delta <= 0:
        raise ArgumentError.of(
            "huber_loss", given=f"delta={delta}", must="delta must be positive", hint="delta=1.0"
        )
    losses = _huber(input - target, delta)
    return reduced(losses if weight is None else losses * _fitting(weight, losses), reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d² / (2 beta) where |d| < beta, else |d| - beta / 2: `huber_loss` / beta; beta = 0 is `l1_loss`.

    Shapes, warnings and errors as in `mse_loss`. Source: Girshick, 2015.

    >>> import chainrule as torch
    >>> smooth_l1_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none", beta=2.0)
    tensor([0.0625, 2.0000])
    """
    same_shapes("smooth_l1_loss", input, target)
    reduction = chosen(size_average, reduce, reduction)
    if beta < 0:
        raise ArgumentError.of("smooth_l1_loss", given=f"beta={beta}", must="beta must not be negative")
    d = input - target
    return reduced(d.abs() if beta == 0 else _huber(d, beta) / beta, reduction)


def _huber(d: Tensor, delta: float) -> Tensor:
    size = d.abs()
    part = size.clamp(max=delta)  # |d| as far as the loss is a parabola
    return part * (size - part * 0.5)


def _fitting(weight: Tensor, losses: Tensor) -> Tensor:
    if weight.shape != losses.shape:
        raise ShapeError.of(
            "a weighted loss",
            given=f"weight {tuple(weight.shape)} and losses {tuple(losses.shape)}",
            must="there must be one weight for each element",
            hint="weight.expand_as(input)",
        )
    return weight


def _weighted(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None:
        return reduced(losses, reduction)
    losses = losses * _fitting(weight, losses)
    return losses.sum() / weight.sum() if reduction == "mean" else reduced(losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood, in nats, of counts under a Poisson distribution, without log(target!).

    exp(x) - target x where `input` is the logarithm of the rate, else x - target log(x + eps). `full` adds
    Stirling's formula for log(target!) where target > 1.

    Shapes:  input (...), target (...) -> (), or (...) for reduction="none".

    >>> import chainrule as torch
    >>> poisson_nll_loss(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(1.)
    """
    same_shapes("poisson_nll_loss", input, target)
    reduction = chosen(size_average, reduce, reduction)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        counts = where(target > 1, target, 1.0)  # the logarithm below must be finite where it is not used
        stirling = counts * counts.log() - counts + 0.5 * (2 * math.pi * counts).log()
        losses = losses + where(target > 1, stirling, 0.0)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood, in nats, under normal distributions: (log v + (input - target)² / v) / 2.

    v is `var`, but at least eps. `full` adds log(2 pi) / 2.
    Shapes:  input (...), target (...), var as input, or with 1 for one axis, or without the last axis.
    Raises:  ArgumentError (a ValueError) if a variance is negative; ShapeError if var does not fit.

    >>> import chainrule as torch
    >>> gaussian_nll_loss(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([4.0]))
    tensor(1.1931)
    """
    same_shapes("gaussian_nll_loss", input, target)
    v = var if isinstance(var, Tensor) else full_like(input, float(var))
    if values_known(v) and bool((v < 0).any()):
        raise ArgumentError.of(
            "gaussian_nll_loss",
            given=f"a variance of {float(v.min())}",
            must="variances must not be negative",
            hint="let the model give the log of the variance, and take exp() of it",
        )
    if v.shape != input.shape:
        v = _variance_per_element(input, v)
    if reduction not in REDUCTIONS:
        raise invalid(reduction)
    with no_grad():
        below = v.clamp(min=eps) - v
    v = v + below  # max(var, eps) in value, while the gradient still reaches a variance below eps
    losses = 0.5 * (v.log() + (input - target).square() / v)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def _variance_per_element(input: Tensor, var: Tensor) -> Tensor:
    if var.shape == input.shape[:-1]:
        return var.unsqueeze(-1)  # (...) -> (..., 1)
    differing = (
        [v for x, v in zip(input.shape, var.shape, strict=True) if x != v] if input.ndim == var.ndim else []
    )
    if differing != [1]:
        raise ShapeError.of(
            "gaussian_nll_loss",
            given=f"input {tuple(input.shape)} and var {tuple(var.shape)}",
            must="var must have the shape of input, or 1 in one axis of it, or lack its last axis",
        )
    return var
