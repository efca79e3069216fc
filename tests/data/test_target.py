"""The target: which column, which task, and there and back again; the full text of every refusal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from chainrule.data import DataError, Target, choose_target, decide_task
from chainrule.data.checked import Fields


def series(values: object, name: str = "y") -> pd.Series:
    return pd.Series(values, name=name)


def message(call: object, *arguments: object, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments, **how)  # type: ignore[operator]
    return str(caught.value)


# -- which column


@pytest.mark.parametrize(
    ("names", "wanted", "chosen"),
    [
        (["a", "b"], None, ("b", "the last column")),
        (["Target", "b"], None, ("Target", "by its name")),
        (["a", "label"], None, ("label", "the last column")),
        (["y", "label", "c"], None, ("c", "the last column")),  # two usual names: neither is sure
        (["y", "b"], "b", ("b", "as asked")),
    ],
)
def test_choice(names: list[str], wanted: str | None, chosen: tuple[str, str]) -> None:
    assert choose_target(names, wanted) == chosen


def test_no_such_column() -> None:
    assert message(choose_target, ["rooms", "price"], "prise") == (
        "the target is not a column: there is no 'prise'; did you mean 'price'?"
    )
    assert message(choose_target, ["rooms", "alley"], "price") == (
        "the target is not a column: there is no 'price'; the columns are 'rooms' and 'alley'"
    )


def test_one_column_is_not_enough() -> None:
    assert message(choose_target, ["rooms"], None) == (
        "the table has only the column 'rooms'; it takes a target and something to predict it from"
    )


# -- which task


@pytest.mark.parametrize(
    ("values", "task", "why"),
    [
        ([1.5, 2.0, 3.0], "regression", "numbers with decimals"),
        ([True, False], "classification", "it is true or false"),
        (["a", "b"], "classification", "text with 2 different values"),
        (["1", "2", "?"], "classification", "numbers and text: '1', '2' and '?'"),
        ([0, 1] * 4, "classification", "2 different whole numbers"),
        ([0.0, 1.0] * 4, "classification", "2 different whole numbers"),
        ([0, 1] * 3 + [0], "regression", "2 different whole numbers"),  # 3.5 rows each
        (list(range(20)) * 4, "classification", "20 different whole numbers"),
        (list(range(21)) * 4, "regression", "21 different whole numbers"),
        ([127500, 106000, 178100, 140000], "regression", "4 different whole numbers"),
    ],
)
def test_task_by_values(values: list[object], task: str, why: str) -> None:
    assert decide_task(series(values)) == (task, why)


def test_task_as_asked_or_by_the_model() -> None:
    labels = series([0, 1] * 10)
    assert decide_task(labels, "regression") == ("regression", "as asked")
    assert decide_task(labels, model="linear") == ("regression", "--model linear predicts numbers")
    assert decide_task(series([1.5, 2.5]), model="softmax") == (
        "classification",
        "--model softmax predicts labels",
    )
    assert decide_task(labels, model="mlp")[0] == "classification"


def test_task_and_model_that_contradict_each_other() -> None:
    assert message(decide_task, series([0, 1]), "classification", "linear") == (
        "--task classification does not go with --model linear, which predicts a number; "
        "for labels use softmax or mlp"
    )
    assert message(decide_task, series([0, 1]), "regression", "softmax") == (
        "--task regression does not go with --model softmax, which predicts a label; "
        "for numbers use linear or mlp"
    )


def test_regression_of_text() -> None:
    assert message(decide_task, series(["1", "2", "many"]), "regression") == (
        "the target 'y' has 'many' in row 3, and a regression takes numbers; "
        "for labels: --task classification"
    )
    assert message(decide_task, series(["few", "many"]), model="linear") == (
        "the target 'y' has 'few' in row 1, and --model linear takes numbers; "
        "for labels: --task classification"
    )


def test_targets_that_cannot_be_learned() -> None:
    assert message(decide_task, series(["benign"] * 357)) == (
        "the target 'y' is 'benign' in all 357 rows; there is nothing to learn"
    )
    assert message(decide_task, series([5.0] * 3)) == (
        "the target 'y' is 5.0 in all 3 rows; there is nothing to learn"
    )
    assert message(decide_task, series([1.0, -np.inf])) == (
        "column 'y' has the infinite value -inf in row 2; correct it or remove the row"
    )
    assert message(decide_task, series(pd.to_datetime(["2021-01-01", "2021-01-02"]))) == (
        "the target 'y' holds dates; it takes numbers, text or true and false"
    )
    assert message(decide_task, series([*(str(n) for n in range(40)), "x"])) == (
        "column 'y' holds numbers, but row 41 has 'x'; correct it, read it as missing with --missing x"
    )


# -- there and back


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", "b"], ("a", "b")),
        ([3, 1, 3], (1, 3)),
        ([3.0, 1.0, 3.0], (1, 3)),  # whole numbers once more, after a missing value had made them floats
        ([0.5, 1.0], (0.5, 1.0)),
        ([True, False], (False, True)),
        (pd.Series([True, False, None], dtype=object)[:2], (False, True)),
        (pd.Categorical(["b", "a", "b"]), ("a", "b")),
    ],
)
def test_labels_come_back_as_they_were(values: object, labels: tuple[object, ...]) -> None:
    column = series(values)
    target = Target.fit(column, "classification")
    assert target.labels == labels
    assert [type(label) for label in target.labels] == [type(label) for label in labels]
    indices = target.encode(column)
    assert indices.dtype == np.int64
    scores = np.eye(len(labels), dtype=np.float32)[indices]
    assert target.decode(scores).tolist() == [labels[index] for index in indices]
    assert Target.from_json(Fields(json.loads(json.dumps(target.to_json())))) == target


def test_labels_are_found_in_any_spelling_of_the_same_value() -> None:
    numbers = Target.fit(series([1, 2]), "classification")
    assert numbers.encode(series([2.0, 1.0])).tolist() == [1, 0]
    assert numbers.encode(series(["2", "1"])).tolist() == [1, 0]
    words = Target.fit(series(["1", "2+"]), "classification")
    assert words.encode(series([1, 1])).tolist() == [0, 0]
    codes = Target.fit(series(["1", "01"]), "classification")
    assert codes.encode(series(["1", "01"])).tolist() == [1, 0]
    flags = Target.fit(series([True, False]), "classification")
    assert flags.encode(series([1, 0])).tolist() == [1, 0]


def test_numbers_are_standardised_and_come_back_in_their_units() -> None:
    column = series([10.0, 20.0, 60.0])
    target = Target.fit(column, "regression")
    encoded = target.encode(column)
    assert encoded.shape == (3, 1)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded[:, 0], (column - 30) / np.std([10, 20, 60]), rtol=1e-6)
    np.testing.assert_allclose(target.decode(encoded), column, rtol=1e-6)
    assert Target.from_json(Fields(json.loads(json.dumps(target.to_json())))) == target


def test_a_label_that_was_never_learned() -> None:
    target = Target.fit(series(["a", "b"], "bird"), "classification")
    assert message(target.encode, series(["a", "c"], "bird")) == (
        "the target 'bird' has 'c' in row 2, which is none of the labels that were learned"
    )


def test_numbers_that_are_none() -> None:
    target = Target.fit(series([1.0, 2.0]), "regression")
    assert (
        message(target.numbers, series([1.0, "x"])) == "the target 'y' must hold numbers, but row 2 has 'x'"
    )
    assert message(target.numbers, series([np.inf])) == (
        "column 'y' has the infinite value inf in row 1; correct it or remove the row"
    )


def test_the_same_number_in_all_training_rows() -> None:
    assert (
        message(Target.fit, series([2.0, 2.0]), "regression") == "the target 'y' is 2 in all 2 training rows"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"task": "guess"}, "target.task must be one of regression, classification, not 'guess'"),
        ({"labels": ["a"]}, "target.labels must be at least two different labels of one type"),
        ({"labels": ["a", "a"]}, "target.labels must be at least two different labels of one type"),
        ({"labels": ["a", 1]}, "target.labels must be at least two different labels of one type"),
        ({"labels": [["a"], ["b"]]}, "target.labels must be at least two different labels of one type"),
        ({"labels": [1, True]}, "target.labels must be at least two different labels of one type"),
        ({"task": "regression"}, "target.scale is missing"),
        ({"task": "regression", "mean": 1, "scale": 0}, "target.scale must not be 0"),
        ({"task": "regression", "mean": "x", "scale": 1}, "target.mean must be a number, not 'x'"),
    ],
)
def test_damaged_json(change: dict[str, object], text: str) -> None:
    data = {"name": "y", "task": "classification", "labels": ["a", "b"], **change}
    assert message(Target.from_json, Fields(data, "target")) == text
