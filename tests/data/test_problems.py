"""The small pieces of text that messages about tables are made of."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.data.problems import count, listing, nearest, shown


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (["a"], "'a'"),
        (["a", "b"], "'a' and 'b'"),
        (["a", "b", "c"], "'a', 'b' and 'c'"),
        (list("abcdef"), "'a', 'b', 'c', 'd', 'e' and 'f'"),  # "1 more" would be no shorter than the item
        (list("abcdefgh"), "'a', 'b', 'c', 'd', 'e' and 3 more"),
    ],
)
def test_a_list_is_written_as_a_sentence(items: list[str], text: str) -> None:
    assert listing(items) == text


@pytest.mark.parametrize(
    ("number", "thing", "text"),
    [(1, "row", "1 row"), (2, "row", "2 rows"), (1797, "row", "1,797 rows"), (2, "category", "2 categories")],
)
def test_things_are_counted_in_words(number: int, thing: str, text: str) -> None:
    assert count(number, thing) == text


def test_the_nearest_name_ignores_case_but_not_everything() -> None:
    assert nearest("PRICE", ["rooms", "price"]) == "price"
    assert nearest("zebra", ["rooms", "price"]) is None


def test_values_are_shown_briefly_and_as_python_writes_them() -> None:
    assert shown(np.float64(1.5)) == "1.5"
    assert shown(np.str_("x")) == "'x'"
    assert shown("a" * 41) == repr("a" * 37 + "...")
    assert shown(list(range(50))) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11..."
