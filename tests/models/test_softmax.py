"""Softmax regression: scikit-learn's optimum, the slope at it, and what the notes' descent finds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.datasets import load_iris

from chainrule.models import SoftmaxRegression


@pytest.mark.parametrize("decay", [1e-4, 1e-2, 1.0])
def test_the_optimum_is_scikit_learns(decay):
    X, y = load_iris(return_X_y=True)
    weights = np.random.default_rng(0).random(len(X)) + 0.5
    ours = SoftmaxRegression(weight_decay=decay).fit(X, y, sample_weight=weights)
    # C sum of losses + 1/2 ||W||^2 is the mean + lambda/2 ||W||^2 for C = 1 / (lambda * sum of weights)
    other = linear_model.LogisticRegression(C=1 / (decay * weights.sum()), tol=1e-12, max_iter=10**5)
    other.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=2e-5)
    assert ours.n_iter_ < 30
    assert np.abs(ours.coef_.sum(0)).max() < 1e-6  # the penalty is smallest where the weights sum to 0


def test_columns_of_any_size_are_solved_to_the_end():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = (X @ [1.0, 2.0, -1.0] + rng.logistic(size=300) > 0).astype(int)
    plain = SoftmaxRegression(weight_decay=0).fit(X, y)
    scaled = SoftmaxRegression(weight_decay=0).fit(X * [1e-4, 1.0, 1e5], y)
    np.testing.assert_allclose(
        plain.decision_function(X), scaled.decision_function(X * [1e-4, 1.0, 1e5]), rtol=1e-6
    )
    # Maximum likelihood: the mean of each column is what the model expects (the slope is 0).
    p = plain.predict_proba(X)[:, 1]
    np.testing.assert_allclose(X.T @ (y - p), 0, atol=1e-6)
    assert abs((y - p).sum()) < 1e-6


@pytest.mark.parametrize(("solver", "epochs", "atol"), [("gd", 3000, 0.01), ("sgd", 300, 0.05)])
def test_descent_walks_to_the_same_place(solver, epochs, atol):
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    best = SoftmaxRegression(weight_decay=0.01).fit(X, y)
    walked = SoftmaxRegression(
        weight_decay=0.01, solver=solver, lr=0.5, epochs=epochs, batch_size=32, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(walked.predict_proba(X), best.predict_proba(X), atol=atol)
    assert best.loss_ <= walked.loss_ + 1e-3
    assert walked.losses_[-1] < 0.25 * walked.losses_[0]


def test_classes_that_can_be_separated_have_no_best_weights():
    with pytest.warns(UserWarning, match="SoftmaxRegression: the slope is still") as caught:
        SoftmaxRegression(weight_decay=0, max_iter=3).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    assert str(caught[0].message).split("\n")[1] == (
        "  try: a larger max_iter, or weight_decay above 0: separable classes have no finite best "
        "weights without it"
    )
