"""What all functions that make a tensor have in common: size, element type, device, `requires_grad`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.device import device as device_class
from ..core.dtypes import as_dtype
from ..core.errors import DTypeError
from ..core.shapes import new_shape, sizes_from_args
from ..ops.primitive import interpreter, tracing

if TYPE_CHECKING:
    from ..tensor import Tensor


def made(a: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    """A new tensor on this array."""
    out: Tensor = wrap(a)
    if tracing.tracer is not None:
        tracing.tracer.born(out)
    return out.requires_grad_() if requires_grad else out


def made_like(x: Any, a: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    """A new tensor on this array, made in the form of x."""
    out: Tensor = x._alike(made(a, False))
    return out.requires_grad_() if requires_grad else out


def values_known(x: TensorBase) -> bool:
    """Whether x has values to look at; a program that is being recorded must not depend on any."""
    return tracing.tracer is None and type(x._a) is np.ndarray


def values_of(x: TensorBase, what: str) -> np.ndarray[Any, Any]:
    """The array of x, for a function that computes with its values outside of any graph."""
    if not values_known(x):
        interpreter.trace.refuse_reading(x, what)
    return x._a


def kind_of(dtype: Any, fallback: dtypes.dtype | None = None) -> np.dtype[Any]:
    """The NumPy type of the `dtype=` that was given, or of the fallback, or of the default."""
    if dtype is not None:
        return as_dtype(dtype).numpy
    return (fallback or dtypes.get_default_dtype()).numpy


def check_device(device: Any) -> None:
    """Refuse a device other than the CPU."""
    if device is not None:
        device_class(device)


def check_tensor(x: Any, name: str) -> None:
    """Refuse what is not a tensor."""
    if not isinstance(x, TensorBase):
        raise DTypeError.of(name, given=type(x).__name__, must="it takes a tensor", hint="torch.tensor(...)")


def size_of(size: tuple[Any, ...], name: str, given: Any = None) -> tuple[int, ...]:
    """The shape from the arguments of `zeros(2, 3)`, `zeros((2, 3))` or `zeros(size=(2, 3))`."""
    return new_shape(sizes_from_args((given,) if given is not None else size, name))
