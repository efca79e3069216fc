"""The eight element types, and which type comes out when they meet.

Promotion follows PyTorch: bool < integers < floats; between categories the higher one wins with its own
width, and within a category tensors with dimensions count more than 0-d tensors, which count more than
Python numbers. Nothing here looks at values. Next: `shapes.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import ArgumentError, DTypeError

BOOL, INTEGER, FLOAT = 0, 1, 2  # categories, in promotion order


class dtype:
    """An element type. Printed under the name that course code uses, `torch.float32`.

    Attributes: name, itemsize (bytes), is_floating_point, is_signed, is_complex (always False).
    """

    __slots__ = ("category", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    is_complex = False

    def __init__(self, name: str, category: int) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.category = category
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = category == FLOAT
        self.is_signed = self.numpy.kind in "if"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickled and copied by name: there is one object per type


float16 = dtype("float16", FLOAT)
float32 = dtype("float32", FLOAT)
float64 = dtype("float64", FLOAT)
int8 = dtype("int8", INTEGER)
int16 = dtype("int16", INTEGER)
int32 = dtype("int32", INTEGER)
int64 = dtype("int64", INTEGER)
uint8 = dtype("uint8", INTEGER)
bool_ = dtype("bool", BOOL)

ALL = (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
FROM_NUMPY: dict[np.dtype[Any], dtype] = {d.numpy: d for d in ALL}
_BY_NAME = {d.name: d for d in ALL} | {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
}
_FROM_PYTHON: dict[Any, dtype] = {float: float64, int: int64, bool: bool_}

_default = float32


def get_default_dtype() -> dtype:
    """The type of tensors made from Python floats; float32 unless changed.

    >>> import chainrule as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make tensors from Python floats have type `d`, which must be a floating-point type.

    Raises:  TypeError if `d` is not float16, float32 or float64.

    >>> import chainrule as torch
    >>> torch.set_default_dtype(torch.float64)
    >>> torch.tensor([1.5]).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    global _default
    d = as_dtype(d)
    if not d.is_floating_point:
        raise DTypeError.of(
            "set_default_dtype",
            given=f"{d}",
            must="the default must be a floating-point type",
            hint="torch.float32",
        )
    _default = d


def as_dtype(d: Any) -> dtype:
    """The dtype meant by a dtype, a NumPy dtype or scalar type, `float`, `int` or `bool`."""
    if isinstance(d, dtype):
        return d
    if isinstance(d, type) and d in _FROM_PYTHON:
        return _FROM_PYTHON[d]
    if isinstance(d, str) and d.removeprefix("torch.") in _BY_NAME:
        return _BY_NAME[d.removeprefix("torch.")]
    try:
        return FROM_NUMPY[np.dtype(d)]
    except (TypeError, KeyError):
        raise DTypeError.of(
            "dtype",
            given=f"{d!r}",
            must="supported are " + ", ".join(x.name for x in ALL),
            hint="torch.float32",
        ) from None


def promote(a: dtype, b: dtype) -> dtype:
    """The type two tensors with dimensions are converted to when they meet.

    >>> promote(float16, int64), promote(uint8, int8), promote(bool_, int32)
    (torch.float16, torch.int16, torch.int32)
    """
    if a is b:
        return a
    if a.category != b.category:
        return a if a.category > b.category else b
    return FROM_NUMPY[np.promote_types(a.numpy, b.numpy)]


def of_scalar(value: Any) -> dtype:
    """The type a Python number has by itself: bool, int64 or the default float type."""
    if isinstance(value, bool | np.bool_):
        return bool_
    if isinstance(value, int | np.integer):
        return int64
    return _default


def promote_operands(shaped: dtype | None, zero_d: dtype | None, number: dtype | None) -> dtype:
    """The common type of operands, given the promoted type of each rank of operand (None: no such operand).

    A lower rank only matters when its category is higher: `int64 tensor * 2.5` is float32,
    `float32 tensor * float64 0-d tensor` stays float32.
    """
    result = shaped
    for lower in (zero_d, number):
        if lower is not None and (result is None or lower.category > result.category):
            result = lower
    assert result is not None, "promotion needs at least one operand"
    return result


def number(value: Any, kind: np.dtype[Any], what: str) -> Any:
    """A Python number as it is written into an array of type `kind`: towards zero for integers.

    Raises:  ArgumentError if the type cannot hold it. Negative numbers wrap around for uint8, as in PyTorch.

    >>> number(2.7, np.dtype("int64"), "fill_"), number(-1, np.dtype("uint8"), "fill_")
    (2, 255)
    """
    if kind.kind == "b":
        return bool(value)
    if kind.kind == "f":
        converted = float(value)
        fits = not math.isfinite(converted) or abs(converted) <= np.finfo(kind).max
    elif isinstance(value, float) and not math.isfinite(value):
        fits, converted = False, 0
    else:
        info = np.iinfo(kind)
        converted = int(value)
        fits = (info.min or -info.max) <= converted <= info.max
        converted = converted % (info.max + 1) if kind.kind == "u" else converted
    if not fits:
        raise ArgumentError.of(
            what,
            given=f"the number {value!r} for a tensor of type {FROM_NUMPY[kind]}",
            must="the type must hold it",
        )
    return converted


class finfo:
    """Limits of a floating-point type: bits, eps, max, min, tiny, smallest_normal, resolution.

    >>> finfo(float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        d = as_dtype(type) if type is not None else _default
        if not d.is_floating_point:
            raise DTypeError.of(
                "finfo", given=f"{d}", must="the type must be floating point", hint=f"iinfo({d})"
            )
        info = np.finfo(d.numpy)
        self.dtype, self.bits = d.name, info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(str(info.resolution))  # the decimal number itself: 0.001

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer type: bits, max, min.

    >>> iinfo(int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        d = as_dtype(type)
        if d.category != INTEGER:
            raise DTypeError.of(
                "iinfo", given=f"{d}", must="the type must be an integer type", hint=f"finfo({d})"
            )
        info = np.iinfo(d.numpy)
        self.dtype, self.bits, self.max, self.min = d.name, info.bits, int(info.max), int(info.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
