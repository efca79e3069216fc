"""Capacity, weight decay, the constraint, sparsity: against closed forms and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize
from sklearn.linear_model import Lasso, Ridge

from chainrule import experiments

SEEDS = [0, 1, 2, 3]


# Polynomials ------------------------------------------------------------------------------------------------


def book_features(x: np.ndarray, degree: int) -> np.ndarray:
    return np.stack([x**i / math.factorial(i) for i in range(degree + 1)], axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_polynomials_are_least_squares(seed: int) -> None:
    result = experiments.polynomial([1, 3, 6], train_rows=40, test_rows=30, method="exact", seed=seed)
    x, y = result["x"].numpy(), result["y"].numpy()
    for degree, w, train, test in zip(
        [1, 3, 6], result["weights"], result["train"], result["test"], strict=True
    ):
        columns = book_features(x, degree)
        expected = np.linalg.lstsq(columns[:40], y[:40], rcond=None)[0]
        assert_allclose(w, expected, rtol=1e-7)
        assert_allclose(train, ((columns[:40] @ expected - y[:40]) ** 2).mean(), rtol=1e-8)
        assert_allclose(test, ((columns[40:] @ expected - y[40:]) ** 2).mean(), rtol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_under_right_over(seed: int) -> None:
    result = experiments.polynomial([1, 3, 12], train_rows=20, test_rows=200, method="exact", seed=seed)
    train, test = result["train"], result["test"]
    assert train[0] > train[1] > train[2]  # more features always fit the same rows better
    assert train[0] > 100 * 0.01  # a line is far from the noise, on all rows
    assert test[0] > 100 * 0.01
    assert test[1] < 5 * 0.01  # the noise, and what 20 rows leave unknown of four weights where x is large
    assert test[2] > 10 * test[1]
    assert train[2] < 0.01 < test[2]


def test_sgd_arrives_at_the_noise_with_the_right_degree() -> None:
    result = experiments.polynomial(seed=0)
    assert 0.5 * 0.01 < result["test"][1] < 2 * 0.01
    assert_allclose(result["weights"][1], [5, 1.2, -3.4, 5.6], atol=0.15)
    assert result["train"][0] > 1
    assert len(result["curves"][0]) == 400
    assert result["curves"][1][-1] == pytest.approx(result["test"][1], rel=1e-12)


# Weight decay -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_weight_decay_ends_at_ridge_regression(seed: int) -> None:
    decay, rows = 0.5, 30
    result = experiments.weight_decay(
        [decay], inputs=10, train_rows=rows, epochs=2000, lr=0.2, batch_size=None, seed=seed
    )
    x, y = result["x"].numpy()[:rows], result["y"].numpy()[:rows, 0]
    # scikit-learn minimises ‖Xw + b - y‖² + alpha ‖w‖²: 2n times what is minimised here.
    ridge = Ridge(alpha=rows * decay, tol=1e-14).fit(x, y)
    assert_allclose(result["weights"][0], ridge.coef_, atol=1e-10)
    assert_allclose(result["biases"][0], ridge.intercept_, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_decay_the_directions_without_data_keep_their_start(seed: int) -> None:
    free, decayed = (
        experiments.weight_decay([decay], inputs=40, train_rows=10, epochs=300, seed=seed)
        for decay in (0.0, 3.0)
    )
    x = free["x"].numpy()[:10]
    null = np.linalg.svd(x)[2][10:]  # directions that no row says anything about
    start = null @ free["weights"][0].numpy()
    assert np.linalg.norm(start) > 3  # of √30 at the start
    # Each of the 600 steps with decay multiplies them by 1 - lr λ, and nothing else does.
    assert_allclose(null @ decayed["weights"][0].numpy(), start * (1 - 0.003 * 3) ** 600, atol=1e-9)
    assert decayed["test"][0] < free["test"][0]
    assert decayed["norms"][0] < free["norms"][0]


@pytest.mark.parametrize("seed", SEEDS)
def test_where_weight_decay_is_written(seed: int) -> None:
    differences = experiments.decoupled_decay(seed=seed)["differences"]
    for name in ("SGD", "SGD, momentum", "Adam"):
        assert differences[name][0] < 1e-9, name  # loss and gradient: one formula for every optimizer
    assert differences["SGD"][1] < 1e-12
    assert differences["SGD, momentum"][1] > 0.1
    assert differences["Adam"][1] > 0.1


def test_decoupled_sgd_is_the_formula_of_the_notes() -> None:
    one = experiments.decoupled_decay(decay=0.3, lr=0.01, steps=1)["weights"]["SGD"]
    two = experiments.decoupled_decay(decay=0.3, lr=0.01, steps=300)["weights"]["SGD"]
    assert all(np.allclose(one[0], w, rtol=0, atol=1e-14) for w in one)
    assert all(np.allclose(two[0], w, rtol=0, atol=1e-12) for w in two)
    assert not np.allclose(one[0], two[0], atol=0.1)


# The constraint ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_each_ball_has_its_lambda(seed: int) -> None:
    result = experiments.norm_constraint([0.05, 0.5, 0.95, 1.2], seed=seed)
    x, y = result["x"].numpy(), result["y"].numpy()
    centred, target = x - x.mean(0), (y - y.mean(0))[:, 0]

    def ridge(decay: float) -> np.ndarray:
        return np.linalg.solve(
            centred.T @ centred / len(x) + decay * np.eye(x.shape[1]), centred.T @ target / len(x)
        )

    for theta, decay, w, penalised in zip(
        result["thetas"][:3], result["lambdas"], result["constrained"], result["penalised"], strict=False
    ):
        expected = optimize.brentq(lambda v, t=theta: ridge(v) @ ridge(v) - t, 0, 1e4, xtol=1e-14)
        assert_allclose(decay, expected, rtol=1e-7)
        assert_allclose(w, ridge(expected), atol=1e-9)
        assert_allclose(penalised, w, atol=1e-9)
        assert_allclose(w @ w, theta, rtol=1e-12)
    assert result["lambdas"][3] == 0
    assert_allclose(
        result["constrained"][3], ridge(0.0), atol=1e-9
    )  # a ball around the solution does nothing
    assert result["lambdas"] == sorted(result["lambdas"], reverse=True)


def test_the_constrained_solution_is_that_of_scipy() -> None:
    result = experiments.norm_constraint([0.4])
    x, y, theta = result["x"].numpy(), result["y"].numpy()[:, 0], result["thetas"][0]
    found = optimize.minimize(
        lambda v: ((x @ v[:-1] + v[-1] - y) ** 2).mean() / 2,
        np.zeros(x.shape[1] + 1),
        constraints={"type": "ineq", "fun": lambda v: theta - v[:-1] @ v[:-1]},
        tol=1e-12,
    )
    assert_allclose(result["constrained"][0], found.x[:-1], atol=1e-5)


# Sparsity ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_proximal_steps_end_at_the_lasso(seed: int) -> None:
    result = experiments.sparsity(seed=seed)
    x, y = result["x"].numpy(), result["y"].numpy()[:, 0]
    lasso = Lasso(alpha=0.1, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(x, y)
    w = result["weights"]["proximal"].numpy()
    assert_allclose(w, lasso.coef_, atol=1e-9)
    assert list(w == 0) == list(lasso.coef_ == 0)
    assert 15 <= (w == 0).sum() <= 25
    assert (w[:5] != 0).all()  # what matters is kept


@pytest.mark.parametrize("seed", SEEDS)
def test_subgradients_give_no_zeros(seed: int) -> None:
    result = experiments.sparsity(seed=seed)
    assert result.column("exact zeros")[1:] == [0, 0]
    assert result["objectives"]["subgradient"] > result["objectives"]["proximal"]
    x, y = result["x"].numpy(), result["y"].numpy()[:, 0]
    ridge = np.linalg.solve(x.T @ x / len(x) + 0.1 * np.eye(x.shape[1]), x.T @ y / len(x))
    assert_allclose(result["weights"]["L2"], ridge, atol=1e-9)
