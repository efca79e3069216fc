"""Elementwise functions of several primitives: limits, choices, mixtures, closeness.

Next: `reductions.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..base import TensorBase
from ..core import dtypes
from ..core.dtypes import finfo
from ..core.errors import ArgumentError, DTypeError
from ..eager import common_type, need_tensor
from ..ops import arithmetic as ar
from ..ops import compare as cm
from . import pointwise as pw
from .options import values_known

if TYPE_CHECKING:
    from ..tensor import Tensor


def frac(input: Tensor) -> Tensor:
    """The part after the decimal point, with the sign of the input.

    Raises:  DTypeError for integers and bool.

    >>> import chainrule as torch
    >>> torch.frac(torch.tensor([1.25, -1.25]))
    tensor([ 0.2500, -0.2500])
    """
    if need_tensor(input, "frac")._a.dtype.kind != "f":
        raise DTypeError.of(
            "frac",
            given=f"a tensor of type {input.dtype}",
            must="the type must be floating point",
            hint="x.float()",
        )
    return input - pw.trunc(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest integer, halves to even; or to `decimals` places (negative: to tens, hundreds, ...).

    Derivative:  0, because it is piecewise constant.

    >>> import chainrule as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.6])), torch.round(torch.tensor(1.2345), decimals=2)
    (tensor([0., 2., 3.]), tensor(1.2300))
    """
    if decimals == 0 or need_tensor(input, "round")._a.dtype.kind != "f":
        return ar.ROUND(input)
    scale: float = 10.0 ** abs(decimals)
    if decimals > 0:
        return ar.DIV(ar.ROUND(ar.MUL(input, scale)), scale)
    return ar.MUL(ar.ROUND(ar.DIV(input, scale)), scale)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Limit to [min, max]; each a number, a tensor, or None for no limit. Where min > max, the result is max.

    Derivative:  by the input 1 inside the limits and on them, 0 outside; by a tensor limit 1 where it limits.
    Raises:      ArgumentError if neither limit is given.

    >>> import chainrule as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    need_tensor(input, "clamp")
    limits = [limit for limit in (min, max) if limit is not None]
    if not limits:
        raise ArgumentError.of("clamp", given="neither min nor max", must="at least one limit is needed")
    common = common_type((input, *limits))
    _need_fit((input, *limits), "clamp")
    out = input if input.dtype is common else input.to(common)
    if all(isinstance(limit, int | float) and limit == limit for limit in limits):
        if common.category == dtypes.INTEGER:
            min, max = (x if x is None else dtypes.number(x, common.numpy, "clamp") for x in (min, max))
        return ar.CLAMP(out, low=min, high=max)
    # `where` passes the gradient on the limits themselves, where maximum would halve it; NaN stays.
    if min is not None:
        out = ar.WHERE(_beyond(cm.LT, out, min), min, out)
    if max is not None:
        out = ar.WHERE(_beyond(cm.GT, out, max), max, out)
    return out


def _beyond(compare: Any, x: Tensor, limit: Any) -> Tensor:
    """Whether x is past the limit; a limit that is NaN makes the result NaN."""
    past: Tensor = compare(x, limit)
    if isinstance(limit, float) and math.isnan(limit):
        return cm.LOGICAL_NOT(past)
    if (
        isinstance(limit, TensorBase)
        and limit._a.dtype.kind == "f"
        and (not values_known(limit) or np.isnan(limit._a).any())
    ):
        past = past | cm.ISNAN(limit)
    return past


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Limit from below. See `clamp`.

    >>> import chainrule as torch
    >>> torch.clamp_min(torch.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Limit from above. See `clamp`.

    >>> import chainrule as torch
    >>> torch.clamp_max(torch.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, max=max)


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Any, other: Any) -> Tensor: ...
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """Elements of `input` where the condition holds, of `other` elsewhere; all three are broadcast.

    With the condition alone: the indices of its true elements, like `nonzero(as_tuple=True)`.
    Raises:  DTypeError if the condition is not bool.

    >>> import chainrule as torch
    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    need_tensor(condition, "where")
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if input is None or other is None:
        raise ArgumentError.of(
            "where", given="one of input and other", must="both are needed, or neither for the indices"
        )
    if condition._a.dtype == np.uint8:  # PyTorch's bool of old
        condition = cm.NE(condition, 0)
    elif condition._a.dtype.kind != "b":
        raise DTypeError.of(
            "where",
            given=f"a condition of type {condition.dtype}",
            must="the condition must be bool",
            hint="x != 0",
        )
    if type(input) is int or type(other) is int:
        _need_fit((input, other), "where")
    return ar.WHERE(condition, input, other)


def _need_fit(xs: tuple[Any, ...], name: str) -> None:
    """Refuse whole numbers that the common type cannot hold, instead of letting them wrap around."""
    common = common_type(xs)
    for x in xs:
        if type(x) is int:
            dtypes.number(x, common.numpy, name)


def check_lerp(input: Any, end: Tensor, weight: Any) -> None:
    """Raise a DTypeError unless `lerp` can take these.

    >>> import chainrule as torch
    >>> check_lerp(torch.zeros(2), torch.ones(2), 0.5)
    """
    need_tensor(end, "lerp")
    kind = need_tensor(input, "lerp")._a.dtype
    others = [end, weight] if isinstance(weight, TensorBase) and weight._a.ndim else [end]
    if kind.kind != "f" or any(x._a.dtype != kind for x in others):
        raise DTypeError.of(
            "lerp",
            given=f"types {', '.join(str(x.dtype) for x in (input, *others))}",
            must="all must have one floating-point type",
            hint="end.to(input.dtype)",
        )


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input): the input for weight 0, the end for 1, in between a mixture.

    Raises:  DTypeError unless input, end and a weight with axes have one floating-point type.

    >>> import chainrule as torch
    >>> torch.lerp(torch.tensor([0.0, 10.0]), torch.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    check_lerp(input, end, weight)
    out: Tensor = input + weight * (end - input)
    return out


def factor_of(value: Any, name: str, *xs: Any) -> Any:
    """The factor `value` of `addcmul` in the category of its result, after a check that all xs are tensors.

    >>> import chainrule as torch
    >>> factor_of(2.5, "addcmul", torch.tensor([1]))
    2
    """
    common = common_type(tuple(need_tensor(x, name) for x in xs))
    if common.is_floating_point:
        return value
    return bool(value) if common is dtypes.bool_ else int(value)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 * tensor2. For integer tensors the value is taken towards 0.

    >>> import chainrule as torch
    >>> torch.addcmul(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), value=2)
    tensor([ 7., 17.])
    """
    value = factor_of(value, "addcmul", input, tensor1, tensor2)
    product = tensor1 * tensor2
    return input + (product if type(value) is int and value == 1 else product * value)


