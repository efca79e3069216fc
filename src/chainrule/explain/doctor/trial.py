"""Trying it: a few steps of the optimizer on one batch, and what one step of a good length would do.

Whether a learning rate is too large or too small is not guessed from its size. The optimizer itself, with its
state as it is, takes `TRIAL_STEPS` steps on the same batch with the same random numbers, on the real weights,
which are put back after it. Next: `checks/steps.py` for what is concluded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ...optim import SGD, Optimizer
from ...optim.optimizer import number
from ...tape.mode import no_grad
from ...tensor import Tensor
from . import limits
from .passage import Subject, gradients_of
from .recording import Array
from .state import Streams, Weights


@dataclass
class Trial:
    """What the steps did.

    losses:  before the first step, and after each.
    updates: per parameter how far the first step moved it, relative to its size.
    gain:    by how much one step of a good length along the gradient lowers the loss.
    """

    losses: list[float]
    updates: dict[str, float] = field(default_factory=dict)
    gain: float = 0.0

    @property
    def fall(self) -> float:
        """By how much the best of the steps lowered the loss; negative if all raised it."""
        return self.losses[0] - min(self.losses[1:])


def rates_of(optimizer: Optimizer, leaves: dict[str, Tensor]) -> dict[str, float]:
    """The learning rate of each parameter that the optimizer has."""
    found = {}
    for group in optimizer.param_groups:
        rate = group.get("lr")
        for p in group["params"]:
            for name, x in leaves.items():
                if x is p and rate is not None:
                    found[name] = float(number(rate))
    return found


def is_descent(optimizer: Optimizer) -> bool:
    """Whether its step is lr times the gradient (with momentum at most): then 2 / λ is its limit."""
    return type(optimizer) is SGD and not any(group["maximize"] for group in optimizer.param_groups)


def momentum_of(optimizer: Optimizer) -> float:
    """The largest momentum of its groups."""
    return max(float(group.get("momentum", 0.0)) for group in optimizer.param_groups)


def attempt(subject: Subject, optimizer: Optimizer) -> Trial:
    """Take some steps, put everything back, and measure what a step of a good length would have done."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    weights, streams = Weights([*params, *subject.leaves.values()]), Streams()
    before = {name: x._a.copy() for name, x in subject.leaves.items()}
    trial = Trial([])
    try:
        for n in range(limits.TRIAL_STEPS + 1):
            loss = subject.value()
            trial.losses.append(loss.item())
            if n == limits.TRIAL_STEPS or not math.isfinite(trial.losses[-1]):
                break
            for p in params:
                p._grad = None
            for name, g in gradients_of(loss, subject.leaves).items():
                subject.leaves[name]._grad = g.detach().clone()
            streams.back()
            optimizer.step()
            if n == 0:
                moved = {name: _moved(a, subject.leaves[name]._a) for name, a in before.items()}
                trial.updates = {name: share for name, share in moved.items() if share is not None}
    finally:
        weights.back()
    trial.gain = _best_step(subject, trial.losses[0])
    return trial


def _moved(before: Array, after: Array) -> float | None:
    """The root mean square of a change relative to that of the value; None for a value of zeros."""
    if not before.any():
        return None
    size, moved = (float(np.square(a, dtype=np.float64).mean()) for a in (before, after - before))
    return math.sqrt(moved / size)


def _best_step(subject: Subject, start: float) -> float:
    """How much the loss falls on the best of some steps along the gradient, each longer than the one
    before."""
    found = {name: g._a.copy() for name, g in gradients_of(subject.value(), subject.leaves).items()}
    length = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in found.values()))
    if not math.isfinite(length) or length == 0:
        return 0.0
    size = math.sqrt(
        sum(
            max(float(np.square(x._a, dtype=np.float64).sum()), x.numel() * limits.LEAST_WEIGHT**2)
            for x in subject.leaves.values()
        )
    )
    weights = Weights(subject.leaves.values())
    best, step = 0.0, limits.LINE_START * size / length
    try:
        for _ in range(limits.LINE_STEPS):
            for name, g in found.items():
                subject.leaves[name]._a[...] -= step * g
            with no_grad():
                gain = start - subject.value().item()
            weights.back()
            if not gain > best:
                break
            best, step = gain, step * limits.LINE_FACTOR
    finally:
        weights.back()
    return best
