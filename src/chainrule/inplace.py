"""In-place operations: `x += y`, `x.op_()`, `x[...] = y`.

One idea: an in-place operation is its out-of-place primitive, whose result is written into the tensor's own
array. The version of the memory's owner goes up; when gradients are tracked the tensor takes over the node of
the new value, and if it is a view, its owner gets a node that says which part was overwritten. What backward
had kept of the old value is found out by the version. That is also all that a tracer needs to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import eager
from .base import TensorBase, base_of, owner_of, wrap
from .core import dtypes
from .core.arrays import operand
from .core.dtypes import FROM_NUMPY
from .core.errors import DTypeError, GradError, ShapeError
from .core.lending import lend
from .core.shapes import broadcasts_to
from .core.silence import SILENT as _SILENT
from .core.silence import enter as _set
from .core.silence import leave as _reset
from .eager import _F32, _F64, _OPERANDS, make_node, run, sync, user_site
from .ops.move import CAST
from .ops.primitive import Primitive, interpreter, levels, tracing
from .ops.views import EXPAND, OVERWRITE, unlock
from .tape import mode
from .tape.hooks import move_retained
from .tape.node import AccumulateGrad, Node, OpNode

if TYPE_CHECKING:
    from .tensor import Tensor

_grad_state = mode.state
_NO_SETTINGS: dict[str, Any] = {}


def apply(op: Primitive, x: Any, args: tuple[Any, ...] = (), settings: dict[str, Any] = _NO_SETTINGS) -> Any:
    """x becomes `op(x, *args)`, in its own memory. Returns x."""
    if eager.special and levels.stack:
        return interpreter.levels.change(x, args, op.formula, lambda old: run(op, (old, *args), settings))
    if is_traced(x, *args):
        tracked = check_leaf(x, args, op.formula)
        new = run(op, (interpreter.trace.snapshot(x), *args), settings)
        return interpreter.trace.assign(x, new, op.formula, tracked)
    tracked = check(x, args, op.formula)
    a = x._a
    if not tracked and isinstance(op.numpy, np.ufunc) and _fits(op, a, args) and not eager.special:
        token = _set(_SILENT)
        try:
            op.numpy(a, *[y._a if isinstance(y, TensorBase) else y for y in args], out=a)
        except ValueError:
            pass  # the general path below says what is wrong
        else:
            touch(x)
            return x
        finally:
            _reset(token)
    if tracked:
        result = run(op, (x, *args), settings)
        _keep_old(x, result._node)
    elif _alone(a, args):
        with mode.no_grad(), lend(a):
            result = run(op, (x, *args), settings)
    else:
        with mode.no_grad():
            result = run(op, (x, *args), settings)
    write(x, result, op.formula, tracked)
    return x


def _alone(a: np.ndarray[Any, Any], args: tuple[Any, ...]) -> bool:
    """Whether nobody needs the old values of a: no other operand has the memory, and no check is on."""
    return not eager.special and not any(
        isinstance(y, TensorBase) and np.may_share_memory(a, y._a) for y in args
    )


def _keep_old(x: Any, node: Node | None) -> None:
    """Where backward needs the value that x has before the write, let it keep a copy."""
    if isinstance(node, OpNode) and node.inputs is not None:
        old = None
        for i, kept in enumerate(node.inputs):
            if kept is x:
                assert node.versions is not None
                old = wrap(x._a.copy(), x._node) if old is None else old
                node.inputs[i] = old
                node.versions[i] = 0


def _tensors(values: Iterable[Any]) -> Iterator[TensorBase]:
    """The tensors among arguments, and in tuples and lists among them."""
    for value in values:
        if isinstance(value, TensorBase):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


def composed(function: Callable[..., Any], *, parts: bool = False) -> Callable[..., Tensor]:
    """The in-place form of a function made of several primitives: its result is written into the tensor.

    parts: the function ends by replacing elements of its input, and does not read the input after that.
    """
    name = function.__name__

    def method(self: Any, *args: Any, **settings: Any) -> Any:
        tensors = tuple(_tensors((*args, *settings.values())))
        if eager.special and levels.stack:
            return interpreter.levels.change(
                self, tensors, name, lambda old: function(old, *args, **settings)
            )
        if is_traced(self, *tensors):
            tracked = check_leaf(self, tensors, name)
            new = function(interpreter.trace.snapshot(self), *args, **settings)
            return interpreter.trace.assign(self, new, name, tracked)
        tracked = check(self, tensors, name)
        # When it is recorded, any of the primitives may need the value from before the write at backward.
        x = wrap(self._a.copy(), self._node) if tracked else self
        if parts and not tracked and _alone(self._a, tensors):
            with lend(self._a):
                result = function(x, *args, **settings)
        else:
            result = function(x, *args, **settings)
        write(self, result, name, tracked)
        return self

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"`{name}`, written into this tensor. Returns self."
    return method


def binary(op: Primitive, name: str) -> Callable[[Any, Any], Tensor]:
    """An operator `x ?= y`: fast for floats of one type and Python numbers when nothing is recorded."""
    ufunc = op.numpy
    assert isinstance(ufunc, np.ufunc)

    def operator(x: Any, y: Any) -> Any:
        a = x._a
        kind = a.dtype
        if (kind is _F32 or kind is _F64) and not eager.special:
            if isinstance(y, TensorBase):
                b = y._a
                fits = b.dtype is kind and (
                    not _grad_state.grad or (x._node is y._node is None and x._view is y._view is None)
                )
            else:
                b = y
                fits = (type(y) is float or type(y) is int) and (
                    not _grad_state.grad or (x._node is None and x._view is None)
                )
            if fits:
                token = _set(_SILENT)
                try:
                    ufunc(a, b, a)
                except (ValueError, OverflowError):
                    return apply(op, x, (y,))  # raises the error that teaches
                finally:
                    _reset(token)
                owner = x if x._view is None else x._view.owner
                owner._v += 1
                owner._site = user_site()
                if owner._node is not None:
                    owner._node.overwritten(owner)
                return x
        return with_other(op, x, y)

    operator.__name__ = operator.__qualname__ = name
    operator.__doc__ = f"{op.formula}, written into this tensor. Returns self."
    return operator


def with_other(op: Primitive, x: Any, y: Any) -> Any:
    """`x op= y` for an operand of any kind; NumPy arrays are converted, others are left to Python."""
    if isinstance(y, _OPERANDS):
        return apply(op, x, (y,))
    if isinstance(y, np.ndarray):
        return apply(op, x, (wrap(operand(y, op.formula)),))
    return NotImplemented


def check(x: Any, args: tuple[Any, ...], what: str) -> bool:
    """Whether the write must be recorded; raises if it is not allowed."""
    if not x._a.flags.writeable and not _unlocked(x):
        raise GradError.of(
            f"in-place {what}",
            given=f"a tensor {x._a.shape} whose memory cannot be written",
            must="each element must have a place of its own; an expanded tensor shares places, and an array "
            "from NumPy may be read-only",
            hint="clone() it first",
        )
    return check_leaf(x, args, what)


def _unlocked(x: TensorBase) -> bool:
    """Unlock a part of an expanded tensor, unless the owner's memory is not to be written either."""
    return owner_of(x)._a.flags.writeable and unlock(x._a)


