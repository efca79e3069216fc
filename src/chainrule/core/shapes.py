"""Shapes: broadcasting, axes, and what a reshape means. Next: `../ops/primitive.py`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from .errors import ArgumentError, IndexingError, ShapeError

Shape = tuple[int, ...]


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that prints as course code expects.

    >>> Size((3, 4)), Size((3, 4)).numel()
    (torch.Size([3, 4]), 12)
    """

    __slots__ = ()

    def numel(self) -> int:
        """Number of elements."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, i: Any) -> Any:
        item = tuple.__getitem__(self, i)
        return Size(item) if isinstance(i, slice) else item

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape: read from the right, axes must be equal or 1.

    Raises:  BroadcastMismatch with the axes that disagree, from the right.

    >>> broadcast_shapes((3, 1), (1, 2))
    (3, 2)
    """
    if len(shapes) == 2 and (common := _of_two(*shapes)) is not None:
        return common
    if shapes.count(shapes[0]) == len(shapes):
        return shapes[0]
    rank = max(len(s) for s in shapes)
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    result = []
    disagree = []
    for axis, sizes in enumerate(zip(*padded, strict=True)):
        wanted = {n for n in sizes if n != 1}
        if len(wanted) > 1:
            disagree.append(rank - axis)
        result.append(max(wanted, default=1))
    if disagree:
        raise BroadcastMismatch(shapes, disagree[::-1])
    return tuple(result)


def _of_two(x: Shape, y: Shape) -> Shape | None:
    """The common shape of two, quickly; None if there is none."""
    if x == y:
        return x
    if len(x) < len(y):
        x, y = y, x
    result = list(x)
    for i, n in enumerate(y, len(x) - len(y)):
        m = x[i]
        if n != m and n != 1:
            if m != 1:
                return None
            result[i] = n
    return tuple(result)


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """Whether a tensor of this shape can be broadcast to the target.

    >>> broadcasts_to((3, 1), (2, 3, 4)), broadcasts_to((2, 3), (2, 1))
    (True, False)
    """
    extra = len(target) - len(shape)
    return extra >= 0 and all(n in (1, m) for n, m in zip(shape, target[extra:], strict=True))


class BroadcastMismatch(Exception):
    """Facts for a message: the shapes, and the axes that disagree, counted from the right, starting at 1."""

    def __init__(self, shapes: Sequence[Shape], axes_from_right: Sequence[int]) -> None:
        self.shapes, self.axes_from_right = shapes, axes_from_right

    def to_error(self, what: str) -> ShapeError:
        shapes = " and ".join(map(str, self.shapes))
        axes = ", ".join(map(self._axis, self.axes_from_right))
        return ShapeError.of(
            what,
            given=f"shapes {shapes}",
            must=f"read from the right, sizes must be equal or 1; {axes}",
            hint=self._hint(),
        )

    def _axis(self, k: int) -> str:
        ordinal = {2: "2nd", 3: "3rd"}.get(k, f"{k}th")
        name = "the last axis" if k == 1 else f"the {ordinal} axis from the right"
        return f"{name} has {' and '.join(str(s[-k]) if len(s) >= k else '1' for s in self.shapes)}"

    def _hint(self) -> str:
        if len(self.shapes) == 2:
            a, b = self.shapes
            if len(a) == len(b) == 2 and a[-1] == b[0]:
                return "x @ y if you meant the matrix product"
            if len(a) == 1 and len(b) >= 1 and b[0] == a[0]:
                return f"x.reshape({a[0]}, {', '.join('1' for _ in b[1:])}) to line it up with the first axis"
            if len(b) == 1 and len(a) >= 1 and a[0] == b[0]:
                return f"y.reshape({b[0]}, {', '.join('1' for _ in a[1:])}) to line it up with the first axis"
            if prod(a) == prod(b):
                return f"y.reshape({', '.join(map(str, a))}), if the elements are meant to pair up in order"
        return "reshape or unsqueeze one of them so that the axes line up"


def axis_index(dim: Any, rank: int, what: str) -> int:
    """A possibly negative axis as one in 0..rank-1. A 0-d tensor has one virtual axis, as in PyTorch."""
    span = rank or 1
    try:
        d = operator.index(dim)
    except TypeError:
        raise ArgumentError.of(
            what, given=f"dim={dim!r}", must="dim must be an integer", hint="dim=0"
        ) from None
    if not -span <= d < span:
        raise IndexingError.of(
            what,
            given=f"dim={d} for a tensor with {rank} {'axis' if rank == 1 else 'axes'}",
            must=f"dim must lie in [{-span}, {span - 1}]",
            hint=f"dim={max(-span, min(d, span - 1))}",
        )
    return d % span


