"""Every kind of picture, usual and crowded: all of its texts can be read. And the check itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import chainrule as torch
from chainrule import nn, plot
from tests.plot.looks import unreadable

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 2))
LABELS = (POINTS[:, 0] > 0).astype(int) + (POINTS[:, 1] > 0)
CLOTHES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boots"]


def deep() -> nn.Module:
    return nn.Sequential(*(nn.Linear(30, 30) for _ in range(4)), nn.Linear(30, 10))


def with_gradients() -> nn.Module:
    model = deep()
    (model(torch.ones(4, 30)) ** 2).mean().backward()
    return model


def long_named() -> nn.Module:
    model = nn.Module()
    model.a_layer_with_a_name_that_is_longer_than_its_picture = nn.Linear(30, 30)  # type: ignore[assignment]
    model.another_layer_with_a_name_that_is_long = nn.Linear(30, 30)  # type: ignore[assignment]
    return model


def bowl(w: Any) -> Any:
    return w[0] ** 2 + 4 * w[1] ** 2


def score(x: Any) -> Any:
    return torch.stack([x[:, 0], x[:, 1], -x.sum(1)], 1)


PICTURES: dict[str, Callable[[], Any]] = {
    "lines": lambda: plot.lines(
        [0, 1, 2], [[0, 1, 4], [0, 2, 4]], legend=["x²", "2x"], xlabel="x", ylabel="y", title="two lines"
    ),
    "twelve lines": lambda: plot.lines(np.eye(12), legend=[f"a long name of line {i}" for i in range(12)]),
    "small and log": lambda: plot.lines([1, 10, 1e4], xscale="log", yscale="log", figsize=(3.5, 2.5)),
    "scatter": lambda: plot.scatter(POINTS[:, 0], POINTS[:, 1] * 1e6, xlabel="x", ylabel="y", label="data"),
    "tangent": lambda: plot.tangent(lambda x: 3 * x**2 - 4 * x, 1, (0, 3)),
    "tangents": lambda: plot.tangent(torch.sin, [0, 1, 2.5]),
    "pole": lambda: plot.function(torch.tan, (-5, 5), derivative=True),
    "activations": plot.activations,
    "many activations": lambda: plot.activations("relu", nn.LeakyReLU(0.1), "gelu", "silu", "elu", "tanh"),
    "normal": lambda: plot.normal([0, 0, 3], [1, 2, 1]),
    "tiny numbers": lambda: plot.normal(1e-5, 2e-7),
    "dice": lambda: plot.frequencies(
        RNG.multinomial(10, [1 / 6] * 6, size=300), 1 / 6, outcomes=[f"P(die = {i})" for i in range(1, 7)]
    ),
    "learning curves": lambda: plot.learning_curves(
        {"training": 1 / np.arange(1, 31), "validation": 0.1 + 1 / np.arange(1, 31)}, best=20
    ),
    "one epoch": lambda: plot.learning_curves([0.5]),
    "surface": lambda: plot.loss_surface(bowl, (-4, 2), lr=[0.02, 0.1, 0.26], steps=8, points=15),
    "surface of tiny losses": lambda: plot.loss_surface(lambda w: 1e-8 * bowl(w), (-4, 2), points=15),
    "surface of large losses": lambda: plot.loss_surface(
        lambda w: 1e8 * bowl(w), (-4, 2), lr=1e-9, points=15
    ),
    "weights": lambda: plot.weights(deep()),
    "one weight": lambda: plot.weights(nn.Linear(5, 5, bias=False)),
    "gradients": lambda: plot.gradients(with_gradients()),
    "long names": lambda: plot.weights(long_named()),
    "boundary": lambda: plot.decision_boundary(
        score, POINTS, LABELS, classes=["cat", "dog", "bird"], points=40
    ),
    "regions": lambda: plot.decision_boundary(score, xlim=(-1, 1), ylim=(-1, 1), points=40),
    "confusion": lambda: plot.confusion_matrix(LABELS, LABELS[::-1]),
    "confusion of long names": lambda: plot.confusion_matrix(
        RNG.integers(0, 10, 20000), RNG.integers(0, 10, 20000), classes=CLOTHES, title="clothes"
    ),
    "confusion of 30 classes": lambda: plot.confusion_matrix(np.arange(30), np.arange(30)),
    "confusion of 200 classes": lambda: plot.confusion_matrix(np.arange(200), np.arange(200)),
    "confusion of large counts": lambda: plot.confusion_matrix(
        np.zeros(1234567, int), np.zeros(1234567, int)
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_all_texts_can_be_read(name: str) -> None:
    assert unreadable(PICTURES[name]()) == []


def test_the_check_finds_texts_over_each_other() -> None:
    figure = Figure()
    figure.text(0.5, 0.5, "one")
    figure.text(0.51, 0.5, "two")
    figure.text(0.51, 0.9, "three")
    assert unreadable(figure) == ["'one' lies over 'two'"]


def test_the_check_finds_what_is_cut_off() -> None:
    figure = Figure()
    figure.text(0.97, 0.5, "too far right")
    assert unreadable(figure) == ["'too far right' is cut off"]


def test_the_check_knows_that_slanted_texts_fit_beside_each_other() -> None:
    figure = Figure()
    figure.text(0.3, 0.3, "a slanted text", rotation=45)
    figure.text(0.42, 0.3, "another one", rotation=45)
    assert unreadable(figure) == []
    figure.text(0.31, 0.3, "too close", rotation=45)
    assert unreadable(figure) == ["'a slanted text' lies over 'too close'"]


def test_the_check_leaves_out_ticks_that_are_not_drawn() -> None:
    figure = Figure(layout="constrained")
    ax = figure.add_subplot()
    ax.set_xticks([0.0, 0.5, 1.0, 1.001], ["a", "b", "c", "outside"])
    ax.set_xlim(0, 1)
    assert unreadable(figure) == []
