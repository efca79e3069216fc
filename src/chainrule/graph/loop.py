"""A loop in a graph: one body, run a fixed number of times.

The value of kind LOOP has the results of the last iteration, read by values of kind PART. Its inputs are
those of the body, in the same order: carried values (what each starts with), sequences (a row of them in each
iteration), and invariants (the same in each). Here is the value itself and what `simplify.py` does with it;
`iteration.py` makes it from a program, `evaluate.py` runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..core.errors import Site
from ..ops.views import EXPAND
from .errors import TraceError
from .graph import Graph
from .values import CONSTANT, LOOP, PART, Value, constant, op_value, reachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What a value of kind LOOP does; it is the value's `data`.

    body:      inputs: the carried values at the start of an iteration, then a row of each sequence, then the
               invariants; outputs: the carried values at its end, in the same order. It refers to no value
               outside, and has neither captures nor writes.
    trips:     how many iterations.
    sequences: how many of the inputs are sequences: outside they are (trips, ...), in the body a row (...).
    """

    body: Graph
    trips: int
    sequences: int

    def split(self, inputs: Sequence[T]) -> tuple[list[T], list[T], list[T]]:
        """Something for each input, as (for the carried values, for the sequences, for the invariants)."""
        n, k = len(self.body.outputs), self.sequences
        xs = list(inputs)
        return xs[:n], xs[n : n + k], xs[n + k :]


def loop_error(given: str, must: str, hint: str, site: Site | None = None) -> TraceError:
    """What cannot be recorded of a loop over batches."""
    return TraceError.of("for batch in loader", given=given, must=must, hint=hint, site=site)


def loop_value(loop: Loop, inputs: Sequence[Value], site: Site | None = None) -> Value:
    """The value of a loop, from what its body's inputs are outside."""
    shapes = tuple(v.shape for v in loop.body.outputs)
    kinds = tuple(v.dtype for v in loop.body.outputs)
    return Value(LOOP, shapes, kinds, inputs=tuple(inputs), data=loop, site=site)


def part(whole: Value, i: int) -> Value:
    """The i-th result of a value that has several."""
    return Value(PART, whole.shape[i], whole.dtype[i], inputs=(whole,), index=i, site=whole.site)


def reduced(v: Value, parts: list[Value]) -> dict[Value, Value]:
    """What replaces a loop and its results (`parts`: those that are read): the loop with fewer inputs.

    A carried value goes if nothing that is read depends on it, or becomes an invariant if it never changes.
    Constants move into the body. Of equal invariants one stays. Empty if there is nothing to do.
    """
    loop: Loop = v.data
    body = loop.body
    carried, sequences, invariants = loop.split(list(zip(body.inputs, v.inputs, strict=True)))
    fixed = {i for i, (p, _) in enumerate(carried) if body.outputs[i] is p}
    live = _live(body, {x.index for x in parts} - fixed)
    inside: dict[Value, Value] = {}
    kept: dict[Value, Value] = {}  # what an invariant is outside -> what it is in the body
    for p, x in [*invariants, *(carried[i] for i in fixed)]:
        known = _known(x)
        if known is not None:
            inside[p] = known
        elif kept.setdefault(x, p) is not p:
            inside[p] = kept[x]
    results = [body.outputs[i] for i in live]
    if inside:
        results = Graph(body.name, body.inputs, results).rebuilt(inside).outputs
    read = set(reachable(results))
    starts = [carried[i] for i in live]
    rows = [(p, x) for p, x in sequences if p in read]
    same = [(p, x) for x, p in kept.items() if p in read]
    inputs = [*starts, *rows, *same]
    if not inside and len(inputs) == len(v.inputs) and len(live) == len(carried):
        return {}
    replace = {x: v.inputs[x.index] for x in parts if x.index in fixed}
    new = Loop(Graph(body.name, [p for p, _ in inputs], results), loop.trips, len(rows))
    whole = loop_value(new, [x for _, x in inputs], v.site)
    places = {old: i for i, old in enumerate(live)}
    return replace | {v: whole} | {x: part(whole, places[x.index]) for x in parts if x.index in places}


def _live(body: Graph, wanted: set[int]) -> list[int]:
    """The carried values that the wanted ones depend on, in any iteration; in order."""
    places = {p: i for i, p in enumerate(body.inputs[: len(body.outputs)])}
    live: set[int] = set()
    while wanted - live:
        live |= wanted
        read = reachable(body.outputs[i] for i in live)
        wanted = {places[p] for p in read if p in places and body.outputs[places[p]] is not p}
    return sorted(live)


def _known(x: Value) -> Value | None:
    """A value of its own for the body, where x is a constant."""
    if x.kind == CONSTANT:
        return constant(x.data, x.dtype)
    first = x.inputs[0] if x.op is EXPAND else None
    if isinstance(first, Value) and first.kind == CONSTANT:
        return op_value(EXPAND, (constant(first.data, first.dtype),), x.settings, x.dtype, x.site)
    return None
