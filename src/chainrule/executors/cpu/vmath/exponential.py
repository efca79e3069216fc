"""exp and what is made of it: exp2, expm1, sigmoid, tanh, sinh, cosh.

x = n log(2) + r with |r| <= log(2)/2, and exp(x) = 2^n exp(r), where exp(r) - 1 is a polynomial. n log(2) is
taken off in two steps, with log(2) as the sum of two floats. expm1 keeps exp(r) - 1 and 2^n apart until the
end. Next: `logarithm.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ....core.dtypes import float32, float64
from .formats import FORMATS, polynomial, scaled, tables, two_to
from .piece_tables import TANH
from .pieces import odd
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

# exp(x) is 0 (below half the smallest subnormal) and infinite outside of these.
_LIMITS: Final = {float32: (-104.0, 89.0), float64: (-746.0, 710.0)}
_LIMITS2: Final = {float32: (-151.0, 129.0), float64: (-1076.0, 1025.0)}
_SATURATED: Final = {float32: 9.2, float64: 19.2}  # from here on tanh is 1


def _reduced(b: Emitter, x: V) -> tuple[V, V, V, V]:
    """r, what it lacks of x - n log(2), (exp(r) - 1 - r) / r^2, and n as an integer."""
    form, (high, low) = FORMATS[x.dtype], tables.LN2[x.dtype.name]
    shifted = b.fma(x, 1 / math.log(2), form.magic)
    n = b.sub(shifted, form.magic)
    first = b.fma(n, -high, x)  # exactly
    r = b.fma(n, -low, first)
    return r, b.fma(n, -low, b.sub(first, r)), polynomial(b, tables.EXP, r), _integer(b, shifted)


def parts(b: Emitter, x: V) -> tuple[V, V]:
    """exp(r) and the integer n for which exp(x) is exp(r) 2^n."""
    r, _, g, n = _reduced(b, x)
    return b.add(b.fma(b.mul(r, r), g, r), 1), n


def exact_parts(b: Emitter, x: V) -> tuple[V, V, V]:
    """exp(r) - 1 as r and a small rest, and n."""
    r, rest, g, n = _reduced(b, x)
    return r, b.fma(b.mul(r, r), g, rest), n


def _integer(b: Emitter, shifted: V) -> V:
    """The whole number that was rounded by adding `magic`, from its last bits."""
    magic = b.bitcast_int(b.const(FORMATS[shifted.dtype].magic, shifted.dtype))
    return b.sub(b.bitcast_int(shifted), magic)


def _limited(b: Emitter, x: V, low: float, high: float) -> V:
    return b.minimum(b.maximum(x, low), high)


@define()
def exp(b: Emitter, x: V) -> V:
    """e^x."""
    p, n = parts(b, _limited(b, x, *_LIMITS[x.dtype]))
    return scaled(b, p, n)


@define()
def exp2(b: Emitter, x: V) -> V:
    """2^x."""
    x = _limited(b, x, *_LIMITS2[x.dtype])
    shifted = b.add(x, FORMATS[x.dtype].magic)
    r = b.sub(x, b.sub(shifted, FORMATS[x.dtype].magic))
    return scaled(b, b.fma(r, polynomial(b, tables.EXP2, r), 1), _integer(b, shifted))


@define()
def expm1(b: Emitter, x: V) -> V:
    """e^x - 1, as twice (r + rest) t + (t - 1/2) for t = 2^(n-1), which does not overflow too early."""
    r, rest, n = exact_parts(b, _limited(b, x, -40.0, _LIMITS[x.dtype][1]))
    t = two_to(b, b.sub(n, 1), x.dtype)
    out = b.fma(rest, t, b.fma(r, t, b.sub(t, 0.5)))
    return b.select(b.lt(b.abs(x), FORMATS[x.dtype].tiny), x, b.add(out, out))


@define()
def sigmoid(b: Emitter, x: V) -> V:
    """1 / (1 + e^-x); for negative x e^x / (1 + e^x), so that small values keep their digits.

    e^-|x| and the quotient are computed with the rounding errors that they make, to stay within 2 ulp.
    """
    r, rest, n = exact_parts(b, b.maximum(b.neg(b.abs(x)), _LIMITS[x.dtype][0]))
    s = b.add(r, 1)
    e = scaled(b, b.add(s, b.add(b.sub(r, b.sub(s, 1)), rest)), n)
    d = b.add(e, 1)
    lost = b.sub(e, b.sub(d, 1))
    above = b.select(b.gt(x, 0), 1, e)
    q = b.div(above, d)
    short = b.fma(b.neg(q), lost, b.fma(b.neg(q), d, above))
    return b.fma(short, b.maximum(q, b.sub(1, q)), q)  # the larger of q and 1 - q is 1 / d


@define()
def tanh(b: Emitter, x: V) -> V:
    """1 - 2 / (e^(2|x|) + 1) with the sign of x; for |x| < 5/8 an odd polynomial.

    float32 has a shorter way where the processor has tables in registers (`pieces.py`).
    """
    if x.dtype is float32 and b.math.has_tables:
        return odd(b, TANH, x)
    a = b.abs(x)
    p, n = parts(b, b.minimum(b.add(a, a), 2 * _SATURATED[x.dtype]))
    large = b.sub(1, b.div(2, b.fma(p, two_to(b, n, x.dtype), 1)))
    z = b.mul(x, x)
    small = b.fma(b.mul(a, z), polynomial(b, tables.TANH, z), a)
    return b.copysign(b.select(b.lt(a, 0.625), small, large), x)


def _half_exp(b: Emitter, a: V) -> V:
    """e^a / 2 for a >= 0; infinite later than e^a."""
    p, n = parts(b, b.minimum(a, _LIMITS[a.dtype][1] + 1))
    return scaled(b, p, b.sub(n, 1))


@define()
def cosh(b: Emitter, x: V) -> V:
    """(e^x + e^-x) / 2."""
    e = _half_exp(b, b.abs(x))
    return b.add(e, b.div(0.25, e))


@define()
def sinh(b: Emitter, x: V) -> V:
    """(e^x - e^-x) / 2; for |x| <= 1 an odd polynomial."""
    e = _half_exp(b, b.abs(x))
    large = b.copysign(b.sub(e, b.div(0.25, e)), x)
    z = b.mul(x, x)
    small = b.fma(b.mul(x, z), polynomial(b, tables.SINH, z), x)
    return b.select(b.lt(b.abs(x), 1), small, large)
