"""The classes of the book's English edition: a model, data and a trainer, with a few methods to override.

A `Module` says what its loss is and how it is optimised, a `DataModule` where batches come from, and
`Trainer(max_epochs).fit(model, data)` brings them together and draws the losses on a `ProgressBoard`
(`board.py`). Models and data made with them: `experiments.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ... import Tensor, no_grad
from ...nn import Module as LayerModule
from ...nn.utils import clip_grad_norm_
from ...optim import SGD
from ...utils.data import DataLoader, TensorDataset
from .board import ProgressBoard


def add_to_class(Class: type) -> Callable[[Any], None]:
    """A decorator that makes a function a method of a class that exists already.

    >>> class A:
    ...     b = 1
    >>> @add_to_class(A)
    ... def twice(self):
    ...     return 2 * self.b
    >>> A().twice()
    2
    """

    def add(function: Any) -> None:
        setattr(Class, function.__name__, function)

    return add


class HyperParameters:
    """Base of classes whose `__init__` keeps its arguments as attributes, by `save_hyperparameters()`.

    >>> class B(HyperParameters):
    ...     def __init__(self, a, b, c):
    ...         self.save_hyperparameters(ignore=["c"])
    >>> b = B(a=1, b=2, c=3)
    >>> b.a, b.b, hasattr(b, "c"), b.hparams
    (1, 2, False, {'a': 1, 'b': 2})
    """

    hparams: dict[str, Any]

    def save_hyperparameters(self, ignore: Sequence[str] = ()) -> None:
        """Keep the arguments of the method that calls this as attributes, all but `ignore`."""
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        found = frame.f_back.f_locals
        left_out = {"self", *ignore}
        self.hparams = {
            name: value for name, value in found.items() if name not in left_out and not name.startswith("_")
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)


class Module(LayerModule, HyperParameters):
    """Base of models that know their loss and their optimizer: define `loss`, and `net` or `forward`.

    Args:    plot_train_per_epoch, plot_valid_per_epoch: how often its losses are drawn.
    """

    lr: float

    def __init__(self, plot_train_per_epoch: float = 2, plot_valid_per_epoch: float = 1) -> None:
        super().__init__()
        self.plot_train_per_epoch = plot_train_per_epoch
        self.plot_valid_per_epoch = plot_valid_per_epoch
        self.trainer: Trainer | None = None
        self.__dict__["board"] = ProgressBoard()  # not a part of the model, and not to be looked at as one

    def apply_init(self, inputs: Sequence[Tensor], init: Callable[[LayerModule], Any] | None = None) -> None:
        """Give lazy layers of `net` their shapes by a first call, then new starting values to all."""
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    def loss(self, y_hat: Tensor, y: Tensor) -> Tensor:
        """The mean loss of predictions; each model has its own."""
        raise NotImplementedError(f"{type(self).__name__} must define loss(y_hat, y)")

    def forward(self, X: Tensor) -> Tensor:
        """The predictions: those of `net`."""
        if not hasattr(self, "net"):
            raise NotImplementedError(f"{type(self).__name__} must set self.net, or define forward(X)")
        out: Tensor = self.net(X)
        return out

    def plot(self, key: str, value: Tensor, train: bool) -> None:
        """Draw a value of the current batch, averaged over some."""
        trainer = self.trainer
        if trainer is None:  # a step that is tried without a trainer has nothing to draw on
            return
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            every = trainer.num_train_batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            every = trainer.num_val_batches / self.plot_valid_per_epoch
        self.board.xlabel = "epoch"
        self.board.draw(x, value, ("train_" if train else "val_") + key, every_n=max(int(every), 1))

    def training_step(self, batch: Sequence[Tensor]) -> Tensor:
        """The loss of a batch, which the trainer then lowers."""
        loss = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", loss, train=True)
        return loss

    def validation_step(self, batch: Sequence[Tensor]) -> None:
        """Measure a batch of validation data."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)

    def configure_optimizers(self) -> Any:
        """What lowers the loss: SGD with the learning rate `self.lr`."""
        return SGD(self.parameters(), lr=self.lr)


class DataModule(HyperParameters):
    """Base of data for training and validation: define `get_dataloader(train)`."""

    batch_size: int

    def __init__(self, root: str = "../data", num_workers: int = 4) -> None:
        self.root = root
        self.num_workers = num_workers

    def get_dataloader(self, train: bool) -> Iterable[Any]:
        """Batches for training, or for validation."""
        raise NotImplementedError(f"{type(self).__name__} must define get_dataloader(train)")

    def train_dataloader(self) -> Iterable[Any]:
        """Batches for training."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Iterable[Any]:
        """Batches for validation."""
        return self.get_dataloader(train=False)

    def get_tensorloader(
        self, tensors: Sequence[Tensor], train: bool, indices: slice = slice(0, None)
    ) -> DataLoader[Any]:
        """A loader over some rows of tensors, shuffled for training."""
        rows = TensorDataset(*(tensor[indices] for tensor in tensors))
        return DataLoader(rows, self.batch_size, shuffle=train)


class Trainer(HyperParameters):
    """Trains a model for some epochs: `Trainer(max_epochs=3).fit(model, data)`.

    Args:    num_gpus: there are none; it trains on the processor. gradient_clip_val: the largest norm of all
             gradients together; 0 does not limit it.

    >>> import chainrule as torch
    >>> from chainrule.compat.d2l import torch as d2l
    >>> _ = torch.manual_seed(0)
    >>> data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    >>> model = d2l.LinearRegressionScratch(2, lr=0.03)
    >>> Trainer(max_epochs=3).fit(model, data)
    >>> float((model.w.detach().reshape(-1) - data.w).norm()) < 0.3
    True
    >>> model.board.close()
    """

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        self.max_epochs = max_epochs
        self.num_gpus = num_gpus
        self.gradient_clip_val = gradient_clip_val
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self.train_dataloader: Any = None
        self.val_dataloader: Any = None

    def prepare_data(self, data: DataModule) -> None:
        """Get the loaders, and count their batches."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = len(self.val_dataloader) if self.val_dataloader is not None else 0

    def prepare_model(self, model: Module) -> None:
        """Get a model ready to be trained by this trainer."""
        model.__dict__["trainer"] = self
        model.board.xlim = [0, self.max_epochs]
        self.model = model

    def prepare_batch(self, batch: Any) -> Any:
        """A batch where the model is computed: as it is."""
        return batch

    def fit(self, model: Module, data: DataModule) -> None:
        """Train for `max_epochs` epochs."""
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        for epoch in range(self.max_epochs):
            self.epoch = epoch
            self.fit_epoch()

    def fit_epoch(self) -> None:
        """Train on every batch once, then measure on validation data."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            self.optim.zero_grad()
            loss.backward()
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.eval()
        with no_grad():
            for batch in self.val_dataloader:
                self.model.validation_step(self.prepare_batch(batch))
                self.val_batch_idx += 1

    def clip_gradients(self, grad_clip_val: float, model: Module) -> None:
        """Scale all gradients such that their norm together is at most `grad_clip_val`."""
        clip_grad_norm_(model.parameters(), grad_clip_val)
