"""Tensors from data and from a rule. Next: `functions/sampling.py` for random ones, then `nn/`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .base import TensorBase
from .core import dtypes, memory
from .core.arrays import known_type, shared, unmasked
from .core.dtypes import FROM_NUMPY, as_dtype, dtype
from .core.errors import ArgumentError, DTypeError, ShapeError
from .functions.options import check_device, check_tensor, kind_of, made, made_like, size_of, values_of
from .tensor import Tensor


def _array_from(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """A new array from nested sequences, numbers, arrays or tensors; the type by PyTorch's rules."""
    if isinstance(data, TensorBase):
        return np.array(values_of(data, "tensor"), kind_of(dtype, FROM_NUMPY[data._a.dtype]))
    if isinstance(data, np.ndarray | np.generic):
        return np.array(
            unmasked(data, "tensor") if isinstance(data, np.ndarray) else data,
            kind_of(dtype, known_type(data.dtype, "tensor")),
            order="C",
        )
    if hasattr(data, "__array__"):  # a pandas column, a PIL image, ...
        return _array_from(np.asarray(data), dtype)
    values = _plain(data)
    try:
        a = np.array(values)
    except ValueError:
        raise ShapeError.of(
            "tensor",
            given=_ragged(values),
            must="nested lists must be rectangular: all of one length at each level",
        ) from None
    too_large = a.dtype == np.uint64 and _first_numpy(data) is None
    if too_large or (a.dtype.kind == "O" and isinstance(_first(values), int)):
        raise ArgumentError.of(
            "tensor", given="an integer outside int64", must="integers must fit into 64 bits"
        )
    if a.dtype.kind == "O" or a.dtype.kind in "USMmc":
        raise DTypeError.of(
            "tensor",
            given=f"{type(_first(values)).__name__} values" if a.size else f"{type(data).__name__}",
            must="values must be numbers or bools",
            hint="encode text and categories as numbers first",
        )
    if dtype is None:
        if isinstance(_first(data), np.generic | np.ndarray | TensorBase):  # what is in a list keeps its type
            kind = functools.reduce(dtypes.promote, _types(data))
        elif a.dtype.kind == "f" or a.size == 0:
            kind = dtypes.get_default_dtype()
        else:
            kind = dtypes.bool_ if a.dtype.kind == "b" else dtypes.int64
        return a.astype(kind.numpy, copy=False)
    wanted = as_dtype(dtype)
    if a.size == 0 or a.dtype.kind == wanted.numpy.kind:
        try:
            return np.array(values, wanted.numpy)
        except OverflowError:
            raise ArgumentError.of(
                "tensor", given=f"an integer outside {wanted}", must="values must fit into the type"
            ) from None
    if a.dtype.kind == "f" and wanted.category == dtypes.INTEGER and not np.isfinite(a).all():
        raise ArgumentError.of(
            "tensor", given=f"NaN or infinity for {wanted}", must="integers have no such values"
        )
    return a.astype(wanted.numpy)


