"""`x[...]`, `x[...] = y`, gather, scatter and selection by index or mask. Next: `ordering.py`.

A key is read as PyTorch reads it: integers, slices, None and Ellipsis first, as a view; then index arrays
(tensors, arrays and lists of integers; a boolean mask stands for the indices of its true elements).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import inplace
from ..base import TensorBase, wrap
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import arithmetic as ar
from ..ops import index as ix
from ..ops import scatter as sc
from ..ops import views as vw

Tensor = Any


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for integers, slices, None and Ellipsis; a copy with index arrays."""
    kind = type(index)
    if kind is int:
        return vw.SLICE(input, key=(index,))
    if kind is slice:
        return vw.SLICE(input, key=(vw.plain_slice(index),))
    if isinstance(index, TensorBase) and index._a.ndim and index._a.dtype.kind == "i" and input._a.ndim:
        return ix.INDEX(input, index, dims=(0,))
    plain, arrays, dims = read_key(input, index)
    out = vw.SLICE(input, key=plain) if plain else input
    if dims:
        return ix.INDEX(out, *arrays, dims=tuple(dims))
    return out if plain else vw.SLICE(input, key=(Ellipsis,))


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """`input[index] = value`: written into the same memory; the value is broadcast and converted."""
    if not isinstance(value, TensorBase | int | float | bool | np.number):
        value = input.new_tensor(value)
    plain, arrays, dims = read_key(input, index)
    target = vw.SLICE(input, key=plain) if plain else input
    if not dims:
        inplace.copy_(target, value)
        return
    shape = ix.INDEX.shape(target._a.shape, *[a._a.shape for a in arrays], dims=tuple(dims))
    if not isinstance(value, TensorBase):
        value = wrap(np.asarray(value, input._a.dtype))
    if FROM_NUMPY[value._a.dtype] is not FROM_NUMPY[input._a.dtype]:
        value = value.to(input.dtype)  # type: ignore[attr-defined]
    value = _squeezed(value, len(shape))
    if value._a.shape != shape:
        value = vw.EXPAND(value, shape=shape)
    inplace.apply(ix.INDEX_PUT, target, (value, *arrays), {"dims": tuple(dims), "accumulate": False})


def _squeezed(value: Tensor, rank: int) -> Tensor:
    """Without leading axes of size 1 that the place does not have, as PyTorch allows."""
    shape = value._a.shape
    while len(shape) > rank and shape[0] == 1:
        shape = shape[1:]
    return value if shape == value._a.shape else vw.RESHAPE(value, shape=shape)


def read_key(input: Tensor, index: Any) -> tuple[vw.Key, list[Tensor], list[int]]:
    """(key of the plain part, index arrays, axes of the plain part's result that they index)."""
    items = list(index) if isinstance(index, tuple) else [index]
    items = [_item(item, input) for item in items]
    shape = input._a.shape
    items = list(vw.expand_key(tuple(items), len(shape), shape, _axes_taken))
    plain: list[Any] = []
    arrays: list[Tensor] = []
    dims: list[int] = []
    axis = out_axis = 0
    is_plain_needed = False
    for item in items:
        if isinstance(item, TensorBase):
            if item._a.dtype.kind == "b":
                mask = item._a
                _check_mask(mask.shape, shape, axis)
                if mask.ndim == 0:  # a 0-d mask adds an axis of size 1 or 0 in front
                    plain.append(None)
                    is_plain_needed = True
                    arrays.append(wrap(np.flatnonzero(mask.reshape(1))))
                    dims.append(out_axis)
                    out_axis += 1
                    continue
                for found in mask.nonzero():
                    plain.append(slice(None))
                    arrays.append(wrap(found))
                    dims.append(out_axis)
                    out_axis += 1
                axis += mask.ndim
            else:
                plain.append(slice(None))
                arrays.append(item)
                dims.append(out_axis)
                axis += 1
                out_axis += 1
            continue
        plain.append(item)
        is_plain_needed = is_plain_needed or item != slice(None)
        if item is None:
            out_axis += 1
        elif isinstance(item, slice):
            axis += 1
            out_axis += 1
        else:
            axis += 1
    if not is_plain_needed and dims:
        return (), arrays, dims
    return tuple(plain), arrays, dims


def _axes_taken(item: Any) -> int:
    return item._a.ndim if isinstance(item, TensorBase) and item._a.dtype.kind == "b" else 1


def _item(item: Any, input: Tensor) -> Any:
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        return vw.plain_slice(item)
    if isinstance(item, bool | np.bool_):
        return wrap(np.asarray(item))
    if isinstance(item, int):
        return item
    if isinstance(item, TensorBase):
        kind = item._a.dtype.kind
        if kind == "f":
            raise _bad_index(f"an index tensor of type {FROM_NUMPY[item._a.dtype].name}")
        if item._a.ndim == 0 and kind in "iu":
            return int(item._a)
        return item
    if isinstance(item, list | tuple | range | np.ndarray):
        a = np.asarray(item)
        if a.size == 0:
            a = a.astype(np.int64)
        if a.dtype.kind not in "iub":
            raise _bad_index(f"an index of type {a.dtype}")
        return wrap(a if a.dtype.kind == "b" else a.astype(np.int64))
    try:
        return operator.index(item)
    except TypeError:
        raise _bad_index(f"an index of type {type(item).__name__}") from None


