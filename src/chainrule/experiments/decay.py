"""Weight decay: what it does to a model with too many inputs, and where it is written.

In the loss, L + λ/2 ‖w‖², or in the update, w ← (1 - ηλ) w - η g: for plain gradient descent these are the
same program; for Adam, which divides gradients by their size, they are not (Loshchilov and Hutter, 2019).
Next: `constraint.py`, the third way to write it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import nn
from ..core.dtypes import float64
from ..creation import full
from ..functions.sampling import randn
from ..nn.functional import mse_loss
from ..optim import SGD, Adam, AdamW, Optimizer
from ..tape.mode import no_grad
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import bias_of, decaying, line, seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def weight_decay(
    decays: Sequence[float] = (0.0, 3.0),
    *,
    inputs: int = 200,
    train_rows: int = 20,
    test_rows: int = 100,
    epochs: int = 100,
    lr: float = 0.003,
    batch_size: int | None = 5,
    seed: int = 0,
) -> Result:
    """Linear regression with more inputs than rows, y = 0.05 + Σ 0.01 xᵢ + noise, for several weight decays.

    All runs start at the same weights, drawn from the standard normal distribution. What is minimised is the
    book's (ŷ - y)² / 2 on average, plus λ/2 ‖w‖² by the option `weight_decay` of the optimizer; the bias has
    none.

    Args:    decays: the values of λ. batch_size: None takes all rows at once.
    Returns: "train" and "test" (half the mean squared error), "norms" (‖w‖²), "weights", "biases", "x", "y",
             "curves": (train, test) after each epoch.

    >>> from chainrule import experiments
    >>> result = experiments.weight_decay()
    >>> free, decayed = result["test"]
    >>> decayed < free / 10, result["train"][0] < decayed
    (True, True)
    """
    decays = listed("weight_decay", "decays", decays)
    positive("weight_decay", inputs=inputs, train_rows=train_rows, test_rows=test_rows, epochs=epochs, lr=lr)
    with seeded(seed):
        x = randn(train_rows + test_rows, inputs, dtype=float64)
        y = 0.05 + x @ full((inputs, 1), 0.01, dtype=float64)
        y = y + 0.01 * randn(train_rows + test_rows, 1, dtype=float64)
        start = randn(1, inputs, dtype=float64)
        models, curves = [], []
        for decay in decays:
            model = line(start)
            optimizer = decaying(model, lr=lr, decay=decay)
            curves.append(
                train(
                    model,
                    half_squares,
                    optimizer,
                    x[:train_rows],
                    y[:train_rows],
                    epochs=epochs,
                    batch_size=batch_size,
                    look=partial(_errors, model, x, y, train_rows),
                )
            )
            models.append(model)
    seen, new = [curve[-1][0] for curve in curves], [curve[-1][1] for curve in curves]
    norms = [(model.weight.detach() ** 2).sum().item() for model in models]
    return Result(
        f"Linear regression with {inputs} inputs and {train_rows} rows",
        ("λ", "train error", "test error", "‖w‖²"),
        tuple(zip(decays, seen, new, norms, strict=True)),
        (
            "With more inputs than rows the training error can go to 0 whatever the test error does; weight "
            "decay pulls the weights that the rows say nothing about towards 0.",
            f"The true weights have ‖w‖² = {inputs * 1e-4:.4g}.",
        ),
        {
            "train": seen,
            "test": new,
            "norms": norms,
            "weights": [model.weight.detach()[0] for model in models],
            "biases": [bias_of(model).item() for model in models],
            "x": x,
            "y": y,
            "curves": curves,
        },
        lambda ax: _draw_curves(ax, decays, curves),
    )


@undisturbing
def decoupled_decay(*, decay: float = 0.1, lr: float = 0.05, steps: int = 100, seed: int = 0) -> Result:
    """Weight decay in the loss, in the gradient and decoupled from it: where these are the same.

    Each optimizer trains the same linear model three times from the same start: with λ/2 ‖w‖² added to the
    loss; with its option `weight_decay` (for `AdamW`, which is Adam decoupled, see the third); and with w ←
    (1 - ηλ) w before each step. For SGD all three are one formula. With momentum the third differs: the
    velocity then has no part of the penalty. For Adam it differs in kind: a penalty in the gradient is
    divided by the gradient's size like everything else.

    Returns: "weights": {optimizer: (in the loss, in the gradient, decoupled)}; "differences": {optimizer:
             (loss - gradient, gradient - decoupled)}, the largest absolute ones.

    >>> from chainrule import experiments
    >>> result = experiments.decoupled_decay()
    >>> [max(result["differences"]["SGD"]) < 1e-12, result["differences"]["Adam"][1] > 0.01]
    [True, True]
    """
    positive("decoupled_decay", lr=lr, steps=steps)
    with seeded(seed):
        x = randn(40, 8, dtype=float64)
        x[:, ::2] *= 0.2  # gradients of different sizes: what Adam's division evens out
        y = x @ randn(8, 1, dtype=float64) + 0.1 * randn(40, 1, dtype=float64)
        start = randn(1, 8, dtype=float64)

    momentum = partial(SGD, momentum=0.9)
    makers: dict[str, tuple[Callable[..., Optimizer], Callable[..., Optimizer] | None]] = {
        "SGD": (SGD, None),
        "SGD, momentum": (momentum, None),
        "Adam": (Adam, AdamW),
    }
    weights = {}
    for name, (plain, decoupled) in makers.items():
        descend = partial(_descend, x, y, start, steps=steps)
        weights[name] = (
            descend(partial(plain, lr=lr), penalty=decay),
            descend(partial(plain, lr=lr, weight_decay=decay)),
            descend(partial(decoupled, lr=lr, weight_decay=decay))
            if decoupled is not None
            else descend(partial(plain, lr=lr), shrink=1 - lr * decay),
        )
    differences = {
        name: ((a - b).abs().max().item(), (b - c).abs().max().item()) for name, (a, b, c) in weights.items()
    }
    rows = tuple(
        (name, *differences[name], b.norm().item(), c.norm().item()) for name, (_, b, c) in weights.items()
    )
    return Result(
        f"Weight decay {decay:g} in the loss, in the gradient, decoupled: after {steps} steps",
        ("optimizer", "loss − gradient", "gradient − decoupled", "‖w‖ in gradient", "‖w‖ decoupled"),
        rows,
        (
            "For SGD all are the same, up to rounding. Momentum and Adam keep a memory of gradients, so "
            "that it matters whether the penalty goes through it.",
        ),
        {"weights": weights, "differences": differences},
        lambda ax: _draw_weights(ax, weights),
    )


def half_squares(output: Tensor, target: Tensor) -> Tensor:
    """(ŷ - y)² / 2, averaged: the book's squared loss."""
    return mse_loss(output, target) / 2


