"""`chainrule train`: what it prints, what it writes, and what it answers to bad input, in full."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from chainrule.training import load_run
from chainrule.training import run as run_module

from .conftest import Call, listing

FILES = ["curve.png", "metrics.jsonl", "model.safetensors", "run.json"]


# -- what it prints and writes


def test_a_regression(call: Call, ready: Path) -> None:
    options = "--epochs 40 --patience 50 --lr 0.05 --out out/run"
    result = call("train", "houses.csv", *options.split())
    assert (result.status, result.err) == (0, "")
    blocks = result.out.split("\n\n")
    assert blocks[0] == (
        "Data      houses.csv: 80 rows, 3 columns\n"
        "Target    price: the last column (--target to change)\n"
        "Task      regression: numbers with decimals (--task to change)\n"
        "Rows      52 to train, 12 to validate, 16 to test (seed 0)\n"
        "Inputs    1 number, 1 category column, making 4 inputs\n"
        "Model     linear regression (fewer than 1,000 rows), 5 weights\n"
        "Training  adamw, learning rate 0.05, weight decay 0.01, batches of 4, at most 40\n"
        "          epochs, patience 50"
    )
    lines = blocks[1].splitlines()
    assert [line[:9] for line in lines[:-3]] == [f"epoch {n:>3}" for n in (1, 2, 5, 10, 20, 30, 40)]
    assert re.fullmatch(
        r"epoch   1   training loss \d\.\d{4}, validation loss \d\.\d{4}, R² -?\d\.\d{3}", lines[0]
    )
    assert lines[-3] == "Stopped   after all 40 epochs"
    assert re.match(r"Kept      the weights of epoch \d+: training loss", lines[-2])

    verdict = blocks[2].splitlines()
    assert verdict[0].startswith("Verdict   ")
    assert verdict[-3:-1] == ["Written   out/run", "Next      chainrule predict out/run houses.csv"]
    assert re.fullmatch(r"Baseline  always 101,\d\d\d, the mean of the training rows", verdict[-1])
    scores = blocks[3].splitlines()  # the test score comes last
    assert scores[0] == "Test on 16 rows                     model   baseline"
    assert {len(line) for line in scores} == {len(scores[0])}
    assert [re.sub(r"\s+-?\d\S*", " N", line).strip() for line in scores[1:]] == [
        "R² N N",
        "root mean square error N N",
        "mean absolute error N N",
    ]
    assert listing(ready / "out") == ["run", *(f"run/{name}" for name in FILES)]


def test_a_classification(call: Call, ready: Path) -> None:
    result = call("train", "birds.csv", "--epochs", "30")
    assert (result.status, result.err) == (0, "")
    assert "Task      classification: text with 2 different values (--task to change)\n" in result.out
    assert "Rows      52 to train, 12 to validate, 16 to test (stratified, seed 0)\n" in result.out
    scores = result.out.split("\n\n")[3].splitlines()
    assert scores[0] == "Test on 16 rows                model   baseline"
    assert [line.split("  ")[5] for line in scores[1:]] == ["accuracy", "balanced accuracy", "cross-entropy"]
    assert "Baseline  always 'hen'; cross-entropy: the class shares\n" in result.out
    assert "Written   runs/birds-1\nNext      chainrule predict runs/birds-1 birds.csv\n" in result.out


def test_no_line_is_longer_than_80_columns(call: Call, ready: Path) -> None:
    out = call("train", "birds.csv", "--epochs", "3", "--out", "r").out
    assert max(map(len, out.splitlines())) <= 80


def test_runs_are_numbered(call: Call, ready: Path) -> None:
    for number in (1, 2):
        assert call("train", "birds.csv", "--epochs", "1", "--quiet").status == 0
        assert (ready / f"runs/birds-{number}/run.json").is_file()


def test_a_number_that_another_run_takes_meanwhile(
    call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chainrule.cli.output import Output

    monkeypatch.setattr(Output, "epoch", lambda *_: Path("runs/birds-1").mkdir(parents=True))
    assert call("train", "birds.csv", "--epochs", "1", "--quiet").out.count("Written   runs/birds-2\n") == 1


def test_quiet_prints_the_result_only(call: Call, ready: Path) -> None:
    lines = call("train", "birds.csv", "--lr", "0.1", "--quiet").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "Verdict", "Written", "Baseline", "Test", "accuracy", "balanced", "cross-entropy"
    ]  # fmt: skip


def test_json_is_for_programs(call: Call, ready: Path) -> None:
    result = call("train", "birds.csv", "--epochs", "3", "--json", "--quiet", "--out", "r")
    assert (result.status, result.err) == (0, "")
    found = json.loads(result.out)
    run = load_run("r")
    assert found == {
        "run": "r",
        "target": "bird",
        "task": "classification",
        "model": "softmax",
        "epochs": 3,
        "best_epoch": run.history.best,
        "interrupted": False,
        "metrics": run.metrics,
        "verdict": run.verdict.kind,
    }


def test_with_json_people_read_standard_error(call: Call, ready: Path) -> None:
    result = call("train", "birds.csv", "--epochs", "3", "--json")
    assert json.loads(result.out)["run"] == "runs/birds-1"
    assert result.err.startswith("Data      birds.csv: 80 rows, 2 columns\n")
    assert "Verdict   " in result.err


def test_the_options_arrive(call: Call, ready: Path) -> None:
    options = (
        "--model mlp --hidden 8,4 --dropout 0.1 --optimizer sgd --lr 0.02 --weight-decay 0.001 "
        "--batch-size 16 --epochs 2 --patience 7 --seed 5 --test-size 0.25 --val-size 0.1 "
        "--task classification --target bird"
    )
    assert call("train", "birds.csv", "--out", "r", *options.split()).status == 0
    settings = load_run("r").settings
    assert (settings.target, settings.task, settings.model, settings.hidden) == (
        "bird",
        "classification",
        "mlp",
        (8, 4),
    )
    assert (settings.dropout, settings.optimizer, settings.lr, settings.weight_decay) == (
        0.1,
        "sgd",
        0.02,
        0.001,
    )
    assert (settings.batch_size, settings.epochs, settings.patience, settings.seed) == (16, 2, 7, 5)
    assert (settings.test_size, settings.val_size) == (0.25, 0.1)


def test_how_a_file_is_read(call: Call, ready: Path) -> None:
    rows = "".join(f"{n};{n % 3};0{n % 2};{'?' if n == 4 else n % 5};{n % 2}\n" for n in range(40))
    Path("d.csv").write_text("größe;b;zip;gap;y\n" + rows, encoding="cp1252")
    options = "--separator ; --encoding cp1252 --missing ? --drop b --categorical zip --epochs 1 --out r"
    result = call("train", "d.csv", *options.split())
    assert (result.status, result.err) == (0, "")
    run = load_run("r")
    assert run.preparation.names == ["größe", "zip_00", "zip_01", "zip_nan", "gap"]
    assert (run.missing, run.settings.drop) == (("?",), ("b",))


def test_a_tab_can_be_written_as_a_shell_passes_it(call: Call, ready: Path) -> None:
    Path("d.csv").write_text("a\ty\n" + "".join(f"{n}\t{n % 2}\n" for n in range(40)))
    assert call("train", "d.csv", "--separator", "\\t", "--epochs", "1").status == 0


def test_notes_are_printed(call: Call, ready: Path) -> None:
    rows = "".join(f"{n},2021-01-{n % 28 + 1:02},5,{n % 2}\n" for n in range(40))
    Path("d.csv").write_text("n,day,five,y\n" + rows)
    out = call("train", "d.csv", "--epochs", "1").out
    assert (
        "note      column 'n' seems to number the rows (0 to 39), which can mislead a\n"
        "          model; leave it out with --drop n\n"
        "note      column 'day' is left out: it holds dates ('2021-01-01')\n"
    ) in out
    assert "note      the same in every training row, so they tell nothing: 'five'\n" in out


def test_names_cannot_command_the_terminal(call: Call, ready: Path) -> None:
    red = "\x1b[31mred"
    Path("d.csv").write_text(f"a,{red}\n" + "".join(f"{n},{n}.5\n" for n in range(20)))
    result = call("train", "d.csv", "--epochs", "1")
    assert "Target    \\x1b[31mred: the last column" in result.out
    assert "\x1b" not in result.out
    assert call("train", f"{red}.csv").err == "chainrule: error: there is no file '\\x1b[31mred.csv'\n"


def test_nothing_held_out(call: Call, ready: Path) -> None:
    out = call("train", "houses.csv", "--val-size", "0", "--test-size", "0", "--epochs", "2").out
    assert "Test      no rows were held out, so nothing is known about new ones\n" in out
    assert "Verdict   not known: without validation rows there is nothing to compare with\n" in out


def test_the_command_to_try_next_is_ready_for_a_shell(call: Call, ready: Path) -> None:
    os.rename("birds.csv", "my birds.csv")
    out = call("train", "my birds.csv", "--epochs", "1").out
    assert "Next      chainrule predict 'runs/my birds-1' 'my birds.csv'\n" in out


# -- bad input: one line, a status, and nothing written


def fails(call: Call, folder: Path, *arguments: str) -> tuple[int, str]:
    """The status and the one line of a command that must leave everything as it was."""
    before = listing(folder)
    result = call(*arguments)
    assert listing(folder) == before
    assert result.err.count("\n") == 1
    assert result.err.startswith("chainrule: error: ")
    return result.status, result.err.removeprefix("chainrule: error: ").removesuffix("\n")


FILE_CASES = {
    "empty.csv": (b"", "'empty.csv' is empty"),
    "header.csv": (b"a,b\n", "'header.csv' has a header but no rows"),
    "data.xlsx": (
        b"x",
        "cannot read the file type '.xlsx' of 'data.xlsx'; give a .csv, .tsv or .parquet file",
    ),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "line 3 of 'ragged.csv' has 3 fields, but the header names 2"),
    "twice.csv": (
        b"a,a\n1,2\n",
        "'twice.csv' has 2 columns named 'a' (columns 1 and 2); give each its own name",
    ),
    "latin.csv": (
        b"a,b\n1,\xe9\n",
        "'latin.csv' is not UTF-8 text: byte 0xe9 at offset 6 in line 2; "
        "an older program may have written it: try --encoding cp1252 (or gbk, ...)",
    ),
    "one.csv": (
        b"a,y\n" + b"1,x\n2,x\n" * 10,
        "the target 'y' is 'x' in all 20 rows; there is nothing to learn",
    ),
    "none.csv": (b"a,y\n" + b"1,\n" * 20, "the target 'y' has no value in any of the 20 rows"),
    "gap.csv": (
        b"a,b,y\n" + b"1,,2\n2,,3\n" * 10,
        "column 'b' has no values at all; leave it out with --drop b",
    ),
    "inf.csv": (
        b"a,y\n1,2\ninf,3\n" + b"1,5\n" * 20,
        "column 'a' has the infinite value inf in row 2; correct it or remove the row",
    ),
    "target-inf.csv": (
        b"a,y\n1,2.5\n2,-inf\n" + b"1,5\n" * 20,
        "column 'y' has the infinite value -inf in row 2; correct it or remove the row",
    ),
    "few.csv": (
        b"a,y\n1,2\n2,3\n",
        "2 rows cannot be split into training, validation and test rows (it takes 10); "
        "to learn from all of them and know nothing about new ones: --val-size 0 --test-size 0",
    ),
    "rare.csv": (
        b"a,y\n" + b"1,hen\n2,duck\n" * 10 + b"3,owl\n",
        "class 'owl' has 1 row; each class needs at least 3, "
        "one for each of the training, validation and test rows: add rows, or remove the class",
    ),
    "single.csv": (
        b"y\n1\n2\n",
        "the table has only the column 'y'; it takes a target and something to predict it from",
    ),
}


@pytest.mark.parametrize("name", FILE_CASES)
def test_files_that_cannot_be_used(call: Call, folder: Path, name: str) -> None:
    content, text = FILE_CASES[name]
    Path(name).write_bytes(content)
    assert fails(call, folder, "train", name) == (1, text)


def test_files_that_are_not_there(call: Call, ready: Path) -> None:
    assert fails(call, ready, "train", "house.csv") == (
        1,
        "there is no file 'house.csv'; did you mean 'houses.csv'?",
    )
    assert fails(call, ready, "train", "run-birds") == (
        1,
        "'run-birds' is a folder; give a .csv, .tsv or .parquet file",
    )


def test_a_target_that_is_not_a_column(call: Call, ready: Path) -> None:
    assert fails(call, ready, "train", "houses.csv", "--target", "prize") == (
        1,
        "the target is not a column: there is no 'prize'; did you mean 'price'?",
    )


USAGE_CASES = [
    (["--lr", "-1"], "--lr must be a number above 0, not '-1'"),
    (["--hidden", "64,x"], "--hidden must be whole numbers from 1, as in 64,64, not '64,x'"),
    (["--batch-size", "0"], "--batch-size must be a whole number from 1, not '0'"),
    (["--weight-decay", "x"], "--weight-decay must be a number from 0, not 'x'"),
    (["--model", "svm"], "--model must be one of auto, linear, softmax, mlp, not 'svm'"),
    (
        ["--test-size", "0.6", "--val-size", "0.6"],
        "--test-size must leave rows to train on, but with the validation rows it takes 1.2 of all",
    ),
    (["--targt", "price"], "there is no option --targt; did you mean --target?"),
    (["--zzz"], "there is no option --zzz"),
    (["--epochs"], "argument --epochs: expected one argument; see chainrule train --help"),
    (["more.csv"], "chainrule train does not take 'more.csv' as well"),
    (["--separator", "ab"], "--separator must be one character, or \\t for a tab, not 'ab'"),
]


@pytest.mark.parametrize(("arguments", "text"), USAGE_CASES)
def test_wrong_command_lines(call: Call, ready: Path, arguments: list[str], text: str) -> None:
    assert fails(call, ready, "train", "houses.csv", *arguments) == (2, text)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["train"], "the following arguments are required: DATA; see chainrule train --help"),
        (["trian", "houses.csv"], "there is no command 'trian'; did you mean train?"),
        (["zzz"], "there is no command 'zzz'; there are: train, predict, explain, bench"),
    ],
)
def test_wrong_commands(call: Call, ready: Path, arguments: list[str], text: str) -> None:
    assert fails(call, ready, *arguments) == (2, text)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["houses.csv", "--task", "regression", "--model", "softmax"],
            "--task regression does not go with --model softmax, which predicts a label; "
            "for numbers use linear or mlp",
        ),
        (
            ["birds.csv", "--task", "regression"],
            "the target 'bird' has 'hen' in row 1, and a regression takes numbers; "
            "for labels: --task classification",
        ),
        (
            ["birds.csv", "--dropout", "0.5"],
            "--dropout is for --model mlp; this is softmax regression (fewer than 1,000 rows)",
        ),
        (
            ["houses.csv", "--lr", "1e30", "--optimizer", "sgd"],
            "training diverged: the loss of epoch 1 is not a finite number; try a smaller --lr than 1e+30",
        ),
        (
            ["houses.csv", "--encoding", "klingon"],
            "there is no encoding 'klingon'; well-known ones: utf-8, utf-16, cp1252, gbk",
        ),
    ],
)
def test_choices_that_do_not_fit_the_table(call: Call, ready: Path, arguments: list[str], text: str) -> None:
    assert fails(call, ready, "train", *arguments) == (1, text)


def test_a_run_that_is_there(call: Call, ready: Path) -> None:
    assert fails(call, ready, "train", "houses.csv", "--out", "run-houses") == (
        1,
        "the folder 'run-houses' is there already; a run needs a new one: choose another --out",
    )


def test_an_output_that_cannot_be_written(call: Call, ready: Path) -> None:
    assert fails(call, ready, "train", "houses.csv", "--out", "houses.csv/run") == (
        1,
        "cannot write 'houses.csv/run': Not a directory; nothing was kept",
    )


def test_a_disk_that_is_full_in_the_end(call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "save", full)
    assert fails(call, ready, "train", "houses.csv", "--epochs", "1", "--out", "new/run") == (
        1,
        "cannot write 'new/run': No space left on device; nothing was kept",
    )


def test_a_package_that_is_not_installed(call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    assert fails(call, ready, "train", "houses.csv") == (
        1,
        "this needs the package pandas: pip install pandas",
    )


def test_too_little_memory(call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pandas.read_csv", out_of_memory)
    assert fails(call, ready, "train", "houses.csv") == (1, "there is not enough memory for this table")


# -- Ctrl-C


def interrupt_when_told(monkeypatch: pytest.MonkeyPatch, method: str, at: int) -> None:
    """Press Ctrl-C at the n-th call of a method of the output."""
    from chainrule.cli.output import Output

    original, calls = getattr(Output, method), []

    def watched(self: Output, *arguments: object) -> None:
        original(self, *arguments)
        calls.append(1)
        if len(calls) == at:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Output, method, watched)


def test_ctrl_c_keeps_the_best_weights_and_says_so(
    call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_when_told(monkeypatch, "epoch", at=7)
    result = call("train", "houses.csv", "--out", "r")
    assert (result.status, result.err) == (130, "")
    assert "Stopped   by Ctrl-C after epoch 7\n" in result.out
    assert "Written   r\n          interrupted by Ctrl-C: the best weights so far\n" in result.out
    run = load_run("r")
    assert run.history.interrupted
    assert len(run.history.epochs) == 7
    assert run.history.best == min(run.history.epochs, key=lambda epoch: epoch.val_loss or 0).number


def test_ctrl_c_before_the_first_epoch_is_over(
    call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_when_told(monkeypatch, "step", at=1)
    assert fails(call, ready, "train", "houses.csv") == (130, "interrupted; nothing was written")


def test_ctrl_c_before_training(call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_when_told(monkeypatch, "fact", at=1)
    assert fails(call, ready, "train", "houses.csv") == (130, "interrupted; nothing was written")


def test_a_second_ctrl_c_during_the_writing(call: Call, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_when_told(monkeypatch, "epoch", at=2)
    write = run_module.save

    def interrupted(*arguments: object) -> None:
        write(*arguments)  # the weights are written; the run is not complete
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(run_module, "save", interrupted)
    assert fails(call, ready, "train", "houses.csv", "--out", "new/run") == (
        130,
        "interrupted; nothing was written",
    )
