"""Samples put together into a batch, by their type."""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, namedtuple
from types import MappingProxyType

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError, DTypeError, ShapeError
from chainrule.utils.data import default_collate, default_convert

Point = namedtuple("Point", "x label")


def is_tensor(value, expected, dtype) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype is dtype and value.tolist() == expected


class TestNumbersAndArrays:
    def test_tensors_get_a_new_first_axis(self):
        batch = default_collate([torch.ones(2, 3), torch.zeros(2, 3)])
        assert tuple(batch.shape) == (2, 2, 3)
        assert batch.sum().item() == 6

    def test_gradients_go_through(self):
        x = torch.ones(2, requires_grad=True)
        default_collate([x, x]).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]

    @pytest.mark.parametrize(
        ("batch", "expected", "dtype"),
        [
            ([1.5, 2.5], [1.5, 2.5], torch.float64),
            ([1, 2], [1, 2], torch.int64),
            ([True, False], [True, False], torch.bool),
            ([1.5, 2], [1.5, 2.0], torch.float64),
        ],
    )
    def test_python_numbers(self, batch, expected, dtype):
        assert is_tensor(default_collate(batch), expected, dtype)

    @pytest.mark.parametrize(
        "name", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
    )
    def test_numpy_keeps_its_dtype(self, name):
        kind = np.dtype(name).type
        dtype = getattr(torch, name)
        assert is_tensor(default_collate([kind(1), kind(0)]), [1, 0], dtype)
        assert is_tensor(default_collate([np.array([1], name), np.array([0], name)]), [[1], [0]], dtype)

    def test_the_batch_has_memory_of_its_own(self):
        sample = np.zeros(2)
        batch = default_collate([sample])
        sample[0] = 7
        assert batch.tolist() == [[0.0, 0.0]]


class TestContainers:
    def test_texts_stay_a_list(self):
        assert default_collate(["a", "b"]) == ["a", "b"]
        assert default_collate([b"a"]) == [b"a"]
        assert default_collate([np.str_("a")]) == ["a"]

    def test_tuples_become_a_list_of_columns(self):
        x, y, name = default_collate([(torch.zeros(2), 1, "a"), (torch.ones(2), 2, "b")])
        assert tuple(x.shape) == (2, 2)
        assert is_tensor(y, [1, 2], torch.int64)
        assert name == ("a", "b")

    def test_lists_too(self):
        result = default_collate([[1, 2.0], [3, 4.0]])
        assert type(result) is list
        assert is_tensor(result[0], [1, 3], torch.int64)
        assert is_tensor(result[1], [2.0, 4.0], torch.float64)

    def test_named_tuples_stay_named(self):
        result = default_collate([Point(1.0, "a"), Point(2.0, "b")])
        assert type(result) is Point
        assert is_tensor(result.x, [1.0, 2.0], torch.float64)
        assert result.label == ("a", "b")

    @pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType])
    def test_dicts_keep_their_type_and_keys(self, kind):
        result = default_collate([kind({"x": 1, "y": [2.0]}), kind({"y": [4.0], "x": 3})])
        assert type(result) is kind
        assert list(result) == ["x", "y"]
        assert is_tensor(result["x"], [1, 3], torch.int64)
        assert is_tensor(result["y"][0], [2.0, 4.0], torch.float64)

    def test_other_sequences_keep_their_type(self):
        result = default_collate([UserList([1, 2]), UserList([3, 4])])
        assert type(result) is UserList
        assert is_tensor(result[0], [1, 3], torch.int64)

    def test_a_range_becomes_a_list(self):
        result = default_collate([range(2), range(2)])
        assert type(result) is list
        assert is_tensor(result[1], [1, 1], torch.int64)

    def test_the_samples_are_not_changed(self):
        samples = [{"x": 1}, {"x": 2}]
        default_collate(samples)
        assert samples == [{"x": 1}, {"x": 2}]


OWN = "DataLoader(..., collate_fn=f), where f makes a batch of a list of samples"


class TestRefusals:
    def test_different_shapes_name_the_sample_and_both_shapes(self):
        with pytest.raises(ShapeError) as info:
            default_collate([torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(2, 3)])
        assert info.value.summary == (
            "default_collate got shape (2, 3) at position 2 of the batch, (3, 2) at position 0\n"
            "  stack expects each tensor to be equal size\n"
            f"  try: bring the samples to one shape, or {OWN}"
        )

    def test_different_lengths(self):
        with pytest.raises(ShapeError) as info:
            default_collate([(1, 2), (1, 2, 3)])
        assert info.value.summary == (
            "default_collate got a tuple of length 3 at position 1 of the batch,"
            " and of length 2 at position 0\n"
            "  each element in list of batch should be of equal size\n"
            f"  try: {OWN}"
        )

    def test_a_missing_key(self):
        with pytest.raises(KeyError) as info:
            default_collate([{"x": 1}, {"y": 1}])
        assert info.value.args == ("default_collate: the sample at position 1 of the batch has no key 'x'",)

    @pytest.mark.parametrize("sample", [None, object(), {1, 2}])
    def test_other_objects(self, sample):
        with pytest.raises(ArgumentError) as info:
            default_collate([sample])
        assert info.value.summary == (
            f"default_collate got samples of type {type(sample).__name__}\n"
            "  default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists\n"
            f"  try: {OWN}"
        )

    def test_arrays_of_texts(self):
        with pytest.raises(DTypeError) as info:
            default_collate([np.array(["a", "b"])])
        assert info.value.summary == (
            "default_collate got NumPy values of dtype <U1\n"
            "  default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists\n"
            f"  try: {OWN}"
        )


class TestConvert:
    def test_arrays_and_numpy_numbers_become_tensors(self):
        assert is_tensor(default_convert(np.arange(3)), [0, 1, 2], torch.int64)
        assert is_tensor(default_convert(np.float32(2)), 2.0, torch.float32)

    def test_the_rest_stays(self):
        x = torch.zeros(1)
        texts = np.array(["a"])
        assert default_convert(x) is x
        assert default_convert(texts) is texts
        assert default_convert(3) == 3
        assert default_convert("abc") == "abc"
        assert default_convert(None) is None

    def test_inside_containers(self):
        result = default_convert({"x": (np.arange(2), "a"), "p": Point(np.float64(1.0), None)})
        assert is_tensor(result["x"][0], [0, 1], torch.int64)
        assert result["x"][1] == "a"
        assert is_tensor(result["p"].x, 1.0, torch.float64)
        assert type(result["p"]) is Point
