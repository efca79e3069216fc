"""The eager interpreter: run a primitive at once with NumPy, and record it if a gradient may be wanted.

`run` is the general path, in order: convert the inputs to the op's common type, shape rule, NumPy rule,
wrap, record. `binary` and `unary` make the operators of the hot path: the same, for the common case of
float tensors of one type, with everything that is not needed then left out; they fall back to `run`, which
also makes the error messages. In-place operations are in `inplace.py`. Next: `tensor.py`.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import base
from .base import Link, TensorBase, View, wrap
from .core import dtypes, memory
from .core.arrays import operand
from .core.dtypes import FROM_NUMPY, dtype
from .core.errors import PACKAGE_DIR, ArgumentError, DTypeError, GradError, Site
from .core.shapes import BroadcastMismatch
from .core.silence import SILENT as _SILENT
from .core.silence import enter as _set
from .core.silence import leave as _reset
from .ops.move import CAST
from .ops.primitive import VIEW, Late, Primitive, interpreter, levels, tracing
from .ops.rules import DTypeRule
from .tape import anomaly, mode
from .tape.node import Node, OpNode, number

if TYPE_CHECKING:
    from .tensor import Tensor

_new = object.__new__
_ndarray = np.ndarray
_asarray = np.asarray
_frame = sys._getframe
_grad_state = mode.state

_F16, _F32, _F64, _I64 = (np.dtype(n) for n in ("float16", "float32", "float64", "int64"))
_LARGE = memory.THRESHOLD // 8  # elements; above it the general path may use recycled memory
_SMALL = 1024  # elements; broadcasting smaller inputs against each other may still give a large result
_NUMBERS = (int, float, np.number, np.bool_)
_OPERANDS = (TensorBase, *_NUMBERS, Late)
_NO_SETTINGS: dict[str, Any] = {}

special = 0  # number of modes that need the general path (anomaly detection, traces); the hot path checks it
_special_changes = threading.Lock()


def change_special(by: int) -> None:
    """One mode more or less that needs the general path; several threads may change that at once."""
    global special
    with _special_changes:
        special += by


# -- the general path -----------------------------------------------------------------------------------


def run(op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Evaluate a primitive on Tensors and Python numbers."""
    if special:
        if levels.stack:
            return interpreter.levels.run(op, xs, settings)
        if tracing.tracer is not None:
            return interpreter.trace.record(op, xs, settings)
    if op.kind is VIEW:
        return _run_view(op, xs[0], settings)
    arrays: list[Any] = []
    kind = None
    uniform = True
    for x in xs:
        if isinstance(x, TensorBase):
            a = x._a
            if type(a) is not _ndarray:  # a tensor without values
                return interpreter.trace.record(op, xs, settings)
            arrays.append(a)
            if kind is None:
                kind = a.dtype
            elif a.dtype is not kind:
                uniform = False
        else:
            arrays.append(x)
            uniform = False
    rule = op.dtype
    if rule.unify:
        if not uniform or kind not in op.takes:
            xs = unified(op, xs)
            arrays = [x._a if isinstance(x, TensorBase) else x for x in xs]
    elif kind not in op.takes or (not uniform and op.restricted):
        _check_each(op, xs)
    shape = None
    if not op.strict:
        shape = _shape(op, arrays, settings)
    token = _set(_SILENT)
    try:
        if op.writes_out and (wide := _large(op, arrays, settings, shape)) is not None:
            out = op.numpy(*arrays, **settings, out=memory.empty(wide, _result_type(op, arrays)))
        else:
            out = op.numpy(*arrays, **settings)
    except np.linalg.LinAlgError as err:
        shapes = " and ".join(str(np.shape(a)) for a in arrays)
        raise ArgumentError.of(op.formula, given=shapes, must=str(err).lower()) from None
    except ZeroDivisionError:
        raise ArgumentError.of(op.formula, given="a divisor that is 0 in an integer division") from None
    except (ValueError, IndexError):
        _shape(op, arrays, settings)  # raises the error that teaches
        raise
    finally:
        _reset(token)
    if op.outputs != 1:
        return tuple(wrap(_asarray(o)) for o in out)
    if type(out) is not _ndarray:
        out = _asarray(out)
    if special and anomaly.enabled():
        anomaly.check_forward(op.formula, arrays, settings, out)
    result: Any = _new(base.tensor_class)
    result._a = out
    result._node = None
    result._view = None
    result._v = 0
    result._grad = None
    return record(op, result, xs, settings)


