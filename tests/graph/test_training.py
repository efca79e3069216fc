"""Whole training steps as graphs: all that a step changes is as after eager steps.

That is parameters, buffers, optimizer state and random streams. Graphs run with NumPy here, so all of it must
be equal bit for bit, in each of several steps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn, optim
from chainrule.graph import Graph, simplify, trace
from chainrule.nn import functional as F
from tests.graph.checks import assert_same_bits

STEPS = 3
N, D, C = 6, 4, 3  # samples, features, classes

Maker = Callable[[Any], optim.Optimizer]

OPTIMIZERS: dict[str, Maker] = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.1),
    "SGD decay": lambda ps: optim.SGD(ps, lr=0.1, weight_decay=0.03, maximize=True),
    "SGD momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    "SGD nesterov": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "SGD of a tensor": lambda ps: optim.SGD(ps, lr=torch.tensor(0.1), momentum=0.5),
    "SGD lr=1": lambda ps: optim.SGD(ps, lr=1, momentum=1.0),
    "Adam": lambda ps: optim.Adam(ps, lr=0.02),
    "Adam decay": lambda ps: optim.Adam(ps, lr=0.02, weight_decay=0.1, betas=(0.7, 0.9), eps=1e-3),
    "Adam amsgrad": lambda ps: optim.Adam(ps, lr=0.02, amsgrad=True, maximize=True),
    "Adam capturable": lambda ps: optim.Adam(ps, lr=0.02, capturable=True),
    "Adam of a tensor": lambda ps: optim.Adam(ps, lr=torch.tensor(0.02)),
    "AdamW": lambda ps: optim.AdamW(ps, lr=0.02, weight_decay=0.1),
    "Adagrad": lambda ps: optim.Adagrad(ps, lr=0.1),
    "Adagrad decay": lambda ps: optim.Adagrad(
        ps, lr=0.1, lr_decay=0.2, weight_decay=0.05, initial_accumulator_value=0.1, maximize=True
    ),
    "RMSprop": lambda ps: optim.RMSprop(ps, lr=0.02),
    "RMSprop momentum": lambda ps: optim.RMSprop(ps, lr=0.02, momentum=0.8, weight_decay=0.05),
    "RMSprop centered": lambda ps: optim.RMSprop(ps, lr=0.02, centered=True, maximize=True),
    "two groups": lambda ps: optim.AdamW(
        [{"params": ps[:1], "lr": 0.1}, {"params": ps[1:], "betas": (0.5, 0.6), "weight_decay": 0}]
    ),
}


def mlp(*middle: Any) -> nn.Module:
    return nn.Sequential(nn.Linear(D, 5), *middle, nn.Linear(5, C))


class Words(nn.Module):
    """An embedding with everything, and its mean over the words."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, D, padding_idx=2, max_norm=1.0, scale_grad_by_freq=True)
        self.head = nn.Linear(D, C)

    def forward(self, x: Any) -> Any:
        rows = (x[:, :3] * 10).abs().long() % 7  # (n, d) -> (n, 3)
        return self.head(self.table(rows).mean(1))  # (n, 3, d) -> (n, d) -> (n, c)


class Halves(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.both = nn.Bilinear(2, 2, C)
        self.scale = nn.Parameter(torch.tensor(0.5))  # 0-d

    def forward(self, x: Any) -> Any:
        return self.both(x[:, :2], x[:, 2:]) * self.scale


ACTIVATIONS = [
    nn.CELU(0.7), nn.ELU(), nn.GELU(), nn.GELU("tanh"), nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(),
    nn.LeakyReLU(), nn.LogSigmoid(), nn.LogSoftmax(1), nn.Mish(), nn.PReLU(5), nn.ReLU(), nn.ReLU6(),
    nn.SELU(), nn.SiLU(), nn.Sigmoid(), nn.Softmax(1), nn.Softmin(1), nn.Softplus(), nn.Softsign(), nn.Tanh(),
    nn.Softshrink(0.1), nn.Tanhshrink(), nn.Threshold(0.1, 2.0), nn.Identity(),
]  # fmt: skip

MODELS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(D, C),
    "dropout": lambda: mlp(nn.ReLU(), nn.Dropout(0.4), nn.Identity()),
    "dropout in place": lambda: mlp(nn.Dropout(0.4, inplace=True)),
    "batch norm": lambda: mlp(nn.BatchNorm1d(5), nn.ReLU()),
    "batch norm, average": lambda: mlp(nn.BatchNorm1d(5, momentum=None)),
    "batch norm, nothing kept": lambda: mlp(nn.BatchNorm1d(5, track_running_stats=False, affine=False)),
    "batch norm of channels": lambda: mlp(
        nn.Unflatten(1, (5, 1)), nn.BatchNorm1d(5), nn.Flatten(), nn.LayerNorm(5)
    ),
    "layer norm": lambda: mlp(nn.LayerNorm(5), nn.ReLU()),
    "embedding": Words,
    "bilinear": Halves,
    "float64": lambda: mlp(nn.Dropout(0.2), nn.Tanh()).double(),
}
MODELS |= {str(layer): partial(lambda layer: mlp(copy.deepcopy(layer)), layer) for layer in ACTIVATIONS}


