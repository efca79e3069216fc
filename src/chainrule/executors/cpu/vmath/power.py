"""x ** y.

For floats 2^(y log2|x|), with the sign put right. An error in y log2|x| is a relative error of the result,
and that product goes up to 1075: so float64 needs the logarithm with 11 bits more than it has, as the sum of
two floats. float32 is computed in float64, where short polynomials are enough. Next: `registry.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....core.dtypes import FLOAT, float32, float64
from .formats import FORMATS, horner, scaled, tables, two_to
from .logarithm import normal, split
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

_FAR = 1100.0  # 2^t is 0 or infinite beyond; and no error of t matters


@define(inline=False)
def pow(b: Emitter, x: V, y: V) -> V:
    """x ** y; of integers modulo their size, and rounded towards 0 where y is negative."""
    if x.dtype.category != FLOAT:
        return _of_integers(b, x, y)
    a = b.abs(x)
    if x.dtype is float32:
        size = b.cast(_power_in_float64(b, b.cast(a, float64), b.cast(y, float64)), float32)
    else:
        size = _power(b, a, y)

    whole = b.eq(b.trunc(y), y)
    half = b.mul(y, 0.5)
    odd = b.logical_and(whole, b.ne(b.trunc(half), half))
    signed = b.select(b.logical_and(odd, b.signbit(x)), b.neg(size), size)
    below = b.logical_and(b.lt(x, 0), b.gt(x, -math.inf))
    undefined = b.logical_and(below, b.logical_and(b.logical_not(whole), b.eq(y, y)))
    signed = b.select(undefined, math.nan, signed)
    # 1 to any power, anything to the power 0, and -1 to an infinite one
    one = b.logical_or(b.eq(x, 1), b.eq(y, 0))
    return b.select(b.logical_or(one, b.logical_and(b.eq(a, 1), b.isinf(y))), 1.0, signed)


def _unusual(b: Emitter, a: V, log: V) -> V:
    """The logarithm, put right for 0, infinity and NaN."""
    usual = b.logical_and(b.gt(a, 0), b.lt(a, math.inf))
    return b.select(usual, log, b.select(b.eq(a, 0), -math.inf, a))


def _power_in_float64(b: Emitter, a: V, y: V) -> V:
    """a ** y for a >= 0, to 30 bits or so; neither is smaller or larger than float32 can be."""
    m, e = split(b, a)
    f = b.sub(m, 1)
    s = b.div(f, b.add(f, 2))
    z = b.mul(s, s)
    log = b.fma(b.mul(s, z), horner(b, tables.LOG_RATIO["float32"], z), b.add(s, s))
    log = _unusual(b, a, b.fma(log, 1 / math.log(2), b.cast(e, float64)))
    t = b.minimum(b.maximum(b.mul(y, log), -1000.0), 1000.0)
    shifted = b.add(t, FORMATS[float64].magic)
    r = b.sub(t, b.sub(shifted, FORMATS[float64].magic))
    p = b.fma(r, horner(b, tables.EXP2["float32"], r), 1)
    return b.mul(p, two_to(b, _integer(b, shifted), float64))


def _integer(b: Emitter, shifted: V) -> V:
    return b.sub(b.bitcast_int(shifted), b.bitcast_int(b.const(FORMATS[float64].magic, float64)))


def _power(b: Emitter, a: V, y: V) -> V:
    """a ** y for a >= 0."""
    log, rest = _exact_log2(b, a)
    log = _unusual(b, a, log)
    t = b.mul(y, log)
    rest = b.fma(y, rest, b.fma(y, log, b.neg(t)))
    rest = b.select(b.lt(b.abs(t), _FAR), rest, 0)
    t = b.minimum(b.maximum(t, -_FAR), _FAR)
    shifted = b.add(t, FORMATS[float64].magic)
    r = b.add(b.sub(t, b.sub(shifted, FORMATS[float64].magic)), rest)
    return scaled(b, b.fma(r, horner(b, tables.EXP2["float64"], r), 1), _integer(b, shifted))


def _exact_log2(b: Emitter, a: V) -> tuple[V, V]:
    """log2(a) as the sum of two floats, for positive, finite a.

    log(1 + f) = 2 s (1 + z/3 + z^2 R) with s = f / (2 + f), z = s^2; all but R with what rounding loses.
    """
    f, e = normal(b, a)
    below = b.add(f, 2)
    below_rest = b.sub(f, b.sub(below, 2))
    s = b.div(f, below)
    s_rest = b.div(b.fma(b.neg(s), below_rest, b.fma(b.neg(s), below, f)), below)
    z = b.mul(s, s)
    z_rest = b.fma(b.add(s, s), s_rest, b.fma(s, s, b.neg(z)))

    third, third_rest = tables.THIRD["float64"]
    u = b.mul(z, third)
    more = b.fma(z, third_rest, b.fma(z_rest, third, b.fma(z, third, b.neg(u))))
    more = b.fma(b.mul(z, z), horner(b, tables.LOG_RATIO_REST["float64"], z), more)
    c = b.add(u, more)
    c_rest = b.sub(more, b.sub(c, u))

    p = b.mul(s, c)
    p_rest = b.fma(s_rest, c, b.fma(s, c_rest, b.fma(s, c, b.neg(p))))
    half = b.add(s, p)
    half_rest = b.add(b.add(b.sub(s, half), p), b.add(s_rest, p_rest))

    factor, factor_rest = (2 * v for v in tables.PER_LN2["float64"])
    g = b.mul(half, factor)
    g_rest = b.fma(half_rest, factor, b.fma(half, factor_rest, b.fma(half, factor, b.neg(g))))
    log = b.add(e, g)
    return log, b.add(b.add(b.sub(e, log), g), g_rest)


def _of_integers(b: Emitter, x: V, y: V) -> V:
    """Squares of squares of x, multiplied where y has a bit."""

    def step(out: V, power: V, left: V) -> tuple[V, ...]:
        odd = b.ne(b.bit_and(left, 1), 0)
        return b.select(odd, b.mul(out, power), out), b.mul(power, power), b.shr(left, 1)

    one = b.const(1, x.dtype)
    out, _, _ = b.repeat_while(lambda out, power, left: b.ne(left, 0), step, one, x, b.maximum(y, 0))
    if not x.dtype.is_signed:
        return out
    odd = b.select(b.ne(b.bit_and(y, 1), 0), x, 1)
    fraction = b.select(b.logical_or(b.eq(x, 1), b.eq(x, -1)), odd, 0)
    return b.select(b.lt(y, 0), fraction, out)
