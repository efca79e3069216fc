"""In-place operations: `x.op_()` writes the result of `op` into x's own memory. How: `../inplace.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import inplace
from ..base import TensorBase
from ..core.errors import ArgumentError, ShapeError
from ..functions import elementwise, joining, pointwise, products, sampling, scans, selection
from ..inplace import composed
from ..ops import arithmetic as ar
from ..ops.primitive import Primitive

if TYPE_CHECKING:
    from ..tensor import Tensor


def _primitive(op: Primitive, name: str) -> Callable[..., Tensor]:
    """The in-place form of one primitive."""

    def method(self: Any, *others: Any) -> Any:
        return inplace.apply(op, self, others)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"{op.formula}, written into this tensor. Returns self."
    return method


_add = inplace.binary(ar.ADD, "add_")
_sub = inplace.binary(ar.SUB, "sub_")
_div = inplace.binary(ar.DIV, "div_")
_div_rounded = composed(pointwise.div)


class Writing(TensorBase):
    """The part of Tensor that changes it in place."""

    __slots__ = ()

    # -- values ---------------------------------------------------------------------------------------

    def copy_(self, src: Tensor, non_blocking: bool = False) -> Self:
        """The values of another tensor, broadcast and converted, written into this one. Returns self."""
        if not isinstance(src, TensorBase):
            raise ArgumentError.of(
                "copy_", given=type(src).__name__, must="it copies a tensor", hint="fill_, for a number"
            )
        inplace.copy_(self, src)
        return self

    def zero_(self) -> Self:
        """All elements become 0. Returns self."""
        inplace.copy_(self, 0)
        return self

    def fill_(self, value: Any) -> Self:
        """All elements become `value`, a number or a 0-d tensor. Returns self."""
        if isinstance(value, TensorBase) and value._a.ndim:
            raise ShapeError.of(
                "fill_", given=f"a value of shape {value._a.shape}", must="it takes one number", hint="copy_"
            )
        if not isinstance(value, TensorBase | int | float | np.number | np.bool_):
            raise ArgumentError.of(
                "fill_",
                given=type(value).__name__,
                must="it takes a number or a 0-d tensor",
                hint="fill_(0.0)",
            )
        inplace.copy_(self, value)
        return self

    uniform_ = sampling.uniform_
    normal_ = sampling.normal_
    bernoulli_ = sampling.bernoulli_
    exponential_ = sampling.exponential_
    random_ = sampling.random_

    # -- arithmetic -----------------------------------------------------------------------------------

    def add_(self, other: Any, *, alpha: Any = 1) -> Self:
        """self += alpha * other. Returns self."""
        _add(self, other if type(alpha) is int and alpha == 1 else pointwise.scaled(self, other, alpha))
        return self

    def sub_(self, other: Any, *, alpha: Any = 1) -> Self:
        """self -= alpha * other. Returns self."""
        _sub(self, other if type(alpha) is int and alpha == 1 else pointwise.scaled(self, other, alpha))
        return self

    subtract_ = sub_

    # With one temporary each, instead of a new result that is copied back.

    def lerp_(self, end: Tensor, weight: Any) -> Self:
        """self += weight * (end - self). Returns self."""
        elementwise.check_lerp(self, end, weight)
        return self.add_((end - self).mul_(weight))

    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Self:
        """self += value * tensor1 * tensor2. Returns self."""
        value = elementwise.factor_of(value, "addcmul_", self, tensor1, tensor2)
        product = tensor1 * tensor2
        return self.add_(product if type(value) is int and value == 1 else product.mul_(value))

    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Self:
        """self += value * tensor1 / tensor2. Returns self."""
        elementwise.check_addcdiv(self, tensor1, tensor2)
        quotient = tensor1 / tensor2
        return self.add_(quotient if type(value) is int and value == 1 else quotient.mul_(value))

    mul_ = multiply_ = inplace.binary(ar.MUL, "mul_")

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Self:
        """self /= other, exactly, or rounded: see `div`. Returns self."""
        if rounding_mode is None:
            _div(self, other)
        else:
            _div_rounded(self, other, rounding_mode=rounding_mode)
        return self

    divide_ = true_divide_ = div_
    floor_divide_ = _primitive(ar.FLOOR_DIVIDE, "floor_divide_")
    remainder_ = _primitive(ar.REMAINDER, "remainder_")
    fmod_ = _primitive(ar.FMOD, "fmod_")
    neg_ = negative_ = _primitive(ar.NEG, "neg_")
    reciprocal_ = _primitive(ar.RECIPROCAL, "reciprocal_")
    square_ = _primitive(ar.SQUARE, "square_")
    pow_ = composed(pointwise.pow)
    addmm_ = composed(products.addmm)
    cumsum_ = composed(scans.cumsum)
    cumprod_ = composed(scans.cumprod)

    # -- sign, rounding, limits -----------------------------------------------------------------------

    abs_ = absolute_ = composed(pointwise.abs)
    sign_ = _primitive(ar.SIGN, "sign_")
    relu_ = _primitive(ar.RELU, "relu_")
    floor_ = _primitive(ar.FLOOR, "floor_")
    ceil_ = _primitive(ar.CEIL, "ceil_")
    trunc_ = _primitive(ar.TRUNC, "trunc_")
    round_ = composed(elementwise.round)
    frac_ = composed(elementwise.frac)
    clamp_ = clip_ = composed(elementwise.clamp)
    clamp_min_ = composed(elementwise.clamp_min)
    clamp_max_ = composed(elementwise.clamp_max)
    nan_to_num_ = composed(elementwise.nan_to_num)

    # -- exponentials, logarithms, trigonometry -------------------------------------------------------

    exp_ = composed(pointwise.exp)
    exp2_ = composed(pointwise.exp2)
    expm1_ = composed(pointwise.expm1)
    log_ = composed(pointwise.log)
    log2_ = composed(pointwise.log2)
    log10_ = composed(pointwise.log10)
    log1p_ = composed(pointwise.log1p)
    sqrt_ = composed(pointwise.sqrt)
    rsqrt_ = composed(pointwise.rsqrt)
    sin_ = composed(pointwise.sin)
    cos_ = composed(pointwise.cos)
    tan_ = composed(pointwise.tan)
    asin_ = composed(pointwise.asin)
    acos_ = composed(pointwise.acos)
    atan_ = composed(pointwise.atan)
    atan2_ = composed(pointwise.atan2)
    sinh_ = composed(pointwise.sinh)
    cosh_ = composed(pointwise.cosh)
    tanh_ = composed(pointwise.tanh)
    asinh_ = composed(pointwise.asinh)
    acosh_ = composed(pointwise.acosh)
    atanh_ = composed(pointwise.atanh)
    sigmoid_ = composed(pointwise.sigmoid)
    erf_ = composed(pointwise.erf)
    erfc_ = composed(pointwise.erfc)
    erfinv_ = composed(pointwise.erfinv)
    lgamma_ = composed(pointwise.lgamma)
    digamma_ = composed(pointwise.digamma)

    # -- comparison and logic -------------------------------------------------------------------------

    eq_ = composed(pointwise.eq)
    ne_ = composed(pointwise.ne)
    lt_ = composed(pointwise.lt)
    le_ = composed(pointwise.le)
    gt_ = composed(pointwise.gt)
    ge_ = composed(pointwise.ge)
    logical_and_ = composed(pointwise.logical_and)
    logical_or_ = composed(pointwise.logical_or)
    logical_xor_ = composed(pointwise.logical_xor)
    logical_not_ = composed(pointwise.logical_not)
    bitwise_and_ = composed(pointwise.bitwise_and)
    bitwise_or_ = composed(pointwise.bitwise_or)
    bitwise_xor_ = composed(pointwise.bitwise_xor)
    bitwise_not_ = composed(pointwise.bitwise_not)

    # -- parts ----------------------------------------------------------------------------------------

    masked_fill_ = composed(selection.masked_fill)
    tril_ = composed(joining.tril)
    triu_ = composed(joining.triu)
    index_add_ = composed(selection.index_add, parts=True)
    index_copy_ = composed(selection.index_copy, parts=True)
    index_fill_ = composed(selection.index_fill, parts=True)
    index_put_ = composed(selection.index_put, parts=True)
    scatter_ = composed(selection.scatter, parts=True)
    scatter_add_ = composed(selection.scatter_add, parts=True)
