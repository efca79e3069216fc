"""Element types: names, limits, and which type comes out when two meet. The tables are PyTorch's."""

from __future__ import annotations

import copy
import itertools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.core import dtypes
from chainrule.core.dtypes import dtype
from chainrule.core.errors import ChainruleError, DTypeError

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]

# Two tensors with axes: row and column give the result. f is float, i int, u unsigned, b bool.
TABLE = """
     b   u8  i8  i16 i32 i64 f16 f32 f64
b    b   u8  i8  i16 i32 i64 f16 f32 f64
u8   u8  u8  i16 i16 i32 i64 f16 f32 f64
i8   i8  i16 i8  i16 i32 i64 f16 f32 f64
i16  i16 i16 i16 i16 i32 i64 f16 f32 f64
i32  i32 i32 i32 i32 i32 i64 f16 f32 f64
i64  i64 i64 i64 i64 i64 i64 f16 f32 f64
f16  f16 f16 f16 f16 f16 f16 f16 f32 f64
f32  f32 f32 f32 f32 f32 f32 f32 f32 f64
f64  f64 f64 f64 f64 f64 f64 f64 f64 f64
"""
SHORT = dict(zip(["b", "u8", "i8", "i16", "i32", "i64", "f16", "f32", "f64"], NAMES, strict=True))
ROWS = [line.split() for line in TABLE.strip().splitlines()]
PAIRS = [
    (SHORT[row[0]], SHORT[column], SHORT[result])
    for row in ROWS[1:]
    for column, result in zip(ROWS[0], row[1:], strict=True)
]


def named(name: str) -> dtype:
    found: dtype = getattr(torch, name)
    return found


@pytest.fixture(autouse=True)
def _default_type() -> Iterator[None]:
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


def test_there_are_nine_types() -> None:
    assert sorted(d.name for d in dtypes.ALL) == sorted(NAMES)
    assert len(PAIRS) == 81


@pytest.mark.parametrize(("a", "b", "result"), PAIRS)
def test_promotion_of_two_tensors(a: str, b: str, result: str) -> None:
    assert dtypes.promote(named(a), named(b)) is named(result)
    assert (torch.ones(2, dtype=named(a)) + torch.ones(2, dtype=named(b))).dtype is named(result)


def operand(kind: str, rank: int) -> Any:
    return torch.ones((2,) * rank, dtype=named(kind))


# (tensor with axes, the other side, result): a 0-d tensor or a number counts only if its category is higher
MIXED: list[tuple[str, Any, str]] = [
    ("float32", operand("float64", 0), "float32"),
    ("float16", operand("float64", 0), "float16"),
    ("float16", operand("int64", 0), "float16"),
    ("int8", operand("int64", 0), "int8"),
    ("uint8", operand("int8", 0), "uint8"),
    ("int32", operand("float16", 0), "float16"),
    ("int32", operand("float64", 0), "float64"),
    ("bool", operand("int8", 0), "int8"),
    ("bool", operand("float64", 0), "float64"),
    ("int64", 2, "int64"),
    ("int8", 2, "int8"),
    ("int8", 2.5, "float32"),
    ("int8", True, "int8"),
    ("uint8", 2, "uint8"),
    ("bool", 2, "int64"),
    ("bool", 2.5, "float32"),
    ("bool", True, "bool"),
    ("float16", 2.5, "float16"),
    ("float16", 2, "float16"),
    ("float64", 2.5, "float64"),
]


@pytest.mark.parametrize(("a", "other", "result"), MIXED)
def test_promotion_with_zero_d_tensors_and_numbers(a: str, other: Any, result: str) -> None:
    x = operand(a, 1)
    for product in (x * other, other * x):
        assert product.dtype is named(result)
        assert product.shape == (2,)


@pytest.mark.parametrize(
    ("a", "other", "result"),
    [
        ("float32", operand("float64", 0), "float64"),  # between 0-d tensors all count
        ("int8", operand("int64", 0), "int64"),
        ("int8", 2.5, "float32"),
        ("float16", 2.5, "float16"),
        ("float64", 2.5, "float64"),
        ("bool", 2, "int64"),
    ],
)
def test_promotion_between_zero_d_tensors(a: str, other: Any, result: str) -> None:
    assert (operand(a, 0) * other).dtype is named(result)


def test_three_operands_of_three_ranks() -> None:
    choice = torch.tensor([True, False])
    assert torch.where(choice, operand("int8", 1), operand("float16", 0)).dtype is torch.float16
    assert torch.where(choice, operand("int8", 0), 2.5).dtype is torch.float32
    assert torch.where(choice, 1, 2).dtype is torch.int64


def test_the_default_type_is_what_python_floats_have() -> None:
    assert torch.get_default_dtype() is torch.float32
    torch.set_default_dtype(torch.float64)
    assert torch.tensor([1.5]).dtype is torch.float64
    assert (torch.tensor([1]) * 2.5).dtype is torch.float64
    assert torch.exp(torch.tensor([1])).dtype is torch.float64
    assert torch.zeros(1).dtype is torch.float64
    assert (torch.ones(1, dtype=torch.float32) * 2.5).dtype is torch.float32


