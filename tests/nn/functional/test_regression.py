"""Losses between numbers: closed forms, central differences, and the texts of errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

import chainrule as torch
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)) + 0.3
D = X - Y

LOSSES = {
    "mse": (F.mse_loss, {}, D**2),
    "l1": (F.l1_loss, {}, abs(D)),
    "huber": (F.huber_loss, {"delta": 0.7}, special.huber(0.7, D)),
    "smooth l1": (F.smooth_l1_loss, {"beta": 0.7}, special.huber(0.7, D) / 0.7),
    "smooth l1, beta 0": (F.smooth_l1_loss, {"beta": 0.0}, abs(D)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_values_of_each_reduction(name):
    loss, settings, expected = LOSSES[name]
    x, y = torch.tensor(X), torch.tensor(Y)
    close(loss(x, y, reduction="none", **settings).numpy(), expected)
    close(loss(x, y, reduction="sum", **settings).item(), expected.sum())
    close(loss(x, y, **settings).item(), expected.mean())


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_to_second_order(name):
    loss, settings, _ = LOSSES[name]
    inputs = torch.tensor(X, requires_grad=True), torch.tensor(Y, requires_grad=True)
    second_order(lambda x, y: loss(x, y, **settings), inputs)


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss])
def test_the_mean_is_over_the_weights(loss):
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])
    weight = torch.tensor([3.0, 1.0])
    losses = loss(x, y, reduction="none")
    assert loss(x, y, weight=weight).item() == (3 * losses[0].item() + losses[1].item()) / 4


def test_derivative_at_no_error():
    for loss in (F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss):
        x = torch.tensor([0.5], requires_grad=True)
        loss(x, torch.tensor([0.5])).backward()
        assert x.grad.tolist() == [0.0]


def test_poisson_is_the_log_likelihood_up_to_a_constant():
    counts = RNG.integers(0, 9, size=20).astype(np.float64)
    rates = RNG.uniform(0.5, 8, size=20)
    exact = -stats.poisson.logpmf(counts, rates)
    ours = F.poisson_nll_loss(torch.tensor(np.log(rates)), torch.tensor(counts), reduction="none").numpy()
    close(ours, exact - special.gammaln(counts + 1))
    plain = F.poisson_nll_loss(
        torch.tensor(rates), torch.tensor(counts), log_input=False, eps=0.0, reduction="none"
    )
    close(plain.numpy(), ours)
    # Stirling's formula is off by 1 / (12 n), and left out for counts 0 and 1, where log(n!) is 0.
    full = F.poisson_nll_loss(
        torch.tensor(np.log(rates)), torch.tensor(counts), full=True, reduction="none"
    ).numpy()
    np.testing.assert_allclose(full, exact, atol=1 / 24)


def test_gaussian_is_the_log_likelihood():
    mean, target, var = RNG.normal(size=6), RNG.normal(size=6), RNG.uniform(0.1, 3, size=6)
    exact = -stats.norm.logpdf(target, mean, np.sqrt(var))
    tensors = [torch.tensor(a) for a in (mean, target, var)]
    close(F.gaussian_nll_loss(*tensors, full=True, reduction="none").numpy(), exact)
    close(F.gaussian_nll_loss(*tensors, reduction="none").numpy(), exact - 0.5 * math.log(2 * math.pi))


def test_likelihood_gradients():
    x, var = (
        torch.tensor(X, requires_grad=True),
        torch.tensor(RNG.uniform(0.5, 2, size=(4, 3)), requires_grad=True),
    )
    y, counts = torch.tensor(Y), torch.tensor(RNG.integers(0, 5, size=(4, 3)).astype(np.float64))
    first_order(lambda x, v: F.gaussian_nll_loss(x, y, v, full=True), (x, var))
    first_order(lambda x: F.poisson_nll_loss(x, counts, full=True), x)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.mse_loss(torch.ones(2), torch.ones(2), reduction="men"),
            torch.ArgumentError,
            "a loss got reduction='men'\n"
            "  reduction must be one of 'none', 'mean', 'sum' (did you mean 'mean'?)",
        ),
        (
            lambda: F.mse_loss(torch.ones(2), torch.ones(2), weight=torch.ones(3)),
            torch.ShapeError,
            "a weighted loss got weight (3,) and losses (2,)\n"
            "  there must be one weight for each element\n"
            "  try: weight.expand_as(input)",
        ),
        (
            lambda: F.huber_loss(torch.ones(2), torch.ones(2), delta=0),
            torch.ArgumentError,
            "huber_loss got delta=0\n  delta must be positive\n  try: delta=1.0",
        ),
        (
            lambda: F.smooth_l1_loss(torch.ones(2), torch.ones(2), beta=-1),
            torch.ArgumentError,
            "smooth_l1_loss got beta=-1\n  beta must not be negative",
        ),
        (
            lambda: F.gaussian_nll_loss(torch.ones(2), torch.ones(2), torch.tensor([1.0, -2.0])),
            torch.ArgumentError,
            "gaussian_nll_loss got a variance of -2.0\n"
            "  variances must not be negative\n"
            "  try: let the model give the log of the variance, and take exp() of it",
        ),
        (
            lambda: F.gaussian_nll_loss(torch.ones(4, 2), torch.ones(4, 2), torch.ones(3)),
            torch.ShapeError,
            "gaussian_nll_loss got input (4, 2) and var (3,)\n"
            "  var must have the shape of input, or 1 in one axis of it, or lack its last axis",
        ),
    ],
)
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text


def test_older_names_warn():
    with pytest.warns(UserWarning, match="older names") as caught:
        F.mse_loss(torch.ones(2), torch.zeros(2), size_average=False)
    assert str(caught[0].message) == (
        "size_average and reduce are older names\n  try: reduction='sum' instead, which means the same"
    )
    assert caught[0].filename == __file__
