"""What the functions need to know of float32 and float64, and the pieces they are all made of.

Next: `exponential.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ....core.dtypes import dtype, float32, float64, int32, int64
from . import tables

if TYPE_CHECKING:
    from ..emit import Emitter, Operand
    from ..values import V


class Format(NamedTuple):
    """A floating-point format.

    mantissa:  bits after the point.
    bias:      of the exponent.
    integer:   the integer type of its size.
    magic:     a number whose last bit is worth 1: adding it rounds to a whole number, whose last bits are
               then the last bits of the sum.
    tiny:      below it x + x^2 is x.
    """

    mantissa: int
    bias: int
    integer: dtype
    magic: float
    tiny: float


FORMATS: Final = {
    float32: Format(23, 127, int32, 1.5 * 2.0**23, 2.0**-25),
    float64: Format(52, 1023, int64, 1.5 * 2.0**52, 2.0**-54),
}


def polynomial(b: Emitter, table: Mapping[str, tuple[float, ...]], x: V) -> V:
    """The polynomial of a table (`tables.py`, for x's type) at x."""
    return horner(b, table[x.dtype.name], x)


def horner(b: Emitter, coefficients: Sequence[float], x: V) -> V:
    """The polynomial with these coefficients, highest power first, at x."""
    first, *others = coefficients
    out: Operand = first
    for c in others:
        out = b.fma(out, x, c)
    assert not isinstance(out, (int, float))
    return out


def two_to(b: Emitter, k: V, d: dtype) -> V:
    """2^k for integers k from 1 - bias to bias: only the exponent's bits are set."""
    form = FORMATS[d]
    return b.bitcast_float(b.shl(b.add(k, form.bias), form.mantissa), d)


def scaled(b: Emitter, x: V, k: V) -> V:
    """x 2^k, rounded once, also where the result is subnormal or infinite; |k| up to twice the bias.

    The first product is exact for x around 1.
    """
    half = b.shr(k, 1)
    return b.mul(b.mul(x, two_to(b, half, x.dtype)), two_to(b, b.sub(k, half), x.dtype))


__all__ = ["FORMATS", "Format", "horner", "polynomial", "scaled", "tables", "two_to"]
