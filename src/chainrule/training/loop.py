"""The training loop: epochs, validation, early stopping, the best weights, Ctrl-C.

It trains any module with any loss and optimizer, and knows nothing of tables or files. The step itself is in
`step.py`; what is trained on a table, and with which choices, is in `job.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from .. import Tensor, no_grad
from ..explain.doctor import Report, doctor
from ..nn import Module
from ..optim import Optimizer
from .interrupt import stop_on_interrupt
from .step import Loss, Stepper

Batches = Iterable[tuple[Tensor, Tensor]]


class Diverged(ArithmeticError):
    """The loss is no number any more; the weights are of no use."""


@dataclass(frozen=True)
class Epoch:
    """One epoch: the mean loss of its batches while the weights moved, and what validation said after it."""

    number: int
    train_loss: float
    val_loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """All epochs, which one had the best weights (0 for none), and why there are no more."""

    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0
    stopped: Literal["epochs", "patience", "interrupt"] = "epochs"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.stopped == "interrupt"


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    train: Batches,
    validation: Batches | None = None,
    *,
    epochs: int = 100,
    patience: int | None = None,
    metrics: Callable[[], dict[str, float]] | None = None,
    on_step: Callable[[], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    on_report: Callable[[Report], None] | None = None,
) -> History:
    """Train until the epochs are over, validation has not improved for `patience` epochs, or Ctrl-C.

    The model ends with the weights of its best epoch: that with the lowest validation loss or, without
    validation, the last one. Ctrl-C ends the training after the step under way and keeps the best weights of
    the whole epochs so far; before the first one is over there are none, and the model is as it was.

    Args:    loss: `loss(outputs, targets)`, a mean over the batch.
             train, validation: batches (x, y), as a DataLoader gives them, anew in each epoch.
             metrics: called after each epoch, in eval mode and without gradients; its result is kept in the
             history. on_step, on_epoch: called after each batch and each epoch, for a progress bar.
             on_note: is told if steps cannot be compiled, and why; they run as written then.
             on_report: if given, the gradient doctor looks at the model, the optimizer and the first batch
             before the first step, and this is told what it saw; see `chainrule.doctor`. It changes nothing.
    Raises:  Diverged: the training loss of an epoch is infinite or not a number.

    >>> import chainrule as torch
    >>> _ = torch.manual_seed(0)
    >>> x = torch.linspace(-1, 1, 100).reshape(100, 1)
    >>> data = torch.utils.data.TensorDataset(x, 3 * x + 1)
    >>> batches = torch.utils.data.DataLoader(data, batch_size=10, shuffle=True)
    >>> model = torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> history = fit(model, torch.nn.MSELoss(), optimizer, batches, epochs=20)
    >>> len(history.epochs), round(model.weight.item(), 2), round(model.bias.item(), 2)
    (20, 3.0, 1.0)
    """
    history = History()
    start = _copy_of_weights(model)
    best: dict[str, Tensor] = start
    lowest = math.inf
    step = Stepper(model, loss, optimizer, on_note)
    with stop_on_interrupt() as wish:
        for number in range(1, epochs + 1):
            look = None
            if on_report is not None and number == 1:
                look = partial(_consult, model, loss, optimizer, on_report)
            train_loss = _train_epoch(model, step, train, lambda: wish.stop, on_step, look)
            if train_loss is None:
                history.stopped = "interrupt"
                break
            if not math.isfinite(train_loss):
                raise Diverged(f"training diverged: the loss of epoch {number} is not a finite number")
            epoch = _look(model, loss, validation, metrics, number, train_loss)
            history.epochs.append(epoch)
            if epoch.val_loss is None or epoch.val_loss < lowest:
                best, history.best = _copy_of_weights(model), number
                lowest = math.inf if epoch.val_loss is None else epoch.val_loss
            if on_epoch is not None:
                on_epoch(epoch)
            if wish.stop:
                history.stopped = "interrupt"
                break
            if patience is not None and number - history.best >= patience:
                history.stopped = "patience"
                break
        model.load_state_dict(best)
    model.eval()
    return history


def evaluate(model: Module, loss: Loss, batches: Batches) -> float:
    """The mean loss over all samples, in eval mode and without gradients; nan for no samples.

    >>> import chainrule as torch
    >>> batch = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [4.0]])
    >>> evaluate(torch.nn.Identity(), torch.nn.MSELoss(), [batch])
    2.0
    """
    was_training = model.training
    model.eval()
    total, samples = 0.0, 0
    with no_grad():
        for x, y in batches:
            total += float(loss(model(x), y)) * len(x)
            samples += len(x)
    model.train(was_training)
    return total / samples if samples else math.nan


def _train_epoch(
    model: Module,
    step: Stepper,
    batches: Batches,
    stop: Callable[[], bool],
    on_step: Callable[[], None] | None,
    look: Callable[[tuple[Tensor, Tensor]], None] | None,
) -> float | None:
    """One walk over the batches; the mean loss, or None if it was to stop before the end.

    look: is shown the first batch before the model is changed.
    """
    model.train()
    total, samples = 0.0, 0
    for batch in batches:
        if stop():
            return None
        if look is not None:
            look(batch)
            look = None
        # The last batch of an epoch may be smaller: each counts with its number of samples.
        total += float(step(batch)) * len(batch[0])
        samples += len(batch[0])
        if on_step is not None:
            on_step()
    if samples == 0:
        raise ValueError(f"there is nothing to train on: {_described(batches)} gave no batch")
    return total / samples


def _consult(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    tell: Callable[[Report], None],
    batch: tuple[Tensor, Tensor],
) -> None:
    tell(doctor(model, batch, loss, optimizer))


def _described(batches: Batches) -> str:
    size = f" of length {len(batches)}" if isinstance(batches, Sized) else ""
    return f"the {type(batches).__name__}{size}"


def _look(
    model: Module,
    loss: Loss,
    validation: Batches | None,
    metrics: Callable[[], dict[str, float]] | None,
    number: int,
    train_loss: float,
) -> Epoch:
    model.eval()
    with no_grad():
        val_loss = None if validation is None else evaluate(model, loss, validation)
        return Epoch(number, train_loss, val_loss, {} if metrics is None else metrics())


def _copy_of_weights(model: Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
