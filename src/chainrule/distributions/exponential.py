"""The exponential distribution: waiting times of something that happens at a constant rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..functions.pointwise import expm1, log, log1p
from ..functions.sampling import rand
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import broadcast_all


class Exponential(Distribution):
    """Waiting times with density rate exp(-rate x), x >= 0.

    Raises:  ArgumentError for a rate that is not above 0.

    >>> import chainrule as torch
    >>> Exponential(torch.tensor([1.0, 4.0])).mean
    tensor([1.0000, 0.2500])
    """

    arg_constraints: ClassVar = {"rate": constraints.positive}
    has_rsample = True

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all("Exponential", rate=rate)
        super().__init__(self.rate.shape, (), {"rate": self.rate}, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return 0 * self.rate

    @property
    def stddev(self) -> Tensor:
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        return self.rate**-2

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return -log1p(-rand(self._shape(sample_shape), dtype=self.rate.dtype)) / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        return log(self.rate) - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        return -expm1(-self.rate * value)

    def icdf(self, value: Tensor) -> Tensor:
        return -log1p(-value) / self.rate

    def entropy(self) -> Tensor:
        return 1 - log(self.rate)
