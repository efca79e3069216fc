"""`MLPClassifier` and `MLPRegressor`: hidden layers between the features and a linear model.

The network is `nn`, the step is compiled (`training/step.py`), the loop with its early stopping is
`training/loop.py`. Features, and the targets of a regression, are centered and scaled for the network. Next:
`descent.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin

from .. import from_numpy, nn, no_grad, optim
from ..core.errors import ArgumentError
from ..tensor import Tensor
from .base import Array, Classifier, Estimator, Regressor, classification, regression, seeded
from .descent import batches, train
from .softmax import softmax

Activation = str | Callable[[], nn.Module]
_ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "leaky_relu": nn.LeakyReLU,
    "identity": nn.Identity,
}
_OPTIMIZERS = {"adam": optim.AdamW, "sgd": optim.SGD, "rmsprop": optim.RMSprop}


class _Network(Estimator):
    """The parameters that both have, and how they become a trained network."""

    hidden: Any
    activation: Activation
    dropout: float
    weight_decay: float
    optimizer: str
    lr: float
    epochs: int
    batch_size: int
    early_stopping: bool
    validation_fraction: float
    patience: int
    random_state: Any

    def _layers(self, inputs: int, outputs: int) -> nn.Sequential:
        """Linear, activation and dropout for each hidden layer; then a linear one."""
        widths = (self.hidden,) if isinstance(self.hidden, int | np.integer) else tuple(self.hidden)
        if any(isinstance(w, bool) or not isinstance(w, int | np.integer) or w < 1 for w in widths):
            raise ArgumentError.of(
                type(self).__name__,
                given=f"hidden={self.hidden!r}",
                must="hidden must be the widths of the hidden layers, whole numbers above 0",
                hint="hidden=(64, 64), or hidden=() for none",
            )
        if callable(self.activation):
            make = self.activation
        else:
            make = _ACTIVATIONS[self._one_of("activation", *_ACTIVATIONS)]
        if not 0 <= self._number("dropout", least=0) < 1:
            raise ArgumentError.of(
                type(self).__name__, given=f"dropout={self.dropout!r}", must="dropout must be less than 1"
            )
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Linear(inputs, int(width)), make()]
            layers += [nn.Dropout(self.dropout)] if self.dropout else []
            inputs = int(width)
        return nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def _train(self, x: Array, y: Array, outputs: int, loss: nn.Module, held_out: Array | None) -> None:
        """Train on standardised rows; `held_out` are the numbers of those that only decide when to stop."""
        epochs, patience = self._count("epochs"), self._count("patience")
        lr, decay = self._number("lr", above=0), self._number("weight_decay", least=0)
        make = _OPTIMIZERS[self._one_of("optimizer", *_OPTIMIZERS)]
        learned = np.ones(len(x), bool)
        if held_out is not None:
            learned[held_out] = False
        self.mean_ = x[learned].mean(axis=0)
        spread = x[learned].std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        x = self._standard(x).astype(np.float32)
        self.module_ = self._layers(x.shape[1], outputs)
        extra = {"momentum": 0.9} if self.optimizer == "sgd" else {}
        size = self._count("batch_size")
        validation = None if held_out is None else batches(x[held_out], y[held_out], 4096)
        history = train(
            self,
            self.module_,
            loss,
            make(self.module_.parameters(), lr=lr, weight_decay=decay, **extra),
            batches(
                x[learned], y[learned], size, seed=int(np.random.RandomState(self._seed).randint(2**31 - 1))
            ),
            validation,
            epochs=epochs,
            patience=patience if held_out is not None else None,
        )
        self.losses_ = [epoch.train_loss for epoch in history.epochs]
        self.validation_losses_ = [epoch.val_loss for epoch in history.epochs if epoch.val_loss is not None]
        # Predictions in float64 are the same for one row as for many, to more digits than anybody compares.
        self.module_.double()
        self.n_iter_, self.best_epoch_ = len(history.epochs), history.best

    def _standard(self, x: Array) -> Array:
        result: Array = (x - self.mean_) / self.scale_
        return result

    def __getstate__(self) -> dict[str, Any]:
        """What is stored: the weights as arrays, since tensors and modules are not pickled."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "module_" in state:
            weights = state.pop("module_").state_dict()
            state["_weights"] = {name: value.numpy().copy() for name, value in weights.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same backwards: the network is built again from the parameters it was trained with."""
        state = dict(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            first, *_, last = weights.values()
            self.module_ = self._layers(first.shape[1], len(last)).double().eval()
            self.module_.load_state_dict({name: from_numpy(value) for name, value in weights.items()})

    def _outputs(self, X: Any) -> Array:
        """What the network gives, in eval mode: (n, outputs)."""
        x = self._rows(X)
        with no_grad():
            out: Tensor = self.module_(from_numpy(self._standard(x)))
            values: Array = out.numpy()
        return values

    def _held_out(self, y: Array | None, rows: int, stream: np.random.RandomState) -> Array | None:
        """Numbers of the rows to validate on: a fraction of each class, or of all; None for no stopping."""
        if not self.early_stopping:
            return None
        part = self._number("validation_fraction", above=0)
        if part >= 1:
            raise ArgumentError.of(
                type(self).__name__,
                given=f"validation_fraction={part:g}",
                must="it must be less than 1: the rest is what is learned from",
            )
        groups = [np.arange(rows)] if y is None else [np.flatnonzero(y == k) for k in range(int(y.max()) + 1)]
        # Of each at least one row, but not the only one.
        sizes = [min(max(1, round(len(group) * part)), len(group) - 1) for group in groups]
        chosen = [stream.permutation(group)[:size] for group, size in zip(groups, sizes, strict=True)]
        numbers = np.sort(np.concatenate(chosen))
        if len(numbers) == 0:
            raise ArgumentError.of(
                type(self).__name__,
                given=f"{rows} rows, none of which can be held out",
                must="early stopping needs a row to validate on, of a class that has others to learn from",
                hint="early_stopping=False",
            )
        return numbers


class MLPClassifier(Classifier, _Network):
    """Probabilities of classes by a multilayer perceptron: softmax of the last layer, cross-entropy as loss.

    Parameters
        hidden:         widths of the hidden layers.
        activation:     "relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", "identity", or a function
                        that makes a module, such as a class of `nn`.
        dropout:        the probability of dropping a hidden unit in training.
        weight_decay:   decoupled for "adam" (AdamW), in the gradient for the others.
        optimizer:      "adam", "sgd" (momentum 0.9) or "rmsprop"; lr, epochs, batch_size: of the training.
        early_stopping: hold out `validation_fraction` of the rows, stop when their loss has not improved for
                        `patience` epochs, and keep the weights of the best one.
        random_state:   of the starting weights, the order of rows, dropout and what is held out.
    Attributes
        module_:        the network, a module of `nn`, trained in float32 and float64 since; it takes (X -
                        mean_) / scale_.
        losses_, validation_losses_:  of each epoch. n_iter_, best_epoch_: epochs, and the one whose weights
                                      were kept.

    >>> import numpy as np
    >>> from chainrule.models import MLPClassifier
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])  # xor
    >>> MLPClassifier(hidden=(8,), lr=0.05, epochs=100, random_state=0).fit(X, y).predict(X)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        hidden: Any = (64,),
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        weight_decay: float = 1e-4,
        optimizer: str = "adam",
        lr: float = 0.005,
        epochs: int = 100,
        batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> MLPClassifier:
        """Fit to X (n, features) and classes y (n,)."""
        data = classification(self, X, y)
        with seeded(self.random_state) as self._seed:
            held_out = self._held_out(data.y, len(data.x), np.random.RandomState(self._seed))
            self._train(data.x, data.y, len(data.classes), nn.CrossEntropyLoss(), held_out)
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: (n, classes)."""
        return softmax(self._outputs(X))

    def decision_function(self, X: Any) -> Array:
        """What the last layer gives: (n, classes); for two classes the difference, (n,)."""
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        best = self._outputs(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class MLPRegressor(MultiOutputMixin, Regressor, _Network):  # type: ignore[misc]
    """Numbers by a multilayer perceptron: a linear last layer, the mean squared error as loss.

    Parameters and attributes: those of `MLPClassifier`; losses are of targets with mean 0 and variance 1.

    >>> import numpy as np
    >>> from chainrule.models import MLPRegressor
    >>> X = np.linspace(-3, 3, 50)[:, None]
    >>> model = MLPRegressor(hidden=(32,), activation="tanh", lr=0.02, epochs=200, random_state=0)
    >>> bool(model.fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.99)
    True
    """

    __init__ = MLPClassifier.__init__

    def fit(self, X: Any, y: Any) -> MLPRegressor:
        """Fit to X (n, features) and y (n,) or (n, outputs)."""
        data = regression(self, X, y, outputs=True)
        self.target_mean_, spread = data.y.mean(axis=0), data.y.std(axis=0)
        self.target_scale_ = np.where(spread > 0, spread, 1.0)
        self._single = data.single
        y = ((data.y - self.target_mean_) / self.target_scale_).astype(np.float32)
        with seeded(self.random_state) as self._seed:
            held_out = self._held_out(None, len(data.x), np.random.RandomState(self._seed))
            self._train(data.x, y, y.shape[1], nn.MSELoss(), held_out)
        return self

    def predict(self, X: Any) -> Array:
        """The numbers for each row: (n,), or (n, outputs)."""
        values: Array = self._outputs(X) * self.target_scale_ + self.target_mean_
        return values[:, 0] if self._single else values
