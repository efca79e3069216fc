"""Largest and smallest elements, and where they are. Next: `scans.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..core.errors import ArgumentError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import reduce as rd
from ..ops.primitive import Primitive
from . import pointwise as pw
from .reductions import axes
from .results import result_type

if TYPE_CHECKING:
    from ..tensor import Tensor

_MAX, _MIN, _AMINMAX = (
    result_type("max", "values", "indices"),
    result_type("min", "values", "indices"),
    result_type("aminmax", "min", "max"),
)


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Largest value over one axis, several, or all. Equal largest elements share the gradient evenly.

    Shapes:  (...) -> the axes in `dim` removed, or kept with size 1 if `keepdim`.
    Raises:  IndexError for an axis without elements.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).amax(0)
    tensor([7, 5])
    """
    return rd.AMAX(input, dim=axes(input, dim, None, "amax"), keepdim=keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Smallest value over one axis, several, or all. Equal smallest elements share the gradient evenly.

    Shapes:  (...) -> the axes in `dim` removed, or kept with size 1 if `keepdim`.
    Raises:  IndexError for an axis without elements.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).amin(1)
    tensor([1, 2])
    """
    return rd.AMIN(input, dim=axes(input, dim, None, "amin"), keepdim=keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Smallest and largest value together, of all elements or along one axis, as (min, max).

    >>> import chainrule as torch
    >>> torch.aminmax(torch.tensor([3.0, 1.0, 2.0])).max
    tensor(3.)
    """
    dims = () if dim is None else axis_index(dim, need_tensor(input, "aminmax")._a.ndim, "aminmax")
    return _AMINMAX(amin(input, dims, keepdim), amax(input, dims, keepdim))


def _choose(
    input: Tensor, dim: Any, keepdim: bool, axis: Any, other: Any, *, name: str, whole: Any, pick: Any,
    pairwise: Any, result: Any,
) -> Any:  # fmt: skip
    """`max` and `min`: what PyTorch does depends on what comes second."""
    dim = dim if axis is None else axis
    if isinstance(dim, TensorBase) or other is not None:
        return pairwise(input, dim if other is None else other)
    if dim is None:
        return whole(need_tensor(input, name))
    if isinstance(dim, tuple | list):
        raise ArgumentError.of(
            name, given=f"dim={dim}", must="it goes along one axis", hint=f"a{name}, which takes several"
        )
    d = axis_index(dim, need_tensor(input, name)._a.ndim, name)
    indices = pick(input, dim=d, keepdim=True)
    values = input.gather(d, indices)
    if not keepdim and input._a.ndim:
        indices, values = indices.squeeze(d), values.squeeze(d)
    return result(values, indices)


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, other: Any = None) -> Any:
    """The largest of all elements; with `dim`, of each slice, as (values, indices); or of two tensors, each.

    Indices are those of the first of equal elements, and the gradient goes there; without `dim` it is shared.
    Raises:  IndexError for an axis without elements.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 3.0, 2.0]).max()
    tensor(3.)
    >>> torch.tensor([[1.0, 3.0], [5.0, 2.0]]).max(1).indices
    tensor([1, 0])
    """
    return _choose(
        input,
        dim,
        keepdim,
        axis,
        other,
        name="max",
        whole=amax,
        pick=rd.ARGMAX,
        pairwise=pw.maximum,
        result=_MAX,
    )


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, other: Any = None) -> Any:
    """The smallest of all elements; with `dim`, of each slice, as (values, indices); or of two tensors, each.

    Indices are those of the first of equal elements, and the gradient goes there; without `dim` it is shared.
    Raises:  IndexError for an axis without elements.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 3.0, 2.0]).min()
    tensor(1.)
    >>> torch.tensor([[1.0, 3.0], [5.0, 2.0]]).min(1).indices
    tensor([0, 1])
    """
    return _choose(
        input,
        dim,
        keepdim,
        axis,
        other,
        name="min",
        whole=amin,
        pick=rd.ARGMIN,
        pairwise=pw.minimum,
        result=_MIN,
    )


def argmax(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None
) -> Tensor:
    """Index of the largest element: of all (counted in row-major order), or along one axis. First of equals.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).argmax(), torch.tensor([[1, 5], [7, 2]]).argmax(1)
    (tensor(2), tensor([1, 0]))
    """
    return _arg(rd.ARGMAX, need_tensor(input, "argmax"), dim if axis is None else axis, keepdim, "argmax")


def argmin(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None
) -> Tensor:
    """Index of the smallest element: of all (counted in row-major order), or along one axis. First of equals.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 5], [7, 2]]).argmin()
    tensor(0)
    """
    return _arg(rd.ARGMIN, need_tensor(input, "argmin"), dim if axis is None else axis, keepdim, "argmin")


def _arg(op: Primitive, input: Tensor, dim: int | None, keepdim: bool, name: str) -> Tensor:
    if dim is None:
        index = op(input.reshape(-1), dim=0, keepdim=False)
        return index.reshape((1,) * input._a.ndim) if keepdim else index
    return op(input, dim=axis_index(dim, input._a.ndim, name), keepdim=keepdim)
