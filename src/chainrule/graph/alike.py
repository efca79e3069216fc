"""Do two recordings of a loop's body do the same? Then one of them stands for every iteration.

Used by `iteration.py`. Values are compared by what they are computed from, down to inputs and constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .simplify import frozen
from .text import setting_text
from .values import CONSTANT, INPUT, LOOP, Value

Pair = tuple[Value, Value]


def difference(pairs: Iterable[Pair], same_input: Callable[[Value, Value], bool]) -> Pair | None:
    """The first two values, in order of making, that are not computed alike; None if there are none.

    pairs:      values that should be alike, one of each recording.
    same_input: whether an input of the one recording is what an input of the other is.
    """
    seen: set[Pair] = set()
    stack = list(pairs)
    other = []
    while stack:
        pair = stack.pop()
        if pair in seen:
            continue
        seen.add(pair)
        found = _operands(*pair, same_input)
        if found is None:
            other.append(pair)
        else:
            stack += found
    return min(other, key=lambda pair: pair[0].seq, default=None)


def _operands(v: Value, w: Value, same_input: Callable[[Value, Value], bool]) -> Iterable[Pair] | None:
    """What has to be alike for v and w to be; None if they are not anyway."""
    if v.kind == w.kind == INPUT:
        return () if same_input(v, w) else None
    if v.kind == w.kind == LOOP:
        return _of_loops(v, w)
    return zip(v.operands, w.operands, strict=True) if _shallow(v) == _shallow(w) else None


def _shallow(v: Value) -> Any:
    """What a value is, apart from the values that it is computed from."""
    numbers = [None if isinstance(x, Value) else (type(x), repr(x)) for x in v.inputs]
    data = v.data.tobytes() if v.kind == CONSTANT else None
    return (v.kind, v.op, v.shape, v.dtype, v.index, numbers, frozen(v.settings), data)


def _of_loops(v: Value, w: Value) -> list[Pair] | None:
    """The same for two loops. Their invariants may stand in another order."""
    first, second = v.data, w.data
    if (first.trips, first.sequences, v.shape, v.dtype) != (second.trips, second.sequences, w.shape, w.dtype):
        return None
    fixed = len(first.body.outputs) + first.sequences
    pairs = list(zip(v.inputs[:fixed], w.inputs[:fixed], strict=True))
    ours = {p: i for i, p in enumerate(first.body.inputs)}
    theirs = {p: i for i, p in enumerate(second.body.inputs)}

    def same_input(p: Value, q: Value) -> bool:
        i, j = ours[p], theirs[q]
        if min(i, j) >= fixed:
            pairs.append((v.inputs[i], w.inputs[j]))
            return True
        return i == j

    other = difference(zip(first.body.outputs, second.body.outputs, strict=True), same_input)
    return pairs if other is None else None


def summary(v: Value) -> str:
    """A value in a few words: `add(..., 2.0)`."""
    if v.op is None:
        return f"a tensor {v.shape}" if v.kind == INPUT else v.kind
    inputs = ["..." if isinstance(x, Value) else setting_text(x) for x in v.inputs]
    settings = [f"{key}={setting_text(x)}" for key, x in v.settings.items()]
    return f"{v.op.name}({', '.join(inputs + settings)})"
