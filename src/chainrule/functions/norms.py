"""Norms of vectors and matrices, distances, similarity. Next: `ordering.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..core.dtypes import dtype
from ..core.errors import ArgumentError, ShapeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import reduce as rd
from ..ops.norm import NORM
from . import elementwise as ew
from . import extrema as ex
from . import pointwise as pw
from . import reductions as red
from .linalg import svdvals
from .shaping import broadcast_tensors, movedim, squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

_MATRIX_ORDERS = "'fro', 'nuc', 1, -1, 2, -2, inf or -inf"


def vector_norm(
    input: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """(sum |x|**ord) ** (1/ord) over the axes in `dim`, or over all elements as one vector.

    ord:         any number; 0 counts what is not 0, inf and -inf are the largest and smallest |x|.
    Shapes:      (...) -> the axes in `dim` removed, or kept with size 1 if `keepdim`.
    Derivative:  0 where the whole norm is 0 (for ord > 1).
    Raises:      DTypeError for integers and bool.

    >>> import chainrule as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, -4.0]))
    tensor(5.)
    """
    red.need_floating(input, "norm", "x.float().norm()")
    if not isinstance(ord, int | float):
        raise ArgumentError.of("vector_norm", given=f"ord={ord!r}", must="ord must be a number", hint="ord=2")
    x = red.converted(input, dtype)
    dims = red.axes(x, dim, None, "norm")
    if (ord < 0 or ord == math.inf) and any(x._a.shape[d] == 0 for d in dims):
        raise ArgumentError.of(
            "norm",
            given=f"ord={ord} for a tensor {x._a.shape}",
            must="of no elements this norm is not defined",
        )
    if abs(ord) == math.inf:
        return (ex.amax if ord > 0 else ex.amin)(pw.abs(x), dims, keepdim)
    if ord == 0:
        return rd.SUM(pw.abs(pw.sign(ew.where(pw.isnan(x), 1.0, x))), dim=dims, keepdim=keepdim)
    if ord == 1:
        return rd.SUM(pw.abs(x), dim=dims, keepdim=keepdim)
    return NORM(x, p=float(ord), dim=dims, keepdim=keepdim)


def matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Norm of the matrices in two axes.

    ord:     "fro" (Frobenius), "nuc" (sum of singular values), 1 and inf (largest column and row sum), 2
             (largest singular value), and -1, -inf, -2 for the smallest of these.
    Raises:  DTypeError for integers and bool; ArgumentError for another ord, or for axes that are not two.

    >>> import chainrule as torch
    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    x = red.converted(red.need_floating(input, "matrix_norm", "x.float()"), dtype)
    rank = x._a.ndim
    if rank < 2:
        raise ShapeError.of("matrix_norm", given=f"a tensor {x._a.shape}", must="it needs at least 2 axes")
    named = [axis_index(d, rank, "matrix_norm") for d in dim]
    if len(named) != 2 or named[0] == named[1]:
        raise ArgumentError.of("matrix_norm", given=f"dim={dim}", must="a matrix has two different axes")
    rows, columns = named
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = red.sum(pw.abs(x), along, True)
        out = (ex.amax if ord > 0 else ex.amin)(sums, over, True)
        return out if keepdim else squeeze(out, (rows, columns))
    if ord in ("nuc", 2, -2):
        s = svdvals(movedim(x, (rows, columns), (-2, -1)))
        out = red.sum(s, -1) if ord == "nuc" else ex.amax(s, -1) if ord == 2 else ex.amin(s, -1)
        if keepdim:
            for d in sorted((rows, columns)):
                out = unsqueeze(out, d)
        return out
    raise ArgumentError.of("matrix_norm", given=f"ord={ord!r}", must=f"ord must be {_MATRIX_ORDERS}")


def linalg_norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """`linalg.norm`: a matrix norm if an `ord` and two axes are given or present, else a vector norm.

    Without `ord`: the root of the sum of squares over the axes in `dim`, or over all.
    Raises:  ArgumentError if it is not clear which axes are meant, or for an `ord` of the other kind.

    >>> import chainrule as torch
    >>> torch.linalg.norm(torch.tensor([3.0, 4.0])), torch.linalg.norm(torch.ones(2, 3), 1)
    (tensor(5.), tensor(2.))
    """
    rank = need_tensor(input, "linalg.norm")._a.ndim
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    axes = (dim,) if isinstance(dim, int) else dim
    if axes is None and rank in (1, 2):
        axes = (-2, -1) if rank == 2 else (0,)
    if axes is None or len(axes) not in (1, 2):
        raise ArgumentError.of(
            "linalg.norm",
            given=f"ord={ord!r}, dim={dim} for a tensor {input._a.shape}",
            must="dim must name one axis (of vectors) or two (of matrices)",
        )
    if len(axes) == 2:
        return matrix_norm(input, ord, axes, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ArgumentError.of(
            "linalg.norm", given=f"ord={ord!r} for a tensor {input._a.shape}", must="this ord is for matrices"
        )
    return vector_norm(input, ord, axes, keepdim, dtype=dtype)


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: dtype | None = None
) -> Tensor:
    """Norm of all elements as one vector, or over the axes in `dim`.

    p:       "fro", None or 2 (Euclid, Frobenius), any number, inf, -inf, or "nuc" (sum of singular values).
    Raises:  DTypeError for integers and bool.

    >>> import chainrule as torch
    >>> u = torch.tensor([3.0, -4.0])
    >>> torch.norm(u), torch.norm(u, 1)
    (tensor(5.), tensor(7.))
    """
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError.of(
            "norm", given=f"p={p!r}", must="p must be a number, 'fro' or 'nuc'", hint="p=2"
        )
    return vector_norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, which are broadcast against each other.

    >>> import chainrule as torch
    >>> torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return norm(need_tensor(input, "dist") - need_tensor(other, "dist"), p)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) along an axis: the cosine of the angle. x1 and x2 are broadcast.

    eps:     lengths below it count as eps, so that the result is 0, not NaN, for a vector of zeros.
    Raises:  DTypeError for integers and bool.

    >>> import chainrule as torch
    >>> torch.cosine_similarity(torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """
    for x in (x1, x2):
        red.need_floating(x, "cosine_similarity", "x.float()")
    a, b = broadcast_tensors(x1, x2)
    lengths = [ew.clamp_min(vector_norm(x, 2, dim, True), eps) for x in (a, b)]
    return red.sum((a / lengths[0]) * (b / lengths[1]), dim)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number |A| |inv(A)|; without `p` the ratio of the largest to the smallest singular value.

    p:       as `ord` of `matrix_norm`; other than None, 2 and -2 only for square matrices.

    >>> import chainrule as torch
    >>> torch.linalg.cond(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor(2.)
    """
    if p in (None, 2, -2):
        s = svdvals(A)
        large, small = ex.amax(s, -1), ex.amin(s, -1)
        return small / large if p == -2 else large / small
    return matrix_norm(A, p) * matrix_norm(A.inverse(), p)
