"""Entries: gather and scatter, where an index array of the full rank names places along one axis.

Next: `sort.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import IndexingError, ShapeError
from ..core.lending import own_copy
from ..core.shapes import Shape
from .batching import Stacked
from .lowering import Pull
from .primitive import MOVEMENT, USE_NUMPY, Primitive, primitive, sample
from .rules import FIRST
from .samples import at, floats
from .views import OVERWRITE, RESHAPE, SLICE


def _gathered(x: Shape, index: Shape, *, dim: int) -> Shape:
    fits = len(x) == len(index) and all(
        a <= b for d, (a, b) in enumerate(zip(index, x, strict=True)) if d != dim
    )
    if not fits and not (len(x) <= 1 and len(index) <= 1):
        raise ShapeError.of(
            f"gather(dim={dim})",
            given=f"a tensor {x} and an index {index}",
            must=f"the index needs as many axes as the tensor, and no larger size on any axis but dim={dim}",
        )
    return index


def _places(shape: Shape, index: Any, dim: int) -> Any:
    """A NumPy key that names, for each element of index, its place in an array of `shape`."""
    n = shape[dim]
    if index.size and (index.min() < 0 or index.max() >= n):
        bad = index[(index < 0) | (index >= n)].flat[0]
        raise IndexingError.of(
            f"gather or scatter along dim={dim}",
            given=f"index {bad} for a tensor {shape}",
            must=f"every index must lie in [0, {n - 1}]" if n else "the axis is empty: it has no places",
        )
    rank = index.ndim
    return tuple(
        index if d == dim else np.arange(index.shape[d]).reshape((-1,) + (1,) * (rank - 1 - d))
        for d in range(rank)
    )


def _gather(x: Any, index: Any, *, dim: int) -> Any:
    if x.ndim == 0 or index.ndim == 0:  # a 0-d tensor counts as a vector with one element
        x, flat = x.reshape(-1), index.reshape(-1)
        return x[_places(x.shape, flat, 0)].reshape(index.shape)
    return x[_places(x.shape, index, dim)]


def _pull(at: Any, out: Any, x: Any, index: Any, *, dim: int) -> Any:
    place = at.check(x, dim, at(index, out), from_end=False)
    return at(x, [place if d == dim else i for d, i in enumerate(out)])


GATHER: Primitive = primitive(
    "gather", kind=MOVEMENT, inputs="x index", formula="gather(x, index)", shape=_gathered, dtype=FIRST,
    numpy=_gather,
    lower=Pull(_pull, when=lambda x, index, *, dim: bool(x and index)), batch=Stacked("dim"),
    vjp=(lambda g, x_shape, index, dim: SCATTER_ADD(g.new_zeros(x_shape), index, g, dim=dim), None),
    jvp=lambda tangents, out, x, index, *, dim: GATHER(tangents[0], index, dim=dim),
    d=("scatter_add(zeros_like(x), index, g, dim=dim)", None), why="each copy sends its gradient back",
    samples=[
        sample(floats(shape=(3, 4)), at([[0, 3, 3], [1, 1, 0]]), dim=1),
        sample(floats(shape=(3, 4)), at([[0, 2, 1, 0]]), dim=0),
        sample(floats(shape=(4,)), at([3, 3, 0]), dim=0),
        sample(floats(shape=()), at([0, 0]), dim=0),
        sample(floats(shape=(2, 3)), at(np.zeros((2, 0))), dim=1),
    ],
)  # fmt: skip


def _scattered(x: Shape, index: Shape, y: Shape, *, dim: int) -> Shape:
    target = x or (1,)  # a 0-d tensor counts as a vector with one element
    index = index or (1,)
    y = y or (1,)
    fits_y = len(index) == len(y) and all(a <= b for a, b in zip(index, y, strict=True))
    fits_x = len(index) == len(target) and all(
        a <= b for d, (a, b) in enumerate(zip(index, target, strict=True)) if d != dim
    )
    if 0 not in index and not (fits_x and fits_y):
        raise ShapeError.of(
            f"scatter(dim={dim})",
            given=f"a tensor {x}, an index {index} and a source {y}",
            must="the index must not be larger than the source on any axis, nor than the tensor on any axis "
            f"but dim={dim}",
        )
    return x


def _scatter_into(x: Any, index: Any, y: Any, dim: int, add: bool) -> Any:
    out = own_copy(x)
    if index.size == 0:
        return out
    if x.ndim == 0 or index.ndim == 0:
        flat, index, y = out.reshape(-1), index.reshape(-1), y.reshape(-1)
    else:
        flat = out
    places = _places(flat.shape, index, dim)
    part = y[tuple(slice(0, n) for n in index.shape)]
    if add:
        np.add.at(flat, places, part)
    else:
        flat[places] = part
    return out


def read_back(g: Any, index: Any, shape: Shape, dim: int) -> Any:
    """The adjoint of writing a source of `shape` at `index`: each element gets its place's gradient."""
    part = GATHER(g, index, dim=dim)
    if tuple(part.shape) == shape:
        return part
    if 0 in part.shape:
        return g.new_zeros(shape)
    if not shape:
        return RESHAPE(part, shape=())
    if part.dim() == 0:
        part = RESHAPE(part, shape=(1,))
    corner = tuple(slice(0, n) for n in part.shape)
    return OVERWRITE(g.new_zeros(shape), part, steps=((SLICE, {"key": corner}),))


