"""Entries: log-sum-exp, softmax and its logarithm, computed so that nothing overflows.

Next: `cross_entropy.py`.

The largest element is subtracted first, which changes neither result and keeps every exponential at most 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .batching import Stacked
from .lowering import Composed
from .primitive import REDUCTION, SCAN, primitive, sample
from .reduce import AMAX, SUM, reduced, spread, wide
from .rules import FLOAT_ONLY, same_shape
from .samples import floats
from .views import RESHAPE


def _finite_max(x: Any, dim: Any) -> Any:
    """The maximum, with 0 in the place of an infinity, so that x - max is never inf - inf."""
    if 0 in x.shape:
        return np.zeros((), x.dtype)
    m = np.maximum.reduce(x, axis=dim, keepdims=True)
    return np.where(np.isfinite(m), m, 0).astype(x.dtype, copy=False)


def _logsumexp(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    w = wide(x)
    m = _finite_max(w, dim)
    total = np.log(np.add.reduce(np.exp(w - m), axis=dim, keepdims=True)) + m
    total = total.astype(x.dtype, copy=False)
    return total if keepdim else total.reshape(reduced(x.shape, dim=dim, keepdim=False))


def _native(x: Any) -> bool:
    """Whether the compiler takes the ops of this file apart: half precision would lose digits on the way."""
    return x.dtype.itemsize >= 4 and 0 not in x.shape


def _log_of_sum(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    if not _native(x):
        return NotImplemented
    m = AMAX(x, dim=dim, keepdim=True)
    m = m.isfinite().where(m, 0.0)
    total = SUM((x - m).exp(), dim=dim, keepdim=True).log() + m
    return total if keepdim else RESHAPE(total, shape=reduced(tuple(x.shape), dim=dim, keepdim=False))


LOGSUMEXP = primitive(
    "logsumexp", kind=REDUCTION, formula="log(sum(exp(x)))", shape=reduced, dtype=FLOAT_ONLY,
    numpy=_logsumexp,
    lower=Composed(_log_of_sum), batch=Stacked("dim"),
    vjp=(
        lambda g, out, x, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim)
        * (x - spread(out, x_shape, dim, keepdim)).exp(),
    ),
    jvp=lambda tangents, out, x, *, dim, keepdim: SUM(
        tangents[0] * (x - spread(out, tuple(x.shape), dim, keepdim)).exp(), dim=dim, keepdim=keepdim
    ),
    d="spread(g, x.shape, dim, keepdim) * exp(x - spread(out, x.shape, dim, keepdim))",
    why="the gradient of log-sum-exp is softmax",
    samples=[
        sample(floats(), dim=(0, 1), keepdim=False),
        sample(floats(shape=(2, 3, 2)), dim=(1,), keepdim=True),
    ],
)  # fmt: skip


def _axis(x: Any, dim: int) -> Any:
    return dim if x.ndim else ()


def _softmax(x: Any, *, dim: int) -> Any:
    if x.size == 0:
        return np.empty(x.shape, x.dtype)
    w = wide(x)
    e = np.asarray(w - np.maximum.reduce(w, axis=_axis(x, dim), keepdims=True))
    np.exp(e, out=e)
    e /= np.add.reduce(e, axis=_axis(x, dim), keepdims=True)
    return e.astype(x.dtype, copy=False)


def _sum1(x: Any, dim: int) -> Any:
    return SUM(x, dim=(dim,) if x.dim() else (), keepdim=True)


def powers(x: Any, dim: int) -> tuple[Any, Any, Any]:
    """(x - max, its exponential, the sum of that), along dim: what every op of this family starts with."""
    dims = (dim,) if x.dim() else ()
    y = x - AMAX(x, dim=dims, keepdim=True)
    e = y.exp()
    return y, e, SUM(e, dim=dims, keepdim=True)


def _shares(x: Any, *, dim: int) -> Any:
    if not _native(x):
        return NotImplemented
    _, e, total = powers(x, dim)
    return e / total


SOFTMAX = primitive(
    "softmax", kind=SCAN, formula="exp(x) / sum(exp(x))", shape=same_shape, dtype=FLOAT_ONLY, numpy=_softmax,
    lower=Composed(_shares), batch=Stacked("dim"),
    vjp=(lambda g, out, dim: out * (g - _sum1(g * out, dim)),),
    jvp=lambda tangents, out, x, *, dim: out * (tangents[0] - _sum1(tangents[0] * out, dim)),
    d="out * (g - (g * out).sum(dim, True))", why="quotient rule",
    samples=[sample(floats(), dim=1), sample(floats(shape=(2, 3, 2)), dim=1)],
)  # fmt: skip


def _log_softmax(x: Any, *, dim: int) -> Any:
    if x.size == 0:
        return np.empty(x.shape, x.dtype)
    w = wide(x)
    y = np.asarray(w - np.maximum.reduce(w, axis=_axis(x, dim), keepdims=True))
    y -= np.log(np.add.reduce(np.exp(y), axis=_axis(x, dim), keepdims=True))
    return y.astype(x.dtype, copy=False)


def _log_shares(x: Any, *, dim: int) -> Any:
    if not _native(x):
        return NotImplemented
    y, _, total = powers(x, dim)
    return y - total.log()


LOG_SOFTMAX = primitive(
    "log_softmax", kind=SCAN, formula="x - log(sum(exp(x)))", shape=same_shape, dtype=FLOAT_ONLY,
    numpy=_log_softmax,
    lower=Composed(_log_shares), batch=Stacked("dim"),
    vjp=(lambda g, out, dim: g - out.exp() * _sum1(g, dim),),
    jvp=lambda tangents, out, x, *, dim: tangents[0] - _sum1(out.exp() * tangents[0], dim),
    d="g - exp(out) * g.sum(dim, True)", why="log-sum-exp: its gradient is softmax",
    samples=[sample(floats(), dim=1), sample(floats(shape=(2, 3, 2)), dim=1)],
)  # fmt: skip
