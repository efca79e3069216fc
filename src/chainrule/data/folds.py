"""k-fold cross-validation: divide row numbers into k parts, each of which is held out once.

Like `split.py` it knows row numbers only. Whatever is learned for a fold (means, scales, categories, features
that are chosen) is learned from its training rows: see `chainrule.experiments.leakage` for what happens
otherwise. Test rows are set aside before, by `split_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .problems import DataError, count
from .values import Indices


@dataclass(frozen=True)
class Fold:
    """Row numbers from 0, both parts in ascending order; together they are all rows, each once."""

    train: Indices
    validation: Indices


def fold_rows(rows: int, k: int = 5, *, seed: int = 0, classes: Indices | None = None) -> list[Fold]:
    """Divide `rows` rows into k folds whose sizes differ by one at most.

    The order is that of Philox random numbers drawn from the seed, so the same seed gives the same folds
    everywhere. With `classes` (the class index of each row) the rows of each class are spread evenly over
    the folds.

    Raises:  DataError: fewer than 2 folds, or more folds than rows.

    >>> folds = fold_rows(10, 5, seed=1)
    >>> [len(fold.validation) for fold in folds]
    [2, 2, 2, 2, 2]
    >>> sorted(int(row) for fold in folds for row in fold.validation)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    if not 2 <= k <= rows:
        raise DataError(
            f"{count(rows, 'row')} cannot be divided into {count(k, 'fold')}: "
            "there must be at least 2 folds, and a row for each"
        )
    order = np.argsort(np.random.Generator(np.random.Philox(seed)).random(rows), kind="stable")
    if classes is not None:
        order = order[
            np.argsort(np.asarray(classes)[order], kind="stable")
        ]  # class by class, shuffled within
    held_out = np.empty(rows, dtype=np.int64)
    held_out[order] = np.arange(rows) % k  # dealt out like cards: sizes differ by one at most
    return [Fold(np.flatnonzero(held_out != fold), np.flatnonzero(held_out == fold)) for fold in range(k)]
