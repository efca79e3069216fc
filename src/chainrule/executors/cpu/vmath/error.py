"""erf and erfc.

erf is an odd polynomial near 0. Further out, float32 takes 1 - exp(p(x)) with a polynomial p for
log(erfc(x)); its errors hardly matter, as erfc is small there. float64, and erfc, take exp(-x^2) E(x) / x,
where E is a polynomial in (x - 4.84) / (x + 3), which lies between -1 and 1. exp(-x^2), E, and their product
over x are computed with the rounding errors that they make. Processors with tables in registers have a
shorter way to erf of float32 (`pieces.py`). Next: `power.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.dtypes import float32, float64
from .exponential import exact_parts, parts
from .formats import horner, polynomial, scaled, tables, two_to
from .piece_tables import ERF
from .pieces import odd
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V

_NEAR = 0.92
_SATURATED = 4.0  # in float32 erf is 1 from here on
_GONE = 27.5  # and in float64 erfc is 0


def _tail(b: Emitter, a: V) -> V:
    """erfc(a) for a >= 0.92, in float64."""
    a = b.minimum(a, _GONE)
    square = b.mul(a, a)
    r, rest, n = exact_parts(b, b.neg(square))
    s = b.add(r, 1)
    rest = b.add(b.sub(r, b.sub(s, 1)), rest)
    lost = b.fma(a, a, b.neg(square))
    e = b.add(s, b.fma(b.neg(lost), b.add(s, rest), rest))  # exp(-a^2) 2^-n

    t = b.div(b.sub(a, 4.84), b.add(a, 3))
    *others, last = tables.ERFC["float64"]
    low = b.mul(t, horner(b, others, t))
    series = b.add(low, last)
    lost = b.sub(low, b.sub(series, last))

    product = b.mul(e, series)
    lost = b.fma(e, lost, b.fma(e, series, b.neg(product)))
    over = b.div(1, a)
    q = b.mul(product, over)
    q = b.fma(b.add(b.fma(b.neg(q), a, product), lost), over, q)
    return scaled(b, q, n)


@define()
def erf(b: Emitter, x: V) -> V:
    """2 / sqrt(pi) times the integral of exp(-s^2) from 0 to x."""
    if x.dtype is float32 and b.math.has_tables:
        return odd(b, ERF, x)
    a = b.abs(x)
    if x.dtype is float32:
        p, n = parts(b, polynomial(b, tables.LOG_ERFC, b.minimum(a, _SATURATED)))
        far = b.fma(b.neg(p), two_to(b, n, x.dtype), 1)
    else:
        far = b.sub(1, _tail(b, a))
    near = b.fma(a, polynomial(b, tables.ERF, b.mul(x, x)), a)
    return b.copysign(b.select(b.lt(a, _NEAR), near, far), x)


@define(inline=False)
def erfc(b: Emitter, x: V) -> V:
    """1 - erf(x), without cancellation where erf(x) is close to 1."""
    if x.dtype is float32:
        return b.cast(b.erfc(b.cast(x, float64)), float32)
    a = b.abs(x)
    tail = _tail(b, a)
    far = b.select(b.lt(x, 0), b.sub(2, tail), tail)
    near = b.fma(b.neg(x), polynomial(b, tables.ERF, b.mul(x, x)), b.sub(1, x))
    return b.select(b.lt(a, _NEAR), near, far)
