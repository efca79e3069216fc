"""One step of training: a batch goes forward, its loss comes back, the optimizer moves the weights.

It is a function of its own because everything else about training is bookkeeping: this is the part that is
worth compiling. `loop.py` calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import Tensor
from ..nn import Module
from ..optim import Optimizer

Loss = Callable[[Any, Any], Tensor]


def train_step(model: Module, loss: Loss, optimizer: Optimizer, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Move the weights by one step down the gradient of `loss(model(x), y)`; return the loss before it.

    >>> import chainrule as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    >>> batch = torch.tensor([[1.0]]), torch.tensor([[3.0]])
    >>> train_step(model, torch.nn.MSELoss(), optimizer, batch)  # (1 - 3)²; its gradient is 2 (1 - 3)
    tensor(4.)
    >>> model.weight.item()
    2.0
    """
    x, y = batch
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value.detach()
