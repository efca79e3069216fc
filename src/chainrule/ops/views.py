"""Entries: the same elements under another shape. Results share memory with the input.

`slice` takes a key of integers, slices, None and Ellipsis; keys with index arrays are in `index.py`.
Next: `move.py`, for results with memory of their own.
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, IndexingError, ShapeError
from ..core.shapes import Shape
from .batching import Viewed, next_axis, row_shape, stack
from .lowering import Pieces, Strided
from .primitive import LINEAR, MOVEMENT, VIEW, Primitive, primitive, sample
from .rules import FIRST
from .samples import floats

Key = tuple[Any, ...]


def _reshaped(x: Shape, *, shape: Shape) -> Shape:
    if prod(x) != prod(shape):
        raise ShapeError.of(
            "reshape", given=f"shape {shape} for a tensor {x}", must="the number of elements must stay"
        )
    return shape


RESHAPE: Primitive = primitive(
    "reshape", strict=True, kind=VIEW, formula="reshape(x)", shape=_reshaped, dtype=FIRST,
    numpy=lambda x, *, shape: x.reshape(shape),
    lower=Strided(), batch=Viewed(lambda size, x, *, shape: ((RESHAPE, {"shape": (size, *shape)}),)),
    vjp=(lambda g, x_shape: RESHAPE(g, shape=x_shape),), jvp=LINEAR, d="g.reshape(x.shape)",
    why="elements keep their order",
    samples=[sample(floats(shape=(2, 3)), shape=(3, 2)), sample(floats(shape=(4,)), shape=(2, 1, 2))],
    grad_name="ViewBackward0",
)  # fmt: skip

PERMUTE: Primitive = primitive(
    "permute", strict=True, kind=VIEW, formula="permute(x)", dtype=FIRST,
    shape=lambda x, *, dims: tuple(x[d] for d in dims), numpy=lambda x, *, dims: x.transpose(dims),
    lower=Strided(), batch=Viewed(lambda size, x, *, dims: ((PERMUTE, {"dims": (0, *next_axis(dims))}),)),
    vjp=(lambda g, dims: PERMUTE(g, dims=inverse(dims)),), jvp=LINEAR, d="permute(g, dims=inverse(dims))",
    why="axes change places",
    samples=[sample(floats(shape=(2, 3, 2)), dims=(2, 0, 1)), sample(floats(shape=(2, 3)), dims=(1, 0))],
)  # fmt: skip


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `dims`."""
    result = [0] * len(dims)
    for i, d in enumerate(dims):
        result[d] = i
    return tuple(result)


def _expanded(x: Shape, *, shape: Shape) -> Shape:
    padded = (1,) * (len(shape) - len(x)) + x
    if len(x) > len(shape) or any(a not in (1, b) for a, b in zip(padded, shape, strict=True)):
        raise ShapeError.of(
            "expand",
            given=f"a tensor {x} and the shape {shape}",
            must="read from the right, each axis must have the wanted size or size 1",
            hint="reshape or unsqueeze first, so that the axes line up",
        )
    return shape


def _expand(x: Any, *, shape: Shape) -> Any:
    if x.shape == shape:
        return x[...]
    if x.ndim:
        return np.broadcast_to(x, shape)
    # what broadcast_to does, in a fifth of the time
    out = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    out.flags.writeable = False
    return out


def unlock(a: np.ndarray[Any, Any]) -> bool:
    """Let an array be written that NumPy locked as part of an expanded one; not if elements share a place."""
    if a.size and any(n > 1 and step == 0 for n, step in zip(a.shape, a.strides, strict=True)):
        return False
    a.flags.writeable = True
    return True


def reduce_to(g: Any, shape: Shape) -> Any:
    """The adjoint of broadcasting: sum g over the axes along which `shape` was repeated."""
    have = g._a.shape
    if have == shape:
        return g
    extra = len(have) - len(shape)
    dims = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1
    )
    g = g.sum(dims, True) if dims else g
    return RESHAPE(g, shape=shape) if extra else g


def _expand_rows(size: int, x: Shape, *, shape: Shape) -> Any:
    # the axes that a row gets stand behind that of the rows; they are made first, with size 1
    missing = len(shape) - len(x)
    if missing:
        yield SLICE, {"key": (slice(None), *[None] * missing)}
    yield EXPAND, {"shape": (size, *shape)}


