"""Formulas and rules in the names of values; every text of the table can be written so."""

from __future__ import annotations

import pytest

from chainrule.explain.drawing import phrases
from chainrule.ops.primitive import TABLE

RULES = {
    ("log", 0): "∂v / a",
    ("mul", 0): "∂v * b",
    ("div", 1): "∂v * (-a / b**2)",
    ("add", 1): "∂v",
    ("sub", 1): "-∂v",
    ("square", 0): "∂v * 2 * a",
    ("tanh", 0): "∂v * (1 - tanh(a)**2)",
    ("matmul", 0): "∂v @ b.mT",
    ("reshape", 0): "∂v.reshape(a.shape)",
    ("relu", 0): "∂v * (a > 0)",
    ("log2", 0): "∂v / (a * log(2))",
    ("sigmoid", 0): "∂v * (sigmoid(a) * (1 - sigmoid(a)))",
}


@pytest.mark.parametrize(("name", "i"), RULES)
def test_rules(name: str, i: int) -> None:
    assert phrases.rule(TABLE[name], i, "∂v", ["a", "b"], "v", {}) == RULES[name, i]


def test_numbers_and_settings() -> None:
    assert phrases.formula(TABLE["mul"], ["a", phrases.operand(-2.0)]) == "a * (-2)"
    assert phrases.formula(TABLE["cat"], ["a", "b", "c"]) == "cat(a, b, c)"
    assert phrases.formula(TABLE["cat"], [f"a{i}" for i in range(9)]) == "cat(a0, a1, …, a8)"
    assert phrases.settings_text(TABLE["sum"], {"dim": (0,), "keepdim": False}) == "dim=(0,)"
    rule = phrases.rule(TABLE["flip"], 0, "∂v", ["a"], "v", {"dims": (0, 1)})
    assert rule == "flip(∂v, dims=(0, 1))"


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.differentiable])
def test_no_name_of_the_table_is_left(name: str) -> None:
    op = TABLE[name]
    operands = [f"value{i}" for i in range(max(len(op.inputs), 1) + bool(op.tail))]
    for i, text in enumerate(op.d):
        if text:
            written = phrases.rule(op, i, "gradient", operands, "value", {})
            left = phrases.substituted(written, dict.fromkeys([*op.inputs, "g", "out"], "LEFT"))
            assert "LEFT" not in left


def test_bytes_and_counts() -> None:
    assert [phrases.bytes_text(n) for n in (12, 2048, 3 * 2**20, 5 * 2**30)] == [
        "12 B",
        "2.0 KiB",
        "3.0 MiB",
        "5.0 GiB",
    ]
    assert phrases.counted(1, "leaf", "leaves") == "1 leaf"
    assert phrases.counted(1200, "leaf", "leaves") == "1,200 leaves"
