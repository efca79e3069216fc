"""Scene: what a drawing shows, before anybody knows where.

One idea: **forward and backward are one graph.** A `Node` is a value with the text of its operation and,
where a gradient flows, the text of its gradient rules; an `Edge` is an operand, and says whether a gradient
comes back along it. The forward picture shows the first texts and the edges downward, the backward picture
beside it the second texts and the same edges upward. Groups (layers, loops) form a tree above the nodes.

Nothing here knows tapes, graphs or coordinates. Filled by `from_tape.py` and `from_graph.py`; `grouping.py`
builds and folds the groups; next: `layout.py`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

# What a node is; the renderers give each role its own look.
INPUT = "input"  # a leaf that wants a gradient, or an input of an explicit graph
PARAMETER = "parameter"  # a leaf that belongs to a module
CONSTANT = "constant"  # a value that no gradient flows to
OPERATION = "operation"
RESULT = "result"  # what was asked for; an operation, or a leaf
FOLDED = "folded"  # a group shown as one node
ROLES = (INPUT, PARAMETER, CONSTANT, OPERATION, RESULT, FOLDED)


@dataclass(slots=True)
class Node:
    """One value.

    key:     unlike that of every other node or group.
    name:    what the value is called: `v3`.
    title:   the name, or name and formula: `v3 = x1 * x2`.
    details: further lines: shape and type, the value of a scalar.
    keeps:   what is kept for backward, one phrase; empty if nothing is.
    bytes:   the memory of that.
    rules:   per gradient that leaves backward here a line such as `∂x1 += ∂v3 * x2`; for a leaf what happens
             to its `.grad`. Empty: no gradient comes here.
    back:    title of the backward node.
    site:    the user's line, as text; empty if unknown.
    like:    equal for nodes made by the same operation at the same place of the user's program.
    place:   where that is: the code and the number of the instruction.
    count:   operations it stands for: 1 for an operation, 0 for a leaf, more for a folded group.
    """

    key: str
    role: str
    name: str
    title: str
    details: list[str] = field(default_factory=list)
    keeps: str = ""
    bytes: int = 0
    rules: list[str] = field(default_factory=list)
    back: str = ""
    site: str = ""
    like: Hashable = None
    place: tuple[Hashable, int] = (None, 0)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` is an operand of `target`; with `gradient`, a gradient comes back along it."""

    source: str
    target: str
    gradient: bool = False


@dataclass(slots=True)
class Group:
    """A box around nodes and other groups.

    path:     how `fold=` names it: `encoder.fc1`, `loop train.py:12`.
    children: keys of nodes and groups, in the order they ran.
    """

    key: str
    title: str
    path: str
    children: list[str] = field(default_factory=list)
    parent: str | None = None


@dataclass(slots=True)
class Scene:
    """Everything that is drawn. `top` are the keys of the nodes and groups that are in no group."""

    name: str
    nodes: dict[str, Node] = field(default_factory=dict)  # in the order they ran: operands come first
    edges: list[Edge] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)  # parents first
    top: list[str] = field(default_factory=list)

    def parents(self) -> dict[str, str | None]:
        """The group of each node and group; None at the top."""
        above: dict[str, str | None] = dict.fromkeys(self.top)
        for group in self.groups.values():
            above.update((child, group.key) for child in group.children)
        return above

    def inside(self, group: str) -> Iterator[str]:
        """The nodes in a group, at any depth, in order."""
        stack = [group]
        while stack:
            key = stack.pop()
            if key in self.groups:
                stack.extend(reversed(self.groups[key].children))
            else:
                yield key

    def depth(self, group: str) -> int:
        """1 for a group at the top."""
        n, above = 1, self.groups[group].parent
        while above is not None:
            n, above = n + 1, self.groups[above].parent
        return n

    @property
    def has_backward(self) -> bool:
        return any(node.rules for node in self.nodes.values())

    @property
    def operations(self) -> int:
        return sum(node.count for node in self.nodes.values())

    @property
    def kept_bytes(self) -> int:
        return sum(node.bytes for node in self.nodes.values())


def unique(edges: Iterable[Edge]) -> list[Edge]:
    """Edges with the same ends as one, which carries a gradient if any of them does."""
    found: dict[tuple[str, str], bool] = {}
    for e in edges:
        ends = (e.source, e.target)
        found[ends] = found.get(ends, False) or e.gradient
    return [Edge(a, b, gradient) for (a, b), gradient in found.items()]
