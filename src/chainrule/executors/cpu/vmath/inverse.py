"""asin, acos, atan and atan2: odd polynomials near 0, and the identities that lead there.

Next: `error.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import polynomial, tables
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V


def _half_pi(x: V) -> tuple[float, float]:
    return tables.HALF_PI[x.dtype.name][:2]


def _atan(b: Emitter, x: V) -> V:
    """atan(x) - x for |x| <= 1."""
    z = b.mul(x, x)
    return b.mul(b.mul(x, z), polynomial(b, tables.ATAN, z))


@define()
def atan(b: Emitter, x: V) -> V:
    """The angle whose tangent is x; beyond 1 it is pi/2 - atan(1/x)."""
    a = b.abs(x)
    beyond = b.gt(a, 1)
    t = b.select(beyond, b.div(1, a), a)
    high, low = _half_pi(x)
    rest = _atan(b, t)
    out = b.select(beyond, b.add(b.sub(high, t), b.sub(low, rest)), b.add(t, rest))
    return b.copysign(out, x)


@define()
def atan2(b: Emitter, y: V, x: V) -> V:
    """The angle of the point (x, y), from -pi to pi; the signs of zeros count."""
    high, low = _half_pi(x)
    a, c = b.abs(y), b.abs(x)
    steep = b.gt(a, c)
    t = b.div(b.select(steep, c, a), b.select(steep, a, c))
    t = b.select(b.eq(a, c), b.select(b.eq(a, 0), 0, b.const(1, x.dtype)), t)  # 0/0 and inf/inf
    rest = _atan(b, t)
    # The angle is t + rest, turned over: pi/2 minus it, or pi minus it, or pi/2 plus it.
    left = b.signbit(x)
    t, rest = (b.select(b.ne(steep, left), b.neg(v), v) for v in (t, rest))
    quarters = b.select(steep, 1, b.select(left, 2, b.const(0, x.dtype)))
    out = b.add(b.fma(quarters, high, t), b.fma(quarters, low, rest))
    return b.copysign(out, y)


def _asin(b: Emitter, x: V, z: V) -> V:
    """asin(x) - x for z = x^2 <= 1/4."""
    return b.mul(b.mul(x, z), polynomial(b, tables.ASIN, z))


@define()
def asin(b: Emitter, x: V) -> V:
    """The angle whose sine is x; beyond 1/2 it is pi/2 - 2 asin(sqrt((1 - x) / 2)). NaN beyond 1."""
    a = b.abs(x)
    beyond = b.gt(a, 0.5)
    z = b.select(beyond, b.fma(a, -0.5, 0.5), b.mul(a, a))
    s = b.select(beyond, b.sqrt(z), a)
    rest = _asin(b, s, z)
    high, low = _half_pi(x)
    large = b.add(b.fma(s, -2, high), b.fma(rest, -2, low))
    return b.copysign(b.select(beyond, large, b.add(s, rest)), x)


@define()
def acos(b: Emitter, x: V) -> V:
    """The angle whose cosine is x: pi/2 - asin(x); beyond 1/2 twice asin(sqrt((1 - |x|) / 2)), or pi less
    that.

    NaN beyond 1.
    """
    a = b.abs(x)
    beyond = b.gt(a, 0.5)
    z = b.select(beyond, b.fma(a, -0.5, 0.5), b.mul(a, a))
    s = b.select(beyond, b.sqrt(z), x)
    rest = _asin(b, s, z)
    high, low = _half_pi(x)
    middle = b.add(b.sub(high, s), b.sub(low, rest))
    twice = b.add(b.add(s, s), b.add(rest, rest))
    far = b.add(b.fma(s, -2, 2 * high), b.fma(rest, -2, 2 * low))
    return b.select(beyond, b.select(b.lt(x, 0), far, twice), middle)
