"""Normalization over the batch or over the features, and dropout. Next: `sparse.py`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...autograd import no_grad
from ...core.errors import ArgumentError, ShapeError
from ...creation import empty_like
from ...tensor import Tensor


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | Tensor = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel.

    In training mean and (biased) variance are those of the batch, and the running ones, if given, move
    towards them: `running = (1 - momentum) * running + momentum * new`, with the unbiased variance. Otherwise
    the running ones are used.

    Shapes:  input (n, c) or (n, c, ...), all others (c,) -> as input.
    Raises:  ShapeError for less than 2 axes; for training on a single value per channel.
    Source:  Ioffe & Szegedy, 2015.

    >>> import chainrule as torch
    >>> batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if input.ndim < 2:
        raise ShapeError.of(
            "batch_norm",
            given=f"x {tuple(input.shape)}",
            must="x must be (n, c) or (n, c, ...)",
            hint="x.unsqueeze(0)",
        )
    axes = (0, *range(2, input.ndim))  # all but the channels
    column = (-1,) + (1,) * (input.ndim - 2)  # (c,) -> (c, 1, ...), which lines up with axis 1
    if training:
        centered, var = _of_batch(input, axes, running_mean, running_var, momentum)
    else:
        if running_mean is None or running_var is None:
            raise ArgumentError.of(
                "batch_norm",
                given="no running_mean or running_var",
                must="evaluation needs both",
                hint="training=True",
            )
        centered = input - running_mean.reshape(column)
        var = running_var.reshape(column)
    scale = (var + eps).rsqrt()
    if weight is not None:
        scale = scale * weight.reshape(column)
    return centered * scale if bias is None else centered * scale + bias.reshape(column)


def _of_batch(
    x: Tensor,
    axes: tuple[int, ...],
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float | Tensor,
) -> tuple[Tensor, Tensor]:
    """x minus the batch's mean, and the batch's variance; the running statistics move towards them."""
    count = x.numel() // max(x.shape[1], 1)
    if count == 0:  # no values, no statistics: anything finite will do
        return x, x.new_ones(1)
    if count == 1:
        raise ShapeError.of(
            "batch_norm in training",
            given=f"x {tuple(x.shape)}",
            must="there must be more than 1 value per channel (axis 1)",
            hint="a larger batch (drop_last=True leaves a small last one out), or model.eval()",
        )
    mean = x.mean(axes, keepdim=True)  # (1, c, 1, ...)
    centered = x - mean
    var = centered.square().mean(axes, keepdim=True)  # (1, c, 1, ...)
    with no_grad():
        if running_mean is not None:
            _move(running_mean, mean.reshape(-1), momentum)
        if running_var is not None:
            _move(running_var, var.reshape(-1) * (count / (count - 1)), momentum)
    return centered, var


def _move(running: Tensor, new: Tensor, momentum: float | Tensor) -> None:
    running += (new - running) * momentum


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias, over the last axes of each sample.

    Shapes:  input (..., *normalized_shape), weight and bias normalized_shape -> as input.
    Raises:  ShapeError if the last axes of x are not the normalized shape.
    Source:  Ba, Kiros & Hinton, 2016.

    >>> import chainrule as torch
    >>> layer_norm(torch.tensor([[1.0, 3.0], [0.0, 10.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    shape = tuple(normalized_shape)
    rank = len(shape)
    if rank == 0 or tuple(input.shape[-rank:]) != shape:
        raise ShapeError.of(
            "layer_norm",
            given=f"x {tuple(input.shape)} and normalized_shape {shape}",
            must=f"the last {'axis' if rank == 1 else f'{rank} axes'} of x must be {shape}"
            if rank
            else "normalized_shape must name at least one axis",
            hint=f"normalized_shape={tuple(input.shape[-max(rank, 1) :])}",
        )
    axes = tuple(range(-rank, 0))
    centered = input - input.mean(axes, keepdim=True)
    var = centered.square().mean(axes, keepdim=True)
    out = centered * (var + eps).rsqrt()
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element is set to 0 with probability p, and the others are divided by 1 - p; so the mean stays.

    Without `training`, x itself.
    Raises:  ArgumentError (a ValueError) if p is not in [0, 1].
    Source:  Srivastava et al., 2014.

    >>> import chainrule as torch
    >>> dropout(torch.ones(3), p=1.0), dropout(torch.ones(3), training=False)
    (tensor([0., 0., 0.]), tensor([1., 1., 1.]))
    """
    if not 0 <= p <= 1:
        raise ArgumentError.of(
            "dropout", given=f"p={p}", must="the probability p must lie in [0, 1]", hint="p=0.5"
        )
    if not training or p == 0 or prod(input.shape) == 0:
        return input
    if p == 1:
        return input.mul_(0.0) if inplace else input * 0.0
    mask = empty_like(input).bernoulli_(1 - p).mul_(1 / (1 - p))
    return input.mul_(mask) if inplace else input * mask
