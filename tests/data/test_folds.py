"""Folds: every row is held out once, in its class's share; the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.data import DataError, fold_rows


@pytest.mark.parametrize(("rows", "k"), [(10, 5), (11, 5), (7, 7), (100, 3), (2, 2)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_row_is_held_out_once(rows: int, k: int, seed: int) -> None:
    folds = fold_rows(rows, k, seed=seed)
    assert len(folds) == k
    assert sorted(np.concatenate([fold.validation for fold in folds])) == list(range(rows))
    for fold in folds:
        assert sorted([*fold.train, *fold.validation]) == list(range(rows))
        assert list(fold.train) == sorted(fold.train)
    sizes = [len(fold.validation) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides() -> None:
    first, again, other = (fold_rows(50, 5, seed=seed)[0].validation for seed in (3, 3, 4))
    assert list(first) == list(again)
    assert list(first) != list(other)
    assert list(first) != list(range(10))  # shuffled


def test_classes_are_spread_evenly() -> None:
    classes = np.array([0] * 40 + [1] * 11)
    counts = [
        np.bincount(classes[fold.validation], minlength=2) for fold in fold_rows(51, 5, classes=classes)
    ]
    assert {int(c[0]) for c in counts} == {8}
    assert {int(c[1]) for c in counts} <= {2, 3}


@pytest.mark.parametrize(
    ("rows", "k", "text"),
    [
        (3, 5, "3 rows cannot be divided into 5 folds: there must be at least 2 folds, and a row for each"),
        (9, 1, "9 rows cannot be divided into 1 fold: there must be at least 2 folds, and a row for each"),
    ],
)
def test_refusals(rows: int, k: int, text: str) -> None:
    with pytest.raises(DataError) as caught:
        fold_rows(rows, k)
    assert str(caught.value) == text
