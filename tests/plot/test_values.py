"""What may be handed in: tensors on the tape, arrays, lists, and nestings of them are the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule.plot.values import interval, numbers, plain, several, shortened, written

RECORDED = torch.tensor([1.0, 2.0], requires_grad=True) * 2


@pytest.mark.parametrize(
    "given",
    [
        [2, 4],
        (2.0, 4.0),
        range(2, 5, 2),
        np.array([2, 4], dtype=np.int8),
        torch.tensor([2, 4]),
        RECORDED,
        [RECORDED[0], RECORDED[1].detach()],
        [torch.tensor(2.0), 4],
    ],
    ids=lambda given: type(given).__name__,
)
def test_the_same_numbers_in_many_forms(given: object) -> None:
    found = numbers(given, "f", "x", axes=1)
    assert found.dtype == np.float64
    assert found.tolist() == [2.0, 4.0]


def test_none_is_no_value() -> None:
    np.testing.assert_array_equal(numbers([1.0, None, 3.0], "f", "x"), [1.0, np.nan, 3.0])


def test_lists_of_tensors_keep_their_axes() -> None:
    assert plain([torch.ones(3), torch.zeros(3)]).shape == (2, 3)
    assert plain([[torch.tensor(1), torch.tensor(2)], [3, 4]]).tolist() == [[1, 2], [3, 4]]


def test_nothing_is_recorded_or_changed() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    numbers(x, "f", "x")[:] = 0.0
    assert x.tolist() == [1.0, 2.0]
    assert x.grad is None


def test_limits_may_be_tensors() -> None:
    assert interval(torch.tensor([0.0, 2.0]), "f") == (0.0, 2.0)


@pytest.mark.parametrize(
    ("given", "wanted"), [(1, [1]), ([1, 2], [1, 2]), (torch.tensor([3, 4]), [3, 4]), (np.float64(5), [5.0])]
)
def test_one_or_several(given: object, wanted: list[object]) -> None:
    assert several(given) == wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (-0.25, "−0.25"), (1e-7, "1e−07"), (-0.0, "0"), (1234567.0, "1.23457e+06")],
)
def test_numbers_as_text(value: float, text: str) -> None:
    assert written(value) == text


def test_long_values_are_shortened() -> None:
    assert shortened([1, 2]) == "[1, 2]"
    assert len(shortened(list(range(100)))) == 60
