"""All estimators keep scikit-learn's contract: `check_estimator`, pipelines, searches, weights, bad input."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from chainrule import models
from chainrule.models import (
    PCA,
    SVC,
    SVR,
    KMeans,
    LinearRegression,
    LinearSVC,
    MLPClassifier,
    MLPRegressor,
    Perceptron,
    PolynomialRegression,
    Ridge,
    SoftmaxRegression,
)

# The estimator, and how many checks scikit-learn 1.9 makes of it, that of array API input left out (it runs
# only where SciPy's switch for it is on).
CHECKED = [
    (LinearRegression(), 59),
    (LinearRegression(solver="gd", epochs=50), 59),
    (PolynomialRegression(), 59),
    (Ridge(), 59),
    (SoftmaxRegression(), 61),
    (Perceptron(), 54),
    (LinearSVC(), 61),
    (LinearSVC(loss="hinge"), 61),
    (SVC(), 61),
    (SVC(kernel="linear"), 61),
    (SVR(), 58),
    (SVR(kernel="linear"), 58),
    (MLPClassifier(epochs=30), 54),
    (MLPClassifier(hidden=(16, 16), dropout=0.1, early_stopping=True, epochs=60, activation="tanh"), 54),
    (MLPRegressor(epochs=30), 52),
    (KMeans(), 57),
    (PCA(), 46),
]

ESTIMATORS: list[Any] = [
    LinearRegression(), PolynomialRegression(), Ridge(), SoftmaxRegression(), Perceptron(), LinearSVC(),
    SVC(), SVR(), MLPClassifier(epochs=20, random_state=0), MLPRegressor(epochs=20, random_state=0),
    KMeans(n_clusters=3, random_state=0), PCA(n_components=2),
]  # fmt: skip

quiet = pytest.mark.filterwarnings(
    # The checks fit rows that determine nothing, and classes that nothing separates: saying so is right.
    "ignore:.*(depend on others|rows for|condition number|Perceptron|KMeans|SoftmaxRegression|SVR|SVC)",
    "ignore:.*sklearn",  # what the checks themselves warn of
)


@quiet
@pytest.mark.parametrize(("model", "count"), CHECKED, ids=lambda v: str(v).replace("\n", ""))
def test_check_estimator(model: Any, count: int) -> None:
    results = check_estimator(model, on_skip=None, on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")}
    assert failed == {}
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}
    passed = sum(r["status"] == "passed" for r in results)
    assert passed == count


def test_every_public_estimator_is_checked() -> None:
    assert {type(model).__name__ for model, _ in CHECKED} == set(models.__all__)
    assert {type(model).__name__ for model in ESTIMATORS} == set(models.__all__)


def _rows(model: Any) -> tuple[Any, Any]:
    if is_regressor(model):
        return load_diabetes(return_X_y=True)
    X, y = load_iris(return_X_y=True)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


@quiet
@pytest.mark.parametrize("model", ESTIMATORS, ids=lambda m: type(m).__name__)
def test_in_a_pipeline(model: Any) -> None:
    X, y = _rows(model)
    line = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    if is_classifier(model):
        assert line.score(X, y) > 0.85
    elif is_regressor(model):
        assert line.score(X, y) > 0.1
    else:
        assert line.transform(X).shape == (150, 3 if isinstance(model, KMeans) else 2)
        assert next(iter(line[1:].get_feature_names_out())) == f"{type(model).__name__.lower()}0"


@quiet
@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (Ridge(), {"alpha": [1e-3, 1.0, 1e6]}),
        (PolynomialRegression(), {"degree": [1, 2]}),
        (SoftmaxRegression(), {"weight_decay": [1e-4, 1.0]}),
        (LinearSVC(), {"loss": ["hinge", "squared_hinge"], "C": [0.1, 1.0]}),
        (SVC(), {"kernel": ["rbf", "linear"], "C": [0.1, 10.0]}),
        (SVR(), {"C": [1.0, 100.0]}),
        (MLPClassifier(epochs=10, random_state=0), {"hidden": [(8,), (16,)]}),
    ],
    ids=lambda v: type(v).__name__,
)
def test_in_a_search(model: Any, grid: dict[str, list[Any]]) -> None:
    X, y = _rows(model)
    X = StandardScaler().fit_transform(X)
    found = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, y)
    assert set(found.best_params_) == set(grid)
    # The best of the search is what cross-validation of it alone says.
    again = cross_val_score(clone(model).set_params(**found.best_params_), X, y, cv=3).mean()
    assert abs(again - found.best_score_) < 1e-6
    if "alpha" in grid:
        assert found.best_params_["alpha"] < 1e6


@quiet
@pytest.mark.parametrize("model", ESTIMATORS, ids=lambda m: type(m).__name__)
def test_stored_and_loaded_it_predicts_the_same(model: Any) -> None:
    X, y = _rows(model)
    X = StandardScaler().fit_transform(X)
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    method = "predict" if hasattr(model, "predict") else "transform"
    assert np.array_equal(getattr(fitted, method)(X), getattr(again, method)(X))


@quiet
@pytest.mark.parametrize(
    "model",
    [LinearRegression(), PolynomialRegression(), Ridge(), SoftmaxRegression(), LinearSVC(), SVC(), SVR()],
    ids=lambda m: type(m).__name__,
)
def test_a_weight_of_two_is_a_row_twice(model: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = (
        (X[:, 0] + 0.5 * rng.standard_normal(60) > 0).astype(int)
        if is_classifier(model)
        else np.sin(3 * X[:, 0])
    )
    weights = rng.integers(0, 4, 60)
    method = "decision_function" if is_classifier(model) else "predict"
    weighted = getattr(clone(model).fit(X, y, sample_weight=weights), method)(X)
    repeated = getattr(clone(model).fit(X.repeat(weights, 0), y.repeat(weights)), method)(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6, atol=1e-7)
    assert np.abs(weighted - getattr(clone(model).fit(X, y), method)(X)).max() > 1e-4  # and they do count


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (
            LinearRegression(solver="sdg"),
            "LinearRegression got solver='sdg'\n"
            "  solver must be one of 'qr', 'normal', 'gd', 'sgd' (did you mean 'sgd'?)",
        ),
        (Ridge(alpha=-1), "Ridge got alpha=-1\n  alpha must be a number 0 or more"),
        (SVC(C=0), "SVC got C=0\n  C must be a number above 0"),
        (
            PolynomialRegression(degree=1.5),
            "PolynomialRegression got degree=1.5\n  degree must be a whole number, 1 or more",
        ),
        (
            PCA(n_components=7),
            "PCA got n_components=7 and 4 directions\n"
            "  n_components must be a whole number from 1 to 4, a fraction between 0 and 1, or None",
        ),
        (
            MLPClassifier(hidden=(8, 0)),
            "MLPClassifier got hidden=(8, 0)\n"
            "  hidden must be the widths of the hidden layers, whole numbers above 0\n"
            "  try: hidden=(64, 64), or hidden=() for none",
        ),
        (MLPClassifier(dropout=1.0), "MLPClassifier got dropout=1.0\n  dropout must be less than 1"),
        (
            MLPClassifier(early_stopping=True, validation_fraction=1.5),
            "MLPClassifier got validation_fraction=1.5\n"
            "  it must be less than 1: the rest is what is learned from",
        ),
        (
            SVC(kernel=lambda x, y: np.ones((1, 2))),
            "kernel got rows (50, 4) and (50, 4), and returned (1, 2)\n"
            "  it must return a number for each pair of rows, (50, 50)",
        ),
        (
            KMeans(n_clusters=200),
            "KMeans got n_samples=150 and n_clusters=200\n  there must be a row for each cluster",
        ),
    ],
    ids=lambda v: type(v).__name__,
)
def test_the_full_text_of_refusals(model: Any, text: str) -> None:
    X, y = load_iris(return_X_y=True)
    if "50" in text and "150" not in text:
        X, y = X[25:75], y[25:75]
        model.set_params(kernel=lambda x, y: np.ones((1, 2)) if len(x) > 1 else np.ones((1, 1)))
    with pytest.raises(ValueError) as caught:
        model.fit(X, y)
    assert str(caught.value).rpartition("\n  at ")[0] == text


def test_refusals_of_data() -> None:
    X = np.ones((4, 2))
    with pytest.raises(ValueError) as caught:
        SoftmaxRegression().fit(X, [1, 1, 1, 1])
    assert str(caught.value).startswith(
        "SoftmaxRegression got 1 class, 1\n  there must be two classes or more to tell apart\n"
    )
    with pytest.raises(ValueError, match="at least one non-zero"):  # scikit-learn's own words
        Ridge().fit(X, [1, 2, 3, 4], sample_weight=[0, 0, 0, 0])
    with pytest.raises(ValueError) as caught:
        MLPClassifier(early_stopping=True).fit(np.eye(2), [0, 1])
    assert str(caught.value).startswith(
        "MLPClassifier got 2 rows, none of which can be held out\n"
        "  early stopping needs a row to validate on, of a class that has others to learn from\n"
        "  try: early_stopping=False\n"
    )
    with pytest.raises(ValueError) as caught:
        LinearRegression(solver="normal").fit(np.zeros((4, 2)), [1, 2, 3, 4])
    assert str(caught.value).startswith(
        "LinearRegression with solver='normal' got X (4, 2) with columns that depend on each other\n"
        "  X'X has no inverse then\n  try: solver='qr', or Ridge\n"
    )
    with pytest.raises(ValueError) as caught, np.errstate(all="ignore"):
        LinearRegression(solver="gd", lr=10.0, epochs=5000).fit(np.arange(8.0).reshape(4, 2), [1, 2, 3, 5])
    text = str(caught.value)
    assert text.startswith("LinearRegression got lr=10\n  training diverged: the loss of epoch ")
    assert "try: a smaller lr, and columns of similar sizes: make_pipeline(StandardScaler(), ...)\n" in text


def test_the_global_random_stream_is_left_alone() -> None:
    import chainrule as torch

    X, y = load_iris(return_X_y=True)
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    first = MLPClassifier(epochs=3, random_state=1).fit(X, y).predict_proba(X)
    assert torch.rand(2).tolist() == expected
    assert np.array_equal(MLPClassifier(epochs=3, random_state=1).fit(X, y).predict_proba(X), first)
    assert not np.array_equal(MLPClassifier(epochs=3, random_state=2).fit(X, y).predict_proba(X), first)
