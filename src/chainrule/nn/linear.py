"""Layers that are affine maps, and the one that does nothing. Next: `activation.py`."""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import dtype as DType
from ..core.errors import ChainruleError, DTypeError
from ..creation import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .locate import Facts, shape_text
from .module import Module
from .parameter import Parameter


class Identity(Module):
    """Gives back what it gets. Arguments are accepted and ignored, so that it can stand in for any layer.

    >>> import chainrule as torch
    >>> torch.nn.Identity(54, unused=True)(torch.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """x @ weight.T + bias, with both learned.

    Shapes:  (..., in_features) -> (..., out_features). weight (out_features, in_features), bias
             (out_features,).
    Start:   both uniform in ±1/sqrt(in_features).
    Raises:  ShapeError, naming the layer by its path in the model, if the last axis of x is not in_features.

    >>> import chainrule as torch
    >>> layer = torch.nn.Linear(3, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # this gain gives the bound 1/sqrt(in_features)
        if self.bias is not None and self.in_features > 0:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def explain_error(self, err: ChainruleError, *args: Any) -> Facts | None:
        x, weight = args[0] if args else None, self.weight
        if not isinstance(x, Tensor):
            return None
        if isinstance(err, DTypeError) or x.dtype != weight.dtype:
            return Facts(
                f"x of {x.dtype}, but its weight is of {weight.dtype}",
                "both must have the same element type",
                f"x.to({weight.dtype}), or layer.to({x.dtype})"
                if x.is_floating_point()
                else f"x.to({weight.dtype})",
            )
        size = x.shape[-1] if x.ndim else 0
        if size == self.in_features and x.ndim:
            return None
        given = f"x {shape_text(x)}, but its weight is {shape_text(weight)}"
        if not x.ndim:
            return Facts(given, "x must have at least one axis", "x.reshape(1), if it is one number")
        must = f"the last axis of x ({size}) must equal in_features ({self.in_features})"
        flat = math.prod(x.shape[1:])
        if x.ndim > 2 and flat == self.in_features:
            hint = "nn.Flatten() before it, which makes x " + str((x.shape[0], flat))
        else:
            hint = f"Linear({size}, {self.out_features}), or look at the layer before it"
        return Facts(given, must, hint)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Bilinear(Module):
    """x1' A x2 + bias for a learned matrix A for each output.

    Shapes:  (..., in1_features), (..., in2_features) -> (..., out_features).
    Start:   uniform in ±1/sqrt(in1_features).

    >>> import chainrule as torch
    >>> torch.nn.Bilinear(3, 2, 4)(torch.ones(5, 3), torch.ones(5, 2)).shape
    torch.Size([5, 4])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
