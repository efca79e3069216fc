"""The scene of an eager result: what its tape knows, and what can be computed from that.

The tape has the operations, their edges and what backward needs; nothing else is remembered. Operands that no
gradient flows to and that no rule reads are therefore unknown (`·`), unless the program was watched while it
ran (`watch.py`). The value of a scalar is shown where it was kept, or follows from values that were.

No recursion: a tape may be as deep as memory allows. Next: `grouping.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backward import node_of
from ...base import TensorBase
from ...core.dtypes import FROM_NUMPY
from ...core.errors import describe
from ...tape.missing import MissingRule
from ...tape.node import FREED, AccumulateGrad, Node, OpNode, Overwritten
from . import phrases, scene
from .grouping import group
from .naming import Naming, Place
from .scene import Edge, Scene
from .watch import Note


def reachable(roots: Sequence[TensorBase]) -> list[Node]:
    """All tape nodes that the roots were computed through, operands first."""
    found = {node for x in roots if (node := node_of(x)) is not None}
    stack = list(found)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in found:
                found.add(edge)
                stack.append(edge)
    return sorted(found, key=lambda node: node.seq)


def leaves(nodes: Sequence[Node]) -> dict[int, Any]:
    """The leaf tensors that are still there, by their ids."""
    tensors = [node.variable for node in nodes if isinstance(node, AccumulateGrad)]
    return {id(x): x for x in tensors if x is not None}


def tape_scene(
    title: str,
    roots: Sequence[TensorBase],
    nodes: Sequence[Node],
    naming: Naming,
    notes: Mapping[Node, Note],
) -> Scene:
    """The computation of the roots, forward and backward."""
    return _Tape(title, roots, nodes, naming, notes).scene()


class _Tape:
    def __init__(
        self,
        title: str,
        roots: Sequence[TensorBase],
        nodes: Sequence[Node],
        naming: Naming,
        notes: Mapping[Node, Note],
    ) -> None:
        self.nodes = nodes
        self.notes = notes
        self.naming = naming
        self.roots = {node_of(x): x for x in roots}
        self.out = Scene(title)
        self.names: dict[Node, str] = {}
        self.keys: dict[Node, str] = {node: f"n{i}" for i, node in enumerate(nodes)}
        self.values: dict[Node, np.ndarray[Any, Any]] = {}
        self.constants: dict[
            int, tuple[str, str, Any]
        ] = {}  # key, name, and the tensor: its id stays its own
        self.places: dict[str, tuple[Place, ...]] = {}
        self.counted: set[int] = set()  # arrays whose bytes have been counted
        self.arrivals: Counter[Node] = Counter()
        for node in nodes:
            for i, edge in enumerate(node.edges):
                if edge is not None and _flows(node, i):
                    self.arrivals[edge] += 1

    def scene(self) -> Scene:
        self._find_values()
        self._name()
        for node in self.nodes:
            if isinstance(node, AccumulateGrad):
                self._add_leaf(node)
            else:
                self._add_operation(node)
        self.out.edges = scene.unique(self.out.edges)
        group(self.out, self.places)
        return self.out

    # -- values and names -------------------------------------------------------------------------------

    def _find_values(self) -> None:
        """The values of scalars: what was kept for backward, what can be computed from it, and the roots."""
        for root, y in self.roots.items():
            if root is not None and y._a.size == 1:
                self.values[root] = y._a
        for node, note in self.notes.items():
            if note.value is not None:
                self.values[node] = note.value
        changed = set()
        for node in self.nodes:
            kept = _kept(node)
            for i, edge in enumerate(node.edges):
                x: Any = kept[i] if i < len(kept) else None
                if edge is not None and isinstance(x, TensorBase) and x._a.size == 1:
                    assert isinstance(node, OpNode)
                    assert node.versions is not None
                    now = x._v if x._view is None else x._view.owner._v
                    if now == node.versions[i]:
                        self.values.setdefault(edge, x._a)
                    else:
                        changed.add(edge)
            if isinstance(node, OpNode) and isinstance(node.out, np.ndarray) and node.out.size == 1:
                self.values.setdefault(node, node.out)
        for node in self.nodes:
            if isinstance(node, AccumulateGrad):
                leaf = node.variable
                if leaf is not None and leaf._a.size == 1 and node not in changed:
                    self.values.setdefault(node, leaf._a)
            elif isinstance(node, OpNode) and node not in self.values:
                value = self._computed(node)
                if value is not None:
                    self.values[node] = value

    def _computed(self, node: OpNode) -> np.ndarray[Any, Any] | None:
        """The value of a scalar from those of its operands, if all of them are known scalars."""
        if int(np.prod(node.shape)) != 1:
            return None
        kept = _kept(node)
        operands: list[Any] = []
        for i, edge in enumerate(node.edges):
            given: Any = kept[i] if i < len(kept) and edge is None else None
            if edge is not None:
                given = self.values.get(edge)
            elif isinstance(given, TensorBase):
                given = given._a if given._a.size == 1 else None
            if given is None:
                return None
            operands.append(given)
        with np.errstate(all="ignore"):
            return np.asarray(node.op.numpy(*operands, **node.settings))

    def _name(self) -> None:
        naming = self.naming
        unnamed = []
        for node in self.nodes:
            known = naming.tensor(node.variable) if isinstance(node, AccumulateGrad) else naming.node(node)
            if known is None:
                unnamed.append(node)
            else:
                self.names[node] = known
        for node in unnamed:
            if isinstance(node, AccumulateGrad):
                self.names[node] = naming.fresh("x")
        made = [n for n in self.nodes if not isinstance(n, AccumulateGrad)]
        found = naming.assigned([(n.site, n.what, n not in self.names) for n in made])
        self.names.update((node, name) for node, name in zip(made, found, strict=True) if name)
        for node in unnamed:
            if node in self.roots and node not in self.names:
                self.names[node] = naming.free("y")
        for node in unnamed:
            if node not in self.names:
                self.names[node] = naming.fresh("v")

    # -- nodes ------------------------------------------------------------------------------------------

    def _add_leaf(self, node: AccumulateGrad) -> None:
        name, x = self.names[node], node.variable
        grad = None if x is None else x.grad
        d = f"∂{name}"
        if grad is not None and grad._a.size == 1:
            stored = f".grad = {phrases.number(float(grad._a.reshape(-1)[0]))}"
        else:
            stored = f".grad {'holds' if grad is not None else '+='} {d if grad is None else 'a gradient'}"
        rules = [stored] if self.arrivals[node] or node in self.roots else []
        role = scene.PARAMETER if self.naming.is_parameter(x) else scene.INPUT
        if x is None:
            rules = ["its tensor is gone"]
        self.out.nodes[self.keys[node]] = scene.Node(
            self.keys[node], role, name, name, [self._type(node)], rules=rules,
            back=f"{d} {phrases.shape_text(node.shape)}",
        )  # fmt: skip

    def _add_operation(self, node: Node) -> None:
        key, name = self.keys[node], self.names[node]
        operands = self._operands(node, key)
        out = self.out
        if isinstance(node, OpNode):
            text = phrases.formula(node.op, operands)
            settings = phrases.settings_text(node.op, node.settings)
            like: Hashable = (node.op.name, node.site)
        else:
            text = f"{node.what}({', '.join(operands)})"
            settings = ""
            like = (node.what, node.site)
        details = [self._type(node)]
        if settings:
            details.append(settings)
        keeps, size = self._keeps(node)
        rules = self._rules(node, operands)
        d = f"∂{name}"
        back = f"{node.name}: {d}"
        if node in self.roots:
            back += " = 1" if int(np.prod(node.shape)) == 1 else " is given"
        role = scene.RESULT if node in self.roots else scene.OPERATION
        site = describe(node.site) if node.site is not None else ""
        out.nodes[key] = scene.Node(
            key, role, name, f"{name} = {text}", details, keeps, size, rules, back, site,
            like if node.site is not None else None, node.site or (None, 0), 1,
        )  # fmt: skip
        for i, edge in enumerate(node.edges):
            if edge is not None:
                out.edges.append(Edge(self.keys[edge], key, _flows(node, i)))
        note = self.notes.get(node)
        if note is not None:
            self.places[key] = note.places
            return
        for edge in node.edges:
            if isinstance(edge, AccumulateGrad) and self.naming.is_parameter(edge.variable):
                self.places[key] = self.naming.places(edge.variable)
                break

    def _operands(self, node: Node, key: str) -> list[str]:
        """What each operand is called; constants become nodes of their own."""
        kept = _kept(node)
        note = self.notes.get(node)
        texts = []
        for i, edge in enumerate(node.edges):
            if edge is not None:
                texts.append(self.names[edge])
                continue
            x = note.operands[i] if note is not None else kept[i] if i < len(kept) else None
            if isinstance(x, TensorBase):
                texts.append(self._constant(x, key))
            else:
                texts.append(phrases.UNKNOWN if x is None else phrases.operand(x))
        return texts

    def _constant(self, x: TensorBase, target: str) -> str:
        name = self.naming.tensor(x)
        if name is None and x._a.ndim == 0:
            return phrases.operand(x._a.item())
        if id(x) not in self.constants:
            key = f"c{len(self.constants)}"
            name = name or self.naming.fresh("c")
            self.constants[id(x)] = key, name, x
            self.out.nodes[key] = scene.Node(
                key, scene.CONSTANT, name, name, [_type_text(x._a.shape, x._a.dtype, x._a)]
            )
        key, name, _ = self.constants[id(x)]
        self.out.edges.append(Edge(key, target))
        return name

    def _type(self, node: Node) -> str:
        return _type_text(node.shape, node.dtype, self.values.get(node))

    def _keeps(self, node: Node) -> tuple[str, int]:
        """What the node keeps for backward, and the bytes of it that nobody before it keeps."""
        if not isinstance(node, OpNode):
            return "", 0
        if node.inputs is FREED:
            return "what it kept was freed", 0
        names, size = [], 0
        for i, x in enumerate(node.inputs or ()):
            if isinstance(x, TensorBase):
                edge = node.edges[i]
                name = self.names[edge] if edge is not None else self.naming.tensor(x)
                names.append(name or (self.constants[id(x)][1] if id(x) in self.constants else "a constant"))
                if not isinstance(edge, AccumulateGrad):
                    size += self._bytes(x._a)
        if isinstance(node.out, Overwritten):
            return "its result, overwritten since", size
        if node.out is not None:
            names.append("its result")
            size += self._bytes(node.out._a if isinstance(node.out, TensorBase) else node.out)
        names = list(dict.fromkeys(names))
        return ("keeps " + ", ".join(names) if names else ""), size

    def _bytes(self, a: np.ndarray[Any, Any]) -> int:
        root: Any = a
        while isinstance(root.base, np.ndarray):
            root = root.base
        if id(root) in self.counted:
            return 0
        self.counted.add(id(root))
        return int(a.nbytes)

    def _rules(self, node: Node, operands: list[str]) -> list[str]:
        name = self.names[node]
        lines = []
        for i, edge in enumerate(node.edges):
            if edge is None or not _flows(node, i):
                continue
            sign = "+=" if self.arrivals[edge] > 1 else "="
            if isinstance(node, OpNode):
                text = phrases.rule(node.op, i, f"∂{name}", operands, name, node.settings)
                if phrases.is_summed(node.op, node.shape, edge.shape):
                    text += f", summed to {phrases.shape_text(edge.shape)}"
            elif isinstance(node, MissingRule):
                lines.append("no gradient rule: backward is an error")
                break
            else:
                text = f"{node.what}.backward(∂{name})"
            lines.append(f"∂{self.names[edge]} {sign} {text}")
        return lines


def _flows(node: Node, i: int) -> bool:
    """Whether a gradient comes back along the i-th edge."""
    return not isinstance(node, OpNode) or node.op.rule_for(i) is not None


def _kept(node: Node) -> Sequence[Any]:
    return node.inputs if isinstance(node, OpNode) and isinstance(node.inputs, list) else ()


def _type_text(shape: Any, kind: np.dtype[Any], value: Any) -> str:
    """`(3, 4) float32`; for one number its value: `= 10.307 float32`."""
    name = FROM_NUMPY[kind].name
    if value is None or value.size != 1:
        return f"{phrases.shape_text(shape)} {name}"
    text = phrases.number(value.reshape(-1)[0].item())
    return f"{'' if not shape else phrases.shape_text(shape) + ' '}= {text} {name}"
