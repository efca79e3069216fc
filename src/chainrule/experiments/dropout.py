"""Dropout adds noise without a bias: E[x'] = x. And at inference it is the identity. Next: `stopping.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import nn
from ..core.dtypes import float64
from ..creation import arange
from ..functions.sampling import rand
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import seeded, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def dropout(
    p: Sequence[float] = (0.2, 0.5, 0.8), *, size: int = 8, draws: int = 10_000, seed: int = 0
) -> Result:
    """Draw x' = dropout(x) many times and compare its mean with x.

    Each element of x' is 0 with probability p and x / (1 - p) otherwise. So its mean is x and its variance
    x² p / (1 - p): the mean of n draws lies within |x| √(p / (1 - p) / n) of x, typically.

    Returns: "x"; "means", "variances" and "zeros" (the share) for each p, elementwise; "running", the mean
             of the first element after 1, 2, ... draws.

    >>> from chainrule import experiments
    >>> result = experiments.dropout([0.5])
    >>> bool((result["means"][0] - result["x"]).abs().max() < 4 * (1 / 10_000) ** 0.5 * 2)
    True
    """
    p = listed("dropout", "p", p)
    positive("dropout", size=size, draws=draws)
    with seeded(seed):
        x = 1 + rand(size, dtype=float64)
        samples = {q: nn.Dropout(q)(x.expand(draws, size)) for q in p}  # (draws, size)
    same = [bool((nn.Dropout(q).eval()(x) == x).all()) for q in p]
    means = [found.mean(0) for found in samples.values()]
    zeros = [(found == 0).to(float64).mean(0) for found in samples.values()]
    average = x.mean().item()
    rows = tuple(
        (q, average, mean.mean().item(), _error(x, q, draws), zero.mean().item(), unchanged)
        for q, mean, zero, unchanged in zip(p, means, zeros, same, strict=True)
    )
    counts = arange(1, draws + 1, dtype=float64)
    running = [found[:, 0].cumsum(0) / counts for found in samples.values()]
    return Result(
        f"Dropout: the mean of {draws} draws",
        ("p", "mean of x", "mean of x'", "standard error", "share of zeros", "same at inference"),
        rows,
        (
            "The mean of x' is x up to a few standard errors, for any p: what is left is multiplied by 1 / "
            "(1 − p). The noise grows with p. In eval mode nothing is dropped and nothing multiplied.",
        ),
        {
            "x": x,
            "means": means,
            "variances": [found.var(0) for found in samples.values()],
            "zeros": zeros,
            "running": running,
        },
        lambda ax: _draw(ax, x[0].item(), p, counts, running),
    )


def _error(x: Tensor, p: float, draws: int) -> float:
    """The standard deviation of the mean over all elements and draws, which are all independent."""
    variance = (x**2).sum() * p / (1 - p) / len(x) ** 2 / draws if p < 1 else x.sum() * 0
    value: float = variance.sqrt().item()
    return value


def _draw(ax: Axes | None, x: float, p: list[float], counts: Tensor, running: list[Tensor]) -> Axes:
    from .. import plot

    ax = plot.lines(
        counts,
        running,
        legend=[f"p = {q:g}" for q in p],
        xscale="log",
        xlabel="draws",
        ylabel="mean of x'",
        ax=ax,
    )
    ax.axhline(x, color="black", linewidth=0.8)
    return ax
