"""The Poisson distribution: how often something happens that happens at a constant rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import arange
from ..functions.options import values_of
from ..functions.pointwise import exp, floor, lgamma
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .incomplete import gamma_cdf
from .parameters import broadcast_all, drawn, log_of, type_of, weighted
from .rejection import poisson


class Poisson(Distribution):
    """Counts k = 0, 1, ... with probability rate^k exp(-rate) / k!.

    Raises:  ArgumentError for a rate below 0.

    >>> import chainrule as torch
    >>> Poisson(torch.tensor(2.0)).prob(torch.tensor([0.0, 1.0, 2.0]))
    tensor([0.1353, 0.2707, 0.2707])
    """

    arg_constraints: ClassVar = {"rate": constraints.nonnegative}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all("Poisson", rate=rate)
        super().__init__(self.rate.shape, (), {"rate": self.rate}, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return floor(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return drawn("Poisson.sample", poisson, self._shape(sample_shape), type_of(self.rate), self.rate)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        return weighted(value, log_of(self.rate)) - self.rate - lgamma(value + 1)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most `value`: that a gamma number of shape value + 1 is above the rate."""
        self._check_value(value, "cdf")
        return gamma_cdf(floor(value) + 1, self.rate)[1]

    def entropy(self) -> Tensor:
        """The sum of -p log p over all counts that matter: there is no closed form."""
        largest = float(values_of(self.rate, "Poisson.entropy").max(initial=0.0))
        far = int(largest + 12 * largest**0.5 + 40)  # beyond lies less than the rounding of the rest
        counts = arange(far, dtype=self.rate.dtype).reshape(-1, *[1] * self.rate.ndim)
        log_p = Poisson(self.rate, validate_args=False).log_prob(counts)  # (far, *batch_shape)
        return 0 - weighted(exp(log_p), log_p).sum(0)
