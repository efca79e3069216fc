"""sin, cos and tan.

x = n pi/2 + r with |r| <= pi/4; n modulo 4 says which of sin(r), cos(r) it is, and its sign. n pi/2 is taken
off in three steps, with pi/2 as the sum of three floats: the first step is exact, and r comes with the
little it lacks. That holds up to some thousand turns. Larger x, if a lane has any, go to `far_away.py`.
Next: `inverse.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ....core.dtypes import float32, float64
from .far_away import reduce_far_away
from .formats import FORMATS, polynomial, tables
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

# Up to here n, and the product of n and what pi/2 has beyond its three parts, are small enough.
_NEAR: Final = {float32: 2.0**16, float64: 2.0**26}


def _reduced(b: Emitter, x: V) -> tuple[V, V, V]:
    """r, what it lacks, and an integer that is n modulo 4."""
    form, (first, second, third) = FORMATS[x.dtype], tables.HALF_PI[x.dtype.name]
    shifted = b.fma(x, 2 / math.pi, form.magic)
    n = b.sub(shifted, form.magic)
    exact = b.fma(n, -first, x)
    more = b.mul(n, second)
    r = b.sub(exact, more)
    lost = b.sub(b.sub(b.sub(exact, r), more), b.fma(n, second, b.neg(more)))
    rest = b.fma(n, -third, lost)
    near = b.le(b.abs(x), _NEAR[x.dtype])
    r, rest, n = b.replace_rare_tuple(
        b.logical_not(near), (r, rest, b.bitcast_int(shifted)), lambda: reduce_far_away(b, x)
    )
    return r, rest, n


def _sine(b: Emitter, r: V, rest: V, z: V) -> V:
    return b.add(r, b.fma(b.mul(r, z), polynomial(b, tables.SIN, z), rest))


def _cosine(b: Emitter, r: V, rest: V, z: V) -> V:
    half = b.mul(z, 0.5)
    large = b.sub(1, half)
    lost = b.sub(b.sub(1, large), half)  # of 1 - z/2
    small = b.fma(b.mul(z, z), polynomial(b, tables.COS, z), b.fma(b.neg(r), rest, lost))
    return b.add(large, small)


def _turned(b: Emitter, x: V, quarters: int) -> V:
    """sin(x + quarters pi/2)."""
    r, rest, n = _reduced(b, x)
    n = b.add(n, quarters)
    z = b.mul(r, r)
    out = b.select(b.bit_and(n, 1), _cosine(b, r, rest, z), _sine(b, r, rest, z))
    sign = b.shl(n, 8 * x.dtype.itemsize - 2)  # bit 1 becomes the sign
    sign = b.bit_and(sign, b.bitcast_int(b.const(-0.0, x.dtype)))
    return b.bitcast_float(b.bit_xor(b.bitcast_int(out), sign), x.dtype)


@define()
def sin(b: Emitter, x: V) -> V:
    """The sine; NaN at infinity."""
    return b.select(b.eq(x, 0), x, _turned(b, x, 0))  # of -0.0 it is -0.0


@define()
def cos(b: Emitter, x: V) -> V:
    """The cosine; NaN at infinity."""
    return _turned(b, x, 1)


@define()
def tan(b: Emitter, x: V) -> V:
    """The tangent: that of r, or -1 / tan(r); NaN at infinity."""
    r, rest, n = _reduced(b, x)
    z = b.mul(r, r)
    small = b.fma(b.mul(r, z), polynomial(b, tables.TAN, z), b.fma(rest, z, rest))
    t = b.add(r, small)
    out = b.select(b.bit_and(n, 1), b.div(-1, t), t)
    return b.select(b.eq(x, 0), x, out)
