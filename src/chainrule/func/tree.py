"""Nested arguments and results: tuples, lists, dicts and named tuples of tensors, as flat lists and back.

Next: `variables.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Build = Callable[[list[Any]], Any]


class Tree(NamedTuple):
    """The shape of a nested structure.

    kind:  tuple, list, dict or a named tuple's class; None for a leaf.
    keys:  of a dict, in its order.
    """

    kind: type | None
    keys: tuple[Any, ...]
    parts: tuple[Tree, ...]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return 1 if self.kind is None else sum(part.size for part in self.parts)

    def build(self, leaves: list[Any]) -> Any:
        """The structure again, with these leaves in order."""
        rest = iter(leaves)
        return self._build(rest)

    def _build(self, rest: Any) -> Any:
        if self.kind is None:
            return next(rest)
        parts = [part._build(rest) for part in self.parts]
        if self.kind is dict:
            return dict(zip(self.keys, parts, strict=True))
        return self.kind(*parts) if hasattr(self.kind, "_fields") else self.kind(parts)


LEAF = Tree(None, (), ())


def flatten(x: Any) -> tuple[list[Any], Tree]:
    """The leaves of a nested structure in order, and its shape; whatever is no container is a leaf.

    >>> leaves, tree = flatten((1, {"a": 2, "b": [3, 4]}))
    >>> leaves
    [1, 2, 3, 4]
    >>> tree.build([10, 20, 30, 40])
    (10, {'a': 20, 'b': [30, 40]})
    """
    if not isinstance(x, dict | tuple | list):
        return [x], LEAF
    leaves: list[Any] = []
    parts = []
    for value in x.values() if isinstance(x, dict) else x:
        found, part = flatten(value)
        leaves += found
        parts.append(part)
    if isinstance(x, dict):
        return leaves, Tree(dict, tuple(x), tuple(parts))
    return leaves, Tree(type(x), (), tuple(parts))


def tree_map(f: Callable[[Any], Any], x: Any) -> Any:
    """The structure with f applied to each leaf."""
    leaves, tree = flatten(x)
    return tree.build([f(leaf) for leaf in leaves])
