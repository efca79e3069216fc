"""The beta distribution: a probability that is not known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import float64
from ..functions.elementwise import clamp, where
from ..functions.pointwise import digamma, sigmoid
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .incomplete import moving
from .parameters import broadcast_all, drawn, log_beta, log_of, type_of, weighted
from .rejection import log_gamma


class Beta(Distribution):
    """The distribution on [0, 1] with density x^(a - 1) (1 - x)^(b - 1) / B(a, b).

    Shapes:  concentration1 (a) and concentration0 (b) broadcast to batch_shape.
    Raises:  ArgumentError for parameters that are not above 0.
    `rsample` has first derivatives only; there is no `cdf`.

    After h heads and t tails of a coin of which nothing was known:

    >>> import chainrule as torch
    >>> Beta(1.0 + 7, 1.0 + 3).mean
    tensor(0.6667)
    """

    arg_constraints: ClassVar = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(
            "Beta", concentration1=concentration1, concentration0=concentration0
        )
        given = {"concentration1": self.concentration1, "concentration0": self.concentration0}
        super().__init__(self.concentration1.shape, (), given, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.unit_interval

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """Where the density is highest; nan if it is at both ends, or everywhere."""
        a, b = self.concentration1, self.concentration0
        inner = (a - 1) / (a + b - 2)
        edge = where((a > 1) & (b <= 1), 1.0, where((b > 1) & (a <= 1), 0.0, float("nan")))
        edge = where((a < 1) & (b == 1), 0.0, where((b < 1) & (a == 1), 1.0, edge))
        return where((a > 1) & (b > 1), inner, edge)

    @property
    def variance(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return a * b / ((a + b) ** 2 * (a + b + 1))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        kind = type_of(self.concentration1)
        limits = np.finfo(kind.numpy)
        low, high = float(limits.tiny), 1 - float(limits.epsneg)  # the ends may have an infinite density

        def sampler(g: Any, a: Any, b: Any) -> Any:
            first, second = log_gamma(g, a), log_gamma(g, b)
            return np.clip(np.exp(first - np.logaddexp(first, second)), low, high)

        shape = self._shape(sample_shape)
        return drawn("Beta.sample", sampler, shape, kind, self.concentration1, self.concentration0)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        # The share of one gamma number in the sum of two.
        kind, shape = type_of(self.concentration1), self._shape(sample_shape)
        logs = []
        for a in (self.concentration1, self.concentration0):
            exact = a.to(float64)
            draw = drawn("Beta.rsample", log_gamma, shape, float64, exact)
            logs.append(moving(draw, exact.expand(shape)))
        limits = np.finfo(kind.numpy)
        return clamp(sigmoid(logs[0] - logs[1]).to(kind), float(limits.tiny), 1 - float(limits.epsneg))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        a, b = self.concentration1, self.concentration0
        return weighted(a - 1, log_of(value)) + weighted(b - 1, log_of(1 - value)) - log_beta(a, b)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return log_beta(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b)
