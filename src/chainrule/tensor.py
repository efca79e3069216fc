"""Tensor: what users hold. An n-dimensional array with PyTorch's names and a place on the tape.

The class is thin: what concerns the tensor itself comes from `members/` (layout, conversion, types,
gradients, in-place operations); operators and the other methods are the functions of `functions/`, and this
file says which is which. Next: `members/recording.py`, or `creation.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import inplace
from .base import TensorBase, set_tensor_class, wrap
from .core import dtypes
from .core.arrays import operand
from .core.errors import ArgumentError, DTypeError
from .core.shapes import Size
from .functions import (
    elementwise,
    extrema,
    indexing,
    joining,
    linalg,
    norms,
    ordering,
    parts,
    pointwise,
    products,
    reductions,
    sampling,
    scans,
    selection,
    shaping,
)
from .functions.options import size_of
from .members.conversion import Conversion
from .members.layout import Layout
from .members.recording import Recording
from .members.types import Types
from .members.writing import Writing
from .ops import arithmetic as ar
from .ops import compare as cm
from .ops.primitive import Primitive, tracing

_OPERANDS = (TensorBase, int, float, np.number, np.bool_, np.ndarray)


def _operand(y: Any) -> bool:
    return isinstance(y, _OPERANDS)


def _as_operand(y: Any) -> Any:
    return wrap(operand(y, "an operation")) if isinstance(y, np.ndarray) else y


def _infix(op: Primitive) -> Callable[[Any, Any], Tensor]:
    def infix(self: Any, other: Any) -> Any:
        return op(self, _as_operand(other)) if _operand(other) else NotImplemented

    return infix


def _reflected(op: Primitive) -> Callable[[Any, Any], Tensor]:
    def infix(self: Any, other: Any) -> Any:
        return op(_as_operand(other), self) if _operand(other) else NotImplemented

    return infix


def _assigned(op: Primitive) -> Callable[[Any, Any], Tensor]:
    if isinstance(op.numpy, np.ufunc):
        return inplace.binary(op, op.name)
    return lambda self, other: inplace.with_other(op, self, other)


class Tensor(Layout, Conversion, Types, Recording, Writing):
    """An n-dimensional array of one element type that can record how it was computed.

    Made by `tensor`, `zeros`, `randn` and the like, and by operations. Names, defaults and results follow
    PyTorch. Printing shows values, type if it is not the default, and how the tensor was made.

    Calling the class is the old way to make one: `Tensor([1, 2])` has the default type whatever the data,
    `Tensor(2, 3)` is uninitialised memory of that shape, `Tensor(t)` is another tensor on t's memory.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    __array_priority__ = 1000  # NumPy leaves `array * tensor` to us

    def __init__(self, *data: Any) -> None:
        self._a = _legacy_array(data)
        self._node = None
        self._view = None
        self._v = 0
        self._grad = None
        if tracing.tracer is not None and not any(isinstance(x, TensorBase) for x in data):
            tracing.tracer.born(self)

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
        if self._a.dtype.kind == "b":
            raise DTypeError.of("+x", given="a bool tensor", must="a bool has no sign", hint="x.long()")
        return self

    def __pow__(self, exponent: Any) -> Tensor:
        return pointwise.pow(self, _as_operand(exponent)) if _operand(exponent) else NotImplemented

    def __rpow__(self, base: Any) -> Tensor:
        return ar.POW(_as_operand(base), self) if _operand(base) else NotImplemented

    def __matmul__(self, other: Any) -> Tensor:
        return (
            products.matmul(self, _as_operand(other))
            if isinstance(other, TensorBase | np.ndarray)
            else NotImplemented
        )

    def __rmatmul__(self, other: Any) -> Tensor:
        return (
            products.matmul(_as_operand(other), self)
            if isinstance(other, TensorBase | np.ndarray)
            else NotImplemented
        )

    __eq__ = pointwise.op_eq  # type: ignore[assignment]
    __ne__ = pointwise.op_ne  # type: ignore[assignment]
    __hash__ = Conversion.__hash__
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
    __rlshift__ = _reflected(cm.LEFT_SHIFT)
    __rshift__ = _infix(cm.RIGHT_SHIFT)
    __rrshift__ = _reflected(cm.RIGHT_SHIFT)
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

    __ipow__ = Writing.pow_

    # -- axes as attributes ---------------------------------------------------------------------------

    T: Tensor = property(shaping.reversed_axes)  # type: ignore[assignment]
    mT: Tensor = property(shaping.matrix_transposed)  # type: ignore[assignment]
    H: Tensor = property(shaping.matrix_transposed)  # type: ignore[assignment]

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
    round = elementwise.round
    frac = elementwise.frac
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
    clamp = clip = elementwise.clamp
    clamp_min = elementwise.clamp_min
    clamp_max = elementwise.clamp_max
    masked_fill = selection.masked_fill
    lerp = elementwise.lerp
    addcmul = elementwise.addcmul
    addcdiv = elementwise.addcdiv
    isclose = elementwise.isclose
    allclose = elementwise.allclose
    equal = elementwise.equal
    nan_to_num = elementwise.nan_to_num

    def polygamma(self, n: int) -> Any:
        """The n-th derivative of digamma. See `chainrule.polygamma`."""
        return pointwise.polygamma(n, self)

    def where(self, condition: Any, other: Any) -> Any:
        """`x.where(condition, other)`: x where the condition holds, `other` elsewhere.

        For a bool x, `x.where(a, b)` with numbers or tensors a and b that are not bool is `where(x, a, b)`.
        """
        if self._a.dtype.kind == "b" and not (
            isinstance(condition, TensorBase) and condition._a.dtype.kind == "b"
        ):
            return ar.WHERE(self, condition, other)
        return elementwise.where(condition, self, other)

    # -- reductions -------------------------------------------------------------------------------------

    sum = reductions.sum
    nansum = reductions.nansum
    mean = reductions.mean
    var = reductions.var
    std = reductions.std
    prod = reductions.prod
    amax = extrema.amax
    amin = extrema.amin
    aminmax = extrema.aminmax
    max = extrema.max
    min = extrema.min
    argmax = extrema.argmax
    argmin = extrema.argmin
    all = reductions.all
    any = reductions.any
    count_nonzero = reductions.count_nonzero
    cumsum = scans.cumsum
    cumprod = scans.cumprod
    logsumexp = reductions.logsumexp
    softmax = scans.softmax
    log_softmax = scans.log_softmax
    norm = norms.norm
    dist = norms.dist

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
    narrow = parts.narrow
    select = parts.select
    unbind = parts.unbind
    split = parts.split
    chunk = parts.chunk
    tensor_split = parts.tensor_split
    repeat = joining.repeat
    tile = joining.tile
    repeat_interleave = joining.repeat_interleave
    flip = joining.flip
    fliplr = joining.fliplr
    flipud = joining.flipud
    roll = joining.roll
    diagonal = parts.diagonal
    diag = parts.diag
    diag_embed = parts.diag_embed
    trace = parts.trace
    tril = joining.tril
    triu = joining.triu
    clone = shaping.clone

    # -- selection and order --------------------------------------------------------------------------

    gather = selection.gather
    take_along_dim = selection.take_along_dim
    scatter = selection.scatter
    scatter_add = selection.scatter_add
    index_select = selection.index_select
    take = selection.take
    masked_select = selection.masked_select
    index_add = selection.index_add
    index_copy = selection.index_copy
    index_fill = selection.index_fill
    index_put = selection.index_put
    nonzero = argwhere = selection.nonzero
    argsort = ordering.argsort
    sort = ordering.sort
    topk = ordering.topk
    kthvalue = ordering.kthvalue
    median = ordering.median
    quantile = ordering.quantile
    unique = ordering.unique
    bincount = ordering.bincount
    histc = ordering.histc
    bernoulli = sampling.bernoulli
    multinomial = sampling.multinomial

    # -- products -----------------------------------------------------------------------------------------

    matmul = products.matmul
    mm = products.mm
    bmm = products.bmm
    mv = products.mv
    dot = products.dot
    vdot = products.vdot
    inner = products.inner
    outer = ger = products.outer
    addmm = products.addmm
    addmv = products.addmv
    inverse = linalg.inv
    det = linalg.det
    slogdet = linalg.slogdet
    logdet = linalg.logdet
    cholesky = linalg.old_cholesky
    qr = linalg.old_qr
    svd = linalg.old_svd
    pinverse = linalg.pinv


def _legacy_array(data: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """The array for `Tensor(...)`: sizes, or one sequence, array or tensor with the values."""
    kind = dtypes.get_default_dtype().numpy
    if not data:
        return np.empty((0,), kind)
    first = data[0]
    if isinstance(first, Size) or (isinstance(first, int | np.integer) and not isinstance(first, bool)):
        return np.empty(size_of(data, "Tensor"), kind)
    if len(data) == 1 and isinstance(first, TensorBase):
        return first._a
    if len(data) == 1 and isinstance(first, list | tuple | range | np.ndarray):
        return np.array([] if len(first) == 0 else first, kind)
    raise ArgumentError.of(
        "Tensor(...)",
        given=", ".join(type(d).__name__ for d in data),
        must="it takes sizes, or one sequence with the values",
        hint="tensor(...), which takes numbers too and keeps their type",
    )


set_tensor_class(Tensor)

__all__ = ["Tensor"]