def numbers(y: Any) -> Any:
    return y.long() % C


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "MSE": lambda out, y: nn.MSELoss()(out, y),
    "L1": lambda out, y: nn.L1Loss()(out, y),
    "Huber": lambda out, y: nn.HuberLoss(delta=0.5)(out, y),
    "SmoothL1": lambda out, y: nn.SmoothL1Loss()(out, y),
    "cross entropy": lambda out, y: nn.CrossEntropyLoss()(out, numbers(y[:, 0])),
    "cross entropy of all kinds": lambda out, y: nn.CrossEntropyLoss(
        weight=torch.tensor([1.0, 2.0, 0.5], dtype=out.dtype), ignore_index=1, label_smoothing=0.1
    )(out, numbers(y[:, 0])),
    "cross entropy of probabilities": lambda out, y: nn.CrossEntropyLoss()(out, F.softmax(y, 1)),
    "NLL": lambda out, y: nn.NLLLoss()(F.log_softmax(out, 1), numbers(y[:, 0])),
    "BCE": lambda out, y: nn.BCELoss()(out.sigmoid(), y.sigmoid()),
    "BCE with logits": lambda out, y: nn.BCEWithLogitsLoss(pos_weight=y[0].abs())(out, y.sigmoid()),
    "KL": lambda out, y: nn.KLDivLoss(reduction="batchmean")(F.log_softmax(out, 1), F.softmax(y, 1)),
    "Poisson": lambda out, y: nn.PoissonNLLLoss(full=True)(out, y.abs() * 3),
    "Gaussian": lambda out, y: nn.GaussianNLLLoss()(out, y, out.square() + 0.1),
    "multi margin": lambda out, y: nn.MultiMarginLoss()(out, numbers(y[:, 0])),
    "margin ranking": lambda out, y: nn.MarginRankingLoss(0.3)(out[:, 0], out[:, 1], y[:, 0].sign()),
    "hinge embedding": lambda out, y: nn.HingeEmbeddingLoss()(out, y.sign()),
    "cosine": lambda out, y: (1 - F.cosine_similarity(out, y)).sum() + F.normalize(out).sum(),
}


def clip_norm(model: nn.Module, opt: optim.Optimizer) -> None:
    nn.utils.clip_grad_norm_(model.parameters(), 0.3)


def clip_value(model: nn.Module, opt: optim.Optimizer) -> None:
    nn.utils.clip_grad_value_(model.parameters(), 0.05)


def nothing(model: nn.Module, opt: optim.Optimizer) -> None:
    pass


CLIPS = [nothing, clip_norm, clip_value]


class Run:
    """A model with its optimizer, and its training step."""

    def __init__(self, model: str, optimizer: str, loss: str, clip: Any, keep: bool = False) -> None:
        torch.manual_seed(1)
        self.model = MODELS[model]()
        self.opt = OPTIMIZERS[optimizer](list(self.model.parameters()))
        self.loss, self.clip, self.keep = LOSSES[loss], clip, keep
        self.steps = 0
        torch.manual_seed(5)

    def batch(self) -> tuple[Any, Any]:
        """The next batch, which does not depend on the default stream."""
        g = torch.Generator().manual_seed(self.steps)
        self.steps += 1
        kind = next(self.model.parameters()).dtype
        return torch.randn(N, D, generator=g, dtype=kind), torch.randn(N, C, generator=g, dtype=kind)

    def step(self, x: Any, y: Any) -> Any:
        self.opt.zero_grad(set_to_none=not self.keep)
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.clip(self.model, self.opt)
        self.opt.step()
        return loss

    def trace(self, simplified: bool) -> Graph:
        before = torch.get_rng_state()
        graph = trace(self.step, *Run.batch(self))
        self.steps -= 1
        assert torch.equal(torch.get_rng_state(), before)
        return simplify(graph) if simplified else graph

    def all(self) -> Any:
        """Everything that a step changes."""
        state = [self.opt.state[p] for p in self.model.parameters()]
        values = [value for s in state for _, value in sorted(s.items())]
        grads = [p.grad for p in self.model.parameters()] if self.keep else []
        return [*self.model.parameters(), *self.model.buffers(), *values, *grads, torch.get_rng_state()]


