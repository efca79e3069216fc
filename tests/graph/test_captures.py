"""Which tensors from outside become constants, and how they are written."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as torch
from chainrule.graph import graph_of, symbol, trace

X = torch.ones(2, 3)


def lines(graph: Any) -> list[str]:
    return [line.strip() for line in str(graph).splitlines()]


def test_what_nobody_else_holds_is_a_constant() -> None:
    assert (
        lines(trace(lambda x: x + torch.tensor([1.0, 2.0, 4.0]), X))[1]
        == "v1: float32[3] = constant([1.0, 2.0, 4.0])"
    )
    held = torch.tensor([1.0, 2.0, 4.0])
    assert lines(trace(lambda x: x + held, X))[0] == "def graph(x: float32[2, 3], *, c1: float32[3]):"


def test_what_shares_memory_with_something_held_is_read_at_each_run() -> None:
    array = np.array([1.0, 2.0, 4.0], np.float32)
    whole = torch.zeros(2, 3)
    rows = [whole[1]]
    g = trace(lambda x: x + torch.from_numpy(array) + rows.pop(), X)
    array[0], whole[1, 1] = 10, 20
    assert g(X).tolist() == [[11.0, 23.0, 5.0]] * 2


def test_one_number_everywhere_is_written_once() -> None:
    assert lines(trace(lambda x: x + torch.zeros(2, 3), X))[1:3] == [
        "v1: float32[()] = constant(0.0)",
        "v2: float32[2, 3] = expand(v1, shape=(2, 3))",
    ]
    nan = torch.full((6,), torch.nan)
    assert (
        lines(trace(lambda x: x.sum() + nan * torch.full((6,), torch.nan), X))[2]
        == "v2: float32[()] = constant(nan)"
    )
    mixed = [0.0, -0.0, 0.0, 0.0, 0.0, 0.0]
    assert f"v2: float32[6] = constant({mixed})" in lines(
        trace(lambda x: x.reshape(6) + torch.tensor(mixed), X)
    )
    negative = trace(lambda x: x * torch.full((2, 3), -0.0), X)
    assert "constant(-0.0)" in str(negative)
    assert np.signbit(negative(X)._a).all()


def test_the_root_of_a_gradient_is_no_capture() -> None:
    w = symbol("w", (6,), requires_grad=True)
    (dw,) = torch.autograd.grad((w * w).sum(), w, create_graph=True)
    for _ in range(2):  # asking does not change the expression
        g = graph_of(dw)
        assert g.captures == []
        assert g(torch.arange(6.0)).tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def test_names_of_captures_are_not_those_of_inputs() -> None:
    held = torch.tensor(5.0)
    g = trace(lambda c1, *rest: c1 * held + rest[0], 2.0, 3.0)
    assert lines(g)[0] == "def graph(c1: float32[()], x2: float32[()], *, c2: float32[()]):"
    assert g(2.0, 3.0).item() == 13.0
    assert lines(trace(lambda x2, *rest: x2 + rest[0], 1.0, 2.0))[0].startswith(
        "def graph(x2: float32[()], x3:"
    )
    assert lines(trace(lambda inf: inf + float("inf"), 1.0)) == [
        "def graph(v1: float32[()]):", "v2: float32[()] = add(v1, inf)", "return v2",
    ]  # fmt: skip


def test_one_capture_for_one_tensor_among_symbols() -> None:
    s, c = symbol("s", (2,)), torch.tensor([1.0, 2.0])
    g = graph_of((s * c + c) / c)
    assert len(g.captures) == 1
    c.fill_(4)
    assert g([1.0, 2.0]).tolist() == [2.0, 3.0]


def test_what_is_made_inside_may_be_changed_inside() -> None:
    def f(x: Any) -> Any:
        total = torch.zeros(2, 3)
        total[0] = x[1]
        total += x
        copied = torch.empty(2, 3)
        return total, copied.copy_(x)

    g = trace(f, X)
    assert (g.captures, g.writes) == ([], [])
    for _ in range(2):
        assert all(torch.equal(a, b) for a, b in zip(g(X), f(X), strict=True))
