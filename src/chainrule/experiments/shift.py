"""Covariate shift: tomorrow's inputs are not those of training, and another model is the best one.

If p(y | x) stays and only p(x) becomes q(x), each training row counts β(x) = q(x) / p(x). Where neither is
known, a classifier that tells training inputs from new ones knows their ratio: β = exp(h) for its score h
(derived from Bayes' rule, with equally many of both). Next: `__init__.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import linalg, nn
from ..core.dtypes import float64
from ..creation import ones_like
from ..functions.joining import cat, stack
from ..functions.pointwise import exp, sin
from ..functions.sampling import randn
from ..nn.functional import binary_cross_entropy_with_logits
from ..optim import Adam
from ..tape.mode import no_grad
from ..tensor import Tensor
from .result import Result, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def covariate_shift(
    *, rows: int = 1000, shift: float = 1.5, spread: float = 0.5, noise: float = 0.1, seed: int = 0
) -> Result:
    """A line fitted to y = sin x for x ~ N(0, 1), used where x ~ N(shift, spread²): without and with weights.

    Args:    spread: the standard deviation of new inputs; below 1, so that the weights stay bounded.
    Returns: "lines": (slope, intercept) by name; "errors" on new rows; "ratio": the true and the learned β
             of the training rows; "x".

    >>> from chainrule import experiments
    >>> result = experiments.covariate_shift()
    >>> plain, known, learned, best = result["errors"].values()
    >>> plain > 2 * known, max(known, learned) < 1.3 * best
    (True, True)
    """
    positive("covariate_shift", rows=rows, spread=spread)
    with seeded(seed):
        x = randn(rows, dtype=float64)
        new = shift + spread * randn(rows, dtype=float64)
        y, new_y = (sin(v) + noise * randn(rows, dtype=float64) for v in (x, new))
        known = exp((x**2 - ((x - shift) / spread) ** 2) / 2) / spread
        learned = _ratio(x, new)
    lines = {
        "training rows": _line(x, y, ones_like(x)),
        "training rows, weights q/p": _line(x, y, known),
        "training rows, learned weights": _line(x, y, learned),
        "new rows (not available)": _line(new, new_y, ones_like(x)),
    }
    errors = {name: _error(line, new, new_y) for name, line in lines.items()}
    table = tuple((name, *line, _error(line, x, y), errors[name]) for name, line in lines.items())
    return Result(
        f"A line for sin x: trained where x ~ N(0, 1), used where x ~ N({shift:g}, {spread:g}²)",
        ("fitted to", "slope", "intercept", "error on training inputs", "error on new inputs"),
        table,
        (
            "No line is right everywhere, so the best one depends on where x lies. Weighted training rows "
            "find the line for new inputs without a single new label.",
        ),
        {"lines": lines, "errors": errors, "ratio": (known, learned), "x": x},
        lambda ax: _draw(ax, x, y, lines),
    )


def _line(x: Tensor, y: Tensor, weights: Tensor) -> tuple[float, float]:
    root = weights.sqrt()
    columns = stack([x, ones_like(x)], dim=1) * root[:, None]
    slope, intercept = linalg.lstsq(columns, (y * root)[:, None]).solution[:, 0].tolist()
    return slope, intercept


def _error(line: tuple[float, float], x: Tensor, y: Tensor) -> float:
    value: float = ((line[0] * x + line[1] - y) ** 2).mean().item()
    return value


def _ratio(x: Tensor, new: Tensor) -> Tensor:
    """exp(h) of a logistic regression on x and x², which can express the ratio of two normal densities."""
    both = cat([x, new])
    inputs = stack([both, both**2], dim=1)
    labels = cat([x * 0, new * 0 + 1])[:, None]
    model = nn.Linear(2, 1, dtype=float64)
    train(
        model,
        binary_cross_entropy_with_logits,
        Adam(model.parameters(), lr=0.05),
        inputs,
        labels,
        epochs=2000,
    )
    with no_grad():
        ratio: Tensor = exp(model(inputs[: len(x)]))[:, 0]
        return ratio


def _draw(ax: Axes | None, x: Tensor, y: Tensor, lines: dict[str, tuple[float, float]]) -> Axes:
    from .. import linspace, plot

    grid = linspace(-3, 3.5, 50, dtype=float64)
    ax = plot.lines(
        grid,
        [sin(grid), *(slope * grid + intercept for slope, intercept in lines.values())],
        legend=["sin x", *lines],
        fmts=["k-", "-", "--", "-.", ":"],
        xlabel="x",
        ylabel="y",
        ax=ax,
    )
    ax = plot.scatter(x, y, size=3, ax=ax)
    ax.collections[-1].set_color("0.6")  # behind what matters
    return ax