def _bad_index(given: str) -> IndexingError:
    return IndexingError.of(
        "x[...]",
        given=given,
        must="indices are integers, slices, None, ..., or tensors, arrays and lists of integers or bools",
        hint="index.long()" if "tensor" in given else "",
    )


def _check_mask(mask: tuple[int, ...], shape: tuple[int, ...], axis: int) -> None:
    if mask != shape[axis : axis + len(mask)]:
        raise IndexingError.of(
            "x[mask]",
            given=f"a mask {mask} for the axes {shape[axis : axis + len(mask)]} of a tensor {shape}",
            must="a mask must have the sizes of the axes it selects from",
        )


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, input[i][index[i][j]] for dim 1, and so on.

    Shapes:  index has as many axes as the input; the result has the shape of index.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).gather(1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    return sc.GATHER(
        input, _whole(index, "gather"), dim=axis_index(dim, need_tensor(input, "gather")._a.ndim, "gather")
    )


def _whole(index: Tensor, name: str) -> Tensor:
    if need_tensor(index, name)._a.dtype.kind not in "iu":
        raise DTypeError.of(
            name, given=f"an index of type {index.dtype}", must="the index must be int64", hint="index.long()"
        )
    return index


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements at `indices` along an axis, as `argsort` and `argmax` give them."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    return gather(input, dim, indices)


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy with out[i][index[i][j]] = src[i][j] for dim 1, and so on; the reverse of `gather`.

    src:     a tensor, or a number for all places (also as `value=`).
    reduce:  "add" adds to what is there.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3).scatter(1, torch.tensor([[1], [2]]), 1.0)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    source = src if value is None else value
    if source is None:
        raise ArgumentError.of("scatter", given="neither src nor value", must="what to write must be given")
    d = axis_index(dim, need_tensor(input, "scatter")._a.ndim, "scatter")
    index = _whole(index, "scatter")
    if not isinstance(source, TensorBase):
        source = input.new_full(index._a.shape, source)
    if source._a.dtype != input._a.dtype:
        raise DTypeError.of(
            "scatter",
            given=f"{input.dtype} and a source of type {source.dtype}",
            must="the types must be equal",
            hint="src.to(x.dtype)",
        )
    if reduce == "add":
        return sc.SCATTER_ADD(input, index, source, dim=d)
    if reduce is not None:
        raise ArgumentError.of("scatter", given=f"reduce={reduce!r}", must="it must be 'add' or None")
    return sc.SCATTER(input, index, source, dim=d)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with src added at the places that `index` names; repeated places add up.

    >>> import chainrule as torch
    >>> torch.zeros(3).scatter_add(0, torch.tensor([0, 0, 2]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    return scatter(input, dim, index, src, reduce="add")


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices along an axis, in the order of `index`, copied.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).index_select(0, torch.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    d = axis_index(dim, need_tensor(input, "index_select")._a.ndim, "index_select")
    index = _whole(index, "index_select")
    if index._a.ndim > 1:
        raise ShapeError.of(
            "index_select", given=f"an index {index._a.shape}", must="the index must be a vector"
        )
    if input._a.ndim == 0:
        return input.clone()
    return ix.INDEX(input, index if index._a.ndim else index.reshape(1), dims=(d,))


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened input."""
    return ix.INDEX(input.reshape(-1), _whole(index, "take"), dims=(0,))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask is true, as a vector; both are broadcast.

    >>> import chainrule as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    shape = np.broadcast_shapes(input._a.shape, mask._a.shape)
    return getitem(vw.EXPAND(input, shape=shape), vw.EXPAND(mask, shape=shape))


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy with alpha * source added to the slices that `index` names; repeated ones add up.

    >>> import chainrule as torch
    >>> torch.zeros(2).index_add(0, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    d = axis_index(dim, input._a.ndim, "index_add")
    y = source if alpha == 1 else ar.MUL(source, alpha)
    return ix.INDEX_PUT(input, y, _whole(index, "index_add"), dims=(d,), accumulate=True)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with the slices that `index` names replaced by those of `source`."""
    d = axis_index(dim, input._a.ndim, "index_copy")
    return ix.INDEX_PUT(input, source, _whole(index, "index_copy"), dims=(d,), accumulate=False)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with the slices that `index` names set to a number."""
    d = axis_index(dim, input._a.ndim, "index_fill")
    shape = tuple(index.numel() if i == d else n for i, n in enumerate(input._a.shape))
    return ix.INDEX_PUT(
        input, input.new_full(shape, value), _whole(index, "index_fill"), dims=(d,), accumulate=False
    )


def index_put(input: Tensor, indices: tuple[Tensor, ...], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with input[indices] = values, or += values if `accumulate`."""
    target = input.clone()
    plain, arrays, dims = read_key(target, tuple(indices))
    shape = ix.INDEX.shape(target._a.shape, *[a._a.shape for a in arrays], dims=tuple(dims))
    value = values if values._a.shape == shape else vw.EXPAND(values, shape=shape)
    return ix.INDEX_PUT(target, value, *arrays, dims=tuple(dims), accumulate=accumulate)


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Indices of the elements that are not 0: one row each, or one tensor per axis if `as_tuple`.

    >>> import chainrule as torch
    >>> torch.nonzero(torch.tensor([0, 3, 0, 4]))
    tensor([[1],
            [3]])
    """
    a = need_tensor(input, "nonzero")._a
    if as_tuple:
        return tuple(wrap(found) for found in np.atleast_1d(a).nonzero())
    return wrap(np.argwhere(a).astype(np.int64, copy=False))


argwhere = nonzero
