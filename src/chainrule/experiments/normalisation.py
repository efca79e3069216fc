"""Normalisation between layers: the scale of the weights no longer decides whether a deep network learns.

Batch normalisation divides each unit by its spread over the rows, layer normalisation each row by its spread
over the units; either undoes whatever factor the weights brought in. Next: `xor.py`.
"""

from __future__ import annotations

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

KINDS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda width: nn.Identity(),
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
}


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
    """Train a deep ReLU network with weights of several scales, with and without normalisation.

    Weights start at gain times Kaiming's. Without normalisation the signal is multiplied by the gain in each
    layer. Two classes: whether x₁x₂ > 0.

    Returns: "gradients": {(kind, gain): the norm of the first layer's gradient over that of the last one's,
             at the start}; "losses": {(kind, gain): the loss of each epoch}, nan where it diverged.

    >>> from chainrule import experiments
    >>> result = experiments.normalisation([0.2])
    >>> losses = {kind: values[-1] for (kind, gain), values in result["losses"].items()}
    >>> losses["none"] > 0.65, losses["batch"] < 0.3
    (True, True)
    """
    gains = listed("normalisation", "gains", gains)
    positive("normalisation", gains=min(gains), depth=depth, width=width, rows=rows, epochs=epochs, lr=lr)
    with seeded(seed):
        x = randn(rows, 10)
        y = (x[:, 0] * x[:, 1] > 0).long()
    gradients, losses, signals = {}, {}, {}
    for kind in KINDS:
        for gain in gains:
            with seeded(seed + 1):
                model = _network(kind, gain, depth, width)
                gradients[kind, gain] = _gradients(model, x, y)
                with no_grad():
                    signals[kind, gain] = model[:-1](x).std().item()
                optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
                losses[kind, gain] = train(
                    model, cross_entropy, optimizer, x, y, epochs=epochs, batch_size=32
                )
    table = tuple(
        (kind, gain, signals[kind, gain], gradients[kind, gain], values[0], values[-1])
        for (kind, gain), values in losses.items()
    )
    return Result(
        f"{depth} ReLU layers with weights of several scales, with and without normalisation",
        ("normalisation", "gain", "last hidden std", "gradient: first / last", "first epoch", "last epoch"),
        table,
        (
            "Without normalisation only the right scale is learned from; 0.693 is the loss of guessing. "
            "With it the signal is the same for every gain. What remains is the learning rate, which counts "
            "relative to the weights: small ones take large steps.",
        ),
        {"gradients": gradients, "losses": losses, "signals": signals},
        lambda ax: _draw(ax, losses),
    )


def _network(kind: str, gain: float, depth: int, width: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for index in range(depth):
        layer = nn.Linear(10 if index == 0 else width, width, bias=False)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with no_grad():
            layer.weight.mul_(gain)
        parts += [layer, KINDS[kind](width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 2))


def _gradients(model: nn.Sequential, x: Tensor, y: Tensor) -> float:
    cross_entropy(model(x), y).backward()
    norms = [layer.weight.grad.norm().item() for layer in model if isinstance(layer, nn.Linear)]
    model.zero_grad()
    return float(norms[0] / norms[-1])


def _draw(ax: Axes | None, losses: dict[tuple[str, float], list[float]]) -> Axes:
    from .. import plot

    lines = {f"{kind}, gain {gain:g}": values for (kind, gain), values in losses.items()}
    return plot.learning_curves(lines, ax=ax, best=0)
