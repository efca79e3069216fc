"""Support vector machines: scikit-learn's decision values, conditions of the optimum, margins, kernels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import svm
from sklearn.datasets import load_iris, make_classification

from chainrule.models import SVC, SVR, LinearSVC, smo
from chainrule.models.kernels import Kernel


@pytest.fixture(scope="module")
def classes():
    X, y = make_classification(600, 8, n_informative=5, class_sep=0.7, flip_y=0.1, random_state=0)
    return (X - X.mean(0)) / X.std(0), y


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 4))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.standard_normal(400)


def _laplace(x, y):
    return np.exp(-0.3 * np.abs(x[:, None] - y[None]).sum(-1))


KERNELS = [
    {"kernel": "linear"},
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": 0.5},
    {"kernel": "rbf", "gamma": "auto"},
    {"kernel": "poly"},
    {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.1},
    {"kernel": _laplace},
]
as_shown = {
    "ids": lambda v: (
        "-".join(str(getattr(x, "__name__", x)) for x in v.values()) if isinstance(v, dict) else v
    )
}


@pytest.mark.parametrize("C", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("kernel", KERNELS, **as_shown)
def test_svc_has_scikit_learns_decision_values(classes, kernel, C):
    X, y = classes
    ours = SVC(C, tol=1e-6, **kernel).fit(X, y)
    other = svm.SVC(C=C, tol=1e-6, **kernel).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-3)
    assert np.array_equal(ours.predict(X), other.predict(X))
    assert np.array_equal(ours.support_, other.support_)
    assert ours.n_support_.tolist() == other.n_support_.tolist()
    if kernel["kernel"] == "rbf" and C <= 1:  # with the usual tolerance too
        other.set_params(tol=1e-3).fit(X, y)
        usual = SVC(C, **kernel).fit(X, y).decision_function(X)
        np.testing.assert_allclose(usual, other.decision_function(X), atol=1.5e-3)


@pytest.mark.parametrize("kernel", KERNELS, **as_shown)
def test_svr_has_scikit_learns_values(numbers, kernel):
    X, y = numbers
    ours = SVR(C=2.0, epsilon=0.05, tol=1e-6, **kernel).fit(X, y)
    other = svm.SVR(C=2.0, epsilon=0.05, tol=1e-6, **kernel).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), other.predict(X), atol=1e-3)


@pytest.mark.parametrize("gamma", [0.2, "scale"])
def test_weights_of_rows(classes, gamma):
    X, y = classes
    weights = np.random.default_rng(1).random(len(X))
    ours = SVC(gamma=gamma, tol=1e-6).fit(X, y, sample_weight=weights)
    # "scale" is the variance of the weighted rows here: as if each came as often as its weight says.
    other = svm.SVC(gamma=ours.gamma_, tol=1e-6).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-3)
    if gamma == "scale":
        mean = np.average(X.ravel(), weights=weights.repeat(8))
        assert ours.gamma_ == pytest.approx(
            1 / (8 * np.average((X.ravel() - mean) ** 2, weights=weights.repeat(8)))
        )


@pytest.mark.parametrize("shape", ["ovr", "ovo"])
def test_several_classes_vote_as_scikit_learns(shape):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    ours = SVC(decision_function_shape=shape, tol=1e-6).fit(X, names)
    other = svm.SVC(decision_function_shape=shape, tol=1e-6).fit(X, names)
    np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-3)
    assert np.array_equal(ours.predict(X), other.predict(X))
    assert np.array_equal(ours.support_, other.support_)
    np.testing.assert_allclose(ours.dual_coef_, other.dual_coef_, atol=1e-3)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, atol=1e-3)


@pytest.mark.parametrize("kernel", KERNELS[:5], **as_shown)
def test_the_conditions_of_the_optimum_hold(classes, kernel):
    X, y = classes
    C = 2.0
    model = SVC(C, **kernel).fit(X, y)
    sign = np.where(y == 1, 1.0, -1.0)
    margin = sign * model.decision_function(X)
    alpha = np.zeros(len(X))
    alpha[model.support_] = np.abs(model.dual_coef_[0])
    assert abs(model.dual_coef_.sum()) < 1e-9
    assert alpha.max() <= C
    assert margin[alpha == 0].min() > 1 - 1e-3
    assert margin[alpha == C].max() < 1 + 1e-3
    free = (alpha > 0) & (alpha < C)
    assert free.sum() > 3
    np.testing.assert_allclose(margin[free], 1, atol=1e-6)  # settled: exact where SMO alone would stop at tol


def test_the_margin_is_the_distance_of_the_nearest_rows():
    X = np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 1.0], [5.0, 0.0], [-4.0, 1.0]])
    y = np.array([0, 0, 1, 1, 0])
    model = SVC(C=1e6, kernel="linear").fit(X, y)
    assert model.margin_[0] == pytest.approx(1.5, rel=1e-9)  # half the way from x = 0 to x = 3
    np.testing.assert_allclose(model.coef_, [[2 / 3, 0]], atol=1e-9)
    assert model.intercept_[0] == pytest.approx(-1, abs=1e-9)
    assert sorted(model.support_) == [0, 1, 2]
    with pytest.raises(AttributeError, match="coef_ is only there for kernel='linear'"):
        SVC().fit(X, y).coef_  # noqa: B018


def test_rows_without_weight_keep_their_numbers(classes):
    X, y = classes
    weights = np.ones(len(X))
    weights[:100] = 0
    model = SVC().fit(X, y, sample_weight=weights)
    assert model.support_.min() >= 100
    assert np.array_equal(X[model.support_], model.support_vectors_)


def test_pairs_and_interior_points_find_the_same(numbers):
    X, y = numbers
    kernel = Kernel(X, "linear", 1.0, 3, 0.0)
    none, price = np.zeros(len(X)), np.ones(len(X))
    problem = smo.Problem(
        kernel.columns,
        kernel.diagonal(),
        np.stack([y - 0.3, y + 0.3]),
        np.stack([none, -price]),
        np.stack([price, none]),
    )
    found = smo.solve(problem, tol=1e-5, most=10**6)
    assert found.gap <= 1e-5
    assert found.pairs > 10
    model = SVR(kernel="linear", epsilon=0.3).fit(X, y)
    assert model.n_iter_ == 1
    np.testing.assert_allclose(found.z.sum(0) @ X, model.coef_[0], atol=1e-5)


def test_too_few_steps_are_told(classes):
    X, y = classes
    with pytest.warns(UserWarning, match="SVC: stopped after 5 steps") as caught:
        SVC(max_iter=5).fit(X, y)
    first, hint = str(caught[0].message).split("\n")
    assert first.startswith("SVC: stopped after 5 steps with conditions violated by ")
    assert first.endswith(", more than tol=0.001")
    assert hint == "  try: a larger max_iter, or columns of similar sizes"


def test_equal_rows_of_both_classes_do_no_harm():
    X, y = np.repeat([[0.0], [1.0]], 60, axis=0), np.tile([0, 1], 60)
    for kernel in ("linear", "rbf"):
        np.testing.assert_allclose(SVC(kernel=kernel).fit(X, y).decision_function(X), 0, atol=1e-6)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_linear_svc_has_scikit_learns_decision_values(classes, loss, C):
    X, y = classes
    ours = LinearSVC(C, loss=loss).fit(X, y)
    other = svm.LinearSVC(C=C, loss=loss, tol=1e-9, max_iter=10**7, dual=loss == "hinge").fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-3)

    def objective(model):
        w = np.append(model.coef_[0], model.intercept_)
        short = np.maximum(0, 1 - np.where(y == 1, 1, -1) * model.decision_function(X))
        return 0.5 * w @ w + C * (short if loss == "hinge" else short**2).sum()

    assert objective(ours) <= objective(other) * (1 + 1e-7)


def test_linear_svc_with_more_features_than_rows_and_several_classes():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 80)), np.repeat([0, 1, 2], 10)
    for loss in ("hinge", "squared_hinge"):
        ours = LinearSVC(loss=loss, C=0.05).fit(X, y)
        other = svm.LinearSVC(loss=loss, C=0.05, tol=1e-9, max_iter=10**6, dual=True).fit(X, y)
        np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-5)
        assert ours.coef_.shape == (3, 80)
        np.testing.assert_allclose(ours.margin_, 1 / np.linalg.norm(ours.coef_, axis=1))
