"""The two hyperparameters of the course: the learning rate, and the batch size.

For a quadratic loss all is known: gradient descent converges if and only if lr < 2 / λ, the largest
curvature. A batch of b rows gives the gradient with a noise whose variance is that of one row divided by b.
Next: `accumulation.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from .. import linalg, nn
from ..core.dtypes import float64
from ..core.errors import ArgumentError
from ..creation import tensor, zeros
from ..func import grad, vmap
from ..functions.sampling import rand, randn
from ..optim import SGD
from ..tape.mode import no_grad
from ..tensor import Tensor
from .decay import half_squares
from .result import Result, listed, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOLVED = 1e-6  # of the start's excess loss
SHOWN = 8  # steps in the picture; more of those that diverge would hide the others


@undisturbing
def learning_rate(
    factors: Sequence[float] = (0.02, 0.5, 0.95, 1.05), *, steps: int = 30, seed: int = 0
) -> Result:
    """Linear regression with two weights at learning rates that are too small, right, and too large.

    The loss is half the mean squared error, whose curvatures are the eigenvalues of XᵀX / n. After k steps
    the error along an eigenvector is (1 - lr λ)^k of what it was: it shrinks while lr < 2 / λ for the
    largest λ.

    Args:    factors: the learning rates, as multiples of 2 / λ for the largest λ.
    Returns: "lrs", "losses" (above the minimum, before each step and at the end), "curvatures" (smallest,
             largest), "weights" (the last ones), "start", "optimum", "x", "y".

    >>> from chainrule import experiments
    >>> result = experiments.learning_rate([0.95, 1.05])
    >>> [losses[-1] < losses[0] for losses in result["losses"]]
    [True, False]
    """
    factors = listed("learning_rate", "factors", factors)
    positive("learning_rate", factors=min(factors), steps=steps)
    with seeded(seed):
        x = randn(200, 2, dtype=float64) @ tensor([[1.0, 0.3], [0.0, 0.4]], dtype=float64)
        y = x @ tensor([[2.0], [-1.0]], dtype=float64) + 0.1 * randn(200, 1, dtype=float64)
    curvatures = linalg.eigvalsh(x.T @ x / len(x)).tolist()
    optimum = linalg.lstsq(x, y).solution
    lowest = half_squares(x @ optimum, y).item()
    start = tensor([[-2.0, 2.5]], dtype=float64)
    lrs = [factor * 2 / curvatures[1] for factor in factors]
    losses, weights = [], []
    for lr in lrs:
        model = nn.Linear(2, 1, bias=False, dtype=float64)
        with no_grad():
            model.weight.copy_(start)
        optimizer = SGD(model.parameters(), lr=lr)
        curve = [half_squares(model(x), y).item() - lowest]
        curve += train(
            model, half_squares, optimizer, x, y, epochs=steps, look=partial(_excess, model, x, y, lowest)
        )
        losses.append(curve)
        weights.append(model.weight.detach()[0])
    table = tuple(
        (lr, factor, curve[0], curve[-1], _solved(curve), _verdict(curve))
        for lr, factor, curve in zip(lrs, factors, losses, strict=True)
    )
    return Result(
        f"Gradient descent with {len(lrs)} learning rates; 2 / λ = {2 / curvatures[1]:.4g}",
        ("lr", "lr · λ / 2", "loss − minimum at the start", "at the end", "steps to a millionth", "verdict"),
        table,
        (
            "Above 2 / λ each step makes the error along the steepest direction larger. Far below, nothing "
            f"happens. How fast the best is depends on the curvatures, here {curvatures[0]:.3g} and "
            f"{curvatures[1]:.3g}.",
        ),
        {
            "lrs": lrs,
            "losses": losses,
            "curvatures": curvatures,
            "weights": weights,
            "start": start[0],
            "optimum": optimum[:, 0],
            "x": x,
            "y": y,
        },
        lambda ax: _draw_paths(ax, x, y, start, lrs, steps),
    )


@undisturbing
def batch_size(
    sizes: Sequence[int] = (1, 10, 100, 1000),
    *,
    rows: int = 1000,
    draws: int = 400,
    epochs: int = 20,
    lr: float = 0.05,
    seed: int = 0,
) -> Result:
    """How noisy the gradient of a batch is, and what the same number of epochs achieves.

    A batch of b of N rows, drawn without replacement, has a gradient whose mean is that of all rows and
    whose variance (summed over the weights) is σ²/b · (N − b) / (N − 1), with σ² that of a single row.

    Returns: "measured" and "predicted" standard deviations of the gradient for each size; "losses" (curves,
             above the minimum).

    >>> from chainrule import experiments
    >>> result = experiments.batch_size([1, 100])
    >>> [round(m / p, 1) for m, p in zip(result["measured"], result["predicted"])]
    [1.0, 1.0]
    """
    sizes = listed("batch_size", "sizes", sizes)
    positive("batch_size", sizes=min(sizes), rows=rows, draws=draws, epochs=epochs, lr=lr)
    if max(sizes) > rows:
        raise ArgumentError.of(
            "experiments.batch_size",
            given=f"a batch of {max(sizes)} and {rows} rows",
            must="a batch cannot have more rows than there are",
        )
    with seeded(seed):
        x = randn(rows, 5, dtype=float64)
        y = x @ randn(5, 1, dtype=float64) + 0.5 * randn(rows, 1, dtype=float64)
        w = zeros(5, dtype=float64)

        def loss(w: Tensor, row: Tensor, target: Tensor) -> Tensor:
            value: Tensor = ((row @ w - target[0]) ** 2) / 2
            return value

        each = vmap(grad(loss), in_dims=(None, 0, 0))(w, x, y)  # (rows, 5): one gradient for each row
        whole = each.mean(0)
        variance = ((each - whole) ** 2).sum().item() / rows
        measured = []
        for size in sizes:
            chosen = rand(draws, rows).argsort(1)[:, :size]  # (draws, size), each row of it without repeats
            batches = each[chosen].mean(1)  # (draws, 5)
            measured.append(((batches - whole) ** 2).sum(1).mean().sqrt().item())
        lowest = half_squares(x @ linalg.lstsq(x, y).solution, y).item()
        curves = []
        for size in sizes:
            model = nn.Linear(5, 1, bias=False, dtype=float64)
            with no_grad():
                model.weight.zero_()
            curves.append(
                train(
                    model,
                    half_squares,
                    SGD(model.parameters(), lr=lr),
                    x,
                    y,
                    epochs=epochs,
                    batch_size=size,
                    look=partial(_excess, model, x, y, lowest),
                )
            )
    predicted = [math.sqrt(variance / b * (rows - b) / max(rows - 1, 1)) for b in sizes]
    table = tuple(
        (b, -(-rows // b), m, p, curve[0], curve[-1])
        for b, m, p, curve in zip(sizes, measured, predicted, curves, strict=True)
    )
    return Result(
        f"Batches of {rows} rows: noise of the gradient, and {epochs} epochs with lr {lr:g}",
        (
            "batch",
            "steps an epoch",
            "std of gradient",
            "predicted",
            "loss − minimum, 1 epoch",
            f"{epochs} epochs",
        ),
        table,
        (
            "Ten times the rows make a gradient √10 times more exact, for ten times the work. Small batches "
            "get near the minimum in few epochs and then jump about it; all rows at once go slowly and "
            "quietly.",
        ),
        {"measured": measured, "predicted": predicted, "losses": curves},
        lambda ax: _draw_curves(ax, sizes, curves),
    )


def _excess(model: nn.Module, x: Tensor, y: Tensor, lowest: float) -> float:
    value: float = half_squares(model(x), y).item() - lowest
    return value


def _solved(curve: list[float]) -> int | None:
    return next((step for step, value in enumerate(curve) if value <= SOLVED * curve[0]), None)


def _verdict(curve: list[float]) -> str:
    if not curve[-1] < curve[0]:
        return "too large: diverges"
    return "too small" if curve[-1] > 0.1 * curve[0] else "converges"


def _draw_paths(ax: Axes | None, x: Tensor, y: Tensor, start: Tensor, lrs: list[float], steps: int) -> Axes:
    from .. import plot

    def loss(w: Tensor) -> Tensor:
        return half_squares(x @ w.to(float64).reshape(2, 1), y)

    return plot.loss_surface(
        loss, start=start[0].tolist(), lr=[float(f"{lr:.3g}") for lr in lrs], steps=min(steps, SHOWN), ax=ax
    )


def _draw_curves(ax: Axes | None, sizes: list[int], curves: list[list[float]]) -> Axes:
    from .. import plot

    lines = {f"batch {size}": curve for size, curve in zip(sizes, curves, strict=True)}
    return plot.learning_curves(lines, yscale="log", ylabel="loss above the minimum", ax=ax)
