"""What tidying takes away, and what it leaves. That values stay is tested in `test_properties.py`."""

from __future__ import annotations

import pytest

from chainrule.explain.formula import Formula


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1*x", "x"), ("x*1", "x"), ("1.0*x", "x"), ("x/1", "x"), ("x**1", "x"), ("0 + x", "x"),
        ("x + 0", "x"), ("x - 0", "x"), ("0 - x", "-x"), ("--x", "x"), ("+x", "x"), ("(-1)*x", "-x"),
        ("x*(-1)", "-x"), ("x/(-1)", "-x"), ("-(x*y)", "-x*y"), ("x*(-y)", "-x*y"), ("(-x)*(-y)", "x*y"),
        ("-(x/y)", "-x/y"), ("-2*x", "-2*x"), ("-(2*x)", "-2*x"), ("(-1)*(-2*x/y)", "2*x/y"),
        ("x/(-2*y)", "-x/(2*y)"), ("-(x @ y)", "-(x @ y)"), ("-(x + y)", "-(x + y)"), ("x + (-y)", "x - y"),
        ("x - (-y)", "x + y"), ("x + -2*y", "x - 2*y"), ("x - (-y/z)", "x + y/z"),
        ("2*x**(2 - 1)", "2*x"), ("3 - 1", "2"), ("2*3", "6"), ("0.5 - 1", "-0.5"),
        ("1*1", "1"), ("1*(1/x1) + 1*x2", "1/x1 + x2"), ("1*x1 + (-1)*cos(x2)", "x1 - cos(x2)"),
        ("f(1*x, n=0 + 2)[1*k]", "f(x, n=2)[k]"), ("x if 1*y else z", "x if y else z"),
    ],
)  # fmt: skip
def test_tidy(text: str, wanted: str) -> None:
    assert Formula.parse(text).tidy().text() == wanted


@pytest.mark.parametrize(
    "text",
    [
        "0*x",  # not 0 where x is infinite
        "x**0",  # not 1 where x has a shape
        "x - x", "x/x",
        "0.1 + 0.2",  # not 0.3
        "1/3",
        "10**6*10", "1*(x > 0)", "(x > 0) + 0", "(x == y)**1", "+(x < 1)",  # numbers made of true and false
        "1*True", "1*(not x)", "1 @ x", "x % 1",
    ],
)  # fmt: skip
def test_left_as_it_is(text: str) -> None:
    formula = Formula.parse(text)
    assert formula.tidy() == formula
