"""Which values of a graph are stored, and what each of them reads. No LLVM here.

A *root* is a value that is stored (or folded) at the points of its domain; what it is made of is computed
where it is read, unless that is stored too. Stored are: results of the graph and what it writes; folds,
products, and what NumPy computes; what a product, a gather or NumPy reads; and what would otherwise be
computed several times at a cost. Next: `plan.py`, which puts roots into kernels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

from ...core.shapes import Shape
from ...graph.graph import Graph
from ...graph.values import CONSTANT, PART, Value, op_value
from .access import (
    NotStrided,
    Place,
    Step,
    Steps,
    broadcast_step,
    row_major,
    strided,
)
from .forms import (
    DRAW,
    EPOCH,
    FOLD,
    MEMORY,
    NUMBER,
    NUMPY,
    PIECES,
    POINT,
    PRODUCT,
    PULL,
    SHUFFLE,
    VIEW,
    rule_of,
    weight,
)

WHOLE: Final = (PRODUCT, DRAW, SHUFFLE, NUMPY, EPOCH)  # forms that are computed by kernels of their own
OWN: Final = (*WHOLE, FOLD, PIECES)  # forms that are always stored
DEEPEST: Final = 40  # values computed one within the other before one is stored: longer code is no faster
CHEAP: Final = 4  # instructions that are rather written twice than stored and read again


@dataclass(eq=False, slots=True)
class Read:
    """One way in which a root reads memory: `place` over its domain; `reach` elements further at most."""

    leaf: Value
    place: Place
    reach: int = 0
    whole: bool = False  # by something that reads in an order of its own: a product, NumPy


@dataclass(eq=False, slots=True)
class Root:
    """One value that is stored.

    source: what is evaluated at each point of `domain`: the value itself, a fold's input, a piece of it.
    dims:   the axes of the domain that are folded.
    target: where the result of a point goes in the value's memory (strides 0 along `dims`).
    """

    value: Value
    form: str
    source: Value | None
    domain: Shape
    dims: tuple[int, ...]
    target: Place
    reads: list[Read] = field(default_factory=list)
    indices: list[Place] = field(default_factory=list)  # of places that rules compute with

    @property
    def most_rows(self) -> int:
        """How many leading axes of the domain may be rows: those before the first folded one; at least 1."""
        if not self.dims:
            return len(self.domain)
        return self.dims[0] or 1

    @property
    def crosses_rows(self) -> bool:
        """Whether its fold runs over the first axis: the result is there when all rows are done."""
        return bool(self.dims) and self.dims[0] == 0

    @property
    def is_total(self) -> bool:
        return len(self.dims) == len(self.domain) > 0


def through_views(v: Value, forms: dict[Value, str], stored: set[Value]) -> tuple[Value, Steps]:
    """The first value under a chain of views that is no view (or is stored), and the steps back up."""
    steps: Steps = ()
    while forms[v] == VIEW and v not in stored:
        x = v.inputs[0]
        steps = (Step(x, v), *steps)
        v = x
    return v, steps


def in_order(x: Value, forms: dict[Value, str], stored: set[Value]) -> tuple[Value, int] | None:
    """Memory that holds x as it is, row by row, and where it begins there, in elements; None if none does."""
    base, steps = through_views(x, forms, stored)
    if not steps:
        return base, 0
    if 0 in base.shape or (forms[base] != MEMORY and base not in stored):
        return None
    try:
        offset, strides = strided(base.shape, steps)
    except NotStrided:
        return None
    rows = tuple(0 if n == 1 else s for n, s in zip(x.shape, row_major(x.shape), strict=True))
    return (base, offset) if strides == rows else None


class Walker:
    """Walks from each root down to memory, noting what is read and what is computed on the way."""

    def __init__(self, graph: Graph, forms: dict[Value, str]) -> None:
        self.graph = graph
        self.forms = forms
        self.stored: set[Value] = {*graph.outputs, *(v for _, v in graph.writes)}
        self.stored |= {v for v in graph.values if forms[v] in OWN}
        self._store_the_deepest()
        self._costs: dict[Value, int] = {}
        self._uses: dict[Value, list[tuple[Root, Steps]]] = {}

    def _store_the_deepest(self) -> None:
        """Cut long chains of values into pieces."""
        depth: dict[Value, int] = {}
        for v in self.graph.values:
            if self.forms[v] in (POINT, VIEW, PULL) and v not in self.stored:
                depth[v] = 1 + max((depth.get(x, 0) for x in v.operands), default=0)
                if depth[v] > DEEPEST and self.forms[v] == POINT:
                    self.stored.add(v)
                    depth[v] = 0

    def roots(self) -> list[Root]:
        """All roots in order, with their reads; stores more values until all of them can be read."""
        while True:
            known = len(self.stored)
            try:
                self._uses = defaultdict(list)
                found = []
                for v in self.graph.values:
                    if v in self.stored and v.kind not in (CONSTANT, PART):
                        for root in self._roots_of(v):
                            self._walk(root)
                            found.append(root)
                if len(self.stored) == known:
                    return found
            except NotStrided as err:
                missing = err.value
                assert missing not in self.stored, missing
                self.stored.add(missing)

    def _roots_of(self, v: Value) -> Iterable[Root]:
        form = self.forms[v]
        own = (
            (0, row_major(v.shape)) if isinstance(v.shape, tuple) and form not in (NUMPY, EPOCH) else (0, ())
        )
        if form == FOLD:
            x = v.inputs[0]
            dim = v.settings["dim"]
            dims = dim if isinstance(dim, tuple) else (dim,) if x.shape else ()
            return [Root(v, form, x, x.shape, dims, (0, _kept_strides(x.shape, dims)))]
        if form == PIECES:
            pieces = []
            for i, steps in rule_of(v).rule(*(x.shape for x in v.inputs), **v.settings):
                x = v.inputs[i]
                chain: Steps = ()
                target = v
                for op, settings in steps:
                    step = op_value(op, (target,), settings, v.dtype)
                    chain = (*chain, Step(target, step))
                    target = step
                place = strided(v.shape, chain) if 0 not in v.shape else (0, (0,) * len(x.shape))
                pieces.append(Root(v, form, x, x.shape, (), place))
            return pieces
        if form in WHOLE:
            domain = v.shape if form in (PRODUCT, DRAW, SHUFFLE) else ()
            return [Root(v, form, None, domain, (), own)]
        return [Root(v, POINT, v, v.shape, (), own)]

    def _walk(self, root: Root) -> None:
        seen: set[Any] = set()
        if root.form in WHOLE:
            for x in root.value.operands:
                base, steps = through_views(x, self.forms, self.stored)
                movable = root.form == PRODUCT or (
                    root.form == EPOCH and in_order(x, self.forms, self.stored) is not None
                )
                if steps and not movable:
                    base, steps = x, ()
                if base not in self.stored and self.forms[base] != MEMORY:
                    if self.forms[base] == NUMBER and root.form != PRODUCT:
                        continue
                    # A number has no memory: of a matrix that repeats it, the matrix is stored.
                    self.stored.add(x if self.forms[base] == NUMBER else base)
                if base.kind != CONSTANT or base.shape != ():
                    place = strided(base.shape, steps) if 0 not in base.shape else (0, ())
                    root.reads.append(Read(base, place, whole=True))
            return
        assert root.source is not None
        if 0 in root.domain:
            return
        self._visit(root, root.source, (), seen, start=root.form == POINT)

    def _visit(self, root: Root, v: Value, steps: Steps, seen: set[Any], start: bool = False) -> None:
        key = (v, steps)
        if key in seen:
            return
        seen.add(key)
        form = self.forms[v]
        if form == NUMBER:
            return
        if form == MEMORY or (v in self.stored and not start):
            root.reads.append(Read(v, strided(v.shape, steps)))
            return
        if form == VIEW:
            x = v.inputs[0]
            self._visit(root, x, (Step(x, v), *steps), seen)
            return
        if not start:
            self._uses[v].append((root, steps))
        if form == POINT:
            for x in v.operands:
                self._visit(root, x, (*broadcast_step(x.shape, v.shape), *steps), seen)
        else:
            assert form == PULL, form
            pull = _Recorder(v, steps, root.domain, self.forms, self.stored)
            root.indices += pull.index
            root.reads += [Read(*read) for read in pull.reads]

    # -- what is better stored -------------------------------------------------------------------------------

    def worth_storing(self) -> set[Value]:
        """Values that several roots would compute, or one again and again; only the outermost of a chain."""
        chosen: set[Value] = set()
        covered: set[Value] = set()
        for v in reversed(self.graph.values):
            uses = self._uses.get(v)
            if uses is None or v in self.stored or v in covered:
                continue
            if self._cost(v) >= CHEAP and self._repeats(v, uses):
                chosen.add(v)
                self._cover(v, covered)
        return chosen

    def _repeats(self, v: Value, uses: Sequence[tuple[Root, Steps]]) -> bool:
        same = all(root.form == POINT and not steps and root.domain == v.shape for root, steps in uses)
        if len(uses) > 1:
            return not same
        root, _ = uses[0]
        if same or prod(root.domain) < 2 * prod(v.shape) or not v.shape:
            return False
        return v.shape[-1] > 1 and len(root.domain) > 1  # else it is computed once for each row

    def _cover(self, v: Value, covered: set[Value]) -> None:
        stack = [v]
        while stack:
            for x in stack.pop().operands:
                if x not in covered and x not in self.stored:
                    covered.add(x)
                    stack.append(x)

    def _cost(self, v: Value) -> int:
        """Instructions for one element, with all that is computed on the way."""
        known = self._costs.get(v)
        if known is None:
            form = self.forms[v]
            own = (weight(v) or 0) if form == POINT else 3 if form == PULL else 0
            inputs = () if form == PULL else v.operands
            known = own + sum(self._cost(x) for x in inputs if x not in self.stored)
            self._costs[v] = known
        return known


def _kept_strides(shape: Shape, dims: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of a fold's result over the axes of its input: 0 along the folded ones."""
    strides = []
    step = 1
    for d in reversed(range(len(shape))):
        strides.append(0 if d in dims else step)
        step *= 1 if d in dims else shape[d]
    return tuple(reversed(strides))


