"""Training a module on arrays, the way the notes do it: minibatches, a loss, an optimizer, epochs.

The steps are those of `training/step.py`, compiled. Rows may have weights, which travel as the last column
of the targets. Next: `linear.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import from_numpy
from ..core.errors import ArgumentError
from ..functions.sampling import Generator
from ..nn import Module
from ..optim import Optimizer
from ..tensor import Tensor
from ..training.loop import Batches, Diverged, History, fit
from ..utils.data import DataLoader, TensorDataset
from .base import Array, Estimator

RowLoss = Callable[[Tensor, Tensor], Tensor]  # a loss for each row: (n, ...), (n, ...) -> (n,)


def batches(x: Array, y: Array, size: int, *, seed: int | None = None) -> DataLoader[Any]:
    """Minibatches of rows; in a new order in each epoch if there is a seed."""
    rows = TensorDataset(from_numpy(x), from_numpy(y))
    if seed is None:
        return DataLoader(rows, batch_size=min(size, len(x)))
    stream = Generator().manual_seed(seed)
    return DataLoader(rows, batch_size=min(size, len(x)), shuffle=True, generator=stream)


def with_weights(y: Array, weights: Array | None) -> Array:
    """Targets (n, k) with the weights of their rows as one more column, scaled to a mean of 1."""
    w = np.ones(len(y)) if weights is None else weights / weights.mean()
    return np.concatenate([y, w[:, None]], axis=1)


def weighted(loss: RowLoss) -> Callable[[Any, Any], Tensor]:
    """The mean of a loss over rows, for targets made by `with_weights`."""

    def mean(out: Tensor, y: Tensor) -> Tensor:
        return (loss(out, y[:, :-1]) * y[:, -1]).mean()

    return mean


def train(
    model: Estimator,
    module: Module,
    loss: Callable[[Any, Any], Tensor],
    optimizer: Optimizer,
    rows: Batches,
    validation: Batches | None = None,
    *,
    epochs: int,
    patience: int | None = None,
) -> History:
    """Train in place; raises ArgumentError with what to try if the loss becomes infinite."""
    try:
        return fit(module, loss, optimizer, rows, validation, epochs=epochs, patience=patience)
    except Diverged as err:
        raise ArgumentError.of(
            type(model).__name__,
            given=f"lr={optimizer.param_groups[0]['lr']:g}",
            must=str(err),
            hint="a smaller lr, and columns of similar sizes: make_pipeline(StandardScaler(), ...)",
        ) from None
