"""Reliability curves against scikit-learn's, errors against sums written out, and messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import calibration_curve

import chainrule as torch
from chainrule import statistics as S
from chainrule.core.errors import ChainruleError
from tests.messages import untested

RNG = np.random.default_rng(0)
P = RNG.random(500)
Y = (RNG.random(500) < P**2).astype(np.int64)  # too sure


def test_curve_of_an_event() -> None:
    c = S.calibration(torch.tensor(P), torch.tensor(Y), bins=7)
    right, sure = calibration_curve(Y, P, n_bins=7)
    assert_allclose(c.accuracy, right, rtol=1e-12)
    assert_allclose(c.confidence, sure, rtol=1e-12)
    assert c.counts.sum().item() == 500
    assert_allclose(c.edges, np.linspace(0, 1, 8))


def test_errors_of_classes_by_hand() -> None:
    p = RNG.dirichlet(np.ones(4), size=300)
    y = RNG.integers(0, 4, 300)
    c = S.calibration(torch.tensor(p), torch.tensor(y), bins=5)
    sure, right = p.max(1), p.argmax(1) == y
    gaps, total = [], 0.0
    for low in np.arange(5) / 5:
        inside = (sure > low) & (sure <= low + 0.2)
        if inside.any():
            gaps.append(abs(sure[inside].mean() - right[inside].mean()))
            total += inside.mean() * gaps[-1]
    assert c.ece == pytest.approx(total, rel=1e-9)
    assert c.mce == pytest.approx(max(gaps), rel=1e-9)
    assert np.isnan(c.accuracy[0].item())  # of four classes the likeliest has at least 0.25


def test_a_perfect_forecast_has_no_error() -> None:
    p = torch.tensor([0.25] * 4 + [0.75] * 4)
    c = S.calibration(p, torch.tensor([1, 0, 0, 0, 1, 1, 1, 0]))
    assert (c.ece, c.mce) == (0.0, 0.0)


def test_the_ends_belong_to_bins() -> None:
    c = S.calibration(torch.tensor([0.0, 1.0, 0.5]), torch.tensor([0, 1, 1]), bins=2)
    assert c.counts.tolist() == [2, 1]


def test_picture() -> None:
    ax = S.calibration(torch.tensor(P), torch.tensor(Y), bins=7).plot(title="too sure")
    right, sure = calibration_curve(Y, P, n_bins=7)
    counts = np.histogram(P, 7, (0, 1))[0]
    x, y = ax.lines[1].get_data()
    assert_allclose(x, sure)
    assert_allclose(y, right)
    names = [t.get_text() for t in ax.get_legend().get_texts()]
    assert names == ["calibrated", f"predictions, ECE {np.abs(sure - right) @ counts / 500:.3f}"]
    assert ax.get_title() == "too sure"


CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: S.calibration([0.5], torch.tensor([1])),  # type: ignore[arg-type]
        "calibration got probs of type list\n  probs must be a Tensor",
    ),
    (
        lambda: S.calibration(torch.ones(3) / 2, torch.ones(2)),
        "calibration got probs (3,) and labels (2,)\n"
        "  probs must be (n, classes) or (n,), and labels (n,), with n > 0",
    ),
    (
        lambda: S.calibration(torch.tensor([[2.0, -1.0]]), torch.tensor([0])),
        "calibration got probs (1, 2) with values from -1 to 2\n"
        "  probs must be between 0 and 1, and each row must sum to 1\n"
        "  try: torch.softmax(scores, 1), if these are scores",
    ),
    (
        lambda: S.calibration(torch.tensor([[0.5, 0.5]]), torch.tensor([2])),
        "calibration got labels from 2 to 2\n  labels must be class numbers from 0 to 1",
    ),
    (
        lambda: S.calibration(torch.tensor([0.5]), torch.tensor([1]), bins=0),
        "calibration got bins=0\n  there must be a whole number of bins, at least 1",
    ),
]


@pytest.mark.parametrize(("action", "text"), CASES)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(S.__file__).parent / "calibration.py"
    assert untested([file], [action for action, _ in CASES], monkeypatch) == []
