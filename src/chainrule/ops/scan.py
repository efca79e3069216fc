"""Entries: running sums and products along an axis, and the product. Next: `softmax.py`.

Settings: `dim` is one axis, normalised by `functions/`. The gradient of a product divides by nothing, so it
is exact where elements are 0: it is made of the products of the elements before and after.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.shapes import Shape
from .batching import Stacked
from .lowering import Fold
from .move import CAT
from .primitive import LINEAR, REDUCTION, SCAN, USE_NUMPY, Primitive, primitive, sample
from .reduce import SUM, reduced, spread, wide
from .rules import ACCUMULATES, NO_BOOL, same_shape
from .samples import floats

_multiply_up: Any = np.multiply.reduce  # NumPy's type hints know `keepdims` as a literal only


def _running(accumulate: Any, x: Any, dim: int, reverse: bool) -> Any:
    total = x.dtype if x.dtype.kind == "f" else np.dtype(np.int64)
    if x.ndim == 0:
        return x.astype(total)
    w = np.flip(wide(x), dim) if reverse else wide(x)
    out = accumulate(w, axis=dim, dtype=w.dtype if w.dtype.kind == "f" else total)
    return np.ascontiguousarray(np.flip(out, dim) if reverse else out, total)


CUMSUM: Primitive = primitive(
    "cumsum", kind=SCAN, formula="cumsum(x)", shape=same_shape, dtype=ACCUMULATES,
    numpy=lambda x, *, dim, reverse: _running(np.add.accumulate, x, dim, reverse),
    lower=USE_NUMPY, batch=Stacked("dim"),
    vjp=(lambda g, dim, reverse: CUMSUM(g, dim=dim, reverse=not reverse),), jvp=LINEAR,
    d="cumsum(g, dim=dim, reverse=not reverse)", why="sum rule: every later total gets g",
    samples=[
        sample(floats(shape=(3, 2)), dim=0, reverse=False),
        sample(floats(shape=(2, 4)), dim=1, reverse=True),
    ],
)  # fmt: skip


def _alike(x: Shape, y: Shape, *, dim: int, reverse: bool) -> Shape:
    if x != y:
        raise ShapeError.of("a linear scan", given=f"shapes {x} and {y}", must="the shapes must be equal")
    return x


def _linear_scan(x: Any, y: Any, *, dim: int, reverse: bool) -> Any:
    if x.ndim == 0:
        return y.copy()
    a, b = np.moveaxis(x, dim, 0), np.moveaxis(y, dim, 0)
    out = np.empty(b.shape, b.dtype)
    steps = range(len(a) - 1, -1, -1) if reverse else range(len(a))
    s = np.zeros(b.shape[1:], b.dtype)
    for k in steps:
        s = a[k] * s + b[k]
        out[k] = s
    return np.ascontiguousarray(np.moveaxis(out, 0, dim))


def shifted(x: Any, dim: int, forward: bool) -> Any:
    """x moved by one place along dim, towards the end if `forward`; a zero enters."""
    if x.dim() == 0 or x.shape[dim] == 0:
        return x.new_zeros(x.shape)
    n = x.shape[dim]
    zero = x.new_zeros(x.narrow(dim, 0, 1).shape)
    kept = x.narrow(dim, 0 if forward else 1, n - 1)
    return CAT(*([zero, kept] if forward else [kept, zero]), dim=dim)


def scan_back(g: Any, x: Any, dim: int, reverse: bool) -> Any:
    """The adjoint of a linear scan: r[k] = g[k] + x[k+1] * r[k+1], the recurrence walked the other way."""
    return LINEAR_SCAN(shifted(x, dim, reverse), g, dim=dim, reverse=not reverse)


def _linear_scan_jvp(tangents: Any, out: Any, x: Any, y: Any, *, dim: int, reverse: bool) -> Any:
    tx, ty = tangents
    drive = ty if tx is None else tx * shifted(out, dim, not reverse) + (0 if ty is None else ty)
    return LINEAR_SCAN(x, drive, dim=dim, reverse=reverse)


LINEAR_SCAN: Primitive = primitive(
    "linear_scan", kind=SCAN, inputs="x y", formula="s[k] = x[k] * s[k-1] + y[k]", shape=_alike,
    dtype=NO_BOOL, numpy=_linear_scan,
    lower=USE_NUMPY, batch=Stacked("dim"), vjp=(
        lambda g, out, x, dim, reverse: scan_back(g, x, dim, reverse) * shifted(out, dim, not reverse),
        lambda g, x, dim, reverse: scan_back(g, x, dim, reverse),
    ),
    jvp=_linear_scan_jvp,
    d=("scan_back(g, x, dim, reverse) * shifted(out, dim, not reverse)", "scan_back(g, x, dim, reverse)"),
    why="chain rule along the recurrence",
    samples=[
        sample(floats(shape=(4,)), floats(shape=(4,)), dim=0, reverse=False),
        sample(floats(shape=(2, 3)), floats(shape=(2, 3)), dim=1, reverse=True),
    ],
)  # fmt: skip


def before(out: Any, dim: int) -> Any:
    """Of running products, for each place the product of what comes before it: out[k-1], at first 1."""
    if out.dim() == 0 or out.shape[dim] == 0:
        return out.new_ones(out.shape)
    return CAT(out.new_ones(out.narrow(dim, 0, 1).shape), out.narrow(dim, 0, out.shape[dim] - 1), dim=dim)


CUMPROD = primitive(
    "cumprod", kind=SCAN, formula="cumprod(x)", shape=same_shape, dtype=ACCUMULATES,
    numpy=lambda x, *, dim: _running(np.multiply.accumulate, x, dim, False),
    lower=USE_NUMPY, batch=Stacked("dim"),
    vjp=(lambda g, out, x, dim: before(out, dim) * scan_back(g, x, dim, False),),
    jvp=lambda tangents, out, x, *, dim: LINEAR_SCAN(
        x, tangents[0] * before(out, dim), dim=dim, reverse=False
    ),
    d="before(out, dim) * scan_back(g, x, dim, False)", why="product rule",
    samples=[
        sample(floats(shape=(4,)), dim=0),
        sample(floats(shape=(2, 3)), dim=1),
        sample(lambda rng: np.array([0.7, 0.0, -1.3, 0.0]), dim=0),
    ],
)  # fmt: skip


def _one_axis_removed(x: Shape, *, dim: int, keepdim: bool) -> Shape:
    return reduced(x, dim=(dim,), keepdim=keepdim) if x else ()


def _prod(x: Any, *, dim: int, keepdim: bool) -> Any:
    total = np.int64 if x.dtype.kind != "f" else None
    axis = dim if x.ndim else ()
    out = _multiply_up(wide(x), axis=axis, keepdims=keepdim, dtype=total)
    return out if total else np.asarray(out, x.dtype)


def others(x: Any, dim: int) -> Any:
    """The product of all elements along dim but one, for each: exact where x has zeros."""
    if x.dim() == 0:
        return x.new_ones(())
    left = before(CUMPROD(x, dim=dim), dim)
    right = before(CUMPROD(x.flip(dim), dim=dim), dim).flip(dim)
    return left * right


PROD = primitive(
    "prod", kind=REDUCTION, formula="prod(x)", shape=_one_axis_removed, dtype=ACCUMULATES, numpy=_prod,
    lower=Fold(lambda d: 1, lambda b, total, x: b.mul(total, x)), batch=Stacked("dim"),
    vjp=(lambda g, x, x_shape, dim, keepdim: spread(g, x_shape, (dim,), keepdim) * others(x, dim),),
    jvp=lambda tangents, out, x, *, dim, keepdim: SUM(
        tangents[0] * others(x, dim), dim=(dim,) if x.shape else (), keepdim=keepdim
    ),
    d="spread(g, x.shape, (dim,), keepdim) * others(x, dim)", why="product rule",
    samples=[
        sample(floats(shape=(4,)), dim=0, keepdim=False),
        sample(floats(shape=(2, 3)), dim=1, keepdim=True),
        sample(lambda rng: np.array([0.7, 0.0, -1.3]), dim=0, keepdim=False),
        sample(lambda rng: np.array([0.7, 0.0, -1.3, 0.0]), dim=0, keepdim=False),
    ],
)  # fmt: skip
