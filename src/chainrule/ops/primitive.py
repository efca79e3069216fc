"""The table of primitives: what an entry holds, and how an entry is called.

`primitive(...)` makes an entry and puts it into `TABLE`. An entry is data; calling it hands the op to the
current interpreter (`interpreter.run`), which evaluates it (`../eager.py`), or records it, or both.
This file knows nothing of Tensors, tapes or graphs. Next: `arithmetic.py` for entries, `rules.py` for the
shape and dtype rules they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..core import dtypes
from .rules import DTypeRule

# Kinds: what other code may conclude about an op without knowing it.
ELEMENTWISE = "elementwise"  # out[i] depends on x[i], y[i], ... after broadcasting
REDUCTION = "reduction"  # one result per slice along some axes
SCAN = "scan"  # running results along an axis
VIEW = "view"  # the same elements seen under another shape; shares memory
MOVEMENT = "movement"  # elements copied to other places
CONTRACTION = "contraction"  # sums of products
DECOMPOSITION = "decomposition"  # matrix factorisations and solvers


class Word:
    """A rule that is said by name instead of by a function."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


NOT_DIFFERENTIABLE = Word("NOT_DIFFERENTIABLE")  # no gradient exists or none is given: results are constants
DIAGONAL = Word("DIAGONAL")  # jvp of an elementwise op: its vjp rules, applied to the tangents
LINEAR = Word("LINEAR")  # jvp of an op linear in all its inputs together: the op of the tangents
MULTILINEAR = Word("MULTILINEAR")  # jvp of an op linear in each input: one term per input

Rules = tuple[Callable[..., Any] | None, ...]


class each(NamedTuple):
    """The gradient rule of an op with any number of inputs: one function that is told which (`i`)."""

    rule: Callable[..., Any]


class Sample(NamedTuple):
    """Inputs of one test call. `smooth` says whether second derivatives exist around them."""

    inputs: tuple[Any, ...]
    settings: dict[str, Any]
    smooth: bool


def sample(*inputs: Any, smooth: bool = True, **settings: Any) -> Sample:
    """Sample inputs for the sweep: arrays or functions of a generator making one (see `samples.py`)."""
    return Sample(inputs, settings, smooth)


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


