"""Formulas as plain text."""

from __future__ import annotations

import pytest

from chainrule.explain.formula import Formula


@pytest.mark.parametrize(
    ("given", "plain", "mathematical"),
    [
        ("x1*x2-sin(x2)", "x1*x2 - sin(x2)", "x1·x2 − sin(x2)"),
        ("log(x1)", "log(x1)", "ln(x1)"),
        ("-x / y ** 2", "-x/y**2", "−x/y²"),
        ("x**-1", "x**-1", "x⁻¹"),
        ("x**(y-1)", "x**(y - 1)", "x^(y − 1)"),
        ("2.5**2", "2.5**2", "(2.5)²"),
        ("x**y**z", "x**y**z", "x^(y^z)"),
        ("(x**y)**z", "(x**y)**z", "(x^y)^z"),
        ("(-x)**2", "(-x)**2", "(−x)²"),
        ("x + (-y)", "x + (-y)", "x + (−y)"),
        ("x - (-y*z)", "x - (-y*z)", "x − (−y·z)"),
        ("-(-x)", "--x", "−−x"),
        ("1e-7*x", "1e-07*x", "1e-07·x"),
        ("g @ y.mT", "g @ y.mT", "g @ yᵀ"),
        ("(a+b).T", "(a + b).T", "(a + b)ᵀ"),
        ("|x| + ||x - y||", "abs(x) + norm(x - y)", "|x| + ‖x − y‖"),
        ("sqrt(pi)/sqrt(2*x)", "sqrt(pi)/sqrt(2*x)", "√π/√(2·x)"),
        ("x >= 0 and not y != 1", "x >= 0 and not y != 1", "x ≥ 0 ∧ ¬y ≠ 1"),
        ("not (x or y)", "not (x or y)", "¬(x ∨ y)"),
        ("(x == y)/2", "(x == y)/2", "(x = y)/2"),
        ("x % 2 + y // 2", "x % 2 + y // 2", "x % 2 + y // 2"),
        ("x if y else z", "x if y else z", "x if y else z"),
        ("(x if y else z) + 1", "(x if y else z) + 1", "(x if y else z) + 1"),
        ("f(*x, n = (1,), m=[1 ,2])", "f(*x, n=(1,), m=[1, 2])", "f(*x, n=(1,), m=[1, 2])"),
        ("x[1 : , ..., None]", "x[1:, ..., None]", "x[1:, ..., None]"),
        ("x[:: 2]", "x[::2]", "x[::2]"),
        ("s[k]=x[k]*s[k-1]", "s[k] = x[k]*s[k - 1]", "s[k] = x[k]·s[k − 1]"),
        ("x with x[0]+=y", "x with x[0] += y", "x with x[0] += y"),
    ],
)
def test_text(given: str, plain: str, mathematical: str) -> None:
    formula = Formula.parse(given)
    assert formula.text() == plain
    assert formula.text(unicode=True) == mathematical


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("0.6931471805599453*x", "0.693*x"), ("-1234567.0", "-1.23e+06"), ("2.0*x**3", "2*x**3"),
        ("123456*x", "123456*x"),
    ],
)  # fmt: skip
def test_decimals_can_be_cut(text: str, short: str) -> None:
    assert Formula.parse(text).text(digits=3) == short


@pytest.mark.parametrize(
    ("signs", "python"),
    [
        ("2·x − 3×y", "2*x - 3*y"),
        ("x² + y⁻¹ + z¹⁰", "x**2 + y**-1 + z**10"),
        ("xᵀ @ (x + y)ᵀ", "x.mT @ (x + y).mT"),
        ("x ≤ 1", "x <= 1"), ("x ≥ 1", "x >= 1"), ("x ≠ 1", "x != 1"),
        ("|x - |y||", "abs(x - abs(y))"), ("||x||**2", "norm(x)**2"), ("|x| | |y|", "abs(x) | abs(y)"),
        ("π * x", "pi*x"), ("007 + .5 + 1. + 1E3", "7 + 0.5 + 1.0 + 1000.0"), ("\n x\t+ \n y ", "x + y"),
    ],
)  # fmt: skip
def test_signs_of_mathematics_are_read(signs: str, python: str) -> None:
    assert Formula.parse(signs).text() == python
