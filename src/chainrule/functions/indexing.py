"""`x[...]` and `x[...] = y`: reading a key, and what it leads to. Next: `selection.py`.

A key is read as PyTorch reads it: integers, slices, None and Ellipsis first, as a view; then index arrays
(tensors, arrays and lists of integers; a boolean mask stands for the indices of its true elements).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import inplace
from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from ..core.shapes import broadcasts_to
from ..ops import index as ix
from ..ops import views as vw
from ..ops.primitive import interpreter
from .options import values_known, values_of

if TYPE_CHECKING:
    from ..tensor import Tensor

_NUMBERS = (int, float, bool, np.number, np.bool_)
_LONGEST_TUPLE = 32  # PyTorch reads longer lists as indices without looking at what they hold


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for integers, slices, None and Ellipsis; a copy with index arrays.

    Raises:  IndexingError for an index that is not there, or of a kind or type that cannot be one.

    >>> import chainrule as torch
    >>> x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[1, ::2], x[:, [0, 0]], x[x > 4]
    (tensor([4, 6]), tensor([[1, 1],
            [4, 4]]), tensor([5, 6]))
    """
    kind = type(index)
    if kind is int:
        return vw.SLICE(input, key=(index,))
    if kind is slice:
        return vw.SLICE(input, key=(vw.plain_slice(index),))
    if isinstance(index, TensorBase) and index._a.ndim and index._a.dtype == np.int64 and input._a.ndim:
        return ix.INDEX(input, index, dims=(0,))
    key = read_key(input, index)
    out = vw.SLICE(input, key=key.plain) if key.plain or not key.dims else input
    return _picked(out, key.arrays, key.dims) if key.dims else out


def _picked(x: Tensor, arrays: list[Tensor], dims: tuple[int, ...]) -> Tensor:
    alone = _number_among(arrays)
    if alone is None:
        return ix.INDEX(x, *arrays, dims=dims)
    return _picked(ix.INDEX(x, arrays[alone], dims=(dims[alone],)), *_without(alone, arrays, dims))


def _number_among(arrays: list[Tensor]) -> int | None:
    """The first 0-d index among arrays with axes, which must be applied before them.

    It is the number of an element, known only for each row of vmap by itself; where other index arrays leave
    their result does not depend on it, as it does not on integers.
    """
    ranks = [a._a.ndim for a in arrays]
    return ranks.index(0) if 0 in ranks and any(ranks) else None


def _without(i: int, arrays: list[Tensor], dims: tuple[int, ...]) -> tuple[list[Tensor], tuple[int, ...]]:
    """Index arrays and their axes when the i-th has been applied."""
    left = [d - (d > dims[i]) for k, d in enumerate(dims) if k != i]
    return [a for k, a in enumerate(arrays) if k != i], tuple(left)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """`input[index] = value`: written into the same memory; the value is broadcast.

    A number, or what is written by integers and slices, is converted to the type of the input; a tensor that
    is written through index arrays must have it.

    >>> import chainrule as torch
    >>> x = torch.zeros(2, 3)
    >>> x[0, 1:] = torch.tensor([1, 2])
    >>> x[x == 0] = -1
    >>> x
    tensor([[-1.,  1.,  2.],
            [-1., -1., -1.]])
    """
    if not isinstance(value, (TensorBase, *_NUMBERS)):
        raise ArgumentError.of(
            "x[...] = y",
            given=f"a {type(value).__name__} for y",
            must="what is written must be a tensor or a number",
            hint="x[...] = torch.tensor(y)",
        )
    if type(index) is bool:  # alone, all or nothing; in a longer key it is a mask
        if index:
            inplace.copy_(input, _lean(value, input._a.ndim) if isinstance(value, TensorBase) else value)
        return
    key = read_key(input, index)
    target = vw.SLICE(input, key=key.plain) if key.plain else input
    if not key.dims:
        rank = target._a.ndim
        wide = isinstance(value, TensorBase) and value._a.ndim > rank
        inplace.copy_(target, _lean(value, rank) if wide else value)
        return
    _put(target, key.arrays, key.dims, value, key.masked)


def _put(target: Tensor, arrays: list[Tensor], dims: tuple[int, ...], value: Any, masked: bool) -> None:
    """Write through index arrays."""
    alone = _number_among(arrays)
    if alone is not None:  # the part that it names, changed, is written back
        part = ix.INDEX(target, arrays[alone], dims=(dims[alone],))
        _put(part, *_without(alone, arrays, dims), value, masked)
        arrays, dims, value = [arrays[alone]], (dims[alone],), part
    shape = ix.INDEX.shape(target._a.shape, *[a._a.shape for a in arrays], dims=dims)
    kind = target._a.dtype
    if not isinstance(value, TensorBase):
        value = wrap(np.asarray(dtypes.number(value, kind, "x[...] = y"), kind))
    elif value._a.dtype != kind:
        if not (masked and value._a.size == 1):
            raise DTypeError.of(
                "x[indices] = y",
                given=f"y of type {value.dtype} for x of type {target.dtype}",  # type: ignore[attr-defined]
                must="the types must be equal where index arrays say what is written",
                hint=f"y.to({target.dtype})",
            )
        value = value.to(target.dtype)  # type: ignore[attr-defined]
    settings = {"dims": dims, "accumulate": False}
    inplace.apply(ix.INDEX_PUT, target, (stretched(value, shape), *arrays), settings)