_SAMPLES = [
    sample(floats(shape=(3, 4)), at([[0, 3, 2], [1, 2, 0]]), floats(shape=(2, 3)), dim=1),
    sample(floats(shape=(3, 4)), at([[0, 2, 1, 0]]), floats(shape=(2, 4)), dim=0),
    sample(floats(shape=(3,)), at([2, 0]), floats(shape=(2,)), dim=0),
    sample(floats(shape=()), at([0]), floats(shape=(1,)), dim=0),
    sample(floats(shape=(3,)), at(2), floats(shape=(2,)), dim=0),
    sample(floats(shape=(2, 3)), at(np.zeros((2, 0))), floats(shape=(2, 3)), dim=1),
]


def _one_each(x: Shape, index: Shape, y: Shape, *, dim: int) -> bool:
    """Whether each slice along dim gets one element: then any element knows whether it is that one."""
    return len(x) > 0 and index == y == tuple(1 if d == dim else n for d, n in enumerate(x))


def _pull_scattered(at: Any, out: Any, x: Any, index: Any, y: Any, *, dim: int) -> Any:
    slice_ = [0 if d == dim else i for d, i in enumerate(out)]
    hit = at.b.eq(at.check(x, dim, at(index, slice_), from_end=False), out[dim])
    return at.b.select(hit, at(y, slice_), at(x, out))


SCATTER: Primitive = primitive(
    "scatter", kind=MOVEMENT, inputs="x index y", formula="scatter(x, index, y)", shape=_scattered,
    dtype=FIRST, numpy=lambda x, index, y, *, dim: _scatter_into(x, index, y, dim, False),
    lower=Pull(_pull_scattered, when=_one_each), batch=Stacked("dim"),
    vjp=(
        lambda g, index, y_shape, dim: SCATTER(g, index, g.new_zeros(y_shape), dim=dim),
        None,
        lambda g, index, y_shape, dim: read_back(g, index, y_shape, dim),
    ),
    jvp=lambda tangents, out, x, index, y, *, dim: SCATTER(
        x.new_zeros(x.shape) if tangents[0] is None else tangents[0],
        index,
        y.new_zeros(y.shape) if tangents[2] is None else tangents[2],
        dim=dim,
    ),
    d=("scatter(g, index, zeros_like(y), dim=dim)", None, "read_back(g, index, y.shape, dim)"),
    why="what is overwritten no longer counts", samples=_SAMPLES,
    ties="where several elements go to one place, the gradient to the source is that of each",
)  # fmt: skip

SCATTER_ADD: Primitive = primitive(
    "scatter_add", kind=MOVEMENT, inputs="x index y", formula="x with x[index] += y", shape=_scattered,
    dtype=FIRST, numpy=lambda x, index, y, *, dim: _scatter_into(x, index, y, dim, True),
    lower=USE_NUMPY, batch=Stacked("dim"),
    vjp=(lambda g: g, None, lambda g, index, y_shape, dim: read_back(g, index, y_shape, dim)),
    jvp=lambda tangents, out, x, index, y, *, dim: SCATTER_ADD(
        x.new_zeros(x.shape) if tangents[0] is None else tangents[0],
        index,
        y.new_zeros(y.shape) if tangents[2] is None else tangents[2],
        dim=dim,
    ),
    d=("g", None, "read_back(g, index, y.shape, dim)"), why="sum rule",
    samples=[*_SAMPLES, sample(floats(shape=(3,)), at([0, 0, 2, 0]), floats(shape=(4,)), dim=0)],
)  # fmt: skip