EXPAND: Primitive = primitive(
    "expand", kind=VIEW, formula="expand(x)", shape=_expanded, dtype=FIRST,
    numpy=_expand,
    lower=Strided(), batch=Viewed(_expand_rows),
    vjp=(lambda g, x_shape: reduce_to(g, x_shape),), jvp=LINEAR, d="reduce_to(g, x.shape)",
    why="each copy sends its gradient back: a sum",
    samples=[
        sample(floats(shape=(2, 1)), shape=(2, 3)),
        sample(floats(shape=(3,)), shape=(2, 3)),
        sample(floats(shape=()), shape=(2, 2)),
    ],
)  # fmt: skip


def _sliced(x: Shape, *, key: Key) -> Shape:
    out: list[int] = []
    axis = 0
    for item in expand_key(key, len(x), x):
        if item is None:
            out.append(1)
        elif isinstance(item, slice):
            if item.step is not None and item.step <= 0:
                raise _bad_step(item.step)
            out.append(len(range(*item.indices(x[axis]))))
            axis += 1
        else:
            n = x[axis]
            if not -n <= item < n:
                raise IndexingError.of(
                    "x[...]",
                    given=f"index {item} for axis {axis} of a tensor {x}",
                    must=f"the index must lie in [{-n}, {n - 1}]"
                    if n
                    else "the axis is empty: it has no element to take",
                )
            axis += 1
    return (*out, *x[axis:])


def expand_key(key: Key, rank: int, shape: Shape, taken: Any = None) -> Key:
    """The key with its Ellipsis written out. `taken(item)` says how many axes an item uses (default 1)."""
    used = sum(0 if k is None or k is Ellipsis else (taken(k) if taken else 1) for k in key)
    if used > rank:
        raise IndexingError.of(
            "x[...]",
            given=f"{used} indices for a tensor {shape}",
            must=f"at most {rank} {'axis' if rank == 1 else 'axes'} can be indexed",
        )
    if Ellipsis not in [k for k in key if k is None or k is Ellipsis]:
        return key
    at = next(i for i, k in enumerate(key) if k is Ellipsis)
    return (*key[:at], *[slice(None)] * (rank - used), *key[at + 1 :])


def embed(g: Any, shape: Shape, key: Key) -> Any:
    return OVERWRITE(g.new_zeros(shape), g, steps=((SLICE, {"key": key}),))


def _take(x: Any, *, key: Key) -> Any:
    for item in key:
        if type(item) is slice and item.step is not None and item.step <= 0:
            raise ValueError  # NumPy would step backwards; the shape rule says why that is refused
    out = x[key]
    # an integer on every axis would give a NumPy scalar, which shares no memory: end with an Ellipsis
    return out if isinstance(out, np.ndarray) else x[(*key, Ellipsis)]


SLICE: Primitive = primitive(
    "slice", strict=True, kind=VIEW, formula="x[...]", shape=_sliced, dtype=FIRST, numpy=_take,
    lower=Strided(), batch=Viewed(lambda size, x, *, key: ((SLICE, {"key": (slice(None), *key)}),)),
    vjp=(lambda g, x_shape, key: embed(g, x_shape, key),), jvp=LINEAR, d="embed(g, x.shape, key)",
    why="elements that were not taken get 0",
    samples=[
        sample(floats(shape=(3, 4)), key=(1, slice(0, 4, 2))),
        sample(floats(shape=(2, 3)), key=(Ellipsis, None, -1)),
        sample(floats(shape=(3,)), key=(0,)),
    ],
)  # fmt: skip


Steps = tuple[tuple[Primitive, dict[str, Any]], ...]


def _overwritten(x: Shape, y: Shape, *, steps: Steps) -> Shape:
    target = x
    for op, settings in steps:
        target = op.shape(target, **settings)
    if target != y:
        raise ShapeError.of(
            "x[...] = y", given=f"y {y} for a place of shape {target}", must="the shapes must be equal"
        )
    return x


def _overwrite(x: Any, y: Any, *, steps: Steps) -> Any:
    out = x.copy()
    place = out
    for op, settings in steps:
        place = op.numpy(place, **settings)
    if not place.flags.writeable:
        unlock(place)
    place[...] = y
    return out


def follow(x: Any, steps: Steps) -> Any:
    """The view of x that the steps lead to."""
    for op, settings in steps:
        x = op(x, **settings)
    return x