def _errors(model: nn.Module, x: Tensor, y: Tensor, rows: int) -> tuple[float, float]:
    errors = (model(x) - y) ** 2 / 2
    return errors[:rows].mean().item(), errors[rows:].mean().item()


def _descend(
    x: Tensor,
    y: Tensor,
    start: Tensor,
    make: Callable[..., Optimizer],
    *,
    steps: int,
    penalty: float = 0.0,
    shrink: float = 1.0,
) -> Tensor:
    model = nn.Linear(x.shape[1], 1, bias=False, dtype=float64)
    with no_grad():
        model.weight.copy_(start)
    optimizer = make(model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = half_squares(model(x), y)
        if penalty:
            loss = loss + penalty / 2 * (model.weight**2).sum()
        loss.backward()
        if shrink != 1.0:
            with no_grad():
                model.weight.mul_(shrink)  # the gradient is that of the weights before
        optimizer.step()
    return model.weight.detach()[0]


def _draw_curves(ax: Axes | None, decays: list[float], curves: list[list[Any]]) -> Axes:
    from .. import plot

    lines = {
        f"{part}, λ = {decay:g}": [errors[index] for errors in curve]
        for decay, curve in zip(decays, curves, strict=True)
        for index, part in enumerate(("train", "test"))
    }
    return plot.learning_curves(lines, yscale="log", ylabel="half the mean squared error", ax=ax)


def _draw_weights(ax: Axes | None, weights: dict[str, tuple[Tensor, Tensor, Tensor]]) -> Axes:
    from .. import plot

    lines = {}
    for name, (_, b, c) in weights.items():
        lines[f"{name}, in gradient"], lines[f"{name}, decoupled"] = b, c
    return plot.lines(
        list(lines.values()), legend=list(lines), fmts=["o-", "x--"], xlabel="weight", ylabel="value", ax=ax
    )
