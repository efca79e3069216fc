"""The main job: what it decides and says, what it reaches, and that it repeats itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import chainrule as cr
from chainrule.data import DataError, read_table, split_rows
from chainrule.training import Diverged, Run, Settings, Watcher, train_table

EXAMPLES = Path(__file__).parents[2] / "examples" / "data"


class Notebook(Watcher):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.notes: list[str] = []
        self.epochs = 0

    def fact(self, label: str, text: str) -> None:
        self.facts[label] = text

    def note(self, text: str) -> None:
        self.notes.append(text)

    def epoch(self, epoch: object) -> None:
        self.epochs += 1


def houses(rows: int = 60) -> pd.DataFrame:
    """A table with a bit of everything, whose price is a plain sum."""
    rng = np.random.default_rng(0)
    rooms = rng.integers(1, 9, rows)
    garden = rng.random(rows) < 0.5
    alley = rng.choice(["Pave", "Grvl"], rows)
    price = 50_000 + 20_000 * rooms + 9_000 * garden + 7_000 * (alley == "Pave") + rng.normal(0, 500, rows)
    return pd.DataFrame({"rooms": rooms, "garden": garden, "alley": alley, "price": price.round(2)})


def train(frame: pd.DataFrame, **choices: Any) -> tuple[Run, Notebook]:
    notebook = Notebook()
    return train_table(frame, watcher=notebook, **{"epochs": 5, **choices}), notebook


def message(frame: pd.DataFrame, **choices: Any) -> str:
    with pytest.raises(DataError) as caught:
        train_table(frame, **choices)
    return str(caught.value)


# -- what it reaches, with default settings


@pytest.fixture(scope="module")
def cancer() -> tuple[Run, Notebook]:
    notebook = Notebook()
    return train_table(EXAMPLES / "breast_cancer.csv", watcher=notebook), notebook


def test_breast_cancer(cancer: tuple[Run, Notebook]) -> None:
    run, _ = cancer
    assert run.spec.kind == "softmax"
    assert run.metrics["test"]["accuracy"] >= 0.95
    assert run.metrics["test_baseline"]["accuracy"] == pytest.approx(72 / 114)
    assert run.verdict.kind == "good"


def test_digits() -> None:
    run = train_table(EXAMPLES / "digits.csv")
    assert run.spec.kind == "mlp"
    assert run.metrics["test"]["accuracy"] >= 0.96


def ridge_of(seed: int) -> float:
    """R² of scikit-learn's ridge on the same test rows, fitted on the same training rows."""
    frame = read_table(EXAMPLES / "diabetes.csv").frame
    split = split_rows(len(frame), test_size=0.2, val_size=0.15, seed=seed)
    x, y = frame.drop(columns="progression"), frame["progression"]
    mean, scale = x.iloc[split.train].mean(), x.iloc[split.train].std(ddof=0)
    x = (x - mean) / scale
    return float(
        Ridge().fit(x.iloc[split.train], y.iloc[split.train]).score(x.iloc[split.test], y.iloc[split.test])
    )


def test_diabetes_is_as_good_as_ridge() -> None:
    run = train_table(EXAMPLES / "diabetes.csv")
    assert run.spec.kind == "linear"
    assert run.metrics["test"]["r2"] == pytest.approx(ridge_of(0), abs=0.02)


def test_diabetes_is_as_good_as_ridge_whatever_the_split() -> None:
    # early stopping on 66 rows is a matter of luck in a single split; on average nothing may be lost
    differences = [
        train_table(EXAMPLES / "diabetes.csv", seed=seed).metrics["test"]["r2"] - ridge_of(seed)
        for seed in range(1, 7)
    ]
    assert np.mean(differences) > -0.02


# -- what it says


def test_every_decision_is_told(cancer: tuple[Run, Notebook]) -> None:
    run, notebook = cancer
    assert notebook.facts == {
        "Data": f"{EXAMPLES / 'breast_cancer.csv'}: 569 rows, 31 columns",
        "Target": "diagnosis: the last column (--target to change)",
        "Task": "classification: text with 2 different values (--task to change)",
        "Rows": "370 to train, 85 to validate, 114 to test (stratified, seed 0)",
        "Inputs": "30 numbers",
        "Model": "softmax regression (fewer than 1,000 rows), 62 weights",
        "Training": "adamw, learning rate 0.005, weight decay 0.01, batches of 32, at most 200 epochs, "
        "patience 20",
    }
    assert notebook.notes == []
    assert notebook.epochs == len(run.history.epochs)


def test_a_bit_of_everything() -> None:
    run, notebook = train(houses(), target="price")
    assert notebook.facts["Data"] == "the frame: 60 rows, 4 columns"
    assert notebook.facts["Target"] == "price: as asked"
    assert notebook.facts["Task"] == "regression: numbers with decimals (--task to change)"
    assert notebook.facts["Rows"] == "39 to train, 9 to validate, 12 to test (seed 0)"
    assert notebook.facts["Inputs"] == "1 number, 1 true-or-false column, 1 category column, making 5 inputs"
    assert run.preparation.names == ["rooms", "garden", "alley_Grvl", "alley_Pave", "alley_nan"]
    assert run.facts == {
        "name": "the frame",
        "rows": 60,
        "columns": 4,
        "train_rows": 39,
        "validation_rows": 9,
        "test_rows": 12,
    }


def test_it_learns_a_sum() -> None:
    run, _ = train(houses(300), epochs=200)
    assert run.metrics["test"]["r2"] > 0.98
    assert run.metrics["test"]["rmse"] < 5000
    assert run.verdict.kind == "good"


