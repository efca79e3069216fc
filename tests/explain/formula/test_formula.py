"""`Formula` as a value: made, combined, substituted, evaluated."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.explain.formula import Formula, vocabulary


def test_a_formula_is_what_it_says() -> None:
    d = Formula.parse("-x / y**2")
    assert d == Formula.parse("-x/y ** 2")
    assert d != Formula.parse("-(x / y**2)")
    assert hash(d) == hash(Formula.parse("-x/y**2"))
    assert repr(d) == "Formula('-x/y**2')"
    assert f"{d}" == "-x/y**2"
    assert pickle.loads(pickle.dumps(d)) == d


def test_whole_numbers_decimals_and_truths_differ() -> None:
    assert len({Formula.parse(text) for text in ("1", "1.0", "True")}) == 3
    assert Formula.number(-0.0) != Formula.number(0.0)


def test_a_formula_does_not_change() -> None:
    d = Formula.parse("x")
    with pytest.raises(AttributeError, match="a formula does not change"):
        d.tree = Formula.parse("y").tree
    with pytest.raises(AttributeError, match="a formula does not change"):
        del d.tree


@pytest.mark.parametrize(
    ("formula", "values", "wanted"),
    [
        ("x * y", {"x": "a + b", "y": "-c"}, "(a + b)*(-c)"),
        ("x * y", {"x": "y", "y": "x"}, "y*x"),
        ("x**y", {"x": "a*b", "y": "c + 1"}, "(a*b)**(c + 1)"),
        ("x**y", {"x": -2, "y": -2}, "(-2)**-2"),
        ("x - y", {"y": "a - b"}, "x - (a - b)"),
        ("x - y", {"y": "a*b"}, "x - a*b"),
        ("x / y", {"x": "a/b", "y": "c/d"}, "a/b/(c/d)"),
        ("-x", {"x": "a + b"}, "-(a + b)"),
        ("-x", {"x": "a*b"}, "-(a*b)"),
        ("x.mT @ g", {"x": "a @ b", "g": "c"}, "(a @ b).mT @ c"),
        ("sin(x)", {"x": "a + b", "sin": "cos"}, "sin(a + b)"),
        ("g.sum(dim, True)", {"g": "a*b", "dim": 0}, "(a*b).sum(0, True)"),
        ("g.sum(dim=dim)", {"dim": 1}, "g.sum(dim=1)"),
        ("x.shape", {"x": 2}, "(2).shape"),
        ("x[k]", {"x": "-a", "k": "i - 1"}, "(-a)[i - 1]"),
        ("(x > 0) + y", {"x": "a == b"}, "((a == b) > 0) + y"),
        ("x with x[...] = y", {"x": "b", "y": "c + 1"}, "b with b[...] = c + 1"),
        ("x @ w", {"w": Formula.name("0.weight")}, "x @ 0.weight"),
        ("x * y", {"x": "encoder.fc1.weight", "y": 0.5}, "encoder.fc1.weight*0.5"),
        ("x", {"x": float("nan")}, "nan"),
        ("x", {"x": float("-inf")}, "-inf"),
    ],
)
def test_substitution(formula: str, values: dict[str, Any], wanted: str) -> None:
    assert Formula.parse(formula).substitute(values).text() == wanted


def test_formulas_are_combined_like_numbers() -> None:
    x, y = Formula.name("x"), Formula.parse("a + b")
    assert str(x * y) == "x*(a + b)"
    assert str(2 * x - y / 3) == "2*x - (a + b)/3"
    assert str("c" + x) == "c + x"
    assert str(1 - -x) == "1 - (-x)"
    assert str(-Formula.parse("-x")) == "x"
    assert str(x**2 @ y) == "x**2 @ (a + b)"
    assert str("c" @ x) == "c @ x"
    assert str((1 / x) ** "n") == "(1/x)**n"
    assert str(2**x) == "2**x"


def test_only_formulas_texts_and_numbers_are_combined() -> None:
    with pytest.raises(ArgumentError) as caught:
        Formula.name("x") * [1]  # type: ignore[operator]
    assert caught.value.summary == "Formula.of got [1]\n  a formula, a text or a number is needed"


def test_names_and_functions_are_found_in_the_order_of_reading() -> None:
    formula = Formula.parse("g if accumulate else put(g, zeros_like(y), *indices, dims=dims)[..., k].sum(pi)")
    assert formula.names == ("g", "accumulate", "y", "indices", "dims", "k", "pi")
    assert formula.functions == ("sum", "put", "zeros_like")


def test_evaluation_calls_the_functions_of_the_package() -> None:
    x = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    space = {**vocabulary(), "x": x, "k": 1}
    assert (
        Formula.parse("log(2) * x.mT @ x").evaluate(space).tolist()
        == ((torch.tensor(2.0, dtype=torch.float64).log() * x.mT) @ x).tolist()
    )
    assert Formula.parse("x[..., k] if not False else 0").evaluate(space).tolist() == [3.0]
    assert Formula.parse("x[0, 0:1]").evaluate(space).tolist() == [2.0]
    assert Formula.parse("(x > 2) xor (x < 5)").evaluate(space).tolist() == [[True, False]]
    assert Formula.parse("not (x > 2 and x < 5)").evaluate(space).tolist() == [[True, False]]
    assert Formula.parse("s[k] = x + 1").evaluate(space).tolist() == [[3.0, 4.0]]
    assert Formula.parse("x.sum(dim=1, keepdim=True)").evaluate(space).tolist() == [[5.0]]
    assert Formula.parse("cat(*xs, dim=0)").evaluate({**space, "xs": [x, x]}).shape == (2, 2)
    assert [Formula.parse(f"True {sign} False").evaluate({}) for sign in ("and", "or", "xor")] == [
        False,
        True,
        True,
    ]
    assert Formula.parse("cat(x, x, dim=0)").evaluate(space).shape == (2, 2)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("x + yy", "a formula with 'yy'\n  there is no value of this name here (did you mean 'y'?)"),
        ("sinn(x)", "a formula with 'sinn'\n  there is no function of this name here (did you mean 'sin'?)"),
        (
            "a with a[0] = y",
            "a with a[0] = y\n  this says what was written into a value, and has no value of its own",
        ),
        ("x.__reduce__()", "__reduce__\n  names that begin with _ are no part of a formula"),
        ("1 / 0", "1 / 0\n  there is no division by zero among numbers"),
        ("9**9**9", "9 ** 387420489\n  the result is too large for a number"),
        ("1 << 10**9", "1 << 1000000000\n  the result is too large for a number"),
        ("(-8)**(1/3)", "-8 ** 0.3333333333333333\n  a root of a negative number is no real number"),
        ("1.5 & 2", "1.5 & 2\n  this is for whole numbers, and a shift for one that is not negative"),
    ],
)  # fmt: skip
def test_what_has_no_value(formula: str, message: str) -> None:
    space = {"x": 1.0, "y": 2.0, "sin": torch.sin}
    with pytest.raises(ArgumentError) as caught:
        Formula.parse(formula).evaluate(space)
    assert caught.value.summary == message


def test_an_error_knows_the_part_that_failed() -> None:
    x = torch.ones(2, 3)
    formula = Formula.parse("1 + sum(x @ x)")
    with pytest.raises(torch.ShapeError) as caught:
        formula.evaluate({"x": x, "sum": torch.sum})
    assert vars(caught.value)["place"] == (8, 13)
