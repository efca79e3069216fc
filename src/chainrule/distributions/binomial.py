"""The binomial distribution: how often something happens in a number of independent trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ArgumentError
from ..creation import arange
from ..functions.elementwise import clamp, where
from ..functions.options import values_of
from ..functions.pointwise import exp, floor
from ..tensor import Tensor
from . import constraints
from .bernoulli import Odds
from .constraints import Constraint
from .distribution import Distribution
from .parameters import drawn, log_binomial, type_of, weighted
from .rejection import binomial


class Binomial(Odds, Distribution):
    """Counts k = 0, ..., n with probability n! / (k! (n - k)!) p^k (1 - p)^(n - k).

    Shapes:  total_count (n) and probs or logits broadcast to batch_shape.
    Args:    probs: between 0 and 1; or logits: log(p / (1 - p)). Exactly one of the two.
    Raises:  ArgumentError for both or neither, probabilities outside of [0, 1], a total_count that is no
             whole number from 0; `entropy` and `enumerate_support` where total_count differs in the batch.

    >>> import chainrule as torch
    >>> d = Binomial(4, torch.tensor(0.5))
    >>> d.prob(torch.arange(5.0))
    tensor([0.0625, 0.2500, 0.3750, 0.2500, 0.0625])
    """

    arg_constraints: ClassVar = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (count,) = self._read("Binomial", "Binomial(10, probs=0.3)", probs, logits, total_count=total_count)
        self.total_count = count.to(self._value.dtype)
        # Known also where Tensors have no values, as in a recorded program.
        self._trials = total_count if isinstance(total_count, int) else None
        given = {"total_count": self.total_count, self._given: self._value}
        super().__init__(self._value.shape, (), given, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.integer_interval(0, self.total_count, "total_count")

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        n = self.total_count
        top = floor((n + 1) * self.probs)
        return where(top > n, n, top)

    @property
    def variance(self) -> Tensor:
        p = self.probs
        return self.total_count * p * (1 - p)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        p = self.probs
        return drawn("Binomial.sample", binomial, self._shape(sample_shape), type_of(p), self.total_count, p)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        n = self.total_count
        return log_binomial(n, value) + weighted(value, self._log_yes) + weighted(n - value, self._log_no)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most `value`: the sum of the probabilities up to there."""
        self._check_value(value, "cdf")
        counts = self.enumerate_support(expand=False)  # (n + 1, 1, ...)
        more = [1] * max(0, value.ndim - len(self._batch_shape))
        counts = counts.reshape(counts.shape[0], *more, *counts.shape[1:])
        p = exp(self._unchecked().log_prob(counts))
        return clamp(where(counts <= value, p, 0.0).sum(0), max=1)

    def entropy(self) -> Tensor:
        """The sum of -p log p over all counts: there is no closed form."""
        log_p = self._unchecked().log_prob(self.enumerate_support(expand=False))
        return 0 - weighted(exp(log_p), log_p).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._number() + 1, dtype=self._value.dtype)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand((len(values), *self._batch_shape)) if expand else values

    def _number(self) -> int:
        """total_count as a number, the same for the whole batch."""
        if self._trials is not None:
            return self._trials
        counts = values_of(self.total_count, "Binomial.enumerate_support")
        if not counts.size or counts.min() != counts.max():
            few = np.unique(counts)[:4].tolist()
            raise ArgumentError.of(
                "Binomial.enumerate_support",
                given=f"total_count {counts.shape} with {', '.join(map(str, few))}",
                must="total_count must be the same in the whole batch: the values are one axis for all",
            )
        return int(counts.flat[0])

    def _unchecked(self) -> Binomial:
        return Binomial(self.total_count, **{self._given: self._value}, validate_args=False)
