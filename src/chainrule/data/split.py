"""Divide row numbers into training, validation and test rows: seeded, and for classes each in its share.

It knows row numbers and class indices, not tables. Training rows are the only ones anything is learned from
(`preparation.py`); validation rows decide when training stops; test rows are looked at once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .problems import DataError, count, listing, shown
from .values import Indices

FEWEST_ROWS = 10  # fewer, and a part would have one row or none


@dataclass(frozen=True)
class Split:
    """Row numbers from 0, each part in ascending order; together they are all rows, each once."""

    train: Indices
    validation: Indices
    test: Indices


def split_rows(
    rows: int,
    *,
    test_size: float = 0.2,
    val_size: float = 0.2,
    seed: int = 0,
    classes: Indices | None = None,
    labels: tuple[object, ...] = (),
) -> Split:
    """Divide `rows` rows. Sizes are fractions of all rows; with 0 there is no such part.

    The order is that of Philox random numbers drawn from the seed, so the same seed gives the same parts
    everywhere. With `classes` (the class index of each row) every class has its share in every part, and at
    least one row there.

    Raises:  DataError: fewer than 10 rows, or a class with fewer rows than there are parts (`labels` name
             it).

    >>> split = split_rows(10, seed=1)
    >>> len(split.train), len(split.validation), len(split.test)
    (6, 2, 2)
    """
    order = np.argsort(np.random.Generator(np.random.Philox(seed)).random(rows), kind="stable")
    parts = 1 + (val_size > 0) + (test_size > 0)
    if parts > 1 and rows < FEWEST_ROWS:
        raise DataError(
            f"{count(rows, 'row')} cannot be split into training, validation and test rows "
            f"(it takes {FEWEST_ROWS}); to learn from all of them and know nothing about new ones: "
            "--val-size 0 --test-size 0"
        )
    if classes is None:
        sizes = np.array([[_share(rows, test_size), _share(rows, val_size)]])
        groups = [order]
    else:
        sizes = _shares_of_classes(
            np.bincount(classes, minlength=len(labels)), test_size, val_size, parts, labels
        )
        groups = [order[classes[order] == index] for index in range(len(sizes))]
    test = [group[:n_test] for group, (n_test, _) in zip(groups, sizes, strict=True)]
    validation = [
        group[n_test : n_test + n_val] for group, (n_test, n_val) in zip(groups, sizes, strict=True)
    ]
    train = [group[n_test + n_val :] for group, (n_test, n_val) in zip(groups, sizes, strict=True)]
    return Split(*(np.sort(np.concatenate(part)) for part in (train, validation, test)))


def _share(rows: int, fraction: float) -> int:
    """The whole number of rows nearest to a fraction of them, at least one unless the fraction is 0."""
    return max(1, round(rows * fraction)) if fraction else 0


def _shares_of_classes(
    counts: Indices, test_size: float, val_size: float, parts: int, labels: tuple[object, ...]
) -> Indices:
    """How many test and validation rows each class gives: (classes, 2)."""
    rare = np.flatnonzero(counts < parts)
    if len(rare):
        names = listing([labels[index] for index in rare]) if len(rare) > 1 else shown(labels[rare[0]])
        most = int(counts[rare].max())
        if len(rare) == 1:
            what = f"class {names} has {count(most, 'row')}"
        else:
            what = f"{len(rare)} classes have fewer than {parts} rows ({names})"
        each = "training, validation and test rows" if parts == 3 else "training rows and the rows held out"
        raise DataError(
            f"{what}; each class needs at least {parts}, "
            f"one for each of the {each}: add rows, or remove the class"
        )
    test = _apportion(counts, test_size)
    validation = _apportion(counts, val_size)
    # Rounding up in both parts may have taken a small class's last training row.
    while (short := np.flatnonzero(counts - test - validation < 1)).size:
        for index in short:
            (test if test[index] >= validation[index] else validation)[index] -= 1
    return np.stack([test, validation], axis=1)


def _apportion(counts: Indices, fraction: float) -> Indices:
    """Share out a fraction of the rows among the classes: whole numbers that add up, by largest remainder."""
    if not fraction:
        return np.zeros_like(counts)
    exact = counts * fraction
    result = np.maximum(np.floor(exact).astype(np.int64), 1)
    left = _share(int(counts.sum()), fraction) - int(result.sum())
    for index in np.argsort(result - exact, kind="stable")[: max(left, 0)]:
        result[index] += 1
    shares: Indices = result
    return shares
