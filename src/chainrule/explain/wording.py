"""Formulas of gradients in the words that people use, where the table uses helpers of its own.

`spread(g, (3,), (0,), False)` is g·ones((3,)); the gradient of an expanded tensor is a sum; what
cross-entropy hands back is softmax minus 1 at the class. Each of these says the same as the helper, number
for number, which the tests check by evaluating both. Next: `phrases.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..core import dtypes
from ..ops.primitive import Primitive
from .formula import Formula
from .formula import tree as t


def reduced(term: Formula, have: tuple[int, ...], shape: tuple[int, ...]) -> Formula:
    """A term summed over the axes along which an operand was broadcast."""
    if have == shape:
        return term
    extra = len(have) - len(shape)
    leading = tuple(range(extra))
    kept = tuple(i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1)
    if extra and not kept and not shape:
        return Formula(t.Call("sum", (term.tree,)))
    if kept and not extra:
        dim = literal(kept[0] if len(kept) == 1 else kept).tree
        settings = (("dim", dim), ("keepdim", literal(True).tree))
        return Formula(t.Call("sum", (term.tree,), settings))
    if not kept:
        return Formula(t.Call("sum", (term.tree,), (("dim", literal(leading if extra > 1 else 0).tree),)))
    summed = t.Call("sum", (term.tree,), (("dim", literal(leading + kept).tree),))
    return Formula(t.Call("reshape", (summed, literal(shape).tree)))


def literal(x: Any) -> Formula:
    """A setting in a formula."""
    return Formula(_node(x))


def _node(x: Any) -> t.Node:
    if isinstance(x, Formula):
        return x.tree
    if isinstance(x, np.generic):
        x = x.item()
    if x is None or isinstance(x, bool | int | float):
        return t.number(x)
    if x is Ellipsis:
        return t.Name("...")
    if isinstance(x, slice):
        return t.Slice(*(None if end is None else _node(end) for end in (x.start, x.stop, x.step)))
    if isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], Primitive):
        return _step(*x)
    if isinstance(x, list | tuple):
        return t.Group(tuple(_node(item) for item in x), "[" if isinstance(x, list) else "(")
    if isinstance(x, dtypes.dtype):
        return t.Name(x.name)
    name = getattr(x, "name", None)
    return t.Name(name if isinstance(name, str) else str(x))


def _step(op: Primitive, settings: dict[str, Any]) -> t.Node:
    """One step to a view, of "..."."""
    if set(settings) == {"key"}:
        return t.Index(t.Name("..."), key_of(settings["key"]))
    return t.Call(op.name, (t.Name("..."),), tuple((name, _node(x)) for name, x in settings.items()))


def key_of(key: tuple[Any, ...]) -> t.Node:
    """An index as one writes it: x[1], x[0, :]."""
    return _node(key[0] if len(key) == 1 else key)


# -- words ------------------------------------------------------------------------------------------------


def readable(formula: Formula, out: tuple[int, ...]) -> Formula:
    """The formula with helpers said in plain words; `out` is the shape of the step's result."""

    def change(node: t.Node) -> t.Node:
        node = t.rebuilt(node, change)
        if isinstance(node, t.Call) and node.function in _WORDS and node.of is None:
            return _WORDS[node.function](node, out) or node
        return node

    return Formula(change(formula.tree))


def limits(formula: Formula) -> Formula:
    """The formula without limits that are None: min(max(x, 0), None) is max(x, 0)."""

    def change(node: t.Node) -> t.Node:
        node = t.rebuilt(node, change)
        if isinstance(node, t.Call) and node.function in ("max", "min") and len(node.arguments) == 2:
            given = [x for x in node.arguments if x != t.Constant(None)]
            return given[0] if len(given) == 1 else node
        return node

    return Formula(change(formula.tree))


def _spread(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """spread(g, shape, dim, keepdim): g for each element that was summed."""
    if len(node.arguments) != 4:
        return None
    g, shape, dim, keepdim = node.arguments
    dims = _numbers(dim)
    if not isinstance(shape, t.Group) or dims is None:
        return None
    if keepdim != t.Constant(True) and len(dims) != len(shape.items):
        if len(dims) != 1:
            return None
        g = t.Call("unsqueeze", (g, t.Constant(dims[0])))
    return t.Binary("*", g, t.Call("ones", (shape,)))


def _reduce_to(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """reduce_to(g, shape): g summed over the copies."""
    shape = _numbers(node.arguments[1]) if len(node.arguments) == 2 else None
    return None if shape is None else reduced(Formula(node.arguments[0]), out, shape).tree


def _softmax_minus_one(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """times_minus_one_at(g, x, target, ignore): g (softmax(x) - 1 at the target)."""
    if len(node.arguments) != 4:
        return None
    g, x, target, _ = node.arguments
    softmax = t.Call("softmax", (x,), (("dim", t.Constant(1)),))
    chosen = t.Call("one_hot", (target, t.Index(t.Attribute(x, "shape"), t.Constant(1))))
    return t.Binary("*", g, t.Binary("-", softmax, chosen))


def _permute(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """permute(g, dims=inverse(dims)) that changes the last two axes: g transposed."""
    dims = dict(node.settings).get("dims")
    if isinstance(dims, t.Call) and dims.function == "inverse" and len(dims.arguments) == 1:
        (dims,) = dims.arguments
    places = None if dims is None else _numbers(dims)
    if places is None or len(node.arguments) != 1:
        return None
    n = len(places)
    if n < 2 or places != (*range(n - 2), n - 1, n - 2):
        return None
    return t.Attribute(node.arguments[0], "T" if n == 2 else "mT")


def _follow(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """follow(g, steps): the part of g that was written."""
    if len(node.arguments) != 2 or not isinstance(node.arguments[1], t.Group):
        return None
    return along(node.arguments[0], node.arguments[1].items)


def _overwrite(node: t.Call, out: tuple[int, ...]) -> t.Node | None:
    """overwrite(g, zeros, steps): g with 0 where something was written."""
    steps = dict(node.settings).get("steps")
    zeros = node.arguments[1] if len(node.arguments) == 2 else None
    if not isinstance(steps, t.Group) or not isinstance(zeros, t.Call) or zeros.function != "zeros_like":
        return None
    g = node.arguments[0]
    place = along(g, steps.items) if steps.items else t.Index(g, t.Name("..."))
    return t.Altered(g, place, "=", t.Constant(0))


def along(x: t.Node, steps: Sequence[t.Node]) -> t.Node:
    """The view of x that the steps lead to; in a step `...` stands for what it is taken of."""
    for step in steps:
        if isinstance(step, t.Index | t.Attribute):
            x = replace(step, of=x)
        elif isinstance(step, t.Call):
            call = replace(step, arguments=(x, *step.arguments[1:]))
            x = (_permute(call, ()) if call.function == "permute" else None) or call
    return x


_WORDS: Final[dict[str, Callable[[t.Call, tuple[int, ...]], t.Node | None]]] = {
    "spread": _spread,
    "reduce_to": _reduce_to,
    "times_minus_one_at": _softmax_minus_one,
    "follow": _follow,
    "permute": _permute,
    "overwrite": _overwrite,
}


def _numbers(node: t.Node) -> tuple[int, ...] | None:
    if not isinstance(node, t.Group):
        return None
    found = [t.value_of(item) for item in node.items]
    return tuple(int(n) for n in found if n is not None) if None not in found else None