@pytest.mark.parametrize(
    ("value", "name"),
    [(True, "bool"), (1, "int64"), (1.5, "float32"), (np.int8(1), "int64"), (np.bool_(1), "bool")],
)
def test_the_type_of_a_number_by_itself(value: Any, name: str) -> None:
    assert dtypes.of_scalar(value) is named(name)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (float, "float64"),
        (int, "int64"),
        (bool, "bool"),
        (np.float32, "float32"),
        (np.dtype("int8"), "int8"),
        ("float16", "float16"),
        ("torch.int32", "int32"),
        ("double", "float64"),
        ("long", "int64"),
        ("half", "float16"),
        (torch.uint8, "uint8"),
    ],
)
def test_other_names_of_a_type(given: Any, name: str) -> None:
    assert dtypes.as_dtype(given) is named(name)


def test_aliases_are_the_same_objects() -> None:
    for alias, name in [("half", "float16"), ("float", "float32"), ("double", "float64"), ("short", "int16"),
                        ("int", "int32"), ("long", "int64")]:  # fmt: skip
        assert getattr(torch, alias) is named(name)


@pytest.mark.parametrize("d", dtypes.ALL, ids=lambda d: d.name)
def test_what_a_type_says_of_itself(d: dtype) -> None:
    assert repr(d) == f"torch.{d.name}"
    assert d.numpy == np.dtype(d.name)
    assert dtypes.FROM_NUMPY[np.dtype(d.name)] is d
    assert d.itemsize == np.dtype(d.name).itemsize
    assert d.is_floating_point == d.name.startswith("float")
    assert d.is_signed == (d.name.startswith(("float", "int")))
    assert d.is_complex is False
    assert copy.deepcopy(d) is d


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_limits_of_floats(name: str) -> None:
    bits, digits, exponent = {"float16": (16, 11, 16), "float32": (32, 24, 128), "float64": (64, 53, 1024)}[
        name
    ]
    info = torch.finfo(named(name))
    assert info.bits == bits
    assert info.eps == 2.0 ** (1 - digits)
    assert info.max == 2.0 ** (exponent - 1) * (2 - info.eps)
    assert info.min == -info.max
    assert info.tiny == info.smallest_normal == 2.0 ** (2 - exponent)
    assert info.dtype == name


def test_limits_of_floats_as_python_knows_them() -> None:
    info = torch.finfo(torch.float64)
    assert (info.max, info.eps, info.tiny) == (sys.float_info.max, sys.float_info.epsilon, sys.float_info.min)
    assert torch.finfo().dtype == "float32"
    assert repr(torch.finfo(torch.float32)) == (
        "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, "
        "smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=float32)"
    )


@pytest.mark.parametrize("name", [n for n in NAMES if "int" in n])
def test_limits_of_integers(name: str) -> None:
    info = torch.iinfo(named(name))
    bits = int(name.lstrip("uint"))
    low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert (info.bits, info.min, info.max, info.dtype) == (bits, low, high, name)
    assert repr(torch.iinfo(torch.int8)) == "iinfo(min=-128, max=127, dtype=int8)"


MESSAGES = [
    (
        lambda: dtypes.as_dtype("float8"),
        "dtype got 'float8'\n"
        "  supported are float16, float32, float64, int8, int16, int32, int64, uint8, bool\n"
        "  try: torch.float32",
    ),
    (
        lambda: dtypes.as_dtype(np.complex64),
        "dtype got <class 'numpy.complex64'>\n"
        "  supported are float16, float32, float64, int8, int16, int32, int64, uint8, bool\n"
        "  try: torch.float32",
    ),
    (
        lambda: torch.set_default_dtype(torch.int64),
        "set_default_dtype got torch.int64\n"
        "  the default must be a floating-point type\n"
        "  try: torch.float32",
    ),
    (
        lambda: torch.finfo(torch.int8),
        "finfo got torch.int8\n  the type must be floating point\n  try: iinfo(torch.int8)",
    ),
    (
        lambda: torch.iinfo(torch.float32),
        "iinfo got torch.float32\n  the type must be an integer type\n  try: finfo(torch.float32)",
    ),
    (
        lambda: torch.iinfo(torch.bool),
        "iinfo got torch.bool\n  the type must be an integer type\n  try: finfo(torch.bool)",
    ),
]


@pytest.mark.parametrize(("action", "text"), MESSAGES)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(DTypeError) as caught:
        action()
    assert caught.value.summary == text
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ChainruleError)


def test_promotion_is_a_commutative_associative_law() -> None:
    for a, b in itertools.product(dtypes.ALL, repeat=2):
        assert dtypes.promote(a, b) is dtypes.promote(b, a)
    # within a category it is associative; between uint8, int8 and int16 this is not obvious
    for a, b, c in itertools.product(dtypes.ALL, repeat=3):
        assert dtypes.promote(dtypes.promote(a, b), c) is dtypes.promote(a, dtypes.promote(b, c))
