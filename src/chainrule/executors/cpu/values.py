"""Typed values of the compiler and LLVM's types and constants for them.

A value is a scalar or a vector of `lanes` elements of one chainrule dtype. bool is one bit here, and one
byte in memory; float16 is stored and passed on as such, but computed in float32. Next: `emit.py`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from llvmlite import ir

from ...core import dtypes
from ...core.dtypes import BOOL, FLOAT, dtype

Ir: TypeAlias = Any  # llvmlite's values and types; the library has no types of its own

POINTER: Final = ir.PointerType()
INT1, INT8, INT32, INT64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
_ELEMENT: Final = {
    d: {2: ir.HalfType(), 4: ir.FloatType(), 8: ir.DoubleType()}[d.itemsize]
    if d.category == FLOAT
    else ir.IntType(8 * d.itemsize if d.category != BOOL else 1)
    for d in dtypes.ALL
}
_VECTOR: dict[tuple[Ir, int], Ir] = {}  # one object per type: comparing a type with itself is cheap


class V:
    """A value: an LLVM scalar or vector (`ir`) and the type of its elements (`dtype`)."""

    __slots__ = ("dtype", "ir")

    def __init__(self, ir: Ir, dtype: dtype) -> None:
        self.ir = ir
        self.dtype = dtype

    @property
    def lanes(self) -> int:
        """How many elements it has; 1 for a scalar."""
        return self.ir.type.count if isinstance(self.ir.type, ir.VectorType) else 1

    @property
    def is_constant(self) -> bool:
        return isinstance(self.ir, ir.Constant)

    @property
    def number(self) -> Any:
        """The number it is in every lane, if that is known here; else None."""
        scalar = self.ir.element if isinstance(self.ir, Splat) else self.ir
        if isinstance(scalar, ir.Constant) and not isinstance(scalar.type, ir.VectorType):
            return scalar.constant
        return None

    def __repr__(self) -> str:
        return f"V({self.ir.type} {self.ir.get_reference()}, {self.dtype.name})"


class Written(ir.Constant):  # type: ignore[misc]
    """A constant given by the text that stands for it, where llvmlite would write out every element."""

    def __init__(self, typ: Ir, text: str) -> None:
        self.type = typ
        self.text = text

    def _get_reference(self) -> str:
        return self.text


class Splat(Written):
    """A constant vector of equal elements: `splat (float 0x3ff0000000000000)`."""

    def __init__(self, typ: Ir, element: Ir) -> None:
        super().__init__(typ, f"splat ({element})")
        self.element = element


def element_type(d: dtype) -> Ir:
    """LLVM's type of one element in a register."""
    return _ELEMENT[d]


def memory_type(d: dtype) -> Ir:
    """LLVM's type of one element in memory."""
    return INT8 if d.category == BOOL else _ELEMENT[d]


def vector(element: Ir, lanes: int) -> Ir:
    """<lanes x element>, or the element itself for one lane."""
    if lanes == 1:
        return element
    key = (element, lanes)
    found = _VECTOR.get(key)
    if found is None:
        found = _VECTOR[key] = ir.VectorType(element, lanes)
    return found


def constant(number: Any, d: dtype, lanes: int) -> Ir:
    """The number, rounded to the type (integers wrap around), in every lane."""
    element = _ELEMENT[d]
    if d.category == FLOAT:
        with np.errstate(over="ignore"):
            scalar = ir.Constant(element, float(d.numpy.type(number)))
    elif d.category == BOOL:
        scalar = ir.Constant(element, int(bool(number)))
    else:
        size = 1 << (8 * d.itemsize)
        wrapped = int(number) % size
        scalar = ir.Constant(element, wrapped - size if d.is_signed and wrapped >= size // 2 else wrapped)
    return scalar if lanes == 1 else Splat(vector(element, lanes), scalar)


def numbered(numbers: list[int], element: Ir) -> Ir:
    """A constant vector of these whole numbers."""
    return ir.Constant(ir.VectorType(element, len(numbers)), [ir.Constant(element, n) for n in numbers])


def zero(typ: Ir) -> Ir:
    """0 in every element."""
    return Written(typ, "zeroinitializer")
