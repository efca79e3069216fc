"""Elements read from and written to places that an index or a mask names, by function. Next: `ordering.py`.

`x[...]` itself is in `indexing.py`. Functions that write return a copy; the methods `index_add_`, `scatter_`
and so on write into the tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import arithmetic as ar
from ..ops import compare as cm
from ..ops import index as ix
from ..ops import scatter as sc
from ..ops import views as vw
from .indexing import read_key, stretched
from .options import values_known, values_of
from .shaping import common_shape

if TYPE_CHECKING:
    from ..tensor import Tensor


def _dim(input: Tensor, dim: int, name: str) -> int:
    return axis_index(dim, need_tensor(input, name)._a.ndim, name)


def _whole(index: Tensor, name: str) -> Tensor:
    kind = need_tensor(index, name)._a.dtype
    if kind not in (np.int64, np.int32):
        raise DTypeError.of(
            name,
            given=f"an index of type {FROM_NUMPY[kind]}",
            must="the index must be int64 or int32",
            hint="index.long()",
        )
    return index


def _same_type(input: Tensor, source: Any, name: str) -> None:
    if need_tensor(source, name)._a.dtype != input._a.dtype:
        raise DTypeError.of(
            name,
            given=f"a tensor of type {input.dtype} and a source of type {source.dtype}",
            must="the types must be equal",
            hint=f"source.to({input.dtype})",
        )


# -- read ----------------------------------------------------------------------------------------------


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, input[i][index[i][j]] for dim 1, and so on.

    Shapes:  index has as many axes as the input, none larger but `dim`; the result has the shape of index.
    Raises:  IndexingError for an index outside 0 to size - 1; DTypeError if it is not of integers.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).gather(1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    d = _dim(input, dim, "gather")
    index = _whole(index, "gather")
    if index._a.size == 0:  # an empty index asks for nothing, whatever its shape
        return ix.INDEX(input.reshape(-1), index, dims=(0,))
    return sc.GATHER(input, index, dim=d)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements at `indices` along an axis, as `argsort` and `argmax` give them.

    Shapes:  the other axes are broadcast against each other. Without `dim` both are flattened.
    Raises:  IndexingError for an index that is not there; negative ones count from the end.

    >>> import chainrule as torch
    >>> x = torch.tensor([[3, 1], [2, 5]])
    >>> torch.take_along_dim(x, x.argsort(1), 1)
    tensor([[1, 3],
            [2, 5]])
    """
    index = _whole(indices, "take_along_dim")
    if dim is None:
        return take_along_dim(input.reshape(-1), index.reshape(-1), 0)
    d = _dim(input, dim, "take_along_dim")
    if input._a.ndim != index._a.ndim:
        raise ShapeError.of(
            "take_along_dim",
            given=f"a tensor {input._a.shape} and indices {index._a.shape}",
            must="both must have as many axes",
        )
    if input._a.ndim == 0:
        return sc.GATHER(input, index, dim=0)
    shape = common_shape(
        [vw.SLICE(x, key=(*[slice(None)] * d, slice(0, 1))) for x in (input, index)], "take_along_dim"
    )
    n = input._a.shape[d]
    wide = vw.EXPAND(input, shape=(*shape[:d], n, *shape[d + 1 :]))
    places = vw.EXPAND(index, shape=(*shape[:d], index._a.shape[d], *shape[d + 1 :]))
    return sc.GATHER(wide, ar.WHERE(cm.LT(places, 0), places + n, places), dim=d)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices along an axis, in the order of `index`, copied.

    Raises:  IndexingError for an index outside 0 to size - 1, or that is no vector; DTypeError if it is not
             of integers.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).index_select(0, torch.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    d = _dim(input, dim, "index_select")
    at = _vector(_whole(index, "index_select"), input, d, "index_select")
    if input._a.ndim:
        return ix.INDEX(input, at, dims=(d,))
    if at._a.size != 1:
        raise ShapeError.of(
            "index_select", given=f"{at._a.size} indices for a 0-d tensor", must="it has one element"
        )
    return input.clone()


def _vector(index: Tensor, input: Tensor, d: int, name: str, *, from_end: bool = False) -> Tensor:
    """The index as a vector, its values checked; negative ones count from the end only if `from_end`."""
    a = index._a
    if a.ndim > 1:
        raise IndexingError.of(name, given=f"an index {a.shape}", must="the index must be a vector")
    n = input._a.shape[d] if input._a.ndim else 1
    low = -n if from_end else 0
    if values_known(index) and a.size and (a.min() < low or a.max() >= n):
        bad = a[(a < low) | (a >= n)].flat[0]
        raise IndexingError.of(
            name,
            given=f"index {bad} for axis {d} of a tensor {input._a.shape}",
            must=f"every index must lie in [{low}, {n - 1}]"
            if n
            else "the axis is empty: it has no element to take",
        )
    return index if a.ndim else vw.RESHAPE(index, shape=(1,))


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened input; the result has the shape of `index`.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).take(torch.tensor([0, 3]))
    tensor([1, 4])
    """
    need_tensor(input, "take")
    if need_tensor(index, "take")._a.dtype != np.int64:
        raise DTypeError.of(
            "take",
            given=f"an index of type {index.dtype}",
            must="the index must be int64",
            hint="index.long()",
        )
    return ix.INDEX(input.reshape(-1), index, dims=(0,))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask is true, as a vector; both are broadcast.

    Raises:  DTypeError if the mask is not bool.

    >>> import chainrule as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    _bool(mask, "masked_select")
    shape = common_shape((need_tensor(input, "masked_select"), mask), "masked_select")
    wide = vw.EXPAND(input, shape=shape).reshape(-1)
    return ix.INDEX(
        wide, wrap(np.flatnonzero(np.broadcast_to(values_of(mask, "masked_select"), shape))), dims=(0,)
    )


def _bool(mask: Tensor, name: str) -> None:
    if need_tensor(mask, name)._a.dtype.kind != "b":
        raise DTypeError.of(
            name, given=f"a mask of type {mask.dtype}", must="the mask must be bool", hint="mask != 0"
        )


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Indices of the elements that are not 0: one row each, or one vector per axis if `as_tuple`.

    Shapes:  (n, number of axes) int64.

    >>> import chainrule as torch
    >>> torch.nonzero(torch.tensor([0, 3, 0, 4]))
    tensor([[1],
            [3]])
    """
    a = need_tensor(input, "nonzero")._a
    if as_tuple:
        return tuple(wrap(found) for found in np.atleast_1d(a).nonzero())
    return wrap(np.argwhere(a).astype(np.int64, copy=False))


