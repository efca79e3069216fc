"""What is left of a large x when all whole quarters of a turn are taken off: for sin, cos and tan.

x = M 2^e with an integer M. Of x 2/pi only what lies below 4 matters, and of that the first 250 bits: M
times 256 bits of 2/pi from the right place on gives them, as integers modulo 2^256 (Payne and Hanek's idea).
One element at a time, in a function of its own: it runs only for lanes that need it. Next: `circular.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llvmlite import ir

from ....core.dtypes import float64
from ..values import INT8, INT64, Ir, V, element_type, vector, zero
from . import tables

if TYPE_CHECKING:
    from ..emit import Emitter
    from .registry import Math

_INT128, _INT256 = ir.IntType(128), ir.IntType(256)
_DOUBLE: Final = element_type(float64)
_RESULT: Final = ir.LiteralStructType([_DOUBLE, _DOUBLE, INT64])
_BYTES: Final = tables.TWO_OVER_PI_BITS // 8


def reduce_far_away(b: Emitter, x: V) -> tuple[V, V, V]:
    """r, what it lacks, and the number of quarters modulo 4, of each lane; r is NaN if x is not finite."""
    function = b.math.helper("chainrule.far_away", _far_away)
    integer = b.bitcast_int(x).dtype
    kinds = (x.dtype, x.dtype, integer)
    scalar = b.scalars()
    columns = [zero(vector(element_type(d), x.lanes)) for d in kinds]
    for lane in range(x.lanes):
        wide = scalar.cast(b.extract(x, lane), float64)
        found = b.builder.call(function, [wide.ir])
        high, low, n = (b.builder.extract_value(found, k) for k in range(3))
        if x.dtype is not float64:  # the parts as floats of the smaller type
            near = b.builder.fptrunc(high, element_type(x.dtype))
            rest = b.builder.fadd(b.builder.fsub(high, b.builder.fpext(near, _DOUBLE)), low)
            high, low = near, b.builder.fptrunc(rest, element_type(x.dtype))
            n = b.builder.trunc(n, element_type(integer))
        columns = [
            b.builder.insert_element(column, v, ir.Constant(INT64, lane)) if x.lanes > 1 else v
            for column, v in zip(columns, (high, low, n), strict=True)
        ]
    high, low, n = (V(column, d) for column, d in zip(columns, kinds, strict=True))
    return high, low, n


def _far_away(math: Math, name: str) -> Ir:
    """The function (double) -> {r, what it lacks, quarters}, for |x| > 1."""
    function = ir.Function(math.module, ir.FunctionType(_RESULT, [_DOUBLE]), name)
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def whole(n: int, typ: Ir = INT64) -> Ir:
        return ir.Constant(typ, n)

    bits = builder.bitcast(function.args[0], INT64)
    exponent = builder.and_(builder.lshr(bits, whole(52)), whole(0x7FF))
    mantissa = builder.or_(builder.and_(bits, whole((1 << 52) - 1)), whole(1 << 52))
    e = builder.sub(exponent, whole(1075))  # |x| = mantissa 2^e; e from -52 to 972

    # The table holds 2/pi 2^BITS. Its bit j counts 2^(j + e - BITS) quarters: those from j = BITS - e + 2 on
    # are whole turns. `top` is the next multiple of 8 from there, and the window ends below it.
    top = builder.and_(builder.sub(whole(tables.TWO_OVER_PI_BITS + 2 + 7), e), whole(-8))
    start = builder.sub(builder.lshr(top, whole(3)), whole(32))
    place = builder.gep(_table(math), [start], source_etype=INT8)
    window = builder.load(place, align=1, typ=_INT256)
    too_much = builder.sub(
        builder.add(top, e), whole(tables.TWO_OVER_PI_BITS + 2)
    )  # 0 to 7 bits above 4 quarters
    product = builder.mul(window, builder.zext(mantissa, _INT256))
    turns = builder.shl(product, builder.zext(too_much, _INT256))  # of 2^256

    # To the nearest quarter; what is left is between -1/2 and 1/2 of one.
    half = whole(1 << 253, _INT256)
    n = builder.trunc(builder.lshr(builder.add(turns, half), whole(254, _INT256)), INT64)
    left = builder.shl(turns, whole(2, _INT256))
    negative = builder.icmp_signed("<", left, whole(0, _INT256))
    size = builder.select(negative, builder.neg(left), left)

    # Its first 106 bits as two doubles: at most 62 or so of the first 128 bits are 0, for any double.
    upper = builder.trunc(builder.lshr(size, whole(128, _INT256)), _INT128)
    count = math.intrinsic("llvm.ctlz", _INT128, (_INT128, ir.IntType(1)))
    zeros = builder.call(count, [upper, ir.Constant(ir.IntType(1), 0)])
    digits = builder.shl(upper, zeros)
    first = builder.trunc(builder.lshr(digits, whole(75, _INT128)), INT64)  # 53 bits
    second = builder.trunc(builder.lshr(digits, whole(22, _INT128)), INT64)
    second = builder.and_(second, whole((1 << 53) - 1))
    # 2^-k for the first part's last bit, which counts 2^(75 - zeros - 128) quarters: set as an exponent.
    unit = builder.sub(whole(1023 + 75 - 128), builder.trunc(zeros, INT64))
    scale = builder.bitcast(builder.shl(unit, whole(52)), _DOUBLE)
    smaller = builder.fmul(scale, ir.Constant(_DOUBLE, 2.0**-53))
    high = builder.fmul(builder.uitofp(first, _DOUBLE), scale)
    low = builder.fmul(builder.uitofp(second, _DOUBLE), smaller)

    # Times pi/2.
    high_pi, low_pi, _ = (ir.Constant(_DOUBLE, v) for v in tables.HALF_PI["float64"])
    b = math.emitter(builder, 1)
    much, little, factor, factor_rest = (V(v, float64) for v in (high, low, high_pi, low_pi))
    first_product = b.mul(much, factor)
    rest = b.fma(much, factor, b.neg(first_product))
    rest = b.fma(little, factor, b.fma(much, factor_rest, rest))
    r = b.add(first_product, rest)
    rest = b.sub(rest, b.sub(r, first_product))

    # The sign of what was left and that of x; then what is not a number.
    x_negative = builder.icmp_signed("<", bits, whole(0))
    flip = builder.xor(negative, x_negative)
    special = builder.icmp_unsigned("==", exponent, whole(0x7FF))
    nan = ir.Constant(_DOUBLE, float("nan"))
    r_ir, rest_ir = (builder.select(flip, builder.fneg(v.ir), v.ir) for v in (r, rest))
    n = builder.select(x_negative, builder.neg(n), n)
    out = ir.Constant(_RESULT, ir.Undefined)
    for k, v in enumerate((builder.select(special, nan, r_ir), rest_ir, n)):
        out = builder.insert_value(out, v, k)
    builder.ret(out)
    return function


def _table(math: Math) -> Ir:
    """2/pi as bytes, the lowest first, with room above for windows that begin before its first bit."""
    digits = tables.TWO_OVER_PI.to_bytes(_BYTES + 8, "little")
    typ = ir.ArrayType(INT8, len(digits))
    found = ir.GlobalVariable(math.module, typ, "chainrule.two_over_pi")
    found.linkage, found.global_constant = "internal", True
    found.initializer = ir.Constant(typ, bytearray(digits))
    return found
