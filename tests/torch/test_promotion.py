"""Element types of results against PyTorch: all pairs of types, with axes, 0-d, and Python numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import chainrule
from tests.torch.both import evaluate, same, same_refusal

TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
NUMBERS = (3, 2.5, -1, True, 300, -200)

# One function of each dtype rule, and the operators whose rules people meet.
FUNCTIONS = [
    "x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "x == y", "x < y", "x & y", "x | y",
    "T.where(c, x, y)", "T.cat((x, y))", "T.stack((x, y))", "T.maximum(x, y)", "T.atan2(x, y)",
    "T.logical_and(x, y)", "T.clamp(x, y)", "T.outer(x, y)", "T.fmod(x, y)", "T.broadcast_tensors(x, y)",
    "T.div(x, y, rounding_mode='trunc')", "T.masked_fill(x, c, y)", "T.addcmul(x, x, y)", "x << y",
]  # fmt: skip

# What has the default type unless another is named.
WITH_DEFAULT = [
    "T.tensor(1.5)", "x * 1.5", "x / 2", "x.sqrt()", "T.zeros(2)", "T.arange(0, 1, 0.5)", "T.full((2,), 1.5)",
    "T.linspace(0, 1, 3)", "T.get_default_dtype()", "T.eye(2)", "T.ones(1)",
]  # fmt: skip

VALUES = {"float": [1.5, 2.0, 3.0], "int": [1, 2, 3], "uint": [1, 2, 3], "bool": [True, True, True]}


def _tensor(T: Any, name: str, rank: int) -> Any:
    values: Any = VALUES[name.rstrip("0123456789")]
    return T.tensor(values if rank else values[1], dtype=getattr(T, name))


def _cases() -> Iterator[tuple[str, str, str]]:
    """Pairs of operand descriptions: a type with axes, `0-d type`, or a Python number."""
    for a in TYPES:
        for b in TYPES:
            yield from ((a, b), (a, f"0-d {b}"), (f"0-d {a}", b), (f"0-d {a}", f"0-d {b}"))  # type: ignore[misc]
        for n in NUMBERS:
            yield from ((a, repr(n)), (repr(n), a), (f"0-d {a}", repr(n)))  # type: ignore[misc]


def _operand(T: Any, text: str) -> Any:
    if text in TYPES:
        return _tensor(T, text, 1)
    return _tensor(T, text[4:], 0) if text.startswith("0-d ") else eval(text)


@pytest.mark.parametrize("expression", FUNCTIONS)
def test_all_pairs_of_operands(expression: str) -> None:
    wrong = []
    for a, b in _cases():
        if expression.startswith(("T.cat", "T.outer")) and not {a, b} <= set(TYPES):
            continue  # vectors only
        sides = []
        for T in (chainrule, torch):
            names = {"x": _operand(T, a), "y": _operand(T, b), "c": T.tensor([True, False, True])}
            sides.append(evaluate(T, expression, names))
        try:
            if not same_refusal(*sides):
                same(*sides)
        except AssertionError as err:
            wrong.append(f"{a}, {b}: {err}")
    assert not wrong, f"{expression}: " + "\n".join(wrong)


@pytest.mark.parametrize("default", ["float16", "float32", "float64"])
def test_the_default_type_is_what_numbers_and_whole_types_become(default: str) -> None:
    for T in (chainrule, torch):
        T.set_default_dtype(getattr(T, default))
    try:
        for expression in WITH_DEFAULT:
            sides = [evaluate(T, expression, {"x": T.tensor([1, 2])}) for T in (chainrule, torch)]
            assert not same_refusal(*sides)
            same(*sides)
    finally:
        for T in (chainrule, torch):
            T.set_default_dtype(T.float32)
