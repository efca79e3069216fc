"""The gamma distribution: the waiting time for several events. Its draws are made in `rejection.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import float64
from ..functions.elementwise import clamp, where
from ..functions.pointwise import digamma, exp, lgamma, log
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .incomplete import gamma_cdf, moving
from .parameters import broadcast_all, drawn, log_of, type_of, weighted
from .rejection import log_gamma


class Gamma(Distribution):
    """The distribution with density rate^a x^(a - 1) exp(-rate x) / Γ(a), x > 0, a the concentration.

    Shapes:  concentration and rate broadcast to batch_shape.
    Raises:  ArgumentError for parameters that are not above 0.
    `rsample` has first derivatives only.

    >>> import chainrule as torch
    >>> d = Gamma(3.0, 2.0)
    >>> d.mean, d.mode, d.variance
    (tensor(1.5000), tensor(1.), tensor(0.7500))
    """

    arg_constraints: ClassVar = {"concentration": constraints.positive, "rate": constraints.positive}
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all("Gamma", concentration=concentration, rate=rate)
        given = {"concentration": self.concentration, "rate": self.rate}
        super().__init__(self.rate.shape, (), given, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return clamp(self.concentration - 1, min=0) / self.rate

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        kind = type_of(self.rate)
        smallest = float(np.finfo(kind.numpy).tiny)  # a draw is never 0, where the density may be infinite

        def sampler(g: Any, a: Any, rate: Any) -> Any:
            return np.maximum(np.exp(log_gamma(g, a) - np.log(rate)), smallest)

        shape = self._shape(sample_shape)
        return drawn("Gamma.sample", sampler, shape, kind, self.concentration, self.rate)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        kind, shape = type_of(self.rate), self._shape(sample_shape)
        a, rate = self.concentration.to(float64), self.rate.to(float64)
        draw = drawn("Gamma.rsample", log_gamma, shape, float64, a)
        out = exp(moving(draw, a.expand(shape)) - log(rate)).to(kind)
        return where(out > 0, out, float(np.finfo(kind.numpy).tiny))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        a, rate = self.concentration, self.rate
        return a * log(rate) + weighted(a - 1, log_of(value)) - rate * value - lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        return gamma_cdf(self.concentration, self.rate * value)[0]

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - log(self.rate) + lgamma(a) + (1 - a) * digamma(a)
