"""Other element types, and new tensors of the same type. Next: `recording.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import TensorBase
from ..core import dtypes
from ..core.device import device as device_class
from ..core.dtypes import FROM_NUMPY, as_dtype
from ..functions.options import check_device, kind_of, made, made_like, size_of, values_of
from ..ops.move import CAST, COPY

if TYPE_CHECKING:
    from ..tensor import Tensor

_OLD_NAMES = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


class Types(TensorBase):
    """The part of Tensor that converts between element types."""

    __slots__ = ()

    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: Any = False, **_: Any) -> Tensor:
        """Converted to a type (or to the type of another tensor). Self if nothing changes, unless `copy`.

        >>> import chainrule as torch
        >>> torch.tensor([1, 2]).to(torch.float32)
        tensor([1., 2.])
        """
        for a in args:
            if isinstance(a, TensorBase):
                dtype = FROM_NUMPY[a._a.dtype]
            elif isinstance(a, str | device_class):
                device = a
            elif not isinstance(a, bool):
                dtype = a
        check_device(device)
        have = FROM_NUMPY[self._a.dtype]
        wanted = have if dtype is None else as_dtype(dtype)
        if wanted is not have:
            return CAST(self, to=wanted, source=have)
        return COPY(self) if copy else self  # type: ignore[return-value]

    def type(self, dtype: Any = None) -> Any:
        """Converted to a type; without one, the type's old name.

        >>> import chainrule as torch
        >>> torch.tensor([1.0]).type(), torch.tensor([1.5]).type(torch.int64)
        ('torch.FloatTensor', tensor([1]))
        """
        if dtype is None:
            return f"torch.{_OLD_NAMES[self._a.dtype.name]}Tensor"
        return self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """Converted to the type of another tensor."""
        return self.to(other.dtype)

    def float(self) -> Tensor:
        """Converted to float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """Converted to float64."""
        return self.to(dtypes.float64)

    def half(self) -> Tensor:
        """Converted to float16."""
        return self.to(dtypes.float16)

    def int(self) -> Tensor:
        """Converted to int32, towards zero."""
        return self.to(dtypes.int32)

    def long(self) -> Tensor:
        """Converted to int64, towards zero."""
        return self.to(dtypes.int64)

    def short(self) -> Tensor:
        """Converted to int16, towards zero."""
        return self.to(dtypes.int16)

    def char(self) -> Tensor:
        """Converted to int8, towards zero."""
        return self.to(dtypes.int8)

    def byte(self) -> Tensor:
        """Converted to uint8, towards zero."""
        return self.to(dtypes.uint8)

    def bool(self) -> Tensor:
        """Converted to bool: whether each element is not 0."""
        return self.to(dtypes.bool_)

    def cpu(self) -> Tensor:
        """Self: all tensors are on the CPU."""
        return self  # type: ignore[return-value]

    def contiguous(self) -> Tensor:
        """Self if the elements lie in row-major order, else a copy where they do."""
        return self if self._a.flags.c_contiguous else COPY(self)  # type: ignore[return-value]

    # -- new tensors of this tensor's type ------------------------------------------------------------

    def _kind(self, dtype: Any) -> np.dtype[Any]:
        return kind_of(dtype, FROM_NUMPY[self._a.dtype])

    def new_tensor(self, data: Any, *, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """A tensor from data, of this tensor's type unless another is given."""
        if isinstance(data, TensorBase):
            data = values_of(data, "new_tensor")
        values = list(data) if isinstance(data, range) else data
        return made(np.array(values, self._kind(dtype)), requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """An uninitialised tensor of this tensor's type."""
        return made_like(self, np.empty(size_of(size, "new_empty"), self._kind(dtype)), requires_grad)

    def new_zeros(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """Zeros of this tensor's type."""
        return made_like(self, np.zeros(size_of(size, "new_zeros"), self._kind(dtype)), requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """Ones of this tensor's type."""
        return made_like(self, np.ones(size_of(size, "new_ones"), self._kind(dtype)), requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """One value everywhere, of this tensor's type.

        >>> import chainrule as torch
        >>> torch.tensor([1.0]).new_full((2,), 7)
        tensor([7., 7.])
        """
        value = values_of(fill_value, "new_full") if isinstance(fill_value, TensorBase) else fill_value
        return made_like(self, np.full(size_of((size,), "new_full"), value, self._kind(dtype)), requires_grad)
