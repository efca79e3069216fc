"""`linalg`: inverses, determinants, factorisations, solvers; of a matrix, or of each of a stack.

Most factorisations give values only: backward through them is an error that says so (`tape/missing.py`).
Next: `norms.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..eager import need_tensor
from ..ops import arithmetic as ar
from ..ops import matrices as mx
from ..tape.missing import values_only
from . import pointwise as pw
from .extrema import amax
from .products import matmul, need_one_type
from .reductions import need_floating, sum
from .results import result_type
from .shaping import matrix_transposed, squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

_QR = result_type("linalg_qr", "Q", "R")
_SVD = result_type("linalg_svd", "U", "S", "Vh")
_OLD_QR = result_type("qr", "Q", "R")
_OLD_SVD = result_type("svd", "U", "S", "V")
_EIGH = result_type("linalg_eigh", "eigenvalues", "eigenvectors")
_SLOGDET = result_type("linalg_slogdet", "sign", "logabsdet")
_LSTSQ = result_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")


def _matrices(A: Tensor, name: str) -> Tensor:
    """A, if it is a matrix or a stack of floating-point type."""
    need_floating(A, name, "A.float()")
    if A._a.ndim < 2:
        raise ShapeError.of(
            name, given=f"a tensor {A._a.shape}", must="it needs two axes or more: a matrix, or a stack"
        )
    return A


def inv(A: Tensor) -> Tensor:
    """The inverse of a square matrix, or of each of a stack: (..., n, n) -> (..., n, n).

    Raises:  ArgumentError if a matrix is singular; ShapeError if it is not square; DTypeError for integers.

    >>> import chainrule as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return mx.INV(need_tensor(A, "linalg.inv"))


inverse = inv


def solve(A: Tensor, B: Tensor) -> Tensor:
    """x with A x = B, for a square A; B is a vector, a matrix, or a stack of these.

    Shapes:  (..., n, n), (..., n, k) -> (..., n, k), and for equal leading axes (..., n) -> (..., n).
    Raises:  ArgumentError if A is singular; ShapeError or DTypeError if they do not fit.

    >>> import chainrule as torch
    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 4.0]))
    tensor([1., 1.])
    """
    need_one_type(_matrices(A, "linalg.solve"), need_tensor(B, "linalg.solve"), "linalg.solve", "AB")
    vector = B._a.ndim == 1 or (B._a.ndim == A._a.ndim - 1 and B._a.shape == A._a.shape[:-1])
    return squeeze(mx.SOLVE(A, unsqueeze(B, -1)), -1) if vector else mx.SOLVE(A, B)


def det(A: Tensor) -> Tensor:
    """The determinant: (..., n, n) -> (...).

    Raises:  ShapeError if A is not square; DTypeError for integers.

    >>> import chainrule as torch
    >>> torch.linalg.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return mx.DET(need_tensor(A, "linalg.det"))


def slogdet(A: Tensor) -> Any:
    """The sign of the determinant and the logarithm (in nats) of its absolute value: (sign, logabsdet).

    Derivative:  of logabsdet the transposed inverse; the sign is constant.

    >>> import chainrule as torch
    >>> torch.slogdet(torch.eye(2)).logabsdet
    tensor(0.)
    """
    sign, _ = mx.SLOGDET(need_tensor(A, "linalg.slogdet"))
    return _SLOGDET(sign, mx.LOGABSDET(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant, in nats; -inf where it is 0, NaN where it is negative.

    >>> import chainrule as torch
    >>> torch.logdet(torch.eye(2))
    tensor(0.)
    """
    sign, value = slogdet(A)
    return ar.WHERE(pw.lt(sign, 0), math.nan, value)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """Lower triangular L with L Lᵀ = A, or upper triangular U with Uᵀ U = A, for a positive definite A.

    Only one triangle of A is read.
    Raises:  ArgumentError if A is not positive definite; ShapeError if it is not square.

    >>> import chainrule as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    x = matrix_transposed(_matrices(A, "linalg.cholesky")) if upper else need_tensor(A, "linalg.cholesky")
    lower = mx.CHOLESKY(x)
    return matrix_transposed(lower) if upper else lower


def old_cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`torch.cholesky`, the older form of `linalg.cholesky`.

    >>> import chainrule as torch
    >>> torch.cholesky(torch.tensor([[4.0]]))
    tensor([[2.]])
    """
    return cholesky(input, upper=upper)


