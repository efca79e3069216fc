"""Entries: sums, products, extrema and norms along axes; running sums and products; softmax and its kin.

Settings: `dim` is a sorted tuple of axes for reductions, one axis for the others (normalised by
`functions/`); `keepdim` keeps reduced axes with size 1. Next: `views.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.shapes import Shape
from .move import CAT
from .primitive import LINEAR, NOT_DIFFERENTIABLE, REDUCTION, SCAN, primitive, sample
from .rules import ACCUMULATES, COUNTS, FLOAT_ONLY, LOGICAL, SAME, same_shape
from .samples import booleans, distinct, floats, positive
from .views import EXPAND, RESHAPE


def reduced(x: Shape, *, dim: tuple[int, ...], keepdim: bool, **settings: Any) -> Shape:
    if keepdim:
        return tuple(1 if i in dim else n for i, n in enumerate(x))
    return tuple(n for i, n in enumerate(x) if i not in dim)


def _not_empty(x: Shape, *, dim: tuple[int, ...], keepdim: bool) -> Shape:
    if any(x[i] == 0 for i in dim) and 0 not in [n for i, n in enumerate(x) if i not in dim]:
        raise ShapeError.of(
            "a maximum or minimum",
            given=f"an axis of size 0 (shape {x}, dim={dim})",
            must="there must be at least one element to choose from",
        )
    return reduced(x, dim=dim, keepdim=keepdim)


def spread(g: Any, shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The adjoint of a sum: g back over the reduced axes, as a view."""
    if not keepdim and len(dim) != len(shape):
        g = RESHAPE(g, shape=tuple(1 if i in dim else n for i, n in enumerate(shape)))
    return EXPAND(g, shape=shape)


def _sum(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    kind = x.dtype.kind
    if kind == "f":
        if x.dtype.itemsize == 2:  # a half-precision total would lose all but three digits
            return np.add.reduce(x, axis=dim, dtype=np.float32, keepdims=keepdim).astype(np.float16)
        return np.add.reduce(x, axis=dim, keepdims=keepdim)
    return np.add.reduce(x, axis=dim, dtype=np.int64, keepdims=keepdim)


SUM = primitive(
    "sum", strict=True, kind=REDUCTION, formula="sum(x)", shape=reduced, dtype=ACCUMULATES, numpy=_sum,
    vjp=(lambda g, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim),), jvp=LINEAR,
    d="spread(g, x.shape, dim, keepdim)", why="sum rule: every summand gets g",
    samples=[
        sample(floats(shape=(2, 3)), dim=(0, 1), keepdim=False),
        sample(floats(shape=(2, 3, 2)), dim=(1,), keepdim=True),
        sample(floats(shape=(2, 3, 2)), dim=(0, 2), keepdim=False),
    ],
)  # fmt: skip


def _extremum(reduce: Any) -> Any:
    return lambda x, *, dim, keepdim: reduce(x, axis=dim, keepdims=keepdim)


def _extremum_vjp(g: Any, out: Any, x: Any, x_shape: Shape, dim: tuple[int, ...], keepdim: bool) -> Any:
    hit = x == spread(out, x_shape, dim, keepdim)
    return hit.where(spread(g / hit.sum(dim, keepdim), x_shape, dim, keepdim), 0.0)


