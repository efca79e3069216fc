"""Sums, means, variances and tests over axes. Next: `extrema.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY, dtype
from ..core.errors import DTypeError
from ..core.shapes import axis_index, axis_indices, named_axes
from ..core.warn import warn
from ..eager import need_tensor
from ..ops import reduce as rd
from ..ops import scan
from ..ops import softmax as sm
from ..ops.norm import NORM
from ..ops.primitive import Primitive
from . import elementwise as ew
from . import pointwise as pw
from .shaping import squeeze

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALL_AXES = [tuple(range(n)) for n in range(65)]  # NumPy has at most 64 axes


def axes(input: Tensor, dim: Any, axis: Any, name: str) -> tuple[int, ...]:
    """The axes to reduce, as a sorted tuple: `dim` or its NumPy name `axis`; None for all.

    >>> import chainrule as torch
    >>> axes(torch.zeros(2, 3), None, -1, "sum")
    (1,)
    """
    return axis_indices(dim if axis is None else axis, need_tensor(input, name)._a.ndim, name)


def converted(input: Tensor, dtype: dtype | None) -> Tensor:
    """The input, in another type if one is asked for.

    >>> import chainrule as torch
    >>> converted(torch.tensor([1]), torch.float32)
    tensor([1.])
    """
    return input if dtype is None else input.to(dtype)


def need_floating(input: Tensor, name: str, hint: str = "") -> Tensor:
    """The input, if its type is floating point; else an error that says what to try.

    >>> import chainrule as torch
    >>> need_floating(torch.tensor([1.5]), "mean")
    tensor([1.5000])
    """
    if need_tensor(input, name)._a.dtype.kind != "f":
        raise DTypeError.of(
            name,
            given=f"{FROM_NUMPY[input._a.dtype].name} {input._a.shape}",
            must="the type must be floating point",
            hint=hint or f"x.float().{name}()",
        )
    return input


def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Sum over one axis, several, or all.

    Shapes:  (...) -> the axes in `dim` (or `axis`) removed, or kept with size 1 if `keepdim`.
    Types:   integers and bool add up as int64, float16 in float32; `dtype` converts first.

    >>> import chainrule as torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> x.sum(), x.sum(0), x.sum(axis=1, keepdims=True)
    (tensor(21.), tensor([5., 7., 9.]), tensor([[ 6.],
            [15.]]))
    """
    if dtype is not None or not isinstance(input, TensorBase):
        return _summed(need_tensor(input, "sum"), axes(input, dim, axis, "sum"), keepdim or keepdims, dtype)
    if dim is None and axis is None:
        return rd.SUM(input, dim=_ALL_AXES[input._a.ndim], keepdim=keepdim or keepdims)
    return rd.SUM(input, dim=axes(input, dim, axis, "sum"), keepdim=keepdim or keepdims)


