"""Start values: bounds, moments, structure, generators, and the texts of errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import chainrule as torch
from chainrule import nn
from chainrule.nn import init
from tests.nn.close import close

SHAPE = (200, 150)


def drawn(name, **settings):
    torch.manual_seed(0)
    return getattr(init, name)(torch.empty(*SHAPE, dtype=torch.float64), **settings).numpy().ravel()


RELU, TANH = math.sqrt(2), 5 / 3
UNIFORM = [
    ("uniform_", {"a": -2.0, "b": 3.0}, (-2.0, 3.0)),
    ("xavier_uniform_", {"gain": 2.0}, 2 * math.sqrt(6 / 350)),
    ("kaiming_uniform_", {"nonlinearity": "relu"}, RELU * math.sqrt(3 / 150)),
    ("kaiming_uniform_", {"nonlinearity": "relu", "mode": "fan_out"}, RELU * math.sqrt(3 / 200)),
    ("kaiming_uniform_", {"a": math.sqrt(5)}, 1 / math.sqrt(150)),
]
NORMAL = [
    ("normal_", {"mean": 1.0, "std": 0.1}, (1.0, 0.1)),
    ("xavier_normal_", {"gain": TANH}, (0.0, TANH * math.sqrt(2 / 350))),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, (0.0, TANH / math.sqrt(150))),
    ("kaiming_normal_", {"a": 0.5, "mode": "fan_out"}, (0.0, math.sqrt(2 / 1.25) / math.sqrt(200))),
]


@pytest.mark.parametrize(("name", "settings", "bound"), UNIFORM)
def test_uniform(name, settings, bound):
    low, high = bound if isinstance(bound, tuple) else (-bound, bound)
    # The seed is fixed, so this cannot fail by chance.
    assert stats.kstest(drawn(name, **settings), stats.uniform(low, high - low).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("name", "settings", "moments"), NORMAL)
def test_normal(name, settings, moments):
    assert stats.kstest(drawn(name, **settings), stats.norm(*moments).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"), [(0.0, 1.0, -2.0, 2.0), (1.0, 0.5, 0.8, 3.0), (0.0, 1.0, 1.5, 1.6)]
)
def test_truncated_normal(mean, std, a, b):
    values = drawn("trunc_normal_", mean=mean, std=std, a=a, b=b)
    assert values.min() >= a
    assert values.max() <= b
    law = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(values, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 2, 4)])
def test_orthogonal(shape):
    torch.manual_seed(0)
    w = init.orthogonal_(torch.empty(*shape, dtype=torch.float64), gain=3.0).numpy().reshape(shape[0], -1)
    short = w if w.shape[0] <= w.shape[1] else w.T
    close(short @ short.T, 9 * np.eye(len(short)))


def test_sparse():
    w = init.sparse_(torch.empty(10, 4), sparsity=0.25).numpy()
    assert (w == 0).sum(0).tolist() == [3, 3, 3, 3]
    assert len({tuple(column) for column in (w == 0).T}) > 1  # not the same rows each time


def test_fixed_values():
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert init.ones_(torch.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(torch.empty(2)).tolist() == [0.0, 0.0]
    assert init.constant_(torch.empty(2), 4).tolist() == [4.0, 4.0]


RANDOM = (
    "uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
    "kaiming_normal_", "orthogonal_",
)  # fmt: skip


@pytest.mark.parametrize("name", RANDOM)
def test_a_generator_of_ones_own(name):
    function = getattr(init, name)
    state = torch.get_rng_state().tolist()
    one = function(torch.empty(3, 4), generator=torch.Generator().manual_seed(5)).tolist()
    two = function(torch.empty(3, 4), generator=torch.Generator().manual_seed(5)).tolist()
    assert one == two
    assert torch.get_rng_state().tolist() == state  # the default generator was not touched
    assert one != function(torch.empty(3, 4)).tolist()


@pytest.mark.parametrize("name", [*RANDOM, "ones_", "zeros_", "eye_"])
def test_parameters_stay_leaves(name):
    weight = nn.Parameter(torch.zeros(3, 3))
    assert getattr(init, name)(weight) is weight
    assert weight.is_leaf
    assert weight.requires_grad


def test_gains():
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)
    assert [init.calculate_gain(n) for n in ("linear", "sigmoid", "conv2d", "conv_transpose1d")] == [
        1,
        1,
        1,
        1,
    ]
    assert [init.calculate_gain(n) for n in ("tanh", "relu", "selu")] == [TANH, RELU, 0.75]


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
def test_nothing_to_set(name):
    with pytest.warns(UserWarning, match="no elements") as caught:
        getattr(init, name)(torch.empty(0, 3))
    assert str(caught[0].message) == (
        f"{name} got a tensor (0, 3)\n  it has no elements, so there is nothing to set"
    )


def test_a_mean_far_outside_warns():
    with pytest.warns(UserWarning, match="outside") as caught:
        init.trunc_normal_(torch.empty(3), mean=9.0, std=1.0)
    assert str(caught[0].message) == (
        "trunc_normal_ got mean=9.0 and std=1.0 for [-2.0, 2.0]\n"
        "  the mean is more than 2 std outside, so nearly all values will lie at one end"
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: init.calculate_gain("rellu"),
            "calculate_gain got nonlinearity 'rellu'\n"
            "  it must be one of linear, conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, "
            "conv_transpose3d, sigmoid, tanh, relu, selu, leaky_relu (did you mean 'relu'?)",
        ),
        (
            lambda: init.calculate_gain("leaky_relu", "steep"),
            "calculate_gain got the slope 'steep'\n  it must be a number\n  try: 0.01",
        ),
        (
            lambda: init.xavier_normal_(torch.ones(3)),
            "xavier_normal_ got a tensor (3,)\n  it must have at least 2 axes",
        ),
        (
            lambda: init.eye_(torch.ones(3, 3, 3)),
            "eye_ got a tensor (3, 3, 3)\n  it must have exactly 2 axes",
        ),
        (
            lambda: init.kaiming_normal_(torch.ones(3, 3), mode="fan_inn"),
            "kaiming_normal_ got mode='fan_inn'\n"
            "  mode must be 'fan_in' or 'fan_out' (did you mean 'fan_in'?)",
        ),
        (
            lambda: init.trunc_normal_(torch.ones(3), a=2.0, b=1.0),
            "trunc_normal_ got a=2.0 and b=1.0\n  a must not be larger than b",
        ),
    ],
)
def test_error_texts(call, text):
    with pytest.raises(ValueError) as caught:
        call()
    assert caught.value.summary == text
