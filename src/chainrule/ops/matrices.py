"""Entries: inverses, determinants, factorisations and solvers, of square matrices or stacks of them.

What has no gradient rule gives values only. Next: `../eager.py`, which runs all this.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import least_squares
from ..core.errors import ArgumentError, ShapeError
from ..core.shapes import BroadcastMismatch, Shape, broadcast_shapes
from .batching import ALIGNED, STACKED
from .primitive import DECOMPOSITION, NOT_DIFFERENTIABLE, USE_NUMPY, Primitive, primitive, sample
from .rules import STRICT_FLOAT
from .samples import definite, floats, invertible


def square_matrix(x: Shape, what: str) -> Shape:
    if len(x) < 2 or x[-1] != x[-2]:
        raise ShapeError.of(
            what, given=f"a tensor {x}", must="its last two axes must be equal: a square matrix, or a stack"
        )
    return x


INV = primitive(
    "inv", kind=DECOMPOSITION, formula="inv(x)", shape=lambda x: square_matrix(x, "linalg.inv"),
    dtype=STRICT_FLOAT, numpy=np.linalg.inv, lower=USE_NUMPY, batch=STACKED,
    vjp=(lambda g, out: -(out.mT @ g @ out.mT),),
    jvp=lambda tangents, out, x: -(out @ tangents[0] @ out),
    d="-(out.mT @ g @ out.mT)", why="from x inv(x) = 1",
    samples=[sample(invertible(3)), sample(invertible(2, (2,)))],
)  # fmt: skip


def _solved(x: Shape, y: Shape) -> Shape:
    square_matrix(x, "linalg.solve")
    if len(y) < 2 or x[-1] != y[-2]:
        raise ShapeError.of(
            "linalg.solve",
            given=f"shapes {x} and {y}",
            must="the matrix must have as many rows as the right-hand side",
        )
    try:
        return (*broadcast_shapes(x[:-2], y[:-2]), *y[-2:])
    except BroadcastMismatch as err:
        raise err.to_error("linalg.solve, in its leading axes,") from None


SOLVE: Primitive = primitive(
    "solve", kind=DECOMPOSITION, inputs="x y", formula="inv(x) @ y", shape=_solved, dtype=STRICT_FLOAT,
    numpy=np.linalg.solve, broadcasts=True,
    lower=USE_NUMPY, batch=ALIGNED,
    vjp=(lambda g, out, x: -(SOLVE(x.mT, g) @ out.mT), lambda g, x: SOLVE(x.mT, g)),
    jvp=lambda tangents, out, x, y: SOLVE(
        x, (0 if tangents[1] is None else tangents[1]) - (0 if tangents[0] is None else tangents[0] @ out)
    ),
    d=("-(solve(x.mT, g) @ out.mT)", "solve(x.mT, g)"), why="from x out = y",
    samples=[sample(invertible(3), floats(shape=(3, 2))), sample(invertible(2, (2,)), floats(shape=(2, 1)))],
)  # fmt: skip

DET = primitive(
    "det", kind=DECOMPOSITION, formula="det(x)", shape=lambda x: square_matrix(x, "linalg.det")[:-2],
    dtype=STRICT_FLOAT, numpy=lambda x: np.asarray(np.linalg.det(x), x.dtype),
    lower=USE_NUMPY, batch=STACKED, vjp=(lambda g, out, x: (g * out)[..., None, None] * INV(x).mT,),
    jvp=lambda tangents, out, x: out * (INV(x).mT * tangents[0]).sum((-2, -1)),
    d="(g * out)[..., None, None] * inv(x).mT", why="Jacobi's formula",
    ties="there is no rule at a singular matrix: backward refuses it", samples=[sample(invertible(3))],
)  # fmt: skip


def half_diagonal(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    return (x.tril() + x.tril(-1)) / 2


def symmetric(x: Any) -> Any:
    """The symmetric part."""
    return (x + x.mT) / 2


def _cholesky_vjp(g: Any, out: Any) -> Any:
    back = INV(out)
    return symmetric(back.mT @ half_diagonal(out.mT @ g) @ back)


def _cholesky_jvp(tangents: Any, out: Any, x: Any) -> Any:
    back = INV(out)
    return out @ half_diagonal(back @ symmetric(tangents[0]) @ back.mT)


CHOLESKY = primitive(
    "cholesky", kind=DECOMPOSITION, formula="cholesky(x)", dtype=STRICT_FLOAT,
    shape=lambda x: square_matrix(x, "linalg.cholesky"),
    numpy=lambda x: np.linalg.cholesky(np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)),
    lower=USE_NUMPY, batch=STACKED, vjp=(_cholesky_vjp,), jvp=_cholesky_jvp,
    d="symmetric(inv(out).mT @ half_diagonal(out.mT @ g) @ inv(out))",
    why="from L Lᵀ = x",
    ties="x is taken as symmetric: only its lower triangle is read, and the gradient is symmetric",
    samples=[sample(definite(3), within=symmetric), sample(definite(2, (2,)), within=symmetric)],
)  # fmt: skip


def _qr_shapes(x: Shape, *, complete: bool) -> tuple[Shape, Shape]:
    _at_least_2d(x, "linalg.qr")
    k = x[-2] if complete else min(x[-2:])
    return (*x[:-1], k), (*x[:-2], k, x[-1])


def _at_least_2d(x: Shape, what: str) -> None:
    if len(x) < 2:
        raise ShapeError.of(
            what, given=f"a tensor {x}", must="it needs two axes or more: a matrix, or a stack"
        )


QR = primitive(
    "qr", kind=DECOMPOSITION, formula="qr(x)", shape=_qr_shapes, dtype=STRICT_FLOAT, outputs=2,
    numpy=lambda x, *, complete: tuple(np.linalg.qr(x, "complete" if complete else "reduced")),
    lower=USE_NUMPY, batch=STACKED, vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="values only",
    samples=[
        sample(floats(shape=(4, 3)), complete=False),
        sample(floats(shape=(2, 2, 3)), complete=False),
        sample(floats(shape=(4, 3)), complete=True),
    ],
)  # fmt: skip


def _svd_shapes(x: Shape, *, full_matrices: bool) -> tuple[Shape, Shape, Shape]:
    _at_least_2d(x, "linalg.svd")
    m, n = x[-2:]
    k = min(m, n)
    return (*x[:-1], m if full_matrices else k), (*x[:-2], k), (*x[:-2], n if full_matrices else k, n)


SVD = primitive(
    "svd", kind=DECOMPOSITION, formula="svd(x)", shape=_svd_shapes, dtype=STRICT_FLOAT, outputs=3,
    numpy=lambda x, *, full_matrices: tuple(np.linalg.svd(x, full_matrices=full_matrices)),
    lower=USE_NUMPY, batch=STACKED, vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="values only",
    samples=[
        sample(floats(shape=(4, 3)), full_matrices=True),
        sample(floats(shape=(2, 3)), full_matrices=False),
    ],
)  # fmt: skip

EIGH = primitive(
    "eigh", kind=DECOMPOSITION, formula="eigh(x)",
    shape=lambda x, *, lower: (square_matrix(x, "linalg.eigh")[:-1], x),
    dtype=STRICT_FLOAT, outputs=2, numpy=lambda x, *, lower: tuple(np.linalg.eigh(x, "L" if lower else "U")),
    lower=USE_NUMPY, batch=STACKED, vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="values only",
    samples=[sample(definite(3), lower=True), sample(definite(2, (2,)), lower=False)],
)  # fmt: skip

SLOGDET = primitive(
    "slogdet", kind=DECOMPOSITION, formula="slogdet(x)",
    shape=lambda x: (square_matrix(x, "linalg.slogdet")[:-2], x[:-2]), dtype=STRICT_FLOAT, outputs=2,
    numpy=lambda x: tuple(np.asarray(v, x.dtype) for v in np.linalg.slogdet(x)),
    lower=USE_NUMPY, batch=STACKED,
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="values only", samples=[sample(invertible(3))],
)  # fmt: skip


LOGABSDET = primitive(
    "logabsdet", kind=DECOMPOSITION, formula="log(|det(x)|)",
    shape=lambda x: square_matrix(x, "linalg.slogdet")[:-2], dtype=STRICT_FLOAT,
    numpy=lambda x: np.asarray(np.linalg.slogdet(x)[1], x.dtype),
    lower=USE_NUMPY, batch=STACKED, vjp=(lambda g, x: g[..., None, None] * INV(x).mT,),
    jvp=lambda tangents, out, x: (INV(x).mT * tangents[0]).sum((-2, -1)),
    d="g[..., None, None] * inv(x).mT", why="Jacobi's formula",
    samples=[sample(invertible(3)), sample(invertible(2, (2,)))],
)  # fmt: skip


def _lstsq_shapes(x: Shape, y: Shape, *, rcond: float | None) -> Shape:
    if len(x) < 2 or len(y) != len(x) or x[:-1] != y[:-1]:
        raise ShapeError.of(
            "linalg.lstsq",
            given=f"shapes {x} and {y}",
            must="both must be matrices with the same number of rows, or stacks of as many of them",
        )
    return (*x[:-2], x[-1], y[-1])


def _lstsq(x: Any, y: Any, *, rcond: float | None) -> Any:
    out = np.empty((*x.shape[:-2], x.shape[-1], y.shape[-1]), x.dtype)
    for k in np.ndindex(x.shape[:-2]):
        out[k] = _lstsq_of_one(x[k], y[k], rcond)
    return out


def _lstsq_of_one(x: Any, y: Any, rcond: float | None) -> Any:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ArgumentError.of(
            "linalg.lstsq",
            given=f"shapes {x.shape} and {y.shape} with values that are not finite",
            must="infinity and nan have no least squares",
            hint="rows = A.isfinite().all(-1), and A[rows], B[rows]",
        )
    if rcond is not None:  # a cut that was asked for is one of A as it is
        return np.linalg.lstsq(x, y, rcond=rcond)[0]
    eps = float(np.finfo(x.dtype).eps)
    found = least_squares.solve(x.astype(np.float64), y.astype(np.float64), eps * max(x.shape))
    least_squares.warn_if_doubtful("linalg.lstsq", found, x.shape[-1], eps)
    return found.w


LSTSQ = primitive(
    "lstsq", kind=DECOMPOSITION, inputs="x y", formula="argmin(||x @ w - y||)", shape=_lstsq_shapes,
    dtype=STRICT_FLOAT, numpy=_lstsq,
    lower=USE_NUMPY, batch=STACKED, vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="values only",
    samples=[
        sample(floats(shape=(5, 3)), floats(shape=(5, 2)), rcond=None),
        sample(floats(shape=(2, 5, 2)), floats(shape=(2, 5, 1)), rcond=None),
    ],
)  # fmt: skip
