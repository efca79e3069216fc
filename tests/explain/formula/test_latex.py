"""Formulas and names in LaTeX. That matplotlib can set them is tested in `test_properties.py`."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from chainrule.explain.formula import Formula, latex_name

CASES = [
    ("log(x1) + x1*x2 - sin(x2)", r"\ln x_{1} + x_{1} x_{2} - \sin x_{2}"),
    ("1 / x1", r"\frac{1}{x_{1}}"),
    ("-x / y**2", r"-\frac{x}{y^{2}}"),
    ("(a + b)*c", r"\left(a + b\right) c"),
    ("a*(b*c)", "a b c"),
    ("a + (b - c)", "a + b - c"),
    ("a - (b - c)", r"a - \left(b - c\right)"),
    ("a + (-b)", r"a + \left(-b\right)"),
    ("a*(-2)", r"a \left(-2\right)"),
    ("-2*a", "-2 a"),
    ("a*3", r"a \cdot 3"),
    ("2*(1/3)", r"2 \cdot \frac{1}{3}"),
    ("x**y**z", "x^{y^{z}}"),
    ("(x/y)**2", r"\left(\frac{x}{y}\right)^{2}"),
    ("x**-1.5", "x^{-1.5}"),
    ("exp(-x**2)", "e^{-x^{2}}"),
    ("exp(x)**2", r"\left(e^{x}\right)^{2}"),
    ("sqrt(x + 1)", r"\sqrt{x + 1}"),
    ("tanh(x)**2", r"\tanh^{2}\left(x\right)"),
    ("sin(x)**n", r"\left(\sin x\right)^{n}"),
    ("cos(x)*y", r"\cos\left(x\right) y"),
    ("y*cos(x)", r"y \cos x"),
    ("log(2.0e30)", r"\ln\left(2 \cdot 10^{30}\right)"),
    ("1e-7*x", "10^{-7} x"),
    ("g @ y.mT", r"g y^{\top}"),
    ("(a @ b).T", r"\left(a b\right)^{\top}"),
    ("(a @ b)*c", r"\left(a b\right) c"),
    ("inv(out).mT @ g", r"\left(\mathrm{out}^{-1}\right)^{\top} g"),
    ("|x| + ||x|| + norm(x, 1)", r"\left|x\right| + \left\|x\right\| + \left\|x\right\|_{1}"),
    ("sum(|x|**p) ** (1/p)", r"\left(\sum \left|x\right|^{p}\right)^{\frac{1}{p}}"),
    ("sum(x + y)*z", r"\left(\sum \left(x + y\right)\right) z"),
    ("x.sum()", r"\sum x"),
    ("(x > 0)*g", r"\left[x > 0\right] g"),
    ("(x == y)/2", r"\frac{\left[x = y\right]}{2}"),
    ("x // y", r"\left\lfloor \frac{x}{y}\right\rfloor"),
    ("x % y", r"x \;\mathrm{mod}\; y"),
    ("not x and y <= 1", r"\neg x \wedge y \leq 1"),
    ("x[k - 1] + v1[0]", r"x_{k - 1} + v_{1}\left[0\right]"),
    ("x if c else y", r"x \text{ if } c \text{ else } y"),
    ("loss*x", r"\mathrm{loss} \, x"),
    ("polygamma(x, n=n + 1)", r"\psi^{\left(n + 1\right)}\left(x\right)"),
    ("mean(x, dim=0)", r"\operatorname{mean}\left(x, \mathrm{dim}=0\right)"),
    ("x with x[...] += y", r"x \text{ with } x_{\ldots} {+}{=} y"),
    ("a % b*c", r"\left(a \;\mathrm{mod}\; b\right) c"),
    ("f(*k, (1,), True)", r"\operatorname{f}\left(k, \ldots, \left(1,\right), \mathrm{True}\right)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_latex(text: str, wanted: str) -> None:
    assert Formula.parse(text).latex() == wanted
    MathTextParser("path").parse(f"${wanted}$")


def test_elements_and_matrices_are_multiplied_with_different_signs() -> None:
    formula = Formula.parse("2*g*x @ w")
    assert formula.latex() == r"\left(2 g x\right) w"
    assert formula.latex(tensors=True) == r"\left(2 g \odot x\right) w"


def test_names_can_be_written_in_another_way() -> None:
    numbers = {"x1": "2", "x2": "5"}
    assert Formula.parse("x1*x2 - sin(x2)*x1").latex(names=numbers.__getitem__) == (
        r"2 \cdot 5 - \sin\left(5\right) \cdot 2"
    )


def test_decimals_can_be_cut() -> None:
    assert Formula.parse("0.28366218546322625*x").latex(digits=4) == "0.2837 x"


NAMES = [
    ("x", "x"), ("x1", "x_{1}"), ("v12", "v_{12}"), ("x_hat", r"\hat{x}"), ("v1_bar", r"\bar{v}_{1}"),
    ("w_train_2", r"w_{\mathrm{train},2}"), ("theta", r"\theta"), ("theta_0", r"\theta_{0}"),
    ("sigma2", r"\sigma_{2}"), ("Omega", r"\Omega"), ("lambda_", r"\lambda"), ("α", r"\alpha"),
    ("x_β", r"x_{\beta}"),
    ("loss", r"\mathrm{loss}"), ("fc1", r"\mathrm{fc}_{1}"), ("W_xh", r"W_{\mathrm{xh}}"), ("x'", "x'"),
    ("encoder.fc1.weight", r"\mathrm{encoder.fc1.weight}"), ("a_b.c_d", r"\mathrm{a\_b.c\_d}"),
    ("0.weight", r"\mathrm{0.weight}"), ("net[0].bias", r"\mathrm{net[0].bias}"), ("_x", r"\mathrm{\_x}"),
    ("b_", r"\mathrm{b\_}"), ("权重", r"\text{权重}"), ("pi", r"\pi"), ("inf", r"\infty"), ("...", r"\ldots"),
    ("a{b}$c%", r"\mathrm{a\{b\}\$c\%}"), ("∂f/∂x1", r"\frac{\partial f}{\partial x_{1}}"),
    ("∂Σz/∂fc.weight", r"\frac{\partial \Sigma z}{\partial \mathrm{fc.weight}}"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted"), NAMES)
def test_names(name: str, wanted: str) -> None:
    assert latex_name(name) == wanted


def test_a_derivative_that_is_raised_is_in_brackets() -> None:
    formula = Formula.name("∂f/∂x") ** 2
    assert formula.latex() == r"\left(\frac{\partial f}{\partial x}\right)^{2}"
