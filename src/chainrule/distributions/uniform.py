"""The uniform distribution on an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ArgumentError
from ..functions.elementwise import clamp, where
from ..functions.options import values_known
from ..functions.pointwise import log
from ..functions.sampling import rand
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import broadcast_all


class Uniform(Distribution):
    """Numbers in [low, high), each as likely as any other.

    Shapes:  low and high broadcast to batch_shape.
    Raises:  ArgumentError where low is not below high.

    >>> import chainrule as torch
    >>> d = Uniform(torch.tensor([0.0, 1.0]), 3.0)
    >>> d.mean, d.prob(torch.tensor(2.0))
    (tensor([1.5000, 2.0000]), tensor([0.3333, 0.5000]))
    """

    arg_constraints: ClassVar = {"low": constraints.real, "high": constraints.real}
    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all("Uniform", low=low, high=high)
        given = {"low": self.low, "high": self.high}
        super().__init__(self.low.shape, (), given, validate_args=validate_args)
        if self._validate_args and values_known(self.low) and values_known(self.high):
            _check_order(self.low._a, self.high._a)

    @property
    def support(self) -> Constraint:
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.low + self.high) / 2

    @property
    def mode(self) -> Tensor:
        """nan: no number is more likely than the others."""
        return self.low * float("nan")

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / 12**0.5

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.low + rand(self._shape(sample_shape), dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        inside = (value >= self.low) & (value < self.high)
        return where(inside, -log(self.high - self.low), -float("inf"))

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        return clamp((value - self.low) / (self.high - self.low), 0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return self.low + value * (self.high - self.low)

    def entropy(self) -> Tensor:
        return log(self.high - self.low)


def _check_order(low: np.ndarray[Any, Any], high: np.ndarray[Any, Any]) -> None:
    bad = np.argwhere(~(low < high))
    if len(bad):
        k = tuple(int(i) for i in bad[0])
        raise ArgumentError.of(
            "Uniform",
            given=f"low {low[k].item()} and high {high[k].item()}" + (f" at {list(k)}" if k else ""),
            must="low must be less than high",
            hint="Uniform(0.0, 1.0)",
        )
