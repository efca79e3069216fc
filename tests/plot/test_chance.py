"""The normal density against SciPy's; relative frequencies against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import chainrule as torch
from chainrule import plot


@pytest.mark.parametrize(
    ("mean", "std", "pairs"),
    [
        (0, 1, [(0, 1)]),
        ([0, 0, 3], [1, 2, 1], [(0, 1), (0, 2), (3, 1)]),
        ([0, 5], 0.5, [(0, 0.5), (5, 0.5)]),
        (torch.tensor(1.0, requires_grad=True), torch.tensor([0.1, 10.0]), [(1, np.float32(0.1)), (1, 10)]),
    ],
)
def test_densities(mean: object, std: object, pairs: list[tuple[float, float]]) -> None:
    ax = plot.normal(mean, std)
    assert len(ax.lines) == len(pairs)
    for line, (m, s) in zip(ax.lines, pairs, strict=True):
        x, y = (np.asarray(v) for v in line.get_data())
        np.testing.assert_allclose(y, stats.norm(m, s).pdf(x), rtol=1e-9, atol=1e-300)
        assert np.trapezoid(y, x) == pytest.approx(1, abs=1e-3)  # narrow ones too are drawn whole
        assert y.max() == pytest.approx(stats.norm(m, s).pdf(m), rel=1e-3)
    assert ax.get_ylim()[0] == 0


def test_what_is_drawn_of_a_density() -> None:
    ax = plot.normal([0, 3], 1)
    assert ax.lines[0].get_xdata()[[0, -1]].tolist() == [-4.0, 7.0]
    ax = plot.normal(0, 1, (-1, 1))
    assert ax.lines[0].get_xdata()[[0, -1]].tolist() == [-1.0, 1.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mean 0, std 1"]


def test_frequencies() -> None:
    torch.manual_seed(0)
    counts = torch.distributions.Multinomial(10, torch.ones(6) / 6).sample((50,))
    ax = plot.frequencies(counts, 1 / 6, outcomes=[f"die {i}" for i in range(1, 7)])
    table = np.asarray(counts)
    for outcome in range(6):
        x, y = (np.asarray(v) for v in ax.lines[outcome].get_data())
        assert x.tolist() == list(range(1, 51))
        wanted = [table[:n, outcome].sum() / (10 * n) for n in range(1, 51)]
        np.testing.assert_allclose(y, wanted, rtol=1e-6)
    assert len(ax.lines) == 7
    assert ax.lines[6].get_ydata() == pytest.approx([1 / 6, 1 / 6])


def test_a_probability_for_each_outcome() -> None:
    ax = plot.frequencies([[3, 1], [2, 2]], [0.75, 0.25])
    assert [line.get_label() for line in ax.lines] == ["0", "1", "expected: 0.25", "expected: 0.75"]