def check_leaf(x: Any, args: tuple[Any, ...], what: str) -> bool:
    """Whether the write must be recorded; raises for a leaf that backward differentiates by."""
    if not _grad_state.grad:
        return False
    node = x._node if x._view is None else sync(x)
    base = base_of(x)
    recorded_args = x._a.dtype.kind == "f" and any(map(_wants_gradient, args))
    if node is None and base._node is None and not recorded_args:
        return False
    if base is not x and not x._view.link and not isinstance(node, AccumulateGrad):
        raise GradError.of(
            f"in-place {what}",
            given=f"a view {x._a.shape} that was made while gradients were off",
            must="gradients cannot follow a write through it to the tensor that it is a view of",
            hint="make the view with gradients on, write with gradients off too, or clone() it",
        )
    leaf = x if isinstance(node, AccumulateGrad) else base
    if isinstance(leaf._node, AccumulateGrad):
        raise leaf_error(x, leaf, what)
    return True


def leaf_error(x: TensorBase, leaf: TensorBase, what: str) -> GradError:
    """The refusal to record a write to a leaf, made by x: the leaf itself or a view of it."""
    return GradError.of(
        f"in-place {what}",
        given=f"a leaf tensor {leaf._a.shape} that requires a gradient"
        + ("" if x is leaf else ", through a view"),
        must="a leaf's value is what backward differentiates by; changing it must not be recorded",
        hint="with no_grad(): around the update, or x = x + ... for a new tensor",
    )


def _wants_gradient(y: Any) -> bool:
    return isinstance(y, TensorBase) and (y._node if y._view is None else sync(y)) is not None


def _fits(op: Primitive, a: np.ndarray[Any, Any], args: tuple[Any, ...]) -> bool:
    """Whether NumPy may write straight into x: a float tensor, and operands of its type or numbers."""
    kind = a.dtype
    if kind.kind != "f" or op.dtype.result(dtypes.float32) is not dtypes.float32:
        return False
    for y in args:
        if isinstance(y, TensorBase):
            if y._a.dtype is not kind:
                return False
        elif type(y) is not float and type(y) is not int:
            return False
    return True


def write(x: Any, result: Any, what: str, tracked: bool) -> None:
    """Put `result` into x's memory and, if the write is recorded, onto x's place on the tape."""
    result = fitting(x, result, what)
    if result._a is not x._a:
        x._a[...] = result._a
    touch(x)
    if tracked:
        adopt(x, result._node)


