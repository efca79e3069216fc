"""Levels: a stack, per thread, of what takes part in every op; forward mode, vmap and recordings are levels.

While the stack is not empty, each op goes through it from the top down (`run`). A level may pass the op on to
those below and look at the result (an `Observer`: forward mode adds tangents, a recording notes what ran), or
compute it otherwise (a batch). What a level computes itself, goes through the levels below it only: so levels
nest in any order, and the tangents of one never mix with those of another. Below all levels the op is run or
traced as ever, on tensors with their place on the tape; reverse mode needs no level, because each of its
variables is a node of its own.

An in-place operation is the op on a snapshot of the tensor, and a write of its result (`change`).
Next: `forward.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import eager, inplace
from ..base import TensorBase, View, owner_of, wrap
from ..core.shapes import Shape
from ..eager import sync
from ..ops.primitive import Late, Primitive, interpreter, levels
from ..tape.node import Node

if TYPE_CHECKING:
    from ..autograd.function import Function


class Level:
    """One entry of the stack. The methods are called with the levels below as the thread's stack.

    only_looks: whether everything happens as without it, recorded or not.
    """

    only_looks = False

    def run(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """The result of an op."""
        return op(*xs, **settings)

    def write(self, x: Any, new: Any, what: str, tracked: bool) -> None:
        """Put the value of `new`, which has its shape and type, into x."""
        write(x, new, what, tracked)

    def snapshot(self, x: Any) -> Any:
        """The value of x at its place on the tape, as a tensor that does not change with x."""
        return snapshot(x)

    def function(self, f: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
        """The results of a user's own operation, and its context."""
        return function(f, args)

    def draw(self, make: Callable[[Shape], Any], shape: Shape) -> Any:
        """Random numbers of a shape, which `make(shape)` gives."""
        return draw(make, shape)

    def collect(self, leaf: Any, g: Any) -> None:
        """Backward is about to add g to the `.grad` of a leaf."""

    def alias(self, x: Any, y: Any) -> None:
        """y is another tensor with the value and the derivatives of x."""

    def detached(self, x: Any, y: Any) -> None:
        """y is another tensor with the value of x, as a constant."""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This level on top of the stack, until the end of the block or an error."""
        before = levels.stack
        levels.stack = (*before, self)
        eager.change_special(1)
        try:
            yield
        finally:
            eager.change_special(-1)
            levels.stack = before


class Observer(Level):
    """A level that lets everything happen below, and is told of it afterwards."""

    def run(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        out = op(*xs, **settings)
        self.see(op, xs, settings, out)
        return out

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        """`out = op(*xs, **settings)` has run; the operands have the type that the op computes in."""

    def write(self, x: Any, new: Any, what: str, tracked: bool) -> None:
        self.writes(x)
        write(x, new, what, tracked)
        self.wrote(x, new)

    def writes(self, x: Any) -> None:
        """The memory of x is about to be written."""

    def wrote(self, x: Any, new: Any) -> None:
        """x was written, and has the value and the derivatives of `new` now."""

    def snapshot(self, x: Any) -> Any:
        y = snapshot(x)
        self.alias(x, y)
        return y


@contextmanager
def below() -> Iterator[Any]:
    """The level on top of the stack, taken off it for the length of the block."""
    stack = levels.stack
    levels.stack = stack[:-1]
    try:
        yield stack[-1]
    finally:
        levels.stack = stack


def run(op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """`op(*xs)` on the stack as it is. Conversions of operands are ops of their own, which all levels see."""
    if not _uniform(op, xs):
        if any(isinstance(x, Late) for x in xs):
            xs = interpreter.trace.plain(op, xs)
        if op.dtype.unify:
            xs = eager.unified(op, xs)
    stack = levels.stack
    levels.stack = stack[:-1]  # as `below` does; here it is done for each op
    try:
        return stack[-1].run(op, xs, settings)
    finally:
        levels.stack = stack


def _uniform(op: Primitive, xs: tuple[Any, ...]) -> bool:
    """Whether nothing has to be converted, as a glance shows: floats of one type, and Python numbers."""
    kind = None
    for x in xs:
        if isinstance(x, TensorBase):
            if kind is None:
                kind = x._a.dtype
                if kind.kind != "f" or kind not in op.takes:
                    return False
            elif x._a.dtype != kind:
                return False
        elif type(x) is not float and type(x) is not int:
            return False
    return kind is not None


def change(x: Any, args: tuple[Any, ...], what: str, make: Callable[[Any], Any]) -> Any:
    """x becomes `make(x as it is)`, in its own memory. Returns x."""
    tracked = inplace.check_leaf(x, args, what) if inplace.is_traced(x) else inplace.check(x, args, what)
    new = inplace.fitting(x, make(snapshot(x)), what)
    write(x, new, what, tracked)
    return x


def function(f: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
    """A user's own operation on the stack as it is: its results, and its context. Nobody looks inside."""
    if levels.stack:
        with below() as top:
            found: tuple[Any, Any] = top.function(f, args)
            return found
    return f._run(args)


