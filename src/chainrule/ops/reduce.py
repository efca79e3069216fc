"""Entries: sums, extrema and tests along axes. Next: `scan.py`; then `softmax.py`, `norm.py`.

Settings: `dim` is a sorted tuple of axes (one axis for `argmax` and `argmin`), normalised by `functions/`;
`keepdim` keeps reduced axes with size 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import dtype, int64
from ..core.errors import IndexingError
from ..core.shapes import Shape
from .batching import Stacked
from .lowering import Composed, Fold
from .primitive import LINEAR, NOT_DIFFERENTIABLE, REDUCTION, primitive, sample
from .rules import ACCUMULATES, COUNTS, SAME, TRUTHS
from .samples import booleans, distinct, floats
from .views import EXPAND, RESHAPE

add_up: Any = np.add.reduce  # NumPy's type hints know `keepdims` as a literal only


def reduced(x: Shape, *, dim: tuple[int, ...], keepdim: bool, **settings: Any) -> Shape:
    """Shape rule: the axes in `dim` removed, or kept with size 1."""
    if keepdim:
        return tuple(1 if i in dim else n for i, n in enumerate(x))
    return tuple(n for i, n in enumerate(x) if i not in dim)


def spread(g: Any, shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The adjoint of a sum: g back over the reduced axes, as a view."""
    if not keepdim and len(dim) != len(shape):
        g = RESHAPE(g, shape=tuple(1 if i in dim else n for i, n in enumerate(shape)))
    return EXPAND(g, shape=shape)


def wide(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Half precision as float32: a total in half precision would lose all but three digits."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _sum(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    kind = x.dtype.kind
    if kind == "f":
        if x.dtype.itemsize == 2:
            return add_up(x, axis=dim, dtype=np.float32, keepdims=keepdim).astype(np.float16)
        return add_up(x, axis=dim, keepdims=keepdim)
    return add_up(x, axis=dim, dtype=np.int64, keepdims=keepdim)


SUM = primitive(
    "sum", strict=True, kind=REDUCTION, formula="sum(x)", shape=reduced, dtype=ACCUMULATES, numpy=_sum,
    lower=Fold(lambda d: 0, lambda b, total, x: b.add(total, x)), batch=Stacked("dim"),
    vjp=(lambda g, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim),), jvp=LINEAR,
    d="spread(g, x.shape, dim, keepdim)", why="sum rule: every summand gets g",
    samples=[
        sample(floats(shape=(2, 3)), dim=(0, 1), keepdim=False),
        sample(floats(shape=(2, 3, 2)), dim=(1,), keepdim=True),
        sample(floats(shape=(2, 3, 2)), dim=(0, 2), keepdim=False),
    ],
)  # fmt: skip


def _not_empty(x: Shape, *, dim: tuple[int, ...], keepdim: bool) -> Shape:
    if any(x[i] == 0 for i in dim):
        raise IndexingError.of(
            "a maximum or minimum",
            given=f"an axis of size 0 (shape {x}, dim={dim})",
            must="there must be at least one element to choose from",
        )
    return reduced(x, dim=dim, keepdim=keepdim)


def _extremum(reduce: Any) -> Any:
    return lambda x, *, dim, keepdim: reduce(x, axis=dim, keepdims=keepdim)


