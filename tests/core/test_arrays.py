"""Arrays of users: kinds of their own become plain, unknown types and hidden values are refused."""

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError, DTypeError


def test_a_memory_map_is_shared_and_works(tmp_path):
    disk = np.memmap(tmp_path / "a", dtype=np.float32, mode="w+", shape=(3, 4))
    disk[:] = 1
    x = torch.from_numpy(disk)
    assert type(x.numpy()) is np.ndarray
    disk[0, 0] = 5
    assert x[0, 0].item() == 5
    assert x.reshape(4, 3).sum().item() == 16
    assert (x + disk).sum().item() == 32
    x += disk
    assert disk[0, 0] == 10


class Labelled(np.ndarray):
    """A kind of array that somebody else defined."""


def test_an_array_of_another_kind_becomes_plain():
    x = torch.as_tensor(np.array([[1.0, 2.0]]).view(Labelled))
    assert type(x.numpy()) is np.ndarray
    assert (x * x).tolist() == [[1.0, 4.0]]
    assert (x * np.ones(2).view(Labelled)).tolist() == [[1.0, 2.0]]


def test_the_other_byte_order_is_converted_beside_a_tensor():
    assert (torch.ones(2) + np.array([1, 2], ">f4")).tolist() == [2, 3]


def add_to_ones(a):
    return torch.ones(2) + a


@pytest.mark.parametrize("use", [torch.tensor, torch.from_numpy, torch.as_tensor, add_to_ones])
def test_hidden_values_are_refused(use):
    assert use(np.ma.array([1.0, 2.0], mask=[False, False])).tolist() in ([1.0, 2.0], [2.0, 3.0])
    with pytest.raises(ArgumentError) as caught:
        use(np.ma.array([1.0, 2.0], mask=[False, True]))
    what = caught.value.summary.partition(" got")[0]
    assert caught.value.summary == (
        f"{what} got a masked array (2,)\n"
        "  tensors have no mask, so the values under it would count\n"
        "  try: array.filled(0), or another value for what is missing"
    )


def test_an_operand_of_an_unknown_type():
    supported = "  supported are float16, float32, float64, int8, int16, int32, int64, uint8, bool"
    for combine in (lambda x, a: x + a, lambda x, a: x**a, lambda x, a: a - x, lambda x, a: x.__iadd__(a)):
        with pytest.raises(DTypeError) as caught:
            combine(torch.ones(2), np.array(["a", "b"]))
        assert caught.value.summary.endswith(f" got a NumPy array of type <U1\n{supported}")
