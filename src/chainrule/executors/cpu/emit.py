"""The Emitter: arithmetic on typed vectors, written as LLVM instructions. What `lower=` rules get as `b`.

Its results are NumPy's: integers wrap around, NaN passes through minimum and maximum, nothing is reordered.
Two things differ, as they do between NumPy's own machines: which zero `maximum(0.0, -0.0)` is, and the bits
of a NaN. What is undefined in C (a float that an integer type cannot hold) is whatever the processor makes
of it. The functions from exp to erf are in `vmath/`; loads, stores and sums over the lanes in `lanes.py`.
Next: `vmath/registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ...core.dtypes import BOOL, FLOAT, bool_, dtype, float16, float32, float64, int16, int32, int64
from .lanes import Lanes
from .values import Ir, V, constant, element_type, vector

if TYPE_CHECKING:
    from .vmath.registry import Math

Number: TypeAlias = int | float | bool
Operand: TypeAlias = V | Number

_BITS = {2: int16, 4: int32, 8: int64}  # the integer type of a float's size


def _binary(on_floats: str, on_integers: str, on_bools: str = "") -> Callable[[Emitter, Operand, Operand], V]:
    """A method of two operands, from the names of the builder's instructions."""

    def method(self: Emitter, x: Operand, y: Operand) -> V:
        x, y = self.pair(x, y)
        d = x.dtype
        if d is float16:
            return self.cast(method(self, self.cast(x, float32), self.cast(y, float32)), float16)
        name = on_floats if d.category == FLOAT else on_bools if d.category == BOOL else on_integers
        return V(getattr(self.builder, name)(x.ir, y.ir), d)

    return method


def _compare(sign: str, ordered: bool = True) -> Callable[[Emitter, Operand, Operand], V]:
    """A comparison. `ordered`: false where an operand is NaN."""

    def method(self: Emitter, x: Operand, y: Operand) -> V:
        x, y = self.pair(x, y)
        if x.dtype.category == FLOAT:
            compare = self.builder.fcmp_ordered if ordered else self.builder.fcmp_unordered
        else:
            compare = self.builder.icmp_signed if x.dtype.is_signed else self.builder.icmp_unsigned
        return V(compare(sign, x.ir, y.ir), bool_)

    return method


def _intrinsic(name: str) -> Callable[[Emitter, V], V]:
    """A method of one float that is one of LLVM's intrinsics; integers stay as they are."""

    def method(self: Emitter, x: V) -> V:
        if x.dtype is float16:
            return self.cast(method(self, self.cast(x, float32)), float16)
        if x.dtype.category != FLOAT:
            return x
        return V(self.call_intrinsic(f"llvm.{name}", x.ir.type, x.ir), x.dtype)

    return method


def _function(name: str) -> Callable[..., V]:
    """A function of `vmath/`, called as a method; float16 is computed in float32."""

    def method(self: Emitter, *xs: V) -> V:
        if xs[0].dtype is float16:
            return self.cast(self.math.call(self, name, *(self.cast(x, float32) for x in xs)), float16)
        return self.math.call(self, name, *xs)

    return method