def _chosen(x: Any, out: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Which elements are the extremum of their slice; where that is NaN, those that are NaN."""
    return (x == spread(out, tuple(x.shape), dim, keepdim)) | (x != x)


def _extremum_vjp(g: Any, out: Any, x: Any, x_shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    hit = _chosen(x, out, dim, keepdim)
    share = g / SUM(hit, dim=dim, keepdim=keepdim)
    return hit.where(spread(share, x_shape, dim, keepdim), 0.0)


def _extremum_jvp(tangents: Any, out: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    hit = _chosen(x, out, dim, keepdim)
    moved = SUM(hit.where(tangents[0], 0.0), dim=dim, keepdim=keepdim)
    return moved / SUM(hit, dim=dim, keepdim=keepdim)


_EXTREMUM_D = "where(x == spread(out, x.shape, dim, keepdim), spread(g, x.shape, dim, keepdim), 0.0)"
_EXTREMUM_SAMPLES = [
    sample(distinct(), dim=(0, 1), keepdim=False),
    sample(distinct((2, 3, 2)), dim=(1,), keepdim=True),
    sample(distinct((2, 3, 2)), dim=(0, 2), keepdim=False),
]


def _least(d: dtype) -> float:
    """What any element is at least."""
    if d.is_floating_point:
        return -math.inf
    return int(np.iinfo(d.numpy).min) if d.numpy.kind != "b" else 0


def _largest(d: dtype) -> float:
    """What any element is at most."""
    if d.is_floating_point:
        return math.inf
    return int(np.iinfo(d.numpy).max) if d.numpy.kind != "b" else 1


AMAX = primitive(
    "amax", strict=True, kind=REDUCTION, formula="max(x)", shape=_not_empty, dtype=SAME,
    numpy=_extremum(np.maximum.reduce),
    lower=Fold(_least, lambda b, total, x: b.maximum(total, x)), batch=Stacked("dim"),
    vjp=(_extremum_vjp,), jvp=_extremum_jvp, d=_EXTREMUM_D,
    why="the largest passes", samples=_EXTREMUM_SAMPLES, ties="equal largest elements share g evenly",
)  # fmt: skip
AMIN = primitive(
    "amin", strict=True, kind=REDUCTION, formula="min(x)", shape=_not_empty, dtype=SAME,
    numpy=_extremum(np.minimum.reduce),
    lower=Fold(_largest, lambda b, total, x: b.minimum(total, x)), batch=Stacked("dim"),
    vjp=(_extremum_vjp,), jvp=_extremum_jvp, d=_EXTREMUM_D,
    why="the smallest passes", samples=_EXTREMUM_SAMPLES, ties="equal smallest elements share g evenly",
)  # fmt: skip


def _one_of_axis(x: Shape, *, dim: int, keepdim: bool) -> Shape:
    return _not_empty(x, dim=(dim,), keepdim=keepdim) if x else ()


def _arg(function: Any) -> Any:
    def evaluate(x: Any, *, dim: int, keepdim: bool) -> Any:
        return function(x, axis=dim, keepdims=keepdim) if x.ndim else np.zeros((), np.int64)

    return evaluate


def _first_of(extremum: Any, x: Any, dim: int, keepdim: bool) -> Any:
    """The first place that holds the extremum, or NaN where there is one."""
    if x.dim() == 0:
        return NotImplemented
    n = x.shape[dim]
    best = extremum(x, dim=(dim,), keepdim=True)
    hit = (x == best) | (x != x) if x.dtype.is_floating_point else x == best
    shape = tuple(n if d == dim else 1 for d in range(x.dim()))
    places = x.new_tensor(np.arange(n).reshape(shape), dtype=int64)
    return AMIN(hit.where(places, n), dim=(dim,), keepdim=keepdim)


_ARG_SAMPLES = [sample(distinct(), dim=1, keepdim=False), sample(distinct((2, 3, 2)), dim=0, keepdim=True)]
ARGMAX = primitive(
    "argmax", kind=REDUCTION, formula="argmax(x)", shape=_one_of_axis, dtype=COUNTS, numpy=_arg(np.argmax),
    lower=Composed(lambda x, *, dim, keepdim: _first_of(AMAX, x, dim, keepdim)), batch=Stacked("dim"),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_ARG_SAMPLES,
    ties="the first of equal elements",
)  # fmt: skip
ARGMIN = primitive(
    "argmin", kind=REDUCTION, formula="argmin(x)", shape=_one_of_axis, dtype=COUNTS, numpy=_arg(np.argmin),
    lower=Composed(lambda x, *, dim, keepdim: _first_of(AMIN, x, dim, keepdim)), batch=Stacked("dim"),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_ARG_SAMPLES,
    ties="the first of equal elements",
)  # fmt: skip


def _test(reduce: Any) -> Any:
    def evaluate(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
        out = reduce(x, axis=dim, keepdims=keepdim)
        return np.asarray(out, np.uint8) if x.dtype == np.uint8 else out

    return evaluate


def _truth(b: Any, x: Any, d: dtype) -> Any:
    return b.cast(b.ne(x, 0), d)


_TEST_SAMPLES = [
    sample(booleans(), dim=(0, 1), keepdim=False),
    sample(booleans((2, 3)), dim=(1,), keepdim=True),
    sample(floats(shape=(2, 3)), dim=(0,), keepdim=False),
]
ALL = primitive(
    "all", kind=REDUCTION, formula="all(x)", shape=reduced, dtype=TRUTHS, numpy=_test(np.logical_and.reduce),
    lower=Fold(lambda d: 1, lambda b, total, x: b.minimum(total, x), _truth), batch=Stacked("dim"),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_TEST_SAMPLES,
)  # fmt: skip
ANY = primitive(
    "any", kind=REDUCTION, formula="any(x)", shape=reduced, dtype=TRUTHS, numpy=_test(np.logical_or.reduce),
    lower=Fold(lambda d: 0, lambda b, total, x: b.maximum(total, x), _truth), batch=Stacked("dim"),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_TEST_SAMPLES,
)  # fmt: skip
