"""Normalization layers: BatchNorm1d and LayerNorm. Next: `sparse.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.dtypes import dtype as DType
from ..core.dtypes import int64
from ..core.errors import ChainruleError, ShapeError
from ..creation import empty, ones, tensor, zeros
from ..tensor import Tensor
from . import functional as F
from . import init
from .locate import Facts, shape_text
from .module import Module
from .parameter import Parameter


class BatchNorm1d(Module):
    """Each channel to mean 0 and variance 1 over the batch, then times weight plus bias.

    In training the batch's own statistics are used and the running ones move towards them by `momentum`
    (None: they become the plain average over all batches so far). In evaluation the running ones are used, if
    they are tracked.

    Shapes:  (n, c) or (n, c, l) -> the same.
    State:   weight (c,) ones and bias (c,) zeros if affine; running_mean, running_var, num_batches_tracked.
    Source:  Ioffe & Szegedy, 2015.

    >>> import chainrule as torch
    >>> layer = torch.nn.BatchNorm1d(2)
    >>> layer(torch.tensor([[1.0, 0.0], [3.0, 10.0]]))
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]], grad_fn=<AddBackward0>)
    >>> layer.running_mean
    tensor([0.2000, 0.5000])
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        size = num_features
        self.register_parameter(
            "weight", Parameter(empty(size, dtype=dtype, device=device)) if affine else None
        )
        self.register_parameter(
            "bias", Parameter(empty(size, dtype=dtype, device=device)) if affine and bias else None
        )
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(size, dtype=dtype, device=device) if tracked else None)
        self.register_buffer("running_var", ones(size, dtype=dtype, device=device) if tracked else None)
        self.register_buffer(
            "num_batches_tracked", tensor(0, dtype=int64, device=device) if tracked else None
        )
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the statistics of all batches so far."""
        if (
            self.running_mean is not None
            and self.running_var is not None
            and self.num_batches_tracked is not None
        ):
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Back to the start: weight 1, bias 0, no statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (2, 3):
            raise ShapeError.of(
                "BatchNorm1d", given=f"x {shape_text(input)}", must="x must be (n, c) or (n, c, l)"
            )
        momentum: float | Tensor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.double()
        learn = self.training and self.track_running_stats
        use_batch = self.training or self.running_mean is None or self.running_var is None
        keep = learn or not use_batch
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            use_batch,
            momentum,
            self.eps,
        )

    def explain_error(self, err: ChainruleError, *args: Any) -> Facts | None:
        x = args[0] if args else None
        if not isinstance(x, Tensor):
            return None
        if x.ndim not in (2, 3):
            return Facts(
                f"x {shape_text(x)}", "x must be (n, c) or (n, c, l)", "x.unsqueeze(0), if it is one sample"
            )
        if x.shape[1] != self.num_features:
            return Facts(
                f"x {shape_text(x)}, but it has {self.num_features} channels",
                f"axis 1 of x ({x.shape[1]}) must equal num_features ({self.num_features})",
                f"BatchNorm1d({x.shape[1]}), or look at the layer before it",
            )
        count = x.shape[0] * (x.shape[2] if x.ndim == 3 else 1)
        if self.training and count == 1:
            return Facts(
                f"x {shape_text(x)} in training",
                "there must be more than 1 value per channel (axis 1)",
                "a larger batch (drop_last=True leaves a small last one out), or model.eval()",
            )
        return None

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
    """Each sample to mean 0 and variance 1 over its last axes, then times weight plus bias, elementwise.

    Shapes:  (..., *normalized_shape) -> the same. An integer stands for one axis.
    State:   weight ones and bias zeros of the normalized shape, if elementwise_affine (and bias).
    Source:  Ba, Kiros & Hinton, 2016.

    >>> import chainrule as torch
    >>> torch.nn.LayerNorm(2)(torch.tensor([[1.0, 3.0], [0.0, 10.0]]))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]], grad_fn=<AddBackward0>)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = tuple(shape), eps, elementwise_affine
        learned = elementwise_affine
        self.register_parameter(
            "weight", Parameter(empty(shape, dtype=dtype, device=device)) if learned else None
        )
        self.register_parameter(
            "bias", Parameter(empty(shape, dtype=dtype, device=device)) if learned and bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the start: weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def explain_error(self, err: ChainruleError, *args: Any) -> Facts | None:
        x, shape = args[0] if args else None, self.normalized_shape
        if not isinstance(x, Tensor) or tuple(x.shape[-len(shape) :]) == shape:
            return None
        fitting = tuple(x.shape[-len(shape) :])
        last = "axis" if len(shape) == 1 else f"{len(shape)} axes"
        return Facts(
            f"x {shape_text(x)}, but it normalizes over {shape}",
            f"the last {last} of x must be {shape}",
            f"LayerNorm({fitting[0] if len(shape) == 1 else fitting}), or look at the layer before it"
            if len(fitting) == len(shape)
            else "",
        )

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
