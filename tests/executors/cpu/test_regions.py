"""Regions: which kernels run block by block, and that their results do not depend on who runs the blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.executors.cpu.module import build
from chainrule.graph import Graph, trace
from tests.executors.cpu.running import assert_same, run_native


def a_step(width: int, rows: int) -> tuple[Graph, list[Any]]:
    """A training step of a small network, and inputs for it."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = torch.randn(rows, 10), torch.randn(rows, 1)
    return trace(step, x, y, simplify=True), [x.numpy(), y.numpy()]


def regions_of(graph: Graph) -> list[tuple[int, int]]:
    """(kernels, blocks) of each region."""
    return [(len(r.kernels), r.blocks) for r in build(graph).regions]


def test_the_layers_of_a_small_network_are_one_region_without_the_weights_products() -> None:
    graph, _ = a_step(64, 32)
    ((kernels, blocks),) = regions_of(graph)
    assert blocks == 2
    assert kernels == 9  # three layers, the loss, two gradients, and three sums for biases


@pytest.mark.parametrize(
    ("width", "rows", "why"),
    [(8, 32, "too little work"), (64, 31, "rows that do not divide"), (64, 16, "blocks too small")],
)
def test_no_region_where_it_would_not_pay(width: int, rows: int, why: str) -> None:
    graph, _ = a_step(width, rows)
    assert regions_of(graph) == [], why


@pytest.mark.parametrize("rows", [32, 64, 96])
def test_blocks_give_what_numpy_gives(rows: int) -> None:
    graph, inputs = a_step(64, rows)
    assert regions_of(graph)
    assert_same(graph, *inputs, factor=20)


def test_one_thread_and_two_give_the_same_bits() -> None:
    graph, inputs = a_step(64, 64)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append([x for part in run_native(graph, *inputs) for x in part])
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_rows_that_need_other_rows_end_a_region() -> None:
    w = torch.randn(64, 64)

    def program(x: Any) -> Any:
        y = torch.tanh(x @ w) @ w
        return torch.tanh((y - y.mean(0)) @ w) @ w

    x = torch.randn(64, 64)
    graph = trace(program, x, simplify=True)
    assert len(regions_of(graph)) == 2
    assert_same(graph, x.numpy(), factor=20)
