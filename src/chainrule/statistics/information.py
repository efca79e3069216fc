"""Information in tables of probabilities: entropies, divergences, mutual information, perplexity.

The central idea: an outcome with probability p surprises by -log p, and everything here is an expected
surprise. Results are in nats (natural logarithms) or bits (base 2), as `unit` says. All of it is written in
Tensors, so gradients reach the probabilities. Tables whose axes have names: `table.py`; distributions with
parameters have their own `entropy`, and `chainrule.distributions.kl_divergence`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..base import TensorBase
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..distributions.parameters import log_of, weighted
from ..functions.options import values_known
from ..functions.pointwise import exp
from ..tensor import Tensor

UNITS = {"nats": 1.0, "bits": math.log(2)}
_TOLERANCE = 1e-4  # how far a sum of float32 probabilities may be from 1

Axes = int | tuple[int, ...] | None


def self_information(p: Tensor, unit: str = "nats") -> Tensor:
    """The surprise of outcomes with these probabilities, -log p: 0 if certain, infinite if impossible.

    Shapes:  p (...) -> (...).
    Raises:  ArgumentError for a number outside of [0, 1], or another unit.

    >>> import chainrule as torch
    >>> self_information(torch.tensor([1.0, 0.5, 1 / 64]), unit="bits")
    tensor([0., 1., 6.])
    """
    what = "self_information"
    _need_numbers(p, "p", what)
    if values_known(p) and not ((p._a >= 0) & (p._a <= 1)).all():
        raise ArgumentError.of(
            what,
            given=f"p {tuple(p.shape)} with values from {p._a.min():g} to {p._a.max():g}",
            must="p must hold probabilities, between 0 and 1",
        )
    return (0 - log_of(p)) / _size(unit, what)


def entropy(p: Tensor, dim: Axes = -1, unit: str = "nats") -> Tensor:
    """The expected surprise H(p) = Σ -p log p: 0 if one outcome is certain, log k for k equal ones.

    Shapes:  p (..., k) -> (...) for dim = -1; a tuple of axes, or None for all, for tables of several.
    Args:    unit: "nats" or "bits".
    Raises:  ArgumentError where p is negative or does not sum to 1, and for another unit.

    >>> import chainrule as torch
    >>> entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), unit="bits")
    tensor([1., 0.])
    """
    _need_probabilities(p, "p", dim, "entropy")
    return (0 - _total(weighted(p, log_of(p)), dim)) / _size(unit, "entropy")


def cross_entropy(p: Tensor, q: Tensor, dim: Axes = -1, unit: str = "nats") -> Tensor:
    """The expected surprise Σ -p log q of who believes q where outcomes come from p; never below H(p).

    Shapes:  p and q broadcast; summed over `dim`.
    Raises:  ArgumentError where p or q is negative or does not sum to 1, and for another unit.

    >>> import chainrule as torch
    >>> cross_entropy(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]), unit="bits")
    tensor(1.2075)
    """
    _need_pair(p, q, dim, "cross_entropy")
    return (0 - _total(weighted(p, log_of(q)), dim)) / _size(unit, "cross_entropy")


def kl_divergence(p: Tensor, q: Tensor, dim: Axes = -1, unit: str = "nats") -> Tensor:
    """Σ p log(p / q): what believing q costs beyond H(p). 0 only if they are equal; not symmetric.

    Shapes:  p and q broadcast; summed over `dim`. Infinite where q has no room for what p does.
    Raises:  ArgumentError where p or q is negative or does not sum to 1, and for another unit.

    >>> import chainrule as torch
    >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    >>> kl_divergence(p, q), kl_divergence(q, p)
    (tensor(0.1438), tensor(0.1308))
    """
    _need_pair(p, q, dim, "kl_divergence")
    return _total(weighted(p, log_of(p) - log_of(q)), dim) / _size(unit, "kl_divergence")


def conditional_entropy(joint: Tensor, given: int = -2, unit: str = "nats") -> Tensor:
    """H(Y | X) = H(X, Y) - H(X): what is left to learn of one variable when the other is known.

    Shapes:  joint (..., x, y): a table for each leading index -> (...).
    Args:    given: the axis of the variable that is known, one of the last two.
    Raises:  ArgumentError where the table is negative or does not sum to 1; ShapeError for less than 2 axes.

    >>> import chainrule as torch
    >>> copy = torch.tensor([[0.5, 0.0], [0.0, 0.5]])
    >>> conditional_entropy(copy), conditional_entropy(torch.full((2, 2), 0.25), unit="bits")
    (tensor(0.), tensor(1.))
    """
    what = "conditional_entropy"
    _need_table(joint, what)
    axis = given if given < 0 else given - joint.ndim
    if axis not in (-1, -2):
        raise ArgumentError.of(
            what,
            given=f"given={given} for a table {tuple(joint.shape)}",
            must="given must be one of the last two axes: that of the variable which is known",
            hint="given=-2, for rows",
        )
    known = joint.sum(-3 - axis, keepdim=True)  # over the other one
    # log p(y | x) from the logarithms, which stay finite where the quotient would be 0 / 0
    return (0 - _total(weighted(joint, log_of(joint) - log_of(known)), (-2, -1))) / _size(unit, what)


def mutual_information(joint: Tensor, unit: str = "nats") -> Tensor:
    """I(X; Y) = Σ p(x, y) log(p(x, y) / (p(x) p(y))): what each variable says about the other.

    Shapes:  joint (..., x, y): a table for each leading index -> (...). 0 only if they are independent.
    Raises:  ArgumentError where the table is negative or does not sum to 1; ShapeError for less than 2 axes.

    >>> import chainrule as torch
    >>> mutual_information(torch.tensor([[0.5, 0.0], [0.0, 0.5]]), unit="bits")
    tensor(1.)
    """
    what = "mutual_information"
    _need_table(joint, what)
    x, y = joint.sum(-1, keepdim=True), joint.sum(-2, keepdim=True)
    return _total(weighted(joint, log_of(joint) - log_of(x) - log_of(y)), (-2, -1)) / _size(unit, what)


def perplexity(p: Tensor, q: Tensor | None = None, dim: Axes = -1) -> Tensor:
    """exp of the entropy of p, or of the cross-entropy of p and q: among how many equal outcomes one guesses.

    Raises:  ArgumentError where p or q is negative or does not sum to 1.

    >>> import chainrule as torch
    >>> perplexity(torch.full((6,), 1 / 6))
    tensor(6.0000)
    """
    return exp(entropy(p, dim) if q is None else cross_entropy(p, q, dim))


# -- checks ----------------------------------------------------------------------------------------------


def _size(unit: str, what: str) -> float:
    """How many nats one unit has."""
    if unit not in UNITS:
        raise ArgumentError.of(
            what, given=f"unit={unit!r}", must="the unit of information must be 'nats' or 'bits'"
        )
    return UNITS[unit]


def _total(x: Tensor, dim: Axes) -> Tensor:
    return x.sum() if dim is None else x.sum(dim)


def _need_numbers(p: Any, name: str, what: str) -> None:
    if not isinstance(p, TensorBase) or p._a.dtype.kind != "f":
        raise DTypeError.of(
            what,
            given=f"{name} of type {p.dtype if isinstance(p, Tensor) else type(p).__name__}",
            must=f"{name} must be a floating-point Tensor of probabilities",
            hint=f"{name} / {name}.sum(), if these are counts"
            if isinstance(p, Tensor)
            else "torch.tensor(...)",
        )


def _need_probabilities(p: Any, name: str, dim: Axes, what: str) -> None:
    """Refuse what are no probabilities, where there are values to look at."""
    _need_numbers(p, name, what)
    if not values_known(p):
        return
    a = p._a
    total = a.sum(dim)
    if not (a >= 0).all() or not (np.abs(total - 1) <= _TOLERANCE).all():
        sums = np.ravel(total)
        worst = sums[np.argmax(np.where(np.isnan(sums), np.inf, np.abs(sums - 1)))]
        found = "a negative number" if (a < 0).any() else f"the sum {worst:.6g}"
        raise ArgumentError.of(
            what,
            given=f"{name} {a.shape} with {found}",
            must=f"{name} must hold probabilities: numbers from 0 up that sum to 1 over dim={dim}",
            hint=f"{name} / {name}.sum(), if these are counts; torch.softmax({name}, -1), if they are scores",
        )


def _need_pair(p: Any, q: Any, dim: Axes, what: str) -> None:
    _need_probabilities(p, "p", dim, what)
    _need_probabilities(q, "q", dim, what)
    try:
        np.broadcast_shapes(p._a.shape, q._a.shape)
    except ValueError:
        raise ShapeError.of(
            what, given=f"p {p._a.shape} and q {q._a.shape}", must="both must be over the same outcomes"
        ) from None


def _need_table(joint: Any, what: str) -> None:
    if isinstance(joint, TensorBase) and joint._a.ndim < 2:
        raise ShapeError.of(
            what,
            given=f"joint {joint._a.shape}",
            must="a joint table has an axis for each of the two variables, the last two",
        )
    _need_probabilities(joint, "joint", (-2, -1), what)
