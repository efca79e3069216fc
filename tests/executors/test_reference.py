"""The reference program: a graph on memory that is given by address."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule.executors.reference import ReferenceProgram
from chainrule.graph import trace


def addresses(*arrays: np.ndarray) -> list[int]:
    return [a.__array_interface__["data"][0] for a in arrays]


def test_inputs_captures_writes_and_outputs() -> None:
    w = torch.tensor([1.0, 2.0])
    n = torch.tensor(3)

    def f(x: torch.Tensor) -> torch.Tensor:
        w.add_(x.sum(0))
        n.add_(1)
        return x * w

    program = ReferenceProgram(trace(f, torch.ones(2, 2)))
    x, weights, count = np.ones((2, 2), np.float32), np.array([1, 2], np.float32), np.array(3)
    (out,) = program.run(addresses(x, weights, count))
    assert out.tolist() == [[3.0, 4.0], [3.0, 4.0]]
    assert (weights.tolist(), count.item()) == ([3.0, 4.0], 4)
    first = out.copy()
    program.run(addresses(x, weights, count))
    assert (out == first).all()
    assert w.tolist() == [1.0, 2.0]  # the memory that was given counts, not the tensor of the trace


def test_empty_and_0d() -> None:
    program = ReferenceProgram(trace(lambda x, y: (x.sum() + y, x * 2), torch.ones(0, 3), 2.0))
    x, y = np.ones((0, 3), np.float32), np.array(2.0, np.float32)
    total, doubled = program.run(addresses(x, y))
    assert (total.tolist(), doubled.shape) == (2.0, (0, 3))


def test_wrong_number_of_addresses() -> None:
    program = ReferenceProgram(trace(lambda x: x * 2, torch.ones(2)))
    with pytest.raises(ValueError, match="shorter"):
        program.run([])


def test_texts() -> None:
    program = ReferenceProgram(trace(lambda x: (x * 2).exp(), torch.ones(2)))
    assert program.show("ir").startswith(
        "# ir: this graph is evaluated with NumPy, value by value\ndef graph(x:"
    )
    assert program.report() == "mul: with NumPy\nexp: with NumPy"
