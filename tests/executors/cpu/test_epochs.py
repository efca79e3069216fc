"""Epochs as native loops: what is copied before them, and that what they carry is changed where it lies."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule.executors.cpu.module import build
from chainrule.graph import Graph, trace
from chainrule.utils.data import DataLoader, TensorDataset
from tests.executors.cpu.running import assert_same


def an_epoch(rows: int, shuffle: bool) -> Graph:
    """Linear regression over all rows once, from scratch."""
    torch.manual_seed(0)
    x, y = torch.randn(rows, 3), torch.randn(rows, 1)
    w = torch.zeros(3, 1, requires_grad=True)
    loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=shuffle)

    def epoch() -> Any:
        for xb, yb in loader:
            w.grad = None
            ((xb @ w - yb) ** 2).mean().backward()
            with torch.no_grad():
                w.sub_(0.1 * w.grad)

    return trace(epoch, simplify=True)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("rows", [100, 97])
def test_an_epoch_gives_what_numpy_gives(rows: int, shuffle: bool) -> None:
    assert_same(an_epoch(rows, shuffle), factor=20)


def test_batches_in_order_are_read_where_the_data_lie() -> None:
    kernels = build(an_epoch(100, shuffle=False)).plan.kernels
    assert [k.form for k in kernels] == ["loop"]


def test_parameters_are_changed_in_their_own_memory() -> None:
    builder = build(an_epoch(100, shuffle=True))
    assert builder.memory.copies == []
    (body,) = builder.bodies.values()
    assert body.builder.memory.copies == []
