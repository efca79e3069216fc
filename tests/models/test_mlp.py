"""Multilayer perceptrons: what they learn, early stopping, dropout, weight decay, any activation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_moons

import chainrule as torch
from chainrule.models import MLPClassifier, MLPRegressor


def test_it_learns_digits():
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier(hidden=(64,), dropout=0.2, epochs=30, random_state=0).fit(X[:1200], y[:1200])
    assert model.score(X[1200:], y[1200:]) > 0.9
    np.testing.assert_allclose(model.predict_proba(X[:9]).sum(1), 1)


@pytest.mark.parametrize(
    ("activation", "optimizer", "lr"),
    [
        *[
            (name, "adam", 0.05)
            for name in ("relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", torch.nn.ELU)
        ],
        ("tanh", "sgd", 0.2),
        ("tanh", "rmsprop", 0.01),
    ],
)
def test_any_activation_and_optimizer_bends_the_boundary(activation, optimizer, lr):
    X, y = make_moons(200, noise=0.1, random_state=0)
    model = MLPClassifier(
        (16, 16), activation=activation, optimizer=optimizer, lr=lr, epochs=80, random_state=0
    )
    assert model.fit(X, y).score(X, y) > 0.95


def test_the_identity_cannot_bend():
    X, y = make_moons(300, noise=0.1, random_state=0)
    assert (
        MLPClassifier((16, 16), activation="identity", epochs=50, random_state=0).fit(X, y).score(X, y) < 0.92
    )


def test_early_stopping_keeps_the_best_epoch():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((120, 20)), rng.integers(0, 2, 120)  # nothing to learn, much to remember
    model = MLPClassifier(
        (64,), early_stopping=True, patience=5, epochs=300, validation_fraction=0.3, random_state=0
    )
    model.fit(X, y)
    assert model.n_iter_ == model.best_epoch_ + 5 < 300
    assert model.best_epoch_ == 1 + int(np.argmin(model.validation_losses_))
    free = MLPClassifier((64,), epochs=300, random_state=0).fit(X, y)
    assert free.n_iter_ == free.best_epoch_ == 300
    assert free.score(X, y) > model.score(X, y)


def test_weight_decay_and_dropout_make_it_remember_less():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((100, 20)), rng.standard_normal(100)
    options = {"hidden": (64,), "epochs": 150, "random_state": 0}
    plain = MLPRegressor(**options, weight_decay=0).fit(X, y).score(X, y)
    assert plain > 0.99
    assert MLPRegressor(**options, weight_decay=20.0).fit(X, y).score(X, y) < plain - 0.1
    assert MLPRegressor(**options, dropout=0.5).fit(X, y).score(X, y) < plain - 0.02


def test_regression_of_several_outputs_in_their_own_units():
    X = np.linspace(-2, 2, 200)[:, None]
    y = np.stack([1e6 * np.sin(2 * X[:, 0]), 1e-3 * X[:, 0] ** 2], axis=1)
    model = MLPRegressor((32, 32), activation="tanh", lr=0.01, epochs=150, random_state=0).fit(X, y)
    residual = ((model.predict(X) - y) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)
    assert residual.max() < 0.01


def test_the_network_is_a_module():
    X, y = make_moons(50, random_state=0)
    model = MLPClassifier((8,), dropout=0.1, epochs=2, random_state=0).fit(X, y)
    assert [type(layer).__name__ for layer in model.module_] == ["Linear", "ReLU", "Dropout", "Linear"]
    assert not model.module_.training
    rows = torch.tensor((X - model.mean_) / model.scale_)
    np.testing.assert_allclose(torch.softmax(model.module_(rows), 1).detach().numpy(), model.predict_proba(X))
