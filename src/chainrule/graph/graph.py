"""Graph: a program as values, from inputs to outputs.

Graphs are pure: an in-place operation of the traced program is a new value here, and a write to the tensor
from outside at the end. Next: `text.py` (printing), `parse.py` (reading back), `verify.py`, `trace.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.above import above
from .evaluate import call
from .host import Assumption
from .text import show
from .values import CAPTURE, INPUT, Value, reachable


class Graph:
    """A pure program over arrays.

    inputs:   values given at each run, in order.
    captures: values read from tensors that were there before, and from numbers of Python (`host.py`).
    outputs:  what is returned, in order.
    writes:   pairs (capture or input, value): its memory gets the value once all outputs are known.
    values:   everything that has to be computed, in order (made from outputs and writes; what neither needs
              is not there).
    assumptions: what in Python was as it is in the graph when it was traced, and may change.

    `print(graph)` gives text that `parse` reads back. `graph(*tensors)` runs it.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        captures: Sequence[Value] = (),
        writes: Sequence[tuple[Value, Value]] = (),
        structure: Any = None,
        assumptions: Sequence[Assumption] = (),
    ) -> None:
        self.name = name
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.writes = list(writes)
        self.structure = structure
        self.assumptions = list(assumptions)
        self.values = reachable([*self.outputs, *(v for _, v in self.writes)])
        read = {v for v in self.values if v.kind == CAPTURE} | {c for c, _ in self.writes}
        self.captures = [c for c in captures if c in read]
        self.values = [v for v in self.values if v.kind not in (INPUT, CAPTURE)]

    def rebuilt(self, replace: dict[Value, Value]) -> Graph:
        """The same graph with some values replaced everywhere; inputs and captures stay."""
        memo: dict[Value, Value] = {}

        def new(v: Value) -> Value:
            return memo.get(v, v)

        order = reachable([*self.outputs, *(v for _, v in self.writes)])
        for v in order:
            target = replace.get(v)
            if target is not None:
                memo[v] = new(target)
            elif any(new(x) is not x for x in v.operands):
                inputs = tuple(new(x) if isinstance(x, Value) else x for x in v.inputs)
                copy = Value(
                    v.kind, v.shape, v.dtype, op=v.op, inputs=inputs, settings=v.settings, data=v.data,
                    index=v.index, name=v.name, site=v.site,
                )  # fmt: skip
                memo[v] = copy
        return Graph(
            self.name,
            self.inputs,
            [new(v) for v in self.outputs],
            self.captures,
            [(c, new(v)) for c, v in self.writes],
            self.structure,
            self.assumptions,
        )

    def draw(self, **how: Any) -> Any:
        """Its picture: see `chainrule.draw`, which takes the same options.

        >>> from chainrule.graph import symbol, graph_of
        >>> a = symbol("a", (2, 1))
        >>> graph_of((2 * a).sum()).draw()
        <drawing expression: 2 operations, 1 leaf>
        """
        return above("draw")(self, **how)

    def __str__(self) -> str:
        return show(self)

    def __call__(self, /, *inputs: Any, **named: Any) -> Any:
        """Run it with NumPy: inputs are tensors, arrays or numbers, in order or by name."""
        return call(self, inputs, named)

    def __repr__(self) -> str:
        return (
            f"<graph {self.name}: {len(self.inputs)} inputs, {len(self.captures)} captures, "
            f"{len(self.values)} values, {len(self.outputs)} outputs>"
        )
