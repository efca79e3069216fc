"""Recording a loop: one iteration is traced and becomes the body; whatever it changes in place is carried.

When the iteration begins, every traced tensor gets a new value, an input of the body; tensors from outside
that are first met inside get one then. When it ends, tensors with yet another value have changed: they are
carried, and stand for the loop's results from then on. The others get back what they were. Tensors made
inside are gone afterwards: each iteration makes its own. Then the program goes through a second iteration,
which is compared with the first (`alike.py`) and forgotten. What the value of a loop is: `loop.py`. What
`.grad` means from one iteration to the next: `leftover.py`. Who walks over batches:
`../utils/data/recorded.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ..base import TensorBase
from ..core.errors import Site, describe
from ..eager import user_site
from ..ops.primitive import interpreter, tracing
from ..tape.node import AccumulateGrad, Node
from .alike import difference, summary
from .errors import TraceError
from .graph import Graph
from .host import Assumption
from .leftover import Gradients
from .loop import Loop, loop_error, loop_value, part
from .tracer import Gone, Outside, Traced, Tracer, traced
from .values import CAPTURE, INPUT, Value, reachable


class Boundary(Outside):
    """In place of the tape before the loop, or of another iteration: backward does not go there."""

    __slots__ = ()

    def backward(self, g: Any) -> NoReturn:
        raise loop_error(
            f"backward through a tensor {self.shape} that was computed outside of this iteration, or was "
            "changed in it and is carried on",
            "each iteration is differentiated on its own",
            "compute it in the same iteration as the loss, or detach() it",
        )


@dataclass(slots=True, eq=False)
class _Entry:
    """A tensor that the iteration can see, and what it was before."""

    ref: weakref.ref[Traced]
    value: Value
    seen: Value | None
    node: Node | None
    view_node: Node | None
    inside: Value | None = None  # the body's input; None for a view, taken anew from what it is a view of
    boundary: Node | None = None  # in the place of `node`
    local: bool = False  # an ordinary tensor that the iteration itself has made: never carried


@dataclass(slots=True, eq=False)
class _Recorded:
    """What an iteration does.

    carried, inside, results: the tensors that it changes; what they are at its start and its end.
    rows:    the rows of the sequences, in the body.
    outside: what all other inputs of the body, and those of `inside`, are outside.
    read:    the values of the body that are needed.
    """

    carried: list[Traced]
    inside: list[Value]
    rows: list[Value]
    results: list[Value]
    outside: dict[Value, Value]
    read: set[Value]

    def other_than(
        self, second: _Recorded, outermost: Callable[[Value], Value], twins: list[tuple[Value, Value]]
    ) -> tuple[str, Site | None] | None:
        """What this iteration does and the second does not, in words, and where; None if they do the same.

        outermost: what a value outside is outside of all loops; twins: gets captured tensors that are alike.
        """
        ours = {id(t): y for t, y in zip(self.carried, self.results, strict=True)}
        theirs = {id(t): y for t, y in zip(second.carried, second.results, strict=True)}
        for t in [*self.carried, *second.carried]:
            if id(t) not in ours or id(t) not in theirs:
                which = "second batch does not" if id(t) in ours else "first batch did not"
                return f"a tensor {t._a.shape} that it changes in place, where the {which}", None
        places: dict[Value, Any] = {}
        for found in (self, second):
            places |= {p: i for i, p in enumerate(found.rows)}
            places |= {p: id(t) for t, p in zip(found.carried, found.inside, strict=True)}

        def same_input(v: Value, w: Value) -> bool:
            if v in places or w in places:
                return v in places and places[v] == places.get(w)
            a, b = outermost(self.outside[v]), outermost(second.outside[w])
            if a is b:
                return True
            if a.kind != CAPTURE or b.kind != CAPTURE or not _same_data(a, b):
                return False
            twins.append((a, b))
            return True

        other = difference([(ours[key], theirs[key]) for key in ours], same_input)
        if other is None:
            return None
        v, w = other
        return f"{summary(v)} for the first batch, and {summary(w)} for the second", v.site


def _same_data(a: Value, b: Value) -> bool:
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    return all(isinstance(v.data, TensorBase) for v in (a, b)) and bool(
        a.data._a.tobytes() == b.data._a.tobytes()
    )


def _another(given: str, site: Site | None) -> TraceError:
    return loop_error(
        given,
        "the loop is recorded once, so it must do the same for every batch",
        "what changes from batch to batch has to be a tensor from before the loop that each of them changes "
        "in place",
        site,
    )


class Iteration:
    """The iteration that is being recorded; `outer` is the one that it is a part of, if loops are nested."""

    def __init__(self, tracer: Tracer, trips: int) -> None:
        self.tracer = tracer
        self.trips = trips
        self.outer: Iteration | None = tracer.iteration
        self.site: Site | None = user_site()
        self.left = False  # by break, return or an error
        self._entries: dict[int, _Entry] = {}
        self._rows: list[tuple[Value, Value]] = []  # in the body, outside
        self._boundaries: dict[int, Node] = {}
        self._first_made = len(tracer.made)
        self._first_born = len(tracer.born_inside)
        self._alive = [t for ref in tracer.made if (t := ref()) is not None and t._tracer is tracer]
        self._gradients = Gradients(tracer, self._alive)

    def begin(self, sequences: Sequence[Traced]) -> list[Traced]:
        """Start it; gives the tensors that stand for a row of each sequence."""
        alive, self._alive = self._alive, []
        values = [s.value for s in sequences]
        loose = [t for t in alive if t._loose and t._origin is not None and t._origin._value is t._seen]
        for t in alive:
            self._enter(t)
        for t in loose:  # cannot be taken anew; what it was made from has not been written since
            t._seen = None if t._origin is None else t._origin._value
        self.tracer.iteration = self
        rows = []
        for i, (s, outside) in enumerate(zip(sequences, values, strict=True)):
            name = "rows" if len(values) == 1 else f"rows_{i + 1}"
            inside = Value(INPUT, outside.shape[1:], outside.dtype, name=name, site=self.site)
            self._rows.append((inside, outside))
            rows.append(traced(inside, ordered=s._ordered))
        return rows

    def _enter(self, t: Traced) -> _Entry:
        view = t._view
        entry = _Entry(weakref.ref(t), t._value, t._seen, t._node, None if view is None else view.node)
        self._entries[id(t)] = entry
        t._seen = None
        if t._origin is None or t._loose:
            v = t._value
            entry.inside = t._value = Value(INPUT, v.shape, v.dtype, site=v.site)
        entry.boundary = t._node = self._cut(t._node, t)
        if view is not None:
            view.node = self._cut(view.node, t if view.base is None else view.base)
        return entry

    def _cut(self, node: Node | None, x: TensorBase) -> Node | None:
        """What stands for a node of the tape before the loop; leaves stay."""
        if node is None or isinstance(node, AccumulateGrad):
            return node
        return self._boundaries.setdefault(id(node), Boundary(x))

    def enter(self, stand: Traced, source: Any) -> None:
        """A tensor from outside was met for the first time."""
        if self.outer is not None:
            self.outer.enter(stand, source)
        born = self.tracer.born_inside[self._first_born :]
        self._enter(stand).local = any(ref() is source for ref in born)

    def _known(self, t: Traced | None) -> _Entry | None:
        entry = self._entries.get(id(t))
        return entry if entry is not None and entry.ref() is t else None

    def written(self, t: Traced) -> None:
        """A recorded value was written to a tensor: no gradient goes on through it to the next iteration."""
        if self._known(t) is not None:
            t._node = Boundary(t)

    def grad_set(self, x: TensorBase) -> None:
        """`x.grad = ...`, before it happens."""
        self._gradients.change(x)
        if self.outer is not None:
            self.outer.grad_set(x)

    def end(self) -> _Recorded:
        """Finish it, and put the loop into the graph."""
        found, alive = self._finish()
        self._gradients.settle(found.outside, found.read, self.site)
        starts = [(inside, found.outside[inside]) for inside in found.inside]
        rows = [(inside, x) for inside, x in self._rows if inside in found.read]
        taken = set(found.inside)
        same = [(p, x) for p, x in found.outside.items() if p in found.read and p not in taken]
        inputs = [*starts, *rows, *same]
        body = Graph("body", [inside for inside, _ in inputs], found.results)
        whole = loop_value(Loop(body, self.trips, len(rows)), [x for _, x in inputs], self.site)
        self._leave(alive)
        for i, t in enumerate(found.carried):
            t._value = part(whole, i)
        return found

    def compare(self, first: _Recorded) -> None:
        """Finish one that was recorded only to see that it does what the first did, and forget it."""
        found, alive = self._finish()
        self._gradients.restore()
        self._leave(alive)
        for t, e in alive:
            t._node = e.node
            if t._source is not None and isinstance(t._source._node, Boundary):
                t._source._node = e.node
            if t._view is not None:
                t._view.node = e.view_node
        other = first.other_than(found, self._outermost(), self.tracer.twins)
        if other is not None:
            given, site = other
            raise _another(given, site or self.site)

    def _outermost(self) -> Callable[[Value], Value]:
        """What a value outside of this iteration is outside of all of them."""
        iteration, steps = self.outer, []
        while iteration is not None:
            steps.append({e.inside: e.value for e in iteration._entries.values()})
            iteration = iteration.outer

        def outermost(v: Value) -> Value:
            for step in steps:
                v = step.get(v, v)
            return v

        return outermost

    def _finish(self) -> tuple[_Recorded, list[tuple[Traced, _Entry]]]:
        refuse_left(self.tracer, self)
        self.tracer.iteration = self.outer
        entries = list(self._entries.values())
        alive = [(t, e) for e in entries if (t := e.ref()) is not None]
        changed = [(t, e) for t, e in alive if e.inside is not None and t._value is not e.inside]
        carried = [(t, e.inside) for t, e in changed if not e.local and e.inside is not None]
        results = [t._value for t, _ in carried]
        read = set(reachable(results))
        outside = {e.inside: e.value for e in entries if e.inside is not None}
        rows = [inside for inside, _ in self._rows]
        found = _Recorded([t for t, _ in carried], [p for _, p in carried], rows, results, outside, read)
        return found, alive

    def _leave(self, alive: list[tuple[Traced, _Entry]]) -> None:
        """Give the tensors from before what they were, and take those that were made inside out of use."""
        gone = Gone(_refusal)
        for t, e in alive:
            if e.local and t._value is not e.inside:
                t._tracer = gone
            t._value, t._seen = e.value, e.seen
            if t._node is e.boundary:
                t._node = e.node
                if t._view is not None:
                    t._view.node = e.view_node
        for ref in self.tracer.made[self._first_made :]:
            made = ref()
            if made is not None and self._known(made) is None:
                made._tracer = gone


def _refusal(x: Traced) -> TraceError:
    return loop_error(
        f"a tensor {x._a.shape} that was made inside the loop, at {describe(x._value.site)}, and is used "
        "after it or for another batch",
        "the loop is recorded once: what is made for one batch is gone after it, and only changes in place "
        "of tensors from before the loop stay",
        "total += loss, or last.copy_(loss), with a tensor that is made before the loop; for an optimizer, "
        "which makes its state in its first step, take that one before",
    )


def loop(trips: int, sequences: Sequence[Traced]) -> Iterator[list[Traced]]:
    """Yields twice: the tensors that stand for a row of each sequence (trips, ...), in every iteration.

    What is done the first time becomes the body; the second is to see that the program does the same again.
    """
    tracer = tracing.tracer
    outer = tracer.iteration
    refuse_left(tracer, None if outer is not None and outer.left else outer)
    first = None
    for _ in range(2):
        iteration = Iteration(tracer, trips)
        rows = iteration.begin(sequences)
        try:
            yield rows
        except BaseException:
            iteration.left = True
            raise
        if first is None:
            first = iteration.end()
        else:
            iteration.compare(first)


def refuse_twins(tracer: Tracer, constants: Collection[Value]) -> None:
    """Refuse to take two tensors for one where somebody holds them: they are alike now, but may change."""
    for v, w in tracer.twins:
        if v not in constants or w not in constants:
            raise _another(f"a tensor {v.shape} for the first batch, and another one for the second", v.site)


def refuse_left(tracer: Tracer, inside: Iteration | None) -> None:
    """Refuse a loop that was left before its last batch; `inside` is the one that may be going on."""
    iteration = tracer.iteration
    if iteration is not None and iteration is not inside:
        raise loop_error(
            "break or return before the last batch",
            "the loop is recorded once and runs for every batch",
            "a loader over fewer samples: Subset(dataset, range(n))",
            iteration.site,
        )


def assume(key: Hashable, what: str, holds: Callable[[], bool]) -> None:
    """Note what the trace relies on (`host.py`)."""
    tracing.tracer.assumptions.setdefault(key, Assumption(what, holds))


interpreter.trace.assume = staticmethod(assume)
interpreter.trace.loop = staticmethod(loop)
interpreter.trace.loop_error = staticmethod(loop_error)
