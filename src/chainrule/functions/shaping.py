"""The same elements under another shape: reshape, permute, expand, squeeze. Mostly views.

A view shares memory with its input: what is written to one shows in the other. Next: `parts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from ..core import dtypes
from ..core.errors import ArgumentError, ShapeError
from ..core.shapes import (
    BroadcastMismatch,
    axis_index,
    broadcast_shapes,
    infer_reshape,
    named_axes,
    sizes_from_args,
)
from ..eager import need_tensor
from ..ops import move as mv
from ..ops import views as vw

if TYPE_CHECKING:
    from ..tensor import Tensor


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
    """Like `reshape`, but always a view.

    Raises:  ShapeError if the memory layout does not allow it, or the number of elements would change.

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
            given=f"shape {wanted} for a tensor {input._a.shape} that lies in another order in memory",
            must="a view needs a layout that the new shape can describe",
            hint="reshape(...), which copies if it must, or contiguous().view(...)",
        ) from None
    return vw.RESHAPE(input, shape=wanted)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """A view with the shape of `other`. See `view`.

    >>> import chainrule as torch
    >>> torch.arange(4).view_as(torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(input, need_tensor(other, "view_as")._a.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of `other`. See `reshape`.

    >>> import chainrule as torch
    >>> torch.arange(4).reshape_as(torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return reshape(input, need_tensor(other, "reshape_as")._a.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim, both included, merged into one. A view where possible.

    Shapes:  (a, b, c) with start_dim=1 -> (a, b * c); a 0-d tensor -> (1,).
    Raises:  ArgumentError if start_dim comes after end_dim.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = need_tensor(input, "flatten")._a.shape
    first, last = (axis_index(d, len(shape), "flatten") for d in (start_dim, end_dim))
    if not shape:
        return reshape(input, 1)
    if first > last:
        raise ArgumentError.of(
            "flatten", given=f"start_dim={start_dim}, end_dim={end_dim}", must="start must not come after end"
        )
    if first == last:
        return input
    return reshape(input, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis split into several; one of the sizes may be -1. A view where possible.

    Raises:  ShapeError unless the product of the sizes is the size of the axis.

    >>> import chainrule as torch
    >>> torch.zeros(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    shape = need_tensor(input, "unflatten")._a.shape
    d = axis_index(dim, len(shape), "unflatten")
    if not sizes:
        raise ArgumentError.of("unflatten", given="no sizes", must="there must be at least one size")
    split = infer_reshape((shape[d],), sizes_from_args(tuple(sizes), "unflatten"), "unflatten")
    return reshape(input, (*shape[:d], *split, *shape[d + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements along one axis, in row-major order; a view of a contiguous tensor, else a copy.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).ravel()
    tensor([1, 2, 3, 4])
    """
    return reshape(need_tensor(input, "ravel").contiguous(), -1)


