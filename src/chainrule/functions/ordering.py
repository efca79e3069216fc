"""Sorting, selection by rank, counting. Next: `linalg.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, DTypeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import move as mv
from ..ops import scatter as sc
from ..ops.sort import ARGSORT
from .reductions import return_types

Tensor = Any


def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Tensor:
    """Indices that sort along an axis. Equal elements keep their order.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).argsort()
    tensor([1, 2, 0])
    """
    return ARGSORT(
        input, dim=axis_index(dim, need_tensor(input, "argsort")._a.ndim, "argsort"), descending=descending
    )


def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """Elements in order along an axis, and where they came from, as (values, indices). Gradients flow back.

    >>> import chainrule as torch
    >>> torch.tensor([3.0, 1.0, 2.0]).sort().values
    tensor([1., 2., 3.])
    """
    indices = argsort(input, dim, descending)
    return return_types["sort"](
        sc.GATHER(input, indices, dim=axis_index(dim, input._a.ndim, "sort")), indices
    )


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) elements along an axis, in order, as (values, indices).

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
    indices = argsort(input, d, descending=largest)
    if input._a.ndim:
        indices = indices.narrow(d, 0, k).contiguous()
    return return_types["topk"](sc.GATHER(input, indices, dim=d), indices)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along an axis (k from 1), as (values, indices)."""
    d = axis_index(dim, need_tensor(input, "kthvalue")._a.ndim, "kthvalue")
    n = input._a.shape[d] if input._a.ndim else 1
    if not 1 <= k <= n:
        raise ArgumentError.of("kthvalue", given=f"k={k} for an axis of {n}", must=f"k must lie in [1, {n}]")
    return _ranked(input, argsort(input, d), k - 1, d, keepdim, "kthvalue")


def _ranked(input: Tensor, order: Tensor, rank: int, d: int, keepdim: bool, name: str) -> Any:
    if input._a.ndim == 0:
        return return_types[name](input.clone(), order)
    indices = order.narrow(d, rank, 1).contiguous()
    values = sc.GATHER(input, indices, dim=d)
    if not keepdim:
        indices, values = indices.squeeze(d), values.squeeze(d)
    return return_types[name](values, indices)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element; of two middle ones the smaller. With `dim`, as (values, indices).

    >>> import chainrule as torch
    >>> torch.tensor([4.0, 1.0, 3.0, 2.0]).median()
    tensor(2.)
    """
    whole = dim is None
    x = need_tensor(input, "median").reshape(-1) if whole else input
    d = axis_index(0 if dim is None else dim, x._a.ndim, "median")
    n = x._a.shape[d] if x._a.ndim else 1
    order = argsort(x, d)  # NaN sorts last; if there is one, the median is NaN
    rank = (n - 1) // 2
    result = _ranked(x, order, rank, d, keepdim, "median")
    if x._a.dtype.kind == "f" and np.isnan(x._a).any():
        last = _ranked(x, order, n - 1, d, keepdim, "median")
        spoilt = last.values.isnan()
        result = return_types["median"](
            spoilt.where(last.values, result.values), spoilt.where(last.indices, result.indices)
        )
    return result.values if whole else result


def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The value below which a share q of the elements lies, interpolated linearly.

    >>> import chainrule as torch
    >>> torch.tensor([0.0, 1.0, 2.0, 3.0]).quantile(0.5)
    tensor(1.5000)
    """
    x = input.reshape(-1) if dim is None else input
    d = axis_index(0 if dim is None else dim, x._a.ndim, "quantile")
    shares = q.tolist() if isinstance(q, TensorBase) else q  # type: ignore[attr-defined]
    many = isinstance(shares, list)
    listed = shares if many else [shares]
    if any(not 0 <= s <= 1 for s in listed):
        raise ArgumentError.of("quantile", given=f"q={shares}", must="q must lie in [0, 1]")
    ordered = sort(x, d).values
    n = x._a.shape[d]
    out = []
    for share in listed:
        place = share * (n - 1)
        low = min(int(place), n - 1)
        a, b = ordered.select(d, low), ordered.select(d, min(low + 1, n - 1))
        value = a + (b - a) * (place - low)
        out.append(_kept(value, input, dim, d) if keepdim else value)
    if not many:
        return out[0]
    first, *rest = out
    return first.unsqueeze(0) if not rest else _stack(out)


def _kept(value: Tensor, input: Tensor, dim: int | None, d: int) -> Tensor:
    return value.reshape((1,) * input._a.ndim) if dim is None else value.unsqueeze(d)


def _stack(xs: list[Tensor]) -> Tensor:
    return mv.CAT(*[x.unsqueeze(0) for x in xs], dim=0)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements in ascending order; on request where each went, and how often each occurs.

    >>> import chainrule as torch
    >>> torch.tensor([2, 1, 2]).unique(return_counts=True)
    (tensor([1, 2]), tensor([1, 2]))
    """
    found = np.unique(
        need_tensor(input, "unique")._a, return_inverse=return_inverse, return_counts=return_counts, axis=dim
    )
    if isinstance(found, tuple):
        return tuple(wrap(np.asarray(a)) for a in found)
    return wrap(found)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs, or the total weight of each.

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
    return wrap(np.bincount(a, None if weights is None else weights._a, minlength))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts of elements in equal bins from min to max (by default the range of the data)."""
    a = need_tensor(input, "histc")._a
    if a.dtype.kind != "f":
        raise DTypeError.of(
            "histc", given=f"{input.dtype}", must="the type must be floating point", hint="x.float()"
        )
    span = (min, max) if (min, max) != (0, 0) else (float(a.min()), float(a.max())) if a.size else (0.0, 1.0)
    if span[0] == span[1]:
        span = (span[0] - 1, span[1] + 1)
    return wrap(np.histogram(a[(a >= span[0]) & (a <= span[1])], bins, span)[0].astype(a.dtype))


def searchsorted(sorted_sequence: Tensor, input: Any, *, right: bool = False) -> Tensor:
    """Where elements would be inserted into an ascending vector: before equal ones, or after if `right`.

    >>> import chainrule as torch
    >>> torch.searchsorted(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 3.0]))
    tensor([1, 1])
    """
    value = input._a if isinstance(input, TensorBase) else input
    if sorted_sequence._a.ndim != 1:
        raise ArgumentError.of(
            "searchsorted",
            given=f"a sequence {sorted_sequence._a.shape}",
            must="the sequence must be a vector",
        )
    found = np.searchsorted(sorted_sequence._a, value, "right" if right else "left")
    return wrap(np.asarray(found, np.int64))


def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """The number of the bucket that each element falls into."""
    return searchsorted(boundaries, input, right=right)
