"""The Laplace distribution: two exponential tails, back to back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..functions.elementwise import where
from ..functions.pointwise import exp, log, log1p, sign
from ..functions.sampling import rand
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import broadcast_all, type_of


class Laplace(Distribution):
    """The distribution with density exp(-|x - loc| / scale) / (2 scale).

    Shapes:  loc and scale broadcast to batch_shape.
    Raises:  ArgumentError for a scale that is not above 0.

    >>> import chainrule as torch
    >>> d = Laplace(0.0, 1.0)
    >>> d.variance, d.prob(torch.tensor(0.0))
    (tensor(2.), tensor(0.5000))
    """

    arg_constraints: ClassVar = {"loc": constraints.real, "scale": constraints.positive}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all("Laplace", loc=loc, scale=scale)
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
    def variance(self) -> Tensor:
        return 2 * self.scale**2

    @property
    def stddev(self) -> Tensor:
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        kind = type_of(self.loc)
        # Half a step of the random numbers away from the ends, where the quantile is infinite.
        step = {2: 2.0**-11, 4: 2.0**-24, 8: 2.0**-53}[kind.itemsize]
        u = rand(self._shape(sample_shape), dtype=kind) - (0.5 - step / 2)  # in (-1/2, 1/2)
        return self.loc - self.scale * sign(u) * log1p(-2 * abs(u))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        return -abs(value - self.loc) / self.scale - log(2 * self.scale)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        z = (value - self.loc) / self.scale
        tail = exp(-abs(z)) / 2
        return where(z < 0, tail, 1 - tail)

    def icdf(self, value: Tensor) -> Tensor:
        u = value - 0.5
        # log(2 p) and log(2 (1 - p)): each side keeps its own tail's digits.
        low = log(where(u < 0, 2 * value, 1.0))
        high = -log1p(where(u < 0, 0.0, -2 * u))
        return self.loc + self.scale * (low + high)

    def entropy(self) -> Tensor:
        return 1 + log(2 * self.scale)
