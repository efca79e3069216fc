"""What a formula is made of: a dozen kinds of nodes, and how tightly each sign binds.

Nodes are plain data, equal when they say the same; `at` is where a node stood in the text it was read from.
Nothing is computed here. Next: `read.py` for text -> tree, `write.py` for tree -> text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

Place = tuple[int, int]  # the first letter and the one after the last

# How tightly signs bind, the loosest first; Python's order.
(
    STATEMENT, CONDITIONAL, OR, AND, NOT, COMPARE, BITOR, XOR, BITAND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM
) = range(15)  # fmt: skip
RANK: Final = {
    "or": OR, "and": AND, "<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "==": COMPARE,
    "!=": COMPARE, "xor": COMPARE, "|": BITOR, "^": XOR, "&": BITAND, "<<": SHIFT, ">>": SHIFT, "+": SUM,
    "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER,
}  # fmt: skip
ATTRIBUTES: Final = ("T", "mT", "shape", "dtype")  # x.mT is a part of x; encoder.weight is a name with a dot


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula."""

    at: Place | None = field(default=None, compare=False, repr=False, kw_only=True)

    @property
    def rank(self) -> int:
        """How tightly it holds together."""
        return ATOM


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Node):
    """A number that is not negative, or True, False, None."""

    value: int | float | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and repr(self.value) == repr(other.value)  # 1, 1.0 and True differ

    def __hash__(self) -> int:
        return hash(repr(self.value))


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A value by its name, which may have dots; `...` is the name of "some place"."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before its operand: `-`, `+`, `~`, `not`."""

    sign: str
    x: Node

    @property
    def rank(self) -> int:
        return NOT if self.sign == "not" else UNARY


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """A sign between its operands."""

    sign: str
    x: Node
    y: Node

    @property
    def rank(self) -> int:
        return RANK[self.sign]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`yes if test else no`."""

    test: Node
    yes: Node
    no: Node

    @property
    def rank(self) -> int:
        return CONDITIONAL


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function, or with `of` a method of a value."""

    function: str
    arguments: tuple[Node, ...] = ()
    settings: tuple[tuple[str, Node], ...] = ()
    of: Node | None = None


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """One of ATTRIBUTES of a value."""

    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`of[key]`; several keys are a Group."""

    of: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`start:stop:step` in an index."""

    start: Node | None
    stop: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Group(Node):
    """A tuple or, with `bracket="["`, a list."""

    items: tuple[Node, ...]
    bracket: str = "("


@dataclass(frozen=True, slots=True)
class Star(Node):
    """`*items` among the arguments of a call."""

    items: Node


@dataclass(frozen=True, slots=True)
class Equation(Node):
    """`left = right`: says what something is."""

    left: Node
    right: Node

    @property
    def rank(self) -> int:
        return STATEMENT


@dataclass(frozen=True, slots=True)
class Altered(Node):
    """`of with place = value`, or `+=`: a value in which something was written."""

    of: Node
    place: Node
    sign: str
    value: Node

    @property
    def rank(self) -> int:
        return STATEMENT


def number(value: int | float | None) -> Node:
    """The node of any number: a negative one is a sign before a number, as it is read."""
    if isinstance(value, bool) or value is None:
        return Constant(value)
    if math.isnan(value):
        return Name("nan")
    if value < 0 or (value == 0 and math.copysign(1, value) < 0):
        return Unary("-", number(-value))
    return Name("inf") if math.isinf(value) else Constant(value)


def value_of(node: Node) -> int | float | None:
    """The number that a node says outright; None for all else."""
    if isinstance(node, Unary) and node.sign == "-":
        inner = value_of(node.x)
        return None if inner is None else -inner
    if isinstance(node, Constant) and not isinstance(node.value, bool):
        return node.value
    return None


def parts(node: Node) -> Iterator[Node]:
    """The nodes directly below one, in the order of reading."""
    if isinstance(node, Conditional):  # fields are in the order of computing
        yield from (node.yes, node.test, node.no)
        return
    if isinstance(node, Call) and node.of is not None:
        yield node.of
    for name in _FIELDS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, Node):
            if not (name == "of" and isinstance(node, Call)):
                yield value
        elif isinstance(value, tuple):
            for item in value:
                yield item if isinstance(item, Node) else item[1]


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of reading; deep trees too."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(parts(node))))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with `change` applied to the nodes directly below it; itself if that changes nothing."""
    changes: dict[str, Any] = {}
    for name in _FIELDS[type(node)]:
        old = getattr(node, name)
        new = old
        if isinstance(old, Node):
            new = change(old)
        elif isinstance(old, tuple):
            new = tuple(
                change(item) if isinstance(item, Node) else (item[0], change(item[1])) for item in old
            )
        if new != old:
            changes[name] = new
    return replace(node, **changes) if changes else node


_FIELDS: Final[dict[type[Node], tuple[str, ...]]] = {
    kind: tuple(f.name for f in fields(kind) if f.name not in ("at", "sign", "name", "function", "bracket"))
    for kind in (
        Constant, Name, Unary, Binary, Conditional, Call, Attribute, Index, Slice, Group, Star, Equation,
        Altered,
    )
}  # fmt: skip