def stretched(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`value` broadcast to the place it is written to; more leading axes of size 1 are allowed.

    >>> import chainrule as torch
    >>> stretched(torch.ones(1, 1, 2), (3, 2)).shape
    torch.Size([3, 2])
    """
    if value._a.shape == shape:
        return value
    lean = _lean(value, len(shape))
    if not broadcasts_to(lean._a.shape, shape):
        raise ShapeError.of(
            "x[indices] = y",
            given=f"y {value._a.shape} for a place of shape {shape}",
            must="read from the right, each axis of y must have the same size or size 1",
        )
    return vw.EXPAND(lean, shape=shape)


def _lean(value: Any, rank: int) -> Tensor:
    """Without the leading axes of size 1 that a place of this rank does not have."""
    shape = value._a.shape
    while len(shape) > rank and shape[0] == 1:
        shape = shape[1:]
    lean: Tensor = value if shape == value._a.shape else vw.RESHAPE(value, shape=shape)
    return lean


class Key(NamedTuple):
    """A key that was read.

    plain:  integers, slices and None, a view that comes first; empty if it would change nothing.
    arrays: index arrays, and in `dims` the axes of the view that they index.
    masked: whether all of them came from masks with axes.
    """

    plain: vw.Key
    arrays: list[Tensor]
    dims: tuple[int, ...]
    masked: bool


def read_key(input: Tensor, index: Any) -> Key:
    """Take a key apart into what is a view and what needs index arrays."""
    shape = input._a.shape
    given = index if isinstance(index, tuple) or _is_tuple(index) else (index,)
    items = vw.expand_key(tuple(_item(item) for item in given), len(shape), shape, _axes_taken)
    plain: list[Any] = []
    arrays: list[Tensor] = []
    dims: list[int] = []
    found: list[Any]
    axis = out_axis = 0  # of the input; of the view that the plain part makes
    changes, masked = False, True
    for item in items:
        if isinstance(item, TensorBase):
            a = item._a
            if a.dtype.kind != "b":
                found = [item]
                plain.append(slice(None))
                axis += 1
                masked = False
            else:
                _check_mask(a.shape, shape, axis)
                found = [wrap(places) for places in (a if a.ndim else a.reshape(1)).nonzero()]
                masked = masked and a.ndim > 0
                # A 0-d mask indexes an axis of size 1 that is put in front of the next.
                plain.extend([slice(None)] * a.ndim if a.ndim else [None])
                changes = changes or a.ndim == 0
                axis += a.ndim
            arrays.extend(found)
            dims.extend(range(out_axis, out_axis + len(found)))
            out_axis += len(found)
            continue
        plain.append(item)
        changes = changes or item != slice(None)
        axis += item is not None
        out_axis += item is None or isinstance(item, slice)
    if not changes and dims:
        plain = []
    return Key(tuple(plain), arrays, tuple(dims), masked)


def _is_tuple(index: Any) -> bool:
    """Whether a list stands for a tuple, as it does in PyTorch if it holds more than numbers."""
    return (
        isinstance(index, list)
        and len(index) < _LONGEST_TUPLE
        and any(
            item is None
            or item is Ellipsis
            or isinstance(item, TensorBase | slice | list | tuple | np.ndarray)
            for item in index
        )
    )


def _axes_taken(item: Any) -> int:
    return item._a.ndim if isinstance(item, TensorBase) and item._a.dtype.kind == "b" else 1


def _item(item: Any) -> Any:
    """One entry of a key: None, Ellipsis, an int, a slice, or a tensor of int64 or bool."""
    if item is None or item is Ellipsis or type(item) is int:
        return item
    if isinstance(item, slice):
        return vw.plain_slice(item)
    if isinstance(item, bool | np.bool_):
        return wrap(np.asarray(item))
    if isinstance(item, TensorBase):
        return _index_tensor(item)  # type: ignore[arg-type]
    if isinstance(item, list | tuple | range | np.ndarray):
        a = np.asarray(_numbers(item))
        if a.size == 0 and not isinstance(item, np.ndarray):
            a = a.astype(np.int64)
        if a.dtype.kind not in "iub":
            raise _bad_index(f"an index of type {a.dtype}")
        if a.ndim == 0 and a.dtype.kind != "b":
            return int(a)
        return wrap(a if a.dtype.kind == "b" else a.astype(np.int64, copy=False))
    if isinstance(item, str | bytes):
        raise ArgumentError.of("x[...]", given=f"the text {item!r}", must="a tensor has no named parts")
    try:
        return operator.index(item)
    except TypeError:
        raise _bad_index(f"an index of type {type(item).__name__}") from None


def _numbers(item: Any) -> Any:
    """A list without tensors in it."""
    if isinstance(item, TensorBase):
        return values_of(item, "x[index]").tolist()
    return [_numbers(x) for x in item] if isinstance(item, list | tuple) else item


def _index_tensor(item: Tensor) -> Any:
    a = item._a
    if not values_known(item) and (a.dtype.kind == "b" or a.dtype == np.uint8 or a.ndim == 0):
        if a.dtype.kind == "i" and item._stack() is not None:
            return item  # an index of its own for each row
        interpreter.trace.refuse_reading(item, "x[mask]" if a.dtype.kind == "b" else "x[index]")
    if a.dtype.kind == "b":
        return item
    if a.dtype == np.uint8:  # a mask, from the time before PyTorch had bool
        return wrap(a != 0)
    if a.ndim == 0 and a.dtype.kind == "i":
        return int(a)
    if a.dtype not in (np.int64, np.int32):
        raise _bad_index(f"an index tensor of type {FROM_NUMPY[a.dtype].name}")
    return item


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
