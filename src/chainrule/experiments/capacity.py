"""Too little capacity, the right one, too much: polynomials of several degrees on the same noisy points.

The data are the book's: y = 5 + 1.2 x - 3.4 x²/2! + 5.6 x³/3! + noise. Features are x^i / i!, which keeps
them of one size. Next: `decay.py`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import linalg, nn
from ..core.dtypes import float64
from ..core.errors import ArgumentError
from ..creation import tensor
from ..functions.joining import stack
from ..functions.sampling import randn
from ..nn.functional import mse_loss
from ..optim import SGD
from ..tape.mode import no_grad
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import seeded, train, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRUE = (5.0, 1.2, -3.4, 5.6)  # of 1, x, x²/2!, x³/3!
REACH = 3.0  # what the picture shows of x, which is drawn from the standard normal distribution


@undisturbing
def polynomial(
    degrees: Sequence[int] = (1, 3, 19),
    *,
    train_rows: int = 100,
    test_rows: int = 100,
    noise: float = 0.1,
    method: str = "sgd",
    epochs: int = 400,
    lr: float = 0.01,
    batch_size: int = 10,
    seed: int = 0,
) -> Result:
    """Fit polynomials of several degrees to a noisy cubic: under, right, over.

    Args:    degrees: 1 is a line (too little), 3 what the data are made of, 19 more than they say.
             method: "sgd" trains as the book does; "exact" solves the least-squares problem, which is where
             SGD would arrive with enough epochs. The difference is large for many features and few rows.
    Returns: "train" and "test", the mean squared errors of each degree; "weights"; "curves", the test error
             over the epochs ("sgd").

    >>> from chainrule import experiments
    >>> result = experiments.polynomial([1, 3, 19], train_rows=24, method="exact")
    >>> line, cubic, high = result["test"]
    >>> line > 50 * cubic, high > 10 * cubic, high > 50 * result["train"][2]
    (True, True, True)
    """
    degrees = listed("polynomial", "degrees", degrees)
    positive(
        "polynomial", train_rows=train_rows, test_rows=test_rows, epochs=epochs, lr=lr, batch_size=batch_size
    )
    if method not in ("sgd", "exact"):
        raise ArgumentError.of(
            "experiments.polynomial", given=f"method = {method!r}", must="method must be 'sgd' or 'exact'"
        )
    if min(degrees) < 0:
        raise ArgumentError.of(
            "experiments.polynomial", given=f"degrees = {degrees}", must="a degree is a whole number from 0"
        )
    with seeded(seed):
        x = randn(train_rows + test_rows, dtype=float64)
        y = features(x, 3) @ tensor(TRUE, dtype=float64) + noise * randn(
            train_rows + test_rows, dtype=float64
        )
        fits = [
            _by_sgd(x, y, train_rows, degree, epochs, lr, batch_size)
            if method == "sgd"
            else (_exact(x[:train_rows], y[:train_rows], degree), [])
            for degree in degrees
        ]
    weights, curves = [w for w, _ in fits], [curve for _, curve in fits]
    seen, new = [], []
    for w, degree in zip(weights, degrees, strict=True):
        errors = (features(x, degree) @ w - y) ** 2
        seen.append(errors[:train_rows].mean().item())
        new.append(errors[train_rows:].mean().item())
    rows = tuple(
        (degree, a, b, b / a if a else math.inf, w.norm().item())
        for degree, a, b, w in zip(degrees, seen, new, weights, strict=True)
    )
    best = degrees[min(range(len(degrees)), key=new.__getitem__)]
    return Result(
        f"Polynomials of {len(degrees)} degrees on {train_rows} points of a noisy cubic",
        ("degree", "train error", "test error", "test / train", "‖w‖"),
        rows,
        (
            f"Noise alone makes an error of {noise**2:.4g}: a training error far above it is underfitting, "
            "one below it with a large test error is overfitting.",
            f"Degree {best} does best on new points.",
        ),
        {"train": seen, "test": new, "weights": weights, "curves": curves, "x": x, "y": y},
        lambda ax: _draw(ax, x[:train_rows], y[:train_rows], degrees, weights),
    )


def features(x: Tensor, degree: int) -> Tensor:
    """The columns x^i / i! for i = 0 ... degree. Shapes: (n,) -> (n, degree + 1)."""
    return stack([x**i / math.factorial(i) for i in range(degree + 1)], dim=1)


def _by_sgd(
    x: Tensor, y: Tensor, rows: int, degree: int, epochs: int, lr: float, batch_size: int
) -> tuple[Tensor, list[float]]:
    columns = features(x, degree)
    model = nn.Linear(degree + 1, 1, bias=False, dtype=float64)

    def look() -> float:
        error: float = mse_loss(model(columns[rows:])[:, 0], y[rows:]).item()
        return error

    optimizer = SGD(model.parameters(), lr=lr)
    target = y[:rows].reshape(-1, 1)
    curve = train(
        model, mse_loss, optimizer, columns[:rows], target, epochs=epochs, batch_size=batch_size, look=look
    )
    return model.weight.detach()[0], curve


def _exact(x: Tensor, y: Tensor, degree: int) -> Tensor:
    with no_grad(), warnings.catch_warnings():
        # High powers nearly depend on each other. What weights become of that is what the table shows.
        warnings.filterwarnings("ignore", message="linalg.lstsq: the condition number")
        w: Tensor = linalg.lstsq(features(x, degree), y.reshape(-1, 1)).solution[:, 0]
        return w


def _draw(ax: Axes | None, x: Tensor, y: Tensor, degrees: list[int], weights: list[Tensor]) -> Axes:
    from .. import linspace, plot

    grid = linspace(-REACH, REACH, 301, dtype=float64)
    low, high = y.min().item(), y.max().item()
    room = 0.25 * (high - low)
    ax = plot.lines(
        grid,
        [features(grid, degree) @ w for degree, w in zip(degrees, weights, strict=True)],
        legend=[f"degree {degree}" for degree in degrees],
        xlabel="x",
        ylabel="y",
        ylim=(low - room, high + room),
        ax=ax,
    )
    ax = plot.scatter(x, y, size=16, ax=ax)
    ax.collections[-1].set(color="black", zorder=3)
    return ax
