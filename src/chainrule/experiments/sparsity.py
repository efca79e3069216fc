"""L1 and zeros: which way of training makes weights exactly 0.

The penalty λ‖w‖₁ has a kink at 0. A subgradient step, which is what backward gives, jumps from one side of
the kink to the other and never rests on it; a proximal step (a step without the penalty, then `softshrink`
by ηλ) sets what is small to 0 exactly. Next: `dropout.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import linalg, nn
from ..core.dtypes import float64
from ..creation import tensor, zeros
from ..functions.joining import cat
from ..functions.sampling import randn
from ..nn.functional import softshrink
from ..optim import SGD
from ..tape.mode import no_grad
from ..tensor import Tensor
from .decay import half_squares
from .result import Result, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RELEVANT = (3.0, -2.0, 1.5, 1.0, -0.8)


@undisturbing
def sparsity(
    *, penalty: float = 0.1, rows: int = 100, inputs: int = 30, steps: int = 2000, seed: int = 0
) -> Result:
    """Regression on 30 inputs, of which 5 matter, with L1 by proximal steps and by subgradients, and with L2.

    What is minimised: half the mean squared error + λ‖w‖₁, or + λ/2 ‖w‖². All run gradient descent with the
    same step size, from 0, without a bias.

    Returns: "weights" of each method by name; "truth"; "objectives" (of L1, for the two that minimise it);
             "x", "y".

    >>> from chainrule import experiments
    >>> result = experiments.sparsity()
    >>> result.column("exact zeros")[1:]
    [0, 0]
    >>> result.column("exact zeros")[0] > 15
    True
    >>> result["objectives"]["proximal"] < result["objectives"]["subgradient"]
    True
    """
    positive("sparsity", penalty=penalty, rows=rows, inputs=inputs, steps=steps)
    if inputs < len(RELEVANT):
        positive("sparsity", **{f"inputs - {len(RELEVANT) - 1}": inputs - len(RELEVANT) + 1})
    with seeded(seed):
        truth = cat([tensor(RELEVANT, dtype=float64), zeros(inputs - len(RELEVANT), dtype=float64)])
        x = randn(2 * rows, inputs, dtype=float64)
        y = (x @ truth).reshape(-1, 1) + 0.5 * randn(2 * rows, 1, dtype=float64)
    seen, new = (x[:rows], y[:rows]), (x[rows:], y[rows:])
    lr = 1 / linalg.eigvalsh(seen[0].T @ seen[0] / rows)[-1].item()
    weights = {name: _fitted(*seen, name, penalty, lr, steps) for name in ("proximal", "subgradient", "L2")}

    def error(w: Tensor, data: tuple[Tensor, Tensor]) -> float:
        value: float = half_squares((data[0] @ w).reshape(-1, 1), data[1]).item()
        return value

    objectives = {
        name: error(weights[name], seen) + penalty * weights[name].abs().sum().item()
        for name in ("proximal", "subgradient")
    }
    table = tuple(
        (
            name if name == "L2" else f"L1, {name}",
            int((w == 0).sum().item()),
            int((w.abs() < 1e-3).sum().item()),
            objectives.get(name),
            error(w, new),
        )
        for name, w in weights.items()
    )
    return Result(
        f"Linear regression on {inputs} inputs, {len(RELEVANT)} of which matter",
        ("method", "exact zeros", "below 0.001", "L1 objective", "test error"),
        table,
        (
            "Only the proximal step gives exact zeros. Subgradients of the same penalty jump to and fro "
            "around 0; L2 makes all weights smaller and none 0.",
        ),
        {"weights": weights, "truth": truth, "objectives": objectives, "x": seen[0], "y": seen[1]},
        lambda ax: _draw(ax, weights, truth),
    )


def _fitted(x: Tensor, y: Tensor, method: str, penalty: float, lr: float, steps: int) -> Tensor:
    model = nn.Linear(x.shape[1], 1, bias=False, dtype=float64)
    with no_grad():
        model.weight.zero_()

    def loss(output: Tensor, target: Tensor) -> Tensor:
        value = half_squares(output, target)
        return value + penalty * model.weight.abs().sum() if method == "subgradient" else value

    def shrink() -> None:
        if method == "proximal":
            with no_grad():
                model.weight.copy_(softshrink(model.weight, lr * penalty))

    optimizer = SGD(model.parameters(), lr=lr, weight_decay=penalty if method == "L2" else 0.0)
    train(model, loss, optimizer, x, y, epochs=steps, after_step=shrink)
    return model.weight.detach()[0]


def _draw(ax: Axes | None, weights: dict[str, Tensor], truth: Tensor) -> Axes:
    from .. import plot

    first = len(RELEVANT)  # of those that do not matter, where the methods differ
    inputs = list(range(first, len(truth)))
    return plot.lines(
        inputs,
        [w[first:] for w in weights.values()],
        legend=[name if name == "L2" else f"L1, {name}" for name in weights],
        fmts=["o-", "x", "+"],
        xlabel="inputs that do not matter",
        ylabel="weight",
        ax=ax,
    )
