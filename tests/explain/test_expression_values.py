"""Values that people type for variables."""

from __future__ import annotations

import math
from typing import Any

import pytest

from chainrule.core.errors import ArgumentError
from chainrule.explain.expression_values import read_values
from chainrule.explain.formula import FormulaError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x1=2,x2=5", {"x1": 2, "x2": 5}),
        (" x = -1e-3 , y = +.5 ", {"x": -1e-3, "y": 0.5}),
        ("x=[1,2], w=[[1, 2], [3, -4.5]]", {"x": [1, 2], "w": [[1, 2], [3, -4.5]]}),
        ("w=([1,2],[3,4])", {"w": [[1, 2], [3, 4]]}),
        ("x=pi/4,y=2*sqrt(2),z=e^2", {"x": math.pi / 4, "y": 2 * math.sqrt(2), "z": math.e**2}),
    ],
)
def test_values(text: str, wanted: dict[str, Any]) -> None:
    found = read_values(text)
    assert found == wanted
    assert list(found) == list(wanted)


NAME = "the name of a variable is missing before this value"
ROWS = "rows of one length"
EXAMPLE = "x1=2,x2=5; decimals with a point: 0.5"


@pytest.mark.parametrize(
    ("text", "carets", "problem", "hint"),
    [
        ("", "", "there is nothing to read", ""),
        ("2,5", "^", NAME, EXAMPLE),
        ("x=0,5", "    ^", NAME, EXAMPLE),
        ("x", "^", NAME, EXAMPLE),
        ("x==2", "^^^^", NAME, EXAMPLE),
        ("ln(2)=3", "^^^^^", "this is no name for a variable", ""),
        ("=2", "^", "something is missing before '='", ""),
        ("x=", " ^", "something is missing after '='", ""),
        ("x=1,", "   ^", "something is missing after ','", ""),
        ("x=1 y=2", "  ^^^", "a comma is missing between '1' and 'y'", ""),
        ("x=1;y=2", "   ^", "';' has no place in a formula", ""),
        ("x:2", " ^", "':' has no place here", ""),
        ("x=1,x=2", "      ^", "x is given twice", ""),
        ("x=y", "  ^", "'y' is no number", ""),
        ("x=inf", "  ^^^", "'inf' is no number", ""),
        ("x=True", "  ^^^^", "True has no place here", "1 or 0"),
        ("x='a'", "  ^", "text in quotes has no place in a formula", ""),
        ("x=a.b", "  ^^^", "'a.b': a point after a name has no place here",
         "x.T for the transpose of a matrix; functions are called: sum(x)"),
        ("x=open(1)", "  ^^^^", "there is no function 'open'", ""),
        ("x=1 < 2", "  ^^^^^", "this is no number", ""),
        ("x=[1,2", "  ^", "'[' is never closed", ""),
        ("x=1)", "   ^", "')' closes nothing", ""),
        ("x=[]", "  ^^", "there is nothing between the brackets", ""),
        ("x=[[1,2],[3]]", "         ^^^", "this has the shape (1,), the first one (2,)", ROWS),
        ("x=[1,[2]]", "     ^^^", "this has the shape (1,), the first one ()", ROWS),
        ("x=[1:2]", "    ^", "':' has no place here", ""),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, carets: str, problem: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read_values(text)
    err = caught.value
    assert (err.problem, err.hint) == (problem, hint)
    assert err.excerpt == (f"{text}\n{carets}" if text else "")


def test_numbers_that_are_none() -> None:
    with pytest.raises(ArgumentError, match="there is no division by zero among numbers"):
        read_values("x=1/0")
