"""Gradient rules: a function per input whose parameters say what it reads, and so what must be kept.

`Rule` resolves the parameters of one function, once; `SavePlan` adds up what several rules read. Nothing here
knows Tensors. Next: `primitive.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class each(NamedTuple):
    """The gradient rule of an op with any number of inputs: one function that is told which (`i`)."""

    rule: Callable[..., Any]


class Rule:
    """A gradient rule with its parameters resolved: what it reads is what must be kept.

    sources: per parameter after `g`, a pair of what it is and which: ("input", i), ("tail", first),
    ("shape", i), ("shapes", 0), ("out", 0), ("index", 0) or ("setting", name).
    """

    __slots__ = ("call", "function", "inputs", "needs_out", "shapes", "sources", "tail")

    def __init__(self, function: Callable[..., Any], names: Sequence[str], tail: str, owner: str) -> None:
        code = function.__code__
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if not parameters or parameters[0] != "g":
            raise TypeError(
                f"primitive {owner!r}: a gradient rule's first parameter is g, not {parameters[:1]}"
            )
        sources: list[tuple[str, Any]] = []
        for p in parameters[1:]:
            if p == "out":
                sources.append(("out", 0))
            elif p == "i" and tail:
                sources.append(("index", 0))
            elif p == tail:
                sources.append(("tail", len(names)))
            elif p in names:
                sources.append(("input", names.index(p)))
            elif p.endswith("_shape") and p.removesuffix("_shape") in names:
                sources.append(("shape", names.index(p.removesuffix("_shape"))))
            elif p == "shapes" and tail:
                sources.append(("shapes", 0))
            else:
                sources.append(("setting", p))
        self.function = function
        self.sources = tuple(sources)
        self.inputs = tuple(key for kind, key in sources if kind == "input")
        self.shapes = any(kind in ("shape", "shapes") for kind, _ in sources)
        self.needs_out = ("out", 0) in sources
        self.tail = ("tail", len(names)) in sources
        self.call = self._caller()

    def _caller(self) -> Callable[..., Any]:
        """`call(g, inputs, shapes, out, settings, index)`; short cuts for what most rules read."""
        function = self.function
        if not self.sources:
            return lambda g, inputs, shapes, out, settings, index: function(g)
        if self.sources == (("out", 0),):
            return lambda g, inputs, shapes, out, settings, index: function(g, out)
        if len(self.sources) == 1 and self.inputs:
            (i,) = self.inputs
            return lambda g, inputs, shapes, out, settings, index: function(g, inputs[i])
        if len(self.sources) == len(self.inputs) == 2:
            i, j = self.inputs
            return lambda g, inputs, shapes, out, settings, index: function(g, inputs[i], inputs[j])
        getters = [_GETTERS[kind](key) for kind, key in self.sources]
        return lambda *given: function(given[0], *[get(*given) for get in getters])


# What a rule's parameter is read from, given (g, inputs, shapes, out, settings, index).
_GETTERS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "input": lambda i: lambda g, inputs, shapes, out, settings, index: inputs[i],
    "tail": lambda i: lambda g, inputs, shapes, out, settings, index: tuple(inputs[i:]),
    "shape": lambda i: lambda g, inputs, shapes, out, settings, index: shapes[i],
    "shapes": lambda _: lambda g, inputs, shapes, out, settings, index: shapes,
    "out": lambda _: lambda g, inputs, shapes, out, settings, index: out,
    "setting": lambda name: lambda g, inputs, shapes, out, settings, index: settings[name],
    "index": lambda _: lambda g, inputs, shapes, out, settings, index: index,
}


class SavePlan(NamedTuple):
    """What backward needs when the inputs in a mask want a gradient."""

    inputs: tuple[int, ...]
    tail: bool
    out: bool
    shapes: bool
    blank: bool  # no input is kept
