"""The models of a first course, each with its data, loss and optimizer, to be trained eagerly and compiled.

A `Course` is made anew for each training, from one seed, so that both begin with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as torch
from chainrule import nn
from chainrule.utils.data import DataLoader, TensorDataset

optim = torch.optim
schedulers = torch.optim.lr_scheduler
ROWS, BATCH = 70, 16  # the last batch is short


class Course:
    """step(x, y): one step of training, returns the loss. state: all tensors that training changes."""

    def __init__(self, build: Callable[[Any], Any], kind: Any) -> None:
        torch.manual_seed(11)
        self.loss_type = kind
        self.schedule: Any = None
        self.model: Any = None
        self.state: Callable[[], dict[str, Any]] = dict
        build(self, kind)  # type: ignore[call-arg]
        self.loader = DataLoader(TensorDataset(self.x, self.y), batch_size=BATCH, shuffle=True)

    x: Any
    y: Any
    step: Callable[[Any, Any], Any]

    def data(self, features: int, classes: int = 0, kind: Any = torch.float32, rows: int = ROWS) -> None:
        rng = np.random.default_rng(3)
        x = rng.standard_normal((rows, features))
        truth = rng.standard_normal((features, max(classes, 1)))
        self.x = torch.tensor(x).to(kind)
        scores = x @ truth + 0.1 * rng.standard_normal((rows, max(classes, 1)))
        self.y = torch.tensor(scores.argmax(1)) if classes else torch.tensor(scores + 4.2).to(kind)

    def concise(
        self, model: Any, loss: Any, optimizer: Callable[[Any], Any], schedule: Any = None, clip: Any = None
    ) -> None:
        """A module with an optimizer, trained as in every tutorial."""
        self.model = model.to(self.x.dtype) if self.x.is_floating_point() else model
        opt = optimizer(self.model.parameters())
        if schedule is not None:
            self.schedule = schedule(opt)

        def step(x: Any, y: Any) -> Any:
            opt.zero_grad()
            value = loss(self.model(x), y)
            value.backward()
            if clip is not None:
                clip(self.model.parameters())
            opt.step()
            return value.detach()

        def state() -> dict[str, Any]:
            found = dict(self.model.state_dict())
            for i, p in enumerate(self.model.parameters()):
                found |= {f"{k} of {i}": v for k, v in opt.state[p].items() if isinstance(v, torch.Tensor)}
            return found

        self.step, self.state = step, state

    def from_scratch(self, parameters: list[Any], loss: Callable[[Any, Any], Any], lr: float) -> None:
        """Tensors with gradients, moved by hand."""

        def step(x: Any, y: Any) -> Any:
            value = loss(x, y)
            value.backward()
            with torch.no_grad():
                for p in parameters:
                    p -= lr * p.grad
                    p.grad = None
            return value.detach()

        self.step = step
        self.state = lambda: {str(i): p for i, p in enumerate(parameters)}


def sgd(**options: Any) -> Callable[[Any], Any]:
    return lambda ps: optim.SGD(ps, **({"lr": 0.1} | options))


def linear_scratch(c: Course, kind: Any) -> None:
    c.data(2, kind=kind)
    w = (0.01 * torch.randn(2, 1, dtype=kind)).requires_grad_()
    b = torch.zeros(1, dtype=kind, requires_grad=True)
    c.from_scratch([w, b], lambda x, y: ((x @ w + b - y) ** 2 / 2).mean(), 0.1)


def linear_concise(c: Course, kind: Any) -> None:
    c.data(2, kind=kind)
    c.concise(nn.Linear(2, 1), nn.MSELoss(), sgd())


def softmax_scratch(c: Course, kind: Any) -> None:
    c.data(20, 5, kind)
    w = (0.01 * torch.randn(20, 5, dtype=kind)).requires_grad_()
    b = torch.zeros(5, dtype=kind, requires_grad=True)

    def loss(x: Any, y: Any) -> Any:
        scores = torch.exp(x @ w + b)
        chances = scores / scores.sum(1, keepdim=True)
        return -torch.log(chances[torch.arange(len(x)), y]).mean()

    c.from_scratch([w, b], loss, 0.3)


def softmax_concise(c: Course, kind: Any) -> None:
    c.data(784, 10, kind, rows=300)
    c.concise(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), nn.CrossEntropyLoss(), sgd())


def mlp_scratch(c: Course, kind: Any) -> None:
    c.data(12, 3, kind)
    sizes = [(12, 24), (24, 3)]
    ws = [(0.3 * torch.randn(*s, dtype=kind)).requires_grad_() for s in sizes]
    bs = [torch.zeros(s[1], dtype=kind, requires_grad=True) for s in sizes]

    def loss(x: Any, y: Any) -> Any:
        h = torch.maximum(x @ ws[0] + bs[0], torch.zeros(()).to(kind))
        return nn.functional.cross_entropy(h @ ws[1] + bs[1], y)

    c.from_scratch([*ws, *bs], loss, 0.2)


def mlp(
    hidden: Callable[[], Any], optimizer: Callable[[Any], Any], **more: Any
) -> Callable[[Course, Any], None]:
    def build(c: Course, kind: Any) -> None:
        c.data(12, 3, kind)
        model = nn.Sequential(nn.Linear(12, 33), hidden(), nn.Linear(33, 3))
        c.concise(model, nn.CrossEntropyLoss(), optimizer, **more)

    return build


def large(c: Course, kind: Any) -> None:
    """Large enough for several threads."""
    c.data(196, 10, kind, rows=700)
    model = nn.Sequential(nn.Linear(196, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
    c.concise(model, nn.CrossEntropyLoss(), lambda ps: optim.Adam(ps, lr=0.003, weight_decay=0.01))


def regression_net(c: Course, kind: Any) -> None:
    c.data(10, kind=kind)
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    c.concise(model, nn.HuberLoss(), sgd(lr=0.05, momentum=0.9))


def embedding(c: Course, kind: Any) -> None:
    rng = np.random.default_rng(5)
    c.x = torch.tensor(rng.integers(0, 30, (ROWS, 4)))
    c.y = torch.tensor(rng.integers(0, 3, ROWS))
    model = nn.Sequential(nn.Embedding(30, 8, padding_idx=0), nn.Flatten(), nn.Tanh(), nn.Linear(32, 3)).to(
        kind
    )
    c.concise(model, nn.CrossEntropyLoss(), lambda ps: optim.Adam(ps, lr=0.01))


def binary(c: Course, kind: Any) -> None:
    c.data(6, kind=kind)
    c.y = (c.y > 4.2).to(kind)
    c.concise(nn.Linear(6, 1), nn.BCEWithLogitsLoss(), sgd(weight_decay=0.05))


def norm(*layers: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: nn.Sequential(*(layer() for layer in layers))


def clip_norm(parameters: Any) -> None:
    nn.utils.clip_grad_norm_(parameters, 0.5)


def clip_value(parameters: Any) -> None:
    nn.utils.clip_grad_value_(parameters, 0.02)


COURSES: dict[str, Callable[[Course, Any], None]] = {
    "linear regression from scratch": linear_scratch,
    "linear regression": linear_concise,
    "softmax regression from scratch": softmax_scratch,
    "softmax regression": softmax_concise,
    "MLP from scratch": mlp_scratch,
    "ReLU": mlp(nn.ReLU, sgd()),
    "sigmoid": mlp(nn.Sigmoid, sgd(lr=0.5)),
    "tanh": mlp(nn.Tanh, sgd()),
    "GELU": mlp(nn.GELU, sgd()),
    "dropout": mlp(norm(nn.ReLU, lambda: nn.Dropout(0.4)), sgd()),
    "weight decay": mlp(nn.ReLU, sgd(weight_decay=0.1)),
    "batch norm": mlp(norm(lambda: nn.BatchNorm1d(33), nn.ReLU), sgd()),
    "layer norm": mlp(norm(lambda: nn.LayerNorm(33), nn.Tanh), sgd()),
    "embedding": embedding,
    "binary": binary,
    "a deeper net, Huber loss": regression_net,
    "momentum": mlp(nn.ReLU, sgd(momentum=0.9)),
    "Nesterov": mlp(nn.Tanh, sgd(momentum=0.8, nesterov=True, weight_decay=0.01)),
    "Adam": mlp(nn.Tanh, lambda ps: optim.Adam(ps, lr=0.01)),
    "AMSGrad": mlp(nn.Tanh, lambda ps: optim.Adam(ps, lr=0.01, amsgrad=True, weight_decay=0.01)),
    "AdamW": mlp(nn.Tanh, lambda ps: optim.AdamW(ps, lr=0.01, weight_decay=0.1)),
    "RMSprop": mlp(nn.Tanh, lambda ps: optim.RMSprop(ps, lr=0.01)),
    "RMSprop, centered": mlp(nn.Tanh, lambda ps: optim.RMSprop(ps, lr=0.01, centered=True, momentum=0.5)),
    "Adagrad": mlp(nn.Tanh, lambda ps: optim.Adagrad(ps, lr=0.1)),
    "clipped norm": mlp(nn.ReLU, sgd(), clip=clip_norm),
    "clipped values": mlp(nn.Sigmoid, sgd(), clip=clip_value),
    "step schedule": mlp(nn.Tanh, sgd(), schedule=lambda o: schedulers.StepLR(o, 1, 0.5)),
    "cosine schedule": mlp(
        nn.Tanh, lambda ps: optim.Adam(ps, lr=0.01), schedule=lambda o: schedulers.CosineAnnealingLR(o, 3)
    ),
    "several threads": large,
}
