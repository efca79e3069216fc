"""Gradient clipping: a step that stays where its gradient means something. Next: `normalisation.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import nn
from ..core.dtypes import float64
from ..creation import ones
from ..nn.functional import mse_loss
from ..nn.utils import clip_grad_norm_
from ..optim import SGD
from ..tape.mode import no_grad
from .result import Result, positive
from .training import undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def clipping(
    *, depth: int = 10, start: float = 1.5, lr: float = 0.05, max_norm: float = 1.0, steps: int = 300
) -> Result:
    """Train y = w₁w₂...w_d x towards y = x, without clipping, with a tiny learning rate, and with clipping.

    All weights start at the same value. The gradient of each weight is a product of the others; at 1.5 and
    depth 10 it is in the thousands, and one step leaves everything behind. Clipped, the step goes the same
    way, but its length is at most lr * max_norm.

    Returns: "losses" of each run by name (inf once it has diverged); "norms" of the gradients before
             clipping; "weights", after the last step.

    >>> from chainrule import experiments
    >>> result = experiments.clipping()
    >>> result.column("loss at the end")[0], result.column("loss at the end")[2] < 1e-6
    (inf, True)
    """
    positive("clipping", depth=depth, lr=lr, max_norm=max_norm, steps=steps)
    runs = {
        f"lr {lr:g}": _run(depth, start, lr, None, steps),
        f"lr {lr / 1e4:g}": _run(depth, start, lr / 1e4, None, steps),
        f"lr {lr:g}, clipped to {max_norm:g}": _run(depth, start, lr, max_norm, steps),
    }
    losses = {name: run[0] for name, run in runs.items()}
    norms = {name: run[1] for name, run in runs.items()}
    table = tuple((name, norms[name][0], loss[0], loss[-1], _reached(loss)) for name, loss in losses.items())
    return Result(
        f"A chain of {depth} weights that start at {start:g}: their product is {start**depth:.3g}, and "
        "should be 1",
        ("training", "first gradient's norm", "loss at the start", "loss at the end", "steps to 0.001"),
        table,
        (
            "Without clipping the first step is far too long. A learning rate that survives the first step "
            "is too small for the others. Clipping limits only the steps that need it.",
        ),
        {"losses": losses, "norms": norms, "weights": {name: run[2] for name, run in runs.items()}},
        lambda ax: _draw(ax, losses),
    )


def _run(
    depth: int, start: float, lr: float, max_norm: float | None, steps: int
) -> tuple[list[float], list[float], list[float]]:
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False, dtype=float64) for _ in range(depth)))
    with no_grad():
        for weight in model.parameters():
            weight.fill_(start)
    optimizer = SGD(model.parameters(), lr=lr)
    x: Any = ones(1, 1, dtype=float64)
    losses, norms = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = mse_loss(model(x), x)
        loss.backward()
        norm = clip_grad_norm_(model.parameters(), math.inf if max_norm is None else max_norm).item()
        value = loss.item()
        losses.append(value if math.isfinite(value) else math.inf)
        norms.append(norm if math.isfinite(norm) else math.inf)
        if not math.isfinite(value) or not math.isfinite(norm):
            losses[-1] = math.inf
            break  # what follows is nan
        optimizer.step()
    return losses, norms, [weight.item() for weight in model.parameters()]


def _reached(losses: list[float], target: float = 1e-3) -> int | None:
    return next((step for step, loss in enumerate(losses) if loss < target), None)


def _draw(ax: Axes | None, losses: dict[str, list[float]]) -> Axes:
    from .. import plot

    return plot.lines(
        list(losses.values()),
        legend=list(losses),
        yscale="log",
        ylim=(1e-12, 1e8),
        xlabel="step",
        ylabel="loss",
        ax=ax,
    )
