"""Random formulas: written and read back they are the same; no change of form changes a value."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from chainrule.core.errors import ArgumentError
from chainrule.explain.formula import Formula, FormulaError
from chainrule.explain.formula import tree as t
from chainrule.explain.formula.scan import scan
from tests.explain.formula.trees import NAMESPACE, VALUES, anything, formulas, value

BRACKETS = re.compile(r"\\left(\\[|lfceil]+|.)|\\right(\\[|lfceil]+|.)|(?<!\\)[{}]")


def close(x: float, y: float) -> bool:
    """Equal; numbers of more than 53 bits, which evaluation keeps as decimals, lose their last digits."""
    return x == y or math.isclose(x, y, rel_tol=1e-12)


def attempt(text: str) -> tuple[Formula | None, FormulaError | None]:
    """The formula of a text, or why there is none; any other error passes."""
    try:
        return Formula.parse(text), None
    except FormulaError as err:
        return None, err


@given(anything)
@settings(max_examples=400)
def test_a_formula_that_is_written_and_read_is_the_same(formula: Formula) -> None:
    assert Formula.parse(formula.text()) == formula


@given(formulas)
@settings(max_examples=300)
def test_the_value_is_that_of_python(formula: Formula) -> None:
    wanted = value(formula)
    if wanted is None:
        return
    assert close(formula.evaluate(NAMESPACE), wanted)
    assert close(Formula.parse(formula.text()).evaluate(NAMESPACE), wanted)


@given(formulas)
@settings(max_examples=300)
def test_a_tidy_formula_has_the_same_value(formula: Formula) -> None:
    wanted = value(formula)
    tidy = formula.tidy()
    assert tidy.tidy() == tidy
    assert len(list(t.walk(tidy.tree))) <= len(list(t.walk(formula.tree)))
    if wanted is not None:
        assert value(tidy) == wanted


@given(formulas, formulas, formulas)
@settings(max_examples=200)
def test_substitution_is_a_change_of_values(formula: Formula, x: Formula, y: Formula) -> None:
    inner = {"x": value(x), "y": value(y)}
    if None in inner.values():
        return
    changed = formula.substitute({"x": x, "y": y})
    try:
        wanted = formula.evaluate(NAMESPACE | inner)
    except ArgumentError:
        with pytest.raises(ArgumentError):
            changed.evaluate(NAMESPACE)
        return
    if isinstance(wanted, float) and not math.isfinite(wanted):
        return
    assert close(changed.evaluate(NAMESPACE), wanted)
    assert close(Formula.parse(changed.text()).evaluate(NAMESPACE), wanted)


@given(anything, st.booleans())
@settings(max_examples=300)
def test_brackets_in_latex_are_balanced(formula: Formula, tensors: bool) -> None:
    opened: list[str] = []
    for match in BRACKETS.finditer(formula.latex(tensors=tensors)):
        found = match[0]
        if found.startswith(r"\left") or found == "{":
            opened.append(found)
        else:
            start = opened.pop()
            assert (start == "{") == (found == "}"), formula.latex()
    assert not opened


@given(anything, st.booleans())
@settings(max_examples=60)
def test_matplotlib_can_set_the_latex(formula: Formula, tensors: bool) -> None:
    latex = formula.latex(tensors=tensors)
    MathTextParser("path").parse(f"${latex}$")


@given(st.text(max_size=30) | st.text("x1+-*/()[]|,.=^² \n", max_size=30))
@settings(max_examples=500)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    formula, err = attempt(text)
    if formula is not None:
        assert Formula.parse(formula.text()) == formula
    else:
        assert err is not None
        assert 0 <= err.place[0] < err.place[1] <= max(len(text), 1)
        assert err.problem


@given(anything)
@settings(max_examples=100)
def test_every_node_knows_where_it_was_read(formula: Formula) -> None:
    text = formula.text()
    for node in t.walk(Formula.parse(text).tree):
        assert node.at is not None
        start, end = node.at
        if isinstance(node, t.Name | t.Constant):
            assert text[start:end] == Formula(node).text()
    assert scan(text).place(0, 1)[0] == 0


def test_the_values_of_random_formulas_differ() -> None:
    assert len(set(VALUES.values())) == len(VALUES)
