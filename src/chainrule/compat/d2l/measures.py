"""What is measured while a model learns: time, sums over batches, accuracy, loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ... import Tensor, no_grad
from ...nn import Module

Net = Callable[[Tensor], Tensor]
Batches = Iterable[Any]  # of (X, y)


class Timer:
    """A stopwatch that remembers all its times, in seconds; it starts when it is made.

    >>> timer = Timer()
    >>> timer.stop() >= 0
    True
    >>> len(timer.times)
    1
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin to measure."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """End the measurement, and return how long it took."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """The mean of the times."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """All times together."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """The time passed after each measurement."""
        return [float(total) for total in np.cumsum(self.times)]


class Accumulator:
    """n running sums, such as the loss, the right answers and the samples of an epoch.

    >>> metric = Accumulator(2)
    >>> metric.add(1, 10)
    >>> metric.add(2, 20)
    >>> metric[0], metric[1]
    (3.0, 30.0)
    """

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: Any) -> None:
        """Add a number to each of the sums."""
        self.data = [total + float(value) for total, value in zip(self.data, args, strict=True)]

    def reset(self) -> None:
        """Set all sums to zero."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, index: int) -> float:
        return self.data[index]


def accuracy(y_hat: Tensor, y: Tensor) -> float:
    """How many predictions are right (a count, not a share).

    Shapes:  y_hat (n, classes), whose largest column is the prediction, or (n,) with the predicted classes;
             y (n,).

    >>> import chainrule as torch
    >>> accuracy(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
    1.0
    """
    if y_hat.dim() > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(1)  # (n, classes) -> (n,)
    return float((y_hat.type(y.dtype) == y).sum())


def evaluate_accuracy(net: Net, data_iter: Batches) -> float:
    """The share of right predictions over a data set; dropout is off meanwhile and stays off.

    >>> import chainrule as torch
    >>> x = torch.eye(3)
    >>> evaluate_accuracy(lambda X: X, [(x, torch.tensor([0, 1, 0]))])
    0.6666666666666666
    """
    if isinstance(net, Module):
        net.eval()
    metric = Accumulator(2)  # right, all
    with no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def evaluate_loss(net: Net, data_iter: Batches, loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """The mean loss over a data set.

    Args:    loss: gives one value for each sample (`reduction="none"`).

    >>> import chainrule as torch
    >>> loss = torch.nn.MSELoss(reduction="none")
    >>> evaluate_loss(lambda X: 2 * X, [(torch.ones(4, 1), torch.zeros(4, 1))], loss)
    4.0
    """
    metric = Accumulator(2)  # sum of the losses, their number
    for X, y in data_iter:
        out = net(X)
        values = loss(out, y.reshape(out.shape))
        metric.add(values.sum().detach(), values.numel())
    return metric[0] / metric[1]