def _summed(input: Tensor, dims: tuple[int, ...], keepdim: bool, dtype: dtype | None) -> Tensor:
    total = rd.SUM(converted(input, dtype), dim=dims, keepdim=keepdim)
    return converted(total, dtype)  # a sum of int32 is int64, unless int32 was asked for


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Sum with NaN counted as 0. Shapes and types as for `sum`.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, float("nan"), 2.0]).nansum()
    tensor(3.)
    """
    dims = axes(input, dim, None, "nansum")
    if input._a.dtype.kind != "f":
        return _summed(input, dims, keepdim, dtype)
    return _summed(ew.where(pw.isnan(input), 0, input), dims, keepdim, dtype)


def _count(input: Tensor, dims: tuple[int, ...]) -> int:
    return math.prod(input._a.shape[d] for d in dims)


def mean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Arithmetic mean over one axis, several, or all. Shapes as for `sum`; NaN if there is no element.

    Raises:  DTypeError for integers and bool, whose mean is not of their type.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    input = converted(need_tensor(input, "mean"), dtype)
    if input._a.dtype.kind != "f":
        need_floating(input, "mean", "x.float().mean(), or x.mean(dtype=torch.float32)")
    dims = axes(input, dim, axis, "mean")
    n = _count(input, dims)
    return rd.SUM(input, dim=dims, keepdim=keepdim or keepdims) / (n if n else math.nan)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
) -> Tensor:
    """Variance: square distances from the mean added up, divided by n - correction. Shapes as for `sum`.

    correction:  1 unless given (Bessel's correction); `unbiased=False` is the older way to say 0.
    Raises:      DTypeError for integers and bool.
    Warns:       if n - correction is not positive: the result is then infinite or NaN.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).var()
    tensor(7.)
    """
    return _var(_centered(input, dim, unbiased, keepdim, correction, axis, "var"), keepdim)


def _centered(
    input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: float | None, axis: Any, name: str
) -> tuple[Tensor, Tensor, tuple[int, ...], float]:
    """(distances from the mean, the mean, the axes, what to divide by)."""
    need_floating(input, name)
    if isinstance(dim, bool):  # var(unbiased) is an old form without axes
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    dims = axes(input, dim, axis, name)
    n = _count(input, dims)
    if n <= correction:
        warn(
            f"{name} of {n} {'element' if n == 1 else 'elements'} with correction={correction}: "
            "there is nothing left to divide by, and the result is infinite or NaN"
        )
    center = mean(input, dims, True)
    return input - center, center if keepdim else squeeze(center, dims), dims, n - correction


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
) -> Tensor:
    """Standard deviation: the square root of `var`, with the same arguments.

    Derivative:  0 where the deviation is 0 (a convention; there is no limit).

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).std()
    tensor(2.6458)
    """
    return _std(_centered(input, dim, unbiased, keepdim, correction, axis, "std"), keepdim)


def _var(parts: Any, keepdim: bool) -> Tensor:
    centered, _, dims, n = parts
    return pw.div(rd.SUM(pw.square(centered), dim=dims, keepdim=keepdim), max(n, 0))


def _std(parts: Any, keepdim: bool) -> Tensor:
    centered, _, dims, n = parts
    # A norm, because its derivative is 0 at 0, where that of the square root is infinite.
    return NORM(centered, p=2.0, dim=dims, keepdim=keepdim) / math.sqrt(max(n, 0))


def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Variance and mean together. See `var`.

    >>> import chainrule as torch
    >>> torch.var_mean(torch.tensor([1.0, 2.0, 6.0]))
    (tensor(7.), tensor(3.))
    """
    parts = _centered(input, dim, unbiased, keepdim, correction, None, "var_mean")
    return _var(parts, keepdim), parts[1]


def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean together. See `std`.

    >>> import chainrule as torch
    >>> torch.std_mean(torch.tensor([1.0, 2.0, 6.0]))
    (tensor(2.6458), tensor(3.))
    """
    parts = _centered(input, dim, unbiased, keepdim, correction, None, "std_mean")
    return _std(parts, keepdim), parts[1]


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Product of all elements, or along one axis. Types as for `sum`.

    Derivative:  the product of the others, also where elements are 0.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).prod()
    tensor(12.)
    """
    x = converted(need_tensor(input, "prod"), dtype)
    if dim is None:
        return converted(scan.PROD(x.reshape(-1), dim=0, keepdim=False), dtype)
    d = axis_index(dim, x._a.ndim, "prod")
    return converted(scan.PROD(x, dim=d, keepdim=keepdim), dtype)


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) over the axes in `dim`, without overflow; in nats. Shapes as for `sum`.

    Integers and bool are converted to the default floating type first.

    >>> import chainrule as torch
    >>> torch.tensor([100.0, 100.0]).logsumexp(0)
    tensor(100.6931)
    """
    dims = axes(input, dim, None, "logsumexp")
    x = input if input._a.dtype.kind == "f" else input.to(dtypes.get_default_dtype())
    return sm.LOGSUMEXP(x, dim=dims, keepdim=keepdim)


# -- tests ---------------------------------------------------------------------------------------------


def _tested(op: Primitive, input: Tensor, dim: Any, keepdim: bool, axis: Any, name: str) -> Tensor:
    wanted = dim if axis is None else axis
    return op(input, dim=named_axes(wanted, need_tensor(input, name)._a.ndim, name), keepdim=keepdim)


def all(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
    """Whether all elements are true (not 0), over all axes or those in `dim`. Shapes as for `sum`.

    Types:  bool; uint8 for uint8.

    >>> import chainrule as torch
    >>> torch.tensor([True, False]).all()
    tensor(False)
    """
    return _tested(rd.ALL, input, dim, keepdim, axis, "all")


def any(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
    """Whether any element is true (not 0), over all axes or those in `dim`. Shapes as for `sum`.

    Types:  bool; uint8 for uint8.

    >>> import chainrule as torch
    >>> torch.tensor([True, False]).any()
    tensor(True)
    """
    return _tested(rd.ANY, input, dim, keepdim, axis, "any")


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """The number of elements that are not 0, in all or over the axes in `dim`; int64.

    >>> import chainrule as torch
    >>> torch.count_nonzero(torch.tensor([0, 3, 4]))
    tensor(2)
    """
    return sum(pw.ne(need_tensor(input, "count_nonzero"), 0), dim)
