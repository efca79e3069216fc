"""Division with rest of floats, as C's fmod and Python's // and % do it; and powers of integers.

x - n y is computed exactly (by fma) as long as n has no more bits than a float. Larger quotients are brought
down in steps: with n the quotient rounded to a float, x - n y is exact again, and smaller by all the bits n
has. Next: `registry.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....core.dtypes import float32, float64
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

_WHOLE = 2.0**53  # from here on every float64 is a whole number


@define(inline=False)
def fmod(b: Emitter, x: V, y: V) -> V:
    """x - y trunc(x / y), exactly; NaN for infinite x and y = 0."""
    if x.dtype is float32:  # quotients of float32 are no problem in float64
        return b.cast(_fmod(b, b.cast(x, float64), b.cast(y, float64)), float32)
    return _fmod(b, x, y)


def _fmod(b: Emitter, x: V, y: V) -> V:
    defined = b.logical_and(b.isfinite(x), b.gt(b.abs(y), 0))
    m = b.select(b.logical_and(defined, b.isfinite(y)), b.abs(y), 1.0)
    r = b.select(defined, b.abs(x), 0.0)
    huge = b.isinf(b.div(r, m))  # up to 2**2098: then by multiples of m first, whose quotients are finite
    small = b.logical_and(huge, b.lt(m, 2.0**-500))
    r = b.replace_rare(
        small, r, lambda: _reduced(b, r, b.select(small, b.mul(b.mul(m, 2.0**1000), 2.0**80), r))
    )
    r = b.replace_rare(huge, r, lambda: _reduced(b, r, b.select(huge, b.mul(m, 2.0**500), r)))
    r = _reduced(b, r, m)
    r = b.select(b.isinf(y), b.abs(x), r)
    return b.select(defined, b.copysign(r, x), math.nan)


def _reduced(b: Emitter, r: V, m: V) -> V:
    """r modulo m, for 0 <= r and 0 < m with a finite quotient."""
    start = b.div(r, m)
    r, q = b.repeat_while(
        lambda r, q: b.ge(b.abs(q), _WHOLE),
        lambda r, q: _step(b, r, q, m),
        r,
        start,
    )
    r = b.fma(b.neg(b.trunc(q)), m, r)  # in (-m, m): the quotient may have been rounded up
    return b.select(b.lt(r, 0), b.add(r, m), r)


def _step(b: Emitter, r: V, q: V, m: V) -> tuple[V, V]:
    r = b.select(b.ge(b.abs(q), _WHOLE), b.fma(b.neg(q), m, r), r)
    return r, b.div(r, m)


@define(inline=False)
def remainder(b: Emitter, x: V, y: V) -> V:
    """x % y with the sign of y."""
    return _divided(b, x, y)[1]


@define(inline=False)
def floor_divide(b: Emitter, x: V, y: V) -> V:
    """x // y; x / y for y = 0."""
    quotient = _divided(b, x, y)[0]
    whole = b.floor(quotient)
    whole = b.select(b.gt(b.sub(quotient, whole), 0.5), b.add(whole, 1), whole)
    whole = b.select(b.eq(quotient, 0), b.copysign(0.0, b.div(x, y)), whole)
    return b.select(b.eq(y, 0), b.div(x, y), whole)


def _divided(b: Emitter, x: V, y: V) -> tuple[V, V]:
    """The quotient before rounding to a whole number, and the rest with the sign of y, as NumPy has them."""
    rest = b.fmod(x, y)
    quotient = b.div(b.sub(x, rest), y)
    other = b.logical_and(b.ne(rest, 0), b.ne(b.lt(y, 0), b.lt(rest, 0)))
    signed = b.select(b.eq(rest, 0), b.copysign(0.0, y), b.select(other, b.add(rest, y), rest))
    return b.select(other, b.sub(quotient, 1), quotient), b.select(b.eq(y, 0), rest, signed)