def _plain(data: Any) -> Any:
    """Nested sequences with tensors inside as nested lists of Python numbers."""
    if isinstance(data, TensorBase):
        a = values_of(data, "tensor")
        return a.tolist() if a.ndim == 0 else a
    if isinstance(data, range):
        return list(data)
    if isinstance(data, list | tuple):
        if (
            data
            and isinstance(data[0], int | float)
            and not any(isinstance(x, list | tuple | TensorBase) for x in data)
        ):
            return data
        return [_plain(x) for x in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return [_plain(x) for x in data]
    return data


def _ragged(values: Any) -> str:
    lengths = [len(v) if isinstance(v, list | tuple) else "a number" for v in values][:6]
    return f"rows of lengths {', '.join(map(str, lengths))}"


def _first(values: Any) -> Any:
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return values


def _types(data: Any) -> Iterator[dtype]:
    """The types of all that stands in nested sequences."""
    if isinstance(data, TensorBase):
        yield FROM_NUMPY[data._a.dtype]
    elif isinstance(data, np.generic | np.ndarray):
        yield known_type(data.dtype, "tensor")
    elif isinstance(data, Sequence):
        for part in data:
            yield from _types(part)
    else:
        yield dtypes.of_scalar(data)


def _number(value: Any, name: str, what: str) -> Any:
    """A Python number from an argument: a number, or a tensor without axes."""
    if isinstance(value, TensorBase) and not value._a.shape:
        return values_of(value, name).item()
    if not isinstance(value, int | float | np.number | np.bool_):
        given = f"shape {tuple(value._a.shape)}" if isinstance(value, TensorBase) else type(value).__name__
        raise DTypeError.of(name, given=f"{what} of {given}", must=f"{what} must be a number")
    return value


def _first_numpy(data: Any) -> np.dtype[Any] | None:
    value = _first(data)
    return value.dtype if isinstance(value, np.generic | np.ndarray) else None


def tensor(
    data: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of `data`: numbers, nested lists, a NumPy array, another tensor.

    Types:   Python floats give the default type (float32), integers int64, bools bool; arrays keep theirs.
    Raises:  ShapeError for lists that are not rectangular, DTypeError for values that are not numbers.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]), torch.tensor([1.0, 2]).dtype
    (tensor([[1, 2],
            [3, 4]]), torch.float32)
    """
    check_device(device)
    return made(_array_from(data, dtype), requires_grad)


def as_tensor(data: Any, dtype: dtype | None = None, device: Any = None) -> Tensor:
    """A tensor that shares memory with `data` if it is a tensor or array of the right type; else a copy.

    >>> import chainrule as torch
    >>> torch.as_tensor([1, 2])
    tensor([1, 2])
    """
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if (
        isinstance(data, np.ndarray)
        and data.dtype in FROM_NUMPY
        and (dtype is None or as_dtype(dtype).numpy == data.dtype)
    ):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


asarray = as_tensor


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares memory with a NumPy array.

    >>> import chainrule as torch, numpy as np
    >>> a = np.zeros(2)
    >>> t = torch.from_numpy(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError.of(
            "from_numpy", given=type(ndarray).__name__, must="it takes a NumPy array", hint="tensor(...)"
        )
    if ndarray.dtype not in FROM_NUMPY or not ndarray.dtype.isnative:
        known_type(ndarray.dtype, "from_numpy")
        raise DTypeError.of(
            "from_numpy",
            given=f"an array of type {ndarray.dtype.str}",
            must="the bytes must be in this machine's order to be shared",
            hint="tensor(array), which copies",
        )
    if any(s < 0 for s in ndarray.strides):
        raise ArgumentError.of(
            "from_numpy",
            given="an array with a negative step",
            must="tensors only step forward in memory",
            hint="from_numpy(array.copy())",
        )
    return made(shared(ndarray, "from_numpy"), False)


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares memory with any object that speaks DLPack."""
    if not hasattr(ext_tensor, "__dlpack__"):
        raise DTypeError.of(
            "from_dlpack",
            given=type(ext_tensor).__name__,
            must="it takes an object with the method __dlpack__",
            hint="tensor(...)",
        )
    return from_numpy(np.from_dlpack(ext_tensor))


