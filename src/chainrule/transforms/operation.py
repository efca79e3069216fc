"""A user's own operation (`autograd.Function`) in vmap: it runs on rows, and is differentiated on both tapes.

Next: `../func/mapping.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd.function import Function
from ..tape import mode
from ..tensor import Tensor

if TYPE_CHECKING:
    from .batch import Batch


class Call:
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
                with call.batch.upon(), mode.set_grad_enabled(recording):
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
