"""Weight decay as a constraint: min l(w, b) under ‖w‖² <= θ, and the λ that gives the same w.

The constraint is kept by projection (`nn.utils.project_norm_`) after each step. At its solution the gradient
of the loss points against w: ∇l + λw = 0 (the condition of Karush, Kuhn and Tucker), which is the condition
for the minimum of l + λ/2 ‖w‖². So the λ that belongs to θ can be read off the solution. Next: `sparsity.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import linalg, nn
from ..core.dtypes import float64
from ..creation import ones, zeros
from ..functions.joining import cat
from ..functions.sampling import randn
from ..nn.utils import project_norm_
from ..tensor import Tensor
from .decay import half_squares
from .result import Result, listed, positive
from .training import decaying, line, seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def norm_constraint(
    shares: Sequence[float] = (0.1, 0.3, 0.6, 1.5),
    *,
    rows: int = 60,
    inputs: int = 6,
    steps: int = 3000,
    seed: int = 0,
) -> Result:
    """Least squares under ‖w‖² <= θ, and with the penalty λ/2 ‖w‖² for the λ that belongs to θ.

    The loss is half the mean squared error; the bias b is neither constrained nor penalised.

    Args:    shares: θ as shares of ‖w‖² of the solution without a constraint; from 1 on it constrains
             nothing, and λ is 0.
    Returns: "thetas", "lambdas", "constrained" and "penalised" (weights for each θ), "differences" (the
             largest between these), "x", "y".

    >>> from chainrule import experiments
    >>> result = experiments.norm_constraint()
    >>> max(result["differences"]) < 1e-8
    True
    >>> [round(value, 3) for value in result["lambdas"]]  # a smaller ball is a larger λ
    [1.908, 0.707, 0.243, 0.0]
    """
    shares = listed("norm_constraint", "shares", shares)
    positive("norm_constraint", rows=rows, inputs=inputs, steps=steps, shares=min(shares))
    with seeded(seed):
        x = randn(rows, inputs, dtype=float64)
        y = x @ randn(inputs, 1, dtype=float64) + 1.5 + 0.5 * randn(rows, 1, dtype=float64)
    extended = cat([x, ones(rows, 1, dtype=float64)], dim=1)
    free = linalg.lstsq(extended, y).solution[:-1, 0]
    curvature = linalg.eigvalsh(extended.T @ extended / rows)[
        -1
    ].item()  # the largest, so 1 / it is a safe step
    thetas = [share * (free @ free).item() for share in shares]
    lambdas, constrained, penalised = [], [], []
    for theta in thetas:
        model = _fitted(x, y, steps=steps, lr=1 / curvature, radius=theta**0.5)
        decay = _multiplier(model, x, y)
        lambdas.append(decay)
        constrained.append(model.weight.detach()[0])
        model = _fitted(x, y, steps=steps, lr=1 / (curvature + decay), decay=decay)
        penalised.append(model.weight.detach()[0])
    differences = [(a - b).abs().max().item() for a, b in zip(constrained, penalised, strict=True)]
    table = tuple(
        (theta, (a @ a).item(), decay, (b @ b).item(), difference)
        for theta, a, decay, b, difference in zip(
            thetas, constrained, lambdas, penalised, differences, strict=True
        )
    )
    return Result(
        "Least squares with ‖w‖² ≤ θ, and with the penalty λ/2 ‖w‖²",
        ("θ", "‖w‖² constrained", "its λ", "‖w‖² with this λ", "largest difference of w"),
        table,
        (
            "For each θ there is a λ with the same solution; the smaller the ball, the larger λ. λ is read "
            "off the constrained solution, where ∇l = −λw.",
        ),
        {
            "thetas": thetas,
            "lambdas": lambdas,
            "constrained": constrained,
            "penalised": penalised,
            "differences": differences,
            "x": x,
            "y": y,
        },
        lambda ax: _draw(ax, x, y, thetas, lambdas),
    )


def _fitted(
    x: Tensor, y: Tensor, *, steps: int, lr: float, radius: float | None = None, decay: float = 0.0
) -> nn.Linear:
    model = line(zeros(1, x.shape[1], dtype=float64))

    def project() -> None:
        if radius is not None:
            project_norm_(model.weight, radius)

    optimizer = decaying(model, lr=lr, decay=decay)
    train(model, half_squares, optimizer, x, y, epochs=steps, after_step=project)
    return model


def _multiplier(model: nn.Linear, x: Tensor, y: Tensor) -> float:
    """The λ of ∇l(w) = -λw, by projecting the gradient on w; 0 inside the ball, where the gradient is 0."""
    model.zero_grad()
    half_squares(model(x), y).backward()
    w, g = model.weight.detach(), model.weight.grad
    assert g is not None
    value = -((w * g).sum() / (w * w).sum()).item()
    return value if value > 1e-12 else 0.0  # rounding leaves a gradient of 1e-16


def _draw(ax: Axes | None, x: Tensor, y: Tensor, thetas: list[float], lambdas: list[float]) -> Axes:
    from .. import eye, logspace, plot

    centred, target = x - x.mean(0), y - y.mean(0)  # which is what a free bias does
    gram, moment = centred.T @ centred / len(x), centred.T @ target / len(x)
    grid = logspace(-2, 1.2, 60, dtype=float64)
    norms = [
        (linalg.solve(gram + decay * eye(len(gram), dtype=float64), moment) ** 2).sum()
        for decay in grid.tolist()
    ]
    ax = plot.lines(
        grid,
        [norm.item() for norm in norms],
        xscale="log",
        xlabel="λ",
        ylabel="‖w‖²",
        legend="penalty λ",
        ax=ax,
    )
    inside = [(decay, theta) for decay, theta in zip(lambdas, thetas, strict=True) if decay > 0]
    if inside:
        ax = plot.scatter(
            [a for a, _ in inside], [b for _, b in inside], size=40, label="constraint ‖w‖² ≤ θ", ax=ax
        )
    return ax