def argwhere(input: Tensor) -> Tensor:
    """Indices of the elements that are not 0, one row each: `nonzero`.

    >>> import chainrule as torch
    >>> torch.argwhere(torch.tensor([0, 3]))
    tensor([[1]])
    """
    places: Tensor = nonzero(input)
    return places


# -- write ---------------------------------------------------------------------------------------------


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy with out[i][index[i][j]] = src[i][j] for dim 1, and so on; the reverse of `gather`.

    src:     a tensor, or a number for all places (also as `value=`).
    reduce:  "add" adds to what is there.
    Raises:  IndexingError for an index outside 0 to size - 1; DTypeError if src has another type.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3).scatter(1, torch.tensor([[1], [2]]), 1.0)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    source = src if value is None else value
    if source is None:
        raise ArgumentError.of("scatter", given="neither src nor value", must="what to write must be given")
    if reduce not in (None, "add"):
        raise ArgumentError.of("scatter", given=f"reduce={reduce!r}", must="it must be 'add' or None")
    d = _dim(input, dim, "scatter")
    index = _whole(index, "scatter")
    if not isinstance(source, TensorBase):
        kind = input._a.dtype
        source = wrap(np.full(index._a.shape, dtypes.number(source, kind, "scatter"), kind))
    _same_type(input, source, "scatter")
    return (sc.SCATTER if reduce is None else sc.SCATTER_ADD)(input, index, source, dim=d)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with src added at the places that `index` names; repeated places add up. See `scatter`.

    >>> import chainrule as torch
    >>> torch.zeros(3).scatter_add(0, torch.tensor([0, 0, 2]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    return scatter(input, dim, index, need_tensor(src, "scatter_add"), reduce="add")


def _slices(
    input: Tensor, dim: int, index: Tensor, source: Tensor, name: str, *, scalar: bool = False
) -> tuple[int, Tensor, Tensor]:
    """(axis, index as a vector, source checked against the slices that it stands for)."""
    d = _dim(input, dim, name)
    at = _vector(_whole(index, name), input, d, name)
    _same_type(input, source, name)
    have = input._a.shape
    wanted = (*have[:d], at._a.size, *have[d + 1 :]) if have else (at._a.size,)
    if source._a.shape != wanted and not (
        source._a.ndim == 0 and at._a.size == 1 and (not have or (scalar and len(have) == 1))
    ):
        raise IndexingError.of(
            name,
            given=f"a source {source._a.shape} and an index {at._a.shape} for axis {d} of a tensor {have}",
            must=f"the source must have shape {wanted}",
        )
    return d, at, vw.RESHAPE(source, shape=wanted)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy with alpha * source added to the slices that `index` names; repeated ones add up.

    Raises:  IndexingError for an index that is not there, or a source of another shape than the slices.

    >>> import chainrule as torch
    >>> torch.zeros(2).index_add(0, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    d, at, y = _slices(input, dim, index, source, "index_add")
    y = y if alpha == 1 else ar.MUL(y, alpha).to(input.dtype)
    return _put(input, y, (at,), (d,), accumulate=True)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with the slices that `index` names replaced by those of `source`. Raises as `index_add` does.

    >>> import chainrule as torch
    >>> torch.zeros(3).index_copy(0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    d, at, y = _slices(input, dim, index, source, "index_copy", scalar=True)
    return _put(input, y, (at,), (d,), accumulate=False)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with the slices that `index` names set to a number, or to a tensor with one.

    >>> import chainrule as torch
    >>> torch.zeros(3).index_fill(0, torch.tensor([2, 0]), 5)
    tensor([5., 0., 5.])
    """
    d = _dim(input, dim, "index_fill")
    at = _vector(_whole(index, "index_fill"), input, d, "index_fill", from_end=True)
    have = input._a.shape
    y = _one_value(value, input, "index_fill")
    return _put(
        input, vw.EXPAND(y, shape=(*have[:d], at._a.size, *have[d + 1 :])), (at,), (d,), accumulate=False
    )


def _one_value(value: Any, input: Tensor, name: str) -> Tensor:
    """A number or 0-d tensor as a 0-d tensor of the input's type."""
    if isinstance(value, TensorBase):
        if value._a.ndim:
            raise ShapeError.of(
                name,
                given=f"a value of shape {value._a.shape}",
                must="the value must be a number or a 0-d tensor",
            )
        given: Tensor = value.to(input.dtype)  # type: ignore[attr-defined]
        return given
    kind = input._a.dtype
    return wrap(np.asarray(dtypes.number(value, kind, name), kind))


def _put(
    input: Tensor, y: Tensor, indices: tuple[Tensor, ...], dims: tuple[int, ...], *, accumulate: bool
) -> Tensor:
    """`INDEX_PUT`; for a 0-d input through a vector with one element."""
    if input._a.ndim == 0:
        out = ix.INDEX_PUT(input.reshape(1), y.reshape(-1), *indices, dims=dims, accumulate=accumulate)
        return out.reshape(())
    if accumulate and input._a.dtype.kind == "b":  # true + true is true
        small = ix.INDEX_PUT(input.to(dtypes.int64), y.to(dtypes.int64), *indices, dims=dims, accumulate=True)
        return small.to(dtypes.bool_)
    return ix.INDEX_PUT(input, y, *indices, dims=dims, accumulate=accumulate)


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with input[indices] = values, or += values if `accumulate`; the values are broadcast.

    indices:  a tuple of index tensors or masks, one per axis from the first.
    Raises:   DTypeError if the values have another type than the input.

    >>> import chainrule as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 0]),), torch.tensor(1.0), accumulate=True)
    tensor([2., 0., 0.])
    """
    key = read_key(need_tensor(input, "index_put"), tuple(indices))
    if key.masked and need_tensor(values, "index_put")._a.size == 1:
        values = values.to(input.dtype)
    _same_type(input, values, "index_put")
    shape = ix.INDEX.shape(input._a.shape, *[a._a.shape for a in key.arrays], dims=key.dims)
    return _put(input, stretched(values, shape), tuple(key.arrays), key.dims, accumulate=accumulate)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`value` where the mask is true, the input elsewhere; the mask and the input are broadcast.

    value:   a number or a 0-d tensor, converted to the type of the input.
    Raises:  DTypeError if the mask is not bool; ArgumentError for a number that the type cannot hold.

    >>> import chainrule as torch
    >>> torch.masked_fill(torch.tensor([1.0, 2.0]), torch.tensor([True, False]), 0.0)
    tensor([0., 2.])
    """
    need_tensor(input, "masked_fill")
    _bool(mask, "masked_fill")
    return ar.WHERE(mask, _one_value(value, input, "masked_fill"), input)
