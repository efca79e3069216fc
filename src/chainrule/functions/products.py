"""Products of vectors and matrices. Next: `einsum.py`, sums of products along named axes.

A product does not convert its operands: both must have one type, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import contract as ct
from ..ops import views as vw
from .shaping import expand, squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def need_one_type(x: Tensor, y: Tensor, name: str, names: str = "xy") -> None:
    """Raise a DTypeError that says which of two operands to convert, unless they have one type.

    >>> import chainrule as torch
    >>> need_one_type(torch.zeros(2), torch.ones(2), "torch.dot")
    """
    a, b = x._a.dtype, y._a.dtype
    if a == b:
        return
    p, q = FROM_NUMPY[a], FROM_NUMPY[b]
    wider = p if p.category > q.category or (p.category == q.category and p.itemsize >= q.itemsize) else q
    which = names[0] if wider is q else names[1]
    raise DTypeError.of(
        name,
        given=f"{names[0]} of type {p.name} {x._a.shape} and {names[1]} of type {q.name} {y._a.shape}",
        must="a product does not convert its operands: both must have one type",
        hint=f"{which}.to({wider})" if wider.name != "float32" else f"{which}.float()",
    )


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product `x @ y`. Leading axes broadcast; a vector is a row on the left, else a column.

    Shapes:      (n, k) @ (k, m) -> (n, m); (..., n, k) @ (k,) -> (..., n); (k,) @ (k,) -> ().
    Derivative:  g @ yᵀ and xᵀ @ g (product rule for matrices).
    Raises:      ShapeError if the inner sizes differ, DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]) @ torch.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    a, b = need_tensor(input, "matmul")._a, need_tensor(other, "matmul")._a
    if a.dtype is not b.dtype:
        need_one_type(input, other, "x @ y")
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
        # squeeze and unsqueeze, without looking for the axis: small products are mostly such steps
        column = ct.MATMUL(input, vw.RESHAPE(other, shape=(*b.shape, 1)))
        return vw.RESHAPE(column, shape=column._a.shape[:-1])
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


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices: (n, k), (k, m) -> (n, m). `matmul` takes any number of axes.

    Raises:  ShapeError for other than matrices or inner sizes that differ; DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.mm(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    _need_rank(input, 2, "torch.mm", "x")
    _need_rank(mat2, 2, "torch.mm", "y")
    need_one_type(input, mat2, "torch.mm")
    return ct.MATMUL(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two stacks of matrices: (b, n, k), (b, k, m) -> (b, n, m).

    Raises:  ShapeError for other than stacks of one length, or inner sizes that differ.

    >>> import chainrule as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    _need_rank(input, 3, "torch.bmm", "x")
    _need_rank(mat2, 3, "torch.bmm", "y")
    need_one_type(input, mat2, "torch.bmm")
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

    Raises:  ShapeError for other shapes; DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.mv(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    _need_rank(input, 2, "torch.mv", "A")
    _need_rank(vec, 1, "torch.mv", "x")
    need_one_type(input, vec, "torch.mv", "Ax")
    return matmul(input, vec)


def linear(input: Tensor, weight: Tensor) -> Tensor:
    """input @ weight.T: the linear map of a layer, without its bias.

    Shapes:  (..., i), (o, i) -> (..., o).
    Raises:  ShapeError if the last axes differ, DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.nn.functional.linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
    tensor([[3., 2.]])
    """
    if need_tensor(input, "linear")._a.dtype is not need_tensor(weight, "linear")._a.dtype:
        need_one_type(input, weight, "x @ weight.T")
    return ct.LINEAR_MAP(input, weight)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors of one length: sum(x * y).

    Raises:  ShapeError for other than vectors of one length; DTypeError if the types differ.

    >>> import chainrule as torch
    >>> torch.dot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _need_rank(input, 1, "torch.dot", "x")
    _need_rank(tensor, 1, "torch.dot", "y")
    need_one_type(input, tensor, "torch.dot")
    n, m = input._a.shape[0], tensor._a.shape[0]
    if n != m:
        raise ShapeError.of(
            "torch.dot",
            given=f"vectors of {n} and {m} elements",
            must="both must have the same number of elements",
        )
    return vw.RESHAPE(ct.MATMUL(vw.RESHAPE(input, shape=(1, n)), vw.RESHAPE(tensor, shape=(n, 1))), shape=())


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors; for real numbers the same as `dot`.

    >>> import chainrule as torch
    >>> torch.vdot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return dot(input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Inner products along the last axes of both: (..., k), (+++, k) -> (..., +++).

    With a 0-d tensor: the product.

    >>> import chainrule as torch
    >>> torch.inner(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if need_tensor(input, "inner")._a.ndim == 0 or need_tensor(other, "inner")._a.ndim == 0:
        return input * other
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of x and one of y: (n,), (m,) -> (n, m). The types are promoted.

    Raises:  ShapeError for other than vectors.

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
    """Sums of products over the last `dims` axes of a and the first of b, or over two lists of axes.

    Shapes:  (i, k), (k, j) with dims=1 -> (i, j). What is not summed over stays, first that of a.
    Raises:  ShapeError if paired axes have different sizes; ArgumentError for more axes than there are.

    >>> import chainrule as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    p, q = need_tensor(a, "tensordot")._a.shape, need_tensor(b, "tensordot")._a.shape
    if isinstance(dims, int):
        if not 0 <= dims <= min(len(p), len(q)):
            raise ArgumentError.of(
                "tensordot",
                given=f"dims={dims} for shapes {p} and {q}",
                must=f"dims must lie in [0, {min(len(p), len(q))}]",
            )
        left, right = list(range(len(p) - dims, len(p))), list(range(dims))
    else:
        left, right = (
            [axis_index(d, len(s), "tensordot") for d in ds] for ds, s in zip(dims, (p, q), strict=True)
        )
    if len(left) != len(right) or any(p[i] != q[j] for i, j in zip(left, right, strict=False)):
        raise ShapeError.of(
            "tensordot",
            given=f"shapes {p} and {q}, axes {left} and {right}",
            must="the paired axes must have equal sizes",
        )
    need_one_type(a, b, "tensordot", "ab")
    k = math.prod(p[d] for d in left)
    keep_a, keep_b = ([d for d in range(len(s)) if d not in used] for s, used in ((p, left), (q, right)))
    n, m = math.prod(p[d] for d in keep_a), math.prod(q[d] for d in keep_b)
    x = vw.RESHAPE(vw.PERMUTE(a, dims=(*keep_a, *left)), shape=(n, k))  # (..., k) -> (n, k)
    y = vw.RESHAPE(vw.PERMUTE(b, dims=(*right, *keep_b)), shape=(k, m))  # (k, +++) -> (k, m)
    shape = (*[p[d] for d in keep_a], *[q[d] for d in keep_b])
    return vw.RESHAPE(ct.MATMUL(x, y), shape=shape)  # (n, m) -> (..., +++)


