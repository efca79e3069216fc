"""Early stopping: the epoch after which a large model learns its rows by heart. Next: `splitting.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import nn
from ..functions.pointwise import sin
from ..functions.sampling import rand, randn
from ..nn.functional import mse_loss
from ..optim import Adam
from ..tape.mode import no_grad
from ..tensor import Tensor
from ..training import evaluate, fit
from ..utils.data import DataLoader, TensorDataset
from .result import Result, positive
from .training import seeded, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def early_stopping(
    *,
    rows: int = 30,
    hidden: int = 100,
    noise: float = 0.5,
    epochs: int = 400,
    patience: int = 50,
    lr: float = 0.001,
    seed: int = 0,
) -> Result:
    """Train a large network on few noisy rows, to the end and with early stopping, and test both on new rows.

    y = sin(3 x₁) + noise, with nine inputs that mean nothing. Validation has as many rows as training, the
    test 500. Both runs start at the same weights and see the same batches; `training.fit` stops one of them
    when validation has not improved for `patience` epochs, and puts its best weights back.

    Returns: "history", "stopped_history" (`training.History`); "test" errors (to the end, stopped);
             "validation" errors of the same two; "best": the epoch whose weights were kept; "model": the
             stopped one, and "validation_rows", its (x, y).

    >>> from chainrule import experiments
    >>> result = experiments.early_stopping()
    >>> to_the_end, stopped = result["test"]
    >>> stopped < to_the_end, 0 < result["best"] < 100
    (True, True)
    """
    positive("early_stopping", rows=rows, hidden=hidden, epochs=epochs, patience=patience, lr=lr)
    inputs = 10
    with seeded(seed):
        x = 2 * rand(2 * rows + 500, inputs) - 1
        y = sin(3 * x[:, :1]) + noise * randn(len(x), 1)
        start = {name: value.clone() for name, value in _network(inputs, hidden).state_dict().items()}
    parts = [(x[a:b], y[a:b]) for a, b in ((0, rows), (rows, 2 * rows), (2 * rows, len(x)))]
    training, validation, test = (TensorDataset(*part) for part in parts)
    histories, models = [], []
    for wait in (None, patience):
        model = _network(inputs, hidden)
        model.load_state_dict(start)
        optimizer = Adam(model.parameters(), lr=lr)
        with seeded(seed + 1):
            batches = DataLoader(training, batch_size=10, shuffle=True)
            held_out = DataLoader(validation, batch_size=rows)
            # The weights at the end are wanted, not the best ones: so no validation, but a look of our own.
            if wait is None:
                curve: list[float] = []
                look = _Look(model, parts[1], curve)
                history = fit(model, mse_loss, optimizer, batches, epochs=epochs, on_epoch=look)
            else:
                history = fit(model, mse_loss, optimizer, batches, held_out, epochs=epochs, patience=wait)
        histories.append(history)
        models.append(model)
    errors = [
        [evaluate(model, mse_loss, DataLoader(part, batch_size=500)) for part in (training, validation, test)]
        for model in models
    ]
    best = histories[1].best
    table = (
        ("to the end", len(histories[0].epochs), None, *errors[0]),
        ("early stopping", len(histories[1].epochs), best, *errors[1]),
    )
    return Result(
        f"A network of {hidden} hidden units on {rows} rows, with and without early stopping",
        ("training", "epochs", "weights kept of epoch", "train error", "validation error", "test error"),
        table,
        (
            f"Noise alone makes an error of {noise**2:.3g}. To the end, the network learns the noise of its "
            "rows; stopped early, it is better on rows that nobody has looked at.",
        ),
        {
            "history": histories[0],
            "stopped_history": histories[1],
            "validation": [error[1] for error in errors],
            "test": [error[2] for error in errors],
            "train": [error[0] for error in errors],
            "best": best,
            "model": models[1],
            "validation_rows": parts[1],
            "curve": curve,
        },
        lambda ax: _draw(ax, [epoch.train_loss for epoch in histories[0].epochs], curve, best),
    )


class _Look:
    """Notes the validation error after each epoch."""

    def __init__(self, model: nn.Module, rows: tuple[Tensor, Tensor], curve: list[float]) -> None:
        self.model, self.rows, self.curve = model, rows, curve

    def __call__(self, epoch: object) -> None:
        with no_grad():
            self.curve.append(mse_loss(self.model(self.rows[0]), self.rows[1]).item())


def _network(inputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
    )


def _draw(ax: Axes | None, training: list[float], validation: list[float], best: int) -> Axes:
    from .. import plot

    return plot.learning_curves(
        {"training": training, "validation": validation}, best=best, ylabel="mean squared error", ax=ax
    )
