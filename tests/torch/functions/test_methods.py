"""Functions as methods, and written into the tensor, against PyTorch: every row of the tables once more.

`T.name(x, ...)` becomes `x.name(...)` and `x.name_(...)` wherever both sides have that method. In place, x is
a clone, because a leaf that wants a gradient refuses.
"""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tests.torch.both import Row, as_method, check, rows
from tests.torch.functions import (
    test_indexing,
    test_linalg,
    test_ordering,
    test_pointwise,
    test_reductions,
    test_shaping,
)

TABLES = (test_indexing, test_linalg, test_ordering, test_pointwise, test_reductions, test_shaping)

# Written into a float tensor, a truth value is a constant in ours; PyTorch records it with gradients of 0.
TRUTHS = {
    "eq_",
    "ne_",
    "lt_",
    "le_",
    "gt_",
    "ge_",
    "logical_and_",
    "logical_or_",
    "logical_xor_",
    "logical_not_",
}

# Ours convert the totals back to the type of x; PyTorch refuses `dtype=`, and makes an exception of bool.
TOTALS = {"cumsum_", "cumprod_"}


def _each(suffix: str, receiver: str, types: tuple[str, ...]) -> list[Row]:
    made = []
    for row in (row for module in TABLES for row in module.TABLE):
        form = as_method(row, suffix, receiver)
        if form is None or (_name(form) in TOTALS and "dtype=" in row.expression):
            continue
        kept = tuple(d for d in row.dtypes if d in types and not (_name(form) in TOTALS and d == "bool"))
        made.append(replace(form, dtypes=kept, grad=form.grad and _name(form) not in TRUTHS))
    return made


def _name(row: Row) -> str:
    tree = ast.parse(row.expression, mode="eval").body
    assert isinstance(tree, ast.Call)
    assert isinstance(tree.func, ast.Attribute)
    return tree.func.attr


METHODS = _each("", "x", ("float32", "int64"))
IN_PLACE = _each("_", "x.clone()", ("float32", "float16", "int64", "uint8", "bool"))


@pytest.mark.parametrize("row", rows(METHODS))
def test_methods(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("row", rows(IN_PLACE))
def test_in_place(row: Row) -> None:
    check(row)