def _mixed(input: Tensor, product: Tensor, beta: float, alpha: float, name: str) -> Tensor:
    """beta * input + alpha * product; with beta = 0 the input is not read, so that its NaN do not count."""
    need_one_type(need_tensor(input, name), product, name)
    if product._a.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    scaled = product if alpha == 1 else product * alpha
    wide = expand(input, product._a.shape)
    if beta == 0:
        return scaled
    return (wide if beta == 1 else wide * beta) + scaled


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * mat1 @ mat2; the input is broadcast, and not read if beta is 0.

    Shapes:  (n, m), (n, k), (k, m) -> (n, m).
    Raises:  ShapeError or DTypeError if they do not fit.

    >>> import chainrule as torch
    >>> torch.addmm(torch.tensor([1.0]), torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([[12.]])
    """
    return _mixed(input, mm(mat1, mat2), beta, alpha, "addmm")


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * mat @ vec; the input is broadcast, and not read if beta is 0.

    Shapes:  (n,), (n, k), (k,) -> (n,).
    Raises:  ShapeError or DTypeError if they do not fit.

    >>> import chainrule as torch
    >>> torch.addmv(torch.tensor([1.0]), torch.tensor([[1.0, 2.0]]), torch.tensor([3.0, 4.0]))
    tensor([12.])
    """
    return _mixed(input, mv(mat, vec), beta, alpha, "addmv")


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices; the first and the last may be vectors.

    Raises:  ArgumentError for fewer than two.

    >>> import chainrule as torch
    >>> torch.linalg.multi_dot([torch.ones(2), torch.ones(2, 3), torch.ones(3)])
    tensor(6.)
    """
    if len(tensors) < 2:
        raise ArgumentError.of(
            "multi_dot", given=f"a list of {len(tensors)}", must="there must be at least two tensors"
        )
    for x in tensors[1:-1]:
        _need_rank(x, 2, "multi_dot", "a factor in the middle")
    for x in (tensors[0], tensors[-1]):
        if need_tensor(x, "multi_dot")._a.ndim not in (1, 2):
            raise ShapeError.of(
                "multi_dot",
                given=f"a tensor {x._a.shape}",
                must="each must be a matrix, the outer ones may be vectors",
            )
    return _multiplied(tensors)


def _multiplied(tensors: Sequence[Tensor]) -> Tensor:
    """The product in the order that needs the fewest multiplications."""
    n = len(tensors)
    if n <= 2:
        return matmul(tensors[0], tensors[1]) if n == 2 else tensors[0]
    sizes = [x._a.shape[0] for x in tensors] + [tensors[-1]._a.shape[-1]]
    # cost[i][j]: of the product of factors i to j; cut[i][j]: after which of them it is split.
    cost = [[0.0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            tried = [
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(tried)

    def product(i: int, j: int) -> Tensor:
        return tensors[i] if i == j else matmul(product(i, cut[i][j]), product(cut[i][j] + 1, j))

    return product(0, n - 1)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of one or more matrices. See `linalg.multi_dot`.

    >>> import chainrule as torch
    >>> torch.chain_matmul(torch.ones(1, 2), torch.ones(2, 3), torch.ones(3, 1))
    tensor([[6.]])
    """
    if not matrices:
        raise ArgumentError.of("chain_matmul", given="nothing", must="there must be at least one matrix")
    for x in matrices:
        _need_rank(x, 2, "chain_matmul", "a factor")
    return _multiplied(matrices)
