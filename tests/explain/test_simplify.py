"""Derivatives as one would write them."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule.explain.formula import Formula
from chainrule.explain.matrix import shape_of
from chainrule.explain.phrases import evaluate
from chainrule.explain.simplify import simplified

SPACE = {
    "x": torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64),
    "y": torch.tensor([0.5, -2.0, 4.0], dtype=torch.float64),
    "X": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], dtype=torch.float64),
    "s": torch.tensor(1.5, dtype=torch.float64),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1/8*ones((3,))*x + 1/8*ones((3,))*x", "1/4*x"),
        ("2*(3*x)", "6*x"),
        ("x - x", "0"),
        ("x + y - x", "y"),
        ("-(2*x) - 3*x", "-5*x"),
        ("x/2 + x/3", "5/6*x"),
        ("0.01*x + 0.01*x", "0.02*x"),
        ("(1/3*X) @ (6*x)", "2*(X @ x)"),
        ("(2*X).T", "2*X.T"),
        ("(2*X.T).T", "2*X"),
        ("sum(x*3)", "3*sum(x)"),
        ("sum(4*X, dim=0)", "4*sum(X, dim=0)"),
        ("ones((3,))*s", "ones((3,))*s"),
        ("ones((3,))*s*x", "s*x"),
        ("ones((2, 1))*X", "X"),
        ("(1/2*s*ones((2,))).unsqueeze(1)*X", "1/2*s*X"),
        ("x/(2*s)", "1/2*(x/s)"),
        ("1/s*x", "1/s*x"),
        ("1/5*x/4", "1/20*x"),
        ("exp(2*x + 3*x)", "exp(5*x)"),
        ("(x + y)*2", "2*(x + y)"),
        ("1/3*1/7*1/11*1/13*x", "0.000333000333000333*x"),
    ],
)
def test_forms(text: str, wanted: str) -> None:
    formula = Formula.parse(text)
    found = simplified(formula, lambda node: shape_of(node, SPACE))
    assert str(found) == wanted
    with torch.no_grad():
        same = np.asarray(evaluate(formula, SPACE))
        np.testing.assert_allclose(np.asarray(evaluate(found, SPACE)) + 0 * same, same, rtol=1e-12)


def test_a_shape_that_is_not_known_keeps_the_ones() -> None:
    assert (
        str(simplified(Formula.parse("ones((3,))*q"), lambda node: shape_of(node, SPACE))) == "ones((3,))*q"
    )
