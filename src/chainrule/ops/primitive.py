"""The table of primitives: what an entry holds, and how an entry is called.

`primitive(...)` makes an entry and puts it into `TABLE`. An entry is data; calling it hands the op to the
current interpreter (`interpreter.run`), which evaluates it (`../eager.py`), or records it, or both.
This file knows nothing of Tensors, tapes or graphs. Next: `arithmetic.py` for entries, `rules.py` for the
shape and dtype rules they share.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core import dtypes
from . import batching, lowering
from .gradient import Rule, SavePlan, each
from .rules import DTypeRule

if TYPE_CHECKING:
    from ..tensor import Tensor

# Kinds: what other code may conclude about an op without knowing it.
ELEMENTWISE = "elementwise"  # out[i] depends on x[i], y[i], ... after broadcasting
REDUCTION = "reduction"  # one result per slice along some axes
SCAN = "scan"  # running results along an axis
VIEW = "view"  # the same elements seen under another shape; shares memory
MOVEMENT = "movement"  # elements copied to other places
CONTRACTION = "contraction"  # sums of products
DECOMPOSITION = "decomposition"  # matrix factorisations and solvers
RANDOM = "random"  # out[i] depends on the place in a random stream, and on i
KINDS = (ELEMENTWISE, REDUCTION, SCAN, VIEW, MOVEMENT, CONTRACTION, DECOMPOSITION, RANDOM)


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
USE_NUMPY = Word("USE_NUMPY")  # no native code: the compiler calls the NumPy rule
NOT_BATCHED = Word("NOT_BATCHED")  # its inputs cannot differ from row to row

Rules = tuple[Callable[..., Any] | None, ...]


class Sample(NamedTuple):
    """Inputs of one test call.

    smooth: whether second derivatives exist around them.
    within: what the first input must go through, for an op that is meant for some inputs only.
    """

    inputs: tuple[Callable[[np.random.Generator], np.ndarray[Any, Any]], ...]
    settings: dict[str, Any]
    smooth: bool
    within: Callable[[Any], Any] | None

    def arrays(self, rng: np.random.Generator) -> list[np.ndarray[Any, Any]]:
        """Fresh inputs; the same from an equal generator."""
        return [np.asarray(make(rng)) for make in self.inputs]

    def settings_for(self, arrays: Sequence[np.ndarray[Any, Any]]) -> dict[str, Any]:
        """The settings for these inputs: one that is a function of the first input is asked for its value."""
        return {name: v(arrays[0]) if callable(v) else v for name, v in self.settings.items()}


def sample(
    *inputs: Any, smooth: bool = True, within: Callable[[Any], Any] | None = None, **settings: Any
) -> Sample:
    """Sample inputs for the sweep: functions of a random generator that make an array (see `samples.py`)."""
    return Sample(inputs, settings, smooth, within)


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
    lower: Callable[..., Any] | lowering.Lowering | Word
    batch: batching.Rule | batching.Batching | Word
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

    def __call__(self, *xs: Any, **settings: Any) -> Tensor:
        return interpreter.run(self, xs, settings)  # type: ignore[no-any-return]

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

    def rows(self, size: int, xs: Sequence[Any], mapped: Sequence[bool], settings: dict[str, Any]) -> Any:
        """The results for `size` rows at once, along a first axis that the `mapped` inputs have, too.

        Inputs have the type that the op computes in. At least one is mapped, and the op is not NOT_BATCHED.
        """
        if isinstance(self.batch, batching.Batching):
            return self.batch.run(self, size, xs, mapped, settings)
        assert callable(self.batch)
        return self.batch(size, xs, mapped, settings)

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
    """Who runs primitives. `run` is set once, when the package is put together.

    trace: what records ops instead, for tensors without values; set by `../graph/tracer.py` when loaded.
    levels: what takes part in every op while a thread has levels; set by `../transforms/level.py`.
    """

    __slots__ = ("levels", "run", "trace")

    run: Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]
    trace: Any
    levels: Any


interpreter = Interpreter()


class Tracing(threading.local):
    """The tracer of this thread: while there is one, every op is recorded instead of run."""

    tracer: Any = None


tracing = Tracing()


class Levels(threading.local):
    """What takes part in every op of this thread, outermost first; see `../transforms/level.py`."""

    stack: tuple[Any, ...] = ()


levels = Levels()


@contextmanager
def untraced() -> Iterator[None]:
    """What happens inside is no part of a trace: ops run at once, and what they make comes from outside."""
    tracer, tracing.tracer = tracing.tracer, None
    try:
        yield
    finally:
        tracing.tracer = tracer


class Late:
    """A number that is known when a graph runs, not while it is made; see `../graph/number.py`."""

    __slots__ = ()


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
    lower: Callable[..., Any] | lowering.Lowering | Word,
    batch: batching.Rule | batching.Batching | Word,
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
    lower:      native code. For an elementwise op `lower(b, *xs, **settings)` writes the value of one element
                with the compiler's Emitter `b`; it may answer NotImplemented for types or numbers that it has
                nothing for. For others one of the rules of `lowering.py`. USE_NUMPY: there is none.
    batch:      many rows at once: one of the words of `batching.py`, or `rule(size, xs, mapped, settings)` ->
                all results along a first axis of `size` rows, where `mapped` says which of the inputs `xs`
                have that axis. For a view, the result is one. NOT_BATCHED: inputs cannot differ by row.
    vjp:        one rule per input (None: no gradient there), `each(rule)`, or NOT_DIFFERENTIABLE. A rule's
                parameters say what it reads: g first, then any of the input names, `out`, `<input>_shape`,
                settings, the name of the tail; with a tail also `i` (which input) and `shapes` (of all).
                There is no gradient to a tail, except with `each`.
    jvp:        DIAGONAL, LINEAR, MULTILINEAR, NOT_DIFFERENTIABLE, or
                `jvp(tangents, out, *inputs, **settings)` where a tangent may be None.
    d:          per input the derivative as text that is shown to people and evaluated by the sweep: for an
                elementwise op the factor ("1 / x"), for others the whole rule in terms of g ("g @ y.mT").
                A text may use the inputs, settings, `g`, `out`, `i`, `shapes`, functions of the package,
                entries of the table and the public helpers of the files that hold entries.
    why:        the name of the rule of calculus.
    samples:    inputs for the sweep: float64 where the op takes floats; a setting may be a function of the
                first input.
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
        lower=lower,
        batch=batch,
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
        takes=frozenset(d.numpy for d in dtypes.ALL if dtype.takes(d)) if dtype.first == 0 else frozenset(),
        restricted=not all(map(dtype.takes, dtypes.ALL)),
    )
    for problem in problems(entry):
        raise ValueError(f"primitive {name!r}: {problem}")
    TABLE[name] = entry
    return entry


def problems(op: Primitive) -> Iterator[str]:
    """What is forgotten or contradictory in an entry. The sweep finds out whether what it says is true."""
    if op.name in TABLE:
        yield "it is already in the table"
    if op.kind not in KINDS:
        yield f"kind {op.kind!r} is none of {', '.join(KINDS)}"
    for field_name in ("formula", "why"):
        if not getattr(op, field_name):
            yield f"{field_name} is empty"
    if not (callable(op.lower) or isinstance(op.lower, lowering.Lowering) or op.lower is USE_NUMPY):
        yield f"lower is {op.lower!r}, neither a rule nor USE_NUMPY"
    if not (callable(op.batch) or isinstance(op.batch, batching.Batching) or op.batch is NOT_BATCHED):
        yield f"batch is {op.batch!r}, neither a rule nor NOT_BATCHED"
    if op.kind == VIEW and not isinstance(op.batch, batching.Viewed):
        yield "batch of a view must be Viewed(...)"
    if not op.samples:
        yield "there are no samples, so nothing would test it"
    least = len(op.inputs)
    for i, given in enumerate(op.samples):
        if len(given.inputs) < max(least, 1) or (len(given.inputs) > least and not op.tail):
            yield f"sample {i} has {len(given.inputs)} arrays for {least} inputs"
    if (op.jvp is NOT_DIFFERENTIABLE) == op.differentiable:
        yield "vjp and jvp disagree about whether there is a derivative"
    if not op.differentiable:
        if op.d:
            yield "d is given, but there is no derivative"
        return
    if op.outputs != 1:
        yield "an op with several outputs cannot be differentiable"
    if op.jvp is DIAGONAL and op.kind != ELEMENTWISE:
        yield "jvp=DIAGONAL is for elementwise ops"
    rules: Sequence[Rule | None] = (op.vjp_each,) if op.vjp_each else op.vjp  # type: ignore[assignment]
    if not op.vjp_each and len(rules) != least:
        yield f"{least} inputs, {len(rules)} gradient rules"
    elif len(op.d) != len(rules):
        yield f"{len(rules)} gradient rules, {len(op.d)} texts in d"
    for i, (rule, text) in enumerate(zip(rules, op.d, strict=False)):
        if (rule is None) == bool(text):
            have = "no" if rule is None else "a"
            yield f"d[{i}] is {text!r}, but there is {have} gradient rule for that input"
    for rule in rules:
        for _, setting in (source for source in (rule.sources if rule else ()) if source[0] == "setting"):
            if any(setting not in given.settings for given in op.samples):
                yield f"a gradient rule reads {setting!r}, which is no input, and no setting of every sample"