# -- constant values -------------------------------------------------------------------------------------


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """An uninitialised tensor: whatever the memory holds.

    >>> import chainrule as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    check_device(device)
    return made(memory.empty(size_of(sizes, "empty", size), kind_of(dtype)), requires_grad)


def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    check_device(device)
    return made(np.zeros(size_of(sizes, "zeros", size), kind_of(dtype)), requires_grad)


def ones(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones.

    >>> import chainrule as torch
    >>> torch.ones(3)
    tensor([1., 1., 1.])
    """
    check_device(device)
    return made(np.ones(size_of(sizes, "ones", size), kind_of(dtype)), requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; its type decides that of the tensor.

    >>> import chainrule as torch
    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    check_device(device)
    value = _number(fill_value, "full", "fill_value")
    return made(
        np.full(size_of((size,), "full"), value, kind_of(dtype, dtypes.of_scalar(value))), requires_grad
    )


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    >>> import chainrule as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device(device)
    rows, columns = size_of((n, n if m is None else m), "eye")
    return made(np.eye(rows, columns, dtype=kind_of(dtype)), requires_grad)


def _like(input: Tensor, dtype: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the tensor to make."""
    check_tensor(input, name)
    return input._a.shape, kind_of(dtype, FROM_NUMPY[input._a.dtype])


def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and type of another tensor."""
    return made_like(input, np.zeros(*_like(input, dtype, "zeros_like")), requires_grad)


def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and type of another tensor."""
    return made_like(input, np.ones(*_like(input, dtype, "ones_like")), requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere, in the shape and type of another tensor."""
    shape, kind = _like(input, dtype, "full_like")
    value = _number(fill_value, "full_like", "fill_value")
    return made_like(input, np.full(shape, value, kind), requires_grad)


def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """An uninitialised tensor in the shape and type of another."""
    return made_like(input, memory.empty(*_like(input, dtype, "empty_like")), requires_grad)


# -- ranges ------------------------------------------------------------------------------------------------


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to but without `end`; `arange(n)` counts from 0.

    Types:  int64 if all three are integers, else the default type.

    >>> import chainrule as torch
    >>> torch.arange(4), torch.arange(1, 2, 0.5)
    (tensor([0, 1, 2, 3]), tensor([1.0000, 1.5000]))
    """
    check_device(device)
    if start is None or end is None:
        start, end = 0, start if end is None else end
    start, end, step = (_number(v, "arange", "a limit or the step") for v in (start, end, step))
    if (
        dtype is not None
        and kind_of(dtype).kind in "iu"
        and all(math.isfinite(v) for v in (start, end, step))
    ):
        start, end, step = int(start), int(end), int(step)  # before counting
    if step == 0 or not 0 <= (end - start) / step < math.inf:
        raise ArgumentError.of(
            "arange",
            given=f"start={start}, end={end}, step={step}",
            must="the step must lead from start towards end",
        )
    whole = all(isinstance(v, int | np.integer) for v in (start, end, step))
    kind = kind_of(dtype, dtypes.int64 if whole else dtypes.get_default_dtype())
    if whole:
        return made(np.arange(start, end, step).astype(kind, copy=False), requires_grad)
    n = math.ceil((end - start) / step)
    return made((start + step * np.arange(n, dtype=np.float64)).astype(kind), requires_grad)


def range_(start: Any, end: Any, step: Any = 1, **settings: Any) -> Tensor:
    """`range`: like `arange`, with the end included."""
    return arange(start, end + step / 2, step, **settings)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values at equal distances from start to end, both included.

    >>> import chainrule as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    check_device(device)
    return made(_evenly(start, end, steps, "linspace").astype(kind_of(dtype)), requires_grad)


def _evenly(start: Any, end: Any, steps: Any, name: str) -> np.ndarray[Any, Any]:
    start, end = float(_number(start, name, "start")), float(_number(end, name, "end"))
    if not isinstance(_number(steps, name, "steps"), int | np.integer):
        raise DTypeError.of(name, given=f"steps={steps}", must="the number of values must be an integer")
    if steps < 0:
        raise ArgumentError.of(name, given=f"steps={steps}", must="the number of values must not be negative")
    return np.linspace(start, end, steps)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: dtype | None = None) -> Tensor:
    """base**start to base**end with equal distances between the exponents.

    >>> import chainrule as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    return made(np.power(base, _evenly(start, end, steps, "logspace")).astype(kind_of(dtype)), False)
