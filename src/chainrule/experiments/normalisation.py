"""Normalisation between layers, and shortcuts around them: depth that can be trained.

Batch normalisation divides each unit by its spread over the rows, layer normalisation each row by its spread
over the units; either undoes whatever factor the weights brought in. A shortcut, h + layer(h), makes a sum of
the product: its Jacobian is I + J, which is near 1 where J is small. Next: `xor.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import nn
from ..functions.sampling import randn
from ..nn.functional import cross_entropy
from ..optim import SGD
from ..tape.mode import no_grad
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INPUTS = 10
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda width: nn.Identity(),
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
}
KINDS = (*NORMS, "shortcut")


class Shortcut(nn.Module):
    """h + layer(h)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, h: Tensor) -> Tensor:
        result: Tensor = h + self.layer(h)
        return result


@undisturbing
def normalisation(
    gains: Sequence[float] = (0.2, 1.0, 5.0),
    *,
    depth: int = 8,
    width: int = 32,
    rows: int = 256,
    epochs: int = 100,
    lr: float = 0.05,
    seed: int = 0,
) -> Result:
    """Train a deep ReLU network with weights of several scales: as it is, normalised, and with shortcuts.

    Weights start at gain times Kaiming's. Without normalisation each layer multiplies the signal by the gain,
    and its gradient likewise. Two classes: whether x₁x₂ > 0.

    Returns: "signals": {(kind, gain): the standard deviation of the last hidden layer}, "gradients": {(kind,
             gain): mean square of the gradient of the first hidden layer over that of the last}, both at the
             start; "losses": {(kind, gain): the loss of each epoch}, nan where it diverged.

    >>> from chainrule import experiments
    >>> result = experiments.normalisation([0.2])
    >>> losses = {kind: values[-1] for (kind, gain), values in result["losses"].items()}
    >>> losses["none"] > 0.65, losses["batch"] < 0.3, losses["shortcut"] < 0.3
    (True, True, True)
    """
    gains = listed("normalisation", "gains", gains)
    positive("normalisation", gains=min(gains), depth=depth, width=width, rows=rows, epochs=epochs, lr=lr)
    with seeded(seed):
        x = randn(rows, INPUTS)
        y = (x[:, 0] * x[:, 1] > 0).long()
    gradients, losses, signals = {}, {}, {}
    for kind in KINDS:
        for gain in gains:
            key = kind, gain
            with seeded(seed + 1):
                model = _network(kind, gain, depth, width)
                signals[key], gradients[key] = _through(model, x, y)
                optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
                losses[key] = train(model, cross_entropy, optimizer, x, y, epochs=epochs, batch_size=32)
    table = tuple(
        (kind, gain, signals[kind, gain], gradients[kind, gain], values[0], values[-1])
        for (kind, gain), values in losses.items()
    )
    return Result(
        f"{depth} ReLU layers with weights of several scales, normalised, and with shortcuts",
        ("between layers", "gain", "last hidden std", "gradient: first / last", "first epoch", "last epoch"),
        table,
        (
            "As it is, only the right scale is learned from; 0.693 is the loss of guessing. Normalised, the "
            "signal is the same for every gain; what remains is the learning rate, which counts relative to "
            "the weights: small ones take large steps. Shortcuts keep signal and gradient where weights are "
            "small.",
        ),
        {"gradients": gradients, "losses": losses, "signals": signals},
        lambda ax: _draw(ax, losses),
    )


def _network(kind: str, gain: float, depth: int, width: int) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for index in range(depth):
        layer = nn.Linear(INPUTS if index == 0 else width, width, bias=False)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with no_grad():
            layer.weight.mul_(1.0 if kind == "shortcut" and index == 0 else gain)
        if kind == "shortcut":
            block = nn.Sequential(layer, nn.ReLU())
            blocks.append(block if index == 0 else Shortcut(block))
        else:
            blocks.append(nn.Sequential(layer, NORMS[kind](width), nn.ReLU()))
    return nn.Sequential(*blocks, nn.Linear(width, 2))


def _through(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[float, float]:
    """The spread of the last hidden layer, and the gradient of the first one over that of the last."""
    h, hidden = x, []
    for block in list(model)[:-1]:
        h = block(h)
        h.retain_grad()
        hidden.append(h)
    cross_entropy(model[-1](h), y).backward()
    model.zero_grad()
    first, last = hidden[0].grad, hidden[-1].grad
    assert first is not None
    assert last is not None
    return float(h.std()), float((first**2).mean() / (last**2).mean())


def _draw(ax: Axes | None, losses: dict[tuple[str, float], list[float]]) -> Axes:
    from .. import plot

    names = [
        f"{kind}, gain {gain:g}" + ("" if math.isfinite(values[-1]) else " (diverges)")
        for (kind, gain), values in losses.items()
    ]
    epochs = list(range(1, len(next(iter(losses.values()))) + 1))
    return plot.lines(
        epochs, list(losses.values()), legend=names, xlabel="epoch", ylabel="loss", ylim=(0, 1), ax=ax
    )
