"""Histograms of weights and gradients: every number is counted, and what is said about them is right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import chainrule as torch
from chainrule import nn, plot


def counted(ax: Any) -> int:
    return int(sum(bar.get_height() for bar in ax.patches))


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5))


def test_every_weight_is_counted() -> None:
    net = model()
    figure = plot.weights(net)
    names = ["0.weight (30, 20)", "0.bias (30)", "2.weight (5, 30)", "2.bias (5)"]
    assert [ax.get_title() for ax in figure.axes] == names
    for ax, p in zip(figure.axes, net.parameters(), strict=True):
        values = np.asarray(p.detach(), dtype=np.float64)
        assert counted(ax) == values.size
        low, high = ax.patches[0].get_x(), ax.patches[-1].get_x() + ax.patches[-1].get_width()
        np.testing.assert_allclose([low, high], [values.min(), values.max()], rtol=1e-6)
        said = ax.get_xlabel().replace("−", "-").replace(",", "").split()
        np.testing.assert_allclose([float(said[1]), float(said[3])], [values.mean(), values.std()], rtol=5e-3)
    heights, _ = np.histogram(np.ravel(next(iter(net.parameters())).detach()), 40)
    assert [bar.get_height() for bar in figure.axes[0].patches] == heights.tolist()


def test_gradients_are_those_of_backward() -> None:
    net = model()
    (net(torch.ones(3, 20)) ** 2).sum().backward()
    for ax, p in zip(plot.gradients(net).axes, net.parameters(), strict=True):
        assert p.grad is not None
        assert counted(ax) == p.numel()
        assert f"{float(p.grad.std(correction=0)):.2g}"[:3] in ax.get_xlabel()


def test_some_by_their_names() -> None:
    assert [ax.get_title() for ax in plot.weights(model(), "*.weight").axes] == [
        "0.weight (30, 20)",
        "2.weight (5, 30)",
    ]
    assert len(plot.weights(model(), "0.*").axes) == 2


def test_a_parameter_without_gradient_says_so() -> None:
    net = model()
    net.get_parameter("0.weight").requires_grad_(False)
    (net(torch.ones(3, 20)) ** 2).sum().backward()
    first = plot.gradients(net).axes[0]
    assert [text.get_text() for text in first.texts] == ["no gradient"]
    assert not first.patches


def test_values_that_are_all_the_same() -> None:
    net = nn.Linear(3, 2)
    with torch.no_grad():
        net.weight.fill_(0.5)
        net.bias.zero_()
    weight, bias = plot.weights(net).axes
    assert counted(weight) == 6
    assert max(bar.get_height() for bar in weight.patches) == 6
    assert max(bar.get_height() for bar in bias.patches) == 2
    assert bias.get_xlabel() == "mean 0, std 0"


def test_numbers_that_are_not_finite_are_counted_and_said() -> None:
    net = nn.Linear(3, 2)
    with torch.no_grad():
        net.weight[0, 0] = math.nan
        net.weight[1, 1] = math.inf
        net.bias.fill_(math.nan)
    weight, bias = plot.weights(net).axes
    assert counted(weight) == 4
    assert weight.get_xlabel().splitlines()[1] == "2 not finite"
    assert bias.get_xlabel() == "no finite number"


def test_the_model_is_left_alone() -> None:
    net = model()
    before = [p.tolist() for p in net.parameters()]
    plot.weights(net)
    assert [p.tolist() for p in net.parameters()] == before
    assert all(p.grad is None for p in net.parameters())
