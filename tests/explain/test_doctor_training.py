"""The doctor in the trainer and on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.cli import main
from chainrule.explain.doctor import Report
from chainrule.training import Watcher, fit, train_table
from chainrule.utils.data import DataLoader, TensorDataset

from .patients import classes, mlp


def table(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, rows))
    return pd.DataFrame({"a": a, "b": b, "price": 3 * a - b + 0.1 * rng.normal(size=rows)})


class Notebook(Watcher):
    """Keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def report(self, report: Report) -> None:
        self.reports.append(report)


def trained(look: bool) -> tuple[list[float], list[Report]]:
    cr.manual_seed(0)
    x, y = classes(0)
    model = nn.Sequential(*mlp(16), nn.Dropout(0.2))
    optimizer = cr.optim.Adam(model.parameters(), lr=1e-2)
    reports: list[Report] = []
    batches = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    on_report = reports.append if look else None
    history = fit(model, nn.CrossEntropyLoss(), optimizer, batches, epochs=3, on_report=on_report)
    return [epoch.train_loss for epoch in history.epochs], reports


def test_training_is_the_same_with_the_doctor() -> None:
    plain, none = trained(look=False)
    looked, reports = trained(look=True)
    assert looked == plain
    assert none == []
    assert [report.healthy for report in reports] == [True]
    assert reports[0].trial is not None


def test_a_table() -> None:
    watcher = Notebook()
    train_table(table(), watcher=watcher, epochs=2)
    assert watcher.reports == []
    run = train_table(table(), watcher=watcher, epochs=2, doctor=True)
    assert [report.healthy for report in watcher.reports] == [True]
    again = train_table(table(), epochs=2)
    assert run.history.epochs == again.history.epochs


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    table().to_csv("houses.csv", index=False)
    return tmp_path


def test_the_command_line(csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "houses.csv", "--epochs", "2", "--doctor"]) == 0
    out = capsys.readouterr().out
    assert "\nDoctor    no findings in the first batch\n" in out
    assert main(["train", "houses.csv", "--epochs", "2"]) == 0
    assert "Doctor" not in capsys.readouterr().out


def test_the_command_line_tells_findings_even_if_quiet(csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--epochs", "1", "--doctor", "--optimizer", "sgd", "--lr", "2", "--quiet"]
    assert main(["train", "houses.csv", *options]) == 0
    out = capsys.readouterr().out
    lines = out.split("Verdict")[0].splitlines()
    assert lines[0].startswith("Doctor    learning rate too large: 10 steps of SGD on this batch, with lr=2,")
    assert max(map(len, lines)) <= 80
    assert all(line.startswith("          ") for line in lines[1:])
