"""Splitting rows: seeded, complete, stratified; the full text of every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import DataError, Split, split_rows


def all_rows(split: Split) -> list[int]:
    return sorted([*split.train, *split.validation, *split.test])


def test_default_sizes() -> None:
    split = split_rows(1000)
    assert (len(split.train), len(split.validation), len(split.test)) == (600, 200, 200)
    assert all_rows(split) == list(range(1000))


def test_the_same_seed_gives_the_same_parts() -> None:
    one, same, other = split_rows(100, seed=7), split_rows(100, seed=7), split_rows(100, seed=8)
    assert one.test.tolist() == same.test.tolist()
    assert one.test.tolist() != other.test.tolist()


def test_parts_are_drawn_from_everywhere() -> None:
    # 2000 test rows of 10000: their mean is normal around 4999.5 with deviation 58; six deviations are 350
    assert abs(split_rows(10_000, seed=3).test.mean() - 4999.5) < 350


def test_parts_that_are_not_wanted_are_empty() -> None:
    assert len(split_rows(4, test_size=0, val_size=0).train) == 4
    split = split_rows(20, test_size=0)
    assert (len(split.train), len(split.validation), len(split.test)) == (16, 4, 0)


@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=6),
    test_size=st.sampled_from([0.05, 0.2, 0.3, 0.5]),
    val_size=st.sampled_from([0.05, 0.15, 0.3, 0.45]),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_class_has_its_share_in_every_part(
    counts: list[int], test_size: float, val_size: float, seed: int
) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    labels = tuple("abcdef"[: len(counts)])
    if sum(counts) < 10:
        return
    split = split_rows(
        len(classes), test_size=test_size, val_size=val_size, seed=seed, classes=classes, labels=labels
    )
    assert all_rows(split) == list(range(len(classes)))
    for part, size in ((split.test, test_size), (split.validation, val_size)):
        given_rows = np.bincount(classes[part], minlength=len(counts))
        assert (given_rows >= 1).all()
        # a whole number next to the exact share, or the one row that every class must give;
        # one less where a small class would have had no training row left
        assert (abs(given_rows - np.array(counts) * size) <= 1.0 + 1e-9).all()
    assert (np.bincount(classes[split.train], minlength=len(counts)) >= 1).all()


def test_shares_add_up_to_the_size_that_was_asked_for() -> None:
    classes = np.repeat(np.arange(10), 33)
    split = split_rows(330, classes=classes, labels=tuple(range(10)))
    assert (len(split.test), len(split.validation)) == (66, 66)  # not 10 * round(6.6) = 70


def refusal(
    rows: int, classes: list[int] | None = None, labels: tuple[object, ...] = (), **how: float
) -> str:
    with pytest.raises(DataError) as caught:
        split_rows(rows, classes=None if classes is None else np.array(classes), labels=labels, **how)
    return str(caught.value)


def test_too_few_rows() -> None:
    assert refusal(9) == (
        "9 rows cannot be split into training, validation and test rows (it takes 10); "
        "to learn from all of them and know nothing about new ones: --val-size 0 --test-size 0"
    )
    assert refusal(1, test_size=0.2, val_size=0).startswith("1 row cannot be split")
    assert len(split_rows(10).train) == 6


def test_a_class_with_too_few_rows() -> None:
    classes = [0] * 10 + [1]
    assert refusal(11, classes, ("hen", "duck")) == (
        "class 'duck' has 1 row; each class needs at least 3, "
        "one for each of the training, validation and test rows: add rows, or remove the class"
    )
    assert refusal(11, classes, (5, 7), val_size=0) == (
        "class 7 has 1 row; each class needs at least 2, "
        "one for each of the training rows and the rows held out: add rows, or remove the class"
    )


def test_several_classes_with_too_few_rows() -> None:
    classes = [0] * 10 + [1, 2, 2, 3, 3, 3]
    assert refusal(16, classes, ("a", "b", "c", "d")) == (
        "2 classes have fewer than 3 rows ('b' and 'c'); each class needs at least 3, "
        "one for each of the training, validation and test rows: add rows, or remove the class"
    )