def check(model: str, optimizer: str, loss: str, clip: Any, first: int = 0, keep: bool = False) -> Run:
    """`first` eager steps, and then STEPS runs of a graph: as after as many eager steps."""
    eager = Run(model, optimizer, loss, clip, keep)
    wanted = [
        [eager.step(*eager.batch()).detach(), *(x.detach().clone() for x in eager.all())]
        for _ in range(first + STEPS)
    ]
    for simplified in (False, True):
        run = Run(model, optimizer, loss, clip, keep)
        for i in range(first):
            assert_same_bits([run.step(*run.batch()).detach(), *run.all()], wanted[i], f"eager step {i}")
        graph = run.trace(simplified)
        for i in range(first, first + STEPS):
            assert_same_bits([graph(*run.batch()), *run.all()], wanted[i], f"step {i}, {simplified=}")
        assert all(a.holds() for a in graph.assumptions)
    return run


def spread(names: list[str], others: list[Any]) -> list[tuple[str, Any]]:
    """Every name with one of the others in turn."""
    return [(name, others[i % len(others)]) for i, name in enumerate(names)]


@pytest.mark.parametrize(("optimizer", "clip"), spread([*OPTIMIZERS], CLIPS))
def test_optimizers(optimizer: str, clip: Any) -> None:
    check("dropout", optimizer, "cross entropy", clip)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_after_a_first_step(optimizer: str) -> None:
    check("batch norm", optimizer, "MSE", nothing, first=1)


@pytest.mark.parametrize(("model", "optimizer"), spread([*MODELS], [*OPTIMIZERS]))
def test_layers(model: str, optimizer: str) -> None:
    check(model, optimizer, "cross entropy", nothing)


@pytest.mark.parametrize(("loss", "optimizer"), spread([*LOSSES], [*OPTIMIZERS][3:]))
def test_losses(loss: str, optimizer: str) -> None:
    check("linear", optimizer, loss, clip_norm)


@pytest.mark.parametrize("clip", CLIPS)
def test_gradients_that_are_filled_with_zeros(clip: Any) -> None:
    check("dropout", "Adam", "MSE", clip, first=1, keep=True)


def test_a_closure() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.5)

    def closure() -> Any:
        opt.zero_grad()
        loss = (w * torch.rand(2)).sum()
        loss.backward()
        return loss

    graph = trace(lambda x: opt.step(closure) * x, 1.0)
    torch.manual_seed(3)
    u = torch.rand(2)
    torch.manual_seed(3)
    assert_same_bits(graph(1.0), (torch.tensor([1.0, 2.0]) * u).sum(), "loss")
    assert_same_bits(w.detach(), torch.tensor([1.0, 2.0]) - 0.5 * u, "step")


def test_dampening_needs_a_first_step() -> None:
    OPTIMIZERS["SGD dampening"] = lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.3)
    try:
        check("linear", "SGD dampening", "MSE", nothing, first=1)
    finally:
        del OPTIMIZERS["SGD dampening"]


def test_a_first_gradient_of_negative_zeros_is_the_first_velocity() -> None:
    velocities = []
    for run_graph in (False, True):
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        opt = optim.SGD([w], lr=0.1, momentum=0.9)

        def step(x: Any, w: Any = w, opt: Any = opt) -> Any:
            (w * x).sum().backward()
            opt.step()
            opt.zero_grad()
            return w.sum()

        x = torch.tensor([-0.0, 3.0])
        if run_graph:
            trace(step, x)(x)
        else:
            step(x)
        velocities.append(opt.state[w]["momentum_buffer"])
    assert_same_bits(velocities[1], velocities[0], "velocity")
