"""Programs whose graphs are kept as text beside this file. `python tools/write_golden_graphs.py` rewrites
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainrule as torch
from chainrule import nn
from chainrule.graph import Graph, graph_of, simplify, symbol, trace
from chainrule.utils.data import DataLoader, TensorDataset


def linear_regression() -> Graph:
    """One step of stochastic gradient descent, written out."""
    w = torch.zeros(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)

    def step(x: Any, y: Any) -> Any:
        loss = ((x @ w + b - y) ** 2 / 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.03 * p.grad
                p.grad = None
        return loss

    return trace(step, torch.zeros(10, 2), torch.zeros(10, 1))


def mlp() -> Graph:
    """One step of a multilayer perceptron with momentum."""
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        return loss

    x, y = torch.zeros(6, 4), torch.zeros(6, dtype=torch.int64)
    step(x, y)
    return trace(step, x, y)


def epoch() -> Graph:
    """An epoch of softmax regression: shuffled batches, a running loss, and a last batch with fewer rows."""
    net = nn.Linear(3, 2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    data = TensorDataset(torch.zeros(10, 3), torch.zeros(10, dtype=torch.int64))
    loader = DataLoader(data, batch_size=4, shuffle=True)

    def epoch() -> Any:
        total = torch.zeros(())
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            total += loss * len(y)
        return total / len(data)

    return trace(epoch)


def expression() -> Graph:
    """The explicit construction of the notes: c = 2 * a + b."""
    a, b = symbol("a", (2, 1)), symbol("b", (2, 1))
    return graph_of(2 * a + b)


def second_derivative() -> Graph:
    """A derivative of a derivative, and what is left of it."""
    x = symbol("x", (3,), requires_grad=True)
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return graph_of(first, second)


PROGRAMS: dict[str, Callable[[], Graph]] = {
    "linear_regression": linear_regression,
    "linear_regression_simplified": lambda: simplify(linear_regression()),
    "mlp": mlp,
    "mlp_simplified": lambda: simplify(mlp()),
    "epoch": epoch,
    "epoch_simplified": lambda: simplify(epoch()),
    "expression": expression,
    "second_derivative": second_derivative,
    "second_derivative_simplified": lambda: simplify(second_derivative()),
}
