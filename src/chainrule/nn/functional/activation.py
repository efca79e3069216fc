"""Activation functions: elementwise nonlinearities, and softmax with its kin along one axis.

All are compositions of tensor operations, so gradients of any order come from these. Where a derivative is a
convention (at a kink), it is PyTorch's, and said in the docstring. Next: `loss.py`.
"""

from __future__ import annotations

import math
from typing import Any

from ...core.errors import ArgumentError, nearest
from ...core.warn import warn
from ...functions.elementwise import where
from ...functions.pointwise import logaddexp
from ...tensor import Tensor

_SELU_ALPHA = 1.6732632423543772848170429916717  # fixed point of mean 0 and variance 1, Klambauer et al. 2017
_SELU_SCALE = 1.0507009873554804934193349852946
_SQRT_HALF = math.sqrt(0.5)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


def _into(x: Tensor, inplace: bool) -> Tensor:
    """What an activation reads: with `inplace` a copy, because x itself is about to be overwritten."""
    return x.clone() if inplace else x


def _out(x: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """The result itself, or x with the result written into its memory."""
    return x.copy_(result) if inplace else result


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0). Shapes: (...) -> (...). The derivative at 0 is 0.

    >>> import chainrule as torch
    >>> relu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return input.relu_() if inplace else input.relu()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x. The derivative at 0 is the negative slope.

    >>> import chainrule as torch
    >>> leaky_relu(torch.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    x = _into(input, inplace)
    return _out(input, where(x > 0, x, x * negative_slope), inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight * x, with a learned weight for all channels or one for each.

    Shapes:  input (n, c, ...) or (...), weight (c,) or (1,) or () -> as input. Channels are axis 1 (axis 0 of
             1-d).

    >>> import chainrule as torch
    >>> prelu(torch.tensor([[-1.0, -2.0]]), torch.tensor([0.5, 0.1]))
    tensor([[-0.5000, -0.2000]])
    """
    if weight.numel() != 1:
        channels = input.shape[min(1, input.ndim - 1)] if input.ndim else 1
        if weight.ndim > 1 or weight.numel() != channels:
            raise ArgumentError.of(
                "prelu",
                given=f"x {tuple(input.shape)} and weight {tuple(weight.shape)}",
                must=f"weight must hold one number, or one for each of the {channels} channels (axis 1 of x)",
                hint=f"num_parameters=1 or num_parameters={channels}",
            )
        weight = weight.reshape((-1,) + (1,) * max(input.ndim - 2, 0))  # (c,) -> (c, 1, ...)
    elif weight.ndim > input.ndim:
        weight = weight.reshape(())
    return where(input > 0, input, weight * input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1). Source: Clevert et al., 2015.

    >>> import chainrule as torch
    >>> elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    x = _into(input, inplace)
    # The branch that is not taken must stay finite: infinity times a zero gradient would be NaN.
    return _out(input, where(x > 0, x, x.clamp(max=0.0).expm1() * alpha), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x / alpha) - 1): an elu that is smooth for every alpha.

    >>> import chainrule as torch
    >>> celu(torch.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ArgumentError.of("celu", given="alpha=0", must="alpha must not be 0")
    x = _into(input, inplace)
    return _out(input, where(x > 0, x, (x / alpha).clamp(max=0.0).expm1() * alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """elu with the alpha and scale that keep mean 0 and variance 1. Source: Klambauer et al., 2017.

    >>> import chainrule as torch
    >>> selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    x = _into(input, inplace)
    negative = x.clamp(max=0.0).expm1() * (_SELU_SCALE * _SELU_ALPHA)
    return _out(input, where(x > 0, x * _SELU_SCALE, negative), inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * Phi(x) with the normal distribution's Phi; "tanh" approximates it.

    Source:  Hendrycks & Gimpel, 2016.

    >>> import chainrule as torch
    >>> gelu(torch.tensor([-1.0, 2.0])), gelu(torch.tensor([-1.0, 2.0]), approximate="tanh")
    (tensor([-0.1587,  1.9545]), tensor([-0.1588,  1.9546]))
    """
    x = input
    if approximate == "none":
        return x * 0.5 * (1 + (x * _SQRT_HALF).erf())
    if approximate == "tanh":
        return x * 0.5 * (1 + ((x + x * x * x * 0.044715) * _SQRT_2_OVER_PI).tanh())
    raise ArgumentError.of(
        "gelu",
        given=f"approximate={approximate!r}",
        must="approximate must be 'none' or 'tanh'" + nearest(str(approximate), ["none", "tanh"]),
    )


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), also called swish.

    >>> import chainrule as torch
    >>> silu(torch.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    x = _into(input, inplace)
    return _out(input, x * x.sigmoid(), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)). Source: Misra, 2019.

    >>> import chainrule as torch
    >>> mish(torch.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    x = _into(input, inplace)
    return _out(input, x * _softplus(x).tanh(), inplace)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)).

    >>> import chainrule as torch
    >>> sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    >>> import chainrule as torch
    >>> tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return input.tanh()


def _softplus(x: Tensor) -> Tensor:
    return logaddexp(x, x.new_zeros(()))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold, which is the same to rounding.

    >>> import chainrule as torch
    >>> softplus(torch.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    scaled = input * beta
    return where(scaled > threshold, input, _softplus(scaled) / beta)


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), exact for large negative x too.

    >>> import chainrule as torch
    >>> logsigmoid(torch.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """
    return -_softplus(-input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]. The derivative at both limits is 0.

    >>> import chainrule as torch
    >>> hardtanh(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError.of(
            "hardtanh",
            given=f"min_val={min_val} and max_val={max_val}",
            must="min_val must not be larger than max_val",
        )
    x = _into(input, inplace)
    return _out(input, where(x <= min_val, min_val, where(x >= max_val, max_val, x)), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x limited to [0, 6]. The derivative at 0 and at 6 is 0.

    >>> import chainrule as torch
    >>> relu6(torch.tensor([-3.0, 5.0, 8.0]))
    tensor([0., 5., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, and 0 where |x| <= lambd: the proximal step of the penalty lambd * |x|.

    The derivative is 1 outside of [-lambd, lambd] and 0 in it, its ends included.
    Raises:  ArgumentError for a negative lambd.

    >>> import chainrule as torch
    >>> softshrink(torch.tensor([-2.0, -0.5, 0.2, 1.0]), 0.5)
    tensor([-1.5000,  0.0000,  0.0000,  0.5000])
    """
    if not lambd >= 0:
        raise ArgumentError.of("softshrink", given=f"lambd = {lambd!r}", must="lambd must be at least 0")
    return input - input.clamp(-lambd, lambd)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> import chainrule as torch
    >>> softsign(torch.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x).

    >>> import chainrule as torch
    >>> tanhshrink(torch.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """
    return input - input.tanh()


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """(x + 3) / 6 limited to [0, 1], a sigmoid of straight lines. The derivative at -3 and at 3 is 0.

    >>> import chainrule as torch
    >>> hardsigmoid(torch.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    x = _into(input, inplace)
    return _out(input, hardtanh(x + 3, 0.0, 6.0) / 6, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x). The derivative is 0 at -3 and 1 at 3. Source: Howard et al., 2019.

    >>> import chainrule as torch
    >>> hardswish(torch.tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.0000, 0.0000, 1.1250, 4.0000])
    """
    x = _into(input, inplace)
    return _out(input, where(x <= -3, 0.0, where(x >= 3, x, x * (x + 3) / 6)), inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value.

    >>> import chainrule as torch
    >>> torch.nn.functional.threshold(torch.tensor([0.1, 0.9]), 0.5, -1.0)
    tensor([-1.0000,  0.9000])
    """
    x = _into(input, inplace)
    return _out(input, where(x > threshold, x, value), inplace)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`: positive numbers that sum to 1. Large x does not overflow.

    >>> import chainrule as torch
    >>> softmax(torch.tensor([[0.0, 0.0], [1000.0, 0.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    return _as(input, dtype).softmax(_along(input, dim, "softmax"))


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - log(sum(exp(x))) along `dim`: the logarithm of softmax, exact where softmax underflows.

    >>> import chainrule as torch
    >>> log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return _as(input, dtype).log_softmax(_along(input, dim, "log_softmax"))


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`.

    >>> import chainrule as torch
    >>> softmin(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _as(-input, dtype).softmax(_along(input, dim, "softmin"))


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else x.to(dtype)


def _along(x: Tensor, dim: int | None, name: str) -> int:
    """The axis; without one, the axis PyTorch guesses, said aloud because the guess depends on the rank."""
    if dim is not None:
        return dim
    guess = 0 if x.ndim in (0, 1, 3) else 1
    warn(
        f"{name} was called without dim on a tensor {tuple(x.shape)} and takes dim={guess}\n"
        "  the guess depends on the number of axes; classes are usually the last axis\n"
        f"  try: dim={guess} to keep this result, or dim=-1"
    )
    return guess
