"""Other shapes for the same elements, joining, splitting, repeating, padding. Next: `indexing.py`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

from ..base import TensorBase
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, IndexingError, ShapeError
from ..core.shapes import (
    BroadcastMismatch,
    axis_index,
    axis_indices,
    broadcast_shapes,
    infer_reshape,
    sizes_from_args,
)
from ..eager import common_type, need_tensor
from ..ops import arithmetic as ar
from ..ops import index as ix
from ..ops import move as mv
from ..ops import views as vw

Tensor = Any


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in row-major order under another shape; one size may be -1.

    A view if the memory layout allows it, else a copy, as in PyTorch.
    Raises:  ShapeError if the number of elements would change.

    >>> import chainrule as torch
    >>> torch.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    have = need_tensor(input, "reshape")._a.shape
    return vw.RESHAPE(input, shape=infer_reshape(have, sizes_from_args(shape, "reshape"), "reshape"))


def view(input: Tensor, *shape: Any) -> Tensor:
    """Like `reshape`, but always a view: an error if the memory layout does not allow it.

    >>> import chainrule as torch
    >>> torch.zeros(4).view(2, 2).shape
    torch.Size([2, 2])
    """
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        raise ArgumentError.of(
            "view",
            given=f"{shape[0]}",
            must="reading the bytes as another type is not offered",
            hint=f"x.to({shape[0]})",
        )
    wanted = infer_reshape(input._a.shape, sizes_from_args(shape, "view"), "view")
    try:
        input._a.reshape(wanted, copy=False)
    except ValueError:
        raise ShapeError.of(
            "view",
            given=f"shape {wanted} for a tensor {input._a.shape} whose elements do not lie in that order in memory",
            must="a view needs a layout that the new shape can describe",
            hint="reshape(...), which copies if it must, or contiguous().view(...)",
        ) from None
    return vw.RESHAPE(input, shape=wanted)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """A view with the shape of `other`."""
    return view(input, other._a.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of `other`."""
    return reshape(input, other._a.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim merged into one.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = need_tensor(input, "flatten")._a.shape
    if not shape:
        return reshape(input, 1)
    first, last = (axis_index(d, len(shape), "flatten") for d in (start_dim, end_dim))
    if first > last:
        raise ArgumentError.of(
            "flatten", given=f"start_dim={start_dim}, end_dim={end_dim}", must="start must not come after end"
        )
    return (
        input
        if first == last
        else reshape(input, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))
    )


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis split into several; one of the sizes may be -1.

    >>> import chainrule as torch
    >>> torch.zeros(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    shape = input._a.shape
    d = axis_index(dim, len(shape), "unflatten")
    return reshape(
        input, (*shape[:d], *infer_reshape((shape[d],), tuple(sizes), "unflatten"), *shape[d + 1 :])
    )


def ravel(input: Tensor) -> Tensor:
    """All elements along one axis; a view where possible."""
    return reshape(input, -1)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order, as a view.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    rank = need_tensor(input, "permute")._a.ndim
    order = [axis_index(d, rank, "permute") for d in sizes_from_args(dims, "permute")]
    if sorted(order) != list(range(rank)):
        raise ArgumentError.of(
            "permute",
            given=f"dims={tuple(order)} for a tensor {input._a.shape}",
            must=f"each of its {rank} axes must be named once",
        )
    return vw.PERMUTE(input, dims=tuple(order))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged, as a view.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).transpose(1, 2).shape
    torch.Size([2, 4, 3])
    """
    rank = need_tensor(input, "transpose")._a.ndim
    a, b = axis_index(dim0, rank, "transpose"), axis_index(dim1, rank, "transpose")
    order = list(range(rank))
    if rank:
        order[a], order[b] = b, a
    return vw.PERMUTE(input, dims=tuple(order))


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or scalar as it is."""
    if input._a.ndim > 2:
        raise ShapeError.of(
            "t",
            given=f"a tensor {input._a.shape}",
            must="t() is for at most 2 axes",
            hint="x.mT or x.transpose(a, b)",
        )
    return vw.PERMUTE(input, dims=tuple(reversed(range(input._a.ndim))))


def reversed_axes(input: Tensor) -> Tensor:
    """`x.T`: the axes in reverse order, as a view."""
    return vw.PERMUTE(input, dims=tuple(range(input._a.ndim - 1, -1, -1)))


