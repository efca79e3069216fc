"""Accumulated gradients: a large batch in pieces, for memory that holds only one. Next: `shift.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import nn
from ..core.dtypes import float64
from ..functions.sampling import randn
from ..nn.functional import mse_loss
from ..nn.utils import parameters_to_vector
from ..tensor import Tensor
from .result import Result, positive
from .training import seeded, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def accumulation(*, rows: int = 128, pieces: int = 5, seed: int = 0) -> Result:
    """The gradient of a batch, at once and accumulated over pieces: what to divide by.

    `backward` adds to `.grad`. With a mean as the loss, each piece must count with its share of the rows;
    summing the means of the pieces gives a gradient that is (about) as many times too large as there are
    pieces.

    Returns: "gradients" by name, as one vector each.

    >>> from chainrule import experiments
    >>> result = experiments.accumulation()
    >>> [difference < 1e-12 for difference in result.column("largest difference")]
    [True, True, False, False]
    """
    positive("accumulation", rows=rows, pieces=pieces)
    with seeded(seed):
        x, y = randn(rows, 6, dtype=float64), randn(rows, 1, dtype=float64)
        model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    parts = list(zip(x.chunk(pieces), y.chunk(pieces), strict=True))
    ways = {
        "all rows at once": [(x, y, 1.0)],
        "pieces, each by its share of the rows": [(a, b, len(a) / rows) for a, b in parts],
        "pieces, each divided by their number": [(a, b, 1 / len(parts)) for a, b in parts],
        "pieces, not divided": [(a, b, 1.0) for a, b in parts],
    }
    gradients = {}
    for name, way in ways.items():
        model.zero_grad()
        for a, b, weight in way:
            (mse_loss(model(a), b) * weight).backward()  # adds to .grad
        gradients[name] = parameters_to_vector([p.grad for p in model.parameters() if p.grad is not None])
    whole = gradients["all rows at once"]
    sizes = ", ".join(str(len(a)) for a, _ in parts)
    return Result(
        f"The gradient of {rows} rows in pieces of {sizes}",
        ("gradient", "norm", "largest difference"),
        tuple(
            (name, found.norm().item(), (found - whole).abs().max().item())
            for name, found in gradients.items()
        ),
        (
            "Weighted by their rows, pieces give the gradient of the whole batch up to rounding, while "
            "memory holds the intermediate results of one piece only. Divided by their number they do so if "
            "all have the same size.",
        ),
        {"gradients": gradients},
        lambda ax: _draw(ax, gradients),
    )


def _draw(ax: Axes | None, gradients: dict[str, Tensor]) -> Axes:
    from .. import plot

    return plot.lines(
        list(gradients.values()),
        legend=list(gradients),
        fmts=["o", "x", "+", "-"],
        xlabel="parameter",
        ylabel="gradient",
        ax=ax,
    )
