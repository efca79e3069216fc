"""Along one axis: running sums and products, softmax and its logarithm. Next: `norms.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.dtypes import dtype
from ..core.errors import ArgumentError
from ..core.shapes import axis_index
from ..eager import need_tensor
from ..ops import scan as sc
from ..ops import softmax as sm
from .reductions import converted

if TYPE_CHECKING:
    from ..tensor import Tensor


def _along(input: Tensor, dim: Any, name: str) -> int:
    if dim is None:
        raise ArgumentError.of(
            name, given="no dim", must="the axis to run along must be named", hint=f"{name}(dim=0)"
        )
    return axis_index(dim, need_tensor(input, name)._a.ndim, name)


def cumsum(input: Tensor, dim: Any = None, *, dtype: dtype | None = None, axis: Any = None) -> Tensor:
    """Running sums along one axis: out[k] = x[0] + ... + x[k].

    Types:  integers and bool add up as int64, float16 in float32; `dtype` converts first.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    d = _along(input, dim if axis is None else axis, "cumsum")
    return converted(sc.CUMSUM(converted(input, dtype), dim=d, reverse=False), dtype)


def cumprod(input: Tensor, dim: Any = None, *, dtype: dtype | None = None, axis: Any = None) -> Tensor:
    """Running products along one axis: out[k] = x[0] * ... * x[k]. Types as for `cumsum`.

    Derivative:  exact also where elements are 0.

    >>> import chainrule as torch
    >>> torch.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    d = _along(input, dim if axis is None else axis, "cumprod")
    return converted(sc.CUMPROD(converted(input, dtype), dim=d), dtype)


def softmax(input: Tensor, dim: int | None = None, dtype: dtype | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along one axis, without overflow: positive numbers that add up to 1.

    Raises:  DTypeError for integers and bool, unless `dtype` converts them.

    >>> import chainrule as torch
    >>> torch.tensor([1.0, 1.0]).softmax(0)
    tensor([0.5000, 0.5000])
    """
    d = _along(input, dim, "softmax")
    return sm.SOFTMAX(converted(input, dtype), dim=d)


def log_softmax(input: Tensor, dim: int | None = None, dtype: dtype | None = None) -> Tensor:
    """The logarithm of softmax, in nats; exact where softmax itself would be 0.

    Raises:  DTypeError for integers and bool, unless `dtype` converts them.

    >>> import chainrule as torch
    >>> torch.tensor([0.0, 1000.0]).log_softmax(0)
    tensor([-1000.,     0.])
    """
    d = _along(input, dim, "log_softmax")
    return sm.LOG_SOFTMAX(converted(input, dtype), dim=d)
