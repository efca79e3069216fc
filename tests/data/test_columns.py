"""What each column is taken for, and the full text of every note and refusal."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from chainrule.data import DataError, examine


def refusal(frame: pd.DataFrame, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        examine(frame, **how)  # type: ignore[arg-type]
    return str(caught.value)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None, 2.0], "number"),
        (pd.array([1, None, 3], dtype="Int64"), "number"),
        (pd.array([1.5, None, 3], dtype="Float32"), "number"),
        ([Decimal("1.5"), Decimal(2), None], "number"),
        ([10**30, 1, 2], "number"),
        (pd.Categorical([1, 2, 1]), "number"),
        ([True, False, True], "boolean"),
        ([True, None, False], "boolean"),
        (pd.array([True, None, False], dtype="boolean"), "boolean"),
        (["a", "b", "a"], "category"),
        (["a", None, "b"], "category"),
        (pd.Categorical(["a", "b", None]), "category"),
        (["1", "2", "3+"], "category"),
        ([1, "two", 3], "category"),
    ],
)
def test_kinds(values: object, kind: str) -> None:
    assert examine(table(x=values)).kinds == {"x": kind}


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2021-01-01", "2021-01-02", None]),
        [datetime.date(2021, 1, 1), None, datetime.date(2021, 1, 3)],
        pd.to_timedelta([1, 2, 3], unit="D"),
        pd.period_range("2021-01", periods=3, freq="M"),
    ],
)
def test_dates_are_left_out_aloud(values: object) -> None:
    found = examine(table(when=values, x=[1, 2, 3]))
    assert found.kinds == {"x": "number"}
    assert found.left_out == {"when": "it holds dates or times"}
    assert found.notes == ["column 'when' is left out: it holds dates or times"]


@pytest.mark.parametrize(
    "first", ["2021-03-01", "1.3.2021", "03/01/21", "2021-03-01T12:30:00", "2021-03-01 12:30"]
)
def test_dates_written_as_text_are_left_out_aloud(first: str) -> None:
    found = examine(table(when=[first, None, first], x=[1, 2, 3]))
    assert found.notes == [f"column 'when' is left out: it holds dates ('{first}')"]


def test_text_with_many_values_is_left_out_aloud() -> None:
    names = [f"person {n}" for n in range(60)] * 2
    assert examine(table(name=names, x=range(120))).notes[0] == (
        "column 'name' is left out: it is text with 60 different values in 120 rows"
    )
    assert examine(table(name=[f"person {n}" for n in range(12)], x=[1.5] * 12)).notes == [
        "column 'name' is left out: it is text with 12 different values in 12 rows"
    ]


def test_fifty_values_are_categories_and_fifty_one_are_not() -> None:
    for values, kinds in [(50, {"x": "category"}), (51, {})]:
        frame = table(x=[f"w{n % values}" for n in range(200)], y=[0.5] * 200)
        assert examine(frame).kinds == {**kinds, "y": "number"}


def test_few_numbers_among_words_are_categories_aloud() -> None:
    assert examine(table(dependents=["0", "1", "3+", "2"])).notes == [
        "column 'dependents' holds numbers and text ('0', '1', '2' and '3+'): taken as categories"
    ]


@pytest.mark.parametrize("name", ["anything", "id"])
def test_a_column_that_counts_the_rows_is_remarked_on(name: str) -> None:
    assert examine(pd.DataFrame({name: range(1, 21)})).notes == [
        f"column '{name}' seems to number the rows (1 to 20), which can mislead a model; "
        f"leave it out with --drop {name}"
    ]


def test_the_largest_numbers_are_numbers() -> None:
    found = examine(table(x=[1.7e308, -1.7e308, *range(1, 20)]))
    assert (found.kinds, found.notes) == ({"x": "number"}, [])


def test_keys_are_remarked_on_by_name() -> None:
    values = [n * n for n in range(12)]
    assert examine(pd.DataFrame({"Passenger Id": values})).notes == [
        "column 'Passenger Id' seems to number the rows (0 to 121), which can mislead a model; "
        "leave it out with --drop 'Passenger Id'"
    ]
    assert examine(pd.DataFrame({"paid": values})).notes == []


def test_drop_and_categorical() -> None:
    found = examine(table(a=[1, 2], b=["x", "y"], zip=[501, 502]), drop=["b"], categorical=["zip"])
    assert found.kinds == {"a": "number", "zip": "category"}
    assert found.left_out == {"b": "as asked"}
    assert found.notes == []


# -- refusals


def test_unknown_names() -> None:
    frame = table(rooms=[1], alley=["x"])
    assert refusal(frame, drop=["room"]) == "there is no column 'room'; did you mean 'rooms'?"
    assert (
        refusal(frame, categorical=["zzz"]) == "there is no column 'zzz'; the columns are 'rooms' and 'alley'"
    )


def test_columns_without_values() -> None:
    assert refusal(table(a=[1, 2], b=[None, None])) == (
        "column 'b' has no values at all; leave it out with --drop b"
    )
    assert refusal(pd.DataFrame({"a": [1], "b c": [None], "d": [np.nan]})) == (
        "columns 'b c' and 'd' have no values at all; leave them out with --drop 'b c' --drop d"
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values(value: float) -> None:
    assert refusal(table(a=[1.0, 2.0, value])) == (
        f"column 'a' has the infinite value {value} in row 3; correct it or remove the row"
    )


def test_rows_keep_their_numbers_when_others_are_left_out() -> None:
    frame = table(a=[1.0, 2.0, np.inf])[1:]
    assert refusal(frame) == "column 'a' has the infinite value inf in row 3; correct it or remove the row"


def test_text_among_numbers() -> None:
    values = [str(n) for n in range(30)]
    assert refusal(table(age=[*values, "unknown"])) == (
        "column 'age' holds numbers, but row 31 has 'unknown'; correct it, "
        "read it as missing with --missing unknown, or leave the column out with --drop age"
    )
    assert refusal(table(age=[None, "n. a.", "?", *values])) == (
        "column 'age' holds numbers, but row 2 has 'n. a.', the first of 2 such values; correct it, "
        "read it as missing with --missing 'n. a.', or leave the column out with --drop age"
    )


def test_numbers_that_are_not_plain() -> None:
    assert refusal(table(price=[f"${n},000" for n in range(1, 40)])) == (
        "column 'price' holds numbers that are not written plainly ('$1,000' in row 1); "
        "write them as 1234.5, or leave the column out with --drop price"
    )


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([[1], [2]], "list values"),
        ([b"x", b"y"], "bytes"),
        ([1j, 2j], "complex numbers"),
        ([{}, {}], "dict values"),
    ],
)
def test_types_that_no_model_takes(values: list[object], what: str) -> None:
    assert refusal(table(a=values)) == (
        f"column 'a' holds {what}, which cannot be an input of a model; leave it out with --drop a"
    )


def test_nothing_left() -> None:
    assert refusal(table(when=["2021-01-01", "2021-01-02"])) == (
        "no column is left to learn from: column 'when' is left out: it holds dates ('2021-01-01')"
    )
    assert refusal(table(a=[1]), drop=["a"]) == "no column is left to learn from"
