"""Linear and softmax regression and the multilayer perceptron: which one suits a table, how it is built.

The choices that `Settings` leaves open are made here. A `ModelSpec` is what a model is made from and what is
stored of it; the weights are stored beside it (`run.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from .. import optim
from ..data import DataError, Task
from ..data.checked import Fields
from ..nn import CrossEntropyLoss, Dropout, Linear, Module, MSELoss, ReLU, Sequential, init
from .settings import Settings
from .step import Loss

ModelKind = Literal["linear", "softmax", "mlp"]

# With fewer rows the many weights of an mlp find more chance than law, and a linear model is as good or
# better.
ROWS_FOR_MLP = 1000
# Small batches learn more in an epoch, large ones do more in a second: 10 to 200 steps in an epoch.
SMALLEST_BATCH, USUAL_BATCH, LARGEST_BATCH = 4, 32, 1024
FEWEST_STEPS, MOST_STEPS = 10, 200


@dataclass(frozen=True)
class ModelSpec:
    """What a model is made from."""

    kind: ModelKind
    inputs: int
    outputs: int
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0

    def build(self) -> Module:
        """A new model, its first weights drawn from the global random stream.

        Shapes:  (rows, inputs) -> (rows, outputs): scores of the classes, or one standardised number.

        >>> ModelSpec("mlp", 4, 3, hidden=(8,)).build()
        Sequential(
          (0): Linear(in_features=4, out_features=8, bias=True)
          (1): ReLU()
          (2): Linear(in_features=8, out_features=3, bias=True)
        )
        """
        if self.kind != "mlp":
            layer = Linear(self.inputs, self.outputs)
            # Nearly zero: training then moves from "nothing matters" to what the rows say, and no further
            # than it must.
            init.normal_(layer.weight, 0.0, 0.01)
            for bias in [layer.bias] if layer.bias is not None else []:
                init.zeros_(bias)
            return layer
        layers: list[Module] = []
        width = self.inputs
        for wider in self.hidden:
            layers += [Linear(width, wider), ReLU()]  # (rows, width) -> (rows, wider)
            if self.dropout:
                layers.append(Dropout(self.dropout))
            width = wider
        return Sequential(*layers, Linear(width, self.outputs))

    def describe(self) -> str:
        """`mlp 64-256-10`, `linear regression`, `softmax regression`."""
        if self.kind != "mlp":
            return f"{self.kind} regression"
        return f"mlp {'-'.join(str(width) for width in (self.inputs, *self.hidden, self.outputs))}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dump`."""
        return {
            "kind": self.kind,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "hidden": list(self.hidden),
            "dropout": self.dropout,
        }

    @classmethod
    def from_json(cls, data: Fields) -> ModelSpec:
        """The inverse of `to_json`. Raises DataError, naming the place, for what cannot be right."""
        dropout = data.number("dropout", least=0)
        if dropout >= 1:
            raise DataError(f"{data.where('dropout')} must be below 1, not {dropout:g}")
        return cls(
            cast(ModelKind, data.choice("kind", ("linear", "softmax", "mlp"))),
            data.whole("inputs", least=1),
            data.whole("outputs", least=1),
            tuple(data.wholes("hidden")),
            dropout,
        )


def decide(settings: Settings, task: Task, rows: int, train_rows: int) -> tuple[Settings, str]:
    """The settings with nothing left open, and why this model.

    >>> decided, why = decide(Settings(), "classification", rows=569, train_rows=370)
    >>> decided.model, why
    ('softmax', 'fewer than 1,000 rows')
    """
    why = "as asked"
    if settings.model == "auto":
        enough = rows >= ROWS_FOR_MLP
        simple = "linear" if task == "regression" else "softmax"
        settings = replace(settings, model="mlp" if enough else simple)
        why = f"{'at least' if enough else 'fewer than'} {ROWS_FOR_MLP:,} rows"
    is_mlp = settings.model == "mlp"
    for name in ("hidden", "dropout"):
        if not is_mlp and getattr(settings, name) is not None:
            raise DataError(f"--{name} is for --model mlp; this is {settings.model} regression ({why})")
    defaults: dict[str, Any] = {"batch_size": _batch_size(train_rows)}
    if is_mlp and task == "classification":
        defaults |= {"hidden": (256,), "dropout": 0.3}
    elif is_mlp:
        # Dropped units make a smooth curve rough; two narrow layers bend it where it is needed.
        defaults |= {"hidden": (64, 64), "dropout": 0.0}
    if settings.optimizer == "sgd":
        defaults |= {"lr": 0.01}
    else:
        defaults |= {"lr": 0.002 if is_mlp else 0.005}
    if settings.optimizer == "adamw":  # it alone decays the weights apart from the gradient
        defaults |= {"weight_decay": (0.5 if task == "classification" else 0.1) if is_mlp else 0.01}
    else:
        defaults |= {"weight_decay": 0.0001}
    return replace(
        settings, **{key: value for key, value in defaults.items() if getattr(settings, key) is None}
    ), why


def make_loss(task: Task) -> Loss:
    """Mean squared error of standardised numbers, or cross-entropy of class scores."""
    return MSELoss() if task == "regression" else CrossEntropyLoss()


def make_optimizer(settings: Settings, model: Module) -> optim.Optimizer:
    """The optimizer of the settings, which must be decided."""
    lr, weight_decay = settings.lr or 0.0, settings.weight_decay or 0.0
    if settings.optimizer == "sgd":
        return optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    if settings.optimizer == "adam":
        return optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)
    if settings.optimizer == "rmsprop":
        return optim.RMSprop(model.parameters(), lr=lr, weight_decay=weight_decay)
    return optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)


def _batch_size(train_rows: int) -> int:
    size = USUAL_BATCH
    while size < LARGEST_BATCH and train_rows > size * MOST_STEPS:
        size *= 2
    while size > SMALLEST_BATCH and train_rows < size * FEWEST_STEPS:
        size //= 2
    return size
