"""Draws that need rejection: gamma, Poisson and binomial numbers, for arrays of parameters.

Each function draws candidates for all elements at once from a `Generator`, keeps those that are accepted, and
goes on with the rest: some rounds of NumPy, and no Python per element. All work in float64. In a recorded
program they cannot run: how many rounds there are is known only when the numbers are.

Sources: gamma: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. Poisson and
binomial with large means: Hörmann's transformed rejection with squeeze (PTRS, BTRS), 1993; with small ones
the search through the distribution function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.random import Generator
from ..core.special import lgamma

Floats = npt.NDArray[np.float64]

_SEARCHED = 10.0  # up to this mean a search takes fewer steps than a rejection costs
_STEPS = 200  # no uniform number of 53 bits needs more steps with a mean of 10


def log_gamma(g: Generator, a: Floats) -> Floats:
    """The logarithm of gamma numbers with these shapes (> 0) and rate 1; the numbers may be too small."""
    flat = np.ravel(a)
    boosted = flat < 1  # then a draw of shape a + 1, times a uniform number to the power 1 / a
    d = np.where(boosted, flat + 1, flat) - 1 / 3
    c = 1 / np.sqrt(9 * d)

    def attempt(at: Any) -> tuple[Any, Any]:
        x = g.normal((len(at),), np.float64)
        u = g.uniform((len(at),), np.float64)
        v = (1 + c[at] * x) ** 3
        with np.errstate(all="ignore"):  # v <= 0 is refused, whatever its logarithm is
            good = (v > 0) & (np.log(u) < x * x / 2 + d[at] * (1 - v + np.log(v)))
            return np.log(d[at] * v), good

    out = _until_accepted(flat.size, attempt)
    waits = g.exponential((int(boosted.sum()),), np.float64)  # -log of a uniform number
    out[boosted] -= waits / flat[boosted]
    return out.reshape(a.shape)


def poisson(g: Generator, rate: Floats) -> Floats:
    """Poisson numbers with these rates (>= 0)."""
    flat = np.ravel(rate)
    out = np.empty(flat.size)
    small = flat < _SEARCHED
    few, many = flat[small], flat[~small]
    out[small] = _search(g, np.exp(-few), lambda k, at: few[at] / k)
    out[~small] = _large_poisson(g, many)
    return out.reshape(rate.shape)


def _large_poisson(g: Generator, rate: Floats) -> Floats:
    b = 0.931 + 2.53 * np.sqrt(rate)
    a = -0.059 + 0.02483 * b
    log_alpha = np.log(1.1239 + 1.1328 / (b - 3.4))
    sure = 0.9277 - 3.6224 / (b - 2)
    log_rate = np.log(rate)

    def attempt(at: Any) -> tuple[Any, Any]:
        u = g.uniform((len(at),), np.float64) - 0.5
        v = g.uniform((len(at),), np.float64)
        edge = 0.5 - np.abs(u)
        with np.errstate(all="ignore"):  # an edge of 0 gives an infinite candidate, which is refused
            k = np.floor((2 * a[at] / edge + b[at]) * u + rate[at] + 0.43)
            inside = np.isfinite(k) & (k >= 0)
            k = np.where(inside, k, 0)
            height = np.log(v) + log_alpha[at] - np.log(a[at] / edge**2 + b[at])
            below = height <= k * log_rate[at] - rate[at] - lgamma(k + 1)
        return k, inside & (((edge >= 0.07) & (v <= sure[at])) | below)

    return _until_accepted(rate.size, attempt)


def binomial(g: Generator, n: Floats, p: Floats) -> Floats:
    """How often something with probability p happens in n independent trials."""
    trials, chance = np.ravel(n), np.ravel(p)
    rare = np.minimum(chance, 1 - chance)  # counting the rarer of the two is less work
    out = np.empty(trials.size)
    small = trials * rare < _SEARCHED
    few, odds = trials[small], rare[small] / (1 - rare[small])
    start = np.exp(few * np.log1p(-rare[small]))
    out[small] = _search(g, start, lambda k, at: np.maximum(few[at] - k + 1, 0) / k * odds[at])
    out[~small] = _large_binomial(g, trials[~small], rare[~small])
    return np.where(chance > 0.5, trials - out, out).reshape(n.shape)


def _large_binomial(g: Generator, n: Floats, p: Floats) -> Floats:
    spread = np.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = n * p + 0.5
    sure = 0.92 - 4.2 / b
    log_alpha = np.log((2.83 + 5.1 / b) * spread)
    log_odds = np.log(p) - np.log1p(-p)
    mode = np.floor((n + 1) * p)
    top = lgamma(mode + 1) + lgamma(n - mode + 1)

    def attempt(at: Any) -> tuple[Any, Any]:
        u = g.uniform((len(at),), np.float64) - 0.5
        v = g.uniform((len(at),), np.float64)
        edge = 0.5 - np.abs(u)
        with np.errstate(all="ignore"):  # as above
            k = np.floor((2 * a[at] / edge + b[at]) * u + centre[at])
            inside = np.isfinite(k) & (k >= 0) & (k <= n[at])
            k = np.where(inside, k, 0)
            height = np.log(v) + log_alpha[at] - np.log(a[at] / edge**2 + b[at])
            ways = top[at] - lgamma(k + 1) - lgamma(n[at] - k + 1)
            below = height <= ways + (k - mode[at]) * log_odds[at]
        return k, inside & (((edge >= 0.07) & (v <= sure[at])) | below)

    return _until_accepted(n.size, attempt)


def _search(g: Generator, start: Floats, ratio: Callable[[int, Any], Any]) -> Floats:
    """The first k whose distribution function exceeds a uniform number.

    start: P(0); ratio(k, at): P(k) / P(k - 1) for these elements.
    """
    out = np.zeros(start.size)
    left = g.uniform((start.size,), np.float64)
    mass = start.copy()
    at = np.arange(start.size)
    for k in range(1, _STEPS):
        left[at] -= mass[at]
        at = at[left[at] >= 0]
        if not at.size:
            break
        mass[at] *= ratio(k, at)
        at = at[mass[at] > 0]  # a uniform number beyond what rounding left of the sum ends here
        out[at] = k
    return out


def _until_accepted(size: int, attempt: Callable[[Any], tuple[Any, Any]]) -> Floats:
    """Candidates of `attempt` for all elements, again and again for those that were refused."""
    out = np.empty(size)
    at = np.arange(size)
    while at.size:
        candidate, good = attempt(at)
        out[at[good]] = candidate[good]
        at = at[~good]
    return out
