"""Measures and baselines, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import dummy, metrics

from chainrule.training.metrics import (
    classification_baseline,
    classification_scores,
    regression_baseline,
    regression_scores,
)

RNG = np.random.default_rng(0)


def test_classification_is_that_of_scikit_learn() -> None:
    truth = RNG.integers(0, 4, 200)
    probabilities = RNG.dirichlet(np.ones(4), 200)
    chosen = probabilities.argmax(axis=1)
    assert classification_scores(probabilities, truth) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, chosen),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, chosen),
            "cross_entropy": metrics.log_loss(truth, probabilities),
        }
    )


def test_a_probability_of_zero_is_very_bad_but_not_infinitely() -> None:
    scores = classification_scores(np.array([[1.0, 0.0]], dtype=np.float32), np.array([1]))
    assert scores["cross_entropy"] == pytest.approx(-np.log(np.finfo(np.float32).tiny))


def test_a_class_without_rows_does_not_count_as_missed() -> None:
    scores = classification_scores(np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), np.array([0, 1]))
    assert scores["balanced_accuracy"] == 1.0


def test_regression_is_that_of_scikit_learn() -> None:
    truth, predicted = RNG.normal(size=100), RNG.normal(size=100)
    assert regression_scores(predicted, truth) == pytest.approx(
        {
            "r2": metrics.r2_score(truth, predicted),
            "rmse": metrics.root_mean_squared_error(truth, predicted),
            "mae": metrics.mean_absolute_error(truth, predicted),
        }
    )


def test_r2_of_equal_rows_is_undefined() -> None:
    assert regression_scores(np.array([1.0, 2.0]), np.array([3.0, 3.0]))["r2"] is None


def test_no_rows_no_scores() -> None:
    assert set(classification_scores(np.zeros((0, 2)), np.zeros(0, dtype=np.int64)).values()) == {None}
    assert set(regression_scores(np.zeros(0), np.zeros(0)).values()) == {None}


def test_baselines_are_those_of_scikit_learn() -> None:
    train, test = RNG.choice(3, 90, p=[0.2, 0.5, 0.3]), RNG.choice(3, 40)
    prior = dummy.DummyClassifier(strategy="prior").fit(np.zeros((90, 1)), train)
    chances = prior.predict_proba(np.zeros((40, 1)))
    expected = {
        "accuracy": prior.score(np.zeros((40, 1)), test),
        "balanced_accuracy": 1 / 3,
        "cross_entropy": metrics.log_loss(test, chances),
    }
    assert classification_baseline(train, test, 3) == pytest.approx(expected)

    numbers = RNG.normal(size=40)
    mean = dummy.DummyRegressor().fit(np.zeros((3, 1)), [1.0, 2.0, 6.0])
    assert regression_baseline(3.0, numbers)["r2"] == pytest.approx(mean.score(np.zeros((40, 1)), numbers))
