"""The learning rate, judged by what steps do: 0, too large for the curvature, too small to get anywhere.

Next: `broken.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ....optim import Optimizer
from .. import limits
from ..curvature import Curvature
from ..findings import Finding
from ..passage import Passage
from ..trial import Trial, is_descent, momentum_of, rates_of


def check_rate(
    passage: Passage, optimizer: Optimizer, trial: Trial, curvature: Curvature | None
) -> Iterator[Finding]:
    """Learning rates that are 0, too large or too small. What climbs (`maximize`) is not judged."""
    if any(group.get("maximize") for group in optimizer.param_groups):
        return
    rates = rates_of(optimizer, passage.subject.leaves)
    if rates and not any(rates.values()):
        yield Finding(
            "learning rate 0",
            "serious",
            "",
            f"the learning rate of {type(optimizer).__name__} is 0: no step changes anything",
            "lr=0.01 for SGD, lr=0.001 for Adam, or a look at the schedule that has made it 0",
        )
        return
    named = _named(rates)
    if _rises(trial):
        yield Finding(
            "learning rate too large",
            "serious",
            "",
            f"{len(trial.losses) - 1} steps of {type(optimizer).__name__} on this batch, with {named}, take "
            f"the loss from {trial.losses[0]:.4g} to "
            f"{_shown(trial.losses[-1])}{_reason(optimizer, curvature)}",
            _smaller(optimizer, rates, curvature),
        )
    elif (
        curvature is not None
        and curvature.is_bowl
        and is_descent(optimizer)
        and (curvature.times_rate or 0.0) > _limit(optimizer)
    ):
        yield Finding(
            "learning rate too large",
            "serious",
            "",
            f"the loss is a bowl around here, and {named} is too large for it{_reason(optimizer, curvature)}",
            _smaller(optimizer, rates, curvature),
        )
    elif (
        trial.gain > limits.WORTH_MOVING * abs(trial.losses[0])
        and trial.fall < limits.HARDLY_MOVES * trial.gain
    ):
        yield Finding(
            "learning rate too small",
            "warning",
            "",
            f"{len(trial.losses) - 1} steps of {type(optimizer).__name__} on this batch, with {named}, "
            f"lower the loss by {max(trial.fall, 0.0):.2g}; one step of a good length along the gradient "
            f"lowers it by {trial.gain:.2g}",
            _larger(optimizer, curvature),
        )


def _rises(trial: Trial) -> bool:
    """Whether the last steps all ended above the start, or there is no number any more."""
    start, last = trial.losses[0], trial.losses[-3:]
    if not all(map(math.isfinite, trial.losses)):
        return True
    return min(last) > start + limits.RISE * abs(start)


def _named(rates: dict[str, float]) -> str:
    low, high = min(rates.values(), default=0.0), max(rates.values(), default=0.0)
    return f"lr={low:g}" if low == high else f"learning rates from {low:g} to {high:g}"


def _shown(loss: float) -> str:
    return f"{loss:.4g}" if math.isfinite(loss) else "NaN" if math.isnan(loss) else "infinity"


def _limit(optimizer: Optimizer) -> float:
    """Where gradient descent with momentum m diverges: lr λ > 2 (1 + m) (Polyak 1964)."""
    return limits.STABLE * (1 + momentum_of(optimizer))


def _reason(optimizer: Optimizer, curvature: Curvature | None) -> str:
    if curvature is None or curvature.times_rate is None or not is_descent(optimizer):
        return ""
    if curvature.times_rate <= _limit(optimizer):
        return ""
    return (
        f"; the loss curves with λ = {curvature.largest:.3g} here, so that lr · λ = "
        f"{curvature.times_rate:.3g}, and from {_limit(optimizer):g} on steps overshoot further each time"
    )


def _smaller(optimizer: Optimizer, rates: dict[str, float], curvature: Curvature | None) -> str:
    if curvature is not None and curvature.largest > 0 and is_descent(optimizer):
        return f"lr={_rounded(1 / curvature.largest)}, which is about 1 / λ, or less"
    return f"lr={_rounded(max(rates.values(), default=1.0) / 10)}, or less"


def _larger(optimizer: Optimizer, curvature: Curvature | None) -> str:
    if curvature is not None and curvature.largest > 0 and is_descent(optimizer):
        return f"lr={_rounded(0.1 / curvature.largest)}, which is about 0.1 / λ, or more"
    return "lr=0.01 for SGD, lr=0.001 for Adam"


def _rounded(rate: float) -> str:
    """One digit, rounded down.

    >>> _rounded(0.0487), _rounded(3.2)
    ('0.04', '3')
    """
    digits = math.floor(math.log10(rate))
    return f"{math.floor(rate / 10**digits * (1 + 1e-12)) * 10.0**digits:g}"
