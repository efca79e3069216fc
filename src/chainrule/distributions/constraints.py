"""What a parameter or a value must satisfy: `Normal.arg_constraints`, `d.support`.

A constraint looks at values outside of any graph: `check` says for each value (or each vector, or matrix)
whether it holds. `words` and `hint` go into messages. Next: `distribution.py`, which asks them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base import wrap
from ..functions.options import values_known, values_of
from ..tensor import Tensor

Array = np.ndarray[Any, Any]


class Constraint:
    """A condition on values.

    event_dim:   how many of the last axes make one value: 0 for numbers, 1 for vectors, 2 for matrices.
    is_discrete: whether only whole numbers can satisfy it.
    words:       the condition, as in "scale must be greater than 0".
    hint:        how to get such a parameter from any number.

    >>> import chainrule as torch
    >>> positive.check(torch.tensor([1.0, 0.0, float("nan")]))
    tensor([ True, False, False])
    """

    def __init__(
        self,
        words: str,
        holds: Callable[..., Any],
        *bounds: Tensor,
        event_dim: int = 0,
        is_discrete: bool = False,
        hint: str = "",
    ) -> None:
        self.words = words
        self.event_dim = event_dim
        self.is_discrete = is_discrete
        self.hint = hint
        self._holds = holds
        self._bounds = bounds

    def check(self, value: Tensor) -> Tensor:
        """Whether each value satisfies it: (..., *value) -> (...), bool."""
        made: Tensor = wrap(self.holds(value))
        return made

    def holds(self, value: Tensor) -> Array:
        """`check`, as an array."""
        arrays = [values_of(x, "a constraint") for x in (value, *self._bounds)]
        with np.errstate(all="ignore"):
            return np.asarray(self._holds(*arrays))

    def can_see(self, value: Tensor) -> bool:
        """Whether there are values to look at: a program that is recorded, and vmap, have none."""
        return all(values_known(x) for x in (value, *self._bounds))

    def __repr__(self) -> str:
        return f"<constraint: {self.words}>"


def _whole(a: Array) -> Array:
    return np.asarray(a == np.floor(a))


def _lower_cholesky(a: Array) -> Array:
    lower = (np.triu(a, 1) == 0).all((-2, -1))
    return np.asarray(lower & (np.diagonal(a, axis1=-2, axis2=-1) > 0).all(-1))


def _positive_definite(a: Array) -> Array:
    same = np.asarray(np.isclose(a, np.swapaxes(a, -2, -1), atol=1e-6).all((-2, -1)))
    good = np.zeros(a.shape[:-2], bool)
    for k in np.ndindex(good.shape):
        if same[k]:
            try:
                np.linalg.cholesky(a[k])
            except np.linalg.LinAlgError:
                continue
            good[k] = True
    return good


_SOFTPLUS = "torch.nn.functional.softplus(x), which is positive for every x"

real = Constraint("a number, not nan", lambda a: a == a)
real_vector = Constraint("a vector of numbers, none of them nan", lambda a: (a == a).all(-1), event_dim=1)
positive = Constraint("greater than 0", lambda a: a > 0, hint=_SOFTPLUS)
nonnegative = Constraint("at least 0", lambda a: a >= 0, hint=_SOFTPLUS)
unit_interval = Constraint("between 0 and 1", lambda a: (a >= 0) & (a <= 1))
boolean = Constraint("0 or 1", lambda a: (a == 0) | (a == 1), is_discrete=True)
nonnegative_integer = Constraint(
    "a whole number, at least 0", lambda a: (a >= 0) & _whole(a), is_discrete=True
)
simplex = Constraint(
    "a vector of probabilities that sum to 1",
    lambda a: (a >= 0).all(-1) & (abs(a.sum(-1) - 1) < 1e-6),
    event_dim=1,
)
lower_cholesky = Constraint(
    "a lower triangular matrix with a diagonal above 0", _lower_cholesky, event_dim=2,
    hint="torch.linalg.cholesky(covariance)",
)  # fmt: skip
positive_definite = Constraint(
    "a symmetric, positive definite matrix", _positive_definite, event_dim=2,
    hint="A @ A.mT + 1e-6 * torch.eye(n)",
)  # fmt: skip


def interval(low: Tensor, high: Tensor) -> Constraint:
    """Numbers from `low` to `high`."""
    return Constraint("between low and high", lambda a, low, high: (a >= low) & (a <= high), low, high)


def integer_interval(low: int, high: Tensor, name: str) -> Constraint:
    """Whole numbers from `low` to `high`, which is called `name`."""
    return Constraint(
        f"a whole number from {low} to {name}",
        lambda a, high: (a >= low) & (a <= high) & _whole(a),
        high,
        is_discrete=True,
    )


def counts(total: int) -> Constraint:
    """Vectors of whole numbers >= 0 with this sum."""
    return Constraint(
        f"counts with the sum total_count={total}",
        lambda a: ((a >= 0) & _whole(a)).all(-1) & (a.sum(-1) == total),
        event_dim=1,
        is_discrete=True,
    )