def _extremum_jvp(tangents: Any, out: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    hit = x == spread(out, x.shape, dim, keepdim)
    return hit.where(tangents[0], 0.0).sum(dim, keepdim) / hit.sum(dim, keepdim)


_EXTREMUM_D = "where(x == spread(out, x.shape, dim, keepdim), spread(g, x.shape, dim, keepdim), 0.0)"
_EXTREMUM_SAMPLES = [
    sample(distinct(), dim=(0, 1), keepdim=False),
    sample(distinct((2, 3, 2)), dim=(1,), keepdim=True),
    sample(distinct((2, 3, 2)), dim=(0, 2), keepdim=False),
]

AMAX = primitive(
    "amax", kind=REDUCTION, formula="max(x)", shape=_not_empty, dtype=SAME, numpy=_extremum(np.maximum.reduce),
    vjp=(_extremum_vjp,), jvp=_extremum_jvp, d=_EXTREMUM_D, why="the largest passes", samples=_EXTREMUM_SAMPLES,
    ties="equal largest elements share g evenly",
)  # fmt: skip
AMIN = primitive(
    "amin", kind=REDUCTION, formula="min(x)", shape=_not_empty, dtype=SAME, numpy=_extremum(np.minimum.reduce),
    vjp=(_extremum_vjp,), jvp=_extremum_jvp, d=_EXTREMUM_D, why="the smallest passes", samples=_EXTREMUM_SAMPLES,
    ties="equal smallest elements share g evenly",
)  # fmt: skip


def _one_axis_removed(x: Shape, *, dim: int, keepdim: bool) -> Shape:
    return reduced(x, dim=(dim,), keepdim=keepdim) if x else ()


def _nonempty_axis(x: Shape, *, dim: int, keepdim: bool) -> Shape:
    return _not_empty(x, dim=(dim,), keepdim=keepdim) if x else ()


def _arg(function: Any) -> Any:
    def evaluate(x: Any, *, dim: int, keepdim: bool) -> Any:
        return function(x, axis=dim, keepdims=keepdim) if x.ndim else np.zeros((), np.int64)

    return evaluate


_ARG_SAMPLES = [sample(distinct(), dim=1, keepdim=False), sample(distinct((2, 3, 2)), dim=0, keepdim=True)]
ARGMAX = primitive(
    "argmax", kind=REDUCTION, formula="argmax(x)", shape=_nonempty_axis, dtype=COUNTS, numpy=_arg(np.argmax),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_ARG_SAMPLES,
    ties="the first of equal elements",
)  # fmt: skip
ARGMIN = primitive(
    "argmin", kind=REDUCTION, formula="argmin(x)", shape=_nonempty_axis, dtype=COUNTS, numpy=_arg(np.argmin),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_ARG_SAMPLES,
    ties="the first of equal elements",
)  # fmt: skip

_LOGIC_SAMPLES = [
    sample(booleans(), dim=(0, 1), keepdim=False),
    sample(booleans((2, 3)), dim=(1,), keepdim=True),
]
ALL = primitive(
    "all", kind=REDUCTION, formula="all(x)", shape=reduced, dtype=LOGICAL,
    numpy=lambda x, *, dim, keepdim: np.logical_and.reduce(x, axis=dim, keepdims=keepdim),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_LOGIC_SAMPLES,
)  # fmt: skip
ANY = primitive(
    "any", kind=REDUCTION, formula="any(x)", shape=reduced, dtype=LOGICAL,
    numpy=lambda x, *, dim, keepdim: np.logical_or.reduce(x, axis=dim, keepdims=keepdim),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant", samples=_LOGIC_SAMPLES,
)  # fmt: skip


# -- running sums and products ------------------------------------------------------------------


def _reversed(x: Any, dim: int) -> Any:
    return np.flip(x, dim) if x.ndim else x


def _cumulative(accumulate: Any) -> Any:
    def evaluate(x: Any, *, dim: int, reverse: bool = False) -> Any:
        wide = np.int64 if x.dtype.kind != "f" else None
        if x.ndim == 0:
            return x.astype(wide or x.dtype)
        if reverse:
            return np.ascontiguousarray(_reversed(accumulate(_reversed(x, dim), axis=dim, dtype=wide), dim))
        return accumulate(x, axis=dim, dtype=wide)

    return evaluate


CUMSUM = primitive(
    "cumsum", kind=SCAN, formula="cumsum(x)", shape=same_shape, dtype=ACCUMULATES, numpy=_cumulative(np.add.accumulate),
    vjp=(lambda g, dim, reverse: CUMSUM(g, dim=dim, reverse=not reverse),), jvp=LINEAR,
    d="cumsum(g, dim, reverse=not reverse)", why="sum rule: every later total gets g",
    samples=[
        sample(floats(shape=(3, 2)), dim=0, reverse=False),
        sample(floats(shape=(2, 4)), dim=1, reverse=True),
        sample(floats(shape=()), dim=0, reverse=False),
    ],
)  # fmt: skip


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


def _shifted(x: Any, dim: int, forward: bool) -> Any:
    """x moved by one place along dim, towards the end if `forward`; a zero enters."""
    if x.dim() == 0 or x.shape[dim] == 0:
        return x * 0
    n = x.shape[dim]
    zero = x.narrow(dim, 0, 1) * 0
    kept = x.narrow(dim, 0 if forward else 1, n - 1)
    return CAT(*([zero, kept] if forward else [kept, zero]), dim=dim)


def _scan_back(g: Any, x: Any, dim: int, reverse: bool) -> Any:
    # r_k = g_k + x_{k+1} r_{k+1}: the same recurrence, walked the other way
    return LINEAR_SCAN(_shifted(x, dim, forward=reverse), g, dim=dim, reverse=not reverse)


def _linear_scan_jvp(tangents: Any, out: Any, x: Any, y: Any, *, dim: int, reverse: bool) -> Any:
    tx, ty = tangents
    drive = ty if tx is None else tx * _shifted(out, dim, not reverse) + (0 if ty is None else ty)
    return LINEAR_SCAN(x, drive, dim=dim, reverse=reverse)


LINEAR_SCAN = primitive(
    "linear_scan", kind=SCAN, inputs="x y", formula="s[k] = x[k] * s[k-1] + y[k]", shape=same_shape, dtype=SAME,
    numpy=_linear_scan,
    vjp=(
        lambda g, out, x, dim, reverse: _scan_back(g, x, dim, reverse) * _shifted(out, dim, not reverse),
        lambda g, x, dim, reverse: _scan_back(g, x, dim, reverse),
    ),
    jvp=_linear_scan_jvp, why="chain rule along the recurrence",
    samples=[
        sample(floats(shape=(4,)), floats(shape=(4,)), dim=0, reverse=False),
        sample(floats(shape=(2, 3)), floats(shape=(2, 3)), dim=1, reverse=True),
    ],
)  # fmt: skip


def _cumprod_vjp(g: Any, out: Any, x: Any, dim: int) -> Any:
    # d out_i / d x_k = out_{k-1} * x_{k+1} ... x_i, so no division: exact where x has zeros
    before = _before(out, dim)
    return before * _scan_back(g, x, dim, False)


def _before(out: Any, dim: int) -> Any:
    """out[k-1], with 1 before the first."""
    if out.dim() == 0 or out.shape[dim] == 0:
        return out * 0 + 1
    return CAT(out.narrow(dim, 0, 1) * 0 + 1, out.narrow(dim, 0, out.shape[dim] - 1), dim=dim)


CUMPROD = primitive(
    "cumprod", kind=SCAN, formula="cumprod(x)", shape=same_shape, dtype=ACCUMULATES,
    numpy=lambda x, *, dim: _cumulative(np.multiply.accumulate)(x, dim=dim), vjp=(_cumprod_vjp,),
    jvp=lambda tangents, out, x, *, dim: LINEAR_SCAN(x, tangents[0] * _before(out, dim), dim=dim, reverse=False),
    why="product rule",
    samples=[
        sample(floats(shape=(4,)), dim=0),
        sample(floats(shape=(2, 3)), dim=1),
        sample(lambda rng: np.array([0.7, 0.0, -1.3, 0.0]), dim=0),
    ],
)  # fmt: skip


def others(x: Any, dim: int) -> Any:
    """The product of all elements along dim but one, for each: exact where x has zeros."""
    if x.dim() == 0:
        return x * 0 + 1
    left = _before(CUMPROD(x, dim=dim), dim)
    right = _before(CUMPROD(x.flip(dim), dim=dim), dim).flip(dim)
    return left * right


PROD = primitive(
    "prod", kind=REDUCTION, formula="prod(x)", shape=_one_axis_removed, dtype=ACCUMULATES,
    numpy=lambda x, *, dim, keepdim: np.multiply.reduce(
        x, axis=dim if x.ndim else (), keepdims=keepdim, dtype=None if x.dtype.kind == "f" else np.int64
    ),
    vjp=(lambda g, x, x_shape, dim, keepdim: spread(g, x_shape, (dim,) if x_shape else (), keepdim) * others(x, dim),),
    jvp=lambda tangents, out, x, *, dim, keepdim: (tangents[0] * others(x, dim)).sum((dim,) if x.shape else (), keepdim),
    why="product rule",
    samples=[
        sample(floats(shape=(4,)), dim=0, keepdim=False),
        sample(floats(shape=(2, 3)), dim=1, keepdim=True),
        sample(lambda rng: np.array([0.7, 0.0, -1.3]), dim=0, keepdim=False),
        sample(lambda rng: np.array([0.7, 0.0, -1.3, 0.0]), dim=0, keepdim=False),
    ],
)  # fmt: skip


# -- softmax and its kin ---------------------------------------------------------------------------


def _finite_max(x: Any, dim: Any) -> Any:
    """The maximum, with 0 in the place of an infinity, so that x - max is never inf - inf."""
    if 0 in x.shape:
        return np.zeros((), x.dtype)
    m = np.maximum.reduce(x, axis=dim, keepdims=True)
    return np.where(np.isfinite(m), m, 0).astype(x.dtype, copy=False)


def _logsumexp(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    m = _finite_max(x, dim)
    total = np.log(np.add.reduce(np.exp(x - m), axis=dim, keepdims=True)) + m
    return total if keepdim else total.reshape(reduced(x.shape, dim=dim, keepdim=False))


LOGSUMEXP = primitive(
    "logsumexp", kind=REDUCTION, formula="log(sum(exp(x)))", shape=reduced, dtype=FLOAT_ONLY, numpy=_logsumexp,
    vjp=(
        lambda g, out, x, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim)
        * (x - spread(out, x_shape, dim, keepdim)).exp(),
    ),
    jvp=lambda tangents, out, x, *, dim, keepdim: (
        tangents[0] * (x - spread(out, x.shape, dim, keepdim)).exp()
    ).sum(dim, keepdim),
    d="spread(g, x.shape, dim, keepdim) * exp(x - spread(out, x.shape, dim, keepdim))",
    why="the gradient of log-sum-exp is softmax",
    samples=[sample(floats(), dim=(0, 1), keepdim=False), sample(floats(shape=(2, 3, 2)), dim=(1,), keepdim=True)],
)  # fmt: skip


def _axis(x: Any, dim: int) -> Any:
    return dim if x.ndim else ()


def _softmax(x: Any, *, dim: int) -> Any:
    if x.size == 0:
        return np.empty(x.shape, x.dtype)
    e = x - np.maximum.reduce(x, axis=_axis(x, dim), keepdims=True)
    e = np.exp(e, out=e) if x.ndim else np.exp(e)
    e /= np.add.reduce(e, axis=_axis(x, dim), keepdims=True)
    return e


def _sum1(x: Any, dim: int) -> Any:
    return x.sum((dim,) if x.dim() else (), True)


SOFTMAX = primitive(
    "softmax", kind=SCAN, formula="exp(x) / sum(exp(x))", shape=same_shape, dtype=FLOAT_ONLY, numpy=_softmax,
    vjp=(lambda g, out, dim: out * (g - _sum1(g * out, dim)),),
    jvp=lambda tangents, out, x, *, dim: out * (tangents[0] - _sum1(tangents[0] * out, dim)),
    d="out * (g - (g * out).sum(dim, True))", why="quotient rule",
    samples=[sample(floats(), dim=1), sample(floats(shape=(2, 3, 2)), dim=1)],
)  # fmt: skip


def _log_softmax(x: Any, *, dim: int) -> Any:
    if x.size == 0:
        return np.empty(x.shape, x.dtype)
    y = x - np.maximum.reduce(x, axis=_axis(x, dim), keepdims=True)
    y -= np.log(np.add.reduce(np.exp(y), axis=_axis(x, dim), keepdims=True))
    return y


LOG_SOFTMAX = primitive(
    "log_softmax", kind=SCAN, formula="x - log(sum(exp(x)))", shape=same_shape, dtype=FLOAT_ONLY, numpy=_log_softmax,
    vjp=(lambda g, out, dim: g - out.exp() * _sum1(g, dim),),
    jvp=lambda tangents, out, x, *, dim: tangents[0] - _sum1(out.exp() * tangents[0], dim),
    d="g - exp(out) * g.sum(dim, True)", why="log-sum-exp: its gradient is softmax",
    samples=[sample(floats(), dim=1), sample(floats(shape=(2, 3, 2)), dim=1)],
)  # fmt: skip


# -- norms -----------------------------------------------------------------------------------------


def _norm(x: Any, *, p: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    if p == 2:
        out = np.sqrt(np.add.reduce(np.square(wide), axis=dim, keepdims=keepdim))
    else:
        out = np.power(np.add.reduce(np.power(np.abs(wide), p), axis=dim, keepdims=keepdim), 1 / p)
    return out.astype(x.dtype, copy=False)


def _norm_factor(out: Any, x: Any, p: float) -> Any:
    """d norm / d x, with the subgradient 0 where the norm is 0; `out` keeps its axes."""
    if p == 2:
        return (out == 0).where(0.0, x / out)
    return ((out == 0) | (x == 0)).where(0.0, x.sign() * (x.abs() / out) ** (p - 1))


NORM = primitive(
    "norm", kind=REDUCTION, formula="sum(|x|**p) ** (1/p)", shape=reduced, dtype=FLOAT_ONLY, numpy=_norm,
    vjp=(
        lambda g, out, x, x_shape, p, dim, keepdim: spread(g, x_shape, dim, keepdim)
        * _norm_factor(spread(out, x_shape, dim, keepdim), x, p),
    ),
    jvp=lambda tangents, out, x, *, p, dim, keepdim: (
        tangents[0] * _norm_factor(spread(out, x.shape, dim, keepdim), x, p)
    ).sum(dim, keepdim),
    d="spread(g, x.shape, dim, keepdim) * sign(x) * (abs(x) / spread(out, x.shape, dim, keepdim)) ** (p - 1)",
    why="chain rule", ties="0 where the whole norm is 0",
    samples=[
        sample(positive(), p=2.0, dim=(0, 1), keepdim=False),
        sample(floats(shape=(2, 3), avoid=(0,)), p=3.0, dim=(1,), keepdim=True),
        sample(floats(shape=(2, 3), avoid=(0,)), p=1.5, dim=(0,), keepdim=False),
    ],
)  # fmt: skip
