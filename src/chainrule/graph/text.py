"""A graph as text: a Python function with a type for every value. `parse.py` reads it back.

    def loss(x: float32[10, 2], *, w: float32[2, 1]):
        v1: float32[10, 1] = matmul(x, w)
        v2: float32[()] = sum(v1, dim=(0, 1), keepdim=False)
        return v2

Names after `*` are captured tensors; `w[...] = v3` before the return is a write to one.

A loop is a function inside and a call of it, here of one that adds the 8 rows of v3 to v1:

    def body(v4: float32[2], *, v5: float32[2]):
        v6: float32[2] = add(v4, v5)
        return v6
    v7: (float32[2],) = loop(body, v1, v5=v3, trips=8)
    v8: float32[2] = v7[0]

The body's positional parameters are the carried values, those after `*` rows of sequences; names from outside
are invariants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dtypes import dtype
from ..ops.primitive import Primitive
from .values import CONSTANT, LOOP, PART, Value

Names = dict[Any, str]  # of values and of the bodies of loops

LARGEST_CONSTANT = 64  # elements; a larger one is printed by its shape, and must be given when read back


def show(graph: Any) -> str:
    """The text of a graph."""
    names = name_values(graph)
    lines = [f"def {graph.name}({_parameters(graph.inputs, graph.captures, names)}):"]
    lines += _definitions(graph, names)
    lines += [f"    {names[c]}[...] = {names[v]}" for c, v in graph.writes]
    lines.append(_returned(graph, names))
    return "\n".join(lines)


def _definitions(graph: Any, names: Names) -> list[str]:
    """A line for each value; for a loop its body before that."""
    lines = []
    for v in graph.values:
        if v.kind == LOOP:
            carried, rows, _ = v.data.split(v.data.body.inputs)
            lines.append(f"    def {names[v.data]}({_parameters(carried, rows, names)}):")
            inside = [*_definitions(v.data.body, names), _returned(v.data.body, names)]
            lines += [f"    {line}" for line in inside]
        lines.append(f"    {names[v]}: {type_text(v)} = {right_side(v, names)}")
    return lines


def _returned(graph: Any, names: Names) -> str:
    return "    return " + (", ".join(names[v] for v in graph.outputs) or "None")


def _parameters(plain: list[Value], named: list[Value], names: Names) -> str:
    texts = [f"{names[v]}: {type_text(v)}" for v in plain]
    after = [f"{names[v]}: {type_text(v)}" for v in named]
    return ", ".join(texts + (["*", *after] if after else []))


def name_values(graph: Any) -> Names:
    """A name for every value, inside loops too: the user's, if it is known and free, else v1, v2, ...

    What is invariant in a loop has the name that it has outside; a `Loop` is named as its body is.
    """
    names: Names = {}
    taken = {"inf", "nan"}  # numbers, when the text is read back
    fresh = _fresh_names(taken)

    def name_all(inputs: list[Value], values: list[Value]) -> None:
        for v in (*inputs, *values):
            if v.kind == LOOP:
                name_loop(v)
            names[v] = free(v.name)

    def free(wish: str) -> str:
        name = wish if wish and wish not in taken else next(fresh)
        taken.add(name)
        return name

    def name_loop(v: Value) -> None:
        loop = v.data
        *own, invariants = loop.split(loop.body.inputs)
        *_, outside = loop.split(v.inputs)
        names[loop] = free(loop.body.name)
        names.update((p, names[x]) for p, x in zip(invariants, outside, strict=False) if x in names)
        name_all([p for part in own for p in part], loop.body.values)

    name_all([*graph.inputs, *graph.captures], graph.values)
    return names


def _fresh_names(taken: set[str]) -> Iterator[str]:
    n = 0
    while True:
        n += 1
        if f"v{n}" not in taken:
            yield f"v{n}"


def type_text(v: Value) -> str:
    """`float32[10, 2]`; `float32[()]` for a 0-d value; a tuple for several results."""
    if isinstance(v.dtype, tuple):
        types = [one_type(d, s) for d, s in zip(v.dtype, v.shape, strict=True)]
        return f"({', '.join(types)}{',' if len(types) == 1 else ''})"
    return one_type(v.dtype, v.shape)


def one_type(kind: dtype, shape: tuple[int, ...]) -> str:
    return f"{kind.name}[{', '.join(map(str, shape)) if shape else '()'}]"


def right_side(v: Value, names: Names) -> str:
    """What a value is computed by, as a call."""
    if v.kind == CONSTANT:
        return f"constant({_constant_text(v.data)})"
    if v.kind == PART:
        return f"{names[v.inputs[0]]}[{v.index}]"
    if v.kind == LOOP:
        carried, sequences, _ = v.data.split([names[x] for x in v.operands])
        _, rows, _ = v.data.split(v.data.body.inputs)
        given = [f"{names[p]}={x}" for p, x in zip(rows, sequences, strict=False)]
        return f"loop({', '.join([names[v.data], *carried, *given])}, trips={v.data.trips})"
    assert v.op is not None
    operands = [names[x] if isinstance(x, Value) else setting_text(x) for x in v.inputs]
    settings = [f"{key}={setting_text(x)}" for key, x in v.settings.items()]
    return f"{v.op.name}({', '.join(operands + settings)})"


def _constant_text(a: np.ndarray[Any, Any]) -> str:
    return "..." if a.size > LARGEST_CONSTANT else setting_text(a.tolist())


def setting_text(x: Any) -> str:
    """A setting or number as text that `parse.py` understands."""
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if isinstance(x, dtype):
        return x.name
    if isinstance(x, Primitive):
        return repr(x.name)
    if isinstance(x, slice):
        return f"slice({setting_text(x.start)}, {setting_text(x.stop)}, {setting_text(x.step)})"
    if x is Ellipsis:
        return "..."
    if isinstance(x, tuple):
        return "(" + ", ".join(map(setting_text, x)) + ("," if len(x) == 1 else "") + ")"
    if isinstance(x, list):
        return "[" + ", ".join(map(setting_text, x)) + "]"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k!r}: {setting_text(v)}" for k, v in x.items()) + "}"
    return repr(x)
