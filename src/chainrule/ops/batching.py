"""How an op is done for many rows at once: the words and rules that the field `batch` of an entry can hold.

A *mapped* operand is a stack: it has one more axis, the first, with a row for each of `size` calls of the op.
Other operands are the same for every row. `rule(size, xs, mapped, settings)` gives the stack of results by
one call of the op, or of a few others; nothing runs row by row. Rules are written in Tensors, like gradient
rules, so what they do can be differentiated, traced, and batched again.

Nearly every op is one of three kinds, which the words name: elements that meet by broadcasting (`ALIGNED`),
slices along axes that have numbers (`Stacked`), and views (`Viewed`). The rest have rules of their own, which
stand beside their entries. Who maps a function over rows, and so calls all this, is `../transforms/batch.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..core.shapes import Shape

if TYPE_CHECKING:
    from .primitive import Primitive

Rule = Callable[[int, Sequence[Any], Sequence[bool], dict[str, Any]], Any]
Steps = tuple[tuple[Any, dict[str, Any]], ...]


class Batching:
    """A rule for many ops, which is told the op."""

    __slots__ = ()

    def run(
        self, op: Primitive, size: int, xs: Sequence[Any], mapped: Sequence[bool], settings: dict[str, Any]
    ) -> Any:
        raise NotImplementedError


class Aligned(Batching):
    """Shapes meet by broadcasting, read from the right.

    So rows of lower rank than others get axes of size 1; then the axis of the rows stands left of all axes.
    """

    __slots__ = ()

    def run(
        self, op: Primitive, size: int, xs: Sequence[Any], mapped: Sequence[bool], settings: dict[str, Any]
    ) -> Any:
        ranks = [x.dim() - m if hasattr(x, "dim") else 0 for x, m in zip(xs, mapped, strict=True)]
        rank = max(ranks)
        if any(m and r < rank for m, r in zip(mapped, ranks, strict=True)):
            xs = [lifted(x, rank) if m else x for x, m in zip(xs, mapped, strict=True)]
        return op(*xs, **settings)


ALIGNED = Aligned()


class Stacked(Batching):
    """The op takes stacks: all operands get the axis of the rows, and axes are counted from the next one.

    axes: the settings that name axes: a number, or a tuple of numbers.
    """

    __slots__ = ("axes",)

    def __init__(self, *axes: str) -> None:
        self.axes = axes

    def run(
        self, op: Primitive, size: int, xs: Sequence[Any], mapped: Sequence[bool], settings: dict[str, Any]
    ) -> Any:
        rows = [stack(x, m, size) for x, m in zip(xs, mapped, strict=True)]
        higher = settings | {name: next_axis(settings[name]) for name in self.axes}
        vectors = any(isinstance(settings[name], int) for name in self.axes)
        if not vectors or all(x.dim() > 1 for x in rows):
            return op(*rows, **higher)
        # along an axis that it does not have, a 0-d tensor counts as a vector with one element
        out = op(*[lifted(x, 1) if x.dim() == 1 else x for x in rows], **higher)
        shapes = [row_shape(x, m) for x, m in zip(xs, mapped, strict=True)]
        return out.reshape(size, *op.shape(*shapes, **settings))


STACKED = Stacked()  # the op takes stacks as it is


class Viewed(Batching):
    """The same view of every row: `steps(size, shape, **settings)`, for rows of this shape.

    Steps are pairs of a view op and its settings; they lead from the stack of rows to the stack of views.
    """

    __slots__ = ("steps",)

    def __init__(self, steps: Callable[..., Steps]) -> None:
        self.steps = steps

    def run(
        self, op: Primitive, size: int, xs: Sequence[Any], mapped: Sequence[bool], settings: dict[str, Any]
    ) -> Any:
        (x,) = xs
        for step, its in self.steps(size, row_shape(x, True), **settings):
            x = step(x, **its)
        return x


def row_shape(x: Any, mapped: bool) -> Shape:
    """The shape of one row of an operand; a Python number counts as 0-d."""
    shape = tuple(getattr(x, "shape", ()))
    return shape[1:] if mapped else shape


def lifted(x: Any, rank: int) -> Any:
    """A stack of rows as one of rows with `rank` axes: those that are missing are put first, with size 1."""
    missing = rank + 1 - x.dim()
    return x[(slice(None), *[None] * missing)] if missing > 0 else x


def stack(x: Any, mapped: bool, size: int) -> Any:
    """All rows of an operand, as a view that repeats it if it is the same for every row."""
    return x if mapped else x.expand(size, *x.shape)


def next_axis(axis: Any) -> Any:
    """The number of an axis, or a tuple of numbers, with one more axis before all others.

    >>> next_axis(0), next_axis((0, 2)), next_axis(-1)
    (1, (1, 3), -1)
    """
    if isinstance(axis, tuple):
        return tuple(map(next_axis, axis))
    return axis + 1 if axis >= 0 else axis
