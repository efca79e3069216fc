"""One program of a compiled function: when it may run, and what to do around a run.

`Signature.run` is the general way: any layout, any kind of argument. `fast.py` makes a shorter one for the
usual case. Next: `compiled.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base import wrap
from ..core.dtypes import float64
from ..graph.host import Host
from ..graph.values import Value
from ..inplace import check, touch
from ..tape.mode import no_grad
from . import gradients
from .arguments import Arguments
from .errors import CompileError
from .gradients import Split
from .guards import Captured, Guards
from .memory import address
from .program import Program
from .record import Recorded, names_for
from .surroundings import Surroundings

Array = np.ndarray[Any, Any]

# Runs that move random streams on, one after the other: two at a time would draw the same numbers.
STREAMS = threading.RLock()
UNLOCKED: Any = contextlib.nullcontext()


def _new_lock() -> None:
    global STREAMS
    STREAMS = threading.RLock()


if hasattr(os, "register_at_fork"):  # a lock that another thread holds would stay locked in the child
    os.register_at_fork(after_in_child=_new_lock)


class GradSlot:
    """A captured `.grad`: read from its owner at each run, since it is often another tensor."""

    __slots__ = ("kind", "label", "number", "owner", "shape")

    def __init__(self, grad: Any, owner: Any, number: int | None, label: str) -> None:
        self.owner, self.number, self.label = owner, number, label
        self.shape, self.kind = grad._a.shape, grad._a.dtype

    def tensor(self, tensors: Sequence[Any]) -> Any:
        """The gradient of now."""
        return (self.owner if self.number is None else tensors[self.number])._grad


class HostPlace:
    """A captured number of Python (`graph/host.py`), and the memory where the program finds it."""

    __slots__ = ("cell", "host", "label", "where")

    def __init__(self, host: Host) -> None:
        self.host = host
        self.label = host.name
        self.cell: Any = ctypes.c_double() if host.dtype is float64 else ctypes.c_int64()
        self.where = ctypes.addressof(self.cell)


Place = Captured | GradSlot | HostPlace


class Signature:
    """See the file's docstring.

    parts:     what the call looked like, for `why`.
    places:    for each capture of the graph the `Captured` or `GradSlot` that says where it is.
    targets:   for each write of the graph the number of an input, or of a capture (counted after the inputs).
    """

    def __init__(
        self,
        name: str,
        arguments: Arguments,
        recorded: Recorded,
        around: Surroundings,
        build: Callable[[Any], Program],
        held: list[Any],
    ) -> None:
        self.name = name
        self.key = arguments.key
        self.parts = arguments.parts
        self.paths = arguments.paths
        self.held = held  # what keeps identities in the key true
        self.recorded = recorded
        self.split = None
        if recorded.differentiable:
            self.split = Split(recorded.graph, recorded.results, len(recorded.leaves), recorded.seeds)
            recorded.graph = self.split.forward
        self.graph = graph = recorded.graph
        tensors = [v.data for v in graph.captures]
        watch = bool(recorded.effects or around.optimizers)
        self.places: list[Place] = []
        owners = _owners(arguments, tensors, around)
        for x in tensors:
            if isinstance(x, Host):
                self.places.append(HostPlace(x))
                continue
            owner = owners.get(id(x))
            if owner is not None:
                who, number = owner
                label = arguments.paths[number] if number is not None else _label(who, around)
                self.places.append(GradSlot(x, who, number, f"{label}.grad"))
                watch = True
            else:
                self.places.append(Captured(x, _label(x, around), False))
        captured = [p for p in self.places if isinstance(p, Captured)]
        extra = [w for w, _ in recorded.effects if not isinstance(w, int)]
        extra += [p.owner for p in self.places if isinstance(p, GradSlot) and p.owner is not None]
        for x in extra:
            if not any(c.tensor is x for c in captured):
                captured.append(Captured(x, _label(x, around), True))
        for c in captured:
            # Traced with a gradient there that was not read: the function put it away; so none does as well.
            read = any(isinstance(p, GradSlot) and p.owner is c.tensor for p in self.places)
            c.watch_grad = watch and c.node is not None and (c.grad is None or read)
        numbers = {v: i for i, v in enumerate([*graph.inputs, *graph.captures])}
        self.targets = [numbers[v] for v, _ in graph.writes]
        self.sites = [v.site for _, v in graph.writes]
        self.guards = Guards(around, captured, recorded.assumptions)
        _name_captures(graph.captures, self.places, [v.name for v in graph.inputs])
        self.hosts = [p for p in self.places if isinstance(p, HostPlace)]
        first = len(graph.inputs)
        targets = zip(self.targets, self.sites, strict=True)
        self.targets, self.sites, self.stored = [], [], []
        for i, site in targets:
            place = self.places[i - first] if i >= first else None
            if isinstance(place, HostPlace):
                self.stored.append(place)
            else:
                self.targets.append(i)
                self.sites.append(site)
        for v, place in zip(graph.captures, self.places, strict=True):
            if isinstance(place, GradSlot):
                v.data = None  # a gradient that the owner has let go of may go
        self.program = build(graph)
        self.backward = None if self.split is None else build(self.split.backward)
        self.short: tuple[Callable[[tuple[Any, ...]], Any] | None] | None = None  # see `fast.py`

    def run(self, tensors: list[Any]) -> Any:
        """Run the program on input tensors; what the function returns."""
        if self.split is None:
            results = [wrap(a) for a in self.execute(tensors)[1]]
        else:
            leaves = [tensors[x] if isinstance(x, int) else x for x in self.recorded.leaves]
            results = list(gradients.Compiled.apply(self, tensors, *leaves))
        return self.finish(results, tensors)

    def execute(self, tensors: list[Any]) -> tuple[list[Any], list[Array]]:
        """All tensors that the program reads or writes, and the arrays of its outputs."""
        everything = [*tensors, *(self._captured(p, tensors) for p in self.places)]
        arrays: list[Any] = []
        copied = []
        addresses = []
        for i, x in enumerate(everything):
            if isinstance(x, HostPlace):
                arrays.append(None)
                addresses.append(x.where)
                continue
            a = x._a
            if not a.flags.c_contiguous:
                a = np.array(a, order="C")
                copied.append(i)
            arrays.append(a)
            addresses.append(address(a))
        if self.targets:
            self._check_targets(everything)
        with STREAMS if self.stored else UNLOCKED:
            for p in self.hosts:
                p.cell.value = p.host.value()
            outputs = self.program.run(addresses)
            for p in self.stored:
                p.host.store(p.cell.value)
        for i in self.targets:
            if i in copied:
                everything[i]._a[...] = arrays[i]
            touch(everything[i])
        return everything, outputs

    def finish(self, results: list[Any], tensors: list[Any]) -> Any:
        """Store gradients, and build what the function returns."""
        for who, number in self.recorded.effects:
            owner = tensors[who] if isinstance(who, int) else who
            owner._grad = None if number is None else results[number]
        return self.recorded.plan(results, tensors)

    def broken(self, tensors: list[Any]) -> tuple[str, str, str] | None:
        """What keeps it from running, with what was before and is now."""
        change = self.guards.broken()
        if change is None:
            for place in self.places:
                if isinstance(place, GradSlot):
                    g = place.tensor(tensors)
                    if g is None or (g._a.shape, g._a.dtype) != (place.shape, place.kind):
                        return place.label, "a tensor", "None" if g is None else f"a tensor {g._a.shape}"
            if change is None and any(c.moved() for c in self.guards.captured):
                for c in self.guards.captured:
                    c.settle()
                self.short = None
        return change

    def show(self, stage: str) -> str:
        """See `Compiled.show`."""
        if stage == "graph":
            return str(self.recorded.traced)
        if stage == "simplified":
            return str(self.graph) if self.split is None else f"{self.graph}\n\n{self.split.backward}"
        text = self.program.show(stage)
        return text if self.backward is None else f"{text}\n\n{self.backward.show(stage)}"

    def alive(self) -> bool:
        """Whether all objects that its key means are still there; their numbers may be others' by now."""
        return all(x() is not None for x in self.held if isinstance(x, weakref.ref))

    def captures_overlap(self) -> bool:
        """Whether a captured tensor that is written shares memory with another one."""
        first = len(self.graph.inputs)
        places = [(j, p.tensor._a) for j, p in enumerate(self.places) if isinstance(p, Captured)]
        return any(
            np.may_share_memory(a, b)
            for i, a in places
            if i + first in self.targets
            for j, b in places
            if j != i
        )

    def _captured(self, place: Place, tensors: list[Any]) -> Any:
        if isinstance(place, HostPlace):
            return place
        return place.tensor if isinstance(place, Captured) else place.tensor(tensors)

    def _check_targets(self, everything: list[Any]) -> None:
        """What is changed in place can be written, and shares its memory with nothing else that is read."""
        for i in self.targets:
            x = everything[i]
            with no_grad():
                check(x, (), self.name)
            for j, y in enumerate(everything):
                if i != j and not isinstance(y, HostPlace) and np.may_share_memory(x._a, y._a):
                    names = [*self.paths, *(p.label for p in self.places)]
                    raise CompileError.of(
                        self.name,
                        given=f"{names[j]} {y._a.shape} on memory of {names[i]} {x._a.shape}, which it "
                        "changes in place",
                        must="to a program they are separate; it would not see what the change does to the "
                        "other",
                        hint=f"{names[j]}.clone(), or make the view inside the function",
                    )


def _owners(
    arguments: Arguments, captures: list[Any], around: Surroundings
) -> dict[int, tuple[Any, int | None]]:
    """id of a gradient -> the tensor whose gradient it is, or the number of the input."""
    owners: dict[int, tuple[Any, int | None]] = {}
    for x in [*around.tensors(), *captures, *arguments.pinned]:
        grad = getattr(x, "_grad", None)
        if grad is not None:
            owners[id(grad)] = (x, None)
    for i, x in enumerate(arguments.tensors):
        if getattr(x, "_grad", None) is not None:
            owners[id(x._grad)] = (None, i)
    return owners


def _label(x: Any, around: Surroundings) -> str:
    links = around.places.get(id(x))
    return links[0].label if links else f"a captured tensor {x._a.shape}"


def _name_captures(captures: list[Value], places: list[Place], taken: list[str]) -> None:
    """Captured tensors are shown under the names that the user has for them."""
    used = set(taken)
    for v, place in zip(captures, places, strict=True):
        if isinstance(place, HostPlace):
            (v.name,) = names_for([v.name], used)
        elif not place.label.startswith("a captured tensor"):
            (v.name,) = names_for([place.label], used)
