"""log, log2, log10, log1p, and the inverse hyperbolic functions made of them.

x = m 2^e with sqrt(1/2) <= m < sqrt(2), f = m - 1 (exactly), and log(x) = e log(2) + log(1 + f). float32
takes a polynomial for log(1 + f); float64 the series of log((1 + s) / (1 - s)) with s = f / (2 + f), which
needs half as many terms and one division. log(1 + f) comes as f and a small rest, so that what is added up
next is exact enough. Next: `circular.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ....core.dtypes import float32, float64
from .formats import FORMATS, polynomial, tables, two_to
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

_SQRT_HALF_BITS: Final = {float32: 0x3F3504F3, float64: 0x3FE6A09E667F3BCD}


def split(b: Emitter, x: V) -> tuple[V, V]:
    """m and e (an integer) of positive, normal x."""
    form = FORMATS[x.dtype]
    root = _SQRT_HALF_BITS[x.dtype]
    bits = b.bitcast_int(x)
    e = b.shr(b.sub(bits, root), form.mantissa)
    return b.bitcast_float(b.sub(bits, b.shl(e, form.mantissa)), x.dtype), e


def normal(b: Emitter, x: V) -> tuple[V, V]:
    """f and e (a float) of any positive, finite x. Subnormal numbers are made larger first."""
    form = FORMATS[x.dtype]
    subnormal = b.lt(x, 2.0 ** (1 - form.bias))
    m, e = split(b, b.select(subnormal, b.mul(x, 2.0**form.mantissa), x))
    e = b.sub(e, b.select(subnormal, b.const(form.mantissa, form.integer), 0))
    return b.sub(m, 1), b.cast(e, x.dtype)


def _rest(b: Emitter, f: V) -> V:
    """log(1 + f) - f."""
    square = b.mul(f, f)
    if f.dtype is float32:
        return b.fma(b.mul(square, f), polynomial(b, tables.LOG_SMALL, f), b.mul(square, -0.5))
    s = b.div(f, b.add(f, 2))
    z = b.mul(s, s)
    half = b.mul(square, 0.5)
    return b.fma(s, b.fma(z, polynomial(b, tables.LOG_RATIO, z), half), b.neg(half))


def _defined(b: Emitter, x: V, out: V) -> V:
    """The logarithm's value, put right for 0, negative, infinite and NaN inputs."""
    out = b.select(b.lt(b.abs(x), math.inf), out, x)
    return b.select(b.gt(x, 0), out, b.select(b.eq(x, 0), -math.inf, b.const(math.nan, x.dtype)))


@define()
def log(b: Emitter, x: V) -> V:
    """The natural logarithm."""
    f, e = normal(b, x)
    high, low = tables.LN2[x.dtype.name]
    return _defined(b, x, b.fma(e, high, b.add(f, b.fma(e, low, _rest(b, f)))))


def _times(b: Emitter, f: V, rest: V, factor: tuple[float, float]) -> tuple[V, V]:
    """(f + rest) times a factor that is a sum of two floats, again as a sum."""
    high, low = factor
    product = b.mul(f, high)
    error = b.fma(f, high, b.neg(product))
    return product, b.fma(rest, high, b.fma(f, low, error))


@define()
def log2(b: Emitter, x: V) -> V:
    """The logarithm to base 2; exact for powers of 2."""
    f, e = normal(b, x)
    product, error = _times(b, f, _rest(b, f), tables.PER_LN2[x.dtype.name])
    return _defined(b, x, b.add(e, b.add(product, error)))


@define()
def log10(b: Emitter, x: V) -> V:
    """The logarithm to base 10."""
    f, e = normal(b, x)
    product, error = _times(b, f, _rest(b, f), tables.PER_LN10[x.dtype.name])
    high, low = tables.LOG10_2[x.dtype.name]
    return _defined(b, x, b.fma(e, high, b.add(product, b.fma(e, low, error))))


@define()
def log1p(b: Emitter, x: V) -> V:
    """log(1 + x). f = x 2^-e + (2^-e - 1) is x itself for small x, so nothing of it is lost."""
    one_more = b.add(x, 1)
    m, e = split(b, one_more)
    scale = two_to(b, b.sub(0, e), x.dtype)
    f = b.select(
        b.lt(x, 2.0**60), b.fma(x, scale, b.sub(scale, 1)), b.sub(m, 1)
    )  # scale ends with the exponents
    high, low = tables.LN2[x.dtype.name]
    e = b.cast(e, x.dtype)
    out = b.fma(e, high, b.add(f, b.fma(e, low, _rest(b, f))))
    return b.select(b.lt(b.abs(x), FORMATS[x.dtype].tiny), x, _defined(b, one_more, out))


@define(inline=False)
def asinh(b: Emitter, x: V) -> V:
    """log(a + sqrt(a^2 + 1)) for a = |x|, as log1p(a + a^2 / (1 + sqrt(a^2 + 1)))."""
    if x.dtype is float32:
        return b.cast(b.asinh(b.cast(x, float64)), float32)
    a = b.abs(x)
    large = b.gt(a, 2.0**60)
    z = b.mul(a, a)
    small = b.add(a, b.div(z, b.add(b.sqrt(b.add(z, 1)), 1)))
    out = b.log1p(b.select(large, a, small))
    return b.copysign(b.select(large, b.add(out, math.log(2)), out), x)


@define(inline=False)
def acosh(b: Emitter, x: V) -> V:
    """log(x + sqrt(x^2 - 1)), as log1p(t + sqrt(2 t + t^2)) for t = x - 1; NaN below 1."""
    if x.dtype is float32:
        return b.cast(b.acosh(b.cast(x, float64)), float32)
    large = b.gt(x, 2.0**60)
    t = b.sub(x, 1)
    square = b.fma(t, t, b.add(t, t))
    root = b.sqrt(square)
    total = b.add(t, root)
    # What is lost to rounding in the square, the root and the sum. For large t it may be wrong, but no
    # matter.
    lost = b.add(b.fma(b.neg(root), root, square), b.fma(t, t, b.sub(b.add(t, t), square)))
    lost = b.add(b.sub(t, b.sub(total, root)), b.div(lost, b.maximum(b.add(root, root), 2.0**-500)))
    out = b.add(b.log1p(b.select(large, x, total)), b.select(large, 0, b.div(lost, b.add(total, 1))))
    return b.select(b.lt(x, 1), math.nan, b.select(large, b.add(out, math.log(2)), out))


@define(inline=False)
def atanh(b: Emitter, x: V) -> V:
    """log((1 + x) / (1 - x)) / 2, as log1p(2 a + 2 a^2 / (1 - a)) / 2 for a = |x|."""
    if x.dtype is float32:
        return b.cast(b.atanh(b.cast(x, float64)), float32)
    a = b.abs(x)
    twice = b.add(a, a)
    out = b.log1p(b.add(twice, b.div(b.mul(twice, a), b.sub(1, a))))
    return b.copysign(b.mul(b.select(b.gt(a, 1), b.const(math.nan, x.dtype), out), 0.5), x)
