"""Sums, means, variances, extrema, norms, running totals, softmax. Next: `shaping.py`."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

from ..base import TensorBase
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY, dtype
from ..core.errors import ArgumentError, DTypeError
from ..core.shapes import axis_index, axis_indices
from ..eager import need_tensor
from ..ops import reduce as rd
from ..ops import scan as sc
from ..ops import softmax as sm
from ..ops.norm import NORM
from . import pointwise as pw

Tensor = Any


def _return_type(name: str) -> Any:
    """A named tuple that prints as PyTorch's do."""
    fields = namedtuple(name, ["values", "indices"])  # type: ignore[misc]

    def show(self: Any) -> str:
        return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"

    return type(name, (fields,), {"__repr__": show, "__slots__": ()})


return_types = {
    name: _return_type(name)
    for name in ("max", "min", "sort", "topk", "median", "kthvalue", "cummax", "mode")
}


def _axes(input: Tensor, dim: Any, axis: Any, name: str) -> tuple[int, ...]:
    return axis_indices(dim if axis is None else axis, need_tensor(input, name)._a.ndim, name)


def _converted(input: Tensor, dtype: dtype | None) -> Tensor:
    return input if dtype is None else input.to(dtype)


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
    Types:   integers and bool add up as int64; float16 adds up in float32.

    >>> import chainrule as torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> x.sum(), x.sum(0), x.sum(axis=1, keepdims=True)
    (tensor(21.), tensor([5., 7., 9.]), tensor([[ 6.],
            [15.]]))
    """
    if dtype is not None or not isinstance(input, TensorBase):
        input = _converted(need_tensor(input, "sum"), dtype)
    if dim is None and axis is None:
        return rd.SUM(input, dim=_ALL_AXES[input._a.ndim], keepdim=keepdim or keepdims)
    return rd.SUM(input, dim=_axes(input, dim, axis, "sum"), keepdim=keepdim or keepdims)


_ALL_AXES = [tuple(range(n)) for n in range(65)]  # NumPy has at most 64 axes


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Sum with NaN counted as 0."""
    return sum(pw.where(pw.isnan(input), 0, input), dim, keepdim)


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
    """Arithmetic mean over one axis, several, or all. Shapes as for `sum`.

    Raises:  DTypeError for integers and bool, whose mean is not of their type.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    input = _converted(need_tensor(input, "mean"), dtype)
    if input._a.dtype.kind != "f":
        raise DTypeError.of(
            "mean",
            given=f"{FROM_NUMPY[input._a.dtype].name} {input._a.shape}",
            must="the type must be floating point",
            hint="x.float().mean(), or x.mean(dtype=torch.float32)",
        )
    dims = _axes(input, dim, axis, "mean")
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
    """Variance: mean square distance from the mean, divided by n - correction (1 by default).

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).var()
    tensor(7.)
    """
    if isinstance(dim, bool):  # var(unbiased) is an old form without axes
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    dims = _axes(input, dim, axis, "var")
    n = _count(input, dims)
    centered = input - mean(input, dims, True)
    total = rd.SUM(pw.square(centered), dim=dims, keepdim=keepdim)
    return total / max_(n - correction, 0)


max_ = max


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
) -> Tensor:
    """Standard deviation: the square root of `var`.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).std()
    tensor(2.6458)
    """
    return pw.sqrt(var(input, dim, unbiased, keepdim, correction=correction, axis=axis))


def var_mean(
    input: Tensor, dim: Any = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """Variance and mean together."""
    return var(input, dim, keepdim=keepdim, correction=correction), mean(input, dim, keepdim)


def std_mean(
    input: Tensor, dim: Any = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean together."""
    return std(input, dim, keepdim=keepdim, correction=correction), mean(input, dim, keepdim)


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Product of all elements, or along one axis.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 2.0, 6.0]).prod()
    tensor(12.)
    """
    input = _converted(need_tensor(input, "prod"), dtype)
    if dim is None:
        return sc.PROD(input.reshape(-1), dim=0, keepdim=False)
    return sc.PROD(input, dim=axis_index(dim, input._a.ndim, "prod"), keepdim=keepdim)


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Largest value over one axis, several, or all. Equal largest elements share the gradient evenly.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).amax(0)
    tensor([7, 5])
    """
    return rd.AMAX(input, dim=_axes(input, dim, None, "amax"), keepdim=keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Smallest value over one axis, several, or all. Equal smallest elements share the gradient evenly.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).amin(1)
    tensor([1, 2])
    """
    return rd.AMIN(input, dim=_axes(input, dim, None, "amin"), keepdim=keepdim)


def aminmax(input: Tensor, *, dim: Any = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest and largest value together."""
    return amin(input, () if dim is None else dim, keepdim), amax(input, () if dim is None else dim, keepdim)