# -- values only ---------------------------------------------------------------------------------------


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and upper triangular R, with Q R = A, as (Q, R). Values only.

    mode:  "reduced": Q (..., m, k) and R (..., k, n) with k = min(m, n); "complete": Q (..., m, m) and
           R (..., m, n); "r": only R of the reduced form.

    >>> import chainrule as torch
    >>> Q, R = torch.linalg.qr(torch.tensor([[3.0, 0.0], [4.0, 5.0]]))
    >>> torch.allclose(Q @ R, torch.tensor([[3.0, 0.0], [4.0, 5.0]]), atol=1e-5)
    True
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError.of(
            "linalg.qr", given=f"mode={mode!r}", must="the mode must be 'reduced', 'complete' or 'r'"
        )
    found = mx.QR(_matrices(A, "linalg.qr"), complete=mode == "complete")
    q, r = values_only("linalg.qr", (A,), found)
    return _QR(A.new_empty((0,)) if mode == "r" else q, r)


def old_qr(input: Tensor, some: bool = True) -> Any:
    """`torch.qr`, the older form of `linalg.qr`: `some=False` is the complete form.

    >>> import chainrule as torch
    >>> torch.qr(torch.zeros(3, 2)).Q.shape
    torch.Size([3, 2])
    """
    return _OLD_QR(*qr(input, "reduced" if some else "complete"))


def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """U, singular values S in descending order, and Vh, with U diag(S) Vh = A, as (U, S, Vh). Values only.

    Shapes:  (..., m, n) -> (..., m, m), (..., k), (..., n, n) with k = min(m, n); with full_matrices=False
             (..., m, k), (..., k), (..., k, n).

    >>> import chainrule as torch
    >>> torch.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    found = mx.SVD(_matrices(A, "linalg.svd"), full_matrices=full_matrices)
    return _SVD(*values_only("linalg.svd", (A,), found))


def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """`torch.svd`, the older form of `linalg.svd`: it returns V, not its transpose.

    >>> import chainrule as torch
    >>> torch.svd(torch.zeros(3, 2)).V.shape
    torch.Size([2, 2])
    """
    u, s, vh = svd(input, full_matrices=not some)
    if not compute_uv:
        *stack, m, n = input._a.shape
        u, vh = input.new_zeros((*stack, m, m)), input.new_zeros((*stack, n, n))
    return _OLD_SVD(u, s, matrix_transposed(vh))


def svdvals(A: Tensor) -> Tensor:
    """The singular values in descending order: (..., m, n) -> (..., min(m, n)). Values only.

    >>> import chainrule as torch
    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    values: Tensor = svd(A, full_matrices=False).S
    return values


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues in ascending order and eigenvectors (as columns) of a symmetric matrix. Values only.

    UPLO:    which triangle of A is read, "L" or "U".
    Raises:  ShapeError if A is not square; DTypeError for integers.

    >>> import chainrule as torch
    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    if UPLO not in ("L", "U"):
        raise ArgumentError.of("linalg.eigh", given=f"UPLO={UPLO!r}", must="it must be 'L' or 'U'")
    found = mx.EIGH(_matrices(A, "linalg.eigh"), lower=UPLO == "L")
    return _EIGH(*values_only("linalg.eigh", (A,), found))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of a symmetric matrix in ascending order. Values only. See `eigh`.

    >>> import chainrule as torch
    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    values: Tensor = eigh(A, UPLO).eigenvalues
    return values


def _cut(A: Tensor, s: Tensor, atol: Any, rtol: Any) -> Tensor:
    """Below what a singular value counts as 0: max(atol, rtol * the largest)."""
    if rtol is None:
        rtol = max(A._a.shape[-2:]) * float(np.finfo(A._a.dtype).eps) if not atol else 0.0
    return ar.MAXIMUM(amax(s, -1, True) * rtol, 0.0 if atol is None else atol)


