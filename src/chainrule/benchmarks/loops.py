"""What pieces of work cost in eager mode: the notes' training loop, one step of a network, and large arrays.

The cost of a single operation is in `operations.py`; whole epochs, compiled as well, in `workloads.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from .measure import Case, Run


def linear_regression(torch: Any) -> Run:
    """Linear regression from scratch, as the book and the course notes write it."""

    def synthetic_data(w: Any, b: float, num_examples: int) -> tuple[Any, Any]:
        X = torch.normal(0, 1, (num_examples, len(w)))
        y = torch.matmul(X, w) + b
        y += torch.normal(0, 0.01, y.shape)
        return X, y.reshape((-1, 1))

    def data_iter(batch_size: int, features: Any, labels: Any) -> Iterator[tuple[Any, Any]]:
        num_examples = len(features)
        indices = list(range(num_examples))
        random.shuffle(indices)
        for i in range(0, num_examples, batch_size):
            batch_indices = torch.tensor(indices[i : min(i + batch_size, num_examples)])
            yield features[batch_indices], labels[batch_indices]

    def linreg(X: Any, w: Any, b: Any) -> Any:
        return torch.matmul(X, w) + b

    def squared_loss(y_hat: Any, y: Any) -> Any:
        return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2

    def sgd(params: list[Any], lr: float, batch_size: int) -> None:
        with torch.no_grad():
            for param in params:
                param -= lr * param.grad / batch_size
                param.grad.zero_()

    random.seed(0)
    torch.manual_seed(0)
    features, labels = synthetic_data(torch.tensor([2, -3.4]), 4.2, 1000)

    def run() -> None:
        w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
        b = torch.zeros(1, requires_grad=True)
        lr, num_epochs, batch_size = 0.03, 3, 10
        for _ in range(num_epochs):
            for X, y in data_iter(batch_size, features, labels):
                loss = squared_loss(linreg(X, w, b), y)
                loss.sum().backward()
                sgd([w, b], lr, batch_size)
            with torch.no_grad():
                train_l = squared_loss(linreg(features, w, b), labels)
        if float(train_l.mean()) > 1e-3:  # a fast wrong answer is worth nothing
            raise RuntimeError("linear regression did not reach the noise of its data")

    return run


def mlp_step(torch: Any) -> Run:
    """One training step of an MLP: zero_grad, forward, backward, update."""
    nn = torch.nn
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    x = torch.from_numpy(generator.standard_normal((256, 784), dtype=np.float32))
    y = torch.from_numpy(generator.integers(0, 10, 256))
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def run() -> None:
        optimizer.zero_grad()
        loss_function(net(x), y).backward()
        optimizer.step()

    return run


def large_add(torch: Any) -> Run:
    a, b = torch.ones(20_000_000), torch.ones(20_000_000)
    return lambda: a + b


LOOPS = [
    Case(
        "linear regression",
        "from scratch: 1,000 samples, 2 features, batch 10, 3 epochs, float32",
        linear_regression,
        limit=1.0,
    ),
    Case("MLP step", "784-256-10, batch 256, cross-entropy, SGD, float32", mlp_step, limit=1.3),
    Case("large add", "a + b, 20 million float32", large_add, limit=0.5),
]
