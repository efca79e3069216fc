"""BatchNorm1d and LayerNorm: what comes out, the running statistics, central differences, errors."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(50, 3), (20, 3, 5)])
def test_batch_norm_in_training(shape):
    x = RNG.normal(2.0, 3.0, size=shape)
    out = nn.BatchNorm1d(3).double()(torch.tensor(x)).detach().numpy()
    axes = (0, *range(2, len(shape)))
    var = x.var(axes, keepdims=True)
    close(out, (x - x.mean(axes, keepdims=True)) / np.sqrt(var + 1e-5))
    close(out.mean(axes), np.zeros(3))
    close(out.var(axes, keepdims=True), var / (var + 1e-5))


def test_running_statistics():
    layer = nn.BatchNorm1d(2, momentum=0.3).double()
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(3):
        x = RNG.normal(1.0, 2.0, size=(10, 2))
        layer(torch.tensor(x))
        mean = 0.7 * mean + 0.3 * x.mean(0)
        var = 0.7 * var + 0.3 * x.var(0, ddof=1)
    close(layer.running_mean.numpy(), mean)
    close(layer.running_var.numpy(), var)
    assert layer.num_batches_tracked.item() == 3
    x = RNG.normal(size=(4, 2))
    out = layer.eval()(torch.tensor(x)).detach().numpy()
    close(out, (x - mean) / np.sqrt(var + 1e-5))
    assert layer.num_batches_tracked.item() == 3


def test_momentum_none_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = RNG.normal(size=(5, 10, 2))
    for x in batches:
        layer(torch.tensor(x))
    close(layer.running_mean.numpy(), batches.mean((0, 1)))
    close(layer.running_var.numpy(), batches.var(1, ddof=1).mean(0))


def test_without_tracking_the_batch_is_used_in_evaluation_too():
    layer = nn.BatchNorm1d(2, track_running_stats=False)
    assert list(layer.state_dict()) == ["weight", "bias"]
    x = torch.randn(10, 2)
    assert layer(x).tolist() == layer.eval()(x).tolist()


def test_statistics_do_not_hold_on_to_the_tape():
    layer = nn.BatchNorm1d(2)
    layer(torch.randn(4, 2, requires_grad=True) * 2)
    assert not layer.running_mean.requires_grad
    assert layer.running_mean.is_leaf


def test_reset():
    layer = nn.BatchNorm1d(2)
    layer(torch.randn(4, 2))
    with torch.no_grad():
        layer.weight.fill_(3.0)
    layer.reset_parameters()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert layer.num_batches_tracked.item() == 0
    assert layer.weight.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_batch_norm_gradients(shape):
    x, w, b = (torch.tensor(RNG.normal(size=s), requires_grad=True) for s in (shape, (3,), (3,)))

    def f(x, w, b):
        return F.batch_norm(x, None, None, w, b, training=True)

    second_order(f, (x, w, b))


def test_batch_norm_gradients_in_evaluation():
    x, w, b = (torch.tensor(RNG.normal(size=s), requires_grad=True) for s in ((4, 3), (3,), (3,)))
    mean, var = torch.tensor(RNG.normal(size=3)), torch.tensor(RNG.uniform(0.5, 2, size=3))
    first_order(lambda x, w, b: F.batch_norm(x, mean, var, w, b), (x, w, b))


@pytest.mark.parametrize(("shape", "over"), [((5, 3), 3), ((2, 4, 3), (4, 3)), ((2, 4, 3), 3)])
def test_layer_norm(shape, over):
    layer = nn.LayerNorm(over).double()
    axes = (-1,) if isinstance(over, int) else tuple(range(-len(over), 0))
    x = RNG.normal(2.0, 3.0, size=shape)
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    close(layer(torch.tensor(x)).detach().numpy(), expected)


def test_layer_norm_gradients():
    x, w, b = (torch.tensor(RNG.normal(size=s), requires_grad=True) for s in ((3, 4), (4,), (4,)))

    def f(x, w, b):
        return F.layer_norm(x, (4,), w, b)

    second_order(f, (x, w, b))


def test_options():
    assert list(nn.BatchNorm1d(2, affine=False).state_dict()) == [
        "running_mean", "running_var", "num_batches_tracked",
    ]  # fmt: skip
    assert list(nn.LayerNorm(2, bias=False).state_dict()) == ["weight"]
    assert list(nn.LayerNorm(2, elementwise_affine=False).state_dict()) == []
    assert repr(nn.BatchNorm1d(2, momentum=None)) == (
        "BatchNorm1d(2, eps=1e-05, momentum=None, affine=True, bias=True, track_running_stats=True)"
    )
    assert repr(nn.LayerNorm((2, 3))) == "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=True)"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.batch_norm(torch.ones(3), None, None, training=True), torch.ShapeError,
            "batch_norm got x (3,)\n  x must be (n, c) or (n, c, ...)\n  try: x.unsqueeze(0)",
        ),
        (
            lambda: F.batch_norm(torch.ones(1, 3), None, None, training=True), torch.ShapeError,
            "batch_norm in training got x (1, 3)\n"
            "  there must be more than 1 value per channel (axis 1)\n"
            "  try: a larger batch (drop_last=True leaves a small last one out), or model.eval()",
        ),
        (
            lambda: F.batch_norm(torch.ones(2, 3), None, None), torch.ArgumentError,
            "batch_norm got no running_mean or running_var\n  evaluation needs both\n  try: training=True",
        ),
        (
            lambda: F.layer_norm(torch.ones(2, 3), (4,)), torch.ShapeError,
            "layer_norm got x (2, 3) and normalized_shape (4,)\n"
            "  the last axis of x must be (4,)\n"
            "  try: normalized_shape=(3,)",
        ),
        (
            lambda: F.layer_norm(torch.ones(2, 3), ()), torch.ShapeError,
            "layer_norm got x (2, 3) and normalized_shape ()\n"
            "  normalized_shape must name at least one axis\n"
            "  try: normalized_shape=(3,)",
        ),
    ],
)  # fmt: skip
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text
