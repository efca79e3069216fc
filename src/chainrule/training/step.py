"""One step of training: a batch goes forward, its loss comes back, the optimizer moves the weights.

It is a function of its own because everything else about training is bookkeeping: this is the part that is
worth compiling, which `Stepper` does. `loop.py` calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import Tensor
from ..compiler import CompileError, compile
from ..graph import GraphError, TraceError
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


class Stepper:
    """`train_step` for one model, loss and optimizer: compiled, or as written where that is not possible.

    note:  is told, once, why steps cannot be compiled.

    >>> import chainrule as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> step = Stepper(model, torch.nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.125))
    >>> batch = torch.tensor([[1.0]]), torch.tensor([[3.0]])
    >>> step(batch), step(batch)
    (tensor(4.), tensor(2.2500))
    """

    def __init__(
        self, model: Module, loss: Loss, optimizer: Optimizer, note: Callable[[str], None] | None = None
    ) -> None:
        def step(x: Tensor, y: Tensor) -> Tensor:
            return train_step(model, loss, optimizer, (x, y))

        self._as_written = step
        self._compiled = compile(step)
        self._note = note

    def __call__(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Move the weights by one step; the loss before it."""
        x, y = batch
        if self._compiled is not None:
            try:
                loss: Tensor = self._compiled(x, y)
                return loss
            except (CompileError, GraphError, TraceError) as err:  # nothing has happened yet
                self._compiled = None
                if self._note is not None:
                    self._note(
                        f"training is not compiled, which makes it slower: {' '.join(str(err).split())}"
                    )
        return self._as_written(x, y)