def matrix_transposed(input: Tensor) -> Tensor:
    """`x.mT`: the last two axes exchanged, as a view."""
    rank = input._a.ndim
    if rank < 2:
        raise ShapeError.of("mT", given=f"a tensor {input._a.shape}", must="it needs at least 2 axes")
    return vw.PERMUTE(input, dims=(*range(rank - 2), rank - 1, rank - 2))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Axes moved to other positions, the others kept in order, as a view.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    rank = input._a.ndim
    many = isinstance(source, tuple | list)
    src = [axis_index(d, rank, "movedim") for d in (source if many else (source,))]
    dst = [axis_index(d, rank, "movedim") for d in (destination if many else (destination,))]
    if len(src) != len(dst) or len(set(src)) != len(src) or len(set(dst)) != len(dst):
        raise ArgumentError.of(
            "movedim",
            given=f"source={source}, destination={destination}",
            must="each axis once, as many as places",
        )
    rest = [d for d in range(rank) if d not in src]
    place = dict(zip(dst, src, strict=True))
    it = iter(rest)
    return vw.PERMUTE(input, dims=tuple(place[d] if d in place else next(it) for d in range(rank)))


moveaxis = movedim


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Axes of size 1 repeated without copying; -1 keeps a size. A view.

    >>> import chainrule as torch
    >>> torch.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    shape = sizes_from_args(sizes, "expand")
    have = need_tensor(input, "expand")._a.shape
    extra = len(shape) - len(have)
    if extra >= 0:
        shape = tuple(have[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(shape))
    if any(n < 0 for n in shape):
        raise ShapeError.of(
            "expand",
            given=f"shape {shape} for a tensor {have}",
            must="-1 is only allowed for axes the tensor has",
        )
    return vw.EXPAND(input, shape=shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of `other`."""
    return vw.EXPAND(input, shape=other._a.shape)


broadcast_to = expand


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape."""
    try:
        shape = broadcast_shapes(*[x._a.shape for x in tensors])
    except BroadcastMismatch as err:
        raise err.to_error("broadcast_tensors") from None
    return tuple(vw.EXPAND(x, shape=shape) for x in tensors)


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the axes of size 1, or without those in `dim` that have size 1. A view.

    >>> import chainrule as torch
    >>> torch.zeros(1, 3, 1).squeeze(0).shape
    torch.Size([3, 1])
    """
    shape = need_tensor(input, "squeeze")._a.shape
    dims = axis_indices(dim, len(shape), "squeeze") if shape else ()
    return vw.RESHAPE(input, shape=tuple(n for d, n in enumerate(shape) if n != 1 or d not in dims))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new axis of size 1 at `dim`. A view.

    >>> import chainrule as torch
    >>> torch.zeros(3).unsqueeze(-1).shape
    torch.Size([3, 1])
    """
    shape = need_tensor(input, "unsqueeze")._a.shape
    d = axis_index(dim, len(shape) + 1, "unsqueeze")
    return vw.RESHAPE(input, shape=(*shape[:d], 1, *shape[d:]))


def atleast_1d(*tensors: Tensor) -> Any:
    """0-d tensors as vectors with one element; others as they are."""
    out = tuple(reshape(x, 1) if x._a.ndim == 0 else x for x in tensors)
    return out[0] if len(out) == 1 else out


def atleast_2d(*tensors: Tensor) -> Any:
    """With leading axes of size 1 up to two axes."""
    out = tuple(x if x._a.ndim >= 2 else reshape(x, (1, x.numel())) for x in tensors)
    return out[0] if len(out) == 1 else out


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """The `length` elements from `start` along one axis, as a view.

    >>> import chainrule as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = input._a.shape
    d = axis_index(dim, len(shape), "narrow")
    n = shape[d] if shape else 1
    begin = start + n if start < 0 else start
    if not 0 <= begin <= n or length < 0 or begin + length > n:
        raise IndexingError.of(
            "narrow",
            given=f"start={start}, length={length} for axis {d} of a tensor {shape}",
            must=f"the part must lie within [0, {n}]",
        )
    return vw.SLICE(input, key=(*[slice(None)] * d, slice(begin, begin + length)))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One element along an axis, which goes away. A view."""
    d = axis_index(dim, input._a.ndim, "select")
    return vw.SLICE(input, key=(*[slice(None)] * d, operator.index(index)))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along an axis, as views.

    >>> import chainrule as torch
    >>> torch.arange(4).reshape(2, 2).unbind()
    (tensor([0, 1]), tensor([2, 3]))
    """
    d = axis_index(dim, input._a.ndim, "unbind")
    return tuple(select(input, d, i) for i in range(input._a.shape[d]))


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a size (the last may be smaller), or of given sizes, as views.

    >>> import chainrule as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    d = axis_index(dim, input._a.ndim, "split")
    n = input._a.shape[d]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size <= 0 and not (size == 0 and n == 0):
            raise ArgumentError.of("split", given=f"a size of {size}", must="the size must be positive")
        sizes = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        sizes = list(split_size_or_sections)
        if sum(sizes) != n or any(k < 0 for k in sizes):
            raise ArgumentError.of(
                "split",
                given=f"sizes {sizes} for axis {d} of a tensor {input._a.shape}",
                must=f"the sizes must add up to {n}",
            )
    out, start = [], 0
    for k in sizes:
        out.append(narrow(input, d, start, k))
        start += k
    return tuple(out)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size (the last may be smaller), as views."""
    if chunks <= 0:
        raise ArgumentError.of("chunk", given=f"chunks={chunks}", must="the number of parts must be positive")
    d = axis_index(dim, input._a.ndim, "chunk")
    return split(input, max(1, -(-input._a.shape[d] // chunks)), d)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """As many parts as asked, their sizes differing by at most 1; or cut at the given indices. Views."""
    d = axis_index(dim, input._a.ndim, "tensor_split")
    n = input._a.shape[d]
    if isinstance(indices_or_sections, int):
        k, r = divmod(n, indices_or_sections)
        return split(input, [k + 1] * r + [k] * (indices_or_sections - r), d)
    cuts = [0, *indices_or_sections, n]
    return tuple(
        vw.SLICE(input, key=(*[slice(None)] * d, slice(a, b))) for a, b in zip(cuts, cuts[1:], strict=False)
    )


def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors joined along an axis they have; all other axes must be equal.

    >>> import chainrule as torch
    >>> torch.cat((torch.tensor([[1.0]]), torch.tensor([[2], [3]])), dim=0)
    tensor([[1.],
            [2.],
            [3.]])
    """
    xs = _list_of_tensors(tensors, "cat")
    dim = dim if axis is None else axis
    # An empty vector joins anything: PyTorch's oldest exception, and programs start loops with it.
    kept = [x for x in xs if x._a.shape != (0,)]
    if not kept or len(kept) == len(xs):
        kept = xs
    if kept[0]._a.ndim == 0:
        raise ShapeError.of(
            "cat", given="0-d tensors", must="tensors to be joined need an axis", hint="stack(tensors)"
        )
    common = common_type(tuple(xs))
    kept = [x if FROM_NUMPY[x._a.dtype] is common else x.to(common) for x in kept]
    return mv.CAT(*kept, dim=axis_index(dim, kept[0]._a.ndim, "cat"))


concat = concatenate = cat


def _list_of_tensors(tensors: Any, name: str) -> list[Tensor]:
    if isinstance(tensors, TensorBase):
        raise ArgumentError.of(
            name, given="a single Tensor", must="it joins a list or tuple of tensors", hint=f"{name}([x, y])"
        )
    xs = list(tensors)
    if not xs:
        raise ArgumentError.of(name, given="an empty list", must="there must be at least one tensor")
    for x in xs:
        need_tensor(x, name)
    return xs


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis.

    >>> import chainrule as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    xs = _list_of_tensors(tensors, "stack")
    first = xs[0]._a.shape
    for i, x in enumerate(xs):
        if x._a.shape != first:
            raise ShapeError.of(
                "stack",
                given=f"shapes {', '.join(str(y._a.shape) for y in xs)}",
                must=f"all shapes must be equal; tensor {i} has {x._a.shape}, tensor 0 has {first}",
                hint="cat, to join along an axis they have",
            )
    d = axis_index(dim, len(first) + 1, "stack")
    return cat([unsqueeze(x, d) for x in xs], d)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined row by row."""
    return cat([atleast_2d(x) for x in tensors], 0)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined column by column; vectors end to end."""
    xs = [atleast_1d(x) for x in tensors]
    return cat(xs, 0 if xs[0]._a.ndim == 1 else 1)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as the columns of a matrix; matrices side by side."""
    return cat([reshape(x, (x.numel(), 1)) if x._a.ndim < 2 else x for x in tensors], 1)


def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """The tensor repeated so many times along each axis, copied. New leading axes may be added.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = sizes_from_args(sizes, "repeat")
    shape = need_tensor(input, "repeat")._a.shape
    if len(times) < len(shape):
        raise ShapeError.of(
            "repeat",
            given=f"{len(times)} counts for a tensor {shape}",
            must="there must be a count for each axis",
            hint="tile, which fills in ones",
        )
    padded = (1,) * (len(times) - len(shape)) + shape
    interleaved = tuple(n for pair in zip((1,) * len(times), padded, strict=True) for n in pair)
    wide = tuple(n for pair in zip(times, padded, strict=True) for n in pair)
    out = vw.EXPAND(reshape(input, interleaved), shape=wide)
    return reshape(mv.COPY(out), tuple(k * n for k, n in zip(times, padded, strict=True)))


def tile(input: Tensor, *dims: Any) -> Tensor:
    """Like `repeat`; missing leading counts are 1.

    >>> import chainrule as torch
    >>> torch.tensor([[1], [2]]).tile(2)
    tensor([[1, 1],
            [2, 2]])
    """
    times = sizes_from_args(dims, "tile")
    return repeat(input, (1,) * (input._a.ndim - len(times)) + times)


def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each element repeated in place; `repeats` is a number or one per element.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if dim is None:
        input, dim = reshape(input, -1), 0
    d = axis_index(dim, input._a.ndim, "repeat_interleave")
    if isinstance(repeats, int):
        n = input._a.shape[d]
        wide = vw.EXPAND(
            unsqueeze(input, d + 1), shape=(*input._a.shape[: d + 1], repeats, *input._a.shape[d + 1 :])
        )
        return reshape(mv.COPY(wide), (*input._a.shape[:d], n * repeats, *input._a.shape[d + 1 :]))
    counts = repeats.tolist()
    index = [i for i, k in enumerate(counts) for _ in range(k)]
    return input.index_select(d, input.new_tensor(index, dtype=dtypes.int64))


def flip(input: Tensor, *dims: Any) -> Tensor:
    """Elements in reverse order along the given axes, copied.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).flip(0)
    tensor([3, 2, 1])
    """
    return mv.FLIP(
        input, dims=axis_indices(sizes_from_args(dims, "flip"), need_tensor(input, "flip")._a.ndim, "flip")
    )


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along axes, those that leave at the end coming in at the start.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).roll(1)
    tensor([3, 1, 2])
    """
    if dims is None:
        return reshape(roll(reshape(input, -1), shifts, 0), input._a.shape)
    pairs = zip(
        shifts if isinstance(shifts, tuple | list) else (shifts,),
        dims if isinstance(dims, tuple | list) else (dims,),
        strict=True,
    )
    out = input
    for shift, dim in pairs:
        d = axis_index(dim, input._a.ndim, "roll")
        n = input._a.shape[d]
        if n:
            k = shift % n
            out = cat([narrow(out, d, n - k, k), narrow(out, d, 0, n - k)], d)
    return out


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Constant values added around the edges: (before, after) of the last axis, then of the one before, ...

    Negative amounts cut. Only `mode="constant"` is offered.

    >>> import chainrule as torch
    >>> torch.nn.functional.pad(torch.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    """
    if mode != "constant":
        raise ArgumentError.of("pad", given=f"mode={mode!r}", must="the mode must be 'constant'")
    shape = need_tensor(input, "pad")._a.shape
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ArgumentError.of(
            "pad",
            given=f"pad={tuple(pad)} for a tensor {shape}",
            must="amounts come in pairs, at most one pair per axis, last axis first",
        )
    pairs = [(0, 0)] * (len(shape) - len(pad) // 2) + [
        (pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)
    ]
    out_shape = tuple(n + a + b for n, (a, b) in zip(shape, pairs, strict=True))
    if any(n < 0 for n in out_shape):
        raise ShapeError.of(
            "pad", given=f"pad={tuple(pad)} for a tensor {shape}", must="no axis may become negative"
        )
    kept = input[
        tuple(
            slice(max(0, -a), max(0, -a) + max(0, n + min(a, 0) + min(b, 0)))
            for n, (a, b) in zip(shape, pairs, strict=True)
        )
    ]
    target = tuple(slice(max(a, 0), max(a, 0) + n) for n, (a, _) in zip(kept._a.shape, pairs, strict=True))
    around = input.new_full(out_shape, 0 if value is None else value)
    return vw.OVERWRITE(around, kept, steps=((vw.SLICE, {"key": target}),)) if target else mv.COPY(input)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinate tensors of a grid; "ij": the first tensor varies along axis 0, "xy": along axis 1.

    >>> import chainrule as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([5, 6, 7]), indexing="ij")[0]
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    xs = list(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], TensorBase) else list(tensors)
    if indexing not in ("ij", "xy"):
        raise ArgumentError.of("meshgrid", given=f"indexing={indexing!r}", must="it must be 'ij' or 'xy'")
    swap = indexing == "xy" and len(xs) >= 2
    if swap:
        xs[0], xs[1] = xs[1], xs[0]
    shape = tuple(x.numel() for x in xs)
    out = [
        expand(reshape(x, tuple(-1 if i == k else 1 for i in range(len(xs)))), shape)
        for k, x in enumerate(xs)
    ]
    if swap:
        out = [transpose(x, 0, 1) for x in out]
        out[0], out[1] = out[1], out[0]
    return tuple(out)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two axes, as the last axis of the result (a copy).

    >>> import chainrule as torch
    >>> torch.arange(9).reshape(3, 3).diagonal()
    tensor([0, 4, 8])
    """
    rank = input._a.ndim
    a, b = axis_index(dim1, rank, "diagonal"), axis_index(dim2, rank, "diagonal")
    if a == b:
        raise ArgumentError.of("diagonal", given=f"dim1={dim1}, dim2={dim2}", must="the two axes must differ")
    x = movedim(input, (a, b), (0, 1))
    rows, columns = x._a.shape[:2]
    n = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    i = [k + max(0, -offset) for k in range(n)]
    j = [k + max(0, offset) for k in range(n)]
    return movedim(x[input.new_tensor(i, dtype=dtypes.int64), input.new_tensor(j, dtype=dtypes.int64)], 0, -1)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix with a vector on its diagonal.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).diag()
    tensor([[1, 0],
            [0, 2]])
    """
    if input._a.ndim == 2:
        return _diagonal(input, diagonal)
    if input._a.ndim != 1:
        raise ShapeError.of("diag", given=f"a tensor {input._a.shape}", must="it takes a vector or a matrix")
    return diag_embed(input, diagonal)


_diagonal = diagonal


def diag_embed(input: Tensor, offset: int = 0) -> Tensor:
    """Matrices with the last axis on their diagonal, zeros elsewhere."""
    n = input._a.shape[-1]
    size = n + (offset if offset >= 0 else -offset)
    i = input.new_tensor([k + max(0, -offset) for k in range(n)], dtype=dtypes.int64)
    j = input.new_tensor([k + max(0, offset) for k in range(n)], dtype=dtypes.int64)
    rank = input._a.ndim - 1
    zeros = input.new_zeros((*input._a.shape[:-1], size, size))
    return ix.INDEX_PUT(zeros, input, i, j, dims=(rank, rank + 1), accumulate=False)


def trace(input: Tensor) -> Tensor:
    """Sum of the diagonal of a matrix.

    >>> import chainrule as torch
    >>> torch.eye(3).trace()
    tensor(3.)
    """
    if input._a.ndim != 2:
        raise ShapeError.of("trace", given=f"a tensor {input._a.shape}", must="it takes a matrix")
    return diagonal(input).sum()


def _triangle(input: Tensor, diagonal: int, lower: bool) -> Tensor:
    if input._a.ndim < 2:
        raise ShapeError.of(
            "tril or triu", given=f"a tensor {input._a.shape}", must="it needs at least 2 axes"
        )
    rows, columns = input._a.shape[-2:]
    i = input.new_tensor(range(rows), dtype=dtypes.int64).reshape(rows, 1)
    j = input.new_tensor(range(columns), dtype=dtypes.int64)
    inside = j - i <= diagonal if lower else j - i >= diagonal
    return ar.WHERE(inside, input, input.new_zeros(()))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle up to a diagonal; zeros above.

    >>> import chainrule as torch
    >>> torch.ones(2, 2).tril()
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle(input, diagonal, lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle from a diagonal; zeros below.

    >>> import chainrule as torch
    >>> torch.ones(2, 2).triu(1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    return _triangle(input, diagonal, lower=False)


def clone(input: Tensor) -> Tensor:
    """A copy with memory of its own; gradients flow through."""
    return mv.COPY(need_tensor(input, "clone"))
