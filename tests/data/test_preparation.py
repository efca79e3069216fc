"""Preparation: the notes' steps, learned from training rows alone; the full text of every refusal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from chainrule.data import DataError, Preparation, examine
from chainrule.data.checked import Fields
from chainrule.data.preparation import Unseen, mean_and_scale


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def message(call: object, *arguments: object, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments, **how)  # type: ignore[operator]
    return str(caught.value)


HOUSES = table(NumRooms=[None, 2.0, 4.0, None], Alley=["Pave", None, None, None])


# -- what is learned and done


def test_the_notes_example() -> None:
    inputs = HOUSES.fillna(HOUSES.mean(numeric_only=True))
    expected = pd.get_dummies(inputs, dummy_na=True) * 1  # as the notes do it
    learned = Preparation.fit(HOUSES, standardise=False)
    assert learned.names == list(expected.columns)
    assert learned.transform(HOUSES).tolist() == expected.to_numpy(dtype=float).tolist()


def test_standardisation_is_that_of_scikit_learn() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(5, 3, (50, 4)), columns=list("abcd"))
    train, test = frame[:30], frame[30:]
    expected = StandardScaler().fit(train).transform(test)
    np.testing.assert_allclose(Preparation.fit(train).transform(test), expected, rtol=1e-5, atol=1e-6)


def test_the_matrix_is_float32() -> None:
    assert Preparation.fit(HOUSES).transform(HOUSES).dtype == np.float32


def test_only_training_rows_are_learned_from() -> None:
    frame = table(x=[1.0, 3.0, None, 100.0], c=["a", "b", "a", "z"])
    learned = Preparation.fit(frame[:2], examine(frame))
    assert learned.names == ["x", "c_a", "c_b", "c_nan"]
    assert learned.transform(frame[:3])[:, 0].tolist() == [-1.0, 1.0, 0.0]  # missing: the training mean, 2


def test_missing_numbers_are_filled_before_the_deviation_is_measured() -> None:
    learned = Preparation.fit(table(x=[1.0, 3.0, None, None]))
    np.testing.assert_allclose(
        learned.transform(table(x=[1.0, 3.0, None]))[:, 0], [-np.sqrt(2), np.sqrt(2), 0], rtol=1e-6
    )


def test_booleans_are_ones_and_zeros() -> None:
    learned = Preparation.fit(table(b=[True, False, None, True]), standardise=False)
    np.testing.assert_allclose(
        learned.transform(table(b=[True, False, None]))[:, 0], [1, 0, 2 / 3], rtol=1e-6
    )
    np.testing.assert_allclose(learned.transform(table(b=[1, 0]))[:, 0], [1, 0])


def test_constant_columns_become_zeros_and_are_named() -> None:
    learned = Preparation.fit(table(a=[7.0, 7.0], b=[1.0, 2.0], c=["x", "x"], d=["x", None]))
    assert learned.constant == ["a", "c"]
    assert learned.transform(table(a=[7.0, 9.0], b=[1.0, 2.0], c=["x", "x"], d=["x", "x"]))[
        :, 0
    ].tolist() == [0, 0]


def test_numbers_that_differ_only_in_rounding_are_not_constant() -> None:
    mean, scale = mean_and_scale(np.array([0.1, 0.1, 0.1]))
    assert (mean, scale) == (0.1, 0.0)
    assert mean_and_scale(np.array([1.0, np.nextafter(1.0, 2.0)]))[1] > 0


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_huge_and_tiny_numbers_are_standardised_all_the_same(size: float) -> None:
    frame = table(x=np.array([1.0, 2.0, 3.0, 6.0]) * size)
    expected = (np.array([1.0, 2.0, 3.0, 6.0]) - 3.0) / np.std([1.0, 2.0, 3.0, 6.0])
    np.testing.assert_allclose(Preparation.fit(frame).transform(frame)[:, 0], expected, rtol=1e-5)


def test_order_and_other_columns_do_not_matter() -> None:
    learned = Preparation.fit(table(a=[1.0, 2.0], b=["x", "y"]))
    one = learned.transform(table(a=[1.5], b=["x"]))
    assert learned.transform(table(other=[0], b=["x"], a=[1.5])).tolist() == one.tolist()


def test_what_is_said_about_other_columns() -> None:
    learned = Preparation.fit(table(a=[1.0, 2.0], b=["x", "y"]))
    assert learned.notes_on(table(a=[1.0], b=["x"], price=[3]), expected=("price",)) == []
    assert learned.notes_on(table(b=["x"], c=[1], a=[1.0])) == [
        "1 column that the model does not use: 'c'",
        "the columns are in another order than in training; they are found by name",
    ]


@pytest.mark.parametrize("values", [[1, 2, 10], [1.0, 2.0, 10.0], ["1", "2", "10"]])
def test_categories_are_found_whatever_type_they_come_in(values: list[object]) -> None:
    learned = Preparation.fit(
        table(c=["1", "2", "10"]), examine(table(c=["1", "2", "10"]), categorical=["c"])
    )
    assert learned.transform(table(c=values))[:, :3].tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_an_unseen_category_can_be_treated_as_missing() -> None:
    seen = Preparation.fit(table(c=["a", "b", None]))
    assert seen.transform(table(c=["z", None, "a"]), unseen="missing").tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [1, 0, 0],
    ]
    never = Preparation.fit(
        table(c=["a", "b", "b"])
    )  # nothing was learned about "missing": that column stays zero
    assert never.transform(table(c=["z", None, "a"]), unseen="missing").tolist() == [
        [0, 0, 0],
        [0, 0, 0],
        [1, 0, 0],
    ]


def test_unseen_values_are_listed() -> None:
    learned = Preparation.fit(table(c=["a", "b"], d=["x", None]))
    found = list(learned.unseen(table(c=["a", "z", None, "z"], d=[None, "x", "w", "x"])))
    assert found == [Unseen("c", "z", 2, 2), Unseen("c", None, 3, 1), Unseen("d", "w", 3, 1)]


def test_what_is_said_about_unseen_values() -> None:
    learned = Preparation.fit(table(c=["a", "b"], d=["x", None]))
    frame = table(c=["p", "q", "r", "s", "p", None], d=["x", "w", "w", None, None, None])
    assert learned.notes_on_unseen(frame, " held out") == [
        "column 'c' has 4 values that no training row had ('p', 'q', 'r' and 's'), in 5 rows held out: "
        "treated as not known",
        "column 'c' has no value in 1 row held out, but had one in every training row: treated as not known",
        "column 'd' has 'w', which no training row had, in 2 rows held out: treated as not known",
    ]
    assert learned.notes_on_unseen(table(c=["a"], d=[None])) == []


@given(
    numbers=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20),
    words=st.lists(st.sampled_from(["a", "b", "ü", "", "nan", "1", None]), min_size=20, max_size=20),
    standardise=st.booleans(),
)
def test_json_brings_back_the_same_matrix(
    numbers: list[float], words: list[str | None], standardise: bool
) -> None:
    frame = table(x=numbers, c=pd.Series(words[: len(numbers)], dtype=object))
    if frame["c"].isna().all():
        return
    columns = examine(frame, categorical=["c"])
    learned = Preparation.fit(frame, columns, standardise=standardise)
    again = Preparation.from_json(Fields(json.loads(json.dumps(learned.to_json()))))
    assert again == learned
    assert (again.transform(frame) == learned.transform(frame)).all()


# -- refusals


def test_missing_columns() -> None:
    learned = Preparation.fit(table(rooms=[1.0, 2.0], alley=["x", "y"]))
    assert message(learned.transform, table(rooms=[1.0])) == (
        "the table lacks the column 'alley' that the model was trained on"
    )
    assert message(learned.transform, table(Rooms=[1.0])) == (
        "the table lacks the 2 columns 'rooms' and 'alley' that the model was trained on "
        "(is 'Rooms' the same as 'rooms'? then rename it)"
    )


def test_columns_of_the_same_name() -> None:
    learned = Preparation.fit(table(a=[1.0, 2.0]))
    twice = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    text = "the table has more than one column named 'a'; give each its own name"
    assert message(learned.transform, twice) == text
    assert message(examine, twice) == text


def test_text_in_a_column_of_numbers() -> None:
    learned = Preparation.fit(table(age=[1.0, 2.0]))
    assert message(learned.transform, table(age=["1", "2", "old"])) == (
        "column 'age' must hold numbers, but row 3 has 'old'"
    )
    dates = table(age=pd.to_datetime(["2021-01-01"]))
    assert message(learned.transform, dates) == (
        "column 'age' must hold numbers, but row 1 has 2021-01-01 00:00:00"
    )


def test_other_things_in_a_column_of_booleans() -> None:
    learned = Preparation.fit(table(b=[True, False]))
    assert (
        message(learned.transform, table(b=["yes"]))
        == "column 'b' must hold true or false, but row 1 has 'yes'"
    )
    assert message(learned.transform, table(b=[1, 2])) == (
        "column 'b' must hold true or false (or 1 and 0), but row 2 has 2"
    )


def test_infinite_values() -> None:
    learned = Preparation.fit(table(x=[1.0, 2.0]))
    assert message(learned.transform, table(x=[1.0, np.inf])) == (
        "column 'x' has the infinite value inf in row 2; correct it or remove the row"
    )


def test_values_too_large_for_float32() -> None:
    learned = Preparation.fit(table(x=[1.0, 3.0]))
    assert message(learned.transform, table(x=[1.0, 1e300])) == (
        "column 'x' has 1e+300 in row 2, too far from the training rows to be represented "
        "(mean 2, standard deviation 1)"
    )


def test_unseen_categories() -> None:
    learned = Preparation.fit(table(alley=["Pave", "Grvl"]))
    assert message(learned.transform, table(alley=["Pave", "Dirt"])) == (
        "column 'alley' has 'Dirt' in row 2, which no training row had (they had 'Grvl' and 'Pave'); "
        "to treat it as not known: --unseen missing"
    )
    assert message(learned.transform, table(alley=["Pave", None])) == (
        "column 'alley' has no value in row 2, and in training every row had one; "
        "to treat it as not known: --unseen missing"
    )


def test_a_column_without_values_in_the_training_rows() -> None:
    frame = table(x=[None, None, 1.0], y=[1.0, 2.0, 3.0])
    assert message(Preparation.fit, frame[:2], examine(frame)) == (
        "column 'x' has no value in any of the 2 training rows; leave it out with --drop x"
    )


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ((), [], "the file must be an object, not []"),
        (("standardise",), 1, "standardise must be true or false, not 1"),
        (("columns",), {}, "columns must be a list, not {}"),
        (("columns",), [], "columns must name at least one column, and each once"),
        (("columns", 0), "x", "columns[0] must be an object, not 'x'"),
        (
            ("columns", 0, "kind"),
            "date",
            "columns[0].kind must be one of number, boolean, category, not 'date'",
        ),
        (("columns", 0, "mean"), "3", "columns[0].mean must be a number, not '3'"),
        (("columns", 0, "mean"), True, "columns[0].mean must be a number, not True"),
        (("columns", 0, "mean"), float("inf"), "columns[0].mean must be a finite number, not inf"),
        (("columns", 0, "scale"), -1, "columns[0].scale must be a finite number from 0, not -1.0"),
        (("columns", 1, "categories"), ["a", 1], "columns[1].categories[1] must be text, not 1"),
        (("columns", 1, "categories"), ["a", "a"], "columns[1].categories has the same category twice"),
        (("columns", 1, "name"), "NumRooms", "columns must name at least one column, and each once"),
        (("columns", 1, "missing_seen"), None, "columns[1].missing_seen must be true or false, not None"),
    ],
)
def test_damaged_json(place: tuple[str | int, ...], value: object, text: str) -> None:
    data = Preparation.fit(HOUSES).to_json()
    if not place:
        data = value  # type: ignore[assignment]
    else:
        inner: object = data
        for key in place[:-1]:
            inner = inner[key]  # type: ignore[index]
        inner[place[-1]] = value  # type: ignore[index]
    assert message(lambda: Preparation.from_json(Fields(data))) == text