class _Computed:
    """Stands for numbers that a rule computes, and for the builder that it computes them with."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self


class _Recorder:
    """Runs the rule of a value to see which of its inputs it reads where, without writing any code."""

    def __init__(
        self, v: Value, steps: Steps, domain: Shape, forms: dict[Value, str], stored: set[Value]
    ) -> None:
        self.reads: list[tuple[Value, Place, int]] = []
        self.b = _Computed()
        self._domain = domain
        self._forms = forms
        self._stored = stored
        self.index = [strided(v.shape, steps, axis) for axis in range(len(v.shape))]
        rule_of(v).rule(self, self.index, *v.inputs, **v.settings)

    def check(self, x: Value, axis: int, i: Any, from_end: bool = True) -> _Computed:
        return self.b

    def __call__(self, x: Any, index: Sequence[Any]) -> _Computed:
        if not isinstance(x, Value):
            return self.b
        base, steps = through_views(x, self._forms, self._stored)
        if base not in self._stored and self._forms[base] != MEMORY:
            if self._forms[base] == NUMBER:
                return self.b
            self._stored.add(base)
        offset, own = strided(base.shape, steps) if 0 not in base.shape else (0, (0,) * len(x.shape))
        strides = [0] * len(self._domain)
        reach = 0
        for i, stride, n in zip(index, own, x.shape, strict=True):
            if isinstance(i, tuple):
                offset += stride * i[0]
                for d, c in enumerate(i[1]):
                    strides[d] += stride * c
            elif isinstance(i, int):
                offset += stride * i
            else:
                reach += abs(stride) * (n - 1)
        self.reads.append((base, (offset, tuple(strides)), reach))
        return self.b
