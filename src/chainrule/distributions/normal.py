"""The normal distribution. Several dimensions that depend on each other: `multivariate_normal.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..functions.pointwise import erfc, erfinv, log
from ..functions.sampling import randn
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import LOG_2PI, broadcast_all


class Normal(Distribution):
    """The normal distribution with density exp(-((x - loc) / scale)² / 2) / (scale sqrt(2 pi)).

    Shapes:  loc and scale broadcast to batch_shape.
    Args:    loc: the mean. scale: the standard deviation (not the variance), > 0.
    Raises:  ArgumentError for a scale that is not above 0; ShapeError for shapes that do not broadcast.

    >>> import chainrule as torch
    >>> d = Normal(0.0, 2.0)
    >>> d.cdf(torch.tensor(0.0)), d.variance
    (tensor(0.5000), tensor(4.))
    """

    arg_constraints: ClassVar = {"loc": constraints.real, "scale": constraints.positive}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all("Normal", loc=loc, scale=scale)
        given = {"loc": self.loc, "scale": self.scale}
        super().__init__(self.loc.shape, (), given, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.real

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + self.scale * randn(self._shape(sample_shape), dtype=self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        z = (value - self.loc) / self.scale
        return -(z**2) / 2 - log(self.scale) - LOG_2PI / 2

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        # erfc keeps its digits in the left tail, where 1 + erf has none.
        return erfc((self.loc - value) / (self.scale * math.sqrt(2))) / 2

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * math.sqrt(2) * erfinv(2 * value - 1)

    def entropy(self) -> Tensor:
        return log(self.scale) + (1 + LOG_2PI) / 2
