"""Entries: elements read at, and written to, places named by index arrays, one array per indexed axis.

`dims` names the axes (ascending); the arrays broadcast against each other. Keys of integers and slices are
views and stand in `views.py`; reading a user's key is done by `functions/indexing.py`. Next: `scatter.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import int64
from ..core.errors import IndexingError, ShapeError
from ..core.lending import own_copy
from ..core.shapes import BroadcastMismatch, Shape, broadcast_shapes
from .batching import lifted, next_axis, row_shape, stack
from .lowering import Pull
from .primitive import MOVEMENT, USE_NUMPY, Primitive, primitive, sample
from .rules import FIRST
from .samples import at, floats
from .views import PERMUTE, inverse


def _first_picked(dims: tuple[int, ...]) -> int:
    """Which axis of a result is the first that comes from the index arrays.

    Index arrays on neighbouring axes leave their result there; otherwise it comes first.
    """
    return dims[0] if dims[-1] - dims[0] == len(dims) - 1 else 0


def _indexed(x: Shape, *indices: Shape, dims: tuple[int, ...]) -> Shape:
    try:
        picked = broadcast_shapes(*indices)
    except BroadcastMismatch:
        raise IndexingError.of(
            "x[...]",
            given=f"index arrays of shapes {', '.join(map(str, indices))}",
            must="index arrays must broadcast against each other",
        ) from None
    rest = tuple(n for d, n in enumerate(x) if d not in dims)
    at = _first_picked(dims)
    return (*rest[:at], *picked, *rest[at:])


def _key(indices: Any, dims: tuple[int, ...]) -> tuple[Any, ...]:
    """The NumPy key: the arrays at their axes, everything of the axes between."""
    it = iter(indices)
    return tuple(next(it) if d in dims else slice(None) for d in range(dims[-1] + 1))


def _check_bounds(x: Shape, indices: Any, dims: tuple[int, ...]) -> None:
    for d, a in zip(dims, indices, strict=True):
        n = x[d]
        if a.size and (a.min() < -n or a.max() >= n):
            raise IndexingError.of(
                "x[...]",
                given=f"index {a[(a < -n) | (a >= n)].flat[0]} for axis {d} of a tensor {x}",
                must=f"every index must lie in [{-n}, {n - 1}]"
                if n
                else "the axis is empty: it has no element to take",
            )


def _index(x: Any, *indices: Any, dims: tuple[int, ...]) -> Any:
    if x.size == 0:  # NumPy would take indices that are not there, if there is nothing to take
        _check_bounds(x.shape, indices, dims)
    try:
        return x.take(indices[0], axis=dims[0]) if len(dims) == 1 else x[_key(indices, dims)]
    except IndexError:
        _check_bounds(x.shape, indices, dims)
        raise


def _pull(at: Any, out: Any, x: Any, *indices: Any, dims: tuple[int, ...]) -> Any:
    rank = max(len(i.shape) for i in indices)
    first = _first_picked(dims)
    picked = out[first : first + rank]
    places = {
        d: at.check(x, d, at(i, picked[rank - len(i.shape) :])) for d, i in zip(dims, indices, strict=True)
    }
    rest = iter([*out[:first], *out[first + rank :]])
    return at(x, [places[d] if d in places else next(rest) for d in range(len(x.shape))])


class _Places(NamedTuple):
    """Where a stack has what index arrays mean in each of its rows.

    indices, dims: what to index the stack with.
    order: the axes that are found there, in the order in which a stack of what each row finds has them.
    """

    indices: tuple[Any, ...]
    dims: tuple[int, ...]
    order: tuple[int, ...]


def _places(size: int, xs: Sequence[Any], mapped: Sequence[bool], dims: tuple[int, ...]) -> _Places:
    """For index arrays xs[1:] into xs[0]; what is not mapped is the same for every row."""
    rank = max(len(row_shape(i, m)) for i, m in zip(xs[1:], mapped[1:], strict=True))
    indices = tuple(lifted(i, rank) if m else i for i, m in zip(xs[1:], mapped[1:], strict=True))
    stacked, own = mapped[0], any(mapped[1:])
    inside = next_axis(dims) if stacked else dims
    if stacked and own:  # the number of the row is one more index
        row = indices[0].new_tensor(np.arange(size).reshape(size, *[1] * rank), dtype=int64)
        indices, inside = (row, *indices), (0, *inside)
    rest = [f"rest {i}" for i in range(len(row_shape(xs[0], stacked)) - len(dims))]
    picked = [f"picked {i}" for i in range(rank)]
    at = _first_picked(dims)
    wanted = ["row", *rest[:at], *picked, *rest[at:]]
    at = _first_picked(inside)
    if own:
        found = [*rest[:at], "row", *picked, *rest[at:]]
    else:
        found = [*["row", *rest][:at], *picked, *["row", *rest][at:]]
    return _Places(indices, inside, tuple(map(found.index, wanted)))


def _index_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    places = _places(size, xs, mapped, settings["dims"])
    return PERMUTE(INDEX(xs[0], *places.indices, dims=places.dims), dims=places.order)


INDEX: Primitive = primitive(
    "index",
    strict=True, kind=MOVEMENT, inputs="x *indices", formula="x[indices]", shape=_indexed, dtype=FIRST,
    numpy=_index,
    lower=Pull(_pull), batch=_index_rows,
    vjp=(
        lambda g, x_shape, indices, dims: INDEX_PUT(
            g.new_zeros(x_shape), g, *indices, dims=dims, accumulate=True
        ),
    ),
    jvp=lambda tangents, out, x, *indices, dims: INDEX(tangents[0], *indices, dims=dims),
    d="index_put(zeros_like(x), g, *indices, dims=dims, accumulate=True)",
    why="each copy sends its gradient back",
    samples=[
        sample(floats(shape=(4, 3)), at([0, 2, 2]), dims=(0,)),
        sample(floats(shape=(4, 3)), at([[-1, 0], [2, 2]]), dims=(1,)),
        sample(floats(shape=(4, 3)), at([[1], [3]]), at([0, 2]), dims=(0, 1)),
        sample(floats(shape=(2, 3, 4)), at([0, 1, -1]), at([0, 3, 3]), dims=(0, 2)),
        sample(floats(shape=(2, 3)), at([]), dims=(1,)),
        sample(floats(shape=(2, 3)), at(1), dims=(0,)),
    ],
)  # fmt: skip


def _index_put(x: Any, y: Any, *indices: Any, dims: tuple[int, ...], accumulate: bool) -> Any:
    out = own_copy(x)
    key = _key(indices, dims)
    if x.size == 0:  # as for reading
        _check_bounds(x.shape, indices, dims)
    try:
        if not accumulate:
            out[key] = y
        elif dims == (0,) and indices[0].ndim == 1 and out.ndim > 1:
            _add_rows(out, indices[0], y)
        else:
            np.add.at(out, key, y)
    except IndexError:
        _check_bounds(x.shape, indices, dims)
        raise
    return out


def _add_rows(out: Any, rows: Any, values: Any) -> None:
    """out[rows] += values, repeated rows added up: sorted runs, one reduction (np.add.at is slow on rows)."""
    if len(rows) == 0:
        return
    rows = np.where(rows < 0, rows + len(out), rows)
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.r_[True, rows[order][1:] != rows[order][:-1]])
    out[rows[order][starts]] += np.add.reduceat(values[order], starts, axis=0, dtype=out.dtype)


def _put_shape(x: Shape, y: Shape, *indices: Shape, dims: tuple[int, ...], accumulate: bool) -> Shape:
    target = _indexed(x, *indices, dims=dims)
    if y != target:
        raise ShapeError.of(
            "x[indices] = y", given=f"y {y} for a place of shape {target}", must="the shapes must be equal"
        )
    return x


def _index_put_jvp(
    tangents: Any, out: Any, x: Any, y: Any, *indices: Any, dims: tuple[int, ...], accumulate: bool
) -> Any:
    tx = tangents[0] if tangents[0] is not None else x.new_zeros(x.shape)
    ty = tangents[1] if tangents[1] is not None else y.new_zeros(y.shape)
    return INDEX_PUT(tx, ty, *indices, dims=dims, accumulate=accumulate)


def _put_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    x, y = (stack(v, m, size) for v, m in zip(xs[:2], mapped[:2], strict=True))
    places = _places(size, (x, *xs[2:]), (True, *mapped[2:]), settings["dims"])
    y = PERMUTE(y, dims=inverse(places.order))
    return INDEX_PUT(x, y, *places.indices, dims=places.dims, accumulate=settings["accumulate"])


INDEX_PUT: Primitive = primitive(
    "index_put", kind=MOVEMENT, inputs="x y *indices", formula="x with x[indices] = y", shape=_put_shape,
    dtype=FIRST, numpy=_index_put,
    lower=USE_NUMPY, batch=_put_rows, vjp=(
        lambda g, y_shape, indices, dims, accumulate: g
        if accumulate
        else INDEX_PUT(g, g.new_zeros(y_shape), *indices, dims=dims, accumulate=False),
        lambda g, indices, dims: INDEX(g, *indices, dims=dims),
    ),
    jvp=_index_put_jvp,
    d=(
        "g if accumulate else index_put(g, zeros_like(y), *indices, dims=dims, accumulate=False)",
        "index(g, *indices, dims=dims)",
    ),
    why="what is overwritten no longer counts",
    ties="where a place is named twice, and nothing is added up, both elements of y get its gradient",
    samples=[
        sample(floats(shape=(4, 3)), floats(shape=(2, 3)), at([0, 2]), dims=(0,), accumulate=False),
        sample(floats(shape=(4, 3)), floats(shape=(3, 3)), at([0, 2, -2]), dims=(0,), accumulate=True),
        sample(
            floats(shape=(4, 3)), floats(shape=(2,)), at([0, 0]), at([1, 1]), dims=(0, 1), accumulate=True
        ),
        sample(floats(shape=(2, 3)), floats(shape=(2, 0)), at([]), dims=(1,), accumulate=False),
        sample(floats(shape=(2, 3)), floats(shape=(0, 3)), at([]), dims=(0,), accumulate=True),
        sample(floats(shape=(3,)), floats(shape=()), at(-1), dims=(0,), accumulate=True),
        sample(floats(shape=(3,)), floats(shape=(3,)), at([2, 0, 1]), dims=(0,), accumulate=False),
    ],
)  # fmt: skip
