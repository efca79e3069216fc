"""Entries: elements copied, converted, joined, gathered and scattered. Results own their memory.

Next: `contract.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import dtype
from ..core.errors import IndexingError, ShapeError
from ..core.shapes import BroadcastMismatch, Shape, broadcast_shapes
from .primitive import LINEAR, MOVEMENT, NOT_DIFFERENTIABLE, SCAN, each, primitive, sample
from .rules import COUNTS, FIRST, SAME, DTypeRule, same_shape
from .samples import distinct, floats
from .views import OVERWRITE, SLICE

COPY = primitive(
    "copy", kind=MOVEMENT, formula="copy(x)", shape=same_shape, dtype=FIRST,
    numpy=lambda x: np.array(x, order="C"), vjp=(lambda g: g,), jvp=LINEAR, d="g", why="identity",
    samples=[sample(floats())], grad_name="CloneBackward0",
)  # fmt: skip


def _cast(x: Any, *, to: dtype, source: dtype) -> Any:
    return x.astype(to.numpy)


CAST = primitive(
    "cast", kind=MOVEMENT, formula="x.to(dtype)", shape=same_shape,
    dtype=DTypeRule("as asked", unify=False), numpy=_cast,
    vjp=(lambda g, to, source: CAST(g, to=source, source=to),),
    jvp=lambda tangents, out, x, *, to, source: CAST(tangents[0], to=to, source=source),
    d="g.to(x.dtype)", why="identity, in another precision", samples=[], grad_name="ToCopyBackward0",
)  # fmt: skip


def _joined(*shapes: Shape, dim: int) -> Shape:
    first = shapes[0]
    for i, s in enumerate(shapes[1:], 1):
        if len(s) != len(first) or any(
            a != b for d, (a, b) in enumerate(zip(s, first, strict=True)) if d != dim
        ):
            raise ShapeError.of(
                "cat",
                given=f"shapes {', '.join(map(str, shapes))} along dim={dim}",
                must=f"all axes but dim={dim} must be equal; tensor {i} has {s}, tensor 0 has {first}",
                hint="stack, if they should be joined along a new axis"
                if s == first
                else "reshape them to match first",
            )
    return (*first[:dim], sum(s[dim] for s in shapes), *first[dim + 1 :])


def _cat_vjp(g: Any, i: int, shapes: Any, dim: int) -> Any:
    return g.narrow(dim, sum(s[dim] for s in shapes[:i]), shapes[i][dim])


CAT = primitive(
    "cat", kind=MOVEMENT, inputs="*xs", formula="cat(xs)", shape=_joined, dtype=SAME,
    numpy=lambda *xs, dim: np.concatenate(xs, axis=dim), vjp=each(_cat_vjp), jvp=LINEAR,
    d="the part of g that came from x", why="each part keeps its own gradient",
    samples=[
        sample(floats(shape=(2, 3)), floats(shape=(1, 3)), dim=0),
        sample(floats(shape=(2, 1)), floats(shape=(2, 2)), floats(shape=(2, 0)), dim=1),
    ],
)  # fmt: skip

FLIP = primitive(
    "flip", kind=MOVEMENT, formula="flip(x)", shape=same_shape, dtype=FIRST,
    numpy=lambda x, *, dims: np.ascontiguousarray(np.flip(x, dims)) if x.ndim else x.copy(),
    vjp=(lambda g, dims: FLIP(g, dims=dims),), jvp=LINEAR, d="flip(g, dims)", why="a permutation is its own adjoint here",
    samples=[sample(floats(), dims=(0,)), sample(floats(), dims=(0, 1))],
)  # fmt: skip


# -- index arrays ------------------------------------------------------------------------------------


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
    # Index arrays on neighbouring axes leave their result there; otherwise it comes first.
    at = dims[0] if dims[-1] - dims[0] == len(dims) - 1 else 0
    return (*rest[:at], *picked, *rest[at:])


def _key(rank: int, indices: Any, dims: tuple[int, ...]) -> tuple[Any, ...]:
    it = iter(indices)
    return tuple(next(it) if d in dims else slice(None) for d in range(min(rank, dims[-1] + 1)))


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
    try:
        return x.take(indices[0], axis=dims[0]) if len(dims) == 1 else x[_key(x.ndim, indices, dims)]
    except IndexError:
        _check_bounds(x.shape, indices, dims)
        raise


INDEX = primitive(
    "index", kind=MOVEMENT, inputs="x *indices", formula="x[indices]", shape=_indexed, dtype=FIRST, numpy=_index,
    vjp=(lambda g, x_shape, indices, dims: INDEX_PUT(g.new_zeros(x_shape), g, *indices, dims=dims, accumulate=True),),
    jvp=lambda tangents, out, x, *indices, dims: INDEX(tangents[0], *indices, dims=dims),
    d="g added up at the places that were read", why="each copy sends its gradient back",
    samples=[
        sample(floats(shape=(4, 3)), lambda rng: np.array([0, 2, 2]), dims=(0,)),
        sample(floats(shape=(4, 3)), lambda rng: np.array([[1], [3]]), lambda rng: np.array([0, 2]), dims=(0, 1)),
        sample(floats(shape=(2, 3, 4)), lambda rng: np.array([0, 1, 1]), lambda rng: np.array([0, 3, 3]), dims=(0, 2)),
    ],
)  # fmt: skip


def _index_put(x: Any, y: Any, *indices: Any, dims: tuple[int, ...], accumulate: bool) -> Any:
    out = x.copy()
    full = _key(x.ndim, indices, dims)
    try:
        if not accumulate:
            out[full] = y
        elif dims == (0,) and indices[0].ndim == 1 and out.ndim > 1:
            _add_rows(out, indices[0], np.broadcast_to(y, (len(indices[0]), *out.shape[1:])))
        else:
            np.add.at(out, full, y)
    except IndexError:
        _check_bounds(x.shape, indices, dims)
        raise
    return out


def _add_rows(out: Any, rows: Any, values: Any) -> None:
    """out[rows] += values with repeated rows added up: sorted runs, one reduction (np.add.at is slow on rows)."""
    if len(rows) == 0:
        return
    rows = np.where(rows < 0, rows + len(out), rows)
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.r_[True, rows[order][1:] != rows[order][:-1]])
    out[rows[order][starts]] += np.add.reduceat(values[order], starts, axis=0)


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
    tx = tangents[0] if tangents[0] is not None else out.new_zeros(x.shape)
    ty = tangents[1] if tangents[1] is not None else out.new_zeros(y.shape)
    return INDEX_PUT(tx, ty, *indices, dims=dims, accumulate=accumulate)


INDEX_PUT = primitive(
    "index_put", kind=MOVEMENT, inputs="x y *indices", formula="x with x[indices] = y", shape=_put_shape, dtype=FIRST,
    numpy=_index_put,
    vjp=(
        lambda g, y_shape, indices, dims, accumulate: g
        if accumulate
        else INDEX_PUT(g, g.new_zeros(y_shape), *indices, dims=dims, accumulate=False),
        lambda g, indices, dims: INDEX(g, *indices, dims=dims),
    ),
    jvp=_index_put_jvp,
    d="g without, or at, the places written", why="what is overwritten no longer counts",
    samples=[
        sample(floats(shape=(4, 3)), floats(shape=(2, 3)), lambda rng: np.array([0, 2]), dims=(0,), accumulate=False),
        sample(floats(shape=(4, 3)), floats(shape=(3, 3)), lambda rng: np.array([0, 2, 2]), dims=(0,), accumulate=True),
        sample(
            floats(shape=(4, 3)), floats(shape=(2,)), lambda rng: np.array([0, 0]), lambda rng: np.array([1, 1]),
            dims=(0, 1), accumulate=True,
        ),
    ],
)  # fmt: skip


def _gathered(x: Shape, index: Shape, *, dim: int) -> Shape:
    ok = len(x) == len(index) and all(
        a <= b for d, (a, b) in enumerate(zip(index, x, strict=True)) if d != dim
    )
    if not ok and not (len(x) <= 1 and len(index) <= 1):
        raise ShapeError.of(
            f"gather(dim={dim})",
            given=f"a tensor {x} and an index {index}",
            must=f"the index needs as many axes as the tensor, and no larger size on any axis but dim={dim}",
        )
    return index


def _places(shape: Shape, index: Any, dim: int) -> Any:
    """A NumPy key that names, for each element of index, its place in an array of `shape`."""
    n = shape[dim]
    if index.size and (index.min() < -n or index.max() >= n):
        bad = index[(index < -n) | (index >= n)].flat[0]
        raise IndexingError.of(
            f"gather or scatter along dim={dim}",
            given=f"index {bad} for a tensor {shape}",
            must=f"every index must lie in [0, {n - 1}]",
        )
    grid = np.ogrid[tuple(slice(0, s) for s in index.shape)] if index.ndim > 1 else [None]
    return tuple(index if d == dim else grid[d] for d in range(index.ndim))


def _gather(x: Any, index: Any, *, dim: int) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        return x.reshape(-1)[index.reshape(-1)].reshape(index.shape)
    return x[_places(x.shape, index, dim)]


GATHER = primitive(
    "gather", kind=MOVEMENT, inputs="x index", formula="gather(x, index)", shape=_gathered, dtype=FIRST, numpy=_gather,
    vjp=(lambda g, x_shape, index, dim: SCATTER_ADD(g.new_zeros(x_shape), index, g, dim=dim), None),
    jvp=lambda tangents, out, x, index, *, dim: GATHER(tangents[0], index, dim=dim),
    d=("scatter_add(zeros(x.shape), index, g, dim)", None), why="each copy sends its gradient back",
    samples=[
        sample(floats(shape=(3, 4)), lambda rng: np.array([[0, 3, 3], [1, 1, 0]]), dim=1),
        sample(floats(shape=(3, 4)), lambda rng: np.array([[0, 2, 1, 0]]), dim=0),
    ],
)  # fmt: skip


def _scattered(x: Shape, index: Shape, y: Shape, *, dim: int) -> Shape:
    fits_y = len(index) == len(y) and all(a <= b for a, b in zip(index, y, strict=True))
    fits_x = len(index) == len(x) and all(
        a <= b for d, (a, b) in enumerate(zip(index, x, strict=True)) if d != dim
    )
    if index and 0 not in index and not (fits_x and fits_y):
        raise ShapeError.of(
            f"scatter(dim={dim})",
            given=f"a tensor {x}, an index {index} and a source {y}",
            must=f"the index must not be larger than the source on any axis, nor than the tensor on any axis but dim={dim}",
        )
    return x


def _scatter_into(x: Any, index: Any, y: Any, dim: int, add: bool) -> Any:
    out = x.copy()
    if index.size == 0:
        return out
    if x.ndim == 0:
        flat = out.reshape(1)
        flat[0] = flat[0] + y.sum() if add else y.reshape(-1)[-1]
        return out
    places = _places(x.shape, index, dim)
    part = y[tuple(slice(0, n) for n in index.shape)]
    if add:
        np.add.at(out, places, part)
    else:
        out[places] = part
    return out


def _scatter_source(g: Any, index: Any, y_shape: Shape, dim: int) -> Any:
    part = GATHER(g, index, dim=dim)
    if part.shape == y_shape:
        return part
    corner = tuple(slice(0, n) for n in part.shape)
    return OVERWRITE(g.new_zeros(y_shape), part, steps=((SLICE, {"key": corner}),))


_SCATTER_SAMPLES = [
    sample(floats(shape=(3, 4)), lambda rng: np.array([[0, 3, 2], [1, 2, 0]]), floats(shape=(2, 3)), dim=1),
    sample(floats(shape=(3, 4)), lambda rng: np.array([[0, 2, 1, 0]]), floats(shape=(2, 4)), dim=0),
]
SCATTER = primitive(
    "scatter", kind=MOVEMENT, inputs="x index y", formula="scatter(x, index, y)", shape=_scattered, dtype=FIRST,
    numpy=lambda x, index, y, *, dim: _scatter_into(x, index, y, dim, False),
    vjp=(
        lambda g, index, dim: SCATTER(g, index, g.new_zeros(index.shape), dim=dim),
        None,
        _scatter_source,
    ),
    jvp=lambda tangents, out, x, index, y, *, dim: SCATTER(
        out.new_zeros(x.shape) if tangents[0] is None else tangents[0],
        index,
        out.new_zeros(y.shape) if tangents[2] is None else tangents[2],
        dim=dim,
    ),
    why="what is overwritten no longer counts", samples=_SCATTER_SAMPLES,
    ties="where several elements go to one place, the gradient to the source is that of each",
)  # fmt: skip
SCATTER_ADD = primitive(
    "scatter_add", kind=MOVEMENT, inputs="x index y", formula="x with y added at index", shape=_scattered, dtype=FIRST,
    numpy=lambda x, index, y, *, dim: _scatter_into(x, index, y, dim, True),
    vjp=(lambda g: g, None, _scatter_source),
    jvp=lambda tangents, out, x, index, y, *, dim: SCATTER_ADD(
        out.new_zeros(x.shape) if tangents[0] is None else tangents[0],
        index,
        out.new_zeros(y.shape) if tangents[2] is None else tangents[2],
        dim=dim,
    ),
    d=("g", None, None), why="sum rule",
    samples=[
        *_SCATTER_SAMPLES,
        sample(floats(shape=(3,)), lambda rng: np.array([0, 0, 2, 0]), floats(shape=(4,)), dim=0),
    ],
)  # fmt: skip


def _argsort(x: Any, *, dim: int, descending: bool) -> Any:
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # Stable and descending: sort the reversed array ascending, then read it backwards. NaN counts as largest.
    n = x.shape[dim]
    order = np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return np.ascontiguousarray(n - 1 - order)


ARGSORT = primitive(
    "argsort", kind=SCAN, formula="argsort(x)", shape=same_shape, dtype=COUNTS, numpy=_argsort, vjp=NOT_DIFFERENTIABLE,
    jvp=NOT_DIFFERENTIABLE, why="piecewise constant", ties="equal elements keep their order",
    samples=[sample(distinct(), dim=1, descending=False), sample(distinct((3, 2)), dim=0, descending=True)],
)  # fmt: skip
