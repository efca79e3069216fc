"""Models for the doctor: sound ones, and the same with one fault planted.

A patient is a function of a seed that gives the arguments of `doctor`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import chainrule as cr
from chainrule import nn
from chainrule.nn import functional as F

Patient = Callable[[int], tuple[Any, ...]]
HEALTHY: dict[str, Patient] = {}
ILL: dict[str, tuple[str, str, Patient]] = {}  # name -> (kind, where, patient)


def healthy(patient: Patient) -> Patient:
    HEALTHY[patient.__name__] = patient
    return patient


def ill(kind: str, where: str) -> Callable[[Patient], Patient]:
    def keep(patient: Patient) -> Patient:
        ILL[patient.__name__] = (kind, where, patient)
        return patient

    return keep


def classes(seed: int, rows: int = 64, features: int = 20, labels: int = 5) -> tuple[cr.Tensor, cr.Tensor]:
    """Standard normal features, and the label that a random linear map likes best."""
    cr.manual_seed(seed)
    x = cr.randn(rows, features)
    return x, (x @ cr.randn(features, labels)).argmax(1)


def line(seed: int, rows: int = 64, features: int = 3) -> tuple[cr.Tensor, cr.Tensor]:
    """Standard normal features, and a noisy sum of them."""
    cr.manual_seed(seed)
    x = cr.randn(rows, features)
    return x, x @ cr.randn(features, 1) + 0.1 * cr.randn(rows, 1)


def deep(widths: list[int], activation: type[nn.Module], gain: float | None = None) -> nn.Sequential:
    """Linear layers with an activation between them; with a gain, weights of variance gain² / inputs."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
        if gain is not None:
            nn.init.normal_(layers[-2].weight, 0.0, gain / math.sqrt(inputs))
            nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


def mlp(*hidden: int) -> nn.Sequential:
    return deep([20, *(hidden or (64, 64)), 5], nn.ReLU)


def sgd(model: nn.Module, lr: float = 0.1, **options: Any) -> Any:
    return cr.optim.SGD(model.parameters(), lr=lr, **options)


# -- sound


@healthy
def linear_regression(seed: int) -> tuple[Any, ...]:
    batch = line(seed)
    model = nn.Linear(3, 1)
    return model, batch, nn.MSELoss(), sgd(model, 0.03)


@healthy
def linear_regression_from_scratch(seed: int) -> tuple[Any, ...]:
    batch = line(seed)
    w = cr.normal(0, 0.01, (3, 1)).requires_grad_()
    b = cr.zeros(1, requires_grad=True)

    def net(x: cr.Tensor) -> cr.Tensor:
        return x @ w + b

    def squared_loss(y_hat: cr.Tensor, y: cr.Tensor) -> cr.Tensor:
        return ((y_hat - y.reshape(y_hat.shape)) ** 2 / 2).mean()

    return net, batch, squared_loss, cr.optim.SGD([w, b], lr=0.03)


@healthy
def softmax_regression_from_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Linear(20, 5)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@healthy
def mlp_with_dropout_and_batch_norm(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 5),
    )  # fmt: skip
    return model, batch, nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=1e-3)


