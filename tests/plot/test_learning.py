"""Learning curves from everything that training leaves behind: the same numbers, the kept epoch marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import chainrule as torch
from chainrule import plot
from chainrule.training import Epoch, History, train_table

TRAINING, VALIDATION = [0.9, 0.5, 0.3], [1.0, 0.7, 0.8]


def history() -> History:
    losses = zip(TRAINING, VALIDATION, strict=True)
    epochs = [Epoch(n, t, v, {"accuracy": 0.5 + n / 10}) for n, (t, v) in enumerate(losses, 1)]
    return History(epochs, best=2)


def curves(ax: Axes) -> dict[str, tuple[list[float], list[float]]]:
    lines = {str(line.get_label()): line.get_data() for line in ax.lines}
    return {name: (np.asarray(x).tolist(), np.asarray(y).tolist()) for name, (x, y) in lines.items()}


@pytest.mark.parametrize(
    "source",
    [
        {"training": TRAINING, "validation": VALIDATION},
        {"training": [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in TRAINING]}
        | {"validation": np.array(VALIDATION)},
        history(),
        [{"train_loss": t, "val_loss": v} for t, v in zip(TRAINING, VALIDATION, strict=True)],
        [{"epoch": n + 1, "train_loss": TRAINING[n], "val_loss": VALIDATION[n]} for n in range(3)],
    ],
)
def test_the_same_curves_from_every_source(source: Any) -> None:
    ax = plot.learning_curves(source, best=0)
    assert curves(ax) == {"training": ([1, 2, 3], TRAINING), "validation": ([1, 2, 3], VALIDATION)}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_one_list_is_the_training() -> None:
    assert curves(plot.learning_curves(TRAINING)) == {"training": ([1, 2, 3], TRAINING)}


def test_the_kept_epoch_is_marked() -> None:
    assert curves(plot.learning_curves(history()))["kept: epoch 2"] == ([2, 2], [0, 1])
    assert curves(plot.learning_curves(history(), best=3))["kept: epoch 3"] == ([3, 3], [0, 1])
    assert len(plot.learning_curves(TRAINING).lines) == 1


def test_a_score_instead_of_the_loss() -> None:
    ax = plot.learning_curves(history(), measure="accuracy")
    assert curves(ax)["validation"] == ([1, 2, 3], pytest.approx([0.6, 0.7, 0.8]))
    assert ax.get_ylabel() == "accuracy"
    ax = plot.learning_curves([{"train_acc": 0.5, "test_acc": 0.4, "train_loss": 3.0}], measure="acc")
    assert curves(ax) == {"train_acc": ([1], [0.5]), "test_acc": ([1], [0.4])}


def test_epochs_without_validation_are_left_out() -> None:
    ax = plot.learning_curves({"training": TRAINING, "validation": [None, 0.7, None], "nothing": [None] * 3})
    assert curves(ax) == {"training": ([1, 2, 3], TRAINING), "validation": ([2], [0.7])}
    without = History([Epoch(1, 0.5), Epoch(2, 0.4)], best=2)
    assert list(curves(plot.learning_curves(without))) == ["training", "kept: epoch 2"]


def test_epochs_are_whole_numbers_and_one_is_seen() -> None:
    ax = plot.learning_curves([0.5])
    assert ax.lines[0].get_marker() == "o"
    for one in (ax, plot.learning_curves(TRAINING)):
        assert all(float(tick).is_integer() for tick in one.get_xticks())


def test_a_logarithmic_scale() -> None:
    assert plot.learning_curves(TRAINING, yscale="log").get_yscale() == "log"


def test_a_run_in_memory_and_on_disk(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 60)})
    frame["y"] = 2 * frame["x"] + 1
    file = tmp_path / "line.csv"
    frame.to_csv(file, index=False)
    run = train_table(file, target="y", epochs=3)
    folder = run.save(tmp_path / "run")
    wanted = [epoch.train_loss for epoch in run.history.epochs]
    for source in (run, run.history, folder, str(folder)):
        found = curves(plot.learning_curves(source))
        assert found["training"][1] == wanted
        assert f"kept: epoch {run.history.best}" in found
    assert "validation" in curves(plot.learning_curves(folder, measure="r2"))
