"""The multinomial distribution: how often each of k outcomes comes up in a number of independent draws.

Only this distribution; drawing one outcome at a time is `chainrule.multinomial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ..core.errors import ArgumentError, ShapeError
from ..core.shapes import Size
from ..creation import ones, zeros
from ..functions.elementwise import where
from ..functions.pointwise import exp, floor, lgamma, log
from ..functions.reductions import logsumexp
from ..functions.sampling import multinomial
from ..tensor import Tensor


class Multinomial:
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

    def __init__(
        self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None
    ) -> None:
        if not isinstance(total_count, int) or isinstance(total_count, bool) or total_count < 0:
            raise ArgumentError.of(
                "Multinomial",
                given=f"total_count={total_count!r}",
                must="total_count must be a whole number >= 0: how many draws are counted",
                hint="Multinomial(10, probs)",
            )
        if (probs is None) == (logits is None):
            raise ArgumentError.of(
                "Multinomial",
                given="both probs and logits" if probs is not None else "neither probs nor logits",
                must="exactly one of the two must say how likely the outcomes are",
                hint="Multinomial(10, probs)",
            )
        self.total_count = total_count
        given, name = (probs, "probs") if probs is not None else (logits, "logits")
        assert given is not None
        if given.ndim == 0:
            raise ShapeError.of(
                "Multinomial",
                given=f"{name} {tuple(given.shape)}",
                must=f"the last axis of {name} must run over the outcomes",
                hint=f"{name}.reshape(1)",
            )
        if probs is not None:
            _check_probabilities(probs)
            self.probs = probs / probs.sum(-1, keepdim=True)
            self.logits = log(self.probs)
        else:
            self.logits = given - logsumexp(given, -1, keepdim=True)
            self.probs = exp(self.logits)

    @property
    def batch_shape(self) -> Size:
        """The leading axes of `probs`: one independent distribution for each index."""
        return Size(self.probs.shape[:-1])

    @property
    def event_shape(self) -> Size:
        """The shape of one draw: (k,)."""
        return Size(self.probs.shape[-1:])

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
        probs = self.probs.detach()
        k, batch, repeats = probs.shape[-1], prod(self.batch_shape), prod(sample_shape)
        shape = (*sample_shape, *probs.shape)
        counts = zeros(repeats * batch, k, dtype=probs.dtype)
        if self.total_count == 0 or counts.numel() == 0:
            return counts.reshape(shape)
        rows = probs.reshape(batch, k).repeat(repeats, 1)  # (repeats * batch, k)
        outcomes = multinomial(rows, self.total_count, replacement=True)  # (repeats * batch, total_count)
        return counts.scatter_add(-1, outcomes, ones(outcomes.shape, dtype=probs.dtype)).reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """log P(counts = value) = log n! - Σ log value_i! + Σ value_i log p_i, in nats.

        Shapes:  value (..., k) -> (...). `value` must hold counts that add up to `total_count`.

        >>> import chainrule as torch
        >>> Multinomial(2, torch.tensor([0.5, 0.5])).log_prob(torch.tensor([1.0, 1.0])).exp()
        tensor(0.5000)
        """
        value = value.to(self.logits.dtype)
        k = self.probs.shape[-1]
        if value.ndim == 0 or value.shape[-1] != k:
            raise ShapeError.of(
                "Multinomial.log_prob",
                given=f"value {tuple(value.shape)} for probs {tuple(self.probs.shape)}",
                must=f"the last axis of value must hold one count for each of the {k} outcomes",
            )
        if not bool(((value >= 0) & (value == floor(value))).all()) or not bool(
            (value.sum(-1) == self.total_count).all()
        ):
            raise ArgumentError.of(
                "Multinomial.log_prob",
                given=f"value {tuple(value.shape)} with an entry that is no draw",
                must=f"a row of value must hold counts with the sum total_count={self.total_count}",
            )
        # 0 log 0 is 0: an impossible outcome that did not happen costs nothing.
        powers = where(value == 0, 0.0, value * where(value == 0, 0.0, self.logits))
        orders = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        return orders + powers.sum(-1)

    def __repr__(self) -> str:
        return f"Multinomial(total_count={self.total_count}, probs: {self.probs.shape})"


def _check_probabilities(probs: Tensor) -> None:
    total = probs.sum(-1)
    if not bool((probs >= 0).all()) or not bool(((total > 0) & (total < float("inf"))).all()):
        raise ArgumentError.of(
            "Multinomial",
            given=f"probs {tuple(probs.shape)} that are no weights of outcomes",
            must="probs must be finite and not negative, and not all zero along the last axis",
            hint="logits=, if these are logarithms",
        )
