"""What is printed of a step: the value, the local derivatives and the rule, as formulas in the user's names.

All of it comes from the op's entry: `formula`, `d`, `jvp` and `why`, with names put in for its inputs. A
formula that leaves something out (`sum(x)`, but along which axis?) is written as a call with the op's
settings. Every formula can be evaluated with `words()` and the values under their names, and gives what was
computed. Next: `forward.py` and `reverse.py`, which put these together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY
from ..nn.functional import one_hot
from ..ops.primitive import TABLE, VIEW
from .compounds import outer
from .formula import Formula, vocabulary
from .formula import tree as t
from .formula.vocabulary import lifted
from .steps import STILL, Step, Value
from .wording import along, key_of, limits, literal, readable


def named(x: Any) -> Formula:
    """An operand in a formula: its name, or the number that it is."""
    if not isinstance(x, Value):
        return Formula.number(int(x) if isinstance(x, float) and x.is_integer() and abs(x) < 1e9 else x)
    if x.inside and x.data is not None and x.shape == () and x.step is None:
        return Formula.number(x.data.item())
    if x.kind == STILL:
        return Formula(t.Call("zeros_like", (t.Name(x.name),)))
    return Formula.name(x.name)


def value_formula(step: Step) -> Formula:
    """What the step computes: `a - y`, `sum(b, dim=0)`, `x.mT @ g`."""
    op, settings = step.op, step.settings
    short = _short_form(step)
    if short is not None:
        return short
    formula = Formula.parse(op.formula)
    given = _given(step)
    left_out = {n: v for n, v in settings.items() if n not in formula.names and not _says_nothing(n, v, step)}
    known = set(given) | set(settings)
    if set(formula.names) <= known and not left_out:
        return limits(formula.substitute(given | {n: literal(v) for n, v in settings.items()}))
    arguments = tuple(named(x).tree for x in step.operands)
    return Formula(t.Call(op.name, arguments, tuple((n, literal(v).tree) for n, v in left_out.items())))


def _given(step: Step) -> dict[str, Formula]:
    """What the names of the op's inputs stand for."""
    op = step.op
    given = {name: named(x) for name, x in zip(op.inputs, step.operands, strict=False)}
    if op.tail:
        rest = tuple(named(x).tree for x in step.operands[len(op.inputs) :])
        given[op.tail] = Formula(rest[0] if len(rest) == 1 else t.Group(rest))
    return given


def _says_nothing(name: str, value: Any, step: Step) -> bool:
    """Whether a setting is what one takes for granted: all axes, none of them kept."""
    if name == "keepdim":
        return not value
    if name == "dim" and isinstance(value, tuple):
        return len(value) == len(step.shapes[0]) and not step.settings.get("keepdim")
    if name == "dims" and step.op.tail:
        return tuple(value) == tuple(range(len(step.operands) - 1))  # x[i, j]
    return False


def _short_form(step: Step) -> Formula | None:
    """The signs that people use: x.mT for axes changed, x[0, :] for a part, x[1] with ... for a write."""
    op, settings = step.op, step.settings
    if op.kind is VIEW:
        dims = settings.get("dims")
        if dims is not None:
            n = len(dims)
            if n >= 2 and tuple(dims) == (*range(n - 2), n - 1, n - 2):
                return Formula(t.Attribute(named(step.operands[0]).tree, "T" if n == 2 else "mT"))
        if "key" in settings:
            return Formula(t.Index(named(step.operands[0]).tree, key_of(settings["key"])))
    if "steps" in settings and len(step.operands) == 2:
        return _written(step)
    if "to" in settings:
        x = named(step.operands[0]).tree
        return Formula(t.Call("to", (t.Name(FROM_NUMPY[step.out.data.dtype].name),), of=x))  # type: ignore[union-attr]
    return None


def _written(step: Step) -> Formula | None:
    """`x with x[0] = y`."""
    x, y = named(step.operands[0]).tree, named(step.operands[1]).tree
    steps = literal(step.settings["steps"]).tree
    assert isinstance(steps, t.Group)
    place = along(x, steps.items) if steps.items else t.Index(x, t.Name("..."))
    return Formula(t.Altered(x, place, "=", y))


def derivative(step: Step, i: int, g: Formula) -> Formula:
    """What operand i gets of the adjoint g of the result, before broadcasting is undone."""
    op = step.op
    text = op.d[0] if op.vjp_each else op.d[i]
    assert text is not None
    d = Formula.parse(text)
    filled = _filled(d, step, i, g)
    return (g * filled).tidy() if op.kind == "elementwise" else filled.tidy()


def factor(step: Step, i: int) -> Formula | None:
    """The local derivative ∂out/∂operand of an elementwise op; None for others."""
    text = step.op.d[i] if step.op.kind == "elementwise" else None
    return None if text is None else _filled(Formula.parse(text), step, i, Formula.name("g")).tidy()