def fitting(x: Any, result: Any, what: str) -> Any:
    """`result` in x's type; refused if it has another shape, or a type that x's cannot hold."""
    a, r = x._a, result._a
    if r.shape != a.shape:
        raise ShapeError.of(
            f"in-place {what}",
            given=f"a result {r.shape} for a tensor {a.shape}",
            must="an in-place operation cannot change the shape",
            hint="x = x + y, which makes a new tensor",
        )
    if r.dtype == a.dtype:
        return result
    have, got = FROM_NUMPY[a.dtype], FROM_NUMPY[r.dtype]
    if got.category > have.category:
        raise DTypeError.of(
            f"in-place {what}",
            given=f"a result of type {got.name} for a tensor of type {have.name}",
            must=f"{got.name} values do not fit into {have.name}",
            hint=f"x = x.to({got}) first, or x = x + y, which makes a new tensor",
        )
    return CAST(result, to=have, source=got)


def adopt(x: Any, node: Node | None) -> None:
    """x's value was replaced, and recorded, by one that `node` made; tell its base, if it is a view."""
    base = base_of(x)
    if base is not x:
        view = x._view
        if base._node is not None or node is not None:
            mask = (1 if base._node is not None else 0) | (2 if node is not None else 0)
            edges = (base._node, node)
            settings = {"steps": view.steps}
            _stand_at(base, make_node(OVERWRITE, base._a, edges, mask, (base, x), settings, base))
        view.node = base._node
    _stand_at(x, node)


def _stand_at(x: Any, node: Node | None) -> None:
    """Give x its new place on the tape; if its gradient is retained, that is from now on the one there."""
    if x._node is not None and x._node.hooks and node is not None:
        move_retained(x, x._node, node)
    x._node = node


def touch(x: Any) -> None:
    """Count an in-place write, and remember the user's line."""
    owner = owner_of(x)
    owner._v += 1
    owner._site = user_site()
    if owner._node is not None:
        owner._node.overwritten(owner)


def copy_(self: Any, source: Any) -> Tensor:
    """The values of `source`, broadcast and converted, written into this tensor. Returns self."""
    x: Tensor = self
    if is_traced(x, source) or (eager.special and levels.stack):
        return _copy_recorded(x, source)
    if type(source) is int and -128 <= source <= 127 and x._node is None and x._view is None:  # zero_ etc.
        try:
            x._a.fill(source)
        except (ValueError, OverflowError):
            pass  # the general path says what is wrong
        else:
            x._v += 1
            x._site = user_site()
            return x
    args = (source,) if isinstance(source, TensorBase) else ()
    tracked = check(x, args, "x[...] = y")
    a = x._a
    if not tracked:
        values = source._a if args else dtypes.number(source, a.dtype, "x[...] = y")
        token = _set(_SILENT)
        try:
            a[...] = values
        except ValueError:
            raise _does_not_fit(a.shape, values) from None
        finally:
            _reset(token)
    else:
        y = source if args else wrap(np.asarray(dtypes.number(source, a.dtype, "x[...] = y"), a.dtype))
        if y._a.dtype != a.dtype:
            y = CAST(y, to=FROM_NUMPY[a.dtype], source=FROM_NUMPY[y._a.dtype])
        if y._a.shape != a.shape:
            if not broadcasts_to(y._a.shape, a.shape):
                raise _does_not_fit(a.shape, y._a)
            y = EXPAND(y, shape=a.shape)
        result = OVERWRITE(x, y, steps=())
        a[...] = y._a
        touch(x)
        adopt(x, result._node)
        return x
    touch(x)
    return x


def is_traced(*xs: Any) -> bool:
    """Whether a write has to be recorded as a new value: in a trace, or with tensors without values."""
    if eager.special and tracing.tracer is not None:
        return True
    return any(isinstance(x, TensorBase) and type(x._a) is not np.ndarray for x in xs)


def _copy_recorded(x: Any, source: Any) -> Tensor:
    """`copy_` where a trace or a level has to hear of it."""
    a = x._a
    args = (source,) if isinstance(source, TensorBase) else ()
    tracked = check_leaf(x, args, "x[...] = y") if is_traced(x, source) else check(x, args, "x[...] = y")
    kind = FROM_NUMPY[a.dtype]
    y = source if isinstance(source, TensorBase) else wrap(np.asarray(source, kind.numpy))
    if FROM_NUMPY[y._a.dtype] is not kind:
        y = CAST(y, to=kind, source=FROM_NUMPY[y._a.dtype])
    if y._a.shape != a.shape:
        if not broadcasts_to(y._a.shape, a.shape):
            raise _does_not_fit(a.shape, y._a)
        y = EXPAND(y, shape=a.shape)
    if levels.stack or (tracked and (y is source or y._node is None)):
        y = OVERWRITE(x, y, steps=())  # with a place of its own on the tape, which is not that of the source
    if levels.stack:
        interpreter.levels.write(x, y, "x[...] = y", tracked)
    else:
        interpreter.trace.assign(x, y, "x[...] = y", tracked)
    return x  # type: ignore[no-any-return]


def _does_not_fit(shape: tuple[int, ...], values: Any) -> ShapeError:
    return ShapeError.of(
        "x[...] = y",
        given=f"y {np.shape(values)} for a place of shape {shape}",
        must="read from the right, each axis of y must have the same size or size 1",
        hint=f"y.reshape({', '.join(map(str, shape))})" if np.size(values) == int(np.prod(shape)) else "",
    )
