"""Parts of a tensor along one axis: narrow, select, split and their kin, and diagonals. All are views.

Next: `joining.py`. Parts by index arrays and masks are in `indexing.py`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..core.errors import ArgumentError, IndexingError, ShapeError
from ..core.shapes import axis_index, real_axis
from ..eager import need_tensor
from ..ops import views as vw

if TYPE_CHECKING:
    from ..tensor import Tensor


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The `length` elements from `start` along one axis; a negative start counts from the end. A view.

    Raises:  IndexingError if the part does not lie within the axis.

    >>> import chainrule as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = need_tensor(input, "narrow")._a.shape
    d = real_axis(dim, len(shape), "narrow")
    n = shape[d]
    first = operator.index(start)
    begin = first + n if first < 0 else first
    if not 0 <= begin <= n or length < 0 or begin + length > n:
        raise IndexingError.of(
            "narrow",
            given=f"start={first}, length={length} for axis {d} of a tensor {shape}",
            must=f"the part must lie within [0, {n}]",
        )
    return vw.SLICE(input, key=(*[slice(None)] * d, slice(begin, begin + length)))


def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The slice at one index of an axis, which goes away. A view.

    Raises:  IndexingError if there is no such index.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    d = real_axis(dim, need_tensor(input, "select")._a.ndim, "select")
    return vw.SLICE(input, key=(*[slice(None)] * d, operator.index(index)))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along an axis. Views.

    >>> import chainrule as torch
    >>> torch.arange(4).reshape(2, 2).unbind()
    (tensor([0, 1]), tensor([2, 3]))
    """
    d = real_axis(dim, need_tensor(input, "unbind")._a.ndim, "unbind")
    before = [slice(None)] * d
    return tuple(vw.SLICE(input, key=(*before, i)) for i in range(input._a.shape[d]))


def split(
    input: Tensor, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None
) -> tuple[Tensor, ...]:
    """Parts of a size (the last may be smaller), or of given sizes. Views.

    Raises:  ArgumentError for a size that is not positive, or sizes that do not add up to the axis.

    >>> import chainrule as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torch.arange(5).split([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    wanted = split_size_or_sections if split_size is None else split_size
    d = real_axis(dim, need_tensor(input, "split")._a.ndim, "split")
    n = input._a.shape[d]
    if isinstance(wanted, tuple | list):
        sizes = [operator.index(k) for k in wanted]
        if sum(sizes) != n or any(k < 0 for k in sizes):
            raise ArgumentError.of(
                "split",
                given=f"sizes {sizes} for axis {d} of a tensor {input._a.shape}",
                must=f"the sizes must add up to {n}, and none may be negative",
            )
        return _cut(input, d, sizes)
    if not isinstance(wanted, int):
        raise ArgumentError.of(
            "split", given=f"{wanted!r}", must="it takes one size, or a list of sizes", hint="x.split(2)"
        )
    if wanted < 0 or (wanted == 0 and n):
        raise ArgumentError.of("split", given=f"a size of {wanted}", must="the size must be positive")
    return _cut(input, d, [min(wanted, n - i) for i in range(0, n, wanted)] if n else [0])


def _cut(input: Tensor, d: int, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    before = [slice(None)] * d
    out, start = [], 0
    for k in sizes:
        out.append(vw.SLICE(input, key=(*before, slice(start, start + k))))
        start += k
    return tuple(out)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size (the last may be smaller). Views.

    Raises:  ArgumentError if `chunks` is not positive.

    >>> import chainrule as torch
    >>> torch.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    d = real_axis(dim, need_tensor(input, "chunk")._a.ndim, "chunk")
    if chunks <= 0:
        raise ArgumentError.of("chunk", given=f"chunks={chunks}", must="the number of parts must be positive")
    n = input._a.shape[d]
    return split(input, -(-n // chunks), d) if n else _cut(input, d, [0] * chunks)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """As many parts as asked, their sizes differing by at most 1; or cut before the given indices. Views.

    Raises:  ArgumentError if the number of parts is not positive.

    >>> import chainrule as torch
    >>> torch.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> torch.arange(5).tensor_split((1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    d = real_axis(dim, need_tensor(input, "tensor_split")._a.ndim, "tensor_split")
    n = input._a.shape[d]
    wanted = indices_or_sections
    if isinstance(wanted, TensorBase):
        wanted = wanted.tolist()  # type: ignore[attr-defined]
    if isinstance(wanted, int):
        if wanted <= 0:
            raise ArgumentError.of(
                "tensor_split", given=f"{wanted} parts", must="the number of parts must be positive"
            )
        k, r = divmod(n, wanted)
        return _cut(input, d, [k + 1] * r + [k] * (wanted - r))
    before = [slice(None)] * d
    return tuple(vw.SLICE(input, key=(*before, slice(a, b))) for a, b in pairwise([0, *wanted, n]))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two axes, as the last axis of the result. A view.

    offset:  how far above (positive) or below (negative) the main diagonal.
    Raises:  ArgumentError if the two axes are the same.

    >>> import chainrule as torch
    >>> torch.arange(9).reshape(3, 3).diagonal()
    tensor([0, 4, 8])
    """
    rank = need_tensor(input, "diagonal")._a.ndim
    a, b = real_axis(dim1, rank, "diagonal"), real_axis(dim2, rank, "diagonal")
    if a == b:
        raise ArgumentError.of("diagonal", given=f"dim1={dim1}, dim2={dim2}", must="the two axes must differ")
    return vw.DIAGONAL(input, offset=offset, dim1=a, dim2=b)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix with a vector on its diagonal. A copy.

    Raises:  ShapeError for other than a vector or a matrix.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2]).diag()
    tensor([[1, 0],
            [0, 2]])
    """
    rank = need_tensor(input, "diag")._a.ndim
    if rank == 2:
        return vw.DIAGONAL(input, offset=diagonal, dim1=0, dim2=1).clone()
    if rank != 1:
        raise ShapeError.of("diag", given=f"a tensor {input._a.shape}", must="it takes a vector or a matrix")
    return diag_embed(input, diagonal)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices in the axes dim1 and dim2 with the last axis of the input on their diagonal, 0 elsewhere.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]).diag_embed()[1]
    tensor([[3, 0],
            [0, 4]])
    """
    shape = need_tensor(input, "diag_embed")._a.shape
    real_axis(-1, len(shape), "diag_embed")
    a, b = (axis_index(d, len(shape) + 1, "diag_embed") for d in (dim1, dim2))
    if a == b:
        raise ArgumentError.of(
            "diag_embed", given=f"dim1={dim1}, dim2={dim2}", must="the two axes must differ"
        )
    rest = iter(shape[:-1])
    size = shape[-1] + abs(offset)
    around = input.new_zeros(tuple(size if d in (a, b) else next(rest) for d in range(len(shape) + 1)))
    return vw.OVERWRITE(around, input, steps=((vw.DIAGONAL, {"offset": offset, "dim1": a, "dim2": b}),))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    Raises:  ShapeError for other than a matrix.

    >>> import chainrule as torch
    >>> torch.eye(3).trace()
    tensor(3.)
    """
    if need_tensor(input, "trace")._a.ndim != 2:
        raise ShapeError.of("trace", given=f"a tensor {input._a.shape}", must="it takes a matrix")
    return diagonal(input).sum()
