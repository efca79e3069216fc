"""Hard and soft maximum: limits, bounds, gradients; margins against loops; the picture; messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import statistics as S
from chainrule.core.errors import ChainruleError
from tests.messages import untested

X = np.random.default_rng(0).normal(size=(4, 5))


def _t(a: Any) -> Any:
    return torch.tensor(a, dtype=torch.float64)


@pytest.mark.parametrize("t", [0.1, 1.0, 30.0])
def test_temperature(t: float) -> None:
    assert_allclose(S.softmax_at(_t(X), t), sp.softmax(X / t, axis=1), rtol=1e-12)
    assert_allclose(S.softmax_at(_t(X), t, dim=0), sp.softmax(X / t, axis=0), rtol=1e-12)
    assert_allclose(S.smooth_maximum(_t(X), t), t * sp.logsumexp(X / t, axis=1), rtol=1e-12)
    assert_allclose(S.softmin(_t(X), dim=1), sp.softmax(-X, axis=1), rtol=1e-12)


def test_the_hard_choice_is_the_limit_of_the_soft_one() -> None:
    x = _t(X)
    hard = np.eye(5)[X.argmax(1)]
    assert S.hardmax(x).tolist() == hard.tolist()
    assert S.hardmax(_t(X.T), dim=0).tolist() == hard.T.tolist()
    assert_allclose(S.softmax_at(x, 1e-3), hard, atol=1e-12)
    assert_allclose(S.softmax_at(x, 1e6), np.full((4, 5), 0.2), rtol=1e-5)
    for t in (0.01, 0.5, 2.0):  # max <= smooth maximum <= max + t log k
        smooth = S.smooth_maximum(x, t).numpy()
        assert (X.max(1) <= smooth).all()
        assert (smooth <= X.max(1) + t * np.log(5) + 1e-12).all()


def test_the_first_of_equals_is_chosen() -> None:
    assert S.hardmax(torch.tensor([2.0, 2.0])).tolist() == [1.0, 0.0]


def test_the_gradient_of_the_smooth_maximum_is_the_soft_choice() -> None:
    x = _t(X).requires_grad_()
    S.smooth_maximum(x, 0.7).sum().backward()
    assert_allclose(x.grad, sp.softmax(X / 0.7, axis=1), rtol=1e-12)


def test_large_scores_do_not_overflow() -> None:
    assert S.smooth_maximum(torch.tensor([1e30, 1.0])).item() == pytest.approx(1e30)
    assert S.softmax_at(torch.tensor([1e4, 0.0]), 0.1).tolist() == [1.0, 0.0]


def test_margins() -> None:
    y = [1, 0, 4, 2]
    wanted = [X[i, c] - max(X[i, j] for j in range(5) if j != c) for i, c in enumerate(y)]
    x = _t(X).requires_grad_()
    out = S.margin(x, torch.tensor(y))
    assert_allclose(out.detach(), wanted, rtol=1e-12)
    assert ((out > 0) == torch.tensor(X.argmax(1) == y)).all()
    out.sum().backward()
    assert_allclose(x.grad.sum(1), np.zeros(4), atol=1e-15)
    assert [x.grad[i, c].item() for i, c in enumerate(y)] == [1.0] * 4


def test_picture() -> None:
    ax = S.temperatures([1.0, 3.0, 2.0])
    t, p = ax.lines[1].get_data()
    assert_allclose(p, [sp.softmax(np.array([1, 3, 2]) / v)[1] for v in t], rtol=1e-9)
    assert ax.get_xscale() == "log"
    assert p[0] > 0.999
    assert [line.get_label() for line in ax.lines] == ["score 1", "score 3", "score 2"]


CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: S.softmax_at(_t(X), 0),
        "softmax_at got temperature=0\n"
        "  the temperature must be above 0\n"
        "  try: hardmax(x), for the limit at 0",
    ),
    (
        lambda: S.smooth_maximum(_t(X), -1.0),
        "smooth_maximum got temperature=-1.0\n"
        "  the temperature must be above 0\n"
        "  try: hardmax(x), for the limit at 0",
    ),
    (
        lambda: S.margin(_t(X), torch.tensor([1])),
        "margin got scores (4, 5) and labels (1,)\n"
        "  scores must be (n, k) with k >= 2 classes, and labels (n,)",
    ),
    (lambda: S.temperatures(X), "temperatures got x (4, 5)\n  x must be a vector of scores"),
    (
        lambda: S.temperatures([1.0, 2.0], 2.0, 1.0),
        "temperatures got low=2.0, high=1.0\n  it must be 0 < low < high",
    ),
]


@pytest.mark.parametrize(("action", "text"), CASES)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(S.__file__).parent / "choice.py"
    assert untested([file], [action for action, _ in CASES], monkeypatch) == []
