"""Every text of the table of primitives is a formula. What the texts in `d` are worth, the sweep asks."""

from __future__ import annotations

import pytest

from chainrule.explain.formula import Formula
from chainrule.ops.primitive import TABLE

TEXTS = sorted({text for op in TABLE.values() for text in (op.formula, *op.d) if text})


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_of_the_table_is_read_and_written(text: str) -> None:
    formula = Formula.parse(text)
    assert Formula.parse(formula.text()) == formula
    assert formula.tidy() == formula.tidy().tidy()
    assert formula.text(unicode=True)
    assert formula.latex()


@pytest.mark.parametrize("op", TABLE.values(), ids=lambda op: op.name)
def test_a_formula_speaks_of_the_inputs_that_the_entry_names(op) -> None:  # type: ignore[no-untyped-def]
    missing = set(op.inputs) - set(Formula.parse(op.formula).names)
    assert not missing, f"{op.formula} does not say what becomes of {missing}"
