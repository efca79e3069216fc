"""The benchmark of support vector machines runs, on few rows, and says what it found."""

from __future__ import annotations

import pytest

from chainrule.benchmarks import estimators


def test_it_runs_and_prints_ratios(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(estimators, "ROWS", 200)
    monkeypatch.setattr(estimators, "ROUNDS", 1)
    monkeypatch.setattr(estimators, "LIMIT", 1e9)
    assert estimators.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert all("ratio" in line and "apart" in line for line in lines[:10])
    monkeypatch.setattr(estimators, "LIMIT", 0.0)
    assert estimators.main() == 1
