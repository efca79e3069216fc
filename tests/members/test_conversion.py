"""Tensors as arrays, numbers, lists, text and copies; sharing of memory; and what is refused."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, DTypeError, GradError, ShapeError
from tests.sites import line

KINDS = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as err:
        call()
    assert isinstance(err.value, torch.ChainruleError)
    return err.value.summary


# -- arrays that share memory ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_and_from_numpy_share_memory(kind: str) -> None:
    x = torch.zeros(2, 3, dtype=getattr(torch, kind))
    a = x.numpy()
    assert a.dtype == kind
    a[0, 1] = 1
    assert x[0, 1] == 1
    y = torch.from_numpy(a)
    assert y.dtype is x.dtype
    y[1, 2] = 1
    assert x.tolist() == [[0, 1, 0], [0, 0, 1]]
    assert y.data_ptr() == x.data_ptr()


def test_views_share_memory_with_their_arrays() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    x.T[1].numpy()[:] = -1
    assert x.tolist() == [[0, -1, 2], [3, -1, 5]]


def test_numpy_takes_a_tensor_where_it_takes_an_array() -> None:
    x = torch.tensor([1.0, 4.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.sqrt(x), [1, 2])
    assert np.linalg.norm(x) == np.sqrt(np.float32(17))
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.int64, copy=False)  # NumPy's own rule: it cannot be done without one


def test_arrays_on_either_side_of_an_operator() -> None:
    x, a = torch.tensor([1.0, 2.0]), np.array([10.0, 20.0], np.float32)
    for result in (x + a, a + x, a * x / x, a - x + x + x):
        assert isinstance(result, torch.Tensor)
    assert (a - x).tolist() == [9, 18]
    assert (a @ x).item() == 50
    assert (a == x * 10).all()


def test_dlpack_shares_memory_both_ways() -> None:
    x = torch.arange(4.0)
    a = np.from_dlpack(x)
    assert np.shares_memory(a, x.numpy())
    source = np.arange(3, dtype=np.int32)
    y = torch.from_dlpack(source)
    assert y.dtype is torch.int32
    source[0] = 7  # before NumPy 2.2 the array that comes out of DLPack may only be read
    assert y[0] == 7
    assert x.__dlpack_device__() == a.__dlpack_device__()


def test_a_tensor_that_needs_a_gradient_is_not_handed_out() -> None:
    x = torch.ones(2, requires_grad=True)
    reason = "  what happens to the array is not recorded, so gradients would be lost without a word\n"
    for call, what in (
        (x.numpy, "numpy()"),
        ((x * 2).numpy, "numpy()"),
        (lambda: np.asarray(x), "numpy()"),
        (lambda: np.from_dlpack(x), "DLPack"),
    ):
        assert refusal(GradError, call) == (
            f"{what} got a tensor (2,) that needs a gradient\n{reason}  try: x.detach().numpy()"
        )
    assert np.shares_memory(x.detach().numpy(), x.numpy(force=True))
    with torch.no_grad():
        assert "numpy()" in refusal(GradError, x.numpy)  # also there, as in PyTorch


def test_the_message_names_the_users_line() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(GradError) as err:
        x.numpy()
    assert str(err.value).endswith(f"\n  at {line(1)}")


# -- lists and numbers -------------------------------------------------------------------------------


def test_tolist() -> None:
    assert torch.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert torch.tensor(2.5).tolist() == 2.5
    assert torch.tensor([True]).tolist() == [True]
    assert torch.zeros(0, 2).tolist() == []
    assert torch.ones(1, requires_grad=True).tolist() == [1]
    assert isinstance(torch.tensor([1]).tolist()[0], int)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
def test_one_element_is_a_number(shape: tuple[int, ...]) -> None:
    x = torch.full(shape, 2.75)
    assert x.item() == 2.75
    assert isinstance(x.item(), float)
    assert float(x) == 2.75
    assert int(x) == 2
    assert complex(x) == 2.75
    assert bool(x) is True
    assert bool(x - 2.75) is False
    assert math.floor(float(x)) == 2


def test_item_keeps_the_kind() -> None:
    assert isinstance(torch.tensor(3).item(), int)
    assert isinstance(torch.tensor(True).item(), bool)
    assert float(torch.tensor(3)) == 3.0
    assert int(torch.tensor(-2.9)) == -2
    with pytest.raises(ValueError, match="NaN"):
        int(torch.tensor(float("nan")))


def test_a_number_with_a_gradient() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    assert float(x * 3) == 6
    assert (x * 3).item() == 6


def test_as_an_index() -> None:
    letters = "abc"
    assert letters[torch.tensor(1)] == "b"
    assert letters[torch.tensor([2])] == "c"
    assert list(range(torch.tensor(3, dtype=torch.uint8))) == [0, 1, 2]
    text = "  only one integer can be an index\n  try: int(x)"
    given = "an index got a tensor () of type torch.float32\n"
    assert refusal(DTypeError, lambda: letters[torch.tensor(1.0)]) == given + text
    given = "an index got a tensor (2,) of type torch.int64\n"
    assert refusal(DTypeError, lambda: letters[torch.tensor([1, 2])]) == given + text


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda x: x.item(), "item()"),
        (float, "float(x)"),
        (int, "int(x)"),
        (complex, "complex(x)"),
    ],
)
@pytest.mark.parametrize("shape", [(2,), (0,), (1, 3)])
def test_several_elements_are_no_number(call: Any, what: str, shape: tuple[int, ...]) -> None:
    assert refusal(ShapeError, lambda: call(torch.zeros(shape))) == (
        f"{what} got a tensor {shape}\n"
        "  only a tensor with one element can become a Python number\n"
        "  try: x.tolist(), or x.sum() or x.mean() first"
    )


def test_several_elements_have_no_truth() -> None:
    for shape in ((2,), (0,)):
        assert refusal(ShapeError, lambda shape=shape: bool(torch.zeros(shape))) == (
            f"bool(x) got a tensor {shape}\n"
            "  the truth of a tensor is only defined for one element\n"
            "  try: x.any() or x.all()"
        )


# -- as a container ----------------------------------------------------------------------------------


def test_length_and_iteration() -> None:
    x = torch.tensor([[1, 2], [3, 4], [5, 6]])
    assert len(x) == 3
    rows = list(x)
    assert [r.tolist() for r in rows] == [[1, 2], [3, 4], [5, 6]]
    rows[1].zero_()  # rows are views
    assert x[1].tolist() == [0, 0]
    first, *rest = x
    assert first.tolist() == [1, 2]
    assert len(rest) == 2
    assert [r.tolist() for r in reversed(x)] == [[5, 6], [0, 0], [1, 2]]
    assert len(torch.zeros(0, 3)) == 0
    assert list(torch.zeros(0, 3)) == []
    assert dict(zip("ab", torch.tensor([1, 2]), strict=True))["b"] == 2


def test_iteration_is_differentiable() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    sum(k * v for k, v in enumerate(x)).backward()
    assert x.grad.tolist() == [0, 1, 2]


def test_a_0d_tensor_is_no_container() -> None:
    x = torch.tensor(1.0)
    assert refusal(DTypeError, lambda: len(x)) == (
        "len(x) got a 0-d tensor\n  only a tensor with axes has a length\n  try: x.numel()"
    )
    assert refusal(DTypeError, lambda: list(x)) == (
        "iteration got a 0-d tensor\n  only a tensor with axes can be iterated over\n  try: x.item()"
    )
    with pytest.raises(TypeError):  # so that `hasattr`-style code finds out as usual
        len(x)


def test_membership() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert 3 in x
    assert 3.5 not in x
    assert torch.tensor(4) in x
    assert torch.tensor([1.0, 9.0]) in x  # as `(x == y).any()`
    for value, name in (("a", "str"), (None, "NoneType"), ([1], "list")):
        assert refusal(ArgumentError, lambda value=value: value in x) == (
            f"y in x got {name}\n  a tensor holds numbers: y must be a number or a tensor"
        )


def test_hash_is_that_of_the_object() -> None:
    x, y = torch.ones(2), torch.ones(2)
    assert hash(x) != hash(y)
    names = {x: "x", y: "y"}
    assert names[x] == "x"
    x += 1
    assert names[x] == "x"
    assert len({x, y, x}) == 2


def test_comparison_with_other_things() -> None:
    x = torch.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    with pytest.raises(TypeError):
        x < "a"  # noqa: B015


# -- text --------------------------------------------------------------------------------------------


def test_printing() -> None:
    x = torch.tensor([1.0, 2.5], requires_grad=True)
    assert repr(x) == str(x) == "tensor([1.0000, 2.5000], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 5.], grad_fn=<MulBackward0>)"
    assert repr(x.detach()) == "tensor([1.0000, 2.5000])"
    assert repr((x * 1)[0]) == "tensor(1., grad_fn=<SliceBackward0>)"


def test_format() -> None:
    loss = torch.tensor(0.123456)
    assert f"{loss:.3f}|{loss:8.2e}" == "0.123|1.23e-01"
    assert f"{torch.tensor(42):5d}|{torch.tensor(True)}" == "   42|True"
    assert f"{torch.tensor(1.5)}" == "1.5"
    assert f"{torch.tensor(1.5, requires_grad=True) * 2}" == "3.0"
    assert f"{torch.ones(2)}" == "tensor([1., 1.])"
    assert f"{torch.ones(1)!r:>20}" == "        tensor([1.])"
    assert "%.2f" % torch.tensor(1.234) == "1.23"  # noqa: UP031


def test_format_of_several_elements() -> None:
    assert refusal(DTypeError, lambda: f"{torch.ones(2):.2f}") == (
        "f'{x:...}' got a tensor (2,) and the format '.2f'\n"
        "  only a 0-d tensor is formatted like a number\n"
        "  try: f'{x.item():.2f}' for one element, set_printoptions(precision=2) for many"
    )


# -- copies ------------------------------------------------------------------------------------------


def test_copy_is_another_tensor_on_the_same_memory() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.sum().backward()
    y = copy.copy(x)
    assert y is not x
    assert y.data_ptr() == x.data_ptr()
    assert y.requires_grad
    assert y.is_leaf
    assert y.grad is None
    assert not copy.copy(torch.ones(2)).requires_grad
    z = copy.copy(x * 2)
    assert z.is_leaf
    assert z.requires_grad


def test_deepcopy_has_memory_of_its_own() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    y = copy.deepcopy(x)
    assert y.tolist() == [1, 2]
    assert y.requires_grad
    assert y.grad.tolist() == [3, 3]
    with torch.no_grad():
        y += 1
    y.grad.zero_()
    assert x.tolist() == [1, 2]
    assert x.grad.tolist() == [3, 3]
    assert copy.deepcopy(torch.ones(2, dtype=torch.int8)).dtype is torch.int8


def test_deepcopy_keeps_what_is_shared() -> None:
    x = torch.ones(2)
    a, b, c = copy.deepcopy([x, x, torch.zeros(1)])
    assert a is b
    assert a is not c
    assert a is not x


def test_deepcopy_is_for_leaves() -> None:
    x = torch.ones(2, requires_grad=True) * 2
    assert refusal(GradError, lambda: copy.deepcopy(x)) == (
        "deepcopy got a tensor (2,) made by recorded operations\n"
        "  only leaf tensors can be copied with their gradient\n"
        "  try: x.detach().clone()"
    )


def test_copies_of_parameters_are_parameters() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    assert type(copy.copy(p)) is torch.nn.Parameter
    assert type(copy.deepcopy(p)) is torch.nn.Parameter


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    text = (
        "pickle got a tensor (2,)\n"
        "  tensors are not pickled: loading a pickle can run code\n"
        "  try: chainrule.save(x, path) and chainrule.load(path)"
    )
    for data in (torch.ones(2), {"w": [torch.ones(2)]}, torch.nn.Parameter(torch.ones(2))):
        assert refusal(ArgumentError, lambda data=data: pickle.dump(data, io.BytesIO(), protocol)) == text
