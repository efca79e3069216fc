"""Forward mode: a level that carries a tangent along with each tensor.

Nothing about a tensor changes when it gets a tangent: it has its values, so Python may branch on them, and
its place on the tape. The level knows the tangents by the tensor (`Table`), and after each op asks the op's
entry for the tangent of the result (`../ops/forward.py`). A tangent is computed on the levels below, so the
tangents of an outer level, and the tape, go through the computation of an inner one, to any order.

A view has no tangent of its own: it is the same view of the tangent of its base. So a write through one view
is seen by all of them. As in PyTorch, `no_grad` does not stop forward mode; `detach` does.
Next: `../func/jvp.py`.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..ops.forward import tangent_of
from ..ops.primitive import VIEW, Primitive, tracing
from ..ops.views import OVERWRITE, Steps, follow
from ..tape.node import OpNode
from .level import Observer, function

if TYPE_CHECKING:
    from ..autograd.function import Function


class Table:
    """What is known of tensors, by the tensor itself; it keeps none of them alive."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def get(self, x: TensorBase) -> Any:
        """What is known of x, or None."""
        entry = self._entries.get(id(x))
        return None if entry is None else entry[1]

    def put(self, x: TensorBase, value: Any) -> None:
        """Remember a value for x."""
        key, entries = id(x), self._entries
        entries[key] = (weakref.ref(x, lambda _: entries.pop(key, None)), value)


class Forward(Observer):
    """One direction, or one for each row of a batch, in which the inputs move; see the top of the file."""

    def __init__(self) -> None:
        self._tangents = Table()
        self._ways = Table()  # views made while this level was there: (base, steps from it)

    # -- for those who differentiate --------------------------------------------------------------------

    def tangent(self, x: Any) -> Any:
        """How x moves: a tensor of its shape and type, or None where it does not. Ask below this level."""
        if not isinstance(x, TensorBase):
            return None
        base, steps = self._way(x)
        moves = self._tangents.get(base)
        return moves if moves is None or not steps else follow(moves, steps)

    def move(self, x: TensorBase, tangent: Any) -> None:
        """Let x move by `tangent`."""
        base, steps = self._way(x)
        if steps:
            whole = self._tangents.get(base)
            if whole is None:
                whole = base.new_zeros(base.shape)  # type: ignore[attr-defined]
            tangent = OVERWRITE(whole, tangent, steps=steps)
        self._tangents.put(base, tangent)

    def _way(self, x: TensorBase) -> tuple[TensorBase, Steps]:
        """The tensor whose tangent holds that of x, and the steps from there."""
        x = _known(x)
        way = self._ways.get(x)
        if way is not None:
            base: TensorBase = way[0]
            return base, way[1]
        view = x._view
        if view is not None and view.base is not None and view.link:
            return view.base, view.steps
        return x, ()

    # -- what the level is told -------------------------------------------------------------------------

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        if op.outputs != 1:  # such an op has no derivative
            return
        if op.kind is VIEW and out._view is not None:
            base, steps = self._way(xs[0])
            self._ways.put(_known(out), (base, (*steps, (op, settings))))
            return
        tangents = [self.tangent(x) for x in xs]
        moves = tangent_of(op, out, xs, tangents, settings)
        if moves is not None:
            self._tangents.put(_known(out), moves)
            _keep_whole(self, out, moves)

    def function(self, f: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
        results, context = function(f, args)
        moves = [self.tangent(x) for x in args]
        if any(t is not None for t in moves):
            found = f._moved(context, results, moves)
            for y, t in zip(results if isinstance(results, tuple) else (results,), found, strict=True):
                if t is not None:
                    self.move(y, t)
        return results, context

    def wrote(self, x: Any, new: Any) -> None:
        moves = self.tangent(new)
        if moves is None and self.tangent(x) is not None:
            moves = x.new_zeros(x.shape)
        if moves is not None:
            self.move(x, moves)

    def alias(self, x: Any, y: Any) -> None:
        moves = self.tangent(x)
        if moves is not None:
            self._tangents.put(y, moves)


def _keep_whole(level: Forward, out: Any, moves: Any) -> None:
    """Where backward keeps the bare array of a result, let it keep a tensor, whose tangent is known.

    (A node that kept the result itself would be kept by it in turn.)
    """
    node = out._node
    if isinstance(node, OpNode) and node.out is not None:
        if node.out is out._a:
            node.out = out._at(None)
        if isinstance(node.out, TensorBase):
            level._tangents.put(node.out, moves)


def _known(x: TensorBase) -> TensorBase:
    """x, or what stands for it in the trace that is running."""
    if tracing.tracer is None:
        return x
    stand: TensorBase | None = tracing.tracer.known(x)
    return x if stand is None else stand
