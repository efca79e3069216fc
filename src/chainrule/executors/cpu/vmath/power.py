"""x ** y. Next: `registry.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V


@define(inline=False)
def pow(b: Emitter, x: V, y: V) -> V:
    """x ** y; of integers modulo their size, and rounded towards 0 where y is negative."""
    return _of_integers(b, x, y)


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
