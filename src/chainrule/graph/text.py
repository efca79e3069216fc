"""A graph as text: a Python function with a type for every value. `parse.py` reads it back.

    def loss(x: float32[10, 2], *, w: float32[2, 1]):
        v1: float32[10, 1] = matmul(x, w)
        v2: float32[()] = sum(v1, dim=(0, 1), keepdim=False)
        return v2

Names after `*` are captured tensors; `w[...] = v3` before the return is a write to one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dtypes import dtype
from ..ops.primitive import Primitive
from .values import CONSTANT, PART, Value

LARGEST_CONSTANT = 64  # elements; a larger one is printed by its shape, and must be given when read back


def show(graph: Any) -> str:
    """The text of a graph."""
    names = name_values(graph)
    lines = [f"def {graph.name}({_parameters(graph, names)}):"]
    lines += [f"    {names[v]}: {type_text(v)} = {right_side(v, names)}" for v in graph.values]
    lines += [f"    {names[c]}[...] = {names[v]}" for c, v in graph.writes]
    lines.append("    return " + (", ".join(names[v] for v in graph.outputs) or "None"))
    return "\n".join(lines)


def _parameters(graph: Any, names: dict[Value, str]) -> str:
    plain = [f"{names[v]}: {type_text(v)}" for v in graph.inputs]
    captured = [f"{names[v]}: {type_text(v)}" for v in graph.captures]
    return ", ".join(plain + (["*", *captured] if captured else []))


def name_values(graph: Any) -> dict[Value, str]:
    """A name for every value: the user's, if it is known and free, else v1, v2, ..."""
    names: dict[Value, str] = {}
    taken = {"inf", "nan"}  # numbers, when the text is read back
    fresh = _fresh_names(taken)
    for v in (*graph.inputs, *graph.captures, *graph.values):
        name = v.name if v.name and v.name not in taken else next(fresh)
        taken.add(name)
        names[v] = name
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
        return f"({', '.join(one_type(d, s) for d, s in zip(v.dtype, v.shape, strict=True))})"
    return one_type(v.dtype, v.shape)


def one_type(kind: dtype, shape: tuple[int, ...]) -> str:
    return f"{kind.name}[{', '.join(map(str, shape)) if shape else '()'}]"


def right_side(v: Value, names: dict[Value, str]) -> str:
    """What a value is computed by, as a call."""
    if v.kind == CONSTANT:
        return f"constant({_constant_text(v.data)})"
    if v.kind == PART:
        return f"{names[v.inputs[0]]}[{v.index}]"
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
