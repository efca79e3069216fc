"""Experiments to run in one line: the law of large numbers with dice, and why squares are what one minimises.

Each returns its numbers and can draw them. The measures themselves: `information.py`, `table.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plot
from ..core.errors import ArgumentError, ShapeError
from ..creation import ones
from ..distributions.multinomial import Multinomial
from ..distributions.normal import Normal
from ..func import grad, hessian
from ..functions.joining import cat
from ..functions.linalg import lstsq, solve
from ..plot.style import legend
from ..tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Dice:
    """Throws of a die in groups.

    counts:   (groups, sides) how often each side came up in each group.
    expected: (sides,) the probabilities of the sides.
    """

    counts: Tensor
    expected: Tensor

    @property
    def throws(self) -> Tensor:
        """(groups,) how many throws there were up to each group."""
        return self.counts.sum(1).cumsum(0)

    @property
    def frequencies(self) -> Tensor:
        """(groups, sides) the relative frequency of each side so far; it settles at the probability."""
        return self.counts.cumsum(0) / self.throws.unsqueeze(1)

    @property
    def distance(self) -> Tensor:
        """(groups,) the root mean square of frequency - probability: it falls as 1 / sqrt(throws)."""
        return ((self.frequencies - self.expected) ** 2).mean(1).sqrt()

    @property
    def expected_distance(self) -> Tensor:
        """(groups,) what the law of large numbers says of it: sqrt(mean of p (1 - p) / throws)."""
        p = self.expected
        return ((p * (1 - p)).mean() / self.throws).sqrt()

    def plot(self, ax: Axes | None = None) -> Axes:
        """The relative frequencies against the groups of throws."""
        sides = [f"side {i + 1}" for i in range(self.counts.shape[1])]
        return plot.frequencies(self.counts, self.expected, outcomes=sides, ax=ax)


def dice(groups: int = 500, throws: int = 10, probs: Tensor | None = None) -> Dice:
    """Throw a die in groups, and watch the relative frequencies settle at the probabilities.

    Args:    groups: how many groups; throws: how many throws each has.
             probs: weights of the sides; None is a fair die with six.
    Raises:  ArgumentError for a number of groups or throws that is not a whole number above 0.

    >>> import chainrule as torch
    >>> _ = torch.manual_seed(0)
    >>> result = dice(groups=500, throws=10)
    >>> result.throws[-1], bool(result.distance[-1] < 0.02)
    (tensor(5000.), True)
    """
    for name, number in (("groups", groups), ("throws", throws)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ArgumentError.of(
                "dice", given=f"{name}={number!r}", must=f"{name} must be a whole number above 0"
            )
    thrown = Multinomial(throws, ones(6) if probs is None else probs)
    return Dice(thrown.sample((groups,)), thrown.probs.detach())


@dataclass(frozen=True)
class GaussianLikelihood:
    """Two ways to fit y = X w + b, which come to the same.

    likeliest:     (features + 1,) the weights, last the bias, at which the data are likeliest when the noise
                   is normal.
    least_squares: (features + 1,) those with the least sum of squared errors.
    sigma:         the likeliest standard deviation of the noise: the root of the mean squared error.
    """

    likeliest: Tensor
    least_squares: Tensor
    sigma: Tensor
    _design: Tensor
    _targets: Tensor

    def log_likelihood(self, weights: Tensor, sigma: Any = None) -> Tensor:
        """The logarithm of how likely the targets are with these weights: Σ log N(y; X w + b, sigma)."""
        return _log_likelihood(self._design, self._targets, weights, self.sigma if sigma is None else sigma)

    def squared_error(self, weights: Tensor) -> Tensor:
        """The sum of squared errors with these weights."""
        return ((self._targets - self._design @ weights) ** 2).sum()

    def plot(self, feature: int = 0, ax: Axes | None = None) -> Axes:
        """-log likelihood per example for several sigma, and half the mean squared error, along one weight.

        All have their lowest point at the same place: that of least squares.
        """
        best = self.least_squares.detach()
        count = len(self._targets)
        if not 0 <= feature < len(best):
            raise ArgumentError.of(
                "GaussianLikelihood.plot",
                given=f"feature={feature}",
                must=f"it must be one of the {len(best)} weights, the bias being the last",
            )
        column = self._design[:, feature]
        # Until the error is about three times the least: the curves are neither flat nor off the picture.
        reach = float((self.sigma**2 * count / (column**2).sum()).sqrt()) * 1.5
        steps = np.linspace(-reach, reach, 121)
        places = float(best[feature]) + steps
        sigma = float(self.sigma)
        curves, names = [], []
        for factor in (0.75, 1.0, 1.5):
            curve = [-self._moved(best, feature, s, sigma * factor) / count for s in steps]
            curves.append(curve)
            names.append(f"-log likelihood, sigma {sigma * factor:.3g}")
        unit = 2 * count * sigma**2
        errors = [float(self.squared_error(_with(best, feature, s))) / unit for s in steps]
        axes = plot.lines(
            places,
            [*curves, errors],
            legend=[*names, "squared error / (2 sigma²)"],
            fmts=["-", "-", "-", "k--"],
            xlabel="the bias" if feature == len(best) - 1 else f"weight {feature}",
            ylabel="per example",
            ax=ax,
        )
        axes.axvline(float(best[feature]), color="0.5", linewidth=1.0, linestyle=":", label="least squares")
        legend(axes)
        return axes

    def _moved(self, best: Tensor, feature: int, step: float, sigma: float) -> float:
        return float(self.log_likelihood(_with(best, feature, step), sigma))


def gaussian_likelihood(features: Tensor, targets: Tensor) -> GaussianLikelihood:
    """Fit a line by maximum likelihood under normal noise, and by least squares: the same weights.

    The log likelihood is -n log(sigma sqrt(2 pi)) - Σ (y - X w - b)² / (2 sigma²): whatever sigma is, it is
    highest where the sum of squares is least. Here it is not taken for granted: the likelihood is that of
    `Normal.log_prob`, and its highest point is found by Newton's method with derivatives of that.

    Shapes:  features (n, d), targets (n,) or (n, 1), with n > d.
    Raises:  ShapeError for other shapes; ArgumentError where features depend on each other.

    >>> import chainrule as torch
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(100, 2)
    >>> fit = gaussian_likelihood(x, x @ torch.tensor([2.0, -3.4]) + 4.2 + 0.01 * torch.randn(100))
    >>> bool((fit.likeliest - fit.least_squares).abs().max() < 1e-9)
    True
    """
    y = targets.reshape(-1) if targets.ndim == 2 and targets.shape[1] == 1 else targets
    if features.ndim != 2 or y.ndim != 1 or len(y) != features.shape[0] or len(y) <= features.shape[1] + 1:
        raise ShapeError.of(
            "gaussian_likelihood",
            given=f"features {tuple(features.shape)} and targets {tuple(targets.shape)}",
            must="features must be (n, d) and targets (n,) or (n, 1), with n > d + 1",
        )
    x, y = features.detach().double(), y.detach().double()
    design = cat([x, ones(len(y), 1, dtype=x.dtype)], 1)  # (n, d + 1)
    least = lstsq(design, y.unsqueeze(1)).solution.squeeze(1)

    def loss(weights: Tensor) -> Tensor:
        return -_log_likelihood(design, y, weights, 1.0)

    # The loss is a square of the weights, so one step of Newton's method reaches its lowest point, and a
    # second one takes off the rounding of the first.
    likeliest = least * 0
    for _ in range(2):
        likeliest = likeliest - solve(hessian(loss)(likeliest), grad(loss)(likeliest))
    sigma = ((y - design @ likeliest) ** 2).mean().sqrt()
    return GaussianLikelihood(likeliest, least, sigma, design, y)


def _log_likelihood(design: Tensor, targets: Tensor, weights: Tensor, sigma: Any) -> Tensor:
    return Normal(design @ weights, sigma).log_prob(targets).sum()


def _with(weights: Tensor, place: int, step: float) -> Tensor:
    moved = weights.clone()
    moved[place] += step
    return moved