class Emitter(Lanes):
    """Writes instructions at the builder's place, on vectors of `lanes` elements (scalars for 1).

    A Python number as an operand takes the type of the other one. Both operands of an operation have one
    type; `cast` changes it.
    """

    def __init__(self, builder: Any, lanes: int, math: Math) -> None:
        self.builder = builder
        self.lanes = lanes
        self.math = math

    # -- operands ------------------------------------------------------------------------------------------

    def const(self, number: Number, d: dtype) -> V:
        """The number in every lane, rounded to the type."""
        return V(constant(number, d, self.lanes), d)

    def pair(self, x: Operand, y: Operand) -> tuple[V, V]:
        """Both as values of one type."""
        if not isinstance(x, V):
            assert isinstance(y, V), "one of two operands must be a value"
            return V(constant(x, y.dtype, y.lanes), y.dtype), y
        if not isinstance(y, V):
            return x, V(constant(y, x.dtype, x.lanes), x.dtype)
        assert x.dtype is y.dtype, f"operands of types {x.dtype.name} and {y.dtype.name}"
        return x, y

    def type_of(self, *xs: Operand) -> dtype:
        """The type of the values among these operands."""
        return next(x.dtype for x in xs if isinstance(x, V))

    def number(self, x: Operand) -> Number | None:
        """The number that x is in every lane, if that is known while code is written; else None."""
        return x.number if isinstance(x, V) else x

    def call_intrinsic(self, name: str, result: Ir, *xs: Ir) -> Ir:
        """A call of one of LLVM's intrinsics whose name ends with the type of its result."""
        return self.builder.call(self.math.intrinsic(name, result, tuple(x.type for x in xs)), xs)

    # -- arithmetic ----------------------------------------------------------------------------------------

    add = _binary("fadd", "add", "or_")
    sub = _binary("fsub", "sub")
    mul = _binary("fmul", "mul", "and_")
    div = _binary("fdiv", "")
    sqrt = _intrinsic("sqrt")
    floor = _intrinsic("floor")
    ceil = _intrinsic("ceil")
    trunc = _intrinsic("trunc")
    round = _intrinsic("roundeven")

    def neg(self, x: V) -> V:
        return V(self.builder.fneg(x.ir) if x.dtype.category == FLOAT else self.builder.neg(x.ir), x.dtype)

    def abs(self, x: V) -> V:
        if x.dtype.category == FLOAT:
            return V(self.call_intrinsic("llvm.fabs", x.ir.type, x.ir), x.dtype)
        return self.select(self.lt(x, 0), self.neg(x), x) if x.dtype.is_signed else x

    def copysign(self, x: Operand, y: Operand) -> V:
        """The size of x with the sign of y; floats."""
        x, y = self.pair(x, y)
        return V(self.call_intrinsic("llvm.copysign", x.ir.type, x.ir, y.ir), x.dtype)

    def fma(self, x: Operand, y: Operand, z: Operand) -> V:
        """x * y + z of floats, rounded once (see `Math` for processors that cannot)."""
        some = next(v for v in (x, y, z) if isinstance(v, V))
        x, y, z = (self.pair(v, some)[0] for v in (x, y, z))
        if x.dtype is float16:
            return self.cast(self.fma(*(self.cast(v, float32) for v in (x, y, z))), float16)
        if not self.math.has_fma:
            return self.math.call(self, "fma", x, y, z)
        return V(self.call_intrinsic("llvm.fma", x.ir.type, x.ir, y.ir, z.ir), x.dtype)

    def minimum(self, x: Operand, y: Operand) -> V:
        """The smaller one; NaN if one is NaN."""
        return self._extremum(x, y, self.lt)

    def maximum(self, x: Operand, y: Operand) -> V:
        """The larger one; NaN if one is NaN."""
        return self._extremum(x, y, self.gt)

    def _extremum(self, x: Operand, y: Operand, wins: Callable[[V, V], V]) -> V:
        x, y = self.pair(x, y)
        if x.is_constant:
            x, y = y, x
        if x.dtype.category != FLOAT:
            return self.select(wins(x, y), x, y)
        if y.number is not None and y.number == y.number:  # not NaN: x is right wherever y does not win
            return self.select(wins(y, x), y, x)
        return self.select(self.isnan(x), x, self.select(wins(x, y), x, y))

    def floor_divide(self, x: Operand, y: Operand) -> V:
        """x // y. Integers: y must not be 0; the most negative number // -1 is itself."""
        x, y = self.pair(x, y)
        if x.dtype.category == FLOAT:
            return self._floor_divide(x, y)
        if not x.dtype.is_signed:
            return V(self.builder.udiv(x.ir, y.ir), x.dtype)
        quotient, rest = self._divided(x, y)
        return self.select(self._short(rest, y), self.sub(quotient, 1), quotient)

    def remainder(self, x: Operand, y: Operand) -> V:
        """x % y with the sign of y. Integers: y must not be 0."""
        x, y = self.pair(x, y)
        if x.dtype.category == FLOAT:
            return self._remainder(x, y)
        if not x.dtype.is_signed:
            return V(self.builder.urem(x.ir, y.ir), x.dtype)
        rest = self._divided(x, y)[1]
        return self.select(self._short(rest, y), self.add(rest, y), rest)

    def fmod(self, x: Operand, y: Operand) -> V:
        """x - y * trunc(x / y), exactly. Integers: y must not be 0."""
        x, y = self.pair(x, y)
        if x.dtype.category == FLOAT:
            return self._fmod(x, y)
        if not x.dtype.is_signed:
            return V(self.builder.urem(x.ir, y.ir), x.dtype)
        return self._divided(x, y)[1]

    def _divided(self, x: V, y: V) -> tuple[V, V]:
        """Quotient towards zero and rest of signed integers. -1 is kept from the processor: it may trap."""
        if y.number not in (None, -1):
            quotient = V(self.builder.sdiv(x.ir, y.ir), x.dtype)
            return quotient, self.sub(x, self.mul(quotient, y))
        negates = self.eq(y, -1)
        divisor = self.select(negates, 1, y)
        quotient = V(self.builder.sdiv(x.ir, divisor.ir), x.dtype)
        rest = self.sub(x, self.mul(quotient, divisor))
        return self.select(negates, self.neg(x), quotient), rest

    def _short(self, rest: V, y: V) -> V:
        """Whether the rest of a division towards zero has the other sign than y."""
        return self.logical_and(self.ne(rest, 0), self.lt(self.bit_xor(rest, y), 0))

    # -- functions (vmath/) ----------------------------------------------------------------------------------

    exp = _function("exp")
    exp2 = _function("exp2")
    expm1 = _function("expm1")
    log = _function("log")
    log2 = _function("log2")
    log10 = _function("log10")
    log1p = _function("log1p")
    sin = _function("sin")
    cos = _function("cos")
    tan = _function("tan")
    asin = _function("asin")
    acos = _function("acos")
    atan = _function("atan")
    sinh = _function("sinh")
    cosh = _function("cosh")
    tanh = _function("tanh")
    asinh = _function("asinh")
    acosh = _function("acosh")
    atanh = _function("atanh")
    erf = _function("erf")
    erfc = _function("erfc")
    sigmoid = _function("sigmoid")
    _atan2 = _function("atan2")
    _floor_divide = _function("floor_divide")
    _remainder = _function("remainder")
    _fmod = _function("fmod")

    def rsqrt(self, x: V) -> V:
        return self.div(1, self.sqrt(x))

    def atan2(self, x: Operand, y: Operand) -> V:
        """The angle of the point (y, x), as in NumPy's arctan2."""
        return self._atan2(*self.pair(x, y))

    def pow(self, x: Operand, y: Operand) -> V:
        """x ** y. Integers: rounded towards 0 where y is negative."""
        x, y = self.pair(x, y)
        if x.dtype is float16:
            return self.cast(self.pow(self.cast(x, float32), self.cast(y, float32)), float16)
        if y.number == 2:
            return self.mul(x, x)
        if y.number == 3:  # one rounding more than x**2, so within 2 ulp
            return self.mul(self.mul(x, x), x)
        return self.math.call(self, "pow", x, y)

    # -- comparisons, logic, bits --------------------------------------------------------------------------

    eq = _compare("==")
    ne = _compare("!=", ordered=False)
    lt = _compare("<")
    le = _compare("<=")
    gt = _compare(">")
    ge = _compare(">=")
    bit_and = _binary("", "and_", "and_")
    bit_or = _binary("", "or_", "or_")
    bit_xor = _binary("", "xor", "xor")

    def logical_and(self, x: Operand, y: Operand) -> V:
        return self.bit_and(self._truth(x), self._truth(y))

    def logical_or(self, x: Operand, y: Operand) -> V:
        return self.bit_or(self._truth(x), self._truth(y))

    def logical_xor(self, x: Operand, y: Operand) -> V:
        return self.bit_xor(self._truth(x), self._truth(y))

    def logical_not(self, x: V) -> V:
        return self.bit_xor(self.cast(x, bool_), True)

    def _truth(self, x: Operand) -> V:
        """x != 0; operands of logic may have different types."""
        return self.cast(x, bool_) if isinstance(x, V) else self.const(bool(x), bool_)

    def bit_not(self, x: V) -> V:
        return self.bit_xor(x, True if x.dtype.category == BOOL else -1)

    def shl(self, x: Operand, y: Operand) -> V:
        """x << y; 0 where y is negative or not below the number of bits."""
        x, y = self.pair(x, y)
        shifted = V(self.builder.shl(x.ir, y.ir), x.dtype)
        return shifted if self._in_bits(y) else self.select(self._shift_fits(y), shifted, 0)

    def shr(self, x: Operand, y: Operand) -> V:
        """x >> y, with the sign for signed types; as by all bits where y is negative or larger."""
        x, y = self.pair(x, y)
        if x.dtype.is_signed:
            if not self._in_bits(y):
                y = self.select(self._shift_fits(y), y, 8 * x.dtype.itemsize - 1)
            return V(self.builder.ashr(x.ir, y.ir), x.dtype)
        shifted = V(self.builder.lshr(x.ir, y.ir), x.dtype)
        return shifted if self._in_bits(y) else self.select(self._shift_fits(y), shifted, 0)

    def unsigned_shr(self, x: V, bits: int) -> V:
        """The bits of an integer moved down by a fixed number, zeros from above."""
        return V(self.builder.lshr(x.ir, constant(bits, x.dtype, x.lanes)), x.dtype)

    def _in_bits(self, y: V) -> bool:
        return y.number is not None and 0 <= y.number < 8 * y.dtype.itemsize

    def _shift_fits(self, y: V) -> V:
        return V(self.builder.icmp_unsigned("<", y.ir, self.pair(y, 8 * y.dtype.itemsize)[1].ir), bool_)

    def select(self, condition: V, x: Operand, y: Operand) -> V:
        """x where the condition holds (or is not 0), else y."""
        x, y = self.pair(x, y)
        return V(self.builder.select(self.cast(condition, bool_).ir, x.ir, y.ir), x.dtype)

    def isnan(self, x: V) -> V:
        if x.dtype.category != FLOAT:
            return V(constant(False, bool_, x.lanes), bool_)
        return V(self.builder.fcmp_unordered("uno", x.ir, x.ir), bool_)

    def isinf(self, x: V) -> V:
        if x.dtype.category != FLOAT:
            return V(constant(False, bool_, x.lanes), bool_)
        return self.eq(self.abs(x), float("inf"))

    def isfinite(self, x: V) -> V:
        if x.dtype.category != FLOAT:
            return V(constant(True, bool_, x.lanes), bool_)
        return self.lt(self.abs(x), float("inf"))

    def signbit(self, x: V) -> V:
        """Whether the sign is a minus, that of -0.0 and NaN too."""
        if not x.dtype.is_signed:
            return V(constant(False, bool_, x.lanes), bool_)
        return self.lt(self.bitcast_int(x) if x.dtype.category == FLOAT else x, 0)

    # -- types ---------------------------------------------------------------------------------------------

    def bitcast_int(self, x: V) -> V:
        """The bits of a float as a signed integer of its size."""
        d = _BITS[x.dtype.itemsize]
        return V(self.builder.bitcast(x.ir, vector(element_type(d), x.lanes)), d)

    def bitcast_float(self, x: V, d: dtype) -> V:
        """The bits of an integer as a float of its size."""
        return V(self.builder.bitcast(x.ir, vector(element_type(d), x.lanes)), d)

    def cast(self, x: V, d: dtype) -> V:
        """As NumPy's `astype` converts: floats towards zero, integers modulo their size, x != 0 for bool."""
        source = x.dtype
        if source is d:
            return x
        if d.category == BOOL:
            return self.ne(x, 0)
        if source is float16 and d is not float32:
            return self.cast(self.cast(x, float32), d)
        if d is float16 and source is not float32:
            return self.cast(self._rounded_to_odd(x) if source is float64 else self.cast(x, float32), d)
        if source.category == FLOAT and d.category != FLOAT and d.itemsize < 4:  # as C: by way of int32
            return self.cast(self.cast(x, int32), d)
        return V(getattr(self.builder, _cast_name(source, d))(x.ir, vector(element_type(d), x.lanes)), d)

    def _rounded_to_odd(self, x: V) -> V:
        """float64 as float32, with the last bit set where that is not exact: so it can be rounded again."""
        near = self.cast(x, float32)
        back = self.cast(near, float64)
        away = self.gt(self.abs(back), self.abs(x))
        bits = self.sub(self.bitcast_int(near), self.cast(away, int32))
        odd = self.bit_or(bits, self.cast(self.ne(back, x), int32))
        return self.select(self.isnan(x), near, self.bitcast_float(odd, float32))


def _cast_name(source: dtype, d: dtype) -> str:
    """The builder's method that converts; both types differ, and neither case needs a detour."""
    if source.category == FLOAT:
        if d.category == FLOAT:
            return "fpext" if d.itemsize > source.itemsize else "fptrunc"
        return "fptosi"
    signed = source.is_signed
    if d.category == FLOAT:
        return "sitofp" if signed else "uitofp"
    if source.category != BOOL and d.itemsize <= source.itemsize:
        return "trunc" if d.itemsize < source.itemsize else "bitcast"
    return "sext" if signed else "zext"
