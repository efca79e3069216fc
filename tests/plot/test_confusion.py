"""The confusion matrix against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import chainrule as torch
from chainrule import plot

RNG = np.random.default_rng(0)
TRUE, GUESS = RNG.integers(0, 4, 200), RNG.integers(0, 4, 200)
NAMES = np.array(["ant", "bee", "cat", "dog"])


def counts(ax: Any) -> list[int]:
    return [int(text.get_text()) for text in ax.texts]


def names(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


@pytest.mark.parametrize(
    ("true", "guess", "classes"),
    [
        (TRUE, GUESS, None),
        (torch.tensor(TRUE), torch.tensor(GUESS).reshape(-1, 1), None),
        (TRUE.tolist(), torch.nn.functional.one_hot(torch.tensor(GUESS), 4) * 0.5, None),
        (TRUE.astype(float), GUESS.astype(np.int8), list(NAMES)),
        (NAMES[TRUE], NAMES[GUESS], None),
        (NAMES[TRUE], GUESS, list(NAMES)),
        (TRUE - 2, GUESS - 2, None),
    ],
)
def test_counts_and_shares(true: Any, guess: Any, classes: Any) -> None:
    ax = plot.confusion_matrix(true, guess, classes=classes)
    wanted = confusion_matrix(TRUE, GUESS)
    assert counts(ax) == wanted.ravel().tolist()
    np.testing.assert_allclose(ax.images[0].get_array(), confusion_matrix(TRUE, GUESS, normalize="true"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_names_of_classes() -> None:
    assert names(plot.confusion_matrix(TRUE, GUESS)) == ["0", "1", "2", "3"]
    assert names(plot.confusion_matrix(TRUE, GUESS, classes=NAMES)) == list(NAMES)
    assert names(plot.confusion_matrix(NAMES[TRUE], NAMES[GUESS], classes=NAMES[::-1])) == list(NAMES[::-1])
    assert names(plot.confusion_matrix([-1, 1], [1, 1])) == ["-1", "1"]
    assert names(plot.confusion_matrix([0, 1], [1, 1], classes=["a $", "b $", "unseen"])) == [
        "a $",
        "b $",
        "unseen",
    ]


def test_a_class_without_rows_has_no_share() -> None:
    ax = plot.confusion_matrix([0, 2], [0, 1])
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0, 0], [0, 0, 0], [0, 1, 0]])


def test_counts_are_light_on_dark_and_dark_on_light() -> None:
    right, wrong = plot.confusion_matrix([0, 1], [0, 1]).texts[:2]
    assert (right.get_color(), wrong.get_color()) == ("white", "#222222")


def test_many_classes_show_their_colours_only() -> None:
    assert len(plot.confusion_matrix(np.arange(15), np.arange(15)).texts) == 225
    assert len(plot.confusion_matrix(np.arange(16), np.arange(16)).texts) == 0