def test_rows_without_a_target_are_left_out() -> None:
    frame = houses()
    frame.loc[[3, 7], "price"] = None
    run, notebook = train(frame)
    assert notebook.notes == ["2 rows without a value in the target 'price': left out"]
    assert sum(run.facts[f"{part}_rows"] for part in ("train", "validation", "test")) == 58


def test_labels_that_became_floats_come_back_whole() -> None:
    frame = pd.DataFrame({"x": np.arange(60) % 7, "y": [0.0, 1.0, 2.0] * 20})
    frame.loc[5, "y"] = None
    assert train(frame)[0].target.labels == (0, 1, 2)


def test_constant_columns_are_told() -> None:
    _, notebook = train(houses().assign(country="NL", floors=2)[["country", "floors", "rooms", "price"]])
    assert notebook.notes == ["the same in every training row, so they tell nothing: 'country' and 'floors'"]


def test_categories_that_only_held_out_rows_have_are_told() -> None:
    frame = houses()
    test_row = int(split_rows(60, test_size=0.2, val_size=0.15).test[0])
    frame.loc[test_row, "alley"] = "Dirt"
    run, notebook = train(frame)
    assert "alley_Dirt" not in run.preparation.names
    assert notebook.notes == [
        "column 'alley' has 'Dirt', which no training row had, in 1 row held out: treated as not known"
    ]


def test_nothing_held_out() -> None:
    run, notebook = train(houses(4), val_size=0, test_size=0)
    assert notebook.facts["Rows"] == "4 to train (seed 0)"
    assert "patience" not in notebook.facts["Training"]
    assert run.metrics["train"] is not None
    assert run.metrics["validation"] is run.metrics["test"] is run.metrics["test_baseline"] is None
    assert (run.verdict.kind, run.history.best) == ("unknown", 5)


def test_only_test_rows_held_out() -> None:
    run, _ = train(houses(), val_size=0)
    assert run.metrics["validation"] is None
    assert run.metrics["test"]["r2"] is not None
    assert (run.history.best, run.verdict.kind) == (5, "unknown")


def test_still_getting_better_is_told() -> None:
    run, _ = train(houses(300), epochs=3)
    assert run.verdict.text.endswith("; it was still getting better: try more --epochs")


# -- that it repeats itself


def weights(run: Run) -> dict[str, list[Any]]:
    return {name: value.tolist() for name, value in run.model.state_dict().items()}


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_the_same_seed_gives_the_same_run(model: str) -> None:
    one, again = (train(houses(), model=model, seed=3)[0] for _ in range(2))
    assert weights(one) == weights(again)
    assert one.history == again.history
    assert one.metrics == again.metrics
    assert weights(one) != weights(train(houses(), model=model, seed=4)[0])


def test_other_random_numbers_are_not_disturbed() -> None:
    cr.manual_seed(5)
    expected = [cr.rand(1).item(), cr.rand(1).item()]
    cr.manual_seed(5)
    found = [cr.rand(1).item()]
    train(houses(), model="mlp")
    assert [*found, cr.rand(1).item()] == expected


def test_the_frame_is_left_as_it_was() -> None:
    frame = houses().set_index(pd.Index(range(100, 160)))
    before = frame.copy(deep=True)
    train(frame)
    pd.testing.assert_frame_equal(frame, before)


# -- what is refused


def test_refusals() -> None:
    frame = houses()
    assert message(frame.iloc[:0]) == "the frame has no rows"
    assert message(pd.concat([frame, frame[["price"]]], axis=1)) == (
        "the table has more than one column named 'price'; give each its own name"
    )
    assert message(frame, target="prize") == (
        "the target is not a column: there is no 'prize'; did you mean 'price'?"
    )
    assert message(frame.assign(price=None)) == "the target 'price' has no value in any of the 60 rows"
    assert message(frame, drop=("price",)) == (
        "--drop price names the target; another can be chosen with --target"
    )
    assert message(frame[["alley", "price"]].assign(alley="Pave")) == (
        "every input column is the same in all training rows; there is nothing to learn from"
    )
    assert (
        message(frame.assign(price=1.0))
        == "the target 'price' is 1.0 in all 60 rows; there is nothing to learn"
    )
    assert message(frame.iloc[:9]).startswith("9 rows cannot be split")


def test_a_learning_rate_that_is_too_large() -> None:
    with pytest.raises(Diverged) as caught:
        train(houses(), lr=1e30, optimizer="sgd", epochs=50)
    assert str(caught.value) == (
        "training diverged: the loss of epoch 1 is not a finite number; try a smaller --lr than 1e+30"
    )


def test_columns_that_pandas_numbers_have_these_numbers_as_names() -> None:
    frame = houses()
    frame.columns = range(4)
    run, _ = train(frame, target="3", drop=["2"])
    assert run.preparation.names == ["0", "1"]
    assert run.predict(frame).values.shape == (60,)
    assert run.score(frame, run.predict(frame))[1] == 60


def test_settings_and_single_choices_are_not_mixed() -> None:
    with pytest.raises(TypeError) as caught:
        train_table(houses(), settings=Settings(), epochs=3)
    assert str(caught.value) == "give settings or single choices, not both: epochs"


def test_settings_and_single_choices_do_the_same() -> None:
    one = train_table(houses(), settings=Settings(epochs=3, lr=0.1))
    assert weights(one) == weights(train_table(houses(), epochs=3, lr=0.1))
