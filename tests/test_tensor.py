"""The Tensor class: its old constructor, its attributes, its operators, and that its parts are complete."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError

Tensor = torch.Tensor


# -- the old constructor -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (([1, 2],), [1, 2]),
        (((2, 3),), [2, 3]),
        (([[1], [2]],), [[1], [2]]),
        (([True, False],), [1, 0]),
        ((range(3),), [0, 1, 2]),
        (([],), []),
        ((np.array([1.5, 2.5]),), [1.5, 2.5]),
        ((), []),
    ],
)
def test_values_have_the_default_type(arguments: tuple[Any, ...], wanted: Any) -> None:
    x = Tensor(*arguments)
    assert x.dtype is torch.float32
    assert x.tolist() == wanted


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [((2, 3), (2, 3)), ((4,), (4,)), ((0,), (0,)), ((torch.Size([2, 1]),), (2, 1)), ((np.int64(3),), (3,))],
)
def test_sizes(arguments: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    x = Tensor(*arguments)
    assert x.shape == shape
    assert x.dtype is torch.float32


def test_a_tensor_shares_its_memory() -> None:
    x = torch.tensor([1, 2])
    y = Tensor(x)
    y[0] = 5
    assert x.tolist() == [5, 2]
    assert y.dtype is torch.int64


def test_values_are_copied() -> None:
    a = np.zeros(2, np.float32)
    x = Tensor(a)
    x += 1
    assert a.tolist() == [0, 0]


@pytest.mark.parametrize(("data", "given"), [((3.5,), "float"), ((True,), "bool"), (([1], 2), "list, int")])
def test_other_things_are_refused(data: tuple[Any, ...], given: str) -> None:
    with pytest.raises(ArgumentError) as err:
        Tensor(*data)
    assert err.value.summary == (
        f"Tensor(...) got {given}\n"
        "  it takes sizes, or one sequence with the values\n"
        "  try: tensor(...), which takes numbers too and keeps their type"
    )


# -- attributes --------------------------------------------------------------------------------------


def test_shape_and_size() -> None:
    x = torch.zeros(2, 3, 4)
    assert repr(x.shape) == "torch.Size([2, 3, 4])"
    assert x.size() == x.shape == (2, 3, 4)
    assert x.size(1) == x.size(-2) == x.shape[1] == 3
    assert x.ndim == x.dim() == x.ndimension() == 3
    assert x.numel() == x.nelement() == 24
    assert x.shape.numel() == 24
    assert x.shape[1:] == (3, 4)
    assert isinstance(x.shape[1:], torch.Size)
    rows, *rest = x.shape
    assert (rows, rest) == (2, [3, 4])


def test_type_and_memory() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64)
    assert x.dtype is torch.float64
    assert x.element_size() == x.itemsize == 8
    assert x.nbytes == 48
    assert x.is_floating_point()
    assert not x.is_complex()
    assert x.is_signed()
    assert not torch.zeros(1, dtype=torch.uint8).is_signed()
    assert str(x.device) == "cpu"
    assert x.device == torch.device("cpu")
    assert not x.is_cuda
    assert not x.is_sparse
    assert x.cpu() is x


def test_strides_and_offsets() -> None:
    x = torch.arange(24).reshape(2, 3, 4)
    assert x.stride() == (12, 4, 1)
    assert x.stride(-1) == 1
    assert x.is_contiguous()
    assert x.contiguous() is x
    y = x.transpose(0, 2)
    assert y.stride() == (1, 4, 12)
    assert not y.is_contiguous()
    z = y.contiguous()
    assert z.is_contiguous()
    assert z.data_ptr() != x.data_ptr()
    assert torch.equal(z, y)
    assert x[1, 2:, 1].storage_offset() == 21
    assert x[1, 2:, 1].data_ptr() == x.data_ptr() + 21 * 8
    assert torch.zeros(1).expand(3).stride() == (0,)


def test_bases_of_views() -> None:
    x = torch.zeros(4)
    view = x[1:]
    assert x._base is None
    assert view._base is x
    assert view[1:]._base is x
    assert x.clone()._base is None
    assert x.detach()._base is None


# -- types -------------------------------------------------------------------------------------------


def test_conversions() -> None:
    x = torch.tensor([-1.7, 0.0, 2.9])
    assert x.int().tolist() == x.long().tolist() == x.short().tolist() == x.char().tolist() == [-1, 0, 2]
    assert x.bool().tolist() == [True, False, True]
    assert x.abs().byte().dtype is torch.uint8
    assert x.half().dtype is torch.float16
    assert x.double().float().dtype is torch.float32
    assert x.to(torch.int64).dtype is torch.int64
    assert x.to("cpu") is x
    assert x.to(x) is x
    assert x.to(torch.zeros(1, dtype=torch.int8)).dtype is torch.int8
    assert x.to(dtype=float).dtype is torch.float64
    assert x.to(torch.float32) is x
    copied = x.to(torch.float32, copy=True)
    assert copied is not x
    assert copied.data_ptr() != x.data_ptr()
    assert x.type(torch.float64).dtype is torch.float64
    assert x.type() == "torch.FloatTensor"
    assert x.type_as(torch.zeros(1, dtype=torch.int16)).dtype is torch.int16


def test_conversion_between_floats_is_differentiable() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x.double() * 3).sum().backward()
    assert x.grad.dtype is torch.float32
    assert x.grad.tolist() == [3, 3]


def test_new_tensors_of_the_same_type() -> None:
    x = torch.zeros(1, dtype=torch.float64)
    for new in (x.new_zeros(2, 3), x.new_ones((2, 3)), x.new_empty([2, 3]), x.new_full((2, 3), 7)):
        assert new.dtype is torch.float64
        assert new.shape == (2, 3)
    assert x.new_tensor([1, 2]).dtype is torch.float64
    assert x.new_ones(2, dtype=torch.int8).dtype is torch.int8
    assert x.new_zeros(2, requires_grad=True).requires_grad
    assert not x.new_zeros(2).requires_grad


# -- operators ---------------------------------------------------------------------------------------


def test_operators_with_numbers_on_either_side() -> None:
    x = torch.tensor([1.0, 4.0])
    for result, wanted in (
        (x + 1, [2, 5]),
        (1 + x, [2, 5]),
        (x - 1, [0, 3]),
        (1 - x, [0, -3]),
        (x * 2, [2, 8]),
        (2 * x, [2, 8]),
        (x / 2, [0.5, 2]),
        (2 / x, [2, 0.5]),
        (x // 3, [0, 1]),
        (9 // x, [9, 2]),
        (x % 3, [1, 1]),
        (9 % x, [0, 1]),
        (x**2, [1, 16]),
        (2**x, [2, 16]),
        (-x, [-1, -4]),
        (+x, [1, 4]),
        (abs(-x), [1, 4]),
        (x < 2, [True, False]),
        (x > 2, [False, True]),
        (x <= 1, [True, False]),
        (x >= 4, [False, True]),
        (x == 4, [False, True]),
        (x != 4, [True, False]),
    ):
        assert result.tolist() == wanted


def test_operators_of_integers_and_bools() -> None:
    x, y = torch.tensor([6, 3]), torch.tensor([3, 1])
    assert [(x & y).tolist(), (x | y).tolist(), (x ^ y).tolist()] == [[2, 1], [7, 3], [5, 2]]
    assert [(x << 1).tolist(), (x >> 1).tolist(), (~x).tolist()] == [[12, 6], [3, 1], [-7, -4]]
    assert (~torch.tensor([True, False])).tolist() == [False, True]
    assert (6 & y).tolist() == [2, 0]


def test_what_is_no_operand_is_left_to_python() -> None:
    x = torch.ones(2)
    for call in (lambda: x + "a", lambda: "a" - x, lambda: x * None, lambda: x @ 3, lambda: x ** [1]):
        with pytest.raises(TypeError):
            call()

    class Other:
        def __radd__(self, x: Any) -> str:
            return "radd"

        def __rmatmul__(self, x: Any) -> str:
            return "rmatmul"

    assert x + Other() == "radd"
    assert x @ Other() == "rmatmul"


def test_a_matrix_of_integers_with_a_vector_of_floats() -> None:
    # A trap of the course: `torch.mv(A, x)` with A from arange and x from ones.
    with pytest.raises(RuntimeError) as err:
        torch.mv(torch.arange(6).reshape(2, 3), torch.ones(3))
    assert isinstance(err.value, torch.ChainruleError)
    assert err.value.summary == (
        "torch.mv got A of type int64 (2, 3) and x of type float32 (3,)\n"
        "  a product does not convert its operands: both must have one type\n"
        "  try: A.float()"
    )


# -- the class itself --------------------------------------------------------------------------------


def public_members() -> dict[str, Any]:
    return {name: getattr(Tensor, name) for name in dir(Tensor) if not name.startswith("_")}


def test_every_member_has_a_docstring() -> None:
    missing = [name for name, member in public_members().items() if not inspect.getdoc(member)]
    assert missing == []


def test_every_member_is_in_the_source_of_the_class() -> None:
    # Methods that are attached from elsewhere are seen by no editor and no type checker.
    source = Path(inspect.getfile(torch)).parent
    files = [source / "tensor.py", source / "base.py", *(source / "members").glob("*.py")]
    text = "\n".join(f.read_text(encoding="utf-8") for f in files)
    missing = [
        name for name in public_members() if not re.search(rf"\b{name}(: \w+)? = |\bdef {name}\(", text)
    ]
    assert missing == []


def test_in_place_methods_return_the_tensor_and_say_so() -> None:
    for name, member in public_members().items():
        if name.endswith("_") and name not in ("requires_grad_", "detach_"):
            assert "Returns" in inspect.getdoc(member), name


def test_no_attributes_by_accident() -> None:
    with pytest.raises(AttributeError):
        torch.ones(2).requires_gard = True
