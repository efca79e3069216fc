"""`einsum`: sums of products along named axes, made of diagonals, sums and matrix products.

The operands are taken together from left to right. Of two, each name is one of: in both and wanted later (a
batch axis of the matrix product), in both and not wanted (summed over by it), or in one of them (kept).
Next: `linalg.py`.
"""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, ShapeError
from ..eager import need_tensor
from ..ops import arithmetic as ar
from ..ops import contract as ct
from ..ops import views as vw
from .products import need_one_type

if TYPE_CHECKING:
    from ..tensor import Tensor
Name = Any  # a letter, or a negative number for an axis of an ellipsis, counted from the right
Operand = tuple["Tensor", list[Name]]


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum of products along axes that are named by letters: "ij,jk->ik" is the matrix product.

    A name that is not in the result is summed over; twice in one operand it means the diagonal; "..." stands
    for axes that broadcast. Without "->" the result has the names that occur once, in alphabetical order.
    Raises:  ArgumentError for an equation that cannot be read or does not fit the operands; ShapeError where
             one name has two sizes; DTypeError if the types differ.

    >>> import chainrule as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.einsum("ij,jk->ik", x, x), torch.einsum("ii", x), torch.einsum("ij->j", x)
    (tensor([[ 7., 10.],
            [15., 22.]]), tensor(5.), tensor([4., 6.]))
    """
    if not isinstance(equation, str):
        raise ArgumentError.of(
            "einsum",
            given=type(equation).__name__,
            must="the equation comes first, as text",
            hint="einsum('ij->j', x)",
        )
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple | list) else operands
    xs = [need_tensor(x, "einsum") for x in tensors]
    inputs, output = _read(equation, xs)
    sizes = _sizes(equation, xs, inputs)
    parts = [_without_repeats(x, names) for x, names in zip(xs, inputs, strict=True)]
    total = parts[0]
    for k, part in enumerate(parts[1:], 1):
        wanted = set(output).union(*(names for _, names in parts[k + 1 :]))
        total = _pair(total, part, wanted)
    x, names = _summed(*total, set(output))
    x = vw.PERMUTE(x, dims=tuple(names.index(n) for n in output))
    shape = tuple(sizes[n] for n in output)
    return x if x._a.shape == shape else vw.EXPAND(x, shape=shape)


def _bad(equation: str, must: str) -> ArgumentError:
    return ArgumentError.of("einsum", given=f"the equation {equation!r}", must=must)


def _read(equation: str, xs: list[Tensor]) -> tuple[list[list[Name]], list[Name]]:
    """The names of each operand's axes, and of the result's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise _bad(equation, f"it must have one term for each operand, and there are {len(xs)}")
    inputs = [_names(equation, term, x._a.ndim) for term, x in zip(terms, xs, strict=True)]
    every = [n for names in inputs for n in names]
    dots = sorted({n for n in every if isinstance(n, int)})
    if not arrow:
        return inputs, [*dots, *sorted(n for n in set(every) if isinstance(n, str) and every.count(n) == 1)]
    output = _names(equation, right, len(right.replace("...", "")) + (len(dots) if "..." in right else 0))
    for n in output:
        if output.count(n) > 1:
            raise _bad(equation, f"{n!r} may appear only once in the result")
        if n not in every:
            raise _bad(equation, f"{n!r} of the result must appear in an operand")
    return inputs, output


def _names(equation: str, term: str, rank: int) -> list[Name]:
    before, dots, after = term.partition("...")
    letters = before + after
    if any(c not in string.ascii_letters for c in letters):
        raise _bad(equation, "axes are named by letters, with one '...' at most for each operand")
    hidden = rank - len(letters)
    if hidden < 0 or (hidden and not dots):
        raise _bad(equation, f"{term!r} must name each axis of its operand, which has {rank}")
    return [*before, *range(-hidden, 0), *after]