@dataclass(eq=False, slots=True)
class Primitive:
    """One op with everything the framework knows about it. See `primitive` for the fields."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    tail: str
    formula: str
    shape: Callable[..., Any]
    dtype: DTypeRule
    numpy: Callable[..., Any]
    vjp: tuple[Rule | None, ...] | Word
    vjp_each: Rule | None
    jvp: Callable[..., Any] | Word
    d: tuple[str | None, ...]
    why: str
    samples: tuple[Sample, ...]
    broadcasts: bool
    outputs: int
    writes_out: bool
    grad_name: str
    ties: str
    strict: bool
    differentiable: bool
    takes: frozenset[np.dtype[Any]]
    restricted: bool
    plans: dict[int, SavePlan] = field(default_factory=dict)

    def __call__(self, *xs: Any, **settings: Any) -> Any:
        return interpreter.run(self, xs, settings)

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.formula}>"

    def rule_for(self, i: int) -> Rule | None:
        """The gradient rule for input i; None where no gradient flows."""
        if self.vjp_each is not None:
            return self.vjp_each
        assert not isinstance(self.vjp, Word)
        return self.vjp[i] if i < len(self.vjp) else None

    def input_name(self, i: int) -> str:
        """How the i-th array input is called."""
        return self.inputs[i] if i < len(self.inputs) else f"{self.tail}[{i - len(self.inputs)}]"

    def plan(self, mask: int, count: int) -> SavePlan:
        """What to keep, if the inputs whose bits are set in `mask` want a gradient."""
        plan = self.plans.get(mask)
        if plan is None:
            rules = [r for i in range(count) if mask >> i & 1 and (r := self.rule_for(i)) is not None]
            plan = SavePlan(
                tuple(sorted({i for r in rules for i in r.inputs})),
                any(r.tail for r in rules),
                any(r.needs_out for r in rules),
                any(r.shapes for r in rules),
                not any(r.inputs or r.tail for r in rules),
            )
            if len(self.plans) < 1024:  # masks of long lists of inputs are too many to keep
                self.plans[mask] = plan
        return plan


class Interpreter:
    """Who runs primitives. `run` is replaced once, when the package is put together."""

    __slots__ = ("run",)

    run: Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]


interpreter = Interpreter()

TABLE: dict[str, Primitive] = {}


def primitive(
    name: str,
    *,
    kind: str,
    inputs: str = "x",
    formula: str,
    shape: Callable[..., Any],
    dtype: DTypeRule,
    numpy: Callable[..., Any],
    vjp: Rules | each | Word,
    jvp: Callable[..., Any] | Word,
    d: str | tuple[str | None, ...] = (),
    why: str,
    samples: Sequence[Sample],
    broadcasts: bool = False,
    outputs: int = 1,
    grad_name: str = "",
    ties: str = "",
    strict: bool = False,
) -> Primitive:
    """Put one op into the table.

    kind:       one of the kinds above.
    inputs:     names of the array inputs, separated by blanks; the last may be "*xs": any number more.
    formula:    the value as people write it; also how error messages name the op.
    shape:      `shape(*input shapes, **settings)` -> output shape; raises the errors that teach.
    dtype:      what the inputs are converted to and what comes out (`rules.py`).
    numpy:      `numpy(*arrays, **settings)` -> array; may take `out=` to write into.
    vjp:        one rule per input (None: no gradient there), `each(rule)`, or NOT_DIFFERENTIABLE. A rule's
                parameters say what it reads: g first, then any of the input names, `out`, `<input>_shape`,
                settings, the name of the tail; with a tail also `i` (which input) and `shapes` (of all).
                There is no gradient to a tail, except with `each`.
    jvp:        DIAGONAL, LINEAR, MULTILINEAR, NOT_DIFFERENTIABLE, or
                `jvp(tangents, out, *inputs, **settings)` where a tangent may be None.
    d:          per input the derivative as text that is shown to people and evaluated by the sweep: for an
                elementwise op the factor ("1 / x"), for others the whole rule in terms of g ("g @ y.mT").
    why:        the name of the rule of calculus.
    samples:    inputs for the sweep.
    broadcasts: inputs are broadcast against each other; the machinery sums the gradients back.
    ties:       where the derivative is a convention: which one.
    strict:     the NumPy rule refuses whatever the shape rule refuses, so that the eager interpreter needs
                the shape rule for its error message only.
    """
    names = tuple(n for n in inputs.split() if not n.startswith("*"))
    tail = inputs.partition("*")[2]
    rules: tuple[Rule | None, ...] | Word = ()
    rule_each = None
    if isinstance(vjp, Word):
        rules = vjp
    elif isinstance(vjp, each):
        rule_each = Rule(vjp.rule, names, tail, name)
    else:
        rules = tuple(None if r is None else Rule(r, names, tail, name) for r in vjp)
        if len(rules) != len(names):
            raise TypeError(f"primitive {name!r}: {len(names)} inputs, {len(rules)} gradient rules")
    if name in TABLE:
        raise ValueError(f"primitive {name!r} is already in the table")
    if outputs != 1 and rules is not NOT_DIFFERENTIABLE:
        raise ValueError(f"primitive {name!r}: an op with several outputs cannot be differentiable")
    code = getattr(numpy, "__code__", None)
    is_ufunc = isinstance(numpy, np.ufunc)
    writes_out = is_ufunc or (
        code is not None and "out" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    )
    entry = Primitive(
        name=name,
        kind=kind,
        inputs=names,
        tail=tail,
        formula=formula,
        shape=shape,
        dtype=dtype,
        numpy=numpy,
        vjp=rules,
        vjp_each=rule_each,
        jvp=jvp,
        d=(d,) if isinstance(d, str) else d,
        why=why,
        samples=tuple(samples),
        broadcasts=broadcasts or (kind == ELEMENTWISE),
        outputs=outputs,
        writes_out=writes_out,
        grad_name=grad_name or "".join(part.capitalize() for part in name.split("_")) + "Backward0",
        ties=ties,
        strict=strict or is_ufunc,
        differentiable=rules is not NOT_DIFFERENTIABLE,
        takes=frozenset(
            d.numpy
            for d in dtypes.ALL
            if d.category in dtype.accepts and (d.category == dtypes.FLOAT or not dtype.floating)
        )
        if dtype.first == 0
        else frozenset(),
        restricted=len(dtype.accepts) != 3,
    )
    TABLE[name] = entry
    return entry
