"""Elementwise functions of one primitive: arithmetic, powers, exponentials, comparison, logic, rounding.

Most get their docstring from the table. Next: `elementwise.py`, elementwise functions of several primitives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..core import dtypes
from ..core.errors import ArgumentError
from ..eager import binary, common_type, need_tensor, unary
from ..ops import arithmetic as ar
from ..ops import compare as cm
from ..ops import transcendental as tr
from ..ops.primitive import Late, Primitive

if TYPE_CHECKING:
    from ..tensor import Tensor


def _documented(function: Callable[..., Any], op: Primitive, example: str) -> Callable[..., Any]:
    inputs = ", ".join(op.inputs)
    ties = f"\n    Convention:  {op.ties}." if op.ties else ""
    derivative = " and ".join(d for d in op.d if d) if op.differentiable else "none; results are constants"
    function.__doc__ = f"""{op.formula}, elementwise.

    Shapes:  {inputs} are broadcast against each other.
    Derivative:  {derivative} ({op.why}).{ties}

    >>> import chainrule as torch
    {example}
    """
    function.__module__ = __name__
    return function


def _unary(op: Primitive, name: str, example: str) -> Callable[[Tensor], Tensor]:
    return _documented(unary(op, name), op, example)


def _example(name: str, argument: str, result: str) -> str:
    return f">>> torch.{name}(torch.tensor({argument}))\n    {result}"


abs = _unary(ar.ABS, "abs", _example("abs", "[-1.5, 2.0]", "tensor([1.5000, 2.0000])"))
neg = _unary(ar.NEG, "neg", _example("neg", "[-1.0, 2.0]", "tensor([ 1., -2.])"))
sign = _unary(ar.SIGN, "sign", _example("sign", "[-3.0, 0.0, 2.0]", "tensor([-1.,  0.,  1.])"))
reciprocal = _unary(
    ar.RECIPROCAL, "reciprocal", _example("reciprocal", "[2.0, 4.0]", "tensor([0.5000, 0.2500])")
)
square = _unary(ar.SQUARE, "square", _example("square", "[-2.0, 3.0]", "tensor([4., 9.])"))
relu = _unary(ar.RELU, "relu", _example("relu", "[-1.0, 2.0]", "tensor([0., 2.])"))
floor = _unary(ar.FLOOR, "floor", _example("floor", "[1.7, -1.2]", "tensor([ 1., -2.])"))
ceil = _unary(ar.CEIL, "ceil", _example("ceil", "[1.2, -1.7]", "tensor([ 2., -1.])"))
trunc = _unary(ar.TRUNC, "trunc", _example("trunc", "[1.7, -1.7]", "tensor([ 1., -1.])"))
exp = _unary(tr.EXP, "exp", _example("exp", "[0.0, 1.0]", "tensor([1.0000, 2.7183])"))
exp2 = _unary(tr.EXP2, "exp2", _example("exp2", "[0.0, 3.0]", "tensor([1., 8.])"))
expm1 = _unary(tr.EXPM1, "expm1", _example("expm1", "[0.0, 1.0]", "tensor([0.0000, 1.7183])"))
log = _unary(tr.LOG, "log", _example("log", "[1.0, 10.0]", "tensor([0.0000, 2.3026])"))
log2 = _unary(tr.LOG2, "log2", _example("log2", "[1.0, 8.0]", "tensor([0., 3.])"))
log10 = _unary(tr.LOG10, "log10", _example("log10", "[1.0, 50.0]", "tensor([0.0000, 1.6990])"))
log1p = _unary(tr.LOG1P, "log1p", _example("log1p", "[0.0, 1.0]", "tensor([0.0000, 0.6931])"))
sqrt = _unary(tr.SQRT, "sqrt", _example("sqrt", "[4.0, 2.0]", "tensor([2.0000, 1.4142])"))
rsqrt = _unary(tr.RSQRT, "rsqrt", _example("rsqrt", "[4.0, 1.0]", "tensor([0.5000, 1.0000])"))
sin = _unary(tr.SIN, "sin", _example("sin", "[0.0, 1.0]", "tensor([0.0000, 0.8415])"))
cos = _unary(tr.COS, "cos", _example("cos", "[0.0, 1.0]", "tensor([1.0000, 0.5403])"))
tan = _unary(tr.TAN, "tan", _example("tan", "[0.0, 1.0]", "tensor([0.0000, 1.5574])"))
asin = arcsin = _unary(tr.ASIN, "asin", _example("asin", "[0.0, 1.0]", "tensor([0.0000, 1.5708])"))
acos = arccos = _unary(tr.ACOS, "acos", _example("acos", "[0.0, 1.0]", "tensor([1.5708, 0.0000])"))
atan = arctan = _unary(tr.ATAN, "atan", _example("atan", "[0.0, 1.0]", "tensor([0.0000, 0.7854])"))
sinh = _unary(tr.SINH, "sinh", _example("sinh", "[0.0, 1.0]", "tensor([0.0000, 1.1752])"))
cosh = _unary(tr.COSH, "cosh", _example("cosh", "[0.0, 1.0]", "tensor([1.0000, 1.5431])"))
tanh = _unary(tr.TANH, "tanh", _example("tanh", "[0.0, 1.0]", "tensor([0.0000, 0.7616])"))
asinh = arcsinh = _unary(tr.ASINH, "asinh", _example("asinh", "[0.0, 1.0]", "tensor([0.0000, 0.8814])"))
acosh = arccosh = _unary(tr.ACOSH, "acosh", _example("acosh", "[1.0, 2.0]", "tensor([0.0000, 1.3170])"))
atanh = arctanh = _unary(tr.ATANH, "atanh", _example("atanh", "[0.0, 0.5]", "tensor([0.0000, 0.5493])"))
erf = _unary(tr.ERF, "erf", _example("erf", "[0.0, 1.0]", "tensor([0.0000, 0.8427])"))
erfc = _unary(tr.ERFC, "erfc", _example("erfc", "[0.0, 1.0]", "tensor([1.0000, 0.1573])"))
erfinv = _unary(tr.ERFINV, "erfinv", _example("erfinv", "[0.0, 0.5]", "tensor([0.0000, 0.4769])"))
lgamma = _unary(tr.LGAMMA, "lgamma", _example("lgamma", "[1.0, 4.0]", "tensor([0.0000, 1.7918])"))
digamma = _unary(tr.DIGAMMA, "digamma", _example("digamma", "[1.0, 2.0]", "tensor([-0.5772,  0.4228])"))
sigmoid = _unary(tr.SIGMOID, "sigmoid", _example("sigmoid", "[0.0, 1.0]", "tensor([0.5000, 0.7311])"))
isnan = _unary(cm.ISNAN, "isnan", _example("isnan", "[1.0, float('nan')]", "tensor([False,  True])"))
isinf = _unary(cm.ISINF, "isinf", _example("isinf", "[1.0, float('inf')]", "tensor([False,  True])"))
isfinite = _unary(
    cm.ISFINITE, "isfinite", _example("isfinite", "[1.0, float('inf')]", "tensor([ True, False])")
)
signbit = _unary(cm.SIGNBIT, "signbit", _example("signbit", "[1.0, -2.0]", "tensor([False,  True])"))
logical_not = _unary(
    cm.LOGICAL_NOT, "logical_not", _example("logical_not", "[True, False]", "tensor([False,  True])")
)
bitwise_not = _unary(cm.BITWISE_NOT, "bitwise_not", _example("bitwise_not", "[0, 5]", "tensor([-1, -6])"))

absolute, negative = abs, neg

# The operators of the hot path; Tensor's dunder methods are these.
op_add, op_sub, op_mul, op_div = (
    binary(op, name) for op, name in ((ar.ADD, "add"), (ar.SUB, "sub"), (ar.MUL, "mul"), (ar.DIV, "div"))
)
op_eq, op_ne, op_lt, op_le, op_gt, op_ge = (
    binary(op, name)
    for op, name in ((cm.EQ, "eq"), (cm.NE, "ne"), (cm.LT, "lt"), (cm.LE, "le"), (cm.GT, "gt"), (cm.GE, "ge"))
)


def _binary(
    op: Primitive, fast: Callable[[Any, Any], Any] | None, name: str, example: str, *, tensors: int = 0
) -> Callable[..., Tensor]:
    """A function of two, of which the first `tensors` may not be numbers, as in PyTorch."""

    def function(input: Tensor, other: Any) -> Tensor:
        if fast is not None and isinstance(input, TensorBase):
            result = fast(input, other)
            if result is not NotImplemented:
                return result  # type: ignore[no-any-return]
        if tensors:
            need_tensor(input, name)
            if tensors == 2:
                need_tensor(other, name)
        return op(input, other)

    function.__name__ = function.__qualname__ = name
    return _documented(function, op, example)


def _pair(name: str, x: str, y: str, result: str) -> str:
    return f">>> torch.{name}(torch.tensor({x}), torch.tensor({y}))\n    {result}"


_X, _Y = "[1.0, 5.0]", "[3.0, 2.0]"
mul = multiply = _binary(ar.MUL, op_mul, "mul", _pair("mul", _X, _Y, "tensor([ 3., 10.])"))
maximum = _binary(ar.MAXIMUM, None, "maximum", _pair("maximum", _X, _Y, "tensor([3., 5.])"), tensors=2)
minimum = _binary(ar.MINIMUM, None, "minimum", _pair("minimum", _X, _Y, "tensor([1., 2.])"), tensors=2)
remainder = _binary(
    ar.REMAINDER, None, "remainder", _pair("remainder", "[-5, 5]", "[3, 3]", "tensor([1, 2])")
)
fmod = _binary(ar.FMOD, None, "fmod", _pair("fmod", "[-5, 5]", "[3, 3]", "tensor([-2,  2])"), tensors=1)
floor_divide = _binary(
    ar.FLOOR_DIVIDE, None, "floor_divide", _pair("floor_divide", "[-5, 5]", "[3, 3]", "tensor([-2,  1])")
)
atan2 = arctan2 = _binary(
    tr.ATAN2, None, "atan2", _pair("atan2", "[1.0]", "[1.0]", "tensor([0.7854])"), tensors=2
)
logaddexp = _binary(
    tr.LOGADDEXP, None, "logaddexp", _pair("logaddexp", "[0.0]", "[0.0]", "tensor([0.6931])"), tensors=2
)
eq = _binary(cm.EQ, op_eq, "eq", _pair("eq", "[1, 2]", "[1, 3]", "tensor([ True, False])"))
ne = not_equal = _binary(cm.NE, op_ne, "ne", _pair("ne", "[1, 2]", "[1, 3]", "tensor([False,  True])"))
lt = less = _binary(cm.LT, op_lt, "lt", _pair("lt", "[1, 2]", "[1, 3]", "tensor([False,  True])"))
le = less_equal = _binary(cm.LE, op_le, "le", _pair("le", "[1, 2]", "[1, 1]", "tensor([ True, False])"))
gt = greater = _binary(cm.GT, op_gt, "gt", _pair("gt", "[1, 2]", "[1, 1]", "tensor([False,  True])"))
ge = greater_equal = _binary(cm.GE, op_ge, "ge", _pair("ge", "[1, 2]", "[1, 3]", "tensor([ True, False])"))
_T, _B = "[True, False]", "[True, True]"
logical_and = _binary(
    cm.LOGICAL_AND, None, "logical_and", _pair("logical_and", _T, _B, "tensor([ True, False])"), tensors=2
)
logical_or = _binary(
    cm.LOGICAL_OR, None, "logical_or", _pair("logical_or", _T, _B, "tensor([True, True])"), tensors=2
)
logical_xor = _binary(
    cm.LOGICAL_XOR, None, "logical_xor", _pair("logical_xor", _T, _B, "tensor([False,  True])"), tensors=2
)
bitwise_and = _binary(
    cm.BITWISE_AND, None, "bitwise_and", _pair("bitwise_and", "[6, 3]", "[3, 1]", "tensor([2, 1])")
)
bitwise_or = _binary(
    cm.BITWISE_OR, None, "bitwise_or", _pair("bitwise_or", "[6, 3]", "[3, 1]", "tensor([7, 3])")
)
bitwise_xor = _binary(
    cm.BITWISE_XOR, None, "bitwise_xor", _pair("bitwise_xor", "[6, 3]", "[3, 1]", "tensor([5, 2])")
)
bitwise_left_shift = _binary(
    cm.LEFT_SHIFT,
    None,
    "bitwise_left_shift",
    _pair("bitwise_left_shift", "[1, 3]", "[2, 1]", "tensor([4, 6])"),
)
bitwise_right_shift = _binary(
    cm.RIGHT_SHIFT,
    None,
    "bitwise_right_shift",
    _pair("bitwise_right_shift", "[4, 6]", "[2, 1]", "tensor([1, 3])"),
)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma, elementwise; digamma itself for n = 0.

    Derivative:  polygamma(n + 1, input) (definition).
    Raises:  ArgumentError if n is not an integer of at least 0.

    >>> import chainrule as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 0:
        raise ArgumentError.of("polygamma", given=f"n={n!r}", must="n must be an integer, 0 or larger")
    return digamma(input) if n == 0 else tr.POLYGAMMA(need_tensor(input, "polygamma"), n=n)


def scaled(input: Any, other: Any, alpha: Any) -> Any:
    """alpha * other for a sum with `input`, in the type of the sum.

    >>> import chainrule as torch
    >>> scaled(torch.tensor([1]), torch.tensor([2]), 3)
    tensor([6])
    """
    common = common_type((input, other))
    if isinstance(alpha, float | Late) and not common.is_floating_point:
        raise ArgumentError.of(
            "alpha * y",
            given=f"alpha={alpha} for a result of type {common.name}",
            must="alpha must be an integer where the result is not floating point",
            hint="y.float()",
        )
    if common is dtypes.bool_:
        alpha = bool(alpha)
    return other if type(alpha) is float and alpha == 1 else ar.MUL(other, alpha)


def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """input + alpha * other, elementwise with broadcasting.

    Raises:  ArgumentError for a fraction as alpha where the result is not floating point.

    >>> import chainrule as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0]), alpha=0.5)
    tensor([ 6., 12.])
    """
    return ar.ADD(input, other if type(alpha) is int and alpha == 1 else scaled(input, other, alpha))


def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """input - alpha * other, elementwise with broadcasting.

    Raises:  DTypeError for bool; ArgumentError for a fraction as alpha where the result is of integers.

    >>> import chainrule as torch
    >>> torch.sub(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0]), alpha=0.5)
    tensor([-4., -8.])
    """
    return ar.SUB(input, other if type(alpha) is int and alpha == 1 else scaled(input, other, alpha))


subtract = sub


def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, elementwise with broadcasting; `rounding_mode` is None (exact), "floor" or "trunc".

    Integers are divided as floats of the default type, unless a rounding mode is given.

    >>> import chainrule as torch
    >>> torch.div(torch.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return ar.DIV(input, other)
    if rounding_mode == "floor":
        return ar.FLOOR_DIVIDE(input, other)
    if rounding_mode == "trunc":
        common = common_type((input, other))
        if common.is_floating_point:
            return trunc(ar.DIV(input, other))
        # Exact for integers of any size: remove the remainder first.
        x = input.to(common) if isinstance(input, TensorBase) else other.new_zeros((), dtype=common) + input
        return ar.FLOOR_DIVIDE(ar.SUB(x, ar.FMOD(x, other)), other)
    raise ArgumentError.of(
        "div", given=f"rounding_mode={rounding_mode!r}", must="it must be None, 'floor' or 'trunc'"
    )


divide = true_divide = div


def _is_float(x: Any) -> bool:
    return x.is_floating_point() if isinstance(x, TensorBase) else isinstance(x, float)  # type: ignore[attr-defined]


def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, elementwise with broadcasting; either may be a Python number.

    Derivative:  exponent * input**(exponent - 1) and input**exponent * log(input) (power rule).
    Raises:  ArgumentError for an integer tensor to a negative integer power.

    >>> import chainrule as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    x: Any = input
    if isinstance(exponent, int | float) and isinstance(x, TensorBase):
        if exponent == 2 and type(exponent) is int:
            return square(input) if input._a.dtype.kind != "b" else ar.POW(input, exponent)
        if _is_float(input):
            if exponent == 2:
                return square(input)
            if exponent == 1:
                return ar.MUL(input, 1.0)
            if exponent == 0.5:
                return sqrt(input)
            if exponent == -0.5:
                return rsqrt(input)
            if exponent == -1:
                return reciprocal(input)
        elif type(exponent) is bool and input._a.dtype.kind == "b":
            return input.clone() if exponent else input.new_ones(input._a.shape)  # type: ignore[no-any-return]
        elif isinstance(exponent, int) and exponent < 0:
            raise ArgumentError.of(
                "x ** y",
                given=f"an integer tensor and the exponent {exponent}",
                must="integers to a negative power are not integers",
                hint="x.float() ** y",
            )
        elif type(exponent) is int and input._a.dtype.kind != "b":
            dtypes.number(exponent, input._a.dtype, "x ** y")
    return ar.POW(input, exponent)
