"""Tensor: what users hold. An n-dimensional array with PyTorch's names and a place on the tape.

The class is thin: operators and methods are the functions of `functions/`, in-place methods are `inplace.py`
applied to them. This file says which is which, and holds what concerns the tensor itself: conversion,
printing, `requires_grad`, `backward`. Next: `creation.py`, or `autograd/engine.py` for what backward does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import backward as bw
from . import inplace, printing
from .base import TensorBase, View, owner_of, set_tensor_class, wrap
from .core import dtypes
from .core.device import CPU, device
from .core.dtypes import FROM_NUMPY, as_dtype, dtype
from .core.errors import ArgumentError, DTypeError, GradError, ShapeError
from .core.shapes import Size, axis_index, new_shape, sizes_from_args
from .eager import sync
from .functions import indexing, linalg, ordering, pointwise, reductions, shaping
from .ops import arithmetic as ar
from .ops import compare as cm
from .ops import move as mv
from .ops.primitive import Primitive
from .tape.engine import RemovableHandle, hook_handle
from .tape.node import AccumulateGrad, Node


_OPERANDS = (TensorBase, int, float, np.number, np.bool_, np.ndarray)


def _operand(y: Any) -> bool:
    return isinstance(y, _OPERANDS)


def _as_operand(y: Any) -> Any:
    return wrap(np.asarray(y)) if isinstance(y, np.ndarray) else y


def _infix(op: Primitive) -> Callable[[Any, Any], Any]:
    def infix(self: Any, other: Any) -> Any:
        return op(self, _as_operand(other)) if _operand(other) else NotImplemented

    return infix


def _reflected(op: Primitive) -> Callable[[Any, Any], Any]:
    def infix(self: Any, other: Any) -> Any:
        return op(_as_operand(other), self) if _operand(other) else NotImplemented

    return infix


def _assigned(op: Primitive) -> Callable[[Any, Any], Any]:
    if isinstance(op.numpy, np.ufunc):
        return inplace.binary(op, op.name)
    return lambda self, other: inplace.with_other(op, self, other)


def _in_place(op: Primitive, name: str) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> Any:
        return inplace.apply(op, self, others)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"{op.formula}, written into this tensor. Returns self."
    return method


_add_in_place = inplace.binary(ar.ADD, "add_")
_sub_in_place = inplace.binary(ar.SUB, "sub_")


class Tensor(TensorBase):
    """An n-dimensional array of one element type that can record how it was computed.

    Made by `tensor`, `zeros`, `randn` and the like, and by operations. Names, defaults and results follow
    PyTorch. Printing shows values, type if it is not the default, and how the tensor was made.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    __array_priority__ = 1000  # NumPy leaves `array * tensor` to us

    def __init__(self, data: Any = ()) -> None:
        if isinstance(data, TensorBase):
            a = data._a
        elif isinstance(data, int):
            a = np.empty((data,), dtypes.get_default_dtype().numpy)
        else:
            a = np.array(data, dtypes.get_default_dtype().numpy)
        self._a = a
        self._node = None
        self._view = None
        self._v = 0
        self.grad = None

    # -- what it is -----------------------------------------------------------------------------------

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
        """The shape, or the size of one axis."""
        return Size(self._a.shape) if dim is None else self._a.shape[axis_index(dim, self._a.ndim, "size")]

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
        """Elements to step in memory to the next along each axis."""
        strides = tuple(s // self._a.itemsize for s in self._a.strides)
        return strides if dim is None else strides[axis_index(dim, self._a.ndim, "stride")]

    def storage_offset(self) -> int:
        """Elements between the start of the owner's memory and this tensor's first."""
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

    # -- other forms ------------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The values as a NumPy array that shares memory with the tensor.

        Raises:  GradError if the tensor needs a gradient, unless `force`.

        >>> import chainrule as torch
        >>> torch.tensor([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        if not force and self.requires_grad:
            raise GradError.of(
                "numpy()",
                given=f"a tensor {self._a.shape} that needs a gradient",
                must="NumPy cannot record operations, so gradients would be lost without a word",
                hint="x.detach().numpy()",
            )
        return self._a

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            return a.astype(dtype)
        return a.copy() if copy else a

    def __dlpack__(self, **settings: Any) -> Any:
        return self.numpy().__dlpack__(**settings)

    def __dlpack_device__(self) -> Any:
        return self._a.__dlpack_device__()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers; a 0-d tensor as a number."""
        return self._a.tolist()

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number."""
        if self._a.size != 1:
            raise ShapeError.of(
                "item()",
                given=f"a tensor {self._a.shape}",
                must="only a tensor with one element is a number",
                hint="x.tolist()",
            )
        return self._a.item()

    def _number(self, what: str) -> Any:
        if self._a.size != 1:
            raise ShapeError.of(
                what,
                given=f"a tensor {self._a.shape}",
                must="only a tensor with one element can be converted to a Python number",
                hint="x.tolist(), or x.sum() or x.mean() first",
            )
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
                given=f"a tensor {self._a.shape} of type {self.dtype}",
                must="only one integer can be an index",
                hint="int(x)",
            )
        return int(self._a.item())

    def __bool__(self) -> bool:
        if self._a.size != 1:
            raise ShapeError.of(
                "bool(x)",
                given=f"a tensor {self._a.shape}",
                must="the truth of a tensor is only defined for one element",
                hint="x.any() or x.all()",
            )
        return bool(self._a.item())

    def __len__(self) -> int:
        if self._a.ndim == 0:
            raise DTypeError.of(
                "len(x)", given="a 0-d tensor", must="only a tensor with axes has a length", hint="x.numel()"
            )
        return self._a.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self._a.ndim == 0:
            raise DTypeError.of(
                "iteration",
                given="a 0-d tensor",
                must="only a tensor with axes can be iterated over",
                hint="x.item()",
            )
        return map(self.__getitem__, range(self._a.shape[0]))

    def __reversed__(self) -> Tensor:
        return shaping.flip(self, 0) if self._a.ndim else self

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        node = self._node if self._view is None else sync(self)
        return printing.format_tensor(
            self._a,
            default_dtype=dtypes.get_default_dtype().name,
            requires_grad=isinstance(node, AccumulateGrad),
            grad_fn=None if node is None or isinstance(node, AccumulateGrad) else node.name,
        )

    def __format__(self, spec: str) -> str:
        if self._a.ndim == 0 and spec:
            return format(self._a.item(), spec)
        return format(repr(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GradError.of(
                "deepcopy",
                given="a tensor made by recorded operations",
                must="only leaf tensors can be copied with their gradient",
                hint="x.detach().clone()",
            )
        return self._copied(memo)

    def _copied(self, memo: dict[int, Any]) -> Tensor:
        out = object.__new__(type(self))
        out._a = self._a.copy()
        out._node = None
        out._view = None
        out._v = 0
        out.grad = None if self.grad is None else self.grad._copied(memo)
        if self.requires_grad:
            out._node = AccumulateGrad(out)
        memo[id(self)] = out
        return out

    def __copy__(self) -> Tensor:
        out = self.detach()
        return out.requires_grad_() if self.requires_grad and self.is_leaf else out

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ArgumentError.of(
            "pickle",
            given=f"a tensor {self._a.shape}",
            must="tensors are not pickled: loading a pickle can run code",
            hint="chainrule.save(x, path) and chainrule.load(path)",
        )

    # -- on the tape ------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether backward goes through this tensor. Set it on tensors that you made yourself."""
        return (self._node if self._view is None else sync(self)) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch on or off that gradients are collected in `.grad`. Returns self.

        Raises:  GradError for a type that is not floating point, or for a result of recorded operations.
        """
        if requires_grad == self.requires_grad:
            return self
        if requires_grad:
            if self._a.dtype.kind != "f":
                raise GradError.of(
                    "requires_grad_",
                    given=f"a tensor {self._a.shape} of type {self.dtype}",
                    must="only floating-point values change continuously, so only they have gradients",
                    hint="x.float().requires_grad_()",
                )
            self._node = AccumulateGrad(self)
        else:
            if not self.is_leaf:
                raise GradError.of(
                    "requires_grad_(False)",
                    given="a tensor made by recorded operations",
                    must="its need for a gradient comes from its inputs",
                    hint="x.detach()",
                )
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, not by a recorded operation."""
        node = self._node if self._view is None else sync(self)
        return node is None or isinstance(node, AccumulateGrad)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for leaves."""
        node = self._node if self._view is None else sync(self)
        return None if isinstance(node, AccumulateGrad) else node

    @property
    def retains_grad(self) -> bool:
        """Whether backward stores the gradient of this intermediate result in `.grad`."""
        return not self.is_leaf and bw.retains(self)

    def retain_grad(self) -> None:
        """Store the gradient of this intermediate result in `.grad` at backward."""
        bw.retain(self)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the derivative of this tensor to the `.grad` of every leaf it was computed from.

        gradient:      what arrives here: needed, in the tensor's shape, unless it has one element.
        retain_graph:  keep what is needed for another backward through the same graph.
        create_graph:  record the backward itself, for derivatives of derivatives.
        inputs:        only these tensors get a gradient.
        Raises:        GradError if nothing was recorded, for a tensor with several elements and no `gradient`,
                       through memory that an earlier backward has freed, and for values changed in place.
        """
        bw.backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same memory, off the tape: results computed from it have no gradient to this tensor."""
        out: Tensor = wrap(self._a)
        out._view = View(owner_of(self))
        return out

    def detach_(self) -> Tensor:
        """Take this tensor off the tape. Returns self."""
        self._node = None
        if self._view is not None:
            self._view = View(self._view.owner)
        return self

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor of its own, off the tape; writing to it is not noticed by backward."""
        return wrap(self._a)  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: Tensor) -> None:
        self._a = value._a

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook(gradient)` when backward arrives here; what it returns, if not None, goes on instead."""
        node = self._node if self._view is None else sync(self)
        if node is None:
            raise GradError.of(
                "register_hook",
                given="a tensor that needs no gradient",
                must="no gradient will arrive",
                hint="x.requires_grad_()",
            )
        return hook_handle(node, "hooks", hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook(tensor)` each time backward has added to this leaf's `.grad`."""
        if not isinstance(self._node, AccumulateGrad):
            raise GradError.of(
                "register_post_accumulate_grad_hook",
                given="a tensor that collects no gradient",
                must="only leaves collect gradients",
            )
        return hook_handle(self._node, "after", hook)

    # -- types and copies -------------------------------------------------------------------------------

    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **_: Any) -> Tensor:
        """Converted to a type (or to the type of another tensor). Self if nothing changes, unless `copy`.

        >>> import chainrule as torch
        >>> torch.tensor([1, 2]).to(torch.float32)
        tensor([1., 2.])
        """
        for a in args:
            if isinstance(a, TensorBase):
                dtype = FROM_NUMPY[a._a.dtype]
            elif isinstance(a, str | type(CPU)):
                device = a
            elif not isinstance(a, bool):
                dtype = a
        if device is not None:
            CPU.__class__(device)
        have = FROM_NUMPY[self._a.dtype]
        wanted = have if dtype is None else as_dtype(dtype)
        if wanted is have:
            return mv.COPY(self) if copy else self
        return mv.CAST(self, to=wanted, source=have)  # type: ignore[no-any-return]

    def type(self, dtype: Any = None) -> Any:
        """Converted to a type; without one, the type's old name."""
        if dtype is None:
            names = {
                "float32": "Float",
                "float64": "Double",
                "float16": "Half",
                "int64": "Long",
                "int32": "Int",
            }
            names |= {"int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool"}
            return f"torch.{names[self.dtype.name]}Tensor"
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
        return self

    def contiguous(self) -> Tensor:
        """Self if the elements lie in row-major order, else a copy where they do."""
        return self if self._a.flags.c_contiguous else mv.COPY(self)  # type: ignore[no-any-return]

    def _new(self, a: np.ndarray[Any, Any], requires_grad: Any) -> Tensor:
        out: Tensor = wrap(a)
        return out.requires_grad_() if requires_grad else out

    def new_tensor(self, data: Any, *, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """A tensor from data, of this tensor's type unless another is given."""
        kind = self._a.dtype if dtype is None else as_dtype(dtype).numpy
        values = data._a if isinstance(data, TensorBase) else list(data) if isinstance(data, range) else data
        return self._new(np.array(values, kind), requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """An uninitialised tensor of this tensor's type."""
        kind = self._a.dtype if dtype is None else as_dtype(dtype).numpy
        return self._new(np.empty(new_shape(sizes_from_args(size, "new_empty")), kind), requires_grad)

    def new_zeros(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """Zeros of this tensor's type."""
        kind = self._a.dtype if dtype is None else as_dtype(dtype).numpy
        return self._new(np.zeros(new_shape(sizes_from_args(size, "new_zeros")), kind), requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        """Ones of this tensor's type."""
        kind = self._a.dtype if dtype is None else as_dtype(dtype).numpy
        return self._new(np.ones(new_shape(sizes_from_args(size, "new_ones")), kind), requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """One value everywhere, of this tensor's type."""
        kind = self._a.dtype if dtype is None else as_dtype(dtype).numpy
        value = fill_value._a if isinstance(fill_value, TensorBase) else fill_value
        return self._new(np.full(new_shape(sizes_from_args((size,), "new_full")), value, kind), requires_grad)

    # -- indexing ---------------------------------------------------------------------------------------

    __getitem__ = indexing.getitem
    __setitem__ = indexing.setitem

    # -- operators --------------------------------------------------------------------------------------

    __add__ = pointwise.op_add
    __radd__ = __add__
    __sub__ = pointwise.op_sub
    __rsub__ = _reflected(ar.SUB)
    __mul__ = pointwise.op_mul
    __rmul__ = __mul__
    __truediv__ = pointwise.op_div
    __rtruediv__ = _reflected(ar.DIV)
    __floordiv__ = _infix(ar.FLOOR_DIVIDE)
    __rfloordiv__ = _reflected(ar.FLOOR_DIVIDE)
    __mod__ = _infix(ar.REMAINDER)
    __rmod__ = _reflected(ar.REMAINDER)
    __neg__ = pointwise.neg
    __abs__ = pointwise.abs

    def __pos__(self) -> Tensor:
        return self

    def __pow__(self, exponent: Any) -> Any:
        return pointwise.pow(self, _as_operand(exponent)) if _operand(exponent) else NotImplemented

    def __rpow__(self, base: Any) -> Any:
        return ar.POW(_as_operand(base), self) if _operand(base) else NotImplemented

    def __matmul__(self, other: Any) -> Any:
        return (
            linalg.matmul(self, _as_operand(other))
            if isinstance(other, TensorBase | np.ndarray)
            else NotImplemented
        )

    def __rmatmul__(self, other: Any) -> Any:
        return (
            linalg.matmul(_as_operand(other), self)
            if isinstance(other, TensorBase | np.ndarray)
            else NotImplemented
        )

    __eq__ = pointwise.op_eq  # type: ignore[assignment]
    __ne__ = pointwise.op_ne  # type: ignore[assignment]
    __lt__ = pointwise.op_lt
    __le__ = pointwise.op_le
    __gt__ = pointwise.op_gt
    __ge__ = pointwise.op_ge
    __and__ = _infix(cm.BITWISE_AND)
    __rand__ = __and__
    __or__ = _infix(cm.BITWISE_OR)
    __ror__ = __or__
    __xor__ = _infix(cm.BITWISE_XOR)
    __rxor__ = __xor__
    __lshift__ = _infix(cm.LEFT_SHIFT)
    __rshift__ = _infix(cm.RIGHT_SHIFT)
    __invert__ = pointwise.bitwise_not

    __iadd__ = _assigned(ar.ADD)
    __isub__ = _assigned(ar.SUB)
    __imul__ = _assigned(ar.MUL)
    __itruediv__ = _assigned(ar.DIV)
    __ifloordiv__ = _assigned(ar.FLOOR_DIVIDE)
    __imod__ = _assigned(ar.REMAINDER)
    __iand__ = _assigned(cm.BITWISE_AND)
    __ior__ = _assigned(cm.BITWISE_OR)
    __ixor__ = _assigned(cm.BITWISE_XOR)

    def __ipow__(self, exponent: Any) -> Tensor:  # type: ignore[misc]
        return self.pow_(exponent)  # type: ignore[no-any-return]

    # -- axes as attributes ---------------------------------------------------------------------------

    T = property(shaping.reversed_axes)
    mT = property(shaping.matrix_transposed)
    H = property(shaping.matrix_transposed)

    # -- elementwise methods --------------------------------------------------------------------------

    abs = absolute = pointwise.abs
    neg = negative = pointwise.neg
    sign = sgn = pointwise.sign
    reciprocal = pointwise.reciprocal
    square = pointwise.square
    relu = pointwise.relu
    floor = pointwise.floor
    ceil = pointwise.ceil
    trunc = fix = pointwise.trunc
    round = pointwise.round
    frac = pointwise.frac
    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    log = pointwise.log
    log2 = pointwise.log2
    log10 = pointwise.log10
    log1p = pointwise.log1p
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    sin = pointwise.sin
    cos = pointwise.cos
    tan = pointwise.tan
    asin = arcsin = pointwise.asin
    acos = arccos = pointwise.acos
    atan = arctan = pointwise.atan
    sinh = pointwise.sinh
    cosh = pointwise.cosh
    tanh = pointwise.tanh
    asinh = arcsinh = pointwise.asinh
    acosh = arccosh = pointwise.acosh
    atanh = arctanh = pointwise.atanh
    erf = pointwise.erf
    erfc = pointwise.erfc
    erfinv = pointwise.erfinv
    lgamma = pointwise.lgamma
    digamma = pointwise.digamma
    sigmoid = pointwise.sigmoid
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    signbit = pointwise.signbit
    logical_not = pointwise.logical_not
    bitwise_not = pointwise.bitwise_not
    add = pointwise.add
    sub = subtract = pointwise.sub
    mul = multiply = pointwise.mul
    div = divide = true_divide = pointwise.div
    floor_divide = pointwise.floor_divide
    remainder = pointwise.remainder
    fmod = pointwise.fmod
    pow = pointwise.pow
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    atan2 = arctan2 = pointwise.atan2
    logaddexp = pointwise.logaddexp
    eq = pointwise.eq
    ne = not_equal = pointwise.ne
    lt = less = pointwise.lt
    le = less_equal = pointwise.le
    gt = greater = pointwise.gt
    ge = greater_equal = pointwise.ge
    logical_and = pointwise.logical_and
    logical_or = pointwise.logical_or
    logical_xor = pointwise.logical_xor
    bitwise_and = pointwise.bitwise_and
    bitwise_or = pointwise.bitwise_or
    bitwise_xor = pointwise.bitwise_xor
    bitwise_left_shift = pointwise.bitwise_left_shift
    bitwise_right_shift = pointwise.bitwise_right_shift
    clamp = clip = pointwise.clamp
    clamp_min = pointwise.clamp_min
    clamp_max = pointwise.clamp_max
    masked_fill = pointwise.masked_fill
    lerp = pointwise.lerp
    addcmul = pointwise.addcmul
    addcdiv = pointwise.addcdiv
    isclose = pointwise.isclose
    allclose = pointwise.allclose
    equal = pointwise.equal
    nan_to_num = pointwise.nan_to_num

    def where(self, condition: Any, other: Any) -> Any:
        """`x.where(condition, other)`: x where the condition holds, `other` elsewhere.

        For a bool x, `x.where(a, b)` with numbers or tensors a and b that are not bool is `where(x, a, b)`.
        """
        if self._a.dtype.kind == "b" and not (
            isinstance(condition, TensorBase) and condition._a.dtype.kind == "b"
        ):
            return ar.WHERE(self, condition, other)
        return pointwise.where(condition, self, other)

    # -- reductions -------------------------------------------------------------------------------------

    sum = reductions.sum
    nansum = reductions.nansum
    mean = reductions.mean
    var = reductions.var
    std = reductions.std
    prod = reductions.prod
    amax = reductions.amax
    amin = reductions.amin
    aminmax = reductions.aminmax
    max = reductions.max
    min = reductions.min
    argmax = reductions.argmax
    argmin = reductions.argmin
    all = reductions.all
    any = reductions.any
    count_nonzero = reductions.count_nonzero
    cumsum = reductions.cumsum
    cumprod = reductions.cumprod
    logsumexp = reductions.logsumexp
    softmax = reductions.softmax
    log_softmax = reductions.log_softmax
    norm = linalg.norm
    dist = linalg.dist

    # -- shapes -----------------------------------------------------------------------------------------

    reshape = shaping.reshape
    view = shaping.view
    view_as = shaping.view_as
    reshape_as = shaping.reshape_as
    flatten = shaping.flatten
    unflatten = shaping.unflatten
    ravel = shaping.ravel
    permute = shaping.permute
    transpose = swapaxes = swapdims = shaping.transpose
    t = shaping.t
    movedim = moveaxis = shaping.movedim
    expand = broadcast_to = shaping.expand
    expand_as = shaping.expand_as
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    narrow = shaping.narrow
    select = shaping.select
    unbind = shaping.unbind
    split = shaping.split
    chunk = shaping.chunk
    tensor_split = shaping.tensor_split
    repeat = shaping.repeat
    tile = shaping.tile
    repeat_interleave = shaping.repeat_interleave
    flip = shaping.flip
    fliplr = shaping.fliplr
    flipud = shaping.flipud
    roll = shaping.roll
    diagonal = shaping.diagonal
    diag = shaping.diag
    diag_embed = shaping.diag_embed
    trace = shaping.trace
    tril = shaping.tril
    triu = shaping.triu
    clone = shaping.clone

    # -- selection and order --------------------------------------------------------------------------

    gather = indexing.gather
    take_along_dim = indexing.take_along_dim
    scatter = indexing.scatter
    scatter_add = indexing.scatter_add
    index_select = indexing.index_select
    take = indexing.take
    masked_select = indexing.masked_select
    index_add = indexing.index_add
    index_copy = indexing.index_copy
    index_fill = indexing.index_fill
    index_put = indexing.index_put
    nonzero = argwhere = indexing.nonzero
    argsort = ordering.argsort
    sort = ordering.sort
    topk = ordering.topk
    kthvalue = ordering.kthvalue
    median = ordering.median
    quantile = ordering.quantile
    unique = ordering.unique
    bincount = ordering.bincount
    histc = ordering.histc

    # -- products -----------------------------------------------------------------------------------------

    matmul = linalg.matmul
    mm = linalg.mm
    bmm = linalg.bmm
    mv = linalg.mv
    dot = linalg.dot
    vdot = linalg.vdot
    inner = linalg.inner
    outer = ger = linalg.outer
    addmm = linalg.addmm
    addmv = linalg.addmv
    inverse = linalg.inv
    det = linalg.det
    slogdet = linalg.slogdet
    logdet = linalg.logdet
    cholesky = linalg.cholesky
    qr = linalg.qr
    svd = linalg.svd
    pinverse = linalg.pinv

    # -- in place -----------------------------------------------------------------------------------------

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """self += alpha * other. Returns self."""
        return _add_in_place(self, other if alpha == 1 else other * alpha)  # type: ignore[no-any-return]

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """self -= alpha * other. Returns self."""
        return _sub_in_place(self, other if alpha == 1 else other * alpha)  # type: ignore[no-any-return]

    subtract_ = sub_

    # With one temporary each, instead of a new result that is copied back.

    def lerp_(self, end: Tensor, weight: Any) -> Tensor:
        """self += weight * (end - self). Returns self."""
        return self.add_((end - self).mul_(weight))

    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """self += value * tensor1 * tensor2. Returns self."""
        product = tensor1 * tensor2
        return self.add_(product if value == 1 else product.mul_(value))

    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """self += value * tensor1 / tensor2. Returns self."""
        quotient = tensor1 / tensor2
        return self.add_(quotient if value == 1 else quotient.mul_(value))

    mul_ = multiply_ = inplace.binary(ar.MUL, "mul_")
    div_ = divide_ = inplace.binary(ar.DIV, "div_")
    floor_divide_ = _in_place(ar.FLOOR_DIVIDE, "floor_divide_")
    remainder_ = _in_place(ar.REMAINDER, "remainder_")
    fmod_ = _in_place(ar.FMOD, "fmod_")
    neg_ = negative_ = _in_place(ar.NEG, "neg_")
    reciprocal_ = _in_place(ar.RECIPROCAL, "reciprocal_")
    square_ = _in_place(ar.SQUARE, "square_")
    relu_ = _in_place(ar.RELU, "relu_")
    sign_ = _in_place(ar.SIGN, "sign_")
    floor_ = _in_place(ar.FLOOR, "floor_")
    ceil_ = _in_place(ar.CEIL, "ceil_")
    trunc_ = _in_place(ar.TRUNC, "trunc_")

    copy_ = inplace.copy_

    def zero_(self) -> Tensor:
        """All elements become 0. Returns self."""
        return inplace.copy_(self, 0)  # type: ignore[no-any-return]

    def fill_(self, value: Any) -> Tensor:
        """All elements become `value`. Returns self."""
        return inplace.copy_(self, value)  # type: ignore[no-any-return]


def _more_in_place() -> None:
    """`op_` for the elementwise functions that need no hand-written form, from the functions themselves."""
    for name in [
        "abs",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "sqrt",
        "rsqrt",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "erfinv",
        "lgamma",
        "digamma",
        "sigmoid",
        "round",
        "frac",
        "pow",
        "clamp",
        "clamp_min",
        "clamp_max",
        "masked_fill",
        "nan_to_num",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "bitwise_not",
        "atan2",
        "tril",
        "triu",
        "index_add",
        "index_copy",
        "index_fill",
        "index_put",
        "scatter",
        "scatter_add",
        "cumsum",
        "cumprod",
        "addmm",
    ]:
        setattr(Tensor, name + "_", inplace.composed(getattr(Tensor, name)))
    Tensor.clip_ = Tensor.clamp_  # type: ignore[attr-defined]
    Tensor.absolute_ = Tensor.abs_  # type: ignore[attr-defined]


_more_in_place()
set_tensor_class(Tensor)

__all__ = ["Tensor"]
