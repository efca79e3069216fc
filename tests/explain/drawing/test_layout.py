"""The layout on graphs of all kinds: rows follow the edges, nothing overlaps, everything is inside."""

from __future__ import annotations

import random
import time
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from chainrule.explain.drawing.layout import Layout, _nearest, layout, row_sizes
from chainrule.explain.drawing.order import Ends, Tree, arranged
from tests.explain.drawing.geometry import overlap, within


def laid(
    children: dict[str, list[str]],
    edges: list[Ends],
    size: dict[str, tuple[float, float]],
    mirror: bool = False,
) -> tuple[Tree, Layout]:
    tree = Tree.of(children)
    order = arranged(tree, edges)
    title = dict.fromkeys(children, 80.0)
    return tree, layout(tree, order, edges, size, title, row_sizes(tree, order, size), mirror=mirror)


def random_case(seed: int) -> tuple[dict[str, list[str]], list[Ends], dict[str, tuple[float, float]]]:
    """Nodes in the order they ran, groups that are runs of them, edges that go forward."""
    rng = random.Random(seed)
    n = rng.randint(1, 24)
    keys = [f"n{i}" for i in range(n)]
    edges = [
        (keys[i], keys[j])
        for j in range(n)
        for i in rng.sample(range(j), min(j, rng.choice([0, 1, 1, 2, 3])))
    ]
    size = {k: (rng.uniform(20, 250), rng.uniform(20, 90)) for k in keys}
    children: dict[str, list[str]] = {"": list(keys)}
    for g in range(rng.randint(0, 5)):
        box = rng.choice(list(children))
        inside = children[box]
        if len(inside) < 2:
            continue
        a, b = sorted(rng.sample(range(len(inside) + 1), 2))
        children[f"g{g}"] = inside[a:b]
        inside[a:b] = [f"g{g}"]
    return children, edges, size


def check_layout(tree: Tree, found: Layout, edges: list[Ends]) -> None:
    for a, b in combinations(found.nodes.values(), 2):
        assert not overlap(a, b)
    for a, b in combinations(found.boxes.values(), 2):
        assert not overlap(a, b) or within(a, b) or within(b, a)
    for key, r in {**found.nodes, **found.boxes}.items():
        assert r.x >= -1e-6
        assert r.y >= -1e-6
        assert r.right <= found.width + 1e-6
        assert r.bottom <= found.height + 1e-6
        for box, frame in found.boxes.items():
            if box != key:
                around = box in tree.above(key)
                assert (within(r, frame) if around else not overlap(r, frame)) or key in tree.above(box)
    for i, (a, b) in enumerate(edges):
        points = found.paths[i]
        assert found.nodes[a].bottom < found.nodes[b].y
        assert points[0] == (found.nodes[a].middle, found.nodes[a].bottom)
        assert points[-1][1] == found.nodes[b].y
        assert found.nodes[b].x < points[-1][0] < found.nodes[b].right
        for (x1, y1), (x2, y2) in pairwise(points):
            assert y1 <= y2 + 1e-6
            for key, r in found.nodes.items():  # upright pieces and curves stay outside of all other nodes
                if key not in (a, b):
                    low, high = min(x1, x2), max(x1, x2)
                    apart = high <= r.x or low >= r.right or y2 <= r.y + 1e-6 or y1 >= r.bottom - 1e-6
                    assert apart, (edges[i], key)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_graphs(seed: int) -> None:
    children, edges, size = random_case(seed)
    tree, found = laid(children, edges, size)
    check_layout(tree, found, edges)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_mirrored_graphs_have_the_same_heights(seed: int) -> None:
    children, edges, size = random_case(seed)
    _, plain = laid(children, edges, size)
    tree, mirrored = laid(children, edges, size, mirror=True)
    check_layout(tree, mirrored, edges)
    assert {k: r.y for k, r in plain.nodes.items()} == {k: r.y for k, r in mirrored.nodes.items()}


def test_a_chain_is_straight() -> None:
    keys = [f"n{i}" for i in range(6)]
    _, found = laid(
        {"": keys},
        list(pairwise(keys)),
        {k: (50.0 + 9 * i, 20.0) for i, k in enumerate(keys)},
    )
    assert len({round(r.middle, 3) for r in found.nodes.values()}) == 1


def test_leaves_stand_just_above_their_first_reader() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "d"), ("w", "d")]
    _, found = laid({"": ["w", "a", "b", "c", "d"]}, edges, dict.fromkeys("abcdw", (40.0, 20.0)))
    assert found.nodes["w"].y == found.nodes["c"].y


def test_no_crossing_where_none_is_needed() -> None:
    # a0 -> b2, a1 -> b1, a2 -> b0: in the given order all three edges cross.
    edges = [("a0", "b2"), ("a1", "b1"), ("a2", "b0")]
    keys = ["a0", "a1", "a2", "b0", "b1", "b2"]
    _, found = laid({"": keys}, edges, dict.fromkeys(keys, (40.0, 20.0)))
    tops = sorted(("a0", "a1", "a2"), key=lambda k: found.nodes[k].x)
    assert [dict(edges)[k] for k in tops] == sorted(("b0", "b1", "b2"), key=lambda k: found.nodes[k].x)


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        laid({"": ["a", "b"]}, [("a", "b"), ("b", "a")], dict.fromkeys("ab", (1.0, 1.0)))


def test_nearest_places_against_scipy() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        n = 6
        wish, weight = rng.normal(0, 20, n), rng.uniform(0.1, 4, n)
        offset = np.concatenate([[0.0], np.cumsum(rng.uniform(5, 20, n - 1))])
        apart = LinearConstraint(np.diff(np.eye(n), axis=0), np.diff(offset), np.inf)

        def cost(x: Any, wish: Any = wish, weight: Any = weight) -> float:
            return float((weight * (x - wish) ** 2).sum())

        best = minimize(cost, offset, constraints=[apart], method="SLSQP", options={"ftol": 1e-14})
        np.testing.assert_allclose(_nearest(list(wish), list(weight), list(offset)), best.x, atol=1e-3)


def test_a_long_chain_needs_no_recursion() -> None:
    keys = [f"n{i}" for i in range(5000)]
    edges = list(pairwise(keys))
    start = time.perf_counter()
    _, found = laid({"": keys}, edges, dict.fromkeys(keys, (40.0, 20.0)))
    assert len(found.paths) == 4999
    assert time.perf_counter() - start < 20
