"""The multinomial distribution: how often each of k outcomes comes up in a number of independent draws.

One draw at a time: `categorical.py`, which makes the draws that are counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..core.errors import ArgumentError
from ..creation import ones, zeros
from ..functions.elementwise import where
from ..functions.pointwise import exp, lgamma
from ..tensor import Tensor
from . import constraints
from .binomial import Binomial
from .categorical import Categorical, Weights
from .constraints import Constraint
from .distribution import Distribution
from .parameters import type_of, weighted


class Multinomial(Weights, Distribution):
    """Counts of k outcomes in `total_count` independent draws; the counts add up to `total_count`.

    Shapes:  probs or logits (..., k): one distribution for each leading index, `batch_shape`.
    Args:    probs: not negative, scaled to sum to 1 along the last axis; or logits: their logarithms, up to a
             constant. Exactly one of the two.
    Raises:  ArgumentError for both or neither, for negative, non-finite or all-zero probs, and for a
             `total_count` that is not a whole number >= 0; ShapeError for a 0-d tensor.

    >>> import chainrule as torch
    >>> dice = Multinomial(60, torch.ones(6))
    >>> dice.mean
    tensor([10., 10., 10., 10., 10., 10.])
    >>> dice.sample().sum()
    tensor(60.)
    """

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int) or isinstance(total_count, bool) or total_count < 0:
            raise ArgumentError.of(
                "Multinomial",
                given=f"total_count={total_count!r}",
                must="total_count must be a whole number >= 0: how many draws are counted",
                hint="Multinomial(10, probs)",
            )
        check = self._validate_args if validate_args is None else validate_args
        self._read("Multinomial", "Multinomial(10, probs)", probs, logits, check)
        self.total_count = total_count
        super().__init__(
            self.probs.shape[:-1],
            self.probs.shape[-1:],
            self._parameter(),
            {"total_count": total_count},
            validate_args,
        )

    @property
    def support(self) -> Constraint:
        return constraints.counts(self.total_count)

    @property
    def mean(self) -> Tensor:
        """Expected counts, n p. Shape as `probs`."""
        return self.total_count * self.probs

    @property
    def variance(self) -> Tensor:
        """Variances of the counts, n p (1 - p). Shape as `probs`."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw counts. Shape: sample_shape + batch_shape + (k,), with the dtype of `probs`; no gradient.

        >>> import chainrule as torch
        >>> Multinomial(5, torch.tensor([0.0, 1.0])).sample((2,))
        tensor([[0., 5.],
                [0., 5.]])
        """
        kind, shape = type_of(self.probs), self._shape(sample_shape)
        counts = zeros(shape, dtype=kind)
        if self.total_count == 0 or 0 in shape:
            return counts
        one = Categorical(self.probs, validate_args=False)
        outcomes = one.sample((self.total_count, *sample_shape)).movedim(0, -1)  # (..., total_count)
        return counts.scatter_add(-1, outcomes, ones(outcomes.shape, dtype=kind))

    def log_prob(self, value: Tensor) -> Tensor:
        """log P(counts = value) = log n! - Σ log value_i! + Σ value_i log p_i, in nats.

        Shapes:  value (..., k) -> (...). `value` must hold counts that add up to `total_count`.

        >>> import chainrule as torch
        >>> Multinomial(2, torch.tensor([0.5, 0.5])).log_prob(torch.tensor([1.0, 1.0])).exp()
        tensor(0.5000)
        """
        self._check_value(value, "log_prob")
        value = value.to(self.logits.dtype)
        orders = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        return orders + weighted(value, self.logits).sum(-1)

    def entropy(self) -> Tensor:
        """The entropy in nats, from those of its counts, each of which is binomial.

        -log n! + n H(p) + Σ_i E[log count_i!].
        """
        n = self.total_count
        each = Categorical(self.probs, validate_args=False).entropy()
        counts = Binomial(n, probs=self.probs, validate_args=False)
        values = counts.enumerate_support(expand=False)  # (n + 1, 1, ...)
        logs = where(values > 0, lgamma(values + 1), 0.0)
        expected = (exp(counts.log_prob(values)) * logs).sum(0).sum(-1)  # (n + 1, ..., k) -> (...)
        return n * each - logs[-1].reshape(()) + expected
