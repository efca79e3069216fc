"""Products of vectors and matrices, norms, and `linalg`: inverses, factorisations, solvers.

Next: `../tensor.py`, where the functions become methods.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import FROM_NUMPY, dtype
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import contract as ct
from ..ops import matrices as ms
from ..ops import views as vw
from . import pointwise as pw
from . import reductions as red
from .shaping import matrix_transposed, movedim, squeeze, unsqueeze

Tensor = Any


def _same_type(x: Tensor, y: Tensor, name: str) -> None:
    a, b = x._a.dtype, y._a.dtype
    if a != b:
        p, q = FROM_NUMPY[a], FROM_NUMPY[b]
        wider = p if p.category > q.category or (p.category == q.category and p.itemsize >= q.itemsize) else q
        which = "x" if wider is q else "y"
        raise DTypeError.of(
            name,
            given=f"x of type {p.name} {x._a.shape} and y of type {q.name} {y._a.shape}",
            must="a product does not convert its operands: both must have one type",
            hint=f"{which}.to({wider})" if wider.name != "float32" else f"{which}.float()",
        )


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product `x @ y`; leading axes broadcast, vectors count as a row on the left, a column on the right.

    Shapes:  (n, k) @ (k, m) -> (n, m); (..., n, k) @ (k,) -> (..., n); (k,) @ (k,) -> ().
    Raises:  ShapeError if the inner sizes differ, DTypeError if the types differ.
    Derivative:  g @ yᵀ and xᵀ @ g (product rule for matrices).

    >>> import chainrule as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]) @ torch.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    a, b = need_tensor(input, "matmul")._a, need_tensor(other, "matmul")._a
    if a.dtype is not b.dtype:
        _same_type(input, other, "x @ y")
    if a.ndim == 2 and b.ndim == 2:
        return ct.MATMUL(input, other)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError.of(
            "x @ y", given=f"shapes {a.shape} and {b.shape}", must="both need at least one axis", hint="x * y"
        )
    if a.ndim == 1 and b.ndim == 1:
        return dot(input, other)
    if a.ndim == 1:
        _inner(a.shape, b.shape, b.shape[-2])
        return squeeze(ct.MATMUL(unsqueeze(input, 0), other), -2)
    if b.ndim == 1:
        _inner(a.shape, b.shape, a.shape[-1])
        return squeeze(ct.MATMUL(input, unsqueeze(other, 1)), -1)
    return ct.MATMUL(input, other)


def _inner(a: tuple[int, ...], b: tuple[int, ...], size: int) -> None:
    have = a[0] if len(a) == 1 else b[0]
    if have != size:
        raise ShapeError.of(
            "x @ y",
            given=f"shapes {a} and {b}",
            must=f"the vector has {have} elements, but the matrix needs {size} on that side",
            hint="x.T @ y" if len(b) == 1 and len(a) == 2 and a[0] == have else "",
        )


def _need_rank(x: Tensor, rank: int, name: str, which: str) -> None:
    if need_tensor(x, name)._a.ndim != rank:
        word = {1: "a vector", 2: "a matrix", 3: "a stack of matrices (3 axes)"}[rank]
        raise ShapeError.of(
            name, given=f"{which} of shape {x._a.shape}", must=f"{which} must be {word}", hint="matmul(x, y)"
        )


def linear(input: Tensor, weight: Tensor) -> Tensor:
    """input @ weight.T: the linear map of a layer, without its bias.

    Shapes:  (..., i), (o, i) -> (..., o).
    Raises:  ShapeError if the last axes differ, DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.nn.functional.linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
    tensor([[3., 2.]])
    """
    _same_type(input, weight, "x @ weight.T")
    return ct.LINEAR_MAP(input, weight)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices. `matmul` takes any number of axes.

    >>> import chainrule as torch
    >>> torch.mm(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    _need_rank(input, 2, "torch.mm", "x")
    _need_rank(mat2, 2, "torch.mm", "y")
    _same_type(input, mat2, "torch.mm")
    return ct.MATMUL(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two stacks of matrices: (b, n, k) @ (b, k, m) -> (b, n, m).

    >>> import chainrule as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    _need_rank(input, 3, "torch.bmm", "x")
    _need_rank(mat2, 3, "torch.bmm", "y")
    _same_type(input, mat2, "torch.bmm")
    if input._a.shape[0] != mat2._a.shape[0]:
        raise ShapeError.of(
            "torch.bmm",
            given=f"shapes {input._a.shape} and {mat2._a.shape}",
            must="both stacks must have the same number of matrices",
            hint="matmul(x, y), which broadcasts",
        )
    return ct.MATMUL(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Matrix times vector: (n, k), (k,) -> (n,).

    >>> import chainrule as torch
    >>> torch.mv(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    _need_rank(input, 2, "torch.mv", "A")
    _need_rank(vec, 1, "torch.mv", "x")
    if input._a.dtype != vec._a.dtype:
        a, b = FROM_NUMPY[input._a.dtype], FROM_NUMPY[vec._a.dtype]
        hint = "A.float()" if a.category < b.category else "x.to(A.dtype)"
        if a.category < b.category and b.name != "float32":
            hint = f"A.to({b})"
        raise DTypeError.of(
            "torch.mv",
            given=f"A of type {a.name} {input._a.shape} and x of type {b.name} {vec._a.shape}",
            must="a product does not convert its operands: both must have one type",
            hint=hint,
        )
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors of one length: sum(x * y).

    >>> import chainrule as torch
    >>> torch.dot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _need_rank(input, 1, "torch.dot", "x")
    _need_rank(tensor, 1, "torch.dot", "y")
    _same_type(input, tensor, "torch.dot")
    n, m = input._a.shape[0], tensor._a.shape[0]
    if n != m:
        raise ShapeError.of(
            "torch.dot",
            given=f"vectors of {n} and {m} elements",
            must="both must have the same number of elements",
        )
    return vw.RESHAPE(ct.MATMUL(vw.RESHAPE(input, shape=(1, n)), vw.RESHAPE(tensor, shape=(n, 1))), shape=())


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors; for real numbers the same as `dot`."""
    return dot(input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Inner products along the last axes of both."""
    if input._a.ndim == 0 or other._a.ndim == 0:
        return input * other
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of x and one of y: (n,), (m,) -> (n, m).

    >>> import chainrule as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    _need_rank(input, 1, "torch.outer", "x")
    _need_rank(vec2, 1, "torch.outer", "y")
    return unsqueeze(input, 1) * vec2


ger = outer


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum of products over axes of a and b: the last and first `dims`, or the two lists of axes.

    >>> import chainrule as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, int):
        left, right = list(range(a._a.ndim - dims, a._a.ndim)), list(range(dims))
    else:
        left = [axis_index(d, a._a.ndim, "tensordot") for d in dims[0]]
        right = [axis_index(d, b._a.ndim, "tensordot") for d in dims[1]]
    sizes = [a._a.shape[d] for d in left]
    if sizes != [b._a.shape[d] for d in right]:
        raise ShapeError.of(
            "tensordot",
            given=f"shapes {a._a.shape} and {b._a.shape}, axes {left} and {right}",
            must="the paired axes must have equal sizes",
        )
    k = math.prod(sizes)
    keep_a = [d for d in range(a._a.ndim) if d not in left]
    keep_b = [d for d in range(b._a.ndim) if d not in right]
    x = a.permute(*keep_a, *left).reshape(-1, k) if a._a.ndim else a.reshape(1, 1)
    y = b.permute(*right, *keep_b).reshape(k, -1) if b._a.ndim else b.reshape(1, 1)
    return (x @ y).reshape(*[a._a.shape[d] for d in keep_a], *[b._a.shape[d] for d in keep_b])


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * mat1 @ mat2."""
    product = mm(mat1, mat2)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * mat @ vec."""
    product = mv(mat, vec)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices, from left to right."""
    out = matrices[0]
    for m in matrices[1:]:
        out = mm(out, m)
    return out


# -- norms ----------------------------------------------------------------------------------------------


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: dtype | None = None
) -> Tensor:
    """Norm of all elements as one vector, or over the axes in `dim`.

    p:  "fro" or 2 (Euclid, Frobenius), 1, any number, inf, -inf, 0, or "nuc" (sum of singular values).

    >>> import chainrule as torch
    >>> u = torch.tensor([3.0, -4.0])
    >>> torch.norm(u), torch.norm(u, 1)
    (tensor(5.), tensor(7.))
    """
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError.of(
            "norm", given=f"p={p!r}", must="p must be a number, 'fro' or 'nuc'", hint="p=2"
        )
    return red.vector_norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other."""
    return norm(input - other, p)


def matrix_norm(input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """Norm of a matrix: "fro", "nuc", 1 and inf (largest column and row sum), 2 (largest singular value), or negatives.

    >>> import chainrule as torch
    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    rank = input._a.ndim
    if rank < 2:
        raise ShapeError.of(
            "matrix_norm", given=f"a tensor {input._a.shape}", must="it needs at least 2 axes"
        )
    rows, columns = (axis_index(d, rank, "matrix_norm") for d in dim)
    if ord == "fro":
        return red.vector_norm(input, 2, (rows, columns), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = red.sum(pw.abs(input), along, True)
        out = (red.amax if ord > 0 else red.amin)(sums, over, True)
        return out if keepdim else squeeze(out, (rows, columns))
    if ord in ("nuc", 2, -2):
        s = svdvals(movedim(input, (rows, columns), (-2, -1)))
        out = red.sum(s, -1) if ord == "nuc" else red.amax(s, -1) if ord == 2 else red.amin(s, -1)
        if keepdim:
            for d in sorted((rows, columns)):
                out = unsqueeze(out, d)
        return out
    raise ArgumentError.of(
        "matrix_norm", given=f"ord={ord!r}", must="ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
    )


def linalg_norm(input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Tensor:
    """`linalg.norm`: a matrix norm if two axes and an `ord` are meant, else a vector norm.

    >>> import chainrule as torch
    >>> torch.linalg.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if ord is None:
        return red.vector_norm(input, 2, dim, keepdim)
    if dim is None and input._a.ndim == 2:
        return matrix_norm(input, ord, (-2, -1), keepdim)
    if isinstance(dim, tuple | list) and len(dim) == 2:
        return matrix_norm(input, ord, dim, keepdim)
    if isinstance(ord, str):
        raise ArgumentError.of(
            "linalg.norm", given=f"ord={ord!r} for a tensor {input._a.shape}", must="this ord is for matrices"
        )
    if dim is None and input._a.ndim != 1:
        raise ArgumentError.of(
            "linalg.norm",
            given=f"ord={ord!r} for a tensor {input._a.shape}",
            must="dim must say which axes, for more than 2 axes",
        )
    return red.vector_norm(input, ord, dim, keepdim)


# -- inverses, factorisations, solvers ---------------------------------------------------------------------

QRResult = namedtuple("QRResult", ["Q", "R"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])
EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])
SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])
LstsqResult = namedtuple("LstsqResult", ["solution", "residuals", "rank", "singular_values"])


def inv(A: Tensor) -> Tensor:
    """The inverse of a square matrix, or of each of a stack.

    Raises:  ArgumentError if the matrix is singular.

    >>> import chainrule as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return ms.INV(A)


inverse = inv


def solve(A: Tensor, B: Tensor) -> Tensor:
    """x with A x = B, for a square A; B is a vector, a matrix, or a stack.

    >>> import chainrule as torch
    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 4.0]))
    tensor([1., 1.])
    """
    _same_type(A, B, "linalg.solve")
    vector = B._a.ndim == 1 or (B._a.ndim == A._a.ndim - 1 and B._a.shape == A._a.shape[:-1])
    return squeeze(ms.SOLVE(A, unsqueeze(B, -1)), -1) if vector else ms.SOLVE(A, B)


def det(A: Tensor) -> Tensor:
    """The determinant.

    >>> import chainrule as torch
    >>> torch.linalg.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return ms.DET(A)


def slogdet(A: Tensor) -> Any:
    """Sign and logarithm (in nats) of the absolute determinant. Values only."""
    return SlogdetResult(*ms.SLOGDET(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN if it is negative. Values only."""
    sign, value = ms.SLOGDET(A)
    return (sign > 0).where(value, math.nan)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """Lower triangular L with L Lᵀ = A, for a symmetric positive definite A (only its lower triangle is read).

    >>> import chainrule as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    lower = ms.CHOLESKY(A)
    return matrix_transposed(lower) if upper else lower


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and upper triangular R, with Q R = A. Values only."""
    if mode != "reduced":
        raise ArgumentError.of("linalg.qr", given=f"mode={mode!r}", must="the mode must be 'reduced'")
    return QRResult(*ms.QR(A))


def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """U, singular values S in descending order, and Vh, with U diag(S) Vh = A. Values only."""
    return SVDResult(*ms.SVD(A, full_matrices=full_matrices))


def svdvals(A: Tensor) -> Tensor:
    """The singular values in descending order. Values only."""
    return ms.SVD(A, full_matrices=False)[1]


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues in ascending order and eigenvectors of a symmetric matrix; reads the L or U triangle. Values only."""
    if UPLO not in ("L", "U"):
        raise ArgumentError.of("linalg.eigh", given=f"UPLO={UPLO!r}", must="it must be 'L' or 'U'")
    return EighResult(*ms.EIGH(A, lower=UPLO == "L"))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of a symmetric matrix in ascending order. Values only."""
    return eigh(A, UPLO).eigenvalues


def matrix_rank(A: Tensor, *, tol: float | None = None) -> Tensor:
    """The number of singular values above a tolerance (by default eps * max(n, m) * the largest)."""
    s = svdvals(A)
    limit = (
        tol
        if tol is not None
        else red.amax(s, -1, True) * (max(A._a.shape[-2:]) * float(np.finfo(A._a.dtype).eps))
    )
    return red.sum(pw.gt(s, limit), -1)


def pinv(A: Tensor, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose inverse. Values only."""
    u, s, vh = ms.SVD(A, full_matrices=False)
    cut = rcond if rcond is not None else max(A._a.shape[-2:]) * float(np.finfo(A._a.dtype).eps)
    keep = pw.gt(s, red.amax(s, -1, True) * cut)
    inverse_s = keep.where(pw.reciprocal(s), 0.0)
    return matrix_transposed(vh) @ (unsqueeze(inverse_s, -1) * matrix_transposed(u))


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None) -> Any:
    """w that makes ||A w - B|| smallest, as (solution, residuals, rank, singular_values). Values only.

    >>> import chainrule as torch
    >>> A = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> torch.linalg.lstsq(A, torch.tensor([[1.0], [3.0], [5.0]])).solution.round(decimals=4)
    tensor([[1.],
            [2.]])
    """
    _same_type(A, B, "linalg.lstsq")
    right = unsqueeze(B, 1) if B._a.ndim == 1 else B
    solution = ms.LSTSQ(A, right, rcond=rcond)
    rank = matrix_rank(A)
    m, n = A._a.shape
    full = m > n and int(rank._a) == n
    residuals = red.sum(pw.square(A @ solution - right), 0) if full else solution.new_zeros((0,))
    return LstsqResult(squeeze(solution, 1) if B._a.ndim == 1 else solution, residuals, rank, svdvals(A))


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices."""
    return chain_matmul(*tensors)


def cond(A: Tensor) -> Tensor:
    """The condition number: the ratio of the largest to the smallest singular value."""
    s = svdvals(A)
    return red.amax(s, -1) / red.amin(s, -1)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) along an axis."""
    product = red.sum(x1 * x2, dim)
    lengths = pw.clamp(red.vector_norm(x1, 2, dim), min=eps) * pw.clamp(red.vector_norm(x2, 2, dim), min=eps)
    return product / lengths