# -- other orders of the axes --------------------------------------------------------------------------


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order. A view.

    Shapes:  (a, b, c) with dims=(2, 0, 1) -> (c, a, b).
    Raises:  ArgumentError unless each axis is named once.

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
    """Two axes exchanged. A view.

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
    """The transpose of a matrix; a vector or 0-d tensor as it is. A view.

    Raises:  ShapeError for more than 2 axes.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).t()
    tensor([[1, 3],
            [2, 4]])
    """
    if need_tensor(input, "t")._a.ndim > 2:
        raise ShapeError.of(
            "t",
            given=f"a tensor {input._a.shape}",
            must="t() is for at most 2 axes",
            hint="x.mT or x.transpose(a, b)",
        )
    return reversed_axes(input)


def reversed_axes(input: Tensor) -> Tensor:
    """`x.T`: the axes in reverse order. A view.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3).T.shape
    torch.Size([3, 2])
    """
    return vw.PERMUTE(input, dims=tuple(range(input._a.ndim - 1, -1, -1)))


def matrix_transposed(input: Tensor) -> Tensor:
    """`x.mT`: the last two axes exchanged. A view.

    Raises:  ShapeError for a vector.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).mT.shape
    torch.Size([2, 4, 3])
    """
    rank = input._a.ndim
    if rank == 1:
        raise ShapeError.of(
            "mT", given=f"a tensor {input._a.shape}", must="it needs at least 2 axes", hint="x.unsqueeze(0)"
        )
    return vw.PERMUTE(input, dims=(*range(rank - 2), rank - 1, rank - 2) if rank else ())


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Axes moved to other positions, the others kept in order. A view.

    Raises:  ArgumentError unless there are as many sources as destinations, each named once.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    rank = need_tensor(input, "movedim")._a.ndim
    src, dst = (
        [axis_index(d, rank, "movedim") for d in (dims if isinstance(dims, tuple | list) else (dims,))]
        for dims in (source, destination)
    )
    if len(src) != len(dst) or len(set(src)) != len(src) or len(set(dst)) != len(dst):
        raise ArgumentError.of(
            "movedim",
            given=f"source={source}, destination={destination}",
            must="each axis may be named once, and there must be as many places as axes",
        )
    if not rank:
        return vw.PERMUTE(input, dims=())
    rest = iter([d for d in range(rank) if d not in src])
    place = dict(zip(dst, src, strict=True))
    return vw.PERMUTE(input, dims=tuple(place[d] if d in place else next(rest) for d in range(rank)))


moveaxis = movedim


# -- axes of size 1 ------------------------------------------------------------------------------------


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Axes of size 1 repeated without copying; -1 keeps a size. A view.

    Shapes:  (2, 1) with sizes (4, -1, 3) -> (4, 2, 3): new axes come first.
    Raises:  ShapeError for an axis that has neither the wanted size nor size 1.

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


broadcast_to = expand


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of `other`. See `expand`.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).expand_as(torch.zeros(2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return vw.EXPAND(input, shape=need_tensor(other, "expand_as")._a.shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape: views; one that has that shape is returned itself.

    Raises:  ShapeError naming the axis that disagrees.

    >>> import chainrule as torch
    >>> [x.shape for x in torch.broadcast_tensors(torch.zeros(2, 1), torch.zeros(3))]
    [torch.Size([2, 3]), torch.Size([2, 3])]
    """
    shape = common_shape(tensors, "broadcast_tensors")
    return tuple(x if x._a.shape == shape else vw.EXPAND(x, shape=shape) for x in tensors)


def common_shape(tensors: Sequence[Tensor], what: str) -> tuple[int, ...]:
    """The shape that tensors broadcast to.

    >>> import chainrule as torch
    >>> common_shape([torch.zeros(2, 1), torch.zeros(3)], "f")
    (2, 3)
    """
    try:
        return broadcast_shapes(*[need_tensor(x, what)._a.shape for x in tensors]) if tensors else ()
    except BroadcastMismatch as err:
        raise err.to_error(what) from None


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the axes of size 1, or without those in `dim` that have size 1. A view.

    >>> import chainrule as torch
    >>> torch.zeros(1, 3, 1).squeeze(0).shape
    torch.Size([3, 1])
    """
    shape = need_tensor(input, "squeeze")._a.shape
    dims = named_axes(dim, len(shape), "squeeze")
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


def atleast_1d(*tensors: Any) -> Any:
    """0-d tensors as vectors with one element; others as they are. Several give a tuple.

    >>> import chainrule as torch
    >>> torch.atleast_1d(torch.tensor(5))
    tensor([5])
    """
    return _each(tensors, "atleast_1d", lambda x: reshape(x, 1) if x._a.ndim == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """With leading axes of size 1 up to two axes. Several give a tuple.

    >>> import chainrule as torch
    >>> torch.atleast_2d(torch.tensor([1, 2])).shape
    torch.Size([1, 2])
    """
    return _each(tensors, "atleast_2d", lambda x: x if x._a.ndim >= 2 else reshape(x, (1, x._a.size)))


def _each(tensors: tuple[Any, ...], name: str, change: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], tuple | list):
        return change(need_tensor(tensors[0], name))
    listed = tensors[0] if len(tensors) == 1 else tensors
    return tuple(change(need_tensor(x, name)) for x in listed)


def clone(input: Tensor) -> Tensor:
    """A copy with memory of its own; gradients flow through.

    >>> import chainrule as torch
    >>> x = torch.tensor([1, 2])
    >>> y = x.clone()
    >>> y[0] = 5
    >>> x
    tensor([1, 2])
    """
    return mv.COPY(need_tensor(input, "clone"))
