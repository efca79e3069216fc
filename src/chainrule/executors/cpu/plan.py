"""Which values of a graph are stored, and which loop nests store them. No LLVM here.

A *root* is a value that is stored (or folded) at the points of its domain; what it is made of is computed
where it is read, unless that is stored too. Roots that walk over the same rows, and depend on each other at
most row by row, share a *kernel*: one nest of loops. So a softmax reads each row of its input once, and what
it needs of a row stays in the nearest cache.

Stored are: results of the graph and what it writes; folds, products, and what NumPy computes; what a product,
a gather or NumPy reads; and what would otherwise be computed several times at a cost. Next: `memory.py`,
which gives places to what is stored; `nest.py`, which writes kernels down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

from ...core.shapes import Shape
from ...graph.graph import Graph
from ...graph.values import CONSTANT, LOOP, PART, Value, op_value
from ...ops.move import COPY
from .access import (
    NotStrided,
    Place,
    Step,
    Steps,
    broadcast_step,
    is_identity,
    is_row_local,
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
    form_of,
    rule_of,
    weight,
)

WHOLE: Final = (PRODUCT, DRAW, SHUFFLE, NUMPY, EPOCH)  # forms that are computed by kernels of their own
OWN: Final = (*WHOLE, FOLD, PIECES)  # forms that are always stored
DEEPEST: Final = 40  # values computed one within the other before one is stored: longer code is no faster
CHEAP: Final = 4  # instructions that are rather written twice than stored and read again
MOST_ROOTS: Final = 32  # in one kernel: more would make its code long, and its arrays compete for the cache


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


@dataclass(eq=False, slots=True)
class Kernel:
    """Roots that are computed together.

    form:  NEST, or one of WHOLE.
    rows:  for a nest: how many leading axes its roots share as rows.
    flat:  whether all roots have one domain and read each other at most at the same point.
    """

    form: str
    roots: list[Root]
    rows: int = 0
    flat: bool = False
    stores_product: bool = True

    @property
    def main(self) -> Root:
        return self.roots[0]

    @property
    def reads(self) -> Iterator[Read]:
        return (r for root in self.roots for r in root.reads)


NEST: Final = "nest"


@dataclass(eq=False, slots=True)
class Plan:
    """What is computed in which order.

    graph:     as it was planned, with copies where results need their own.
    arguments: the inputs and captures of the graph as it was given; some may not be read any more.
    """

    graph: Graph
    arguments: list[Value]
    kernels: list[Kernel]
    forms: dict[Value, str]
    stored: set[Value]


def plan(graph: Graph, arguments: list[Value]) -> Plan:
    """Make the plan of a graph without composed ops. arguments: see `Plan`."""
    graph = _with_own_results(graph)
    forms = {v: form_of(v) for v in (*graph.inputs, *graph.captures, *graph.values)}
    walker = _Walker(graph, forms)
    while True:
        roots = walker.roots()
        more = walker.worth_storing()
        if not more:
            break
        walker.stored |= more
    return Plan(graph, arguments, _grouped(roots, walker), forms, walker.stored)


def _with_own_results(graph: Graph) -> Graph:
    """Each output and each written value becomes a value of its own, so that each has one place."""
    taken: set[Value] = set()

    def own(v: Value) -> Value:
        is_result = v.kind == PART and v.inputs[0].kind == LOOP  # a loop makes it in place
        if v in taken or (form_of(v) in (MEMORY, NUMBER, VIEW) and not is_result):
            v = op_value(COPY, (v,), {}, v.dtype, v.site)
        taken.add(v)
        return v

    writes = [(c, own(v)) for c, v in graph.writes]
    outputs = [own(v) for v in graph.outputs]
    return Graph(graph.name, graph.inputs, outputs, graph.captures, writes, graph.structure)


def through_views(v: Value, forms: dict[Value, str], stored: set[Value]) -> tuple[Value, Steps]:
    """The first value under a chain of views that is no view (or is stored), and the steps back up."""
    steps: Steps = ()
    while forms[v] == VIEW and v not in stored:
        x = v.inputs[0]
        steps = (Step(x, v), *steps)
        v = x
    return v, steps


class _Walker:
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
                if root.form != PRODUCT and steps:
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


# -- kernels -------------------------------------------------------------------------------------------------


def _grouped(roots: list[Root], walker: _Walker) -> list[Kernel]:
    """Roots in kernels, in an order in which everything is there before it is read."""
    kernels: list[Kernel] = []
    where: dict[Value, int] = {}  # the kernel that completes a value
    rooted: dict[Value, Root] = {}
    for root in roots:
        after = max((where[m] for r in root.reads if (m := made_by(r.leaf)) in where), default=-1)
        if root.form == PIECES:
            after = max(after, where.get(root.value, -1))
        at = next(
            (k for k in range(max(after, 0), len(kernels)) if _joins(kernels[k], root, k, where, rooted)),
            None,
        )
        if at is None:
            at = len(kernels)
            form = root.form if root.form in WHOLE else NEST
            kernels.append(Kernel(form, [root], root.most_rows, not root.dims or root.is_total))
        where[root.value] = at
        rooted[root.value] = root
    for kernel in kernels:
        if kernel.form == PRODUCT:
            p = kernel.main.value
            outside = any(r.leaf is p for k in kernels if k is not kernel for r in k.reads)
            kernel.stores_product = outside or p in (
                *walker.graph.outputs,
                *(v for _, v in walker.graph.writes),
            )
    return kernels


def made_by(v: Value) -> Value:
    """The value whose kernel makes v: of a part, the whole."""
    return v.inputs[0] if v.kind == PART else v


def _joins(kernel: Kernel, root: Root, k: int, where: dict[Value, int], rooted: dict[Value, Root]) -> bool:
    """Put the root into the kernel if it can be computed there and gains by it; says whether it did."""
    if root.form in (*WHOLE, PIECES) or len(kernel.roots) >= MOST_ROOTS:
        return False
    inner = [r for r in root.reads if where.get(r.leaf) == k]
    if kernel.form == PRODUCT:
        p = kernel.main.value
        fits = root.form == POINT and root.domain == p.shape and any(r.leaf is p for r in inner)
        if fits and all(_same_point(r, root) for r in inner):
            kernel.roots.append(root)
            return True
        return False
    if kernel.form != NEST or kernel.main.form == PIECES or 0 in root.domain or 0 in kernel.main.domain:
        return False
    if root.domain == () or kernel.main.domain == ():
        if root.domain == kernel.main.domain:
            kernel.roots.append(root)
            return True
        return False
    leaves = {r.leaf for r in kernel.reads}
    if not inner and not any(r.leaf in leaves and prod(r.leaf.shape) > 1 for r in root.reads):
        return False
    point = not root.dims or root.is_total
    if (
        kernel.flat
        and point
        and root.domain == kernel.main.domain
        and all(_same_point(r, root) and not rooted[r.leaf].dims for r in inner)
    ):
        kernel.roots.append(root)
        kernel.rows = min(kernel.rows, root.most_rows)
        return True
    common = 0
    for a, b in zip(kernel.main.domain, root.domain, strict=False):
        if a != b:
            break
        common += 1
    rows = min(kernel.rows, root.most_rows, common)
    if rows < 1 or (kernel.flat and len(kernel.main.domain) == 1 and len(root.domain) == 1):
        return False
    for r in inner:
        made = rooted[r.leaf]
        if made.crosses_rows or (made.dims and made.dims[0] < rows):
            return False
        offset, strides = r.place
        if not is_row_local((offset, strides), r.leaf.shape, root.domain, rows):
            return False
        if r.reach and not _reach_in_row(r, root.domain, rows):
            return False
    kernel.roots.append(root)
    kernel.rows, kernel.flat = rows, False
    return True


def _same_point(r: Read, root: Root) -> bool:
    return not r.reach and is_identity(r.place, root.domain) and r.leaf.shape == root.domain


def _reach_in_row(r: Read, domain: Shape, rows: int) -> bool:
    offset, strides = r.place
    high = offset + r.reach
    for n, s in zip(domain[rows:], strides[rows:], strict=True):
        high += max(s, 0) * (n - 1)
    return bool(high < prod(r.leaf.shape[rows:]))
