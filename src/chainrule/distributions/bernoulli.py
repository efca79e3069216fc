"""The Bernoulli distribution: something happens, or it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import arange
from ..functions.elementwise import where
from ..functions.pointwise import log1p, sigmoid
from ..functions.sampling import rand
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import broadcast_all, log_of, one_of, softplus, type_of, weighted


class Odds:
    """The parameter of a distribution that is given as a probability or as log-odds: log(p / (1 - p))."""

    _given: str
    _value: Tensor

    def _read(self, what: str, example: str, probs: Any, logits: Any, **others: Any) -> tuple[Tensor, ...]:
        self._given = one_of(what, example, probs=probs, logits=logits)
        value = probs if logits is None else logits
        self._value, *rest = broadcast_all(what, **{self._given: value}, **others)
        return tuple(rest)

    @property
    def probs(self) -> Tensor:
        """The probability that it happens."""
        return self._value if self._given == "probs" else sigmoid(self._value)

    @property
    def logits(self) -> Tensor:
        """The log-odds, log(p / (1 - p))."""
        return self._value if self._given == "logits" else self._log_yes - self._log_no

    @property
    def _log_yes(self) -> Tensor:
        return log_of(self._value) if self._given == "probs" else -softplus(-self._value)

    @property
    def _log_no(self) -> Tensor:
        # log1p keeps the digits of small probabilities.
        p = self._value
        if self._given == "logits":
            return -softplus(p)
        return where(p == 1, -float("inf"), log1p(-where(p == 1, 0.0, p)))


class Bernoulli(Odds, Distribution):
    """1 with probability `probs`, else 0.

    Args:    probs: between 0 and 1; or logits: log(p / (1 - p)), any numbers. Exactly one of the two.
    Raises:  ArgumentError for both or neither, and for probabilities outside of [0, 1].

    >>> import chainrule as torch
    >>> d = Bernoulli(torch.tensor([0.25, 1.0]))
    >>> d.prob(torch.tensor(1.0)), d.entropy()
    (tensor([0.2500, 1.0000]), tensor([0.5623, 0.0000]))
    """

    arg_constraints: ClassVar = {"probs": constraints.unit_interval, "logits": constraints.real}
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._read("Bernoulli", "Bernoulli(probs=0.3)", probs, logits)
        super().__init__(self._value.shape, (), {self._given: self._value}, validate_args=validate_args)

    @property
    def support(self) -> Constraint:
        return constraints.boolean

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The likelier of 0 and 1; nan if they are equally likely."""
        p = self.probs
        return where(p == 0.5, float("nan"), (p > 0.5).to(p.dtype))

    @property
    def variance(self) -> Tensor:
        p = self.probs
        return p * (1 - p)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        p = self.probs.detach()
        kind = type_of(p)
        return (rand(self._shape(sample_shape), dtype=kind) < p).to(kind)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        value = value.to(self._value.dtype)  # True is 1
        return weighted(value, self._log_yes) + weighted(1 - value, self._log_no)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value, "cdf")
        return where(value >= 1, 1.0, 1 - self.probs)

    def entropy(self) -> Tensor:
        p = self.probs
        return 0 - weighted(p, self._log_yes) - weighted(1 - p, self._log_no)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self._value.dtype).reshape(2, *[1] * len(self._batch_shape))
        return values.expand((2, *self._batch_shape)) if expand else values
