"""The categorical distribution: one of k outcomes. How often each came up in n draws: `multinomial.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..creation import arange
from ..functions.options import values_known
from ..functions.pointwise import exp
from ..functions.reductions import logsumexp
from ..functions.sampling import rand
from ..functions.scans import cumsum
from ..functions.selection import gather
from ..ops.primitive import levels
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution
from .parameters import log_of, one_of, weighted


class Weights:
    """The parameter of a distribution over k outcomes: probabilities along the last axis, or logarithms.

    probs:  the probabilities, scaled to sum to 1. logits: their logarithms.
    """

    probs: Tensor
    logits: Tensor
    _given: str

    def _read(self, what: str, example: str, probs: Any, logits: Any, check: bool) -> None:
        self._given = one_of(what, example, probs=probs, logits=logits)
        given: Any = probs if logits is None else logits
        if not isinstance(given, TensorBase):
            raise DTypeError.of(
                what,
                given=f"{self._given}={given!r}",
                must=f"{self._given} must be a Tensor",
                hint=f"torch.tensor({given!r})",
            )
        if given._a.ndim == 0:
            raise ShapeError.of(
                what,
                given=f"{self._given} ()",
                must=f"the last axis of {self._given} must run over the outcomes",
                hint=f"{self._given}.reshape(1)",
            )
        if self._given == "probs":
            if check and values_known(given):
                _check_weights(given._a, what)
            self.probs = probs / probs.sum(-1, keepdim=True)
            self.logits = log_of(self.probs)
        else:
            self.logits = logits - logsumexp(logits, -1, keepdim=True)
            self.probs = exp(self.logits)

    @property
    def _outcomes(self) -> int:
        return int(self.probs.shape[-1])

    def _parameter(self) -> dict[str, Tensor]:
        return {self._given: self.probs if self._given == "probs" else self.logits}


class Categorical(Weights, Distribution):
    """The number 0, ..., k - 1 of one outcome, with the probabilities along the last axis of `probs`.

    Shapes:  probs or logits (..., k): one distribution for each leading index, `batch_shape`; draws are
             numbers (int64), so event_shape is ().
    Args:    probs: not negative, scaled to sum to 1 along the last axis; or logits: their logarithms, up to a
             constant. Exactly one of the two.
    Raises:  ArgumentError for both or neither, and for negative, non-finite or all-zero probs; ShapeError for
             a 0-d tensor.

    >>> import chainrule as torch
    >>> d = Categorical(torch.tensor([1.0, 1.0, 2.0]))
    >>> d.probs, d.entropy()
    (tensor([0.2500, 0.2500, 0.5000]), tensor(1.0397))
    >>> d.log_prob(torch.tensor([0, 2])).exp()
    tensor([0.2500, 0.5000])
    """

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        check = self._validate_args if validate_args is None else validate_args
        self._read("Categorical", "Categorical(torch.tensor([0.2, 0.8]))", probs, logits, check)
        super().__init__(self.probs.shape[:-1], (), self._parameter(), validate_args=validate_args)

    @property
    def param_shape(self) -> Any:
        """The shape of probs: batch_shape + (k,)."""
        return self.probs.shape

    @property
    def support(self) -> Constraint:
        last = self._outcomes - 1
        return Constraint(
            f"the number of an outcome, 0 to {last}",
            lambda a: (a >= 0) & (a <= last) & (a == np.floor(a)),
            is_discrete=True,
        )

    @property
    def mean(self) -> Tensor:
        """nan: the numbers of outcomes are names, of which there is no mean."""
        return self.probs.sum(-1) * float("nan")

    @property
    def variance(self) -> Tensor:
        """nan, as the mean."""
        return self.mean

    @property
    def mode(self) -> Tensor:
        """The number of the likeliest outcome, the first of equals."""
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw numbers of outcomes (int64). Shape: sample_shape + batch_shape; no gradient."""
        # The outcome at which the running sum of the probabilities first exceeds a uniform number. In float64
        # and scaled by its last value, so that rounding reaches no outcome with probability 0.
        edges = cumsum(self.probs.detach().to(dtypes.float64), -1)
        edges = edges / edges[..., -1:]  # (*batch_shape, k)
        u = rand(self._shape(sample_shape), dtype=dtypes.float64)
        if values_known(edges) and values_known(u) and not levels.stack:
            return _searched(edges._a, u._a)  # the same numbers, without k comparisons for each
        return (edges <= u.unsqueeze(-1)).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        index = value.to(dtypes.int64)
        shape = np.broadcast_shapes(tuple(index.shape), tuple(self._batch_shape))
        logits = self.logits.expand((*shape, self._outcomes))
        return gather(logits, -1, index.expand(shape).unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        return 0 - weighted(self.probs, self.logits).sum(-1)  # never -0.0

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._outcomes).reshape(-1, *[1] * len(self._batch_shape))
        return values.expand((self._outcomes, *self._batch_shape)) if expand else values


def _searched(edges: np.ndarray[Any, Any], u: np.ndarray[Any, Any]) -> Tensor:
    rows = edges.reshape(-1, edges.shape[-1])  # (batch, k)
    wanted = u.reshape(-1, len(rows)) if len(rows) else u.reshape(0, 0)  # (samples, batch)
    out = np.empty(wanted.shape, np.int64)
    for j, row in enumerate(rows):
        out[:, j] = np.searchsorted(row, wanted[:, j], "right")
    found: Tensor = wrap(out.reshape(u.shape))
    return found


def _check_weights(a: np.ndarray[Any, Any], what: str) -> None:
    total = a.sum(-1)
    if not (a >= 0).all() or not ((total > 0) & (total < np.inf)).all():
        raise ArgumentError.of(
            what,
            given=f"probs {a.shape} that are no weights of outcomes",
            must="probs must be finite and not negative, and not all zero along the last axis",
            hint="logits=, if these are logarithms",
        )