def _sizes(equation: str, xs: list[Tensor], inputs: list[list[Name]]) -> dict[Name, int]:
    sizes: dict[Name, int] = {}
    for k, (x, names) in enumerate(zip(xs, inputs, strict=True)):
        for n, size in zip(names, x._a.shape, strict=True):
            have = sizes.get(n, 1)
            if size not in (1, have) and have != 1:
                raise ShapeError.of(
                    "einsum",
                    given=f"the equation {equation!r} and shapes {', '.join(str(y._a.shape) for y in xs)}",
                    must=f"each name must have one size, or 1; {n!r} is {have}, and {size} in operand {k}",
                )
            sizes[n] = max(have, size) if 0 not in (have, size) else 0
    return sizes


def _without_repeats(x: Tensor, names: list[Name]) -> Operand:
    """A name twice in one operand: the diagonal of its two axes."""
    names = list(names)
    for n in [n for n in names if names.count(n) > 1]:
        while names.count(n) > 1:
            i = names.index(n)
            j = names.index(n, i + 1)
            x = vw.DIAGONAL(x, offset=0, dim1=i, dim2=j)
            names = [m for k, m in enumerate(names) if k not in (i, j)] + [n]
    return x, names


def _summed(x: Tensor, names: list[Name], wanted: set[Name]) -> Operand:
    """Without the names that nobody wants any more."""
    gone = [d for d, n in enumerate(names) if n not in wanted]
    return (x.sum(gone) if gone else x), [n for n in names if n in wanted]


def _pair(left: Operand, right: Operand, wanted: set[Name]) -> Operand:
    """Two operands as one, without the names that are not wanted."""
    need_one_type(left[0], right[0], "einsum")
    kind = left[0].dtype
    left, right = _summed(*left, wanted | set(right[1])), _summed(*right, wanted | set(left[1]))
    left, right = ((x.to(kind), names) for x, names in (left, right))  # integers add up as int64
    left, right = _stretched(left, right), _stretched(right, left)
    batch = [n for n in left[1] if n in right[1] and n in wanted]
    inner = [n for n in left[1] if n in right[1] and n not in wanted]
    rows = [n for n in left[1] if n not in right[1]]
    columns = [n for n in right[1] if n not in left[1]]
    size = dict(zip(left[1], left[0]._a.shape, strict=True)) | dict(
        zip(right[1], right[0]._a.shape, strict=True)
    )
    names = [*batch, *rows, *columns]
    if not inner:  # nothing to add up: an elementwise product
        ones = dict.fromkeys(names, 1)
        here = tuple((size if name in left[1] else ones)[name] for name in names)
        there = tuple((size if name in right[1] else ones)[name] for name in names)
        x, y = _ordered(left, [*batch, *rows]), _ordered(right, [*batch, *columns])
        return ar.MUL(vw.RESHAPE(x, shape=here), vw.RESHAPE(y, shape=there)), names
    b, k, n, m = (math.prod(size[name] for name in group) for group in (batch, inner, rows, columns))
    x = vw.RESHAPE(_ordered(left, [*batch, *rows, *inner]), shape=(b, n, k))
    y = vw.RESHAPE(_ordered(right, [*batch, *inner, *columns]), shape=(b, k, m))
    return vw.RESHAPE(ct.MATMUL(x, y), shape=tuple(size[name] for name in names)), names  # (b, n, m)


def _stretched(this: Operand, other: Operand) -> Operand:
    """Axes of size 1 of an operand expanded to what the other has there."""
    x, names = this
    sizes = dict(zip(other[1], other[0]._a.shape, strict=True))
    shape = tuple(
        sizes.get(n, size) if size == 1 else size for n, size in zip(names, x._a.shape, strict=True)
    )
    return (x if shape == x._a.shape else vw.EXPAND(x, shape=shape)), names


def _ordered(operand: Operand, names: list[Name]) -> Tensor:
    x, have = operand
    return vw.PERMUTE(x, dims=tuple(have.index(n) for n in names))
