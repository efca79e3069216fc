"""Odd functions of float32 that become 1, as short polynomials in 16 pieces: tanh and erf.

The coefficients of a piece come out of tables that stay in registers: an instruction of AVX-512 picks for
each of 16 lanes one of 16 numbers. That takes no division and no second formula for small numbers, and is
about twice as fast. Where there is no such instruction (`Math.has_tables`), the formulas of `exponential.py`
and `error.py` remain; the two differ in the last place. Vectors of other lengths are filled up or cut, so
that a result does not depend on them. How the tables are found is in tools/fit_pieces.py.
Next: `error.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llvmlite import ir

from ....core.dtypes import float32
from ..values import INT32, V, constant, element_type, numbered, vector
from . import piece_tables
from .formats import FORMATS
from .piece_tables import Pieces

if TYPE_CHECKING:
    from ..emit import Emitter

_LANES: Final = 16  # of a register, and the length of a table
_FLOATS: Final = vector(element_type(float32), _LANES)
_INTEGERS: Final = vector(INT32, _LANES)


def odd(b: Emitter, table: Pieces, x: V) -> V:
    """The function of a table at any x of float32."""
    wide = [_piecewise(b.math.emitter(b.builder, _LANES), table, part) for part in _filled(b, x)]
    return _joined(b, wide, x.lanes)


def _piecewise(b: Emitter, table: Pieces, x: V) -> V:
    """The same for a vector of 16."""
    t = b.minimum(b.abs(x), table.limit)  # NaN stays, and makes its piece's polynomial NaN
    bits = b.bitcast_int(b.add(t, table.offset))
    place = b.shr(bits, FORMATS[float32].mantissa - piece_tables.BITS)
    r = b.sub(t, _chosen(b, table.centres, place))  # exactly
    start, *slopes = (_chosen(b, row, place) for row in table.coefficients)
    if table.rest:
        start = b.fma(r, table.rest, start)
    out = slopes.pop()
    while slopes:
        out = b.fma(out, r, slopes.pop())
    return b.copysign(b.fma(out, r, start), x)


def _chosen(b: Emitter, row: tuple[float, ...], place: V) -> V:
    """For each lane the number of the row whose place the last four bits say."""
    pick = b.math.declared("llvm.x86.avx512.permvar.sf.512", _FLOATS, (_FLOATS, _INTEGERS))
    numbers = ir.Constant(_FLOATS, [constant(number, float32, 1) for number in row])
    return V(b.builder.call(pick, (numbers, place.ir)), float32)


def _filled(b: Emitter, x: V) -> list[V]:
    """The lanes of x in vectors of 16."""
    if x.lanes == 1:
        x = b.math.emitter(b.builder, _LANES).broadcast(x)
    if x.lanes == _LANES:
        return [x]
    return [
        _shuffled(b, x, x, [min(k, x.lanes - 1) for k in range(first, first + _LANES)])
        for first in range(0, x.lanes, _LANES)
    ]


def _joined(b: Emitter, parts: list[V], lanes: int) -> V:
    """The first lanes of vectors of 16, as one."""
    if lanes == 1:
        return b.extract(parts[0], 0)
    while len(parts) > 1:
        count = 2 * parts[0].lanes
        parts = [_shuffled(b, x, y, list(range(count))) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0] if parts[0].lanes == lanes else _shuffled(b, parts[0], parts[0], list(range(lanes)))


def _shuffled(b: Emitter, x: V, y: V, places: list[int]) -> V:
    return V(b.builder.shuffle_vector(x.ir, y.ir, numbered(places, INT32)), x.dtype)
