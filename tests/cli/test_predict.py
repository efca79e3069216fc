"""`chainrule predict`: what it prints and writes, and what it answers to tables that do not fit, in full."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .conftest import Call, birds, houses, listing


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


# -- what it prints and writes


def test_labels_and_probabilities(call: Call, ready: Path) -> None:
    result = call("predict", "run-birds", "birds.csv")
    assert result.status == 0
    found = table(result.out)
    assert list(found.columns) == ["prediction", "probability_duck", "probability_hen"]
    assert len(found) == 80
    np.testing.assert_allclose(found["probability_duck"] + found["probability_hen"], 1, atol=1e-6)
    assert (found["prediction"] == np.where(found["probability_hen"] > 0.5, "hen", "duck")).all()


def test_numbers_in_their_own_units(call: Call, ready: Path) -> None:
    result = call("predict", "run-houses", "houses.csv")
    found = table(result.out)
    assert list(found.columns) == ["prediction"]
    assert np.corrcoef(found["prediction"], houses()["price"])[0, 1] > 0.9
    assert 20_000 < found["prediction"].mean() < 200_000


def test_with_the_target_there_is_a_comparison(call: Call, ready: Path) -> None:
    predicted = call("predict", "run-birds", "birds.csv")
    hits = (table(predicted.out)["prediction"] == birds()["bird"]).mean()
    lines = predicted.err.splitlines()
    assert lines[0] == "Compared on 80 rows              model"
    assert lines[1] == f"          accuracy               {hits:.3f}"
    assert [line.split("  ")[5] for line in lines[2:]] == ["balanced accuracy", "cross-entropy"]


def test_without_the_target_there_is_none(call: Call, ready: Path) -> None:
    birds().drop(columns="bird").to_csv("new.csv", index=False)
    assert call("predict", "run-birds", "new.csv").err == ""


def test_only_rows_with_a_target_are_compared(call: Call, ready: Path) -> None:
    frame = birds()
    frame.loc[5:, "bird"] = None
    frame.to_csv("new.csv", index=False)
    assert call("predict", "run-birds", "new.csv").err.startswith("Compared on 5 rows")
    frame.assign(bird=None).to_csv("new.csv", index=False)
    assert call("predict", "run-birds", "new.csv").err == ""


def test_out_writes_a_file(call: Call, ready: Path) -> None:
    printed = call("predict", "run-birds", "birds.csv").out
    result = call("predict", "run-birds", "birds.csv", "--out", "p.csv")
    assert (result.status, result.out) == (0, "")
    assert Path("p.csv").read_text() == printed
    assert result.err.endswith("Written   p.csv: 80 predictions\n")
    assert (
        call("predict", "run-birds", "birds.csv", "--out", "p.csv").status == 0
    )  # predictions may be replaced


def test_quiet(call: Call, ready: Path) -> None:
    assert call("predict", "run-birds", "birds.csv", "--out", "p.csv", "--quiet").err == ""


def test_the_same_rows_in_another_table_give_the_same_predictions(call: Call, ready: Path) -> None:
    expected = call("predict", "run-houses", "houses.csv").out
    frame = houses().assign(street="x")[["street", "price", "alley", "rooms"]]
    frame.to_csv("new.csv", index=False)
    frame.to_parquet("new.parquet")
    for name in ("new.csv", "new.parquet"):
        result = call("predict", "run-houses", name)
        assert result.out == expected
        assert result.err.startswith(
            "note      1 column that the model does not use: 'street'\n"
            "note      the columns are in another order than in training; they are found by\n"
            "          name\n"
        )


def test_columns_that_training_left_out_on_request_are_expected(call: Call, ready: Path) -> None:
    houses().assign(street="x").to_csv("more.csv", index=False)
    out = ("--out", "r", "--quiet", "--epochs", "1", "--target", "price", "--drop", "street")
    assert call("train", "more.csv", *out).status == 0
    assert "note" not in call("predict", "r", "more.csv").err


def test_words_for_missing_values_are_remembered(call: Call, ready: Path) -> None:
    houses().to_csv("gaps.csv", index=False, na_rep="?")
    assert call("train", "gaps.csv", "--missing", "?", "--epochs", "1", "--out", "r").status == 0
    Path("new.csv").write_text("rooms,alley\n?,Pave\n3,Grvl\n")
    result = call("predict", "r", "new.csv")
    assert (result.status, len(table(result.out))) == (0, 2)


def test_categories_are_read_as_they_are_written(call: Call, ready: Path) -> None:
    rows = "".join(f"{'00501' if n % 2 else '10001'},{n % 2}.5\n" for n in range(40))
    Path("zip.csv").write_text("zip,y\n" + rows)
    assert (
        call("train", "zip.csv", "--categorical", "zip", "--epochs", "50", "--lr", "0.1", "--out", "r").status
        == 0
    )
    Path("new.csv").write_text("zip\n00501\n10001\n")
    low_high = table(call("predict", "r", "new.csv").out)["prediction"]
    assert low_high[0] > 1.3
    assert low_high[1] < 0.7
    Path("new.csv").write_text("zip\n501\n")
    assert call("predict", "r", "new.csv").err == (
        "chainrule: error: column 'zip' has '501' in row 1, which no training row had "
        "(they had '00501' and '10001'); to treat it as not known: --unseen missing\n"
    )


def test_unseen_categories_can_be_treated_as_missing(call: Call, ready: Path) -> None:
    Path("new.csv").write_text("rooms,alley\n3,Dirt\n")
    result = call("predict", "run-houses", "new.csv", "--unseen", "missing")
    assert (result.status, len(table(result.out))) == (0, 1)
    assert result.err == (
        "note      column 'alley' has 'Dirt', which no training row had, in 1 row:\n"
        "          treated as not known\n"
    )


def test_an_interrupted_run_is_remarked_on(call: Call, ready: Path) -> None:
    file = ready / "run-birds" / "run.json"
    data = json.loads(file.read_text())
    data["training"] |= {"stopped": "interrupt", "interrupted": True, "best_epoch": 7}
    file.write_text(json.dumps(data))
    assert call("predict", "run-birds", "birds.csv").err.startswith(
        "note      the training of this run was interrupted; its weights are those of\n          epoch 7\n"
    )


# -- bad input


def fails(call: Call, folder: Path, *arguments: str) -> tuple[int, str]:
    before = listing(folder)
    result = call("predict", *arguments)
    assert listing(folder) == before
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert result.err.startswith("chainrule: error: ")
    return result.status, result.err.removeprefix("chainrule: error: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            "rooms\n3\n",
            "the table lacks the column 'alley' that the model was trained on",
        ),
        (
            "Rooms,alley\n3,Pave\n",
            "the table lacks the column 'rooms' that the model was trained on "
            "(is 'Rooms' the same as 'rooms'? then rename it)",
        ),
        ("rooms,alley\n3,Pave\nthree,Pave\n", "column 'rooms' must hold numbers, but row 2 has 'three'"),
        (
            "rooms,alley\n3,Dirt\n",
            "column 'alley' has 'Dirt' in row 1, which no training row had (they had 'Grvl' and 'Pave'); "
            "to treat it as not known: --unseen missing",
        ),
        (
            "rooms,alley\n3,\n",
            "column 'alley' has no value in row 1, and in training every row had one; "
            "to treat it as not known: --unseen missing",
        ),
        (
            "rooms,alley\ninf,Pave\n",
            "column 'rooms' has the infinite value inf in row 1; correct it or remove the row",
        ),
        ("rooms,alley\n", "'new.csv' has a header but no rows"),
        ("rooms,alley\n3,Pave,5\n", "line 2 of 'new.csv' has 3 fields, but the header names 2"),
    ],
)
def test_tables_that_do_not_fit(call: Call, ready: Path, content: str, text: str) -> None:
    Path("new.csv").write_text(content)
    assert fails(call, ready, "run-houses", "new.csv") == (1, text)


def test_a_target_that_cannot_be_compared(call: Call, ready: Path) -> None:
    frame = birds()
    frame.loc[3, "bird"] = "owl"
    frame.to_csv("new.csv", index=False)
    result = call("predict", "run-birds", "new.csv")
    assert (result.status, len(table(result.out))) == (0, 80)
    assert result.err == (
        "note      no comparison: the target 'bird' has 'owl' in row 4, which is none of\n"
        "          the labels that were learned\n"
    )


def test_runs_that_are_none(call: Call, ready: Path) -> None:
    assert fails(call, ready, "run-fish", "birds.csv") == (
        1,
        "the run 'run-fish' is not there; `chainrule train` makes one",
    )
    assert fails(call, ready, "birds.csv", "run-birds") == (
        1,
        "the run 'birds.csv' is a file, not the folder of a run; `chainrule train` makes one",
    )
    (ready / "run-birds" / "run.json").write_text("{}")
    assert fails(call, ready, "run-birds", "birds.csv") == (
        1,
        "'run-birds/run.json' is damaged: schema is missing",
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--unseen", "guess"], "--unseen must be one of refuse, missing, not 'guess'"),
        (["--out", "p.xlsx"], "--out must name a .csv file, not 'p.xlsx'"),
        (
            ["--out", "./birds.csv"],
            "--out ./birds.csv is the table itself; the predictions need a file of their own",
        ),
        (["--ot", "p.csv"], "there is no option --ot; did you mean --out?"),
    ],
)
def test_wrong_command_lines(call: Call, ready: Path, arguments: list[str], text: str) -> None:
    assert fails(call, ready, "run-birds", "birds.csv", *arguments) == (2, text)


def test_an_output_that_cannot_be_written(call: Call, ready: Path) -> None:
    before = listing(ready)
    for out, reason in [("no/such/p.csv", "no such folder"), ("birds.csv/p.csv", "Not a directory")]:
        result = call("predict", "run-birds", "birds.csv", "--out", out, "--quiet")
        assert (result.status, result.err) == (1, f"chainrule: error: cannot write '{out}': {reason}\n")
    assert listing(ready) == before
