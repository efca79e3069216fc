"""A tensor in other forms: NumPy arrays, Python numbers and lists, text, copies. Next: `types.py`."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import base, printing
from ..backward import node_of
from ..base import TensorBase, View, owner_of
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, GradError, ShapeError
from ..functions import indexing, joining, pointwise, reductions
from ..ops.primitive import interpreter, tracing
from ..tape.node import AccumulateGrad

if TYPE_CHECKING:
    from ..tensor import Tensor


def _look_at(x: TensorBase, what: str) -> None:
    """The values of x are asked for; while a program is recorded there are none to rely on."""
    if tracing.tracer is not None:
        interpreter.trace.refuse_reading(x, what)


class Conversion(TensorBase):
    """The part of Tensor that turns it into something else."""

    __slots__ = ()

    # -- arrays and lists -------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The values as a NumPy array that shares memory with the tensor.

        Raises:  GradError if the tensor needs a gradient, unless `force`.

        >>> import chainrule as torch
        >>> torch.tensor([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        if force:
            _look_at(self, "numpy()")
            return self._a
        return self._shared("numpy()")

    def _shared(self, what: str) -> np.ndarray[Any, Any]:
        """The array, for somebody who cannot record what is done with it."""
        _look_at(self, what)
        if node_of(self) is not None:
            raise GradError.of(
                what,
                given=f"a tensor {self._a.shape} that needs a gradient",
                must="what happens to the array is not recorded, so gradients would be lost without a word",
                hint="x.detach().numpy()",
            )
        return self._a

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self._shared("numpy()"), dtype, copy=copy)

    def __dlpack__(self, **settings: Any) -> Any:
        return self._shared("DLPack").__dlpack__(**settings)

    def __dlpack_device__(self) -> Any:
        return self._a.__dlpack_device__()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers; a 0-d tensor as a number.

        >>> import chainrule as torch
        >>> torch.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        _look_at(self, "tolist()")
        return self._a.tolist()

    # -- numbers ----------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number.

        >>> import chainrule as torch
        >>> torch.tensor([2.5]).item()
        2.5
        """
        return self._number("item()")

    def _number(self, what: str) -> Any:
        if self._a.size != 1:
            raise ShapeError.of(
                what,
                given=f"a tensor {self._a.shape}",
                must="only a tensor with one element can become a Python number",
                hint="x.tolist(), or x.sum() or x.mean() first",
            )
        _look_at(self, what)
        return self._a.item()

    def __float__(self) -> float:
        return float(self._number("float(x)"))

    def __int__(self) -> int:
        return int(self._number("int(x)"))

    def __complex__(self) -> complex:
        return complex(self._number("complex(x)"))

    def __index__(self) -> int:
        if self._a.dtype.kind == "f" or self._a.size != 1:
            raise DTypeError.of(
                "an index",
                given=f"a tensor {self._a.shape} of type {FROM_NUMPY[self._a.dtype]}",
                must="only one integer can be an index",
                hint="int(x)",
            )
        _look_at(self, "an index")
        return int(self._a.item())

    def __bool__(self) -> bool:
        if self._a.size != 1:
            raise ShapeError.of(
                "bool(x)",
                given=f"a tensor {self._a.shape}",
                must="the truth of a tensor is only defined for one element",
                hint="x.any() or x.all()",
            )
        _look_at(self, "if x, bool(x)")
        return bool(self._a.item())

    # -- as a container ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        if self._a.ndim == 0:
            raise DTypeError.of(
                "len(x)", given="a 0-d tensor", must="only a tensor with axes has a length", hint="x.numel()"
            )
        return int(self._a.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if self._a.ndim == 0:
            raise DTypeError.of(
                "iteration",
                given="a 0-d tensor",
                must="only a tensor with axes can be iterated over",
                hint="x.item()",
            )
        x: Any = self
        return (indexing.getitem(x, i) for i in range(self._a.shape[0]))

    def __reversed__(self) -> Tensor:
        x: Any = self
        return joining.flip(x, 0) if self._a.ndim else x

    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, TensorBase | int | float | np.number | np.bool_):
            raise ArgumentError.of(
                "y in x",
                given=f"{type(value).__name__}",
                must="a tensor holds numbers: y must be a number or a tensor",
            )
        return bool(reductions.any(pointwise.eq(self, value)))

    def __hash__(self) -> int:
        return id(self)

    # -- text -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        node = node_of(self)
        return printing.format_tensor(
            self._a,
            default_dtype=dtypes.get_default_dtype().name,
            requires_grad=isinstance(node, AccumulateGrad),
            grad_fn=None if node is None or isinstance(node, AccumulateGrad) else node.name,
        )

    def __format__(self, spec: str) -> str:
        if self._a.ndim == 0 and type(self) is base.tensor_class:
            return format(self._a.item(), spec)
        if spec:
            raise DTypeError.of(
                "f'{x:...}'",
                given=f"a tensor {self._a.shape} and the format {spec!r}",
                must="only a 0-d tensor is formatted like a number",
                hint=f"f'{{x.item():{spec}}}' for one element, set_printoptions(precision=2) for many",
            )
        return repr(self)

    # -- copies -----------------------------------------------------------------------------------------

    def __copy__(self) -> Self:
        """Another tensor on the same memory; it needs a gradient if this one does, but is a leaf."""
        out = self._same_kind(self._a)
        out._view = View(owner_of(self))
        if node_of(self) is not None:
            out._node = AccumulateGrad(out)
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A leaf with memory of its own, and its gradient."""
        _look_at(self, "deepcopy")
        node = node_of(self)
        if node is not None and not isinstance(node, AccumulateGrad):
            raise GradError.of(
                "deepcopy",
                given=f"a tensor {self._a.shape} made by recorded operations",
                must="only leaf tensors can be copied with their gradient",
                hint="x.detach().clone()",
            )
        out = self._same_kind(self._a.copy())
        memo[id(self)] = out
        if node is not None:
            out._node = AccumulateGrad(out)
        out._grad = copying.deepcopy(self._grad, memo)
        return out

    def _same_kind(self, a: np.ndarray[Any, Any]) -> Self:
        """A tensor of this class around an array."""
        out = object.__new__(type(self))
        out._a = a
        out._node = None
        out._view = None
        out._v = 0
        out._grad = None
        return out

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ArgumentError.of(
            "pickle",
            given=f"a tensor {self._a.shape}",
            must="tensors are not pickled: loading a pickle can run code",
            hint="chainrule.save(x, path) and chainrule.load(path)",
        )
