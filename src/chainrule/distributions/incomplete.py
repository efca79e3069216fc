"""The incomplete gamma function: the gamma distribution's `cdf`, with derivatives in both arguments.

The central idea: with t = x e^v the integral of t^(a - 1) e^(-t) is x^a e^(-x) times that of
exp(a v - x (e^v - 1)), which is 1 at v = 0 and falls from there: over v < 0 it gives P where x < a, over
v > 0 Q = 1 - P where x >= a. A fixed rule of Gauss and Legendre on the piece that matters integrates it
without cancellation; where both a and x are below 10 a series with positive terms does. So it is an
expression in Tensors, and its derivatives are those of the expression. `moving` uses them for draws with
gradients; the draws themselves come from `rejection.py`.
"""

from __future__ import annotations

import numpy as np

from ..base import wrap
from ..core.dtypes import float64
from ..creation import arange
from ..func.forward import jvp
from ..functions.elementwise import clamp, where
from ..functions.joining import cat
from ..functions.pointwise import exp, expm1, lgamma, log, sqrt
from ..functions.scans import cumprod
from ..functions.shaping import broadcast_tensors
from ..tape.mode import no_grad
from ..tensor import Tensor

_SMALL = 10.0  # below this the series has few terms
_TERMS = 64  # 10^n / n! is below the rounding of 1 from n = 56 on
_FAR = 38.0  # exp(-38) is below the rounding of 1
_CHUNK = 4096
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def gamma_tails(a: Tensor, log_x: Tensor) -> tuple[Tensor, Tensor]:
    """P(a, x) and Q(a, x) = 1 - P, regularised, for a > 0 and x = exp(log_x), of one shape and in float64.

    The smaller of the two keeps its digits: relative errors are about 1e-13 up to a = 100 and grow like a.
    """
    x = exp(log_x)
    small = (a < _SMALL) & (x < _SMALL)
    upper = (x >= a) & ~small
    lower = ~small & ~upper
    scale = exp(a * log_x - x - lgamma(a))  # x^a e^(-x) / Γ(a)
    # Each formula gets harmless arguments where another one counts, so that no nan gets into the gradient.
    p_small = scale * _series(where(small, a, 1.0), where(small, x, 1.0))
    p_lower = scale * _integral(where(lower, a, 2 * _SMALL), where(lower, x, _SMALL), -1)
    q_upper = scale * _integral(where(upper, a, _SMALL), where(upper, x, 2 * _SMALL), 1)
    p = where(small, p_small, where(lower, p_lower, 1 - q_upper))
    return p, where(upper, q_upper, 1 - p)


def gamma_cdf(a: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """P(a, x) and Q(a, x) in the type of x, which may be 0; there the derivatives are taken to be 0."""
    a, x = broadcast_tensors(a, x)
    nothing = x <= 0
    p, q = gamma_tails(a.to(float64), log(where(nothing, 1.0, x).to(float64)))
    return where(nothing, 0.0, p).to(x.dtype), where(nothing, 1.0, q).to(x.dtype)


def moving(log_x: Tensor, a: Tensor) -> Tensor:
    """The logarithm of gamma draws of shape a as a function of a: log_x, with its derivative in a.

    A draw moves with a so that its P(a, x) stays: d log x / da = -(dP / da) / (dP / d log x). Only the first
    derivative is right. All in float64.
    Source:  Figurnov, Mohamed, Mnih, "Implicit reparameterization gradients", 2018.
    """
    fixed, shape = log_x.detach(), a.detach()
    return fixed + _slopes(fixed, shape) * (a - shape)


def _slopes(log_x: Tensor, a: Tensor) -> Tensor:
    """d log x / da at a fixed P(a, x), some thousands of draws at a time: each needs some hundred numbers."""
    found = []
    flat, shapes = log_x.reshape(-1), a.reshape(-1)
    with no_grad():
        for start in range(0, max(flat.numel(), 1), _CHUNK):
            at, x = shapes[start : start + _CHUNK], flat[start : start + _CHUNK]
            (p, q), (dp, dq) = jvp(lambda a, x=x: gamma_tails(a, x), (at,), (at * 0 + 1,))
            density = exp(at * x - exp(x) - lgamma(at))  # dP / d log x
            # dP/da is -dQ/da; the smaller of the two is the one that keeps its digits.
            found.append(where(p < q, -dp, dq) / density)
    return cat(found).reshape(log_x.shape)


def _series(a: Tensor, x: Tensor) -> Tensor:
    """Σ x^n / (a (a + 1) ... (a + n))."""
    steps = arange(1, _TERMS, dtype=float64)
    ratios = x.unsqueeze(-1) / (a.unsqueeze(-1) + steps)  # (..., terms)
    return (1 + cumprod(ratios, -1).sum(-1)) / a


def _integral(a: Tensor, x: Tensor, side: int) -> Tensor:
    """The integral of exp(a v - x (e^v - 1)) over v < 0 (side -1, x < a) or v > 0 (side 1, x >= a)."""
    b, y = a.detach(), x.detach()
    if side > 0:
        reach = sqrt(2 * _FAR / y)  # e^v - 1 >= v + v² / 2
    else:
        # (a - x) v + x (e^-v - 1 + v) is at least (a - x) v, a v - x, and x v² / 3 as long as v <= 1.
        reach = clamp((_FAR + y) / b, max=_FAR / clamp(b - y, min=1e-300))
        reach = where(y > 3 * _FAR, clamp(reach, max=sqrt(3 * _FAR / clamp(y, min=1.0))), reach)
    half = (reach / 2).unsqueeze(-1)
    v = side * half * (1 + wrap(_NODES))  # (..., nodes)
    heights = exp(a.unsqueeze(-1) * v - x.unsqueeze(-1) * expm1(v))
    return (heights * wrap(_WEIGHTS)).sum(-1) * half.squeeze(-1)
