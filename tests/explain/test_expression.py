"""Expressions that people type: what they compute, what is refused and how, and that nothing gets out."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.explain.expression import Expression
from chainrule.explain.expression_words import words
from chainrule.explain.formula import FormulaError
from chainrule.explain.formula import tree as t
from chainrule.explain.recording import record
from chainrule.ops.primitive import ELEMENTWISE, TABLE


def at(value: Any) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_the_worked_example() -> None:
    f = Expression("log(x1) + x1*x2 - sin(x2)")
    assert f.source == "log(x1) + x1*x2 - sin(x2)"
    assert f.parameters == ("x1", "x2")
    assert str(inspect.signature(f)) == "(x1, x2)"
    assert repr(f) == "Expression('log(x1) + x1*x2 - sin(x2)')"
    assert f.__name__ == "f"
    x1, x2 = at(2.0).requires_grad_(), at(5.0).requires_grad_()
    y = f(x1, x2)
    y.backward()
    assert y.item() == pytest.approx(math.log(2) + 10 - math.sin(5), rel=1e-15)
    assert x1.grad.item() == pytest.approx(5.5, rel=1e-15)
    assert x2.grad.item() == pytest.approx(2 - math.cos(5), rel=1e-15)
    assert f(2, x2=5).item() == y.item()


X = np.array([[0.5, 2.0], [0.25, 1.5]])
V = np.array([0.75, 3.0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x^2 + 2*x", X**2 + 2 * X),
        ("2^-1 * x", 0.5 * X),
        ("-x^2", -(X**2)),
        ("x² − 3·x", X**2 - 3 * X),
        ("|x - 1| + π", abs(X - 1) + math.pi),
        ("e**x / e", np.exp(X - 1)),
        ("ln(x) + arcsin(x/2)", np.log(X) + np.arcsin(X / 2)),
        ("sqrt(2)*x + 1/3", math.sqrt(2) * X + 1 / 3),
        ("log(2)*log10(1000)*x", math.log(2) * 3 * X),
        ("max(x, 1) + min(0, x - 1)", np.maximum(X, 1) + np.minimum(0, X - 1)),
        ("max(x) - min(x)", X.max() - X.min()),
        ("max(x, dim=0)", X.max(axis=0)),
        ("where(x > 1, x, 0)", np.where(X > 1, X, 0)),
        ("(x >= 1)*x", (X >= 1) * X),
        ("relu(1 - x)", np.maximum(1 - X, 0)),
        ("clamp(x, 0.4, max=1)", np.clip(X, 0.4, 1)),
        ("atan2(x, 2) + pow(x, 2)", np.arctan2(X, 2) + X**2),
        ("x @ v", X @ V),
        ("x.T @ x", X.T @ X),
        ("x.sum() + x.mean(dim=1)", X.sum() + X.mean(axis=1)),
        ("||v||", np.linalg.norm(V)),
        ("norm(v, 1) + norm(v, p=2)", abs(V).sum() + np.linalg.norm(V)),
        ("sum(x, dim=(0, 1))", X.sum()),
        ("sum(x, 0, True)", X.sum(axis=0, keepdims=True)),
        ("sum(x, dim=-1, keepdim=True)", X.sum(axis=-1, keepdims=True)),
        ("dot(v, v) * det(x)", V @ V * np.linalg.det(X)),
        ("solve(x, v)", np.linalg.solve(X, V)),
        ("softmax(v, dim=0)", np.exp(V) / np.exp(V).sum()),
        ("x[0, 1] + v[-1]**2", X[0, 1] + V[-1] ** 2),
        ("x[:, 0] + x[..., 1]", X[:, 0] + X[..., 1]),
        ("cat([v, v[0:1]])", np.concatenate([V, V[:1]])),
        ("stack([v, 2*v], dim=1)", np.stack([V, 2 * V], axis=1)),
        ("mse_loss(x @ v, v)", ((X @ V - V) ** 2).mean()),
        ("mse_loss(v[0], 1) + dot(v, v)", (V[0] - 1) ** 2 + V @ V),
        ("x % 1 + x // 1", X),
    ],
)  # fmt: skip
def test_values(text: str, wanted: Any) -> None:
    f = Expression(text)
    got = f(**{name: at({"x": X, "v": V}[name]) for name in f.parameters})
    assert got.dtype == torch.float64
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-14)


def test_a_caret_is_a_power_and_that_is_said() -> None:
    assert Expression("x^2").notes == ("^ was read as a power, which Python writes **",)
    assert Expression("x**2").notes == ()


def test_it_is_computed_as_by_hand_and_equal_parts_once() -> None:
    f = Expression("log(x1) + x1*x2 - sin(x2) + exp(log(x1))")
    program, _ = record(f, [at(2.0), at(5.0)])
    assert [step.op.formula for step in program.steps] == [
        "log(x)", "x * y", "sin(x)", "x + y", "exp(x)", "x - y", "x + y",
    ]  # fmt: skip


TRANSPOSE = "x.T for the transpose of a matrix"
BOTH = "a product of comparisons: (x > 0)*(x < 1)"
LETTER = "a name that begins with a letter"

# the text, carets under the place, the problem, what to try
REFUSED = [
    ("x.__class__", "^^^^^^^^^^^", "'x.__class__': a point after a name has no place here",
     f"{TRANSPOSE}; functions are called: sum(x)"),
    ("x.T.__class__", "^^^^^^^^^^^^^", ".__class__ has no place in an expression", TRANSPOSE),
    ("(x + 1).data", "^^^^^^^^^^^^", ".data has no place in an expression", TRANSPOSE),
    ("x.__reduce__()", "  ^^^^^^^^^^", "'__reduce__' has no place in an expression", ""),
    ("x.numpy()", "  ^^^^^", "there is no function 'numpy'", ""),
    ("eval(x)", "^^^^", "there is no function 'eval'", ""),
    ("__import__(x)", "^^^^^^^^^^", "there is no function '__import__'", ""),
    ("open(x)", "^^^^", "there is no function 'open'", ""),
    ("x + logg(x)", "    ^^^^", "there is no function 'logg' (did you mean 'log'?)", ""),
    ("x.summ()", "  ^^^^", "there is no function 'summ' (did you mean 'sum'?)", ""),
    ("sіn(x)", "^^^", "there is no function 'sіn' (did you mean 'sin'?)", ""),
    ("x(y + 1)", "^", "there is no function 'x'", "x*(y + 1), if a product is meant"),
    ("log x", "^^^^^", "brackets are missing after 'log'", "log(x)"),
    ("sin", "^^^", "'sin' is a function", "sin(x)"),
    ("sin*x", "^^^", "'sin' is a function", "sin(x)"),
    ("sin(x, y)", "^^^", "sin takes 1 argument, not 2", "sin(x)"),
    ("x + atan2(x)", "    ^^^^^", "atan2 takes 2 arguments, not 1", "atan2(x, y)"),
    ("x.sum(0, True, 1)", "  ^^^", "sum takes 1 to 3 arguments, not 4", "sum(input)"),
    ("mean(x, dmi=0)", "^^^^", "mean has no setting 'dmi' (did you mean 'dim'?)", "one of dim, keepdim"),
    ("sin(x, dim=0)", "^^^", "sin has no setting 'dim'", "sin(x)"),
    ("sum(x, 0, dim=0)", "^^^", "sum is given dim twice", "dim=... once"),
    ("sum(x, dim=y)", "           ^", "dim must be a number, True or False", "dim=0"),
    ("sum(*x)", "    ^^", "'*' before an argument has no place here", ""),
    ("x[y]", "  ^", "a place in a tensor is said by whole numbers", "x[0], x[1:3], x[..., 0]"),
    ("[x, y]", "^^^^^^", "this has no place in an expression", ""),
    ("x if x > 0 else 0", "^^^^^^^^^^^^^^^^^", "'if' has no place in an expression", "where(x > 0, x, 0)"),
    ("x > 0 and x < 1", "^^^^^^^^^^^^^^^", "'and' has no place in an expression", BOTH),
    ("x < 0 or x > 1", "^^^^^^^^^^^^^^", "'or' has no place in an expression", "maximum(x < 0, x > 1)"),
    ("x xor y", "^^^^^^^", "'xor' has no place in an expression", "!="),
    ("not x", "^^^^^", "'not' has no place in an expression", "1 - x"),
    ("x & y", "^^^^^", "'&' has no place in an expression", BOTH),
    ("x | y", "^^^^^", "'|' has no place in an expression", "maximum(x < 0, x > 1)"),
    ("x << 2", "^^^^^^", "'<<' has no place in an expression", "a power of 2: x*2**n"),
    ("x >> 2", "^^^^^^", "'>>' has no place in an expression", "a power of 2: x/2**n"),
    ("~x", "^^", "'~' has no place in an expression", "1 - x"),
    ("True*x", "^^^^", "True has no place here", "1 or 0"),
    ("None", "^^^^", "None has no place here", "1 or 0"),
    ("x > 0", "^^^^^", "the result is true or false, and has no derivative", "where(x > 0, x, 0)"),
    ("log(2)", "^^^^^^", "there is no variable in this expression, so nothing to differentiate by",
     "a name where a value may change: x"),
    ("_x + 1", "^^", "'_x' is no name for a variable", LETTER),
    ("... + 1", "^^^", "'...' is no name for a variable", LETTER),
    ("α*x", "^", "'α' has a letter that is not on the keyboard: greek small letter alpha", "alpha"),
    ("2*х", "  ^", "'х' has a letter that is not on the keyboard: cyrillic small letter ha",
     "a letter from a to z"),
    ("f(x) = x**2", "     ^", "'=' has no place here", "only what stands right of it: x**2"),
    ("lambda x: x", "^^^^^^", "'lambda' has no place in a formula", ""),
    ("[y for y in x]", "   ^^^", "'for' has no place in a formula", ""),
    ("(y := 3)*x", "   ^", "':' has no place here", ""),
    ('f"{x}"', " ^", "text in quotes has no place in a formula", ""),
    ("x; y", " ^", "';' has no place in a formula", ""),
    ("1_000*x", "^^^^^", "a sign is missing between '1' and '_000'", ""),
    ("x" * 1_001, "^", "the expression has 1,001 letters, more than the 1,000 that are read", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "carets", "problem", "hint"), REFUSED, ids=[r[0][:30] for r in REFUSED])
def test_what_is_refused(text: str, carets: str, problem: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        Expression(text)
    err = caught.value
    assert (err.problem, err.hint) == (problem, hint)
    assert err.excerpt.splitlines()[1] == carets


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("9**9**9*x", "9 ** 387420489\n  the result is too large for a number", (0, 7)),
        ("x**9**9**9", "9 ** 387420489\n  the result is too large for a number", (3, 10)),
        ("10.0**400*x", "10.0 ** 400\n  the result is too large for a number", (0, 9)),
        ("x + 1/(1 - 1)", "1 / 0\n  there is no division by zero among numbers", (4, 13)),
        ("(-1)**0.5*x", "-1 ** 0.5\n  a root of a negative number is no real number", (0, 9)),
    ],
)
def test_numbers_that_are_none(text: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(ArgumentError) as caught:
        Expression(text)(1.0)
    assert caught.value.summary == message
    assert vars(caught.value)["place"] == place


def test_large_whole_numbers_are_decimals() -> None:
    assert Expression("2**1000*x")(1.0).item() == 2.0**1000
    assert Expression("9999999999999999*9999999999999999*x")(1.0).item() == 9999999999999999.0**2


def test_missing_and_extra_values() -> None:
    f = Expression("x1*x2")
    for values in ((), (1,), (1, 2, 3)):
        with pytest.raises(ArgumentError) as caught:
            f(*values)
        count = f"{len(values)} value{'s' * (len(values) != 1)}"
        assert caught.value.summary == f"x1*x2 got {count}\n  it has the variables x1, x2"
    with pytest.raises(ArgumentError, match="it has the variables x1, x2"):
        f(1, y=2)


def test_shapes_that_do_not_fit_are_shown_in_place() -> None:
    with pytest.raises(torch.ShapeError) as caught:
        Expression("1 + x @ w")(at([1.0, 2.0]), at([1.0, 2.0, 3.0]))
    assert vars(caught.value)["place"] == (4, 9)


def test_depth_is_no_problem() -> None:
    assert Expression("+".join(["x"] * 200))(2).item() == 400
    assert Expression("-" * 199 + "x")(2).item() == -2


def test_every_elementwise_op_with_a_derivative_can_be_called() -> None:
    plain = [n for n, op in TABLE.items() if op.kind == ELEMENTWISE and op.differentiable]
    settings_ = [n for n in plain if any(sample.settings for sample in TABLE[n].samples)]
    assert set(plain) - set(settings_) <= set(words())
    assert len(plain) - len(settings_) > 40


def test_a_function_of_numbers_is_a_number() -> None:
    for name in words().keys() & TABLE.keys():
        word = words()[name]
        if TABLE[name].kind == ELEMENTWISE and not word.optional:
            assert isinstance(word(*[0.5 for _ in word.required]), float), name
    assert words()["softplus"](0.5) == pytest.approx(math.log1p(math.exp(0.5)))


@given(
    st.text("x12.()[]*_,:=+-^|eTsin ", max_size=25)
    | st.lists(
        st.sampled_from(
            ["x", "__class__", "__globals__", ".", "(", ")", "[0]", "sum", "log", ",", "lambda", ":", "*",
             "**", "9", "getattr", "'a'", "import", "os", "=", "|", "if", "else", "for", "in", ".T", "@", "f"]
        ),
        max_size=10,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=600)
def test_anything_that_is_read_calls_only_known_functions(text: str) -> None:
    f = attempt(text)
    if f is None:
        return
    assert set(f.formula.functions) <= set(words())
    assert all(name.isidentifier() and not name.startswith("_") for name in f.parameters)
    for node in t.walk(f.formula.tree):
        assert not (isinstance(node, t.Attribute) and node.name not in ("T", "mT"))
        assert not (isinstance(node, t.Call) and node.of is not None)


def attempt(text: str) -> Expression | None:
    """The expression, or None if it is refused in the right way."""
    try:
        return Expression(text)
    except FormulaError:
        return None


def test_no_text_is_evaluated_by_python() -> None:
    import chainrule.explain.formula as package

    assert package.__file__ is not None
    folder = Path(package.__file__).parent
    files = [*folder.glob("*.py"), *folder.parent.glob("expression*.py")]
    assert len(files) > 10
    for path in files:
        source = path.read_text(encoding="utf-8")
        assert "eval(" not in source, path
        assert "exec(" not in source, path
        assert "compile(" not in source.replace("re.compile(", ""), path
