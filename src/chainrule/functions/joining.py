"""Tensors joined, repeated, turned around, padded, and with a triangle cut off. All are copies.

Next: `indexing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import TensorBase, wrap
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..core.shapes import axis_index, named_axes, real_axis, sizes_from_args
from ..eager import common_type, need_tensor
from ..ops import arithmetic as ar
from ..ops import move as mv
from ..ops import views as vw
from .options import values_of
from .parts import narrow
from .shaping import atleast_1d, atleast_2d, expand, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def _tensors(tensors: Any, name: str) -> list[Tensor]:
    if isinstance(tensors, TensorBase) or not isinstance(tensors, Sequence):
        raise ArgumentError.of(
            name,
            given=f"a single {type(tensors).__name__}",
            must="it joins a list or tuple of tensors",
            hint=f"{name}([x, y])",
        )
    if not tensors:
        raise ArgumentError.of(name, given="an empty list", must="there must be at least one tensor")
    return [need_tensor(x, name) for x in tensors]


def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors joined along an axis they have; all other axes must be equal. A copy.

    Types:   the common type of all, by promotion.
    Raises:  ShapeError naming the tensor whose shape does not fit.

    >>> import chainrule as torch
    >>> torch.cat((torch.tensor([[1.0]]), torch.tensor([[2], [3]])), dim=0)
    tensor([[1.],
            [2.],
            [3.]])
    """
    xs = _tensors(tensors, "cat")
    dim = dim if axis is None else axis
    shape = next((x._a.shape for x in xs if x._a.shape != (0,)), (0,))
    if not shape:
        raise ShapeError.of(
            "cat", given="0-d tensors", must="tensors to be joined need an axis", hint="stack(tensors)"
        )
    d = axis_index(dim, len(shape), "cat")
    if len(shape) != 1:
        # An empty vector joins anything: PyTorch's oldest exception, and programs start loops with it.
        none = (*shape[:d], 0, *shape[d + 1 :])
        xs = [vw.RESHAPE(x, shape=none) if x._a.shape == (0,) else x for x in xs]
    common = common_type(tuple(xs))
    return mv.CAT(*[x if FROM_NUMPY[x._a.dtype] is common else x.to(common) for x in xs], dim=d)


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis. A copy.

    Shapes:  n tensors (a, b) with dim=1 -> (a, n, b).
    Raises:  ShapeError if the shapes differ.

    >>> import chainrule as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    xs = _tensors(tensors, "stack")
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
    """Joined row by row; a vector counts as a row.

    >>> import chainrule as torch
    >>> torch.vstack([torch.tensor([1, 2]), torch.tensor([[3, 4], [5, 6]])])
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    """
    return cat([atleast_2d(x) for x in _tensors(tensors, "vstack")], 0)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined column by column; vectors end to end.

    >>> import chainrule as torch
    >>> torch.hstack([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    xs = [atleast_1d(x) for x in _tensors(tensors, "hstack")]
    return cat(xs, 0 if xs[0]._a.ndim == 1 else 1)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as the columns of a matrix; matrices side by side.

    >>> import chainrule as torch
    >>> torch.column_stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    xs = _tensors(tensors, "column_stack")
    return cat([reshape(x, (x._a.size, 1)) if x._a.ndim < 2 else x for x in xs], 1)


# -- repeated ------------------------------------------------------------------------------------------


def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """The whole tensor repeated so many times along each axis. New leading axes may be added. A copy.

    Raises:  ShapeError for fewer counts than axes, or a negative count.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = sizes_from_args(sizes, "repeat")
    shape = need_tensor(input, "repeat")._a.shape
    if len(times) < len(shape) or any(k < 0 for k in times):
        raise ShapeError.of(
            "repeat",
            given=f"counts {times} for a tensor {shape}",
            must="there must be a count for each axis, and none may be negative",
            hint="tile, which fills in ones" if len(times) < len(shape) else "",
        )
    padded = (1,) * (len(times) - len(shape)) + shape
    thin = tuple(n for size in padded for n in (1, size))  # (1, a, 1, b)
    wide = tuple(n for pair in zip(times, padded, strict=True) for n in pair)  # (k, a, m, b)
    out = mv.COPY(vw.EXPAND(reshape(input, thin), shape=wide))
    return reshape(out, tuple(k * n for k, n in zip(times, padded, strict=True)))  # (k * a, m * b)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """Like `repeat`; missing leading counts are 1. A copy.

    >>> import chainrule as torch
    >>> torch.tensor([[1], [2]]).tile(2)
    tensor([[1, 1],
            [2, 2]])
    """
    times = sizes_from_args(dims, "tile")
    return repeat(input, (1,) * (need_tensor(input, "tile")._a.ndim - len(times)) + times)


def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each element repeated in place; `repeats` is one count for all, or a tensor with one per element.

    Without `dim` the elements are taken from the flattened input.
    Raises:  ShapeError unless there is a count for each element; DTypeError for counts that are no integers.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    need_tensor(input, "repeat_interleave")
    if dim is None:
        input, dim = reshape(input, -1), 0
    d = axis_index(dim, input._a.ndim, "repeat_interleave")
    counts = (
        values_of(repeats, "repeat_interleave") if isinstance(repeats, TensorBase) else np.asarray(repeats)
    )
    if counts.dtype.kind not in "iu":
        raise DTypeError.of(
            "repeat_interleave",
            given=f"counts of type {FROM_NUMPY.get(counts.dtype, counts.dtype)}",
            must="counts must be integers",
        )
    n = input._a.shape[d]
    if counts.ndim > 1 or counts.size not in (1, n) or (counts.size and counts.min() < 0):
        raise ShapeError.of(
            "repeat_interleave",
            given=f"counts {counts.tolist()} for axis {d} of a tensor {input._a.shape}",
            must=f"there must be one count, or one for each of the {n} elements, and none may be negative",
        )
    index = np.repeat(np.arange(n), np.broadcast_to(counts.reshape(-1), (n,)))
    return input.index_select(d, wrap(index))


# -- turned around -------------------------------------------------------------------------------------


def flip(input: Tensor, *dims: Any) -> Tensor:
    """Elements in reverse order along the given axes. A copy.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).flip(0)
    tensor([3, 2, 1])
    """
    rank = need_tensor(input, "flip")._a.ndim
    return mv.FLIP(input, dims=named_axes(sizes_from_args(dims, "flip"), rank, "flip"))


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order.

    Raises:  ShapeError for fewer than 2 axes.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).fliplr()
    tensor([[2, 1],
            [4, 3]])
    """
    return _reversed(input, 1, "fliplr")


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order.

    Raises:  ShapeError for a 0-d tensor.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).flipud()
    tensor([[3, 4],
            [1, 2]])
    """
    return _reversed(input, 0, "flipud")


def _reversed(input: Tensor, d: int, name: str) -> Tensor:
    if need_tensor(input, name)._a.ndim <= d:
        raise ShapeError.of(
            name,
            given=f"a tensor {input._a.shape}",
            must=f"it needs at least {d + 1} {'axes' if d else 'axis'}",
        )
    return mv.FLIP(input, dims=(d,))


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along axes, those that leave at the end coming in at the start. A copy.

    Without `dims`: along the flattened tensor.
    Raises:  ArgumentError unless there is a shift for each axis.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).roll(1)
    tensor([3, 1, 2])
    """
    steps = shifts if isinstance(shifts, tuple | list) else (shifts,)
    axes = () if dims is None else dims if isinstance(dims, tuple | list) else (dims,)
    shape = need_tensor(input, "roll")._a.shape
    if not axes and len(steps) == 1:
        return reshape(roll(reshape(input, -1), steps, 0), shape)
    if len(steps) != len(axes) or not steps:
        raise ArgumentError.of(
            "roll", given=f"shifts={shifts}, dims={dims}", must="there must be a shift for each axis"
        )
    out = input
    for shift, dim in zip(steps, axes, strict=True):
        d = real_axis(dim, len(shape), "roll")
        n = shape[d]
        k = shift % n if n else 0
        out = cat([narrow(out, d, n - k, k), narrow(out, d, 0, n - k)], d)
    return out