def _overwrite_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    higher: list[Any] = []
    shape = row_shape(xs[0], mapped[0])
    for op, its in settings["steps"]:
        assert isinstance(op.batch, Viewed)
        higher += op.batch.steps(size, shape, **its)
        shape = op.shape(shape, **its)
    x, y = (stack(x, m, size) for x, m in zip(xs, mapped, strict=True))
    return OVERWRITE(x, y, steps=tuple(higher))


OVERWRITE: Primitive = primitive(
    "overwrite", kind=MOVEMENT, inputs="x y", formula="x with x[...] = y", shape=_overwritten, dtype=FIRST,
    numpy=_overwrite,
    lower=Pieces(lambda x, y, *, steps: ((0, ()), (1, steps))), batch=_overwrite_rows,
    vjp=(
        lambda g, y_shape, steps: OVERWRITE(g, g.new_zeros(y_shape), steps=steps),
        lambda g, steps: follow(g, steps),
    ),
    jvp=LINEAR,
    d=("overwrite(g, zeros_like(y), steps=steps)", "follow(g, steps)"),
    why="what is overwritten no longer counts",
    samples=[
        sample(floats(shape=(3, 4)), floats(shape=(2,)), steps=((SLICE, {"key": (1, slice(0, 4, 2))}),)),
        sample(floats(shape=(2, 3)), floats(shape=(2, 1)), steps=((SLICE, {"key": (Ellipsis, None, -1)}),)),
        sample(
            floats(shape=(2, 3)), floats(shape=(2,)),
            steps=((PERMUTE, {"dims": (1, 0)}), (SLICE, {"key": (0,)})),
        ),
        sample(floats(), floats(), steps=()),
    ],
    grad_name="CopySlices",
)  # fmt: skip


def _diagonal_shape(x: Shape, *, offset: int, dim1: int, dim2: int) -> Shape:
    rest = tuple(n for d, n in enumerate(x) if d not in (dim1, dim2))
    return (*rest, max(0, min(x[dim1] + min(offset, 0), x[dim2] - max(offset, 0))))


def _diagonal(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    out = np.diagonal(x, offset, dim1, dim2)
    out.flags.writeable = x.flags.writeable  # NumPy locks its result; ours is a view like any other
    return out


def _diagonal_rows(size: int, x: Shape, *, offset: int, dim1: int, dim2: int) -> Any:
    yield DIAGONAL, {"offset": offset, "dim1": next_axis(dim1), "dim2": next_axis(dim2)}


DIAGONAL: Primitive = primitive(
    "diagonal", strict=True, kind=VIEW, formula="diagonal(x)", shape=_diagonal_shape, dtype=FIRST,
    numpy=_diagonal,
    lower=Strided(), batch=Viewed(_diagonal_rows), vjp=(
        lambda g, x_shape, offset, dim1, dim2: OVERWRITE(
            g.new_zeros(x_shape), g, steps=((DIAGONAL, {"offset": offset, "dim1": dim1, "dim2": dim2}),)
        ),
    ),
    jvp=LINEAR, why="elements that were not taken get 0",
    d="overwrite(zeros_like(x), g, steps=((diagonal, dict(offset=offset, dim1=dim1, dim2=dim2)),))",
    samples=[
        sample(floats(shape=(3, 4)), offset=0, dim1=0, dim2=1),
        sample(floats(shape=(3, 2, 3)), offset=-1, dim1=2, dim2=0),
    ],
)  # fmt: skip


def plain_slice(item: slice) -> slice:
    """A slice whose ends are Python integers, and whose step is positive."""
    step = item.step
    plain = (item.start is None or type(item.start) is int) and (item.stop is None or type(item.stop) is int)
    if plain and step is None:
        return item
    start, stop, step = (None if v is None else _whole(v, item) for v in (item.start, item.stop, step))
    if step is not None and step <= 0:
        raise _bad_step(step)
    return slice(start, stop, step)


def _whole(end: Any, item: slice) -> int:
    try:
        return operator.index(end)
    except TypeError:
        text = ":".join("" if v is None else repr(v) for v in (item.start, item.stop, item.step))
        raise ArgumentError.of(
            "x[...]", given=f"the slice {text}", must="the ends and the step of a slice must be integers"
        ) from None


def _bad_step(step: Any) -> ArgumentError:
    return ArgumentError.of(
        "x[...]",
        given=f"a slice with step {step}",
        must="the step of a slice must be positive",
        hint="x.flip(dim)",
    )
