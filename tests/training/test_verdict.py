"""The verdict: what is called what, in full."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from chainrule.training.verdict import _standard_error, judge


def accuracy(value: float, balanced: float | None = None) -> dict[str, float | None]:
    return {"accuracy": value, "balanced_accuracy": value if balanced is None else balanced}


CASES = [
    # training, validation, baseline, rows, kind, text
    (0.99, 0.98, 0.63, 85, "good", "fits well: training accuracy 0.99, validation 0.98"),
    (0.99, 0.95, 0.63, 5000, "good", "fits well: training accuracy 0.99, validation 0.95"),
    (
        1.00,
        0.91,
        0.63,
        500,
        "overfits",
        "overfits: training accuracy 1.00, validation 0.91; "
        "try a larger --dropout or --weight-decay, or more rows",
    ),
    # nine points, but of 20 rows that is two rows: it may be chance
    (1.00, 0.91, 0.63, 20, "good", "fits well: training accuracy 1.00, validation 0.91"),
    (
        0.75,
        0.74,
        0.50,
        500,
        "agrees",
        "does not overfit: training accuracy 0.75, validation 0.74; "
        "if that is too little, try a larger --hidden, or columns that say more",
    ),
    (
        0.52,
        0.51,
        0.50,
        500,
        "underfits",
        "underfits: training accuracy 0.52, validation 0.51, and always the same answer gets 0.50; "
        "try a larger --hidden, or columns that say more",
    ),
    # memorised, and of no use for new rows
    (
        1.00,
        0.50,
        0.50,
        500,
        "overfits",
        "overfits: training accuracy 1.00, validation 0.50; "
        "try a larger --dropout or --weight-decay, or more rows",
    ),
]


@pytest.mark.parametrize(("train", "validation", "baseline", "rows", "kind", "text"), CASES)
def test_classification(
    train: float, validation: float, baseline: float, rows: int, kind: str, text: str
) -> None:
    verdict = judge(accuracy(train), accuracy(validation), accuracy(baseline), rows=rows, model="mlp")
    assert (verdict.kind, verdict.text) == (kind, text)


def test_a_rare_class_that_is_found_is_not_underfitting() -> None:
    train, new, base = accuracy(0.98, 0.9), accuracy(0.97, 0.85), accuracy(0.97, 0.5)
    assert judge(train, new, base, rows=300, model="softmax").kind == "good"
    blind = accuracy(0.97, 0.5)
    assert judge(blind, blind, base, rows=300, model="softmax").kind == "underfits"


@pytest.mark.parametrize(
    ("train", "validation", "improving", "kind", "text"),
    [
        (0.9, 0.88, False, "good", "fits well: training R² 0.90, validation 0.88"),
        (
            0.53,
            0.50,
            False,
            "agrees",
            "does not overfit: training R² 0.53, validation 0.50; "
            "if that is too little, try --model mlp, or columns that say more",
        ),
        (
            0.53,
            0.50,
            True,
            "agrees",
            "does not overfit: training R² 0.53, validation 0.50; "
            "it was still getting better: try more --epochs",
        ),
        (
            0.02,
            0.01,
            False,
            "underfits",
            "underfits: training R² 0.02, validation 0.01, and always the same answer gets -0.00; "
            "try --model mlp, or columns that say more",
        ),
        (
            0.02,
            -0.01,
            True,
            "underfits",
            "underfits: training R² 0.02, validation -0.01, and always the same answer gets -0.00; "
            "it was still getting better: try more --epochs",
        ),
        (
            0.9,
            0.6,
            False,
            "overfits",
            "overfits: training R² 0.90, validation 0.60; try a larger --weight-decay or more rows",
        ),
    ],
)
def test_regression(train: float, validation: float, improving: bool, kind: str, text: str) -> None:
    verdict = judge(
        {"r2": train}, {"r2": validation}, {"r2": -0.001}, rows=400, model="linear", improving=improving
    )
    assert (verdict.kind, verdict.text) == (kind, text)


def test_without_validation_rows_nothing_is_claimed() -> None:
    verdict = judge({"r2": 0.9}, {"r2": None}, {"r2": None}, rows=0, model="linear")
    assert (verdict.kind, verdict.text) == (
        "unknown",
        "not known: without validation rows there is nothing to compare with",
    )


@pytest.mark.parametrize("correlation", [0.3, 0.7, 0.95])
def test_the_standard_error_of_r2_is_what_simulation_finds(correlation: float) -> None:
    rng = np.random.default_rng(0)
    rows, found = 200, []
    for _ in range(2000):
        x = rng.normal(size=rows)
        y = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=rows)
        found.append(r2_score(y, correlation * x))
    # the formula is for large samples and for fitted lines: a third off is close enough for a verdict
    assert _standard_error("r2", correlation**2, rows) == pytest.approx(np.std(found), rel=0.34)


def test_the_standard_error_of_accuracy_is_that_of_a_share() -> None:
    found = np.random.default_rng(0).binomial(50, 0.8, 100_000) / 50
    assert _standard_error("accuracy", 0.8, 50) == pytest.approx(found.std(), rel=0.02)