def _shape(op: Primitive, arrays: list[Any], settings: dict[str, Any]) -> tuple[int, ...]:
    """The shape rule; raises if the inputs do not fit together."""
    try:
        shape: tuple[int, ...] = op.shape(
            *[a.shape if isinstance(a, _ndarray) else () for a in arrays], **settings
        )
    except BroadcastMismatch as err:
        raise err.to_error(op.formula) from None
    return shape


def _large(
    op: Primitive, arrays: list[Any], settings: dict[str, Any], shape: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    """The shape of an elementwise result that is large enough for recycled memory, else None."""
    for a in arrays:
        if isinstance(a, _ndarray) and a.size >= _SMALL:
            break
    else:
        return None
    if shape is None:
        shape = _shape(op, arrays, settings)
    return shape if prod(shape) * _result_type(op, arrays).itemsize >= memory.THRESHOLD else None


def _result_type(op: Primitive, arrays: list[Any]) -> np.dtype[Any]:
    """Type of an elementwise result; the inputs have their common type by now."""
    common = next(a.dtype for a in arrays[op.dtype.first :] if isinstance(a, _ndarray))
    return op.dtype.result(FROM_NUMPY[common]).numpy


def common_type(xs: tuple[Any, ...]) -> dtype:
    """The type PyTorch promotes these operands to."""
    shaped: dtype | None = None
    zero_d: dtype | None = None
    number_type: dtype | None = None
    for x in xs:
        if isinstance(x, TensorBase):
            d = FROM_NUMPY[x._a.dtype]
            if x._a.ndim:
                shaped = d if shaped is None else dtypes.promote(shaped, d)
            else:
                zero_d = d if zero_d is None else dtypes.promote(zero_d, d)
        else:
            d = dtypes.of_scalar(x)
            number_type = d if number_type is None else dtypes.promote(number_type, d)
    return dtypes.promote_operands(shaped, zero_d, number_type)


def unified(op: Primitive, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands in the op's common type, converted by ops of their own."""
    rule = op.dtype
    first = rule.first
    for x in xs:
        if not isinstance(x, _OPERANDS):
            raise DTypeError.of(
                op.formula,
                given=f"{type(x).__name__}",
                must="operands must be tensors or Python numbers",
                hint="tensor(...) of it first",
            )
    common = common_type(xs[first:])
    if rule.floating and not common.is_floating_point:
        common = dtypes.get_default_dtype()
    elif rule.counting and common is dtypes.bool_:
        common = dtypes.int64
    if common.category not in rule.accepts or (rule.apart and not all(_accepted(rule, x) for x in xs)):
        raise _refused(op, xs)
    kind = common.numpy
    changed = list(xs)
    tensors = False
    for i, x in enumerate(xs):
        if isinstance(x, TensorBase):
            tensors = tensors or i >= first
            if i >= first and x._a.dtype != kind:
                changed[i] = CAST(x, to=common, source=FROM_NUMPY[x._a.dtype])
        elif i >= first:
            changed[i] = _number(x, common)
    if not tensors:  # numbers only: someone has to carry the type
        changed[first] = wrap(np.asarray(changed[first], kind))
    return tuple(changed)


def _accepted(rule: DTypeRule, x: Any) -> bool:
    kind = FROM_NUMPY[x._a.dtype] if isinstance(x, TensorBase) else dtypes.of_scalar(x)
    return kind.category in rule.accepts


def _number(x: Any, common: dtype) -> Any:
    """A Python number in the category of the common type, where NumPy takes it without widening."""
    if common.is_floating_point:
        return float(x)
    if common.category == dtypes.INTEGER and not isinstance(x, bool):
        info = np.iinfo(common.numpy)
        if not info.min <= x <= info.max:  # wraps around, as in PyTorch
            return int(np.array(int(x) & ((1 << info.bits) - 1), np.uint64).astype(common.numpy))
        return int(x)  # a NumPy integer would widen the result
    return x


def _check_each(op: Primitive, xs: tuple[Any, ...]) -> None:
    for x in xs[: op.dtype.leading]:
        if isinstance(x, TensorBase) and x._a.dtype not in op.takes:
            raise _refused(op, xs)


def _refused(op: Primitive, xs: tuple[Any, ...]) -> DTypeError:
    given = " and ".join(
        f"{FROM_NUMPY[x._a.dtype].name} {x._a.shape}" if isinstance(x, TensorBase) else f"the number {x!r}"
        for x in xs
    )
    return DTypeError.of(
        op.formula, given=given, must=f"the type must be {op.dtype.wanted}", hint=op.dtype.hint
    )


# -- views --------------------------------------------------------------------------------------------------


def _run_view(op: Primitive, x: Any, settings: dict[str, Any]) -> Any:
    """A primitive whose result is the same memory seen otherwise (or a copy, where that is not possible)."""
    a = need_tensor(x, op.formula)._a
    if type(a) is not _ndarray:
        return interpreter.trace.record(op, (x,), settings)
    if not op.strict:
        _shape(op, [a], settings)
    try:
        r = op.numpy(a, **settings)
    except (ValueError, IndexError):
        _shape(op, [a], settings)  # raises the error that teaches
        raise
    out = wrap(r)
    shared = r.base
    if r is a or shared is a or (shared is not None and shared is a.base):
        out._view = view_of(op, x, settings)
    if x._node is None and x._view is None:
        return out
    return record(op, out, (x,), settings)


def view_of(op: Primitive, x: Any, settings: dict[str, Any]) -> View:
    """How `op(x)` sees the memory of x's owner."""
    view = x._view
    if view is None or view.base is None:
        link: Link | Literal[False] = (None, op, settings) if _grad_state.grad else False
        return View(x if view is None else view.owner, x, link, x._node)
    link = (view.link, op, settings) if view.link and _grad_state.grad else False
    return View(view.owner, view.base, link, view.base._node)


def sync(x: Any) -> Node | None:
    """The node of a view, made anew if its base has been written to since."""
    view = x._view
    base = view.base
    if view.link and base._node is not view.node:
        y = base
        with mode.enable_grad():
            for op, settings in view.steps:
                y = op(y, **settings)
        x._node = y._node
        view.node = base._node
    elif view.link is False and view.node is not base._node and _grad_state.grad:
        raise GradError.of(
            "x",
            given=f"a view {x._a.shape} that was made while gradients were off, but written to since with "
            "gradients on, through the tensor that it is a view of",
            must="its values depend on what was written, and gradients cannot follow",
            hint="make the view with gradients on, or clone() it before the write",
        )
    node: Node | None = x._node
    return node


# -- recording ----------------------------------------------------------------------------------------------


_own_files: dict[str, bool] = {}  # whether a file is part of this package; asked for every recorded line


def user_site() -> Site | None:
    """The innermost line on the stack outside this package."""
    frame: Any = _frame(2)
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        own = _own_files.get(name)
        if own is None:
            own = _own_files[name] = name.startswith(PACKAGE_DIR)
        if not own:
            return code, frame.f_lasti
        frame = frame.f_back
    return None


def record(op: Primitive, result: Any, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Put `result = op(*xs)` on the tape, if any input wants a gradient and the mode allows it."""
    if not _grad_state.grad:
        return result
    mask, bit = 0, 1
    edges: list[Node | None] = []
    for x in xs:
        node = None
        if isinstance(x, TensorBase):
            node = x._node if x._view is None else sync(x)
            if node is not None:
                mask |= bit
        edges.append(node)
        bit += bit
    if mask and op.differentiable and result._a.dtype.kind == "f":
        result._node = make_node(op, result._a, tuple(edges), mask, xs, settings, result)
    return result


def make_node(
    op: Primitive,
    a: np.ndarray[Any, Any],
    edges: tuple[Node | None, ...],
    mask: int,
    xs: tuple[Any, ...],
    settings: dict[str, Any],
    result: Any,
) -> OpNode:
    node = _new(OpNode)
    node.op = op
    node.settings = settings
    node.edges = edges
    node.shape = a.shape
    node.dtype = a.dtype
    node.hooks = None
    node.seq = number()
    plan = op.plans.get(mask) or op.plan(mask, len(xs))
    if plan.blank:
        node.inputs = node.versions = None
    else:
        inputs: list[Any] = [None] * len(xs)
        versions = [-1] * len(xs)
        for i in plan.inputs if not plan.tail else (*plan.inputs, *range(len(op.inputs), len(xs))):
            x = inputs[i] = xs[i]
            if isinstance(x, TensorBase):
                versions[i] = x._v if x._view is None else x._view.owner._v
        node.inputs = inputs
        node.versions = versions
    node.shapes = [x._a.shape if isinstance(x, TensorBase) else () for x in xs] if plan.shapes else None
    if plan.out:
        node.out = a if type(a) is _ndarray else result._kept()
        node.out_ref = weakref.ref(result)
        node.out_version = result._v if result._view is None else result._view.owner._v
    else:
        node.out = None
    frame = _frame(2)  # as user_site does; a call less
    while (own := _own_files.get(frame.f_code.co_filename)) and frame.f_back is not None:
        frame = frame.f_back
    node.site = (frame.f_code, frame.f_lasti) if own is False else user_site()
    return node


# -- the hot path -------------------------------------------------------------------------------------------


def binary(op: Primitive, name: str) -> Callable[[Any, Any], Tensor]:
    """An operator `x ? y` for Tensor x: fast for float tensors of one type and Python numbers."""
    ufunc = op.numpy
    assert isinstance(ufunc, np.ufunc)
    differentiable = op.differentiable

    def operator(x: Any, y: Any) -> Any:
        a = x._a
        kind = a.dtype
        if (kind is _F32 or kind is _F64) and a.size < _LARGE and not special:
            if isinstance(y, TensorBase):
                b: Any = y._a
                if b.dtype is not kind or b.size >= _LARGE:
                    return run(op, (x, y), _NO_SETTINGS)
                m = y._node if y._view is None else sync(y)
            elif type(y) is float or type(y) is int:
                b = y
                m = None
            else:
                return with_other(op, x, y)
            token = _set(_SILENT)
            try:
                r = ufunc(a, b)
            except (ValueError, OverflowError):
                return run(op, (x, y), _NO_SETTINGS)  # raises the error that teaches
            finally:
                _reset(token)
            if type(r) is not _ndarray:
                r = _asarray(r)
            out: Any = _new(base.tensor_class)
            out._a = r
            out._node = None
            out._view = None
            out._v = 0
            out._grad = None
            if differentiable:
                n = x._node if x._view is None else sync(x)
                if (n is not None or m is not None) and _grad_state.grad:
                    mask = 3 if n is not None and m is not None else 1 if n is not None else 2
                    out._node = make_node(op, r, (n, m), mask, (x, y), _NO_SETTINGS, out)
            return out
        return with_other(op, x, y)

    operator.__name__ = operator.__qualname__ = name
    return operator


def with_other(op: Primitive, x: Any, y: Any) -> Any:
    """`x op y` for an operand of any kind; NumPy arrays are converted, others are left to Python."""
    if isinstance(y, _OPERANDS):
        return run(op, (x, y), _NO_SETTINGS)
    if isinstance(y, _ndarray):
        return run(op, (x, wrap(operand(y, op.formula))), _NO_SETTINGS)
    return NotImplemented


def unary(op: Primitive, name: str) -> Callable[[Any], Tensor]:
    """A function `f(x)` of one Tensor: fast for float tensors."""
    function = op.numpy
    differentiable = op.differentiable
    large = _LARGE if _F32 in op.takes else 0  # an op that takes no floats has no short path

    def evaluate(x: Any) -> Any:
        if isinstance(x, TensorBase):
            a = x._a
            kind = a.dtype
            if (kind is _F32 or kind is _F64) and a.size < large and not special:
                token = _set(_SILENT)
                try:
                    r = function(a)
                finally:
                    _reset(token)
                if type(r) is not _ndarray:
                    r = _asarray(r)
                out: Any = _new(base.tensor_class)
                out._a = r
                out._node = None
                out._view = None
                out._v = 0
                out._grad = None
                if differentiable:
                    n = x._node if x._view is None else sync(x)
                    if n is not None and _grad_state.grad:
                        out._node = make_node(op, r, (n,), 1, (x,), _NO_SETTINGS, out)
                return out
        return run(op, (need_tensor(x, name),), _NO_SETTINGS)

    evaluate.__name__ = evaluate.__qualname__ = name
    return evaluate


def need_tensor(x: Any, name: str) -> Tensor:
    """x, if it is a Tensor; else an error that says what it is."""
    if isinstance(x, TensorBase):
        return x  # type: ignore[return-value]
    raise ArgumentError.of(
        name, given=f"{type(x).__name__}", must="the input must be a Tensor", hint=f"{name}(tensor(...))"
    )


interpreter.run = run