def real_axis(dim: Any, rank: int, what: str) -> int:
    """Like `axis_index`, for what a 0-d tensor has not even a virtual axis for.

    >>> real_axis(-1, 2, "split")
    1
    """
    if rank == 0:
        raise IndexingError.of(
            what, given=f"dim={dim} for a 0-d tensor", must="it needs at least one axis", hint="x.reshape(1)"
        )
    return axis_index(dim, rank, what)


def named_axes(dim: Any, rank: int, what: str) -> tuple[int, ...]:
    """Like `axis_indices`, but an empty list means no axis, not all of them.

    >>> named_axes((-1, 0), 3, "squeeze"), named_axes((), 3, "squeeze")
    ((0, 2), ())
    """
    return () if isinstance(dim, tuple | list) and not dim else axis_indices(dim, rank, what)


def axis_indices(dim: Any, rank: int, what: str) -> tuple[int, ...]:
    """One axis, several, or None or an empty list (all of them) as a sorted tuple without repeats.

    A 0-d tensor has one virtual axis, which is none of its own.

    >>> axis_indices((-1, 0), 3, "sum"), axis_indices(None, 3, "sum"), axis_indices(0, 0, "sum")
    ((0, 2), (0, 1, 2), ())
    """
    if type(dim) is int and -rank <= dim < rank:
        return (dim % rank,)
    if dim is None:
        return tuple(range(rank))
    if isinstance(dim, Iterable):
        dims = [axis_index(d, rank, what) for d in dim]
        if not dims:
            return tuple(range(rank))
        if len(set(dims)) != len(dims):
            raise ArgumentError.of(
                what,
                given=f"dim={tuple(dim)}",
                must="each axis may appear once",
                hint=f"dim={tuple(sorted(set(dims)))}",
            )
        return tuple(sorted(dims)) if rank else ()
    d = axis_index(dim, rank, what)
    return (d,) if rank else ()


def sizes_from_args(args: tuple[Any, ...], what: str) -> Shape:
    """`f(2, 3)`, `f((2, 3))` and `f([2, 3])` all mean the shape (2, 3).

    >>> sizes_from_args((2, 3), "zeros"), sizes_from_args(([2, 3],), "zeros")
    ((2, 3), (2, 3))
    """
    try:
        if len(args) == 1 and not _is_int(args[0]):
            return tuple(map(operator.index, args[0]))
        if not args:
            raise TypeError  # to mean the shape (), it must be said: f(())
        return tuple(map(operator.index, args))
    except TypeError:
        raise ArgumentError.of(
            what, given=f"{args!r}", must="sizes must be integers", hint=f"{what}(2, 3) or {what}((2, 3))"
        ) from None


def _is_int(value: Any) -> bool:
    if isinstance(value, int):
        return True
    if isinstance(value, tuple | list):
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def new_shape(sizes: Any) -> Shape:
    """Check the sizes of a tensor to be made: integers, none negative."""
    if any(n < 0 for n in sizes):
        raise ShapeError.of(
            "creating a tensor", given=f"shape {tuple(sizes)}", must="no size may be negative"
        )
    return tuple(sizes)


def infer_reshape(shape: Shape, wanted: Shape, what: str) -> Shape:
    """The shape a reshape leads to: the same number of elements, one -1 filled in."""
    total = prod(shape)
    if prod(wanted) == total and min(wanted, default=0) >= 0:
        return wanted
    if wanted.count(-1) > 1:
        raise ShapeError.of(
            what, given=f"shape {wanted}", must="only one size may be -1 (found from the others)"
        )
    if any(n < -1 for n in wanted):
        raise ShapeError.of(what, given=f"shape {wanted}", must="no size may be negative, except one -1")
    known = prod(n for n in wanted if n != -1)
    if -1 in wanted:
        if known == 0 or total % known:
            raise ShapeError.of(
                what,
                given=f"shape {wanted} for a tensor {shape} of {total} elements",
                must=f"{total} must be divisible by the product of the other sizes, {known}"
                if known
                else "-1 cannot be found when another size is 0",
            )
        return tuple(total // known if n == -1 else n for n in wanted)
    if known != total:
        raise ShapeError.of(
            what,
            given=f"shape {wanted} for a tensor {shape}",
            must=f"the number of elements must stay {total}; {wanted} has {known}",
            hint="-1 for one of the sizes, to have it computed",
        )
    return wanted
