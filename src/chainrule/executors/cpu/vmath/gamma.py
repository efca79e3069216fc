"""lgamma, digamma and erfinv, by the formulas and polynomials of `core/special.py`, in float64.

They are as exact as the NumPy rules there, which is a few units in the last place except around the zeros for
negative x. The other functions here are within 2 units everywhere. Next: `registry.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ....core import special_tables
from ....core.dtypes import float32, float64
from .formats import horner
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

_STIRLING: Final = 0.5 * math.log(2 * math.pi) - 0.5


@define(inline=False)
def erfinv(b: Emitter, x: V) -> V:
    """The y for which erf(y) = x; infinite at -1 and 1, NaN outside of them."""
    if x.dtype is float32:
        return b.cast(b.erfinv(b.cast(x, float64)), float32)
    w = b.neg(b.log(b.mul(b.sub(1, x), b.add(x, 1))))
    centre = horner(b, special_tables.ERFINV_CENTRE, b.sub(b.div(w, 3.125), 1))
    tail = horner(b, special_tables.ERFINV_TAIL, b.div(b.sub(b.sqrt(w), 4.26), 1.76))
    out = b.mul(b.select(b.le(w, 6.25), centre, tail), x)
    return b.select(b.eq(b.abs(x), 1), b.copysign(math.inf, x), out)


@define(inline=False)
def lgamma(b: Emitter, x: V) -> V:
    """log(|Gamma(x)|); for x <= 0 by reflection: log(pi / |sin(pi x)|) - lgamma(1 - x)."""
    if x.dtype is float32:
        return b.cast(b.lgamma(b.cast(x, float64)), float32)
    positive = b.gt(x, 0)
    of = b.select(positive, x, b.sub(1, x))
    size = b.select(b.lt(of, 8), _lgamma_small(b, of), _lgamma_large(b, of))
    whole = b.round(x)
    wave = b.div(b.abs(b.sin(b.mul(b.sub(x, whole), math.pi))), math.pi)
    reflected = b.select(b.eq(x, whole), math.inf, b.sub(b.neg(b.log(wave)), size))
    return b.select(positive, size, reflected)


def _unit_part(b: Emitter, x: V) -> tuple[V, V, V]:
    """x > 0 as (x < 1, u, n) with u in [0, 1): x = u where x < 1, else x = 1 + u + n with n = 0, 1, ..."""
    whole = b.floor(x)
    return b.lt(x, 1), b.sub(x, whole), b.maximum(b.sub(whole, 1), 0)


def _lgamma_small(b: Emitter, x: V) -> V:
    """0 < x < 8: lgamma(1 + u) = u (u - 1) p(u), and the logarithm of the factors that lead to x."""
    below_1, u, steps = _unit_part(b, x)
    product = b.select(below_1, x, 1)
    for k in range(1, 7):
        product = b.select(b.ge(steps, k), b.mul(product, b.add(u, k)), product)
    out = b.mul(b.mul(u, b.sub(u, 1)), horner(b, special_tables.LGAMMA_RATIO, b.sub(b.add(u, u), 1)))
    logarithm = b.log(product)
    return b.add(out, b.select(below_1, b.neg(logarithm), logarithm))


def _lgamma_large(b: Emitter, x: V) -> V:
    """x >= 8: Stirling's formula and its fitted remainder."""
    r = b.div(1, x)
    rest = b.mul(horner(b, special_tables.LGAMMA_LARGE, b.fma(b.mul(r, 128), r, -1)), r)
    return b.add(b.add(rest, _STIRLING), b.mul(b.sub(x, 0.5), b.sub(b.log(x), 1)))


@define(inline=False)
def digamma(b: Emitter, x: V) -> V:
    """The derivative of lgamma; for x <= 0 by reflection: digamma(1 - x) - pi / tan(pi x)."""
    if x.dtype is float32:
        return b.cast(b.digamma(b.cast(x, float64)), float32)
    positive = b.gt(x, 0)
    of = b.select(positive, x, b.sub(1, x))
    value = b.select(b.lt(of, 8), _digamma_small(b, of), _digamma_large(b, of))
    r = b.sub(x, b.round(x))
    reflected = b.sub(value, b.div(math.pi, b.tan(b.mul(r, math.pi))))
    reflected = b.select(b.eq(r, 0), math.nan, reflected)
    reflected = b.select(b.eq(x, 0), b.copysign(math.inf, b.neg(x)), reflected)
    return b.select(positive, value, reflected)


def _digamma_small(b: Emitter, x: V) -> V:
    """0 < x < 8: digamma(1 + u) = (u - zero) p(u), and the 1 / (k + u) that lead to x."""
    below_1, u, steps = _unit_part(b, x)
    high, low = special_tables.DIGAMMA_ZERO_LESS_1
    out = horner(b, special_tables.DIGAMMA_RATIO, b.sub(b.add(u, u), 1))
    out = b.mul(out, b.sub(b.sub(u, high), low))
    for k in range(1, 7):
        out = b.select(b.ge(steps, k), b.add(out, b.div(1, b.add(u, k))), out)
    return b.select(below_1, b.sub(out, b.div(1, x)), out)


def _digamma_large(b: Emitter, x: V) -> V:
    """x >= 8: the asymptotic series, with what follows its first two terms fitted."""
    r = b.div(1, x)
    square = b.mul(r, r)
    rest = b.mul(square, horner(b, special_tables.DIGAMMA_LARGE, b.fma(square, 128, -1)))
    return b.sub(b.log(x), b.fma(r, 0.5, rest))
