"""How good predictions are: measures for labels and for numbers, and what a baseline gets.

Plain NumPy, in float64. A measure that is not defined (R² of rows that all have the same target) is None,
which JSON can say; it is never a made-up number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = dict[str, float | None]
Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.int64]


def classification_scores(probabilities: Floats, truth: Indices) -> Scores:
    """Accuracy, balanced accuracy (the mean over classes of the share found), cross-entropy in nats per row.

    Shapes:  probabilities (rows, classes), truth (rows,).

    >>> classification_scores(np.array([[0.8, 0.2], [0.5, 0.5]]), np.array([0, 1]))["accuracy"]
    0.5
    """
    if len(truth) == 0:
        return {"accuracy": None, "balanced_accuracy": None, "cross_entropy": None}
    right = probabilities.argmax(axis=1) == truth  # (rows, classes) -> (rows,)
    found = [float(right[truth == index].mean()) for index in np.unique(truth)]
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    # A float32 probability can be 0 where the true one is merely very small.
    entropy = -np.log(np.maximum(given, np.finfo(np.float32).tiny))
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(found)),
        "cross_entropy": float(entropy.mean()),
    }


def classification_baseline(train: Indices, truth: Indices, classes: int) -> Scores:
    """What the most frequent training class gets, and for the cross-entropy the training frequencies."""
    frequencies = np.bincount(train, minlength=classes) / len(train)
    return classification_scores(np.tile(frequencies, (len(truth), 1)), truth)


def regression_scores(predicted: Floats, truth: Floats) -> Scores:
    """R², and the root of the mean squared error and the mean absolute error in the target's units.

    Shapes:  both (rows,). R² is None where all true values are the same.

    >>> regression_scores(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]))["rmse"]
    1.7320508075688772
    """
    if len(truth) == 0:
        return {"r2": None, "rmse": None, "mae": None}
    error = predicted.astype(np.float64) - truth
    spread = float(((truth - truth.mean()) ** 2).sum())
    return {
        "r2": 1.0 - float((error**2).sum()) / spread if spread > 0 else None,
        "rmse": math.sqrt(float((error**2).mean())),
        "mae": float(np.abs(error).mean()),
    }


def regression_baseline(mean: float, truth: Floats) -> Scores:
    """What the mean of the training rows gets when it is always the answer."""
    return regression_scores(np.full(len(truth), mean), truth)
