"""Rosenblatt's rule: word for word, its mistake bound, and its end where nothing separates the classes."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.models import SVC, MLPClassifier, Perceptron


def _as_in_the_notes(X, y, passes):
    """Document 003: w = 0, b = 0; repeat: if y_i (w'x_i + b) <= 0: w += x_i y_i, b += y_i; until none."""
    w, b, mistakes, done = np.zeros(X.shape[1]), 0.0, 0, 0
    while done < passes:
        done, wrong = done + 1, 0
        for x_i, y_i in zip(X, y, strict=True):
            if y_i * (w @ x_i + b) <= 0:
                w, b, wrong = w + x_i * y_i, b + y_i, wrong + 1
        mistakes += wrong
        if wrong == 0:
            break
    return w, b, mistakes, done


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_rule_of_the_notes(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-20, 20, (700, 3)).astype(float)  # whole numbers: sums do not depend on their order
    f = X @ [1.0, -2.0, 0.5] + 3
    X, y = X[np.abs(f) > 2], np.where(f > 0, 1, -1)[np.abs(f) > 2]
    w, b, mistakes, passes = _as_in_the_notes(X, y, 10_000)
    model = Perceptron(max_iter=10_000).fit(X, y)
    assert np.array_equal(model.coef_[0], w)
    assert model.intercept_[0] == b
    assert (model.mistakes_[0], model.n_iter_) == (mistakes, passes)
    assert model.separated_.all()
    assert model.score(X, y) == 1


def test_mistakes_stay_below_the_bound():
    rng = np.random.default_rng(0)
    for distance in (0.5, 2.0, 8.0):
        X = rng.standard_normal((200, 2))
        y = np.where(X[:, 0] > 0, 1, -1)
        X[:, 0] += distance * y
        model = Perceptron().fit(X, y)
        assert 0 < model.mistakes_[0] <= model.mistake_bound_[0] < np.inf
        # The bound holds for any plane that separates; the one with the widest margin gives the best.
        best = SVC(C=1e9, kernel="linear").fit(X, y)
        w = np.append(best.coef_[0], best.intercept_)
        ones = np.hstack([X, np.ones((200, 1))])
        gamma = (y * (ones @ w)).min() / np.linalg.norm(w)
        assert model.mistakes_[0] <= (np.linalg.norm(ones, axis=1).max() / gamma) ** 2
        assert gamma >= model.margin_[0] * 0.5


XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def test_xor_is_proven_to_be_beyond_it():
    with pytest.warns(UserWarning, match="Perceptron: no plane separates the classes") as caught:
        model = Perceptron(max_iter=10**6).fit(*XOR)
    assert str(caught[0].message) == (
        "Perceptron: no plane separates the classes: pass 1 ended where pass 1 had begun; "
        "4 of 4 rows are on the wrong side\n"
        "  try: a model that bends (MLPClassifier, SVC), or one that allows errors (LinearSVC)"
    )
    assert model.n_iter_ < 10
    assert not model.separated_[0]
    assert model.mistake_bound_[0] == np.inf
    # One hidden layer bends enough.
    assert MLPClassifier(hidden=(8,), lr=0.05, random_state=0).fit(*XOR).score(*XOR) == 1


def test_the_passes_end_with_a_warning_and_the_best_of_them():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 2))
    y = (X[:, 0] + 0.5 * rng.standard_normal(300) > 0).astype(int)
    with pytest.warns(
        UserWarning, match="Perceptron: no plane that separates the classes was found"
    ) as caught:
        model = Perceptron(max_iter=30).fit(X, y)
    wrong = int((model.predict(X) != y).sum())
    assert str(caught[0].message) == (
        f"Perceptron: no plane that separates the classes was found in 30 passes; {wrong} of 300 rows are on "
        "the wrong side\n"
        "  try: a larger max_iter if you know that there is one; else LinearSVC, which allows errors"
    )
    assert model.score(X, y) > 0.75


@pytest.mark.filterwarnings("ignore:.*class 'left'")
def test_each_class_against_the_rest():
    X = np.array([[0.0, 5.0], [1.0, 6.0], [5.0, 0.0], [6.0, 1.0], [-5.0, -5.0], [-6.0, -4.0]])
    y = np.array(["up", "up", "right", "right", "left", "left"])
    model = Perceptron().fit(X, y)
    assert model.coef_.shape == (3, 2)
    assert model.separated_.tolist() == [True] * 3
    assert model.predict([[0, 9], [9, 0], [-9, -9]]).tolist() == ["up", "right", "left"]
    with pytest.warns(UserWarning, match="class 'right' against the rest: no plane"):
        Perceptron(max_iter=5).fit(np.vstack([X, [[5.0, 0.0]]]), [*y, "left"])
