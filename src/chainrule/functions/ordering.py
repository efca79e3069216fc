"""Sorting, selection by rank, quantiles, counting. Next: `products.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from ..core.shapes import axis_index, real_axis
from ..eager import need_tensor
from ..ops import arithmetic as ar
from ..ops import scatter as sc
from ..ops.sort import ARGSORT
from .joining import stack
from .options import values_known, values_of
from .results import result_type

if TYPE_CHECKING:
    from ..tensor import Tensor

_SORT, _TOPK, _KTHVALUE, _MEDIAN = (
    result_type(name, "values", "indices") for name in ("sort", "topk", "kthvalue", "median")
)


def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Tensor:
    """Indices that sort along an axis. Equal elements keep their order; NaN counts as the largest.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).argsort()
    tensor([1, 2, 0])
    """
    d = axis_index(dim, need_tensor(input, "argsort")._a.ndim, "argsort")
    return ARGSORT(input, dim=d, descending=descending)


def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """Elements in order along an axis, and where they came from, as (values, indices). Gradients flow back.

    Equal elements keep their order; NaN counts as the largest.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).sort().values
    tensor([1., 2., 3.])
    """
    d = axis_index(dim, need_tensor(input, "sort")._a.ndim, "sort")
    indices = ARGSORT(input, dim=d, descending=descending)
    return _SORT(sc.GATHER(input, indices, dim=d), indices)


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) elements along an axis, in order, as (values, indices).

    Shapes:  the axis gets size k.
    Raises:  ArgumentError if there are fewer than k elements.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).topk(2)
    torch.return_types.topk(
    values=tensor([3., 2.]),
    indices=tensor([0, 2]))
    """
    d = axis_index(dim, need_tensor(input, "topk")._a.ndim, "topk")
    n = input._a.shape[d] if input._a.ndim else 1
    if not 0 <= k <= n:
        raise ArgumentError.of(
            "topk", given=f"k={k} for axis {d} of a tensor {input._a.shape}", must=f"k must lie in [0, {n}]"
        )
    indices = ARGSORT(input, dim=d, descending=largest)
    if input._a.ndim:
        indices = indices.narrow(d, 0, k).contiguous()
    return _TOPK(sc.GATHER(input, indices, dim=d), indices)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along an axis (k from 1), as (values, indices).

    Raises:  ArgumentError if k is not in 1 to the size of the axis; IndexError for an axis without elements.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).kthvalue(2)
    torch.return_types.kthvalue(
    values=tensor(2.),
    indices=tensor(2))
    """
    d = axis_index(dim, need_tensor(input, "kthvalue")._a.ndim, "kthvalue")
    n = input._a.shape[d] if input._a.ndim else 1
    if n == 0:
        raise _empty(input, d, "kthvalue")
    if not 1 <= k <= n:
        raise ArgumentError.of("kthvalue", given=f"k={k} for an axis of {n}", must=f"k must lie in [1, {n}]")
    return _KTHVALUE(*_ranked(input, ARGSORT(input, dim=d, descending=False), k - 1, d, keepdim))


def _empty(input: Tensor, d: int, name: str) -> IndexingError:
    return IndexingError.of(
        name,
        given=f"axis {d} of a tensor {input._a.shape}",
        must="it needs at least one element to choose from",
    )


def _ranked(input: Tensor, order: Tensor, rank: int, d: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """(value, index) of the element with a rank, given the order."""
    if input._a.ndim == 0:
        return input.clone(), order
    indices = order.narrow(d, rank, 1).contiguous()
    values = sc.GATHER(input, indices, dim=d)
    return (values, indices) if keepdim else (values.squeeze(d), indices.squeeze(d))


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element of all, or with `dim` of each slice, as (values, indices).

    Of two middle ones it is the smaller; NaN if there is a NaN. Without `dim`, the elements equal to it share
    the gradient.
    Raises:  IndexError for an axis without elements; without `dim`, the median of nothing is NaN.

    >>> import chainrule as torch
    >>> torch.tensor([4.0, 1.0, 3.0, 2.0]).median()
    tensor(2.)
    """
    whole = dim is None
    x = need_tensor(input, "median").reshape(-1) if whole else input
    d = axis_index(0 if dim is None else dim, x._a.ndim, "median")
    n = x._a.shape[d] if x._a.ndim else 1
    if n == 0:
        if whole and x._a.dtype.kind == "f":
            return x.sum() * math.nan
        raise _empty(input, d, "median")
    order = ARGSORT(x, dim=d, descending=False)  # NaN sorts last; if there is one, the median is NaN
    values, indices = _ranked(x, order, (n - 1) // 2, d, keepdim)
    if x._a.dtype.kind == "f" and (not values_known(x) or np.isnan(x._a).any()):
        first = x.isnan().long().argmax(d, True) if x._a.ndim else indices
        spoilt = x.isnan().any(d, keepdim)
        nan = sc.GATHER(x, first, dim=d) if x._a.ndim else values
        if not keepdim and x._a.ndim:
            first, nan = first.squeeze(d), nan.squeeze(d)
        values, indices = ar.WHERE(spoilt, nan, values), ar.WHERE(spoilt, first, indices)
    if not whole:
        return _MEDIAN(values, indices)
    known = values_known(values)
    if not (x.requires_grad or x._stack() is not None) or (known and not np.isfinite(values._a)):
        return values
    # All elements equal to the median share its gradient.
    middle = values.detach()
    hit = x == middle
    shared = middle + ar.WHERE(hit, x - middle, 0.0).sum() / hit.sum().clamp(1)
    return shared if known else ar.WHERE(middle.isfinite(), shared, values)


_INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The value below which a share q of the elements lies, of all or along an axis.

    q:              a number from 0 to 1, or a vector of them: the results are stacked along a new first axis.
    interpolation:  what to take between two elements: "linear", "lower", "higher", "nearest" or "midpoint".
    Raises:         DTypeError unless input (and q) are float32 or float64.

    >>> import chainrule as torch
    >>> torch.tensor([0.0, 1.0, 2.0, 3.0]).quantile(0.5)
    tensor(1.5000)
    """
    kind = need_tensor(input, "quantile")._a.dtype
    if kind not in (np.float32, np.float64) or (isinstance(q, TensorBase) and q._a.dtype != kind):
        raise DTypeError.of(
            "quantile",
            given=f"a tensor of type {input.dtype}"
            + (f" and q of type {q.dtype}" if hasattr(q, "dtype") else ""),
            must="the type must be float32 or float64, and that of q the same",
            hint="x.float()",
        )
    if not isinstance(q, TensorBase | int | float):
        raise ArgumentError.of("quantile", given=f"q={q!r}", must="q must be a number or a tensor")
    shares = values_of(q, "quantile").tolist() if isinstance(q, TensorBase) else q
    listed = shares if isinstance(shares, list) else [shares]
    if any(not (isinstance(s, int | float) and 0 <= s <= 1) for s in listed):
        raise ArgumentError.of(
            "quantile", given=f"q={shares}", must="q must be a number or a vector in [0, 1]"
        )
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError.of(
            "quantile", given=f"interpolation={interpolation!r}", must=f"it must be one of {_INTERPOLATIONS}"
        )
    x = input.reshape(-1) if dim is None or input._a.ndim == 0 else input
    d = axis_index(0 if dim is None else dim, x._a.ndim, "quantile")
    if x._a.size == 0:
        raise ArgumentError.of("quantile", given=f"a tensor {input._a.shape}", must="it must not be empty")
    ordered = sort(x, d).values
    spoilt = x.isnan().any(d) if not values_known(x) or np.isnan(x._a).any() else None
    out = [_between(ordered, share, d, interpolation) for share in listed]
    if spoilt is not None:
        out = [ar.WHERE(spoilt, math.nan, value) for value in out]
    if keepdim and input._a.ndim:
        out = [v.reshape((1,) * input._a.ndim) if dim is None else v.unsqueeze(d) for v in out]
    return stack(out) if isinstance(shares, list) else out[0]


def _between(ordered: Tensor, share: float, d: int, interpolation: str) -> Tensor:
    """The value at a share of the way through an ordered axis."""
    place = share * (ordered._a.shape[d] - 1)
    low, high = math.floor(place), math.ceil(place)
    if interpolation in ("lower", "higher", "nearest") or low == high:
        picked = {"lower": low, "higher": high}.get(interpolation, round(place))
        return ordered.select(d, picked)
    a, b = ordered.select(d, low), ordered.select(d, high)
    return a + (b - a) * (place - low if interpolation == "linear" else 0.5)


# -- counting ------------------------------------------------------------------------------------------


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements (or slices along `dim`) in ascending order; each NaN is one of its own.

    On request also where each element of the input went, and how often each occurs.

    >>> import chainrule as torch
    >>> torch.tensor([2, 1, 2]).unique(return_counts=True)
    (tensor([1, 2]), tensor([1, 2]))
    """
    a = need_tensor(input, "unique")._a
    d = None if dim is None else real_axis(dim, a.ndim, "unique")
    values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True, axis=d, equal_nan=False)
    out = [wrap(values)]
    if return_inverse:
        out.append(wrap(inverse.reshape(a.shape if d is None else (a.shape[d],))))
    if return_counts:
        out.append(wrap(counts))
    return tuple(out) if len(out) > 1 else out[0]


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs, or the total weight of each.

    Shapes:  (n,) -> (max(largest + 1, minlength),).
    Types:   int64; with weights float32 for float32, else float64.
    Raises:  ArgumentError for other than a vector of integers that are not negative.

    >>> import chainrule as torch
    >>> torch.tensor([0, 2, 2]).bincount()
    tensor([1, 0, 2])
    """
    a = need_tensor(input, "bincount")._a
    if a.dtype.kind not in "iu" or a.ndim != 1 or (a.size and a.min() < 0):
        raise ArgumentError.of(
            "bincount",
            given=f"{input.dtype} {a.shape}",
            must="it counts a vector of integers that are not negative",
        )
    if minlength < 0:
        raise ArgumentError.of("bincount", given=f"minlength={minlength}", must="it must not be negative")
    if weights is None:
        return wrap(np.bincount(a, minlength=minlength))
    w = need_tensor(weights, "bincount")._a
    if w.shape != a.shape:
        raise ShapeError.of(
            "bincount", given=f"weights {w.shape} for a vector {a.shape}", must="the shapes must be equal"
        )
    totals = np.bincount(a, w, minlength)
    return wrap(totals.astype(np.float32) if w.dtype == np.float32 else totals)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts of elements in equal bins from min to max (by default the range of the data).

    Elements outside the range are not counted.
    Raises:  DTypeError for integers and bool; ArgumentError if there is no bin, or max is below min.

    >>> import chainrule as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=2, min=0, max=4)
    tensor([2., 1.])
    """
    a = need_tensor(input, "histc")._a
    if a.dtype.kind != "f":
        raise DTypeError.of(
            "histc", given=f"{input.dtype}", must="the type must be floating point", hint="x.float()"
        )
    low, high = min, max
    if low == high and a.size:
        low, high = float(a.min()), float(a.max())
    if low == high:
        low, high = low - 1, high + 1
    if bins <= 0 or not low < high or not math.isfinite(high - low):
        raise ArgumentError.of(
            "histc",
            given=f"bins={bins}, min={low}, max={high}",
            must="there must be a bin, and the range must be finite and not empty",
        )
    inside = a[(a >= low) & (a <= high)].astype(np.float64)
    return wrap(np.histogram(inside, bins, (low, high))[0].astype(a.dtype))


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
) -> Tensor:
    """Where elements would be inserted into ascending rows: before equal ones, or after if `right`.

    Shapes:  a vector and any shape -> that shape; (..., n) and (..., m) with equal leading axes -> (..., m).
    Types:   int64, or int32 if `out_int32`.
    Raises:  ShapeError if the leading axes differ; ArgumentError for a side other than "left" and "right".

    >>> import chainrule as torch
    >>> torch.searchsorted(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 3.0]))
    tensor([1, 1])
    """
    rows = values_of(need_tensor(sorted_sequence, "searchsorted"), "searchsorted")
    values = np.asarray(values_of(input, "searchsorted") if isinstance(input, TensorBase) else input)
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError.of(
            "searchsorted",
            given=f"side={side!r}, right={right}",
            must="side must be 'left' or 'right', as right says",
        )
    if rows.ndim != 1 and (rows.ndim == 0 or values.shape[:-1] != rows.shape[:-1] or values.ndim == 0):
        raise ShapeError.of(
            "searchsorted",
            given=f"boundaries {rows.shape} for values {values.shape}",
            must="the boundaries must be a vector, or both must have the same leading axes",
        )
    where: Any = "right" if right or side == "right" else "left"
    kind = np.int32 if out_int32 else np.int64
    if rows.ndim == 1:
        return wrap(np.asarray(np.searchsorted(rows, values, where), kind))
    out = np.empty(values.shape, kind)
    for place in np.ndindex(rows.shape[:-1]):
        out[place] = np.searchsorted(rows[place], values[place], where)
    return wrap(out)


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket that each element falls into, given an ascending vector of boundaries.

    With `right`, a boundary itself belongs to the bucket after it. Types as for `searchsorted`.

    >>> import chainrule as torch
    >>> torch.bucketize(torch.tensor([0.5, 3.0]), torch.tensor([1.0, 3.0]))
    tensor([0, 1])
    """
    if need_tensor(boundaries, "bucketize")._a.ndim != 1:
        raise ShapeError.of(
            "bucketize", given=f"boundaries {boundaries._a.shape}", must="the boundaries must be a vector"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
