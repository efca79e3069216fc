"""The law of large numbers, and maximum likelihood as least squares: numbers, pictures, messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import statistics as S
from chainrule.core.errors import ChainruleError
from tests.messages import untested


def test_frequencies_settle_as_the_law_says() -> None:
    torch.manual_seed(0)
    far, near = [], []
    for _ in range(30):
        d = S.dice(groups=100, throws=20)
        ratio = (d.distance / d.expected_distance).numpy()
        far.append(ratio[0])
        near.append(ratio[-1])
    # The root of the mean square over many experiments is 1, after 20 throws and after 2000.
    assert np.sqrt(np.mean(np.square(far))) == pytest.approx(1, abs=0.15)
    assert np.sqrt(np.mean(np.square(near))) == pytest.approx(1, abs=0.15)
    assert_allclose(d.expected_distance[-1], np.sqrt(5 / 36 / 2000), rtol=1e-5)


def test_dice_count_what_is_thrown() -> None:
    torch.manual_seed(0)
    d = S.dice(groups=200, throws=5, probs=torch.tensor([1.0, 3.0]))
    counts = d.counts.numpy()
    assert counts.shape == (200, 2)
    assert (counts.sum(1) == 5).all()
    assert d.throws[-1].item() == 1000
    assert_allclose(d.frequencies[-1], counts.sum(0) / 1000, rtol=1e-6)
    assert st.chisquare(counts.sum(0), [250, 750]).pvalue > 1e-3


def test_picture_of_the_dice() -> None:
    torch.manual_seed(0)
    d = S.dice(groups=50)
    ax = d.plot()
    assert len(ax.lines) == 7
    assert_allclose(ax.lines[2].get_ydata(), d.frequencies[:, 2], rtol=1e-6)
    assert ax.lines[6].get_ydata()[0] == pytest.approx(1 / 6)


@pytest.fixture(scope="module")
def fit() -> S.GaussianLikelihood:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2)) * [1.0, 20.0]
    y = x @ [2.0, -3.4] + 4.2 + rng.normal(size=80) * 0.5
    return S.gaussian_likelihood(torch.tensor(x), torch.tensor(y[:, None]))


def test_the_likeliest_weights_are_those_of_least_squares(fit: S.GaussianLikelihood) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2)) * [1.0, 20.0]
    y = x @ [2.0, -3.4] + 4.2 + rng.normal(size=80) * 0.5
    design = np.column_stack([x, np.ones(80)])
    wanted, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
    assert_allclose(fit.least_squares, wanted, rtol=1e-10)
    assert_allclose(fit.likeliest, wanted, rtol=1e-10)
    assert_allclose(fit.sigma, np.sqrt(rest[0] / 80), rtol=1e-10)
    likelihood = st.norm(design @ wanted, fit.sigma.item()).logpdf(y).sum()
    assert_allclose(fit.log_likelihood(fit.least_squares), likelihood, rtol=1e-12)


def test_at_the_top_the_likelihood_has_no_slope(fit: S.GaussianLikelihood) -> None:
    for sigma in (0.1, 1.0, 10.0):
        slope = torch.func.grad(lambda w, s=sigma: fit.log_likelihood(w, s))(fit.least_squares)
        assert_allclose(slope * sigma**2, np.zeros(3), atol=1e-9)
    slope = torch.func.grad(lambda s: fit.log_likelihood(fit.likeliest, s))(fit.sigma)
    assert slope.item() == pytest.approx(0, abs=1e-9)
    for step in ([0.01, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, -0.01]):
        other = fit.likeliest + torch.tensor(step, dtype=torch.float64)
        assert fit.log_likelihood(other) < fit.log_likelihood(fit.likeliest)
        # What the likelihood loses is the squared error gained, over 2 sigma².
        lost = fit.log_likelihood(fit.likeliest) - fit.log_likelihood(other)
        gained = fit.squared_error(other) - fit.squared_error(fit.likeliest)
        assert_allclose(lost, gained / (2 * fit.sigma**2), rtol=1e-8)


def test_picture_of_the_likelihood(fit: S.GaussianLikelihood) -> None:
    for feature in (0, 1, 2):
        ax = fit.plot(feature)
        best = fit.least_squares[feature].item()
        *curves, mark = ax.lines
        assert len(curves) == 4
        for line in curves:
            x, y = line.get_data()
            assert x[np.argmin(y)] == pytest.approx(best, abs=1e-9)
        assert mark.get_xdata()[0] == pytest.approx(best)
    assert ax.get_xlabel() == "the bias"


CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: S.dice(groups=0), "dice got groups=0\n  groups must be a whole number above 0"),
    (lambda: S.dice(throws=2.5), "dice got throws=2.5\n  throws must be a whole number above 0"),  # type: ignore[arg-type]
    (
        lambda: S.gaussian_likelihood(torch.ones(2, 2), torch.ones(2)),
        "gaussian_likelihood got features (2, 2) and targets (2,)\n"
        "  features must be (n, d) and targets (n,) or (n, 1), with n > d + 1",
    ),
    (
        lambda: S.gaussian_likelihood(torch.arange(4.0)[:, None], torch.arange(4.0)).plot(2),
        "GaussianLikelihood.plot got feature=2\n  it must be one of the 2 weights, the bias being the last",
    ),
]


@pytest.mark.parametrize(("action", "text"), CASES)
def test_messages(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(S.__file__).parent / "experiments.py"
    assert untested([file], [action for action, _ in CASES], monkeypatch) == []