def _filled(d: Formula, step: Step, i: int, g: Formula) -> Formula:
    settings = {n: literal(v) for n, v in step.settings.items() if n in d.names}
    if step.op.tail:
        settings |= {"i": Formula.number(i), "shapes": literal(tuple(step.shapes))}
    d = _plain(d.substitute(settings), step)
    if not _leaves_out(step):
        d = _plain(readable(d, step.out.shape), step)
    return _pointed(d.substitute(_given(step) | {"g": g, "out": Formula.name(step.out.name)}))


def _leaves_out(step: Step) -> bool:
    """Whether some rows do not count, as in cross-entropy; then plain words would be too plain."""
    ignored = step.settings.get("ignore")
    kept = [v.data for v in step.values if v.data is not None and v.data.dtype.kind in "iu"]
    return ignored is not None and any(bool((a == ignored).any()) for a in kept)


def _plain(d: Formula, step: Step) -> Formula:
    """The formula with `x.shape` written out, and without `rows(x)` where x has rows."""
    sizes = dict(zip(step.op.inputs, step.shapes, strict=False)) | {
        "g": step.out.shape,
        "out": step.out.shape,
    }

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Attribute) and node.name == "shape" and isinstance(node.of, t.Name):
            shape = sizes.get(node.of.name)
            if shape is not None:
                return literal(shape).tree
        if isinstance(node, t.Attribute) and node.name == "mT" and isinstance(node.of, t.Name):
            return t.Attribute(node.of, "T") if len(sizes.get(node.of.name, ())) == 2 else node
        if isinstance(node, t.Call) and node.function == "rows" and len(node.arguments) == 1:
            (x,) = node.arguments
            if isinstance(x, t.Name) and len(sizes.get(x.name, ())) == 2:
                return x
        node = t.rebuilt(node, change)
        if isinstance(node, t.Index) and isinstance(node.of, t.Group) and isinstance(node.key, t.Constant):
            return node.of.items[int(node.key.value or 0)]  # (3, 4)[0]
        return node

    return Formula(change(d.tree))


def _pointed(formula: Formula) -> Formula:
    """Names such as ∂f/∂x in brackets where a point or an index follows."""

    def change(node: t.Node) -> t.Node:
        node = t.rebuilt(node, change)
        of = getattr(node, "of", None)
        if isinstance(of, t.Name) and "/" in of.name and not isinstance(node, t.Altered):
            return replace(node, of=t.Name(f"({of.name})"))  # type: ignore[call-arg]
        return node

    return Formula(change(formula.tree))


# -- evaluating what is printed ---------------------------------------------------------------------------


@functools.cache
def words() -> MappingProxyType[str, Any]:
    """The functions that printed formulas use.

    A word of the table (`sum`, with all its settings) and the package's function of that name, which leaves
    some out, both stand under the name; the settings of a call say which is meant.
    """
    import chainrule  # the user's names; loaded long before anybody asks for a formula's value

    found: dict[str, Any] = dict(vocabulary())
    for name, op in TABLE.items():
        function = getattr(chainrule, name, None)
        if callable(function):
            found[name] = _either(found[name], function, frozenset(op.samples[0].settings))
    found["max"], found["min"] = (
        _larger(found["maximum"], found["max"]),
        _larger(found["minimum"], found["min"]),
    )
    for kind in dtypes.ALL:
        found[kind.name] = kind
    # In double precision: a single number in double precision times float32 would be float32.
    found["ones"] = lambda shape: wrap(np.ones(shape))
    found["expand"] = lifted(found["expand"])
    found |= {"one_hot": one_hot, "outer": outer, "I": 1.0}
    return MappingProxyType(found)


def _either(entry: Callable[..., Any], function: Callable[..., Any], settings: frozenset[str]) -> Any:
    def call(*arguments: Any, **given: Any) -> Any:
        whole = settings <= set(given) and not any(isinstance(a, tuple) for a in arguments)
        return (entry if whole else function)(*arguments, **given)

    return call


def _larger(of_two: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """`max(x, 0)` in a formula is the larger of two, `max(x)` that of all."""
    return lambda *xs, **given: (of_two if len(xs) == 2 and not given else function)(*xs, **given)


def evaluate(formula: Formula, values: Mapping[str, Any]) -> Any:
    """The value of a printed formula, with tensors (or numbers) under their names."""
    space = {**words(), **values}
    return Formula(_without_writes(formula.tree, space)).evaluate(space)


def _without_writes(node: t.Node, space: dict[str, Any]) -> t.Node:
    """The formula with `x with x[0] = y` computed, each under a name of its own."""
    if not isinstance(node, t.Altered):
        return t.rebuilt(node, lambda part: _without_writes(part, space))
    value = Formula(_without_writes(node.value, space)).evaluate(space)
    out = Formula(_without_writes(node.of, space)).evaluate(space).clone()
    name = f"written {len(space)}"
    space[name] = out

    bracketed = t.Name(f"({node.of.name})") if isinstance(node.of, t.Name) else None

    def change(part: t.Node) -> t.Node:
        return t.Name(name) if part in (node.of, bracketed) else t.rebuilt(part, change)

    place = Formula(change(node.place)).evaluate(space)  # a view of `out`
    place._a[...] = value._a if isinstance(value, TensorBase) else value
    return t.Name(name)
