"""Start values for parameters, written into a tensor in place without recording a gradient.

The random ones draw from the default generator, or from the one given. Next: `utils/clip.py`.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd import no_grad
from ..core.errors import ArgumentError, ShapeError, nearest
from ..core.warn import warn
from ..creation import empty, eye
from ..functions.parts import diagonal
from ..functions.sampling import randperm
from ..linalg import qr
from ..tensor import Tensor

_CONVOLUTIONS = [f"conv{transposed}{d}d" for transposed in ("", "_transpose") for d in (1, 2, 3)]
_GAINS = dict.fromkeys(["linear", *_CONVOLUTIONS, "sigmoid"], 1.0) | {
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which start values are scaled so that the activation keeps the variance.

    1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope²)) for leaky_relu (`param`
    is the slope, 0.01 if not given), 3/4 for selu.
    Raises:  ArgumentError (a ValueError) for another name.

    >>> calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, int | float | None):
            raise ArgumentError.of(
                "calculate_gain", given=f"the slope {param!r}", must="it must be a number", hint="0.01"
            )
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        names = [*_GAINS, "leaky_relu"]
        raise ArgumentError.of(
            "calculate_gain",
            given=f"nonlinearity {nonlinearity!r}",
            must=f"it must be one of {', '.join(names)}{nearest(str(nonlinearity), names)}",
        )
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in [a, b).

    >>> import chainrule as torch
    >>> w = torch.nn.init.uniform_(torch.empty(3, 5), -1.0, 1.0)
    >>> bool((w >= -1).all()), bool((w < 1).all())
    (True, True)
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with the given mean and standard deviation.

    >>> import chainrule as torch
    >>> torch.nn.init.normal_(torch.empty(3, 5), std=0.01).shape
    torch.Size([3, 5])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Normal with the given mean and standard deviation, restricted to [a, b].

    By inverting the distribution function on the part of (0, 1) that belongs to [a, b].
    Raises:  ArgumentError if a > b.

    >>> import chainrule as torch
    >>> w = torch.nn.init.trunc_normal_(torch.empty(100), a=-0.5, b=0.5)
    >>> bool((w.abs() <= 0.5).all())
    True
    """
    if a > b:
        raise ArgumentError.of("trunc_normal_", given=f"a={a} and b={b}", must="a must not be larger than b")
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            f"trunc_normal_ got mean={mean} and std={std} for [{a}, {b}]\n"
            "  the mean is more than 2 std outside, so nearly all values will lie at one end"
        )
    low, high = (math.erf((x - mean) / (std * math.sqrt(2))) for x in (a, b))
    with no_grad():
        tensor.uniform_(low, high, generator=generator)
        return tensor.erfinv_().mul_(std * math.sqrt(2)).add_(mean).clamp_(a, b)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The same value everywhere.

    >>> import chainrule as torch
    >>> torch.nn.init.constant_(torch.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    >>> import chainrule as torch
    >>> torch.nn.init.ones_(torch.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros.

    >>> import chainrule as torch
    >>> torch.nn.init.zeros_(torch.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere: a linear layer starts as the identity.

    >>> import chainrule as torch
    >>> torch.nn.init.eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _needs_axes("eye_", tensor, 2, exactly=True)
    with no_grad():
        return tensor.copy_(eye(*tensor.shape, dtype=tensor.dtype))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in ±gain * sqrt(6 / (fan_in + fan_out)). Source: Glorot & Bengio, 2010.

    >>> import chainrule as torch
    >>> w = torch.nn.init.xavier_uniform_(torch.empty(3, 3))
    >>> bool((w.abs() <= 1).all())
    True
    """
    fan_in, fan_out = _fans("xavier_uniform_", tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)). Source: Glorot & Bengio, 2010.

    >>> import chainrule as torch
    >>> torch.nn.init.xavier_normal_(torch.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    fan_in, fan_out = _fans("xavier_normal_", tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform in ±gain * sqrt(3 / fan), with the gain of the nonlinearity (slope `a`).

    Source:  He et al., 2015.

    >>> import chainrule as torch
    >>> w = torch.nn.init.kaiming_uniform_(torch.empty(3, 6), nonlinearity="relu")
    >>> bool((w.abs() <= 1).all())
    True
    """
    if tensor.numel() == 0:
        return _nothing("kaiming_uniform_", tensor)
    bound = (
        math.sqrt(3.0) * calculate_gain(nonlinearity, a) / math.sqrt(_fan("kaiming_uniform_", tensor, mode))
    )
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal with standard deviation gain / sqrt(fan), with the gain of the nonlinearity.

    Source:  He et al., 2015.

    >>> import chainrule as torch
    >>> torch.nn.init.kaiming_normal_(torch.empty(3, 5), mode="fan_out", nonlinearity="relu").shape
    torch.Size([3, 5])
    """
    if tensor.numel() == 0:
        return _nothing("kaiming_normal_", tensor)
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan("kaiming_normal_", tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Rows (or columns, if there are fewer) that are orthonormal, times gain.

    Axes after the first count as one.

    Source:  Saxe et al., 2013; the signs of QR are fixed so that every orthogonal matrix is equally likely.

    >>> import chainrule as torch
    >>> w = torch.nn.init.orthogonal_(torch.empty(2, 3))
    >>> torch.allclose(w @ w.T, torch.eye(2), atol=1e-6)
    True
    """
    _needs_axes("orthogonal_", tensor, 2)
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with no_grad():
        tall = empty(max(rows, columns), min(rows, columns), dtype=tensor.dtype)
        tall.normal_(0, 1, generator=generator)
        q, r = qr(tall)
        q = q * diagonal(r).sign()
        return tensor.copy_((q.T if rows < columns else q).reshape(tensor.shape)).mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal with mean 0, and in each column of the matrix a fraction `sparsity` of zeros.

    Source:  Martens, 2010.

    >>> import chainrule as torch
    >>> w = torch.nn.init.sparse_(torch.empty(4, 2), sparsity=0.5)
    >>> (w == 0).sum(0)
    tensor([2, 2])
    """
    _needs_axes("sparse_", tensor, 2, exactly=True)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[randperm(rows, generator=generator)[:zeros], column] = 0.0
    return tensor


def _fans(what: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and the other way round; further axes multiply both."""
    _needs_axes(what, tensor, 2)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(what: str, tensor: Tensor, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    mode = mode.lower()
    if mode not in modes:
        raise ArgumentError.of(
            what, given=f"mode={mode!r}", must=f"mode must be 'fan_in' or 'fan_out'{nearest(mode, modes)}"
        )
    return _fans(what, tensor)[modes.index(mode)]


def _nothing(what: str, tensor: Tensor) -> Tensor:
    warn(f"{what} got a tensor {tuple(tensor.shape)}\n  it has no elements, so there is nothing to set")
    return tensor


def _needs_axes(what: str, tensor: Tensor, axes: int, exactly: bool = False) -> None:
    if tensor.ndim < axes or (exactly and tensor.ndim != axes):
        must = f"it must have {'exactly' if exactly else 'at least'} {axes} axes"
        raise ShapeError.of(what, given=f"a tensor {tuple(tensor.shape)}", must=must)
