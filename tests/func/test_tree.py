"""Nested structures: flat lists and back."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

from chainrule.func.tree import LEAF, flatten, tree_map

Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    "x",
    [1, (), [], {}, (1,), [1, 2], {"b": 1, "a": (2, [3])}, Pair(1, {"x": 2}), (None, "text", 2.5), [[], ()]],
)
def test_there_and_back(x: Any) -> None:
    leaves, tree = flatten(x)
    again = tree.build(leaves)
    assert again == x
    assert type(again) is type(x)
    assert tree.size == len(leaves)


def test_dicts_keep_their_order_and_structures_compare() -> None:
    leaves, tree = flatten({"b": 1, "a": 2})
    assert leaves == [1, 2]
    assert tree == flatten({"b": 3, "a": 4})[1]
    assert tree != flatten({"a": 1, "b": 2})[1]
    assert flatten((1, 2))[1] != flatten([1, 2])[1]
    assert flatten(5)[1] == LEAF


def test_map() -> None:
    assert tree_map(lambda x: x + 1, {"a": (1, [2])}) == {"a": (2, [3])}
