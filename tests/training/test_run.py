"""A run in its folder: what is written, that it comes back, and the full text when it is damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import chainrule as cr
from chainrule.data import DataError
from chainrule.training import Run, load_run, train_table

FILES = {"model.safetensors", "run.json", "metrics.jsonl", "curve.png"}


def birds(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    weight = rng.normal(2, 0.5, rows)
    frame = pd.DataFrame(
        {
            "weight": weight,
            "colour": rng.choice(["white", "brown"], rows),
            "bird": np.where(weight > 2, "hen", "duck"),
        }
    )
    frame.loc[0, "weight"] = None
    return frame


@pytest.fixture(scope="module")
def trained() -> Run:
    return train_table(birds(), epochs=6, model="mlp", hidden=(8, 4), missing=("?",))


@pytest.fixture(scope="module")
def saved(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained.save(tmp_path_factory.mktemp("runs") / "birds")


@pytest.fixture
def copy(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may damage, as `run` in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(saved, "run")
    return Path("run")


def refusal(folder: Path | str) -> str:
    with pytest.raises(DataError) as caught:
        load_run(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what is written


def test_the_files(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == FILES
    assert (saved / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_weights_are_plain_safetensors(saved: Path, trained: Run) -> None:
    found = load_file(saved / "model.safetensors")
    expected = {name: value.numpy() for name, value in trained.model.state_dict().items()}
    assert (
        set(found)
        == set(expected)
        == {f"{layer}.{name}" for layer in (0, 3, 6) for name in ("weight", "bias")}
    )
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_metrics_have_a_line_for_each_epoch(saved: Path, trained: Run) -> None:
    lines = [json.loads(line) for line in (saved / "metrics.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert set(lines[0]) == {"number", "train_loss", "val_loss", "metrics"}
    assert lines[2]["val_loss"] == trained.history.epochs[2].val_loss


def test_what_run_json_says(saved: Path, trained: Run) -> None:
    data = json.loads((saved / "run.json").read_text())
    assert data["schema"] == 1
    assert data["versions"]["chainrule"] == cr.__version__
    assert data["data"] == {**trained.facts, "missing": ["?"]}
    assert data["settings"]["hidden"] == [8, 4]
    assert data["target"] == {"name": "bird", "task": "classification", "labels": ["duck", "hen"]}
    assert data["model"] == {"kind": "mlp", "inputs": 4, "outputs": 2, "hidden": [8, 4], "dropout": 0.3}
    assert data["training"] == {
        "epochs": 6,
        "best_epoch": trained.history.best,
        "stopped": "epochs",
        "interrupted": False,
    }
    assert data["metrics"] == trained.metrics
    assert data["verdict"] == {"kind": trained.verdict.kind, "text": trained.verdict.text}


def test_no_path_of_this_machine_is_written(saved: Path) -> None:
    assert str(saved.parent) not in (saved / "run.json").read_text()


# -- that it comes back


def test_a_run_comes_back_as_it_was(saved: Path, trained: Run) -> None:
    again = load_run(saved)
    for part in (
        "settings",
        "spec",
        "preparation",
        "target",
        "history",
        "metrics",
        "verdict",
        "missing",
        "facts",
    ):
        assert getattr(again, part) == getattr(trained, part), part
    frame = birds()
    one, two = trained.predict(frame), again.predict(frame)
    assert one.values.tolist() == two.values.tolist()
    assert one.probabilities is not None
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_loading_takes_no_random_numbers(saved: Path) -> None:
    cr.manual_seed(1)
    expected = cr.rand(1).item()
    cr.manual_seed(1)
    load_run(saved)
    assert cr.rand(1).item() == expected


def test_probabilities_add_up_and_belong_to_the_label(trained: Run) -> None:
    found = trained.predict(birds())
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert found.values.tolist() == [trained.target.labels[row.argmax()] for row in found.probabilities]
    assert list(found.to_frame().columns) == ["prediction", "probability_duck", "probability_hen"]


def test_predictions_do_not_depend_on_the_other_rows(trained: Run) -> None:
    many = pd.concat([birds()] * 100, ignore_index=True)  # more rows than go through the model at once
    found = trained.predict(many)
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities[-60:], found.probabilities[:60], rtol=1e-5)
    assert len(trained.predict(birds().iloc[:0]).values) == 0


def test_scores_leave_rows_without_a_target_out(trained: Run) -> None:
    frame = birds()
    frame.loc[10:, "bird"] = None
    scores, rows = trained.score(frame, trained.predict(frame))
    hits = [
        label == found for label, found in zip(frame["bird"], trained.predict(frame).values, strict=True)
    ][:10]
    assert rows == 10
    assert scores["accuracy"] == sum(hits) / 10


def test_a_regression_comes_back_in_its_units(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(80) % 9, "y": 1e6 + 1000.5 * (np.arange(80) % 9)})
    run = train_table(frame, epochs=150, lr=0.05)
    again = load_run(run.save(tmp_path / "run"))
    found = again.predict(frame)
    assert list(found.to_frame().columns) == ["prediction"]
    np.testing.assert_allclose(found.values, frame["y"], atol=300)
    assert again.score(frame, found)[0]["r2"] > 0.99


def test_labels_keep_their_types(tmp_path: Path) -> None:
    for labels in ([0, 1], [False, True], ["0", "x"], [0.5, 1.5]):
        frame = pd.DataFrame({"x": np.arange(40) % 4, "y": labels * 20})
        run = train_table(frame, task="classification", epochs=1)
        again = load_run(run.save(tmp_path / f"run-{labels}"))
        assert [type(label) for label in again.target.labels] == [type(label) for label in labels]


# -- what is refused


def test_a_folder_that_is_there(copy: Path, trained: Run) -> None:
    with pytest.raises(DataError) as caught:
        trained.save(copy)
    assert (
        str(caught.value) == "the folder 'run' is there already; a run needs a new one: choose another --out"
    )


def test_what_is_no_run(copy: Path) -> None:
    assert refusal("walk") == "the run 'walk' is not there; `chainrule train` makes one"
    assert refusal("run/run.json") == (
        "the run 'run/run.json' is a file, not the folder of a run; `chainrule train` makes one"
    )
    (copy / "run.json").unlink()
    assert refusal(copy) == "'run' is not a run: it has no run.json; `chainrule train` makes one"


def edit(folder: Path, place: tuple[str | int, ...], value: Any) -> None:
    data = json.loads((folder / "run.json").read_text())
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    (folder / "run.json").write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        (("schema",), ..., "schema is missing"),
        (
            ("schema",),
            2,
            f"schema 2 is newer than this chainrule ({cr.__version__}), which knows 1",
        ),
        (("preparation", "columns", 0, "mean"), "x", "preparation.columns[0].mean must be a number, not 'x'"),
        (
            ("preparation", "columns", 1, "categories"),
            ["white"],
            "model.inputs is 4, but preparation.columns makes 3",
        ),
        (("target", "labels"), ["duck", "hen", "owl"], "model.outputs is 2, but the target needs 3"),
        (("model", "hidden"), "8", "model.hidden must be a list, not '8'"),
        (("settings", "lr"), 0, "lr must be a number above 0, not 0"),
        (("settings", "speed"), 1, "settings.speed is not a setting"),
        (("metrics", "test", "accuracy"), "good", "metrics.test.accuracy must be a number, not 'good'"),
        (("metrics", "test"), 1, "metrics.test must be an object, not 1"),
        (
            ("training", "stopped"),
            "boredom",
            "training.stopped must be one of epochs, patience, interrupt, not 'boredom'",
        ),
        (
            ("verdict", "kind"),
            "great",
            "verdict.kind must be one of good, agrees, overfits, underfits, unknown, not 'great'",
        ),
        (("data", "missing"), [1], "data.missing[0] must be text, not 1"),
    ],
)
def test_a_run_json_that_was_edited(copy: Path, place: tuple[str | int, ...], value: Any, text: str) -> None:
    edit(copy, place, value)
    assert refusal(copy) == f"'run/run.json' is damaged: {text}"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"[1]", "the file must be an object, not [1]"),
        (b'{"schema": NaN}', "NaN is not a number that JSON knows"),
        (b'{"schema": 1', "Expecting ',' delimiter: line 1 column 13 (char 12)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_a_run_json_that_is_none(copy: Path, content: bytes, text: str) -> None:
    (copy / "run.json").write_bytes(content)
    assert refusal(copy) == f"'run/run.json' is damaged: {text}"


def test_a_run_json_that_is_nested_too_deeply(copy: Path) -> None:
    (copy / "run.json").write_text("[" * 100_000)
    assert refusal(copy).startswith("cannot read 'run/run.json': maximum recursion depth exceeded")


def test_weights_of_another_model(copy: Path) -> None:
    edit(copy, ("model", "hidden"), [8, 5])
    text = refusal(copy)
    assert text.startswith(
        "'run/model.safetensors' is damaged, or does not belong to the run.json beside it: "
    )
    assert "(5, 8)" in text or "[5, 8]" in text


@pytest.mark.parametrize(
    "content", [b"", b"not safetensors at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "]
)
def test_weights_that_are_none(copy: Path, content: bytes) -> None:
    (copy / "model.safetensors").write_bytes(content)
    assert refusal(copy).startswith(
        "'run/model.safetensors' is damaged, or does not belong to the run.json beside it: "
    )


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.jsonl"])
def test_a_file_that_is_gone(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert refusal(copy) == f"cannot read 'run/{name}': No such file or directory"


def test_metrics_that_were_edited(copy: Path) -> None:
    (copy / "metrics.jsonl").write_text('{"number": 1, "train_loss": "low", "metrics": {}}\n')
    assert refusal(copy) == "'run/metrics.jsonl' is damaged: train_loss must be a number, not 'low'"


def test_weights_that_are_no_numbers(copy: Path) -> None:
    run = load_run(copy)
    with cr.no_grad():
        next(iter(run.model.parameters())).fill_(float("nan"))
    with pytest.raises(DataError) as caught:
        run.predict(birds())
    assert str(caught.value) == "the model gives no finite number for row 1"


def test_loading_runs_no_code(copy: Path, tmp_path: Path) -> None:
    # a pickle that would leave a file behind, in place of the weights
    (copy / "model.safetensors").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    refusal(copy)
    assert not Path("opened").exists()