def _choice(name: str, pick: Any, whole: Any, pairwise: Any) -> Any:
    def function(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
        need_tensor(input, name)
        dim = dim if axis is None else axis
        if dim is None:
            return whole(input)
        if isinstance(dim, TensorBase):
            return pairwise(input, dim)
        d = axis_index(dim, input._a.ndim, name)
        indices = pick(input, dim=d, keepdim=True)
        values = input.gather(d, indices)
        if not keepdim:
            indices, values = (indices.squeeze(d), values.squeeze(d)) if input._a.ndim else (indices, values)
        return return_types[name](values, indices)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The {name}imum: of all elements; with `dim`, of each slice, as (values, indices); or of two tensors.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 3.0, 2.0]).{name}()
    tensor({"3." if name == "max" else "1."})
    """
    return function


max = _choice("max", rd.ARGMAX, amax, pw.maximum)
min = _choice("min", rd.ARGMIN, amin, pw.minimum)


def argmax(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None
) -> Tensor:
    """Index of the largest element: of all (counted in row-major order), or along one axis. First of equals.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).argmax(), torch.tensor([[1, 5], [7, 2]]).argmax(1)
    (tensor(2), tensor([1, 0]))
    """
    return _arg(rd.ARGMAX, need_tensor(input, "argmax"), dim if axis is None else axis, keepdim, "argmax")


def argmin(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None
) -> Tensor:
    """Index of the smallest element: of all (counted in row-major order), or along one axis. First of equals.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).argmin()
    tensor(0)
    """
    return _arg(rd.ARGMIN, need_tensor(input, "argmin"), dim if axis is None else axis, keepdim, "argmin")


def _arg(op: Any, input: Tensor, dim: int | None, keepdim: bool, name: str) -> Tensor:
    if dim is None:
        index = op(input.reshape(-1), dim=0, keepdim=False)
        return index.reshape((1,) * input._a.ndim) if keepdim else index
    return op(input, dim=axis_index(dim, input._a.ndim, name), keepdim=keepdim)


def all(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
    """Whether all elements are true (not 0), over all or some axes.

    >>> import chainrule as torch
    >>> torch.tensor([True, False]).all()
    tensor(False)
    """
    return rd.ALL(input, dim=_axes(input, dim, axis, "all"), keepdim=keepdim)


def any(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
    """Whether any element is true (not 0), over all or some axes.

    >>> import chainrule as torch
    >>> torch.tensor([True, False]).any()
    tensor(True)
    """
    return rd.ANY(input, dim=_axes(input, dim, axis, "any"), keepdim=keepdim)


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Number of elements that are not 0."""
    return sum(pw.ne(input, 0), dim)


def cumsum(input: Tensor, dim: Any = None, *, dtype: dtype | None = None, axis: Any = None) -> Tensor:
    """Running sums along one axis.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    d = _needed(dim if axis is None else axis, "cumsum")
    input = _converted(need_tensor(input, "cumsum"), dtype)
    return sc.CUMSUM(input, dim=axis_index(d, input._a.ndim, "cumsum"), reverse=False)


def cumprod(input: Tensor, dim: Any = None, *, dtype: dtype | None = None, axis: Any = None) -> Tensor:
    """Running products along one axis.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    d = _needed(dim if axis is None else axis, "cumprod")
    input = _converted(need_tensor(input, "cumprod"), dtype)
    return sc.CUMPROD(input, dim=axis_index(d, input._a.ndim, "cumprod"))


def _needed(dim: Any, name: str) -> Any:
    if dim is None:
        raise ArgumentError.of(
            name, given="no dim", must="the axis to run along must be named", hint=f"{name}(dim=0)"
        )
    return dim


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) over the axes in `dim`, without overflow. In nats.

    >>> import chainrule as torch
    >>> torch.tensor([1000.0, 1000.0]).logsumexp(0)
    tensor(1000.6931)
    """
    input = _floating(input)
    return sm.LOGSUMEXP(input, dim=_axes(input, dim, None, "logsumexp"), keepdim=keepdim)


def _floating(input: Tensor) -> Tensor:
    return input if input._a.dtype.kind == "f" else input.to(dtypes.get_default_dtype())


def softmax(input: Tensor, dim: int | None = None, dtype: dtype | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along one axis, without overflow: positive numbers that add up to 1.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 1.0]).softmax(0)
    tensor([0.5000, 0.5000])
    """
    input = _converted(need_tensor(input, "softmax"), dtype)
    return sm.SOFTMAX(input, dim=axis_index(_needed(dim, "softmax"), input._a.ndim, "softmax"))


def log_softmax(input: Tensor, dim: int | None = None, dtype: dtype | None = None) -> Tensor:
    """The logarithm of softmax, in nats; exact where softmax itself would be 0.

    >>> import chainrule as torch
    >>> torch.tensor([0.0, 1000.0]).log_softmax(0)
    tensor([-1000.,     0.])
    """
    input = _converted(need_tensor(input, "log_softmax"), dtype)
    return sm.LOG_SOFTMAX(input, dim=axis_index(_needed(dim, "log_softmax"), input._a.ndim, "log_softmax"))


def vector_norm(
    input: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x|**ord) ** (1/ord) over some axes, or over all elements as one vector.

    ord:  any number; 0 counts what is not 0, inf and -inf are the largest and smallest |x|.

    >>> import chainrule as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, -4.0]))
    tensor(5.)
    """
    input = _converted(need_tensor(input, "norm"), dtype)
    if input._a.dtype.kind != "f":
        raise DTypeError.of(
            "norm",
            given=f"{FROM_NUMPY[input._a.dtype].name} {input._a.shape}",
            must="the type must be floating point",
            hint="x.float().norm()",
        )
    dims = _axes(input, dim, None, "norm")
    if ord == math.inf:
        return amax(pw.abs(input), dims, keepdim)
    if ord == -math.inf:
        return amin(pw.abs(input), dims, keepdim)
    if ord == 0:
        return sum(pw.ne(input, 0).to(input.dtype), dims, keepdim)
    if ord == 1:
        return rd.SUM(pw.abs(input), dim=dims, keepdim=keepdim)
    return NORM(input, p=float(ord), dim=dims, keepdim=keepdim)
