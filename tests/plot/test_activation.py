"""Activations and their derivatives against closed forms, for all that `nn` has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import erf, expit

import chainrule as torch
from chainrule import nn, plot

CLOSED: dict[str, Any] = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "sigmoid": (expit, lambda x: expit(x) * (1 - expit(x))),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "softplus": (lambda x: np.log1p(np.exp(x)), expit),
    "silu": (lambda x: x * expit(x), lambda x: expit(x) * (1 + x * (1 - expit(x)))),
    "gelu": (
        lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
        lambda x: (1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
    ),
}
LAYERS = [
    nn.ReLU(inplace=True), nn.ReLU6(), nn.LeakyReLU(0.1), nn.PReLU(), nn.ELU(), nn.CELU(), nn.SELU(),
    nn.GELU(), nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.LogSigmoid(), nn.Tanh(), nn.Tanhshrink(), nn.Softplus(),
    nn.Softsign(), nn.Hardtanh(), nn.Hardsigmoid(), nn.Hardswish(), nn.Threshold(0.5, 1.0),
]  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_values_and_derivatives(name: str) -> None:
    figure = plot.activations(name)
    assert isinstance(figure, Figure)
    above, below = figure.axes
    for ax, wanted in zip((above, below), CLOSED[name], strict=True):
        x, y = (np.asarray(v) for v in ax.lines[0].get_data())
        assert (x[0], x[-1], x[200]) == (-5.0, 5.0, 0.0)
        np.testing.assert_allclose(y, wanted(x), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_every_layer_can_be_drawn(layer: nn.Module) -> None:
    figure = plot.activations(layer, xlim=(-4, 4.1))
    assert isinstance(figure, Figure)
    above, below = figure.axes
    x, y = (np.asarray(v) for v in above.lines[0].get_data())
    np.testing.assert_allclose(y, layer(torch.tensor(x)).detach(), rtol=1e-6)
    slope = np.asarray(below.lines[0].get_ydata())
    # The trapezium rule over the slopes leads from the first value to the last, but for what jumps.
    if not isinstance(layer, nn.Threshold):
        assert np.trapezoid(slope, x) == pytest.approx(y[-1] - y[0], abs=0.02)
    assert all(p.grad is None for p in layer.parameters())


def test_without_a_name_it_draws_those_of_the_notes() -> None:
    figure = plot.activations()
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "relu",
        "sigmoid",
        "tanh",
    ]
    assert figure.axes[0].get_shared_x_axes().joined(*figure.axes)


def test_functions_of_ones_own_and_layers_have_names() -> None:
    def swish(x: Any) -> Any:
        return x * torch.sigmoid(2 * x)

    figure = plot.activations(swish, nn.LeakyReLU(0.1), nn.functional.elu, torch.tanh)
    names = [line.get_label() for line in figure.axes[1].lines]
    assert names == ["swish", "LeakyReLU(negative_slope=0.1)", "elu", "tanh"]


def test_into_a_given_axes() -> None:
    ax = Figure().add_subplot()
    assert plot.activations("relu", "tanh", ax=ax) is ax
    assert isinstance(ax, Axes)
    assert [line.get_label() for line in ax.lines] == [
        "relu", "derivative of relu", "tanh", "derivative of tanh"
    ]  # fmt: skip
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()