def matrix_rank(A: Tensor, tol: Any = None, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The number of singular values above max(atol, rtol * the largest): (..., m, n) -> (...), int64.

    By default rtol is eps * max(m, n), or 0 if atol (also called tol) is given.

    >>> import chainrule as torch
    >>> torch.linalg.matrix_rank(torch.ones(3, 3))
    tensor(1)
    """
    s = svdvals(A)
    return sum(pw.gt(s, _cut(A, s, atol if tol is None else tol, rtol)), -1)


def pinv(A: Tensor, rcond: Any = None, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The Moore-Penrose inverse: (..., m, n) -> (..., n, m). Values only.

    Singular values up to max(atol, rtol * the largest) count as 0; rcond is the older name of rtol.

    >>> import chainrule as torch
    >>> torch.linalg.pinv(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    u, s, vh = svd(A, full_matrices=False)
    keep = pw.gt(s, _cut(A, s, atol, rtol if rcond is None else rcond))
    inverse_s = ar.WHERE(keep, pw.reciprocal(s), 0.0)
    return matmul(matrix_transposed(vh), unsqueeze(inverse_s, -1) * matrix_transposed(u))


old_pinverse = pinv


_DRIVERS = ("gelsy", "gelsd", "gelss", "gels")


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """w that makes ||A w - B|| smallest, as (solution, residuals, rank, singular_values). Values only.

    B:       one right-hand side, or several as columns: (..., m, n), (..., m, k) -> (..., n, k).
    rcond:   singular values up to rcond * the largest count as 0. By default, those of A with its columns
             scaled to a size near 1, up to eps * max(m, n): units of measurement do not matter then.
    driver:  which of the other results are filled, as in PyTorch: "gelsy" (the default) the rank, "gelsd" and
             "gelss" all, "gels" the residuals. These are sums of squares, given if m > n and A has full rank.
    Of several such w it is the smallest one. By default it is right to the last digits for the A and B that
    are given (`core/least_squares.py` says how); a warning tells the condition number where rounding A and B
    alone, in their last digit, leaves less than half of the digits of w.
    Raises:  ShapeError or DTypeError if A and B do not fit; ArgumentError if values are not finite.

    >>> import chainrule as torch
    >>> A = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> torch.linalg.lstsq(A, torch.tensor([[1.0], [3.0], [5.0]])).solution.round(decimals=4)
    tensor([[1.],
            [2.]])
    """
    if driver not in (None, *_DRIVERS):
        raise ArgumentError.of(
            "linalg.lstsq", given=f"driver={driver!r}", must=f"it must be one of {_DRIVERS}"
        )
    need_one_type(_matrices(A, "linalg.lstsq"), need_tensor(B, "linalg.lstsq"), "linalg.lstsq", "AB")
    vector = B._a.ndim == 1 or (B._a.ndim == A._a.ndim - 1 and B._a.shape == A._a.shape[:-1])
    right = unsqueeze(B, -1) if vector else B
    m, n = A._a.shape[-2:]
    (solution,) = values_only("linalg.lstsq", (A, right), [mx.LSTSQ(A, right, rcond=rcond)])
    a = A.detach()
    s = svdvals(a)
    if rcond is None:
        largest = amax(pw.abs(a), -2, True) if m else a.new_ones((*a._a.shape[:-2], 1, n))
        judged = svdvals(ar.WHERE(pw.gt(largest, 0), a / largest, 0.0))
        rank = sum(pw.gt(judged, _cut(A, judged, None, None)), -1)
    else:
        rank = sum(pw.gt(s, _cut(A, s, None, rcond)), -1)
    none = A.new_empty((0,))
    full = driver == "gels" or (driver in ("gelsd", "gelss") and bool((rank._a == n).all()))
    residuals = sum(pw.square(matmul(A, solution) - right), -2) if full and m > n else none
    return _LSTSQ(
        squeeze(solution, -1) if vector else solution,
        residuals,
        none.to(rank.dtype) if driver == "gels" else rank,
        s if driver in ("gelsd", "gelss") else none,
    )