def check_addcdiv(input: Any, tensor1: Tensor, tensor2: Tensor) -> None:
    """Raise unless `addcdiv` can take these: it is not said how to divide integers.

    >>> import chainrule as torch
    >>> check_addcdiv(torch.zeros(2), torch.ones(2), torch.tensor(2))
    """
    need_tensor(input, "addcdiv")
    if not any(need_tensor(x, "addcdiv")._a.dtype.kind == "f" for x in (tensor1, tensor2)):
        raise DTypeError.of(
            "addcdiv",
            given=f"types {tensor1.dtype} and {tensor2.dtype} for the division",
            must="one of them must be floating point",
            hint="x + value * torch.div(a, b, rounding_mode='trunc')",
        )


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 / tensor2.

    Raises:  DTypeError if tensor1 and tensor2 are both integers: it is not said how to divide them.

    >>> import chainrule as torch
    >>> torch.addcdiv(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]), value=2)
    tensor([2., 2.])
    """
    check_addcdiv(input, tensor1, tensor2)
    quotient = tensor1 / tensor2
    return input + (quotient if type(value) is int and value == 1 else quotient * value)


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN and infinities replaced; by default with 0 and the largest and smallest finite values.

    >>> import chainrule as torch
    >>> torch.nan_to_num(torch.tensor([float("nan"), 1.0]))
    tensor([0., 1.])
    """
    if need_tensor(input, "nan_to_num")._a.dtype.kind != "f":
        return input.clone()
    info = finfo(input.dtype)
    out = ar.WHERE(pw.isnan(input), 0.0 if nan is None else nan, input)
    out = ar.WHERE(cm.EQ(input, math.inf), info.max if posinf is None else posinf, out)
    return ar.WHERE(cm.EQ(input, -math.inf), info.min if neginf is None else neginf, out)


# -- closeness -----------------------------------------------------------------------------------------


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """|input - other| <= atol + rtol * |other|, elementwise.

    Raises:  DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    if need_tensor(input, "isclose")._a.dtype != need_tensor(other, "isclose")._a.dtype:
        raise DTypeError.of(
            "isclose",
            given=f"types {input.dtype} and {other.dtype}",
            must="the types must be equal",
            hint=f"other.to({input.dtype})",
        )
    if rtol < 0 or atol < 0:
        raise ArgumentError.of(
            "isclose", given=f"rtol={rtol}, atol={atol}", must="the tolerances must not be negative"
        )
    close = pw.eq(input, other)
    if equal_nan:
        close = close | (pw.isnan(input) & pw.isnan(other))
    if rtol or atol:
        # Differences of small integers would wrap around.
        x, y = (z if z._a.dtype.kind == "f" else z.to(dtypes.get_default_dtype()) for z in (input, other))
        close = close | ((pw.abs(x - y) <= atol + pw.abs(rtol * y)) & pw.isfinite(y))
    return close


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close. See `isclose`.

    >>> import chainrule as torch
    >>> torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements.

    >>> import chainrule as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    a, b = need_tensor(input, "equal")._a, need_tensor(other, "equal")._a
    return a.shape == b.shape and bool((a == b).all())