# -- around the edges ----------------------------------------------------------------------------------


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Constant values added around the edges: (before, after) of the last axis, then of the one before, ...

    Negative amounts cut. `value` is 0 unless given. Only `mode="constant"` is offered.
    Raises:  ArgumentError for amounts that are not in pairs; ShapeError if an axis would get a negative size.

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
    before = len(shape) - len(pad) // 2
    pairs = [(0, 0)] * before + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    padded = tuple(n + a + b for n, (a, b) in zip(shape, pairs, strict=True))
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(shape, pairs, strict=True)):
        raise ShapeError.of(
            "pad", given=f"pad={tuple(pad)} for a tensor {shape}", must="no axis may become negative"
        )
    if not shape:
        return mv.COPY(input)
    # What negative amounts leave of the input, and where that part lies in the result.
    kept = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(shape, pairs, strict=True))
    place = tuple(slice(max(0, a), n - max(0, b)) for n, (a, b) in zip(padded, pairs, strict=True))
    around = input.new_full(padded, 0 if value is None else value)
    return vw.OVERWRITE(around, vw.SLICE(input, key=kept), steps=((vw.SLICE, {"key": place}),))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate tensors of a grid: the k-th varies along axis k. Views.

    indexing:  "ij", the default, or "xy": the first two axes exchanged.
    Shapes:    vectors of n and m elements -> two tensors (n, m); (m, n) for "xy".
    Raises:    ShapeError for other than vectors and 0-d tensors.

    >>> import chainrule as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([5, 6, 7]), indexing="ij")[0]
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    listed = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    xs = [need_tensor(x, "meshgrid") for x in listed]
    if indexing not in (None, "ij", "xy"):
        raise ArgumentError.of("meshgrid", given=f"indexing={indexing!r}", must="it must be 'ij' or 'xy'")
    if any(x._a.ndim > 1 for x in xs):
        raise ShapeError.of(
            "meshgrid",
            given=f"shapes {', '.join(str(x._a.shape) for x in xs)}",
            must="each coordinate must be a vector or a 0-d tensor",
        )
    shape = tuple(x._a.size for x in xs)
    out = [expand(reshape(x, [-1 if i == k else 1 for i in range(len(xs))]), shape) for k, x in enumerate(xs)]
    if indexing == "xy" and len(xs) >= 2:
        out = [transpose(x, 0, 1) for x in out]
    return tuple(out)


# -- triangles -----------------------------------------------------------------------------------------


def _triangle(input: Tensor, diagonal: int, name: str) -> Tensor:
    if need_tensor(input, name)._a.ndim < 2:
        raise ShapeError.of(name, given=f"a tensor {input._a.shape}", must="it needs at least 2 axes")
    rows, columns = input._a.shape[-2:]
    distance = np.arange(columns) - np.arange(rows)[:, None]  # how far above the diagonal
    inside = wrap(distance <= diagonal if name == "tril" else distance >= diagonal)
    return ar.WHERE(inside, input, input.new_zeros(()))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes up to a diagonal; 0 above. A copy.

    Raises:  ShapeError for fewer than 2 axes.

    >>> import chainrule as torch
    >>> torch.ones(2, 2).tril()
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle(input, diagonal, "tril")


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes from a diagonal; 0 below. A copy.

    Raises:  ShapeError for fewer than 2 axes.

    >>> import chainrule as torch
    >>> torch.ones(2, 2).triu(1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    return _triangle(input, diagonal, "triu")
