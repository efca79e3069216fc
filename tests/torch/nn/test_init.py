"""Initialisation against PyTorch: the same distributions (by their statistics), gains and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

import chainrule
from chainrule import nn

SHAPE = (150, 200)
RANDOM = [
    ("uniform_", {}), ("uniform_", {"a": -3.0, "b": 2.0}), ("normal_", {}),
    ("normal_", {"mean": 2.0, "std": 0.3}), ("xavier_uniform_", {}), ("xavier_uniform_", {"gain": 2.0}),
    ("xavier_normal_", {"gain": 0.5}), ("kaiming_uniform_", {}), ("kaiming_uniform_", {"a": math.sqrt(5)}),
    ("kaiming_normal_", {"mode": "fan_out"}),
    ("kaiming_uniform_", {"nonlinearity": "relu", "mode": "fan_out"}),
    ("kaiming_normal_", {"nonlinearity": "tanh"}), ("trunc_normal_", {}),
    ("trunc_normal_", {"mean": 1.0, "std": 2.0, "a": 0.0, "b": 5.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), RANDOM)
@pytest.mark.parametrize("shape", [SHAPE, (20, 30, 50)])
def test_same_distribution(name, settings, shape):
    torch.manual_seed(0)
    chainrule.manual_seed(0)
    mine = chainrule.empty(*shape)
    assert getattr(nn.init, name)(mine, **settings) is mine
    its = getattr(torch.nn.init, name)(torch.empty(*shape), **settings)
    # Two-sample Kolmogorov-Smirnov; the seeds are fixed, so this cannot fail by chance.
    result = stats.ks_2samp(mine.numpy().ravel(), its.numpy().ravel())
    assert result.pvalue > 1e-3


@pytest.mark.parametrize("name", ["ones_", "zeros_", "eye_"])
def test_fixed_values(name):
    mine, its = getattr(nn.init, name)(chainrule.empty(3, 4)), getattr(torch.nn.init, name)(torch.empty(3, 4))
    np.testing.assert_array_equal(mine.numpy(), its.numpy())


def test_constant():
    np.testing.assert_array_equal(
        nn.init.constant_(chainrule.empty(3), 0.7).numpy(),
        torch.nn.init.constant_(torch.empty(3), 0.7).numpy(),
    )


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (4, 2, 3)])
def test_orthogonal(shape):
    mine = nn.init.orthogonal_(chainrule.empty(*shape), gain=2.0).numpy().reshape(shape[0], -1)
    its = torch.nn.init.orthogonal_(torch.empty(*shape), gain=2.0).numpy().reshape(shape[0], -1)
    for m in (mine, its):
        m = m if m.shape[0] <= m.shape[1] else m.T
        np.testing.assert_allclose(m @ m.T, 4 * np.eye(len(m)), atol=1e-5)


def test_sparse():
    mine, its = nn.init.sparse_(chainrule.empty(10, 7), 0.33), torch.nn.init.sparse_(torch.empty(10, 7), 0.33)
    assert (mine == 0).sum(0).tolist() == (its == 0).sum(0).tolist() == [4] * 7


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None), ("conv2d", None),
        ("leaky_relu", None), ("leaky_relu", 0.2), ("leaky_relu", 3),
    ],
)  # fmt: skip
def test_gains(name, param):
    assert nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


@pytest.mark.parametrize(
    ("name", "args", "settings"),
    [
        ("calculate_gain", ("swish",), {}), ("calculate_gain", ("leaky_relu", "x"), {}),
        ("xavier_uniform_", ((3,),), {}), ("kaiming_normal_", ((3,),), {}), ("eye_", ((3,),), {}),
        ("orthogonal_", ((3,),), {}), ("sparse_", ((2, 3, 4), 0.5), {}),
        ("kaiming_uniform_", ((3, 3),), {"mode": "in"}),
    ],
)  # fmt: skip
def test_both_refuse(name, args, settings):
    for t, init in ((chainrule, nn.init), (torch, torch.nn.init)):
        made = [t.empty(*a) if isinstance(a, tuple) else a for a in args]
        with pytest.raises(ValueError):
            getattr(init, name)(*made, **settings)


def test_nothing_is_recorded():
    weight = nn.Parameter(chainrule.zeros(3, 3))
    for name in (
        "uniform_",
        "normal_",
        "zeros_",
        "eye_",
        "xavier_normal_",
        "kaiming_uniform_",
        "orthogonal_",
        "trunc_normal_",
    ):
        getattr(nn.init, name)(weight)
        assert weight.is_leaf
        assert weight.requires_grad


def test_layers_start_like_pytorch():
    for name, args in (("Linear", (300, 100)), ("Bilinear", (30, 20, 40)), ("Embedding", (300, 50))):
        torch.manual_seed(1)
        chainrule.manual_seed(1)
        mine, its = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
        for (key, ours), theirs in zip(mine.named_parameters(), its.parameters(), strict=True):
            result = stats.ks_2samp(ours.detach().numpy().ravel(), theirs.detach().numpy().ravel())
            assert result.pvalue > 1e-3, f"{name}.{key}"
