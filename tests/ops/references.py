"""What each primitive must give, written without the package: plain Python, `math`, mpmath, SciPy, loops.

`REFERENCES[name]` gets the input arrays and the settings and returns the wanted values (any nesting that
NumPy turns into an array; integers without bounds, the check wraps them). Those of elementwise ops are in
`elementwise_references.py`, of random numbers in `draw_references.py`. `Properties` stands for results that
are not unique (factorisations): it gives pairs that must be equal. Next: `cases.py`.
"""

from __future__ import annotations

import builtins
import itertools
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mpmath
import numpy as np

from tests.ops.draw_references import DRAWS
from tests.ops.elementwise_references import ELEMENTWISE

Array = np.ndarray[Any, Any]


class Properties(NamedTuple):
    """pairs(outputs, *arrays, **settings) -> (what, got, wanted), ... of a result that is not unique."""

    pairs: Callable[..., Iterator[tuple[str, Array, Array]]]


def places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All index tuples in row-major order."""
    return list(itertools.product(*map(range, shape)))


def build(shape: tuple[int, ...], at: Callable[[tuple[int, ...]], Any]) -> Array:
    """The array with `at(place)` at each place."""
    out = np.empty(shape, object)
    for place in places(shape):
        out[place] = at(place)
    return out


def number(x: Array, place: tuple[int, ...]) -> Any:
    return x[place].item()


# -- along axes ----------------------------------------------------------------------------------------


def _fold(function: Callable[[list[Any]], Any]) -> Callable[..., Array]:
    """A reduction from a function of the list of elements (in row-major order) of one slice."""

    def reference(x: Array, *, dim: int | tuple[int, ...], keepdim: bool, **settings: Any) -> Array:
        dims = (dim,) if isinstance(dim, int) else dim
        dims = dims if x.ndim else ()
        kept = [1 if d in dims else n for d, n in enumerate(x.shape)]

        def at(place: tuple[int, ...]) -> Any:
            ranges = [range(x.shape[d]) if d in dims else [place[d]] for d in range(x.ndim)]
            return function([number(x, p) for p in itertools.product(*ranges)], **settings)

        out = build(tuple(kept), at)
        return out if keepdim else out.reshape([n for d, n in enumerate(x.shape) if d not in dims])

    return reference


def _scan(function: Callable[..., list[Any]]) -> Callable[..., Array]:
    """An op along one axis from a function of the list of elements of each line (of every input)."""

    def reference(*xs: Array, dim: int, **settings: Any) -> Array:
        shape = xs[0].shape
        if not shape:
            return np.array(function(*[[x.item()] for x in xs], **settings)[0], object)
        out = np.empty(shape, object)
        for rest in places(shape[:dim] + shape[dim + 1 :]):
            line = [(*rest[:dim], k, *rest[dim:]) for k in range(shape[dim])]
            results = function(*[[number(x, p) for p in line] for x in xs], **settings) if line else []
            for p, value in zip(line, results, strict=True):
                out[p] = value
        return out

    return reference


def _total(values: list[Any]) -> Any:
    return math.fsum(values) if any(isinstance(v, float) for v in values) else builtins.sum(values)


def _logsumexp(values: list[float]) -> float:
    return float(mpmath.log(mpmath.fsum(map(mpmath.exp, values)))) if values else -math.inf


def _norm(values: list[float], p: float) -> float:
    total = math.fsum(abs(v) ** p for v in values)
    return total ** (1 / p) if total or p > 0 else math.inf


def _linear_scan(xs: list[Any], ys: list[Any], *, reverse: bool) -> list[Any]:
    out: list[Any] = []
    for x, y in list(zip(xs, ys, strict=True))[:: -1 if reverse else 1]:
        out.append(x * (out[-1] if out else 0) + y)
    return out[:: -1 if reverse else 1]


def _softmax(values: list[float]) -> list[float]:
    powers = [mpmath.exp(v) for v in values]
    return [float(p / mpmath.fsum(powers)) for p in powers]


def _cumsum(values: list[Any], *, reverse: bool) -> list[Any]:
    return [_total(values[k:] if reverse else values[: k + 1]) for k in range(len(values))]


def _argsort(values: list[Any], *, descending: bool) -> list[int]:
    return sorted(range(len(values)), key=lambda k: -values[k] if descending else values[k])


# -- places --------------------------------------------------------------------------------------------


def _reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    elements = dict(zip(places(shape), places(x.shape), strict=True))
    return build(shape, lambda p: number(x, elements[p]))


def _permute(x: Array, *, dims: tuple[int, ...]) -> Array:
    def source(p: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(p[dims.index(d)] for d in range(x.ndim))

    return build(tuple(x.shape[d] for d in dims), lambda p: number(x, source(p)))


def _expand(x: Array, *, shape: tuple[int, ...]) -> Array:
    def source(p: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(0 if n == 1 else k for k, n in zip(p[len(shape) - x.ndim :], x.shape, strict=True))

    return build(shape, lambda p: number(x, source(p)))


def _slice(x: Array, *, key: tuple[Any, ...]) -> Array:
    items = list(key)
    used = builtins.sum(k is not None and k is not Ellipsis for k in items)
    full = [slice(None)] * (x.ndim - used)
    at = items.index(Ellipsis) if Ellipsis in items else len(items)
    items[at : at + 1] = full
    axes: list[list[int]] = []  # per axis of the result the index on the axis of x it walks along
    pattern: list[int | None] = []  # per axis of x its fixed index, or None
    walks: list[int] = []  # per axis of the result the axis of x, -1 for a new one
    for item in items:
        if item is None:
            axes.append([0])
            walks.append(-1)
        elif isinstance(item, slice):
            axes.append(list(range(*item.indices(x.shape[len(pattern)]))))
            walks.append(len(pattern))
            pattern.append(None)
        else:
            pattern.append(item % x.shape[len(pattern)])
    out = np.empty([len(a) for a in axes], object)
    for p in places(out.shape):
        where = list(pattern)
        for k, (axis, walk) in enumerate(zip(axes, walks, strict=True)):
            if walk >= 0:
                where[walk] = axis[p[k]]
        out[p] = number(x, tuple(where))  # type: ignore[arg-type]
    return out


def _diagonal(x: Array, *, offset: int, dim1: int, dim2: int) -> Array:
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    first = max(0, -offset), max(0, offset)
    count = max(0, min(x.shape[dim1] - first[0], x.shape[dim2] - first[1]))

    def at(p: tuple[int, ...]) -> Any:
        where = dict(zip(rest, p, strict=False)) | {dim1: first[0] + p[-1], dim2: first[1] + p[-1]}
        return number(x, tuple(where[d] for d in range(x.ndim)))

    return build((*[x.shape[d] for d in rest], count), at)


def _overwrite(x: Array, y: Array, *, steps: Any) -> Array:
    target = np.arange(x.size).reshape(x.shape)
    for op, settings in steps:
        target = REFERENCES[op.name](target, **settings).astype(np.int64)
    written = {int(target[p]): number(y, p) for p in places(y.shape)}
    numbered = dict(zip(places(x.shape), range(x.size), strict=True))
    return build(x.shape, lambda p: written.get(numbered[p], number(x, p)))


def _cast(x: Array, *, to: Any, source: Any) -> Array:
    def convert(v: Any) -> Any:
        if to.name == "bool":
            return v != 0
        if to.name.startswith("float"):
            code = {"float16": "e", "float32": "f", "float64": "d"}[to.name]
            return struct.unpack(code, struct.pack(code, v))[0]
        return int(v)  # cuts off the fraction

    return build(x.shape, lambda p: convert(number(x, p)))


def _cat(*xs: Array, dim: int) -> Array:
    parts = [(i, k) for i, x in enumerate(xs) for k in range(x.shape[dim])]
    shape = (*xs[0].shape[:dim], len(parts), *xs[0].shape[dim + 1 :])

    def at(p: tuple[int, ...]) -> Any:
        i, k = parts[p[dim]]
        return number(xs[i], (*p[:dim], k, *p[dim + 1 :]))

    return build(shape, at)


def _flip(x: Array, *, dims: tuple[int, ...]) -> Array:
    def source(p: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(x.shape[d] - 1 - k if d in dims else k for d, k in enumerate(p))

    return build(x.shape, lambda p: number(x, source(p)))


def _index_map(x: Array, indices: tuple[Array, ...], dims: tuple[int, ...]) -> dict[Any, tuple[int, ...]]:
    """Place in the result of x[indices] -> place in x, in row-major order."""
    spread = np.broadcast_arrays(*indices)
    rest = [d for d in range(x.ndim) if d not in dims]
    neighbours = list(dims) == list(range(dims[0], dims[0] + len(dims)))
    before = dims[0] if neighbours else 0
    shape = [x.shape[d] for d in rest]
    shape[before:before] = spread[0].shape
    found = {}
    for p in places(tuple(shape)):
        picked = p[before : before + spread[0].ndim]
        others = p[:before] + p[before + spread[0].ndim :]
        where = dict(zip(rest, others, strict=True))
        where |= {d: int(a[picked]) % x.shape[d] for d, a in zip(dims, spread, strict=True)}
        found[p] = tuple(where[d] for d in range(x.ndim))
    return {"shape": tuple(shape), **found}


def _index(x: Array, *indices: Array, dims: tuple[int, ...]) -> Array:
    found = _index_map(x, indices, dims)
    return build(found["shape"], lambda p: number(x, found[p]))


def _index_put(x: Array, y: Array, *indices: Array, dims: tuple[int, ...], accumulate: bool) -> Array:
    found = _index_map(x, indices, dims)
    out = x.astype(object)
    for p in places(y.shape):
        out[found[p]] = number(y, p) + (out[found[p]] if accumulate else 0)
    return out


def _gather(x: Array, index: Array, *, dim: int) -> Array:
    if not x.ndim:
        return build(index.shape, lambda p: x.item())
    return build(index.shape, lambda p: number(x, (*p[:dim], number(index, p), *p[dim + 1 :])))


def _scatter(add: bool) -> Callable[..., Array]:
    def reference(x: Array, index: Array, y: Array, *, dim: int) -> Array:
        out = np.atleast_1d(x.astype(object))  # what has no axes counts as a vector with one element
        index, y = np.atleast_1d(index), np.atleast_1d(y)
        for p in places(index.shape):
            to = (*p[:dim], number(index, p), *p[dim + 1 :])
            out[to] = number(y, p) + (out[to] if add else 0)
        return out.reshape(x.shape)

    return reference


# -- matrices ------------------------------------------------------------------------------------------


def _matmul(x: Array, y: Array) -> Array:
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = (np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in (x, y))
    inner = range(x.shape[-1])

    def at(p: tuple[int, ...]) -> Any:
        *b, i, j = p
        return _total([number(x, (*b, i, k)) * number(y, (*b, k, j)) for k in inner])

    return build((*lead, x.shape[-2], y.shape[-1]), at)


def _linear(x: Array, y: Array) -> Array:
    def at(p: tuple[int, ...]) -> Any:
        *b, o = p
        return _total([number(x, (*b, k)) * number(y, (o, k)) for k in range(y.shape[1])])

    return build((*x.shape[:-1], y.shape[0]), at)


def _per_matrix(function: Callable[..., Any], rank: int = 2) -> Callable[..., Array]:
    """From a function of mpmath matrices that gives a matrix (rank 2) or a number (rank 0)."""

    def reference(*xs: Array) -> Array:
        lead = np.broadcast_shapes(*[x.shape[:-2] for x in xs])
        spread = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in xs]
        results = [
            function(*[mpmath.matrix(x[b].astype(float).tolist()) for x in spread]) for b in np.ndindex(lead)
        ]
        if rank == 0:
            return np.array([float(r) for r in results]).reshape(lead)
        arrays = [np.array(r.tolist(), float) for r in results]
        return np.array(arrays).reshape(*lead, *arrays[0].shape)

    return reference


def _t(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _qr(outputs: Any, x: Array, *, complete: bool) -> Iterator[tuple[str, Array, Array]]:
    q, r = outputs
    assert q.shape[-1] == (x.shape[-2] if complete else min(x.shape[-2:]))
    yield "Q R", q @ r, x
    yield "Q.T Q", _t(q) @ q, np.broadcast_to(np.eye(q.shape[-1]), (*x.shape[:-2], q.shape[-1], q.shape[-1]))
    yield "R below the diagonal", np.tril(r, -1), np.zeros_like(r)


def _svd(outputs: Any, x: Array, *, full_matrices: bool) -> Iterator[tuple[str, Array, Array]]:
    u, s, vh = outputs
    k = s.shape[-1]
    yield "U S Vh", u[..., :, :k] * s[..., None, :] @ vh[..., :k, :], x
    yield "U.T U", _t(u) @ u, np.eye(u.shape[-1])
    yield "Vh Vh.T", vh @ _t(vh), np.eye(vh.shape[-2])
    wanted = mpmath.svd_r(mpmath.matrix(x.tolist()), compute_uv=False)
    yield "S", s, np.array([float(v) for v in wanted])


def _eigh(outputs: Any, x: Array, *, lower: bool) -> Iterator[tuple[str, Array, Array]]:
    values, vectors = outputs
    yield "A V", x @ vectors, vectors * values[..., None, :]
    yield "V.T V", _t(vectors) @ vectors, np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    yield "ascending", values, np.sort(values, -1)


def _slogdet(outputs: Any, x: Array) -> Iterator[tuple[str, Array, Array]]:
    determinant = _per_matrix(mpmath.det, 0)(x)
    yield "sign", outputs[0], np.sign(determinant)
    yield "logarithm", outputs[1], np.log(np.abs(determinant))


def _logabsdet(x: Array) -> Array:
    return np.log(np.abs(_per_matrix(mpmath.det, 0)(x)))


def _lstsq(x: Array, y: Array, *, rcond: Any) -> Array:
    def solved(a: Any, b: Any) -> Any:
        return mpmath.lu_solve(a.T * a, a.T * b)

    return np.concatenate([_per_matrix(solved)(x, y[..., k : k + 1]) for k in range(y.shape[-1])], -1)


def _solve(x: Array, y: Array) -> Array:
    columns = [_per_matrix(mpmath.lu_solve)(x, y[..., k : k + 1]) for k in range(y.shape[-1])]
    return np.concatenate(columns, -1)


REFERENCES: dict[str, Any] = {
    **DRAWS,
    **ELEMENTWISE,
    "sum": _fold(_total),
    "amax": _fold(max),
    "amin": _fold(min),
    "argmax": _fold(lambda v: v.index(max(v))),
    "argmin": _fold(lambda v: v.index(min(v))),
    "all": _fold(builtins.all),
    "any": _fold(builtins.any),
    "prod": _fold(math.prod),
    "logsumexp": _fold(_logsumexp),
    "norm": _fold(_norm),
    "cumsum": _scan(_cumsum),
    "cumprod": _scan(lambda v: list(itertools.accumulate(v, lambda a, b: a * b))),
    "linear_scan": _scan(_linear_scan),
    "softmax": _scan(_softmax),
    "log_softmax": _scan(lambda v: [a - _logsumexp(v) for a in v]),
    "cross_entropy": lambda x, target, ignore: np.array(
        [0.0 if t == ignore else _logsumexp(list(row)) - row[t] for row, t in zip(x, target, strict=True)]
    ),
    "argsort": _scan(_argsort),
    "reshape": _reshape,
    "permute": _permute,
    "expand": _expand,
    "slice": _slice,
    "diagonal": _diagonal,
    "overwrite": _overwrite,
    "copy": lambda x: x.tolist(),
    "cast": _cast,
    "cat": _cat,
    "flip": _flip,
    "index": _index,
    "index_put": _index_put,
    "gather": _gather,
    "scatter": _scatter(False),
    "scatter_add": _scatter(True),
    "matmul": _matmul,
    "linear": _linear,
    "inv": _per_matrix(mpmath.inverse),
    "solve": _solve,
    "det": _per_matrix(mpmath.det, 0),
    "cholesky": _per_matrix(mpmath.cholesky),
    "qr": Properties(_qr),
    "svd": Properties(_svd),
    "eigh": Properties(_eigh),
    "slogdet": Properties(_slogdet),
    "logabsdet": _logabsdet,
    "lstsq": _lstsq,
}