def snapshot(x: Any) -> Any:
    """The value of x at its place on the tape, as a tensor that does not change with x."""
    if levels.stack:
        with below() as top:
            return top.snapshot(x)
    if inplace.is_traced(x):
        return interpreter.trace.snapshot(x)
    return wrap(x._a.copy(), x._node if x._view is None else sync(x))


def draw(make: Callable[[Shape], Any], shape: Shape) -> Any:
    """Random numbers of a shape, which `make(shape)` gives; a level may ask for more of them."""
    if not levels.stack:
        return make(shape)
    with below() as top:
        return top.draw(make, shape)


def write(x: Any, new: Any, what: str, tracked: bool) -> None:
    """Put the value of `new` into x, through the stack as it is."""
    if levels.stack:
        with below() as top:
            top.write(x, new, what, tracked)
    elif inplace.is_traced(x, new):
        interpreter.trace.assign(x, new, what, tracked)
    else:
        inplace.write(x, new, what, tracked)


def same(x: Any, node: Node | None) -> Any:
    """x as another tensor object on the same memory, at another place of the tape; it moves as x does."""
    y = x._at(node)
    y._view = View(owner_of(x))
    if levels.stack:
        alias(x, y)
    return y


def alias(x: TensorBase, y: TensorBase) -> None:
    """Tell all levels that y has the value and the derivatives of x."""
    _tell("alias", x, y)


def detached(x: TensorBase, y: TensorBase) -> None:
    """Tell all levels that y has the value of x, and no derivatives."""
    _tell("detached", x, y)


def collect(leaf: TensorBase, g: TensorBase) -> None:
    """Tell all levels that backward is about to add g to the `.grad` of a leaf."""
    _tell("collect", leaf, g)


def _tell(what: str, x: TensorBase, y: TensorBase) -> None:
    stack = levels.stack
    try:
        for depth, level in enumerate(stack):
            levels.stack = stack[:depth]
            getattr(level, what)(x, y)
    finally:
        levels.stack = stack


@contextmanager
def suspended(*, but_lookers: bool = False) -> Iterator[None]:
    """What happens inside is seen by no level; `but_lookers`: by none but those that only look."""
    before = levels.stack
    levels.stack = tuple(level for level in before if level.only_looks) if but_lookers else ()
    try:
        yield
    finally:
        levels.stack = before


class _Hooks:
    """What `eager.py`, `inplace.py` and the tape call while there are levels."""

    run = staticmethod(run)
    change = staticmethod(change)
    function = staticmethod(function)
    write = staticmethod(write)
    alias = staticmethod(alias)
    detached = staticmethod(detached)
    draw = staticmethod(draw)
    collect = staticmethod(collect)


interpreter.levels = _Hooks
