"""vmap as a level: tensors that have the shape of one row, and behind them the stack of all rows.

A function that is mapped sees `Batched` tensors. They have shape and type of a row, but no values that
Python could ask for: the function runs once, for all rows. Each op on them becomes the op's rule for many
rows (`../ops/batching.py`), on the stacks and on the levels below. So the op may be traced there, or carry
tangents, or be another batch's.

The axis of the rows is always the first of the stack. Two tapes run side by side: the stacks have their
places on the tape of whoever called `vmap`, and `Batched` tensors places of their own, with the shapes of
rows, for derivatives that are taken inside of the mapped function. What is written into a `Batched` tensor
goes into its stack, and so is seen by all views of it. Next: `operation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import inplace
from ..autograd.function import Function
from ..core.errors import ChainruleError
from ..core.shapes import Shape
from ..eager import _check_each, _shape, record, sync, view_of
from ..graph.standin import standin
from ..ops.batching import stack
from ..ops.primitive import NOT_BATCHED, VIEW, Primitive, levels
from ..tape import mode
from . import level
from .level import Level
from .operation import Call
from .rows import Batched, RowStandin, VmapError, ended

SAME, DIFFERENT, ERROR = "same", "different", "error"
RANDOMNESS = (ERROR, DIFFERENT, SAME)


class Batch(Level):
    """The level of one `vmap`.

    size:       how many rows there are.
    randomness: what a draw inside of the mapped function does.
    """

    def __init__(self, size: int, randomness: str = ERROR) -> None:
        self.size = size
        self.randomness = randomness

    def batched(self, rows: Any) -> Batched:
        """The tensor that stands for each row of a stack."""
        out = object.__new__(Batched)
        out._a = standin(tuple(rows._a.shape[1:]), rows.dtype, RowStandin)
        out._node = None
        out._view = None
        out._v = 0
        out._grad = None
        out._level = self
        out._rows = rows
        return out

    def holds(self, x: Any) -> bool:
        """Whether x stands for the rows of this batch."""
        return isinstance(x, Batched) and x._level is self

    def rows(self, x: Any) -> Any:
        """The stack of all rows of x, which may be the same for every row. Ask below this level."""
        return x._rows if self.holds(x) else stack(x, False, self.size)

    @contextmanager
    def below(self) -> Iterator[None]:
        """The levels below this one."""
        before = levels.stack
        if self not in before:
            raise ended()
        levels.stack = before[: before.index(self)]
        try:
            yield
        finally:
            levels.stack = before

    @contextmanager
    def upon(self) -> Iterator[None]:
        """This level upon those below, which run now."""
        before = levels.stack
        levels.stack = (*before, self)
        try:
            yield
        finally:
            levels.stack = before

    # -- what a level does ------------------------------------------------------------------------------

    def run(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        mapped = tuple([isinstance(x, Batched) and x._level is self for x in xs])
        if True not in mapped:
            return op(*xs, **settings)
        if op.batch is NOT_BATCHED:
            raise VmapError.of(
                op.formula,
                given="inputs that differ from row to row, inside vmap",
                must="its inputs must be the same for every row",
            )
        if not op.dtype.unify:
            _check_each(op, xs)
        _shape(op, [getattr(x, "_a", x) for x in xs], settings)  # raises the error that teaches, about rows
        rows = tuple(x._rows if m else x for x, m in zip(xs, mapped, strict=True))
        try:
            out = op.rows(self.size, rows, mapped, settings)
        except ChainruleError as err:  # about values, then; the shapes of rows have been checked
            err.add_note(f"  (inside vmap: all {self.size} rows are there, along one more axis, the first)")
            raise
        if op.outputs != 1:
            return tuple(map(self.batched, out))
        result = self.batched(out)
        if op.kind is VIEW and out._view is not None:
            result._view = view_of(op, xs[0], settings)
        if mode.is_grad_enabled():
            with self.upon():
                record(op, result, xs, settings)
        return result

    def function(self, f: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
        if not any(map(self.holds, args)):
            return level.function(f, args)
        call = Call(self, f, args)
        placed, _ = level.function(call.stacked(), tuple(x._rows if self.holds(x) else x for x in args))
        return call.placed(placed), call.context

    def snapshot(self, x: Any) -> Any:
        if not self.holds(x):
            return level.snapshot(x)
        out = self.batched(level.snapshot(x._rows))
        with self.upon():
            out._node = x._node if x._view is None else sync(x)
        return out

    def write(self, x: Any, new: Any, what: str, tracked: bool) -> None:
        if not self.holds(x):
            if self.holds(new):
                raise _differs(x, what)
            level.write(x, new, what, tracked)
            return
        to, rows = x._rows, self.rows(new)
        watched = (inplace.check_leaf if inplace.is_traced(to) else inplace.check)(to, (rows,), what)
        level.write(to, rows, what, watched)
        with self.upon():
            inplace.touch(x)
            if tracked:
                inplace.adopt(x, new._node)

    def draw(self, make: Callable[[Shape], Any], shape: Shape) -> Any:
        if self.randomness == ERROR:
            raise VmapError.of(
                "a random number",
                given="a function mapped by vmap with randomness='error', which is the default",
                must="it must be said whether rows have numbers of their own",
                hint="vmap(..., randomness='different'); or 'same', for the same numbers in every row",
            )
        if self.randomness == SAME:
            return level.draw(make, shape)
        return self.batched(level.draw(make, (self.size, *shape)))

    def collect(self, leaf: Any, g: Any) -> None:
        if self.holds(g) and not self.holds(leaf):
            raise VmapError.of(
                "backward inside vmap",
                given=f"a gradient that differs from row to row, for a leaf {leaf._a.shape} that they share",
                must="it has no place in .grad of one tensor",
                hint="torch.func.grad of the function inside vmap, which returns the gradient of each row; "
                "or backward() outside, for their sum",
            )


def _differs(x: Any, what: str) -> VmapError:
    return VmapError.of(
        f"in-place {what}",
        given=f"values that differ from row to row, for a tensor {x._a.shape} that all rows share",
        must="one tensor cannot hold all rows",
        hint="x = x + y, which makes a new tensor; or a tensor of its own for each row, by zeros_like(y), "
        "y.new_zeros(...) or y.clone()",
    )
