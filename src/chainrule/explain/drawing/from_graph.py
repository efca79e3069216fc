"""The scene of an explicit graph (`chainrule.graph.Graph`): its values, and the backward graph that its rules
give.

The values of a graph are not known, but constants. What reverse mode would keep follows from the rules of the
table, as in eager mode. A loop is a group with the values of its body. Next: `grouping.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...base import TensorBase
from ...core.errors import describe
from ...graph import Graph, Value
from ...graph.text import name_values
from ...graph.values import CAPTURE, CONSTANT, INPUT, LOOP, OP, PART
from . import phrases, scene
from .grouping import group
from .naming import Naming, Place
from .scene import Edge, Scene

_SMALL = 1  # elements of a constant that is written into formulas


def graph_scene(graph: Graph, naming: Naming) -> Scene:
    """The computation of a graph's outputs and writes. naming: of captured tensors.

    The backward graph is there if one scalar floating-point number is computed and nothing is written: then
    it is clear what would be differentiated.
    """
    return _Explicit(graph, naming).scene()


class _Explicit:
    def __init__(self, graph: Graph, naming: Naming) -> None:
        self.graph = graph
        self.out = Scene(graph.name)
        self.names: dict[Any, str] = name_values(graph)
        taken = set(self.names.values())
        for v in graph.captures:
            name = naming.tensor(v.data)
            if name is not None and name not in taken:
                self.names[v] = name
        self.keys: dict[Value, str] = {}
        self.stands: dict[
            Value, Value
        ] = {}  # a value that is drawn as another one: parts of loops, invariants
        self.naming = naming
        self.open: tuple[Place, ...] = ()
        self.left: set[tuple[Place, ...]] = set()
        self.places: dict[str, tuple[Place, ...]] = {}
        self._standing_for_parts(graph)
        self.outputs = {self._standing(v) for v in graph.outputs}
        self.written: dict[Value, list[str]] = {}
        for target, v in graph.writes:
            self.written.setdefault(self._standing(v), []).append(self.names[target])
        self.wanted = self._wanted()
        self.arrivals: Counter[Value] = Counter()
        for v in graph.values:
            for i, x in enumerate(v.inputs):
                if self._flows(v, i):
                    self.arrivals[x] += 1

    def scene(self) -> Scene:
        for v in (*self.graph.inputs, *self.graph.captures):
            self._add_leaf(v, scene.INPUT if v.kind == INPUT else scene.PARAMETER)
        self._add_values(self.graph, ())
        self.out.edges = scene.unique(self.out.edges)
        group(self.out, self.places)
        return self.out

    # -- what is differentiated -------------------------------------------------------------------------

    def _wanted(self) -> set[Value]:
        """The values that a gradient reaches."""
        graph = self.graph
        one = graph.outputs[0] if len(graph.outputs) == 1 and not graph.writes else None
        if one is None or one.shape != () or not one.dtype.is_floating_point:
            return set()
        if any(v.kind in (LOOP, PART) for v in graph.values):
            return set()
        leaves = [v for v in (*graph.inputs, *graph.captures) if v.dtype.is_floating_point]
        asking = [v for v in leaves if isinstance(v.data, TensorBase) and v.data._node is not None]
        moving = set(asking or [v for v in leaves if v.kind == INPUT])
        for v in graph.values:
            if v.kind == OP and v.op is not None and v.op.differentiable and v.dtype.is_floating_point:
                reads = (x in moving and v.op.rule_for(i) is not None for i, x in enumerate(v.inputs))
                if any(reads):
                    moving.add(v)
        reached = {one} & moving
        for v in reversed(graph.values):
            if v in reached:
                assert v.op is not None
                reached.update(
                    x for i, x in enumerate(v.inputs) if x in moving and v.op.rule_for(i) is not None
                )
        return reached

    def _flows(self, v: Value, i: int) -> bool:
        x = v.inputs[i]
        return v in self.wanted and x in self.wanted and v.op is not None and v.op.rule_for(i) is not None

    # -- nodes ------------------------------------------------------------------------------------------

    def _standing(self, v: Value) -> Value:
        while v in self.stands:
            v = self.stands[v]
        return v

    def _standing_for_parts(self, graph: Graph) -> None:
        """A part of a loop is drawn as the body's value that it is, an invariant as what it is outside."""
        for v in graph.values:
            if v.kind == LOOP:
                *_, invariants = v.data.split(v.data.body.inputs)
                *_, outside = v.data.split(v.inputs)
                self.stands.update(zip(invariants, outside, strict=False))
                self._standing_for_parts(v.data.body)
            elif v.kind == PART and v.inputs[0].kind == LOOP:
                self.stands[v] = v.inputs[0].data.body.outputs[v.index]

    def _key(self, v: Value) -> str:
        if v not in self.keys:
            self.keys[v] = f"n{len(self.keys)}"
        return self.keys[v]

    def _add_leaf(self, v: Value, role: str) -> str:
        key, name = self._key(v), self.names[v]
        rules = [f"the gradient of {name}"] if v in self.wanted else []
        self.out.nodes[key] = scene.Node(
            key, role, name, name, [_type(v)], rules=rules, back=f"∂{name} {phrases.shape_text(v.shape)}"
        )
        return key

    def _add_values(self, graph: Graph, around: tuple[Place, ...]) -> None:
        for v in graph.values:
            if v.kind == LOOP:
                self._add_loop(v, around)
            elif v.kind == CONSTANT:
                if v.data.size > _SMALL:
                    self._add_leaf(v, scene.CONSTANT)
            elif v.kind == PART and v not in self.stands:
                self._add(v, f"{self._operand(v.inputs[0])}[{v.index}]", "", around)
            elif v.kind == OP:
                assert v.op is not None
                operands = [self._operand(x) for x in v.inputs]
                settings = phrases.settings_text(v.op, v.settings)
                self._add(v, phrases.formula(v.op, operands), settings, around)

    def _add_loop(self, v: Value, around: tuple[Place, ...]) -> None:
        loop = v.data
        title = f"loop · {phrases.counted(loop.trips, 'time')}"
        inside = (*around, Place(v, title, self.names[loop]))
        carried, rows, _ = loop.split(loop.body.inputs)
        starts, whole, _ = loop.split(v.inputs)
        ends = loop.body.outputs
        for p, x, end in zip(carried, starts, ends, strict=True):
            key = self._add_inner(p, x, "starts as", inside)
            self.out.nodes[key].details.append(f"then {self.names[self._standing(end)]} of the time before")
        for p, x in zip(rows, whole, strict=True):
            self._add_inner(p, x, "row of", inside)
        self._add_values(loop.body, inside)

    def _add_inner(self, p: Value, x: Value, how: str, inside: tuple[Place, ...]) -> str:
        """What a loop's body gets from outside, as an operation: it is something else in each iteration."""
        key = self._key(p)
        self.out.nodes[key] = scene.Node(
            key,
            scene.OPERATION,
            self.names[p],
            self.names[p],
            [_type(p), f"{how} {self._operand(x)}"],
            count=1,
        )
        self.places[key] = inside
        if not _inlined(self._standing(x)):
            self.out.edges.append(Edge(self._key(self._standing(x)), key))
        return key

    def _add(self, v: Value, text: str, settings: str, around: tuple[Place, ...]) -> None:
        key, name = self._key(v), self.names[v]
        details = [_type(v), *([settings] if settings else [])]
        if v in self.written:
            details.append(f"written to {', '.join(self.written[v])}")
        role = scene.RESULT if v in self.outputs else scene.OPERATION
        rules = self._rules(v)
        back = f"∂{name}{' = 1' if v in self.outputs else ''}" if rules else ""
        site = describe(v.site) if v.site is not None else ""
        like = (v.op.name, v.site) if v.op is not None and v.site is not None else None
        self.out.nodes[key] = scene.Node(
            key,
            role,
            name,
            f"{name} = {text}",
            details,
            self._keeps(v),
            0,
            rules,
            back,
            site,
            like,
            v.site or (None, 0),
            1,
        )
        place = around or self._module(v)
        if (
            place or self.graph.writes
        ):  # where there are gradients and updates, what is in between is no layer
            self.places[key] = place
        for i, x in enumerate(v.inputs):
            if isinstance(x, Value) and not _inlined(self._standing(x)):
                self.out.edges.append(Edge(self._key(self._standing(x)), key, self._flows(v, i)))

    def _module(self, v: Value) -> tuple[Place, ...]:
        """The module whose parameter it reads; once that was left, it is a gradient or an update."""
        places: tuple[Place, ...] = ()
        for x in v.operands:
            places = places or (self.naming.places(x.data) if x.kind == CAPTURE else ())
        if places in self.left:
            places = ()
        if places != self.open and (places or self.graph.writes):
            self.left |= {self.open} - {()}
            self.open = places
        return places

    def _operand(self, x: Any) -> str:
        if not isinstance(x, Value):
            return phrases.operand(x) if isinstance(x, int | float) else str(x)
        x = self._standing(x)
        return phrases.operand(x.data.reshape(-1)[0].item()) if _inlined(x) else self.names[x]

    def _keeps(self, v: Value) -> str:
        """What an eager run would keep for backward."""
        if v not in self.wanted or v.op is None:
            return ""
        mask = sum(1 << i for i in range(len(v.inputs)) if self._flows(v, i))
        plan = v.op.plan(mask, len(v.inputs))
        read = [*plan.inputs, *(range(len(v.op.inputs), len(v.inputs)) if plan.tail else ())]
        names = [self._operand(v.inputs[i]) for i in read if isinstance(v.inputs[i], Value)]
        names += ["its result"] if plan.out else []
        return "keeps " + ", ".join(dict.fromkeys(names)) if names else ""

    def _rules(self, v: Value) -> list[str]:
        lines = []
        for i, x in enumerate(v.inputs):
            if not self._flows(v, i):
                continue
            assert v.op is not None
            operands = [self._operand(y) for y in v.inputs]
            name = self.names[v]
            text = phrases.rule(v.op, i, f"∂{name}", operands, name, v.settings)
            if phrases.is_summed(v.op, v.shape, x.shape):
                text += f", summed to {phrases.shape_text(x.shape)}"
            lines.append(f"∂{self.names[x]} {'+=' if self.arrivals[x] > 1 else '='} {text}")
        return lines


def _inlined(v: Value) -> bool:
    return v.kind == CONSTANT and v.data.size <= _SMALL


def _type(v: Value) -> str:
    if isinstance(v.dtype, tuple):
        return ", ".join(phrases.shape_text(s) for s in v.shape)
    return f"{phrases.shape_text(v.shape)} {v.dtype.name}"