@healthy
def mlp_of_the_notes(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    x = (cr.rand(64, 28, 28) * (cr.rand(64, 28, 28) > 0.6)).clamp(max=1.0)  # ink on empty paper
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    for layer in (model[1], model[3]):
        nn.init.normal_(layer.weight, std=0.01)
    y = (x[:, :14].sum((1, 2)) * 3).long() % 10
    return model, (x, y), nn.CrossEntropyLoss(), sgd(model, 0.1)


@healthy
def five_relu_layers(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp(64, 64, 64, 64)
    return model, batch, nn.CrossEntropyLoss(), cr.optim.AdamW(model.parameters(), lr=1e-3)


@healthy
def ten_relu_layers_that_keep_the_variance(seed: int) -> tuple[Any, ...]:
    batch = classes(seed, 128)
    model = deep([20, *[64] * 10, 5], nn.ReLU, math.sqrt(2))
    return model, batch, nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=1e-4)


@healthy
def ten_tanh_layers(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = deep([20, *[64] * 10, 5], nn.Tanh, 1.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 0.01, momentum=0.9)


@healthy
def two_sigmoid_layers(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    x = cr.randn(100, 8)
    y = (x[:, :1] > 0).float()
    model = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 1), nn.Sigmoid())
    return model, (x, y), nn.BCELoss(), sgd(model, 0.5)


@healthy
def modern_activations(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.GELU(), nn.Linear(64, 64), nn.SiLU(), nn.LayerNorm(64),
        nn.Linear(64, 64), nn.LeakyReLU(0.1), nn.Linear(64, 32), nn.ELU(), nn.Linear(32, 5),
    )  # fmt: skip
    return model, batch, nn.CrossEntropyLoss(label_smoothing=0.1), cr.optim.AdamW(model.parameters(), lr=1e-3)


class Branching(nn.Module):
    """Python control flow, a layer used several times, functions instead of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(20, 64)
        self.shared = nn.Linear(64, 64)
        self.last = nn.Linear(64, 5)
        self.calls = 0

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        self.calls += 1
        h = F.relu(self.first(x))
        while h.norm() < 40:
            h = 2 * h
        for _ in range(3):
            h = h + 0.3 * F.relu(self.shared(h))
        return self.last(h if h.sum() > 0 else -h)


@healthy
def control_flow_and_a_shared_layer(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = Branching()
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 0.01)


@healthy
def embedding_model(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    words = cr.randint(0, 30, (64, 4))
    y = words[:, 0] % 3
    model = nn.Sequential(nn.Embedding(30, 16), nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 3))
    return model, (words, y), nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=1e-2)


@healthy
def support_vector_machine(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    x = cr.randn(64, 2) + 2 * cr.tensor([[1.0, 1.0]]) * (cr.arange(64) % 2 * 2 - 1).reshape(-1, 1)
    y = (cr.arange(64) % 2 * 2.0 - 1).reshape(-1, 1)
    model = nn.Linear(2, 1)

    def hinge(scores: cr.Tensor, y: cr.Tensor) -> cr.Tensor:
        return F.relu(1 - y * scores).mean() + 0.01 * (model.weight**2).sum()

    return model, (x, y), hinge, sgd(model, 0.1)


@healthy
def raw_inputs_with_batch_norm_first(seed: int) -> tuple[Any, ...]:
    x, y = classes(seed)
    x = x * 10.0 ** cr.linspace(-2, 4, 20) + 100
    model = nn.Sequential(nn.BatchNorm1d(20), *mlp())
    return model, (x, y), nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=1e-3)


# -- with a fault


@ill("dead", "3")
def dead_relus(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    nn.init.constant_(model[2].bias, -20.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("dead", "relu after shared (use 1)")
def dead_relus_of_a_function(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = Branching()
    nn.init.constant_(model.shared.bias, -100.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 0.01)


@ill("saturated", "1")
def saturated_sigmoids(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.Sigmoid(), nn.Linear(64, 5))
    nn.init.normal_(model[0].weight, std=8.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("saturated", "1")
def saturated_tanh(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = deep([20, 64, 64, 64, 5], nn.Tanh, 1.0)
    nn.init.normal_(model[0].weight, std=5.0)
    return model, batch, nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=1e-4)


@ill("vanishing", "16")
def ten_sigmoid_layers(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = deep([20, *[64] * 10, 5], nn.Sigmoid, 1.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("vanishing", "12")
def weights_too_small(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = deep([20, *[64] * 8, 5], nn.Tanh, 0.2)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("exploding", "14")
def weights_too_large(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = deep([20, *[64] * 10, 5], nn.ReLU, 4.0)
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 1e-4)


@ill("variance", "12")
def variance_that_fades(seed: int) -> tuple[Any, ...]:
    """Each layer keeps 0.6²/2 of the variance: too little, though the gradient has not vanished yet."""
    batch = classes(seed)
    model = deep([20, *[64] * 7, 5], nn.ReLU, 0.6)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("learning rate too large", "")
def rate_beyond_the_curvature(seed: int) -> tuple[Any, ...]:
    batch = line(seed)
    model = nn.Linear(3, 1)
    return model, batch, nn.MSELoss(), sgd(model, 3.0)


@ill("learning rate too large", "")
def adam_with_rate_5(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    return model, batch, nn.CrossEntropyLoss(), cr.optim.Adam(model.parameters(), lr=5.0)


@ill("learning rate too small", "")
def rate_of_a_billionth(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 1e-9)


@ill("learning rate too small", "")
def adam_with_rate_1e_8(seed: int) -> tuple[Any, ...]:
    batch = line(seed)
    model = nn.Linear(3, 1)
    return model, batch, nn.MSELoss(), cr.optim.Adam(model.parameters(), lr=1e-8)


@ill("learning rate 0", "")
def rate_of_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 0.0)


class Logarithm(nn.Module):
    def forward(self, x: cr.Tensor) -> cr.Tensor:
        return x.relu().log()


@ill("not finite", "1")
def logarithm_of_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Sequential(nn.Linear(20, 64), Logarithm(), nn.Linear(64, 5))
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("not finite", "")
def root_of_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Linear(20, 5)
    nn.init.zeros_(model.weight)
    return (
        model,
        batch,
        lambda scores, y: F.cross_entropy(scores, y) + (model.weight**2).sum().sqrt(),
        sgd(model),
    )


@ill("not finite", "")
def missing_value_in_the_batch(seed: int) -> tuple[Any, ...]:
    x, y = classes(seed)
    x[3, 7] = math.nan
    model = mlp()
    return model, (x, y), nn.CrossEntropyLoss(), sgd(model)


@ill("no gradient", "4")
def unused_layer(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()

    class Partial(nn.Sequential):
        def forward(self, x: cr.Tensor) -> cr.Tensor:
            return self[2](self[1](self[0](x)))[:, :5]

    return Partial(*model), batch, nn.CrossEntropyLoss(), sgd(model, 0.1)


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(20, 64)
        self.head = nn.Linear(64, 5)

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        return self.head(F.relu(self.body(x)).detach())


@ill("no gradient", "body")
def detached_layer(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = Detached()
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("symmetric", "0")
def constant_weights(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    for p in model.parameters():
        nn.init.constant_(p, 0.1)
    return model, batch, nn.CrossEntropyLoss(), sgd(model, 0.01)


@ill("zero weights", "0")
def weights_of_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    for p in model.parameters():
        nn.init.zeros_(p)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("zero weights", "2")
def one_layer_of_zero(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    nn.init.zeros_(model[2].weight)
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


class Deaf(nn.Module):
    """Its forward takes x, and computes with something else."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = mlp()
        self.register_buffer("example", cr.randn(64, 20))

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        return self.layers(self.example)


@ill("input ignored", "")
def input_that_is_not_used(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = Deaf()
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("labels", "")
def labels_from_one(seed: int) -> tuple[Any, ...]:
    x, y = classes(seed)
    y[:5] = cr.arange(5)
    model = mlp()
    return model, (x, y + 1), nn.CrossEntropyLoss(), sgd(model)


@ill("softmax twice", "")
def softmax_before_cross_entropy(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = nn.Sequential(*mlp(), nn.Softmax(dim=1))
    return model, batch, nn.CrossEntropyLoss(), sgd(model)


@ill("sigmoid twice", "")
def sigmoid_before_its_loss(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    x = cr.randn(100, 8)
    y = (x[:, :1] > 0).float()
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    return model, (x, y), nn.BCEWithLogitsLoss(), sgd(model)


@ill("not log-probabilities", "")
def scores_for_nll_loss(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    return model, batch, nn.NLLLoss(), sgd(model)


@ill("input scale", "0")
def income_beside_age(seed: int) -> tuple[Any, ...]:
    cr.manual_seed(seed)
    x = cr.stack([50_000 + 20_000 * cr.randn(64), 3 + cr.randn(64), cr.randn(64)], 1)
    y = (x[:, :1] - 50_000) / 20_000 + x[:, 1:2]
    model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
    return model, (x, y), nn.MSELoss(), sgd(model, 0.01)


@ill("input scale", "1")
def pixels_from_0_to_255(seed: int) -> tuple[Any, ...]:
    model, (x, y), loss, optimizer = mlp_of_the_notes(seed)
    return model, (255 * x, y), loss, optimizer


@ill("shapes", "")
def column_against_row(seed: int) -> tuple[Any, ...]:
    x, y = line(seed)
    model = nn.Linear(3, 1)
    return model, (x, y.squeeze(1)), lambda prediction, y: ((prediction - y) ** 2).mean(), sgd(model, 0.03)


@ill("not in optimizer", "2")
def layer_that_the_optimizer_does_not_have(seed: int) -> tuple[Any, ...]:
    batch = classes(seed)
    model = mlp()
    parts = [*model[0].parameters(), *model[4].parameters()]
    return model, batch, nn.CrossEntropyLoss(), cr.optim.SGD(parts, lr=0.1)
