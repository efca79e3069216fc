"""Tensors from data and from a rule: values, types, shared memory, and every refusal in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, DTypeError, ShapeError


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as err:
        call()
    assert isinstance(err.value, torch.ChainruleError)
    return err.value.summary


# -- tensor ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "values"),
    [
        (3, "int64", 3),
        (2.5, "float32", 2.5),
        (True, "bool", True),
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float32", [1, 2.5]),
        ([True, False], "bool", [True, False]),
        ([True, 2], "int64", [1, 2]),
        ([[1, 2], [3, 4]], "int64", [[1, 2], [3, 4]]),
        (((1, 2), [3, 4]), "int64", [[1, 2], [3, 4]]),
        (range(3), "int64", [0, 1, 2]),
        ([], "float32", []),
        ([[], []], "float32", [[], []]),
        (np.float64(1.5), "float64", 1.5),
        ([np.float64(1.5), np.float64(2)], "float64", [1.5, 2]),
        (np.array([1, 2], np.int8), "int8", [1, 2]),
        (np.array([[1.0], [2.0]]), "float64", [[1], [2]]),
        (float("inf"), "float32", float("inf")),
    ],
)
def test_types_follow_the_data(data: Any, kind: str, values: Any) -> None:
    x = torch.tensor(data)
    assert x.dtype is getattr(torch, kind)
    assert x.tolist() == values


def test_tensors_inside_lists() -> None:
    parts = [torch.tensor(1.5), torch.tensor(2.5)]
    assert torch.tensor(parts).tolist() == [1.5, 2.5]
    assert torch.tensor([[parts[0], 3.0]]).tolist() == [[1.5, 3]]


@pytest.mark.parametrize("kind", ["float16", "float64", "int8", "int32", "uint8", "bool"])
def test_a_given_type(kind: str) -> None:
    wanted = getattr(torch, kind)
    for data in ([0, 1], [0.0, 1.0], [False, True], np.array([0, 1]), torch.tensor([0.0, 1.0])):
        x = torch.tensor(data, dtype=wanted)
        assert x.dtype is wanted
        assert x.tolist() == [0, 1]


def test_the_data_are_copied() -> None:
    a = np.zeros(2)
    x = torch.tensor(a)
    y = torch.tensor(x)
    a[0] = 1
    x[1] = 2
    assert x.tolist() == [0, 2]
    assert y.tolist() == [0, 0]
    b = np.arange(6).reshape(2, 3).T
    assert torch.tensor(b).is_contiguous()


def test_requires_grad() -> None:
    x = torch.tensor([1.0], requires_grad=True)
    assert x.is_leaf
    assert x.requires_grad
    y = torch.tensor(x * 2)
    assert not y.requires_grad


def test_data_that_are_no_rectangle_of_numbers() -> None:
    assert refusal(ShapeError, lambda: torch.tensor([[1, 2], [3]])) == (
        "tensor got rows of lengths 2, 1\n"
        "  nested lists must be rectangular: all of one length at each level"
    )  # fmt: skip
    assert refusal(ShapeError, lambda: torch.tensor([[1, 2], 3])).startswith(
        "tensor got rows of lengths 2, a number\n"
    )
    for data, given in ((["a", "b"], "str values"), ("text", "str values"), ([None], "NoneType values")):
        assert refusal(DTypeError, lambda data=data: torch.tensor(data)) == (
            f"tensor got {given}\n"
            "  values must be numbers or bools\n"
            "  try: encode text and categories as numbers first"
        )


def test_numbers_that_do_not_fit() -> None:
    assert refusal(ArgumentError, lambda: torch.tensor(2**70)) == (
        "tensor got an integer outside int64\n  integers must fit into 64 bits"
    )
    assert refusal(ArgumentError, lambda: torch.tensor([float("nan")], dtype=torch.int64)) == (
        "tensor got NaN or infinity for torch.int64\n  integers have no such values"
    )


def test_arrays_of_other_types() -> None:
    supported = "  supported are float16, float32, float64, int8, int16, int32, int64, uint8, bool"
    assert refusal(DTypeError, lambda: torch.tensor(np.array([1], np.uint16))) == (
        f"tensor got a NumPy array of type uint16\n{supported}\n  try: array.astype('float32')"
    )
    assert refusal(DTypeError, lambda: torch.from_numpy(np.array(["a"]))) == (
        f"from_numpy got a NumPy array of type <U1\n{supported}"
    )


# -- sharing -----------------------------------------------------------------------------------------


def test_as_tensor_copies_only_if_it_must() -> None:
    a = np.zeros(2, np.float32)
    x = torch.as_tensor(a)
    assert np.shares_memory(x.numpy(), a)
    assert torch.as_tensor(x) is x
    assert torch.asarray(x) is x
    assert not np.shares_memory(torch.as_tensor(a, dtype=torch.float64).numpy(), a)
    assert torch.as_tensor([1, 2]).dtype is torch.int64


def test_from_numpy_shares_views_with_steps() -> None:
    a = np.arange(10.0)
    x = torch.from_numpy(a[1::3])
    x += 100
    assert a.tolist() == [0, 101, 2, 3, 104, 5, 6, 107, 8, 9]


def test_from_numpy_refuses_what_cannot_be_shared() -> None:
    assert refusal(DTypeError, lambda: torch.from_numpy([1, 2])) == (
        "from_numpy got list\n  it takes a NumPy array\n  try: tensor(...)"
    )
    swapped = np.dtype("f4").newbyteorder()
    assert refusal(DTypeError, lambda: torch.from_numpy(np.zeros(2, swapped))) == (
        f"from_numpy got an array of type {swapped.str}\n"
        "  the bytes must be in this machine's order to be shared\n"
        "  try: tensor(array), which copies"
    )
    assert refusal(ArgumentError, lambda: torch.from_numpy(np.zeros(3)[::-1])) == (
        "from_numpy got an array with a negative step\n"
        "  tensors only step forward in memory\n"
        "  try: from_numpy(array.copy())"
    )
    assert torch.tensor(np.array([1.0, 2.0], ">f8")[::-1]).tolist() == [2, 1]  # copying is possible


# -- constant values and ranges ----------------------------------------------------------------------


@pytest.mark.parametrize("make", [torch.zeros, torch.ones, torch.empty])
def test_sizes(make: Any) -> None:
    for x in (make(2, 3), make((2, 3)), make([2, 3]), make(torch.Size([2, 3])), make(size=(2, 3))):
        assert x.shape == (2, 3)
        assert x.dtype is torch.float32
    assert make(()).shape == ()
    assert make(0, 3).shape == (0, 3)
    assert make(2, dtype=torch.int8).dtype is torch.int8
    assert make(2, requires_grad=True).requires_grad


def test_constant_values() -> None:
    assert torch.zeros(2).tolist() == [0, 0]
    assert torch.ones(2, dtype=torch.bool).tolist() == [True, True]
    assert torch.full((2,), 3).dtype is torch.int64
    assert torch.full((2,), 2.5).tolist() == [2.5, 2.5]
    assert torch.full((2,), True).dtype is torch.bool
    assert torch.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    like = torch.zeros(2, 1, dtype=torch.float64)
    for x, value in ((torch.zeros_like(like), 0), (torch.ones_like(like), 1), (torch.full_like(like, 7), 7)):
        assert x.tolist() == [[value], [value]]
        assert x.dtype is torch.float64
    assert torch.empty_like(like, dtype=torch.int8).dtype is torch.int8


def test_ranges() -> None:
    assert torch.arange(4).dtype is torch.int64
    assert torch.arange(2, 5).tolist() == [2, 3, 4]
    assert torch.arange(5, 2, -2).tolist() == [5, 3]
    assert torch.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert torch.arange(3.0).dtype is torch.float32
    assert torch.arange(0).shape == (0,)
    assert torch.arange(torch.tensor(3)).tolist() == [0, 1, 2]
    assert torch.linspace(0, 1, 3).tolist() == [0, 0.5, 1]
    assert torch.linspace(0, 1, 1).tolist() == [0]
    assert torch.linspace(0, 1, 0).shape == (0,)
    np.testing.assert_allclose(torch.logspace(0, 2, 3).numpy(), [1, 10, 100])


def test_ranges_that_lead_nowhere() -> None:
    for call, given in (
        (lambda: torch.arange(5, 2), "start=5, end=2, step=1"),
        (lambda: torch.arange(0, 3, 0), "start=0, end=3, step=0"),
        (lambda: torch.arange(0, 3, -1), "start=0, end=3, step=-1"),
    ):
        assert refusal(ArgumentError, call) == (
            f"arange got {given}\n  the step must lead from start towards end"
        )
    assert refusal(ArgumentError, lambda: torch.linspace(0, 1, -1)) == (
        "linspace got steps=-1\n  the number of values must not be negative"
    )


def test_sizes_that_make_no_tensor() -> None:
    assert refusal(ShapeError, lambda: torch.zeros(2, -1)) == (
        "creating a tensor got shape (2, -1)\n  no size may be negative"
    )
    assert refusal(ArgumentError, lambda: torch.zeros(2.5, 3)) == (
        "zeros got (2.5, 3)\n  sizes must be integers\n  try: zeros(2, 3) or zeros((2, 3))"
    )


def test_arguments_of_another_kind() -> None:
    assert refusal(DTypeError, lambda: torch.full((2,), "a")) == (
        "full got fill_value of str\n  fill_value must be a number"
    )
    assert refusal(DTypeError, lambda: torch.arange(torch.tensor([3]))) == (
        "arange got a limit or the step of shape (1,)\n  a limit or the step must be a number"
    )
    assert refusal(DTypeError, lambda: torch.linspace(0, 1, 1.5)) == (
        "linspace got steps=1.5\n  the number of values must be an integer"
    )
    assert refusal(DTypeError, lambda: torch.zeros_like([1])) == (
        "zeros_like got list\n  it takes a tensor\n  try: torch.tensor(...)"
    )
    assert refusal(DTypeError, lambda: torch.from_dlpack([1])) == (
        "from_dlpack got list\n  it takes an object with the method __dlpack__\n  try: tensor(...)"
    )
    assert refusal(ArgumentError, lambda: torch.tensor(200, dtype=torch.int8)) == (
        "tensor got an integer outside torch.int8\n  values must fit into the type"
    )


def test_lists_keep_the_types_of_what_is_in_them() -> None:
    assert torch.tensor([np.float32(1), np.float64(2)]).dtype is torch.float64
    assert torch.tensor([torch.tensor(1.5, dtype=torch.float64), 2]).dtype is torch.float64
    assert torch.tensor([np.int32(1), np.int32(2)]).dtype is torch.int32
    assert torch.arange(0, 7.5, 2.5, dtype=torch.int64).tolist() == [0, 2, 4, 6]


def test_another_device() -> None:
    for call in (lambda: torch.zeros(2, device="cuda"), lambda: torch.tensor([1], device="cuda:0")):
        assert "the device must be 'cpu'" in refusal(ArgumentError, call)
    assert torch.zeros(2, device="cpu").shape == (2,)
    assert torch.zeros(2, device=torch.device("cpu")).shape == (2,)
