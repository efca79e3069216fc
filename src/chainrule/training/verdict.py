"""Over- or underfitting in plain words, from the scores on training and validation rows.

A difference counts when it is both large enough to matter and larger than chance would make it with so few
validation rows. What counts as large is written below; the words that a user reads are made here and nowhere
else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .metrics import Scores

# A gap that matters: 5 points of accuracy, a tenth of the variance. Smaller ones are left to the reader.
GAP = {"accuracy": 0.05, "r2": 0.1}
GOOD = {"accuracy": 0.9, "r2": 0.8}  # from here on "well" is the word
NAMES = {"accuracy": "accuracy", "r2": "R²"}
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Verdict:
    """`kind` is one word for programs, `text` one sentence for people."""

    kind: Literal["good", "agrees", "overfits", "underfits", "unknown"]
    text: str


def judge(
    train: Scores,
    validation: Scores,
    baseline: Scores,
    *,
    rows: int,
    model: str,
    improving: bool = False,
) -> Verdict:
    """Compare the scores on training and validation rows, and the latter with the baseline on the same rows.

    Args:    rows: how many validation rows there are.
             model: linear, softmax or mlp; what is worth trying depends on it.
             improving: the best epoch was the last one, and the number of epochs ended the training.

    >>> judge({"accuracy": 1.0}, {"accuracy": 0.9}, {"accuracy": 0.5}, rows=500, model="softmax").text
    'overfits: training accuracy 1.00, validation 0.90; try a larger --weight-decay or more rows'
    """
    measure = "accuracy" if "accuracy" in train else "r2"
    seen, new, base = train[measure], validation.get(measure), baseline.get(measure)
    if seen is None or new is None or base is None:
        return Verdict("unknown", "not known: without validation rows there is nothing to compare with")
    chance = STANDARD_ERRORS * _standard_error(measure, new, rows)
    both = f"training {NAMES[measure]} {seen:.2f}, validation {new:.2f}"
    longer = "; it was still getting better: try more --epochs" if improving else ""
    if seen - new > max(GAP[measure], chance):
        return Verdict("overfits", f"overfits: {both}; try {_for_overfitting(model)}")
    if new - base <= min(GAP[measure], chance) and not _tells_classes_apart(validation, baseline):
        hint = longer or f"; try {_for_underfitting(model)}"
        return Verdict("underfits", f"underfits: {both}, and always the same answer gets {base:.2f}{hint}")
    if seen >= GOOD[measure]:
        return Verdict("good", f"fits well: {both}{longer}")
    hint = longer or f"; if that is too little, try {_for_underfitting(model)}"
    return Verdict("agrees", f"does not overfit: {both}{hint}")


def _tells_classes_apart(validation: Scores, baseline: Scores) -> bool:
    """With one class in nearly all rows, accuracy hides what was learned about the others."""
    new, base = validation.get("balanced_accuracy"), baseline.get("balanced_accuracy")
    return new is not None and base is not None and new - base > GAP["accuracy"]


def _standard_error(measure: str, score: float, rows: int) -> float:
    """How far a score from so many rows is from its true value, typically.

    Accuracy is a share. For R² this is the large-sample formula for a few inputs, 2 R (1 - R²) / sqrt(rows)
    with R the correlation (derived by the delta method from the variance (1 - R²)² / rows of a correlation).
    """
    if measure == "accuracy":
        return math.sqrt(max(score * (1.0 - score), 0.0) / rows)
    score = min(max(score, 0.0), 1.0)
    return 2.0 * math.sqrt(score) * (1.0 - score) / math.sqrt(rows)


def _for_overfitting(model: str) -> str:
    return (
        "a larger --dropout or --weight-decay, or more rows"
        if model == "mlp"
        else "a larger --weight-decay or more rows"
    )


def _for_underfitting(model: str) -> str:
    return (
        "a larger --hidden, or columns that say more"
        if model == "mlp"
        else "--model mlp, or columns that say more"
    )
