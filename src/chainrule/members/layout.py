"""What a tensor is: shape, element type, and how it lies in memory. Next: `conversion.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base import TensorBase, owner_of
from ..core.device import CPU, device
from ..core.dtypes import FROM_NUMPY, dtype
from ..core.shapes import Size, real_axis

if TYPE_CHECKING:
    from ..tensor import Tensor


class Layout(TensorBase):
    """The part of Tensor that describes it."""

    __slots__ = ()

    @property
    def shape(self) -> Size:
        """The sizes of the axes."""
        return Size(self._a.shape)

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return FROM_NUMPY[self._a.dtype]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._a.ndim

    @property
    def device(self) -> device:
        """Always the CPU."""
        return CPU

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._a.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._a.nbytes

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis.

        >>> import chainrule as torch
        >>> torch.zeros(2, 3).size(), torch.zeros(2, 3).size(1)
        (torch.Size([2, 3]), 3)
        """
        return Size(self._a.shape) if dim is None else self._a.shape[real_axis(dim, self._a.ndim, "size")]

    def dim(self) -> int:
        """The number of axes."""
        return self._a.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._a.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self._a.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements to step in memory to the next along each axis, or along one.

        >>> import chainrule as torch
        >>> torch.zeros(2, 3).stride(), torch.zeros(2, 3).T.stride(0)
        ((3, 1), 1)
        """
        strides = tuple(s // self._a.itemsize for s in self._a.strides)
        return strides if dim is None else strides[real_axis(dim, self._a.ndim, "stride")]

    def storage_offset(self) -> int:
        """Elements between the start of the owner's memory and this tensor's first.

        >>> import chainrule as torch
        >>> torch.arange(10)[4:].storage_offset()
        4
        """
        owner = owner_of(self)._a
        start = self._a.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        return int(start // self._a.itemsize)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps."""
        return bool(self._a.flags.c_contiguous)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._a.__array_interface__["data"][0])

    def is_floating_point(self) -> bool:
        """Whether the type is a floating-point type."""
        return self._a.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Always False: there are no complex types."""
        return False

    def is_signed(self) -> bool:
        """Whether the type has negative values."""
        return self._a.dtype.kind in "if"

    @property
    def is_sparse(self) -> bool:
        """Always False: all tensors are dense."""
        return False

    @property
    def is_cuda(self) -> bool:
        """Always False: all tensors are on the CPU."""
        return False

    @property
    def _base(self) -> Tensor | None:
        """The tensor that this one is a view of."""
        return None if self._view is None else self._view.base  # type: ignore[return-value]

    @property
    def _version(self) -> int:
        """How often the memory has been written to in place."""
        return owner_of(self)._v
