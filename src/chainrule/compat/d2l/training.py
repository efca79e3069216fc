"""Training as in the book's chapter on linear networks: epochs, their curves, and some predictions.

Errors of the book's own are not repeated: there is no `assert` at the end that a loss must be below 0.5;
the curves show it. What is measured: `measures.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import Tensor
from ...nn import Module
from ...optim import Optimizer
from .animator import Animator
from .figures import show_images
from .images import get_fashion_mnist_labels
from .measures import Accumulator, Batches, Net, accuracy, evaluate_accuracy

Loss = Callable[[Tensor, Tensor], Tensor]


def train_epoch_ch3(
    net: Net, train_iter: Batches, loss: Loss, updater: Optimizer | Callable[[int], Any]
) -> tuple[float, float]:
    """One epoch; returns the mean loss and the share of right predictions while learning.

    Args:    loss: one value for each sample, or their mean.
             updater: an optimizer, which steps on the mean loss; or a function of the batch size, which does
             so on the sum, as `d2l.sgd` in a lambda.

    >>> import chainrule as torch
    >>> net = torch.nn.Linear(2, 2)
    >>> batches = [(torch.eye(2), torch.tensor([0, 1]))] * 50
    >>> loss = torch.nn.CrossEntropyLoss(reduction="none")
    >>> _, right = train_epoch_ch3(net, batches, loss, torch.optim.SGD(net.parameters(), lr=1.0))
    >>> right > 0.5
    True
    """
    if isinstance(net, Module):
        net.train()
    metric = Accumulator(3)  # sum of the losses, right predictions, samples
    for X, y in train_iter:
        y_hat = net(X)
        values = loss(y_hat, y)
        if isinstance(updater, Optimizer):
            updater.zero_grad()
            values.mean().backward()
            updater.step()
        else:
            values.sum().backward()
            updater(X.shape[0])
        total = values.detach().sum() if values.dim() else values.detach() * y.numel()
        metric.add(total, accuracy(y_hat.detach(), y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]


def train_ch3(
    net: Net,
    train_iter: Batches,
    test_iter: Batches,
    loss: Loss,
    num_epochs: int,
    updater: Optimizer | Callable[[int], Any],
) -> None:
    """Train for some epochs and draw loss, training accuracy and test accuracy after each.

    >>> import chainrule as torch
    >>> from chainrule.compat.d2l import torch as d2l
    >>> batches = [(torch.eye(2), torch.tensor([0, 1]))]
    >>> net, loss = torch.nn.Linear(2, 2), torch.nn.CrossEntropyLoss(reduction="none")
    >>> train_ch3(net, batches, batches, loss, 2, torch.optim.SGD(net.parameters(), lr=1.0))
    >>> d2l.plt.close()
    """
    animator = Animator(
        xlabel="epoch", xlim=[1, num_epochs], ylim=[0.3, 0.9], legend=["train loss", "train acc", "test acc"]
    )
    for epoch in range(num_epochs):
        measured = train_epoch_ch3(net, train_iter, loss, updater)
        animator.add(epoch + 1, (*measured, evaluate_accuracy(net, test_iter)))


def predict_ch3(net: Net, test_iter: Batches, n: int = 6) -> None:
    """Show the first n images of a Fashion-MNIST loader, with what they are above what the model says."""
    X, y = next(iter(test_iter))
    named = zip(get_fashion_mnist_labels(y), get_fashion_mnist_labels(net(X).argmax(axis=1)), strict=True)
    titles = [f"{true}\n{predicted}" for true, predicted in named]
    n = min(n, len(titles))
    show_images(X[:n].reshape(n, *X.shape[-2:]), 1, n, titles=titles[:n])
