"""Integer arithmetic at the ends of each type: it wraps around, and a division by 0 is an error."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.core import dtypes
from chainrule.core.dtypes import dtype
from chainrule.core.errors import ArgumentError
from chainrule.ops import TABLE, Primitive
from chainrule.ops.primitive import ELEMENTWISE
from tests.ops.cases import outputs, tensors
from tests.ops.check_values import in_type
from tests.ops.references import REFERENCES

INTEGERS = [d for d in dtypes.ALL if d.category == dtypes.INTEGER]
# those whose result is exact in integers
OPS = [
    op
    for op in TABLE.values()
    if op.kind == ELEMENTWISE
    and not op.dtype.floating
    and dtypes.INTEGER in op.dtype.accepts
    and not op.dtype.first
]


def edges(kind: dtype) -> list[int]:
    info = np.iinfo(kind.numpy)
    low, high = int(info.min), int(info.max)
    values = {low, low + 1, high, high - 1, high // 2, -3, -2, -1, 0, 1, 2, 3, 7, 64}
    return sorted(v for v in values if low <= v <= high)


def defined(reference: Any, numbers: tuple[int, ...], settings: dict[str, Any]) -> bool:
    """Whether exact integer arithmetic has a result (no division by 0, no shift to the other side)."""
    try:
        return math.isfinite(reference.value(*numbers, **settings))
    except (ZeroDivisionError, ValueError, OverflowError):
        return False


@pytest.mark.parametrize("kind", INTEGERS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_the_ends_of_the_type(op: Primitive, kind: dtype) -> None:
    reference, settings = REFERENCES[op.name], op.samples[0].settings
    small = [v for v in edges(kind) if abs(v) <= 64]
    sides = [edges(kind), *[small if op.name == "pow" else edges(kind)] * (len(op.inputs) - 1)]
    rows = [numbers for numbers in itertools.product(*sides) if defined(reference, numbers, settings)]
    arrays = [np.array(column, kind.numpy) for column in zip(*rows, strict=True)]
    (got,) = outputs(op(*tensors(arrays), **settings))
    wanted = in_type(np.array([reference.value(*numbers, **settings) for numbers in rows], object), got.dtype)
    wrong = [(*rows[k], got[k], wanted[k]) for k in np.flatnonzero(got != wanted)]
    assert not wrong, f"{op.name} {kind}: inputs, got, wanted: {wrong[:5]}"


@pytest.mark.parametrize("kind", INTEGERS, ids=lambda d: d.name)
@pytest.mark.parametrize("function", [torch.floor_divide, torch.remainder, torch.fmod])
def test_integer_division_by_zero(function: Any, kind: dtype) -> None:
    x = torch.tensor([1, 2], dtype=kind)
    for zero in (torch.tensor([1, 0], dtype=kind), 0):
        with pytest.raises(ArgumentError) as caught:
            function(x, zero)
        assert caught.value.summary.endswith("got a divisor that is 0 in an integer division")


@pytest.mark.parametrize("function", [torch.floor_divide, torch.remainder, torch.fmod])
def test_float_division_by_zero_is_no_error(function: Any) -> None:
    result = function(torch.tensor([1.0, -1.0, 0.0]), 0.0)
    wanted = [math.inf, -math.inf, math.nan] if function is torch.floor_divide else [math.nan] * 3
    assert np.array_equal(result.numpy(), np.array(wanted, np.float32), equal_nan=True)


@pytest.mark.parametrize("kind", INTEGERS, ids=lambda d: d.name)
def test_a_python_number_beyond_the_type_wraps_around(kind: dtype) -> None:
    beyond = int(np.iinfo(kind.numpy).max) + 2
    x = torch.tensor([1, 2], dtype=kind)
    wanted = in_type(np.array([1 + beyond, 2 + beyond], object), kind.numpy)
    result = x + beyond
    assert result.dtype is kind
    assert result.tolist() == wanted.tolist()


@pytest.mark.parametrize("kind", INTEGERS, ids=lambda d: d.name)
def test_totals_are_int64(kind: dtype) -> None:
    high = int(np.iinfo(kind.numpy).max)
    x = torch.tensor([high, high, 1], dtype=kind)
    for result, exact in ((x.sum(), 2 * high + 1), (x.cumsum(0)[-1], 2 * high + 1), (x.prod(), high * high)):
        assert result.dtype is torch.int64
        assert result.item() == int(in_type(np.array(exact, object), np.dtype(np.int64)))


def test_integers_to_negative_powers_are_rounded_towards_zero() -> None:
    x = torch.tensor([-2, -1, 1, 2, -1])
    y = torch.tensor([-1, -3, -3, -1, -2])
    assert (x**y).tolist() == [0, -1, 1, 0, 1]
