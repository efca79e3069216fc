"""XOR: four points that no line parts, and one hidden layer that bends the plane. Next: `steps.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import nn
from ..creation import tensor, zeros
from ..nn.functional import binary_cross_entropy_with_logits
from ..optim import Adam
from ..tape.mode import no_grad
from ..tensor import Tensor
from .result import Result, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
LABELS = tensor([0.0, 1.0, 1.0, 0.0])


@undisturbing
def xor(*, hidden: int = 8, epochs: int = 500, lr: float = 0.05, seed: int = 0) -> Result:
    """XOR by a perceptron, a linear model, a hidden layer without an activation, and one with tanh.

    The perceptron goes on making mistakes for ever: its rule stops only when a line parts the points. The
    linear models end at w = 0, where every answer is 1/2 and the loss is log 2. A hidden layer without an
    activation is a linear model again.

    Returns: "mistakes" of the perceptron in each epoch; "losses" (curves) and "accuracies" by name; "model":
             the one with the activation.

    >>> from chainrule import experiments
    >>> result = experiments.xor()
    >>> min(result["mistakes"]) > 0, result["accuracies"]["hidden layer, tanh"]
    (True, 1.0)
    """
    positive("xor", hidden=hidden, epochs=epochs, lr=lr)
    mistakes, right = _perceptron(epochs)
    models: dict[str, nn.Module] = {}
    losses = {}
    with seeded(seed):
        for name, parts in (
            ("linear", [nn.Linear(2, 1)]),
            ("hidden layer, no activation", [nn.Linear(2, hidden), nn.Linear(hidden, 1)]),
            ("hidden layer, tanh", [nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 1)]),
        ):
            model = nn.Sequential(*parts)
            optimizer = Adam(model.parameters(), lr=lr)
            target = LABELS.reshape(-1, 1)
            losses[name] = train(
                model, binary_cross_entropy_with_logits, optimizer, POINTS, target, epochs=epochs
            )
            models[name] = model
    accuracies = {"perceptron": right, **{name: _accuracy(model) for name, model in models.items()}}
    table = (
        ("perceptron", None, accuracies["perceptron"], mistakes[-1]),
        *((name, values[-1], accuracies[name], None) for name, values in losses.items()),
    )
    return Result(
        "XOR: (0, 0) and (1, 1) against (0, 1) and (1, 0)",
        ("model", "loss", "accuracy", "mistakes in the last epoch"),
        table,
        (
            "A line gets at most three of the four. log 2 = 0.6931 is the loss of answering 1/2; the hidden "
            "layer needs its activation to do better.",
        ),
        {
            "mistakes": mistakes,
            "losses": losses,
            "accuracies": accuracies,
            "model": models["hidden layer, tanh"],
        },
        lambda ax: _draw(ax, models["hidden layer, tanh"]),
    )


def _perceptron(epochs: int) -> tuple[list[int], float]:
    """Rosenblatt's rule from w = 0, b = 0; the mistakes in each epoch, and the accuracy at the end."""
    w, b = zeros(2), zeros(())
    signs = 2 * LABELS - 1
    mistakes = []
    for _ in range(epochs):
        wrong = 0
        for x, y in zip(POINTS, signs, strict=True):
            if y * (w @ x + b) <= 0:
                w, b, wrong = w + y * x, b + y, wrong + 1
        mistakes.append(wrong)
        if wrong == 0:
            break
    return mistakes, ((POINTS @ w + b > 0) == (signs > 0)).float().mean().item()


def _accuracy(model: nn.Module) -> float:
    with no_grad():
        answers: Tensor = model(POINTS)[:, 0] > 0
    value: float = (answers == (LABELS > 0)).float().mean().item()
    return value


def _draw(ax: Axes | None, model: nn.Module) -> Axes:
    from .. import plot

    return plot.decision_boundary(
        model, POINTS, LABELS.long(), classes=["0", "1"], xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), ax=ax
    )
