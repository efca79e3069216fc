"""Activation functions: values against closed forms and SciPy, central differences, kinks, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

import chainrule as torch
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)
# Clear of every kink (-3, -1, -0.5, 0, 0.5, 1, 3, 6), on all pieces.
SMOOTH_AT = np.array([-7.3, -3.4, -2.2, -0.8, -0.3, 0.2, 0.7, 1.6, 2.7, 4.1, 6.5])


def softplus(x):
    return np.logaddexp(0, x)


FORMULAS = {
    "relu": (F.relu, lambda x: np.maximum(x, 0)),
    "relu6": (F.relu6, lambda x: np.clip(x, 0, 6)),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: np.maximum(x, 0) + 0.2 * np.minimum(x, 0)),
    "elu": (lambda x: F.elu(x, 1.5), lambda x: np.maximum(x, 0) + 1.5 * (np.exp(np.minimum(x, 0)) - 1)),
    "celu": (
        lambda x: F.celu(x, 1.5),
        lambda x: np.maximum(x, 0) + 1.5 * (np.exp(np.minimum(x, 0) / 1.5) - 1),
    ),
    "selu": (
        F.selu,
        lambda x: (
            1.0507009873554805 * (np.maximum(x, 0) + 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1))
        ),
    ),
    "gelu": (F.gelu, lambda x: x * stats.norm.cdf(x)),
    "gelu tanh": (
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    "silu": (F.silu, lambda x: x * special.expit(x)),
    "mish": (F.mish, lambda x: x * np.tanh(softplus(x))),
    "sigmoid": (F.sigmoid, special.expit),
    "tanh": (F.tanh, np.tanh),
    "logsigmoid": (F.logsigmoid, special.log_expit),
    "softplus": (F.softplus, softplus),
    "softplus beta": (lambda x: F.softplus(x, beta=2.0), lambda x: softplus(2 * x) / 2),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 3.0), lambda x: np.clip(x, -0.5, 3)),
    "softsign": (F.softsign, lambda x: x / (1 + abs(x))),
    "softshrink": (lambda x: F.softshrink(x, 0.4), lambda x: np.sign(x) * np.maximum(abs(x) - 0.4, 0)),
    "tanhshrink": (F.tanhshrink, lambda x: x - np.tanh(x)),
    "hardsigmoid": (F.hardsigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "hardswish": (F.hardswish, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "threshold": (lambda x: F.threshold(x, 0.5, -2.0), lambda x: np.where(x > 0.5, x, -2.0)),
    "softmax": (lambda x: F.softmax(x, 0), special.softmax),
    "log_softmax": (lambda x: F.log_softmax(x, 0), special.log_softmax),
    "softmin": (lambda x: F.softmin(x, 0), lambda x: special.softmax(-x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name):
    function, formula = FORMULAS[name]
    x = np.concatenate([SMOOTH_AT, [-3.0, -1.0, 0.0, 0.5, 1.0, 3.0, 6.0, 15.0, -15.0]])
    close(function(torch.tensor(x)).numpy(), formula(x))


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_to_second_order(name):
    x = torch.tensor(SMOOTH_AT, requires_grad=True)
    second_order(FORMULAS[name][0], x)


def test_prelu_gradients():
    x = torch.tensor(RNG.normal(size=(3, 4)), requires_grad=True)
    for size in (1, 4):
        weight = torch.tensor(RNG.normal(size=size), requires_grad=True)
        first_order(F.prelu, (x, weight))


@pytest.mark.parametrize(
    ("function", "at", "slope"),
    [
        (F.relu, 0.0, 0.0), (F.relu6, 0.0, 0.0), (F.relu6, 6.0, 0.0), (F.hardtanh, -1.0, 0.0),
        (F.hardtanh, 1.0, 0.0),
        (F.leaky_relu, 0.0, 0.01), (F.elu, 0.0, 1.0), (F.hardsigmoid, -3.0, 0.0), (F.hardsigmoid, 3.0, 0.0),
        (F.hardswish, -3.0, 0.0), (F.hardswish, 3.0, 1.0), (F.softsign, 0.0, 1.0),
    ],
)  # fmt: skip
def test_derivative_at_a_kink(function, at, slope):
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    function(x).backward()
    assert float(x.grad) == slope


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("size", [90.0, 1000.0])
def test_far_out_everything_stays_finite(name, size):
    # In float32 exp(90) overflows: a branch that is not taken must not turn the gradient into NaN.
    x = torch.tensor([-size, size], requires_grad=True)
    out = FORMULAS[name][0](x)
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.isfinite(x.grad).all()


def test_logsigmoid_keeps_small_values():
    x = torch.tensor([-200.0, 40.0], dtype=torch.float64)
    close(F.logsigmoid(x).numpy(), [-200.0, -math.exp(-40)])


@pytest.mark.parametrize(
    "function",
    [
        F.relu,
        F.relu6,
        F.leaky_relu,
        F.elu,
        F.celu,
        F.selu,
        F.silu,
        F.mish,
        F.hardtanh,
        F.hardsigmoid,
        F.hardswish,
    ],
)
def test_inplace_gives_the_same_gradient(function):
    x = torch.tensor(SMOOTH_AT, requires_grad=True)
    hidden = x * 1.5
    out = function(hidden, inplace=True)
    assert out is hidden
    out.sum().backward()
    inplace, x.grad = x.grad, None
    function(x * 1.5).sum().backward()
    np.testing.assert_array_equal(inplace.numpy(), x.grad.numpy())


def test_softmax_without_dim_warns():
    with pytest.warns(UserWarning, match="without dim") as caught:
        out = F.softmax(torch.zeros(2, 4))
    assert out.tolist() == [[0.25] * 4] * 2
    assert caught[0].filename == __file__
    assert str(caught[0].message) == (
        "softmax was called without dim on a tensor (2, 4) and takes dim=1\n"
        "  the guess depends on the number of axes; classes are usually the last axis\n"
        "  try: dim=1 to keep this result, or dim=-1"
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: F.gelu(torch.ones(1), approximate="tanhh"),
            "gelu got approximate='tanhh'\n  approximate must be 'none' or 'tanh' (did you mean 'tanh'?)",
        ),
        (
            lambda: F.prelu(torch.ones(2, 3), torch.ones(2)),
            "prelu got x (2, 3) and weight (2,)\n"
            "  weight must hold one number, or one for each of the 3 channels (axis 1 of x)\n"
            "  try: num_parameters=1 or num_parameters=3",
        ),
        (
            lambda: F.hardtanh(torch.ones(1), 1.0, -1.0),
            "hardtanh got min_val=1.0 and max_val=-1.0\n  min_val must not be larger than max_val",
        ),
        (lambda: F.celu(torch.ones(1), alpha=0), "celu got alpha=0\n  alpha must not be 0"),
    ],
)
def test_error_texts(call, text):
    with pytest.raises(torch.ArgumentError) as caught:
        call()
    assert caught.value.summary == text


def test_softshrink_refuses_a_negative_threshold():
    with pytest.raises(torch.ArgumentError) as caught:
        F.softshrink(torch.ones(2), -0.5)
    assert caught.value.summary == "softshrink got lambd = -0.5\n  lambd must be at least 0"


def test_softshrink_gives_exact_zeros():
    x = torch.tensor([-0.5, -1e-9, 0.0, 0.3, 0.5], dtype=torch.float64)
    assert (F.softshrink(x, 0.5) == 0).all()
