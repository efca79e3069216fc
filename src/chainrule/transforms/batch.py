"""vmap as a level: tensors that have the shape of one row, and behind them the stack of all rows.

A function that is mapped sees `Batched` tensors. They have shape and type of a row, but no values that
Python could ask for: the function runs once, for all rows. Each op on them becomes the op's rule for many
rows (`../ops/batching.py`), on the stacks and on the levels below. So the op may be traced there, or carry
tangents, or be another batch's.

The axis of the rows is always the first of the stack. Two tapes run side by side: the stacks have their
places on the tape of whoever called `vmap`, and `Batched` tensors places of their own, with the shapes of
rows, for derivatives that are taken inside of the mapped function. What is written into a `Batched` tensor
goes into its stack, and so is seen by all views of it. Next: `../func/mapping.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Self

from .. import inplace
from ..autograd.function import Function
from ..base import View, owner_of
from ..core.errors import ChainruleError
from ..core.shapes import Shape, real_axis
from ..eager import _check_each, _shape, record, sync, view_of
from ..graph.standin import Standin, standin
from ..ops.batching import stack
from ..ops.move import COPY
from ..ops.primitive import NOT_BATCHED, VIEW, Primitive, interpreter, levels
from ..tape import mode
from ..tensor import Tensor
from . import level
from .level import Level

SAME, DIFFERENT, ERROR = "same", "different", "error"
RANDOMNESS = (ERROR, DIFFERENT, SAME)


class VmapError(ChainruleError, ValueError, RuntimeError):
    """Something that a function cannot do while it runs for many rows at once."""


_INSTEAD = {
    "if x, bool(x)": "torch.where(condition, a, b) instead of if: it chooses for each row by itself",
    "x[mask]": "torch.where(mask, x, 0): how many elements a mask takes would differ from row to row",
}


class RowStandin(Standin):
    """The array of a `Batched` tensor."""

    @staticmethod
    def refuse(what: str) -> NoReturn:
        raise VmapError.of(
            what,
            given="a tensor inside vmap, which stands for all rows at once",
            must="each row has its own value there, and the function runs once for all of them",
            hint=_INSTEAD.get(what, "compute with the tensor itself, and read values after vmap"),
        )

    @staticmethod
    def stray(x: Any) -> NoReturn:
        raise _ended()


def _ended() -> VmapError:
    return VmapError.of(
        "an operation",
        given="a tensor of a vmap that has ended",
        must="what was made inside stands for all rows at once, and means nothing outside",
        hint="return it from the mapped function",
    )


class Batched(Tensor):
    """A row, for all rows of a stack at once.

    _level: the batch it belongs to.
    _rows:  the stack: a tensor of the levels below with one more axis, the first.
    """

    __slots__ = ("_level", "_rows")

    _level: Batch
    _rows: Any

    def _stack(self) -> Any:
        return self._rows

    def _at(self, node: Any) -> Batched:
        out = self._level.batched(self._rows)
        out._node = node
        return out

    def _freed(self, rows: Any) -> Batched:
        out = self._level.batched(rows)
        out._view = View(owner_of(self))
        return out

    def _kept(self) -> Batched:
        return self._at(None)

    def _same_kind(self, a: Any) -> Self:
        return self._at(None)  # type: ignore[return-value]

    def _alike(self, new: Any) -> Batched:
        level = self._level
        with level.below():
            return level.batched(self._rows._alike(COPY(stack(new, False, level.size))))

    def detach(self) -> Tensor:
        """As `Tensor.detach`; the rows are off the tape of whoever called vmap, too."""
        with self._level.below():
            out = self._level.batched(self._rows.detach())
        out._view = View(owner_of(self))
        interpreter.levels.detached(self, out)
        return out

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor of its own, off the tape."""
        with self._level.below():
            return self._level.batched(self._rows.data)

    @data.setter
    def data(self, value: Any) -> NoReturn:
        RowStandin.refuse("x.data = y")

    def __repr__(self) -> str:
        size = self._level.size
        return f"a row {tuple(self._a.shape)} of {size} in\n{self._rows!r}"

    def __format__(self, spec: str) -> str:
        if spec:
            RowStandin.refuse(f"f'{{x:{spec}}}'")
        return repr(self)

    def _number(self, what: str) -> NoReturn:
        RowStandin.refuse(what)

    def _shared(self, what: str) -> NoReturn:
        RowStandin.refuse(what)

    def __index__(self) -> int:
        RowStandin.refuse("an index")

    def __bool__(self) -> bool:
        RowStandin.refuse("if x, bool(x)")

    def tolist(self) -> NoReturn:
        RowStandin.refuse("tolist()")

    def numpy(self, *, force: bool = False) -> NoReturn:
        RowStandin.refuse("numpy()")

    def __dlpack_device__(self) -> NoReturn:
        RowStandin.refuse("DLPack")

    # -- layout in memory: that of a row within its stack ------------------------------------------------

    def contiguous(self) -> Tensor:
        return self if self.is_contiguous() else COPY(self)

    def is_contiguous(self) -> bool:
        with self._level.below():
            return bool(self._rows.is_contiguous())

    def stride(self, dim: int | None = None) -> Any:
        with self._level.below():
            strides = self._rows.stride()[1:]
        return strides if dim is None else strides[real_axis(dim, self._a.ndim, "stride")]

    def storage_offset(self) -> NoReturn:
        RowStandin.refuse("storage_offset()")

    def data_ptr(self) -> NoReturn:
        RowStandin.refuse("data_ptr()")


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
            raise _ended()
        levels.stack = before[: before.index(self)]
        try:
            yield
        finally:
            levels.stack = before

    @contextmanager
    def _upon(self) -> Iterator[None]:
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
            with self._upon():
                record(op, result, xs, settings)
        return result

    def function(self, f: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
        if not any(map(self.holds, args)):
            return level.function(f, args)
        call = _Call(self, f, args)
        placed, _ = level.function(call.stacked(), tuple(x._rows if self.holds(x) else x for x in args))
        return call.placed(placed), call.context

    def snapshot(self, x: Any) -> Any:
        if not self.holds(x):
            return level.snapshot(x)
        out = self.batched(level.snapshot(x._rows))
        with self._upon():
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
        level.write(to, inplace.computed(rows) if watched else rows, what, watched)
        with self._upon():
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


class _Call:
    """One call of a user's own operation for all rows: it runs on rows, and is differentiated on both tapes.

    On the tape of whoever called vmap, and for levels below, it is an operation of its own on the stacks,
    whose backward is that of the user, for all rows.
    """

    def __init__(self, batch: Batch, f: type[Function], args: tuple[Any, ...]) -> None:
        self.batch, self.f, self.args = batch, f, args
        self.results: Any = ()
        self.context: Any = None

    def stacked(self) -> type[Function]:
        """The operation on stacks."""
        call, recording = self, mode.is_grad_enabled()

        class Stacked(Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                with call.batch._upon(), mode.set_grad_enabled(recording):
                    call.results, call.context = call.f._run(call.args)
                context = call.context
                ctx.set_materialize_grads(context._materialize)
                ys = call.outputs
                rows = [y._rows for y in ys if call.batch.holds(y)]
                ctx.mark_non_differentiable(
                    *(y._rows for y in ys if call.batch.holds(y) and id(y) in context._constant)
                )
                return tuple(rows)

            @staticmethod
            def backward(ctx: Any, *gs: Any) -> Any:
                context = call.context
                wanted = zip(context.needs_input_grad, ctx.needs_input_grad, strict=True)
                context.needs_input_grad = tuple(a or b for a, b in wanted)
                with call.batch.entered():
                    found = call.f.backward(context, *call.spread(gs))
                found = found if isinstance(found, tuple) else (found,)
                return tuple(map(call.gathered, call.args, found))

            @staticmethod
            def jvp(ctx: Any, *moves: Any) -> Any:
                batch = call.batch
                with batch.entered():
                    given = [
                        batch.batched(t) if t is not None and batch.holds(x) else t
                        for x, t in zip(call.args, moves, strict=True)
                    ]
                    found = call.f._moved(call.context, call.results, given)
                return tuple(
                    None if t is None else batch.rows(t)
                    for y, t in zip(call.outputs, found, strict=True)
                    if batch.holds(y)
                )

        Stacked.__name__ = self.f.__name__
        return Stacked

    @property
    def outputs(self) -> tuple[Any, ...]:
        return self.results if isinstance(self.results, tuple) else (self.results,)

    def spread(self, gs: tuple[Any, ...]) -> list[Any]:
        """What arrives at each result, when this arrives at the stacks among them."""
        rest = iter(gs)
        found = []
        for y in self.outputs:
            if self.batch.holds(y):
                g = next(rest)
                found.append(None if g is None else self.batch.batched(g))
            else:  # the same for every row: what it depends on is differentiated on the tape of the rows
                zeros = self.context._materialize and isinstance(y, Tensor)
                found.append(y.new_zeros(y.shape) if zeros else None)
        return found

    def gathered(self, x: Any, g: Any) -> Any:
        """The gradient for an argument on stacks; rows that share one add theirs up."""
        if g is None:
            return None
        rows = self.batch.rows(g)
        return rows if self.batch.holds(x) else rows.sum(0)

    def placed(self, rows: tuple[Any, ...]) -> Any:
        """The results, with their stacks at their places on the tape."""
        rest = iter(rows)
        for y in self.outputs:
            if self.batch.holds(y):
                place = next(rest)
                if not any(y is x for x in self.args):
                    y._rows = place
        return self.results


def _differs(x: Any, what: str) -> VmapError:
    return VmapError.of(
        f"in-place {what}",
        given=f"values that differ from row to row, for a tensor {x._a.shape} that all rows share",
        must="one tensor cannot hold all rows",
        hint="x = x + y, which makes a new tensor; or a tensor of its own for each row, by zeros_like(y), "
        "y.new_zeros(...) or y.clone()",
    )
