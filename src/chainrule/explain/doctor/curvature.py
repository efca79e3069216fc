"""How strongly a loss curves: the largest eigenvalue λ of its Hessian, without ever making the Hessian.

A product of the Hessian with a vector is the gradient of (gradient · vector), so two passes backward give it.
The method of Lanczos turns a dozen of them into the ends of the spectrum: in the basis of the vectors
v, Hv, H²v, ... the Hessian is a small tridiagonal matrix, whose extreme eigenvalues settle first. It starts
from the gradient, the direction in which training moves, with a little of every other direction mixed in.

Gradient descent with step lr multiplies an error along an eigenvector by 1 - lr λ, so it diverges where
lr λ > 2. With different learning rates for different weights the same holds for the eigenvalues of
D^½ H D^½, with D the learning rates. Next: `trial.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backward import grad
from ...base import wrap
from ...core.errors import ChainruleError
from ...tensor import Tensor
from . import limits
from .passage import Subject
from .recording import Array


@dataclass(frozen=True)
class Curvature:
    """The ends of the spectrum.

    largest, smallest: eigenvalues of the Hessian of the loss on this batch.
    times_rate:        the largest eigenvalue of D^½ H D^½ (see the top of the file): lr λ if all weights have
                       the same learning rate; None without learning rates.
    """

    largest: float
    smallest: float
    times_rate: float | None = None

    @property
    def is_bowl(self) -> bool:
        """Whether the loss curves upwards in every direction, up to rounding."""
        return self.largest > 0 and self.smallest > -limits.BOWL * self.largest


def curvature(subject: Subject, rates: dict[str, float] | None = None) -> Curvature | str:
    """The curvature at the weights as they are; or why it is not known, as a phrase."""
    xs = list(subject.leaves.values())
    weights = sum(x.numel() for x in xs)
    if weights > limits.MOST_WEIGHTS:
        return f"{weights:,} weights are more than the {limits.MOST_WEIGHTS:,} for which it is computed"
    try:
        gradients = grad(subject.value(), xs, create_graph=True, allow_unused=True)
        start = _flat([None if g is None else g._a for g in gradients], xs)
        if not start.any():
            return "the gradient is 0"
        ends = _lanczos(lambda v: _hessian_times(gradients, xs, v), start)
        if ends is None:
            return "it is not finite"
        scaled = None if rates is None else _with_rates(gradients, subject, rates, start, ends)
    except (ChainruleError, NotImplementedError) as problem:  # an op of the user's that is not smooth enough
        return " ".join(str(problem).split("\n")[0].split())
    return Curvature(ends[1], ends[0], scaled)


def _with_rates(
    gradients: Any, subject: Subject, rates: dict[str, float], start: Array, ends: tuple[float, float]
) -> float | None:
    """The largest eigenvalue of D^½ H D^½; weights without a learning rate do not move: their rate is 0."""
    each = [rates.get(name, 0.0) for name in subject.leaves]
    if len(set(each)) == 1:
        return ends[1] * each[0]
    xs = list(subject.leaves.values())
    root = np.sqrt(_flat([np.full(x.shape, rate) for x, rate in zip(xs, each, strict=True)], xs))
    if not (root * start).any():
        return None
    both = _lanczos(lambda v: root * _hessian_times(gradients, xs, root * v), root * start)
    return None if both is None else both[1]


def _hessian_times(gradients: Any, xs: list[Tensor], v: Array) -> Array:
    """The Hessian times a vector, both as one flat array in float64."""
    total: Any = None
    at = 0
    for g, x in zip(gradients, xs, strict=True):
        part = v[at : at + x.numel()].reshape(x.shape).astype(x._a.dtype)
        at += x.numel()
        if g is not None and g.requires_grad:
            term = (g * wrap(part)).sum()
            total = term if total is None else total + term
    if total is None:
        return np.zeros_like(v)
    products = grad(total, xs, retain_graph=True, allow_unused=True)
    return _flat([None if p is None else p._a for p in products], xs)


def _flat(parts: list[Array | None], xs: list[Tensor]) -> Array:
    return np.concatenate(
        [
            np.zeros(x.numel()) if a is None else np.ravel(a).astype(np.float64)
            for a, x in zip(parts, xs, strict=True)
        ]
    )


def _lanczos(times: Any, start: Array) -> tuple[float, float] | None:
    """The smallest and largest eigenvalue of a symmetric matrix that is given by its product with a
    vector."""
    stream = np.random.Generator(np.random.Philox(0))  # one of our own: no stream of the user's moves
    rest = stream.standard_normal(start.size)
    v = start / np.linalg.norm(start) + 0.1 * rest / np.sqrt(start.size)
    v = v / np.linalg.norm(v)
    basis = [v]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(limits.LANCZOS_STEPS, start.size)):
        w = times(basis[-1])
        if not np.isfinite(w).all():
            return None
        diagonal.append(float(w @ basis[-1]))
        for _ in range(2):  # twice: once leaves rounding errors that come back as eigenvalues seen twice
            for u in basis:
                w = w - (w @ u) * u
        length = float(np.linalg.norm(w))
        if length <= 1e-6 * max(abs(d) for d in diagonal):
            break
        beside.append(length)
        basis.append(w / length)
    beside = beside[: len(diagonal) - 1]
    values = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return float(values[0]), float(values[-1])
