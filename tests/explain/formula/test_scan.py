"""What is wrong with a text is said at its place, with what to write instead."""

from __future__ import annotations

import pytest

from chainrule.explain.formula import Formula, FormulaError
from chainrule.explain.formula.scan import DEEPEST, LONGEST, scan

# the text, carets under the place, the problem, what to try
REFUSED = [
    ("", "", "there is nothing to read", ""),
    ("log(x", "   ^", "'(' is never closed", ""),
    ("x)", " ^", "')' closes nothing", ""),
    ("f(x]", " ^^^", "'(' is closed by ']'", ""),
    ("|x + 1", "^", "'|' is never closed", ""),
    ("()", "^^", "there is nothing between the brackets", ""),
    ("a + [] * b", "    ^^", "there is nothing between the brackets", ""),
    ("2x + 1", "^^", "a sign is missing between '2' and 'x'", "2*x"),
    ("a + x1 x2", "    ^^^^^", "a sign is missing between 'x1' and 'x2'", "x1*x2"),
    ("2(x + 1)", "^^", "a sign is missing between '2' and '('", "2*(..."),
    ("(a)(b)", "  ^^", "a sign is missing between ')' and '('", ""),
    ("(a) b", "  ^^^", "a sign is missing between ')' and 'b'", ""),
    ("x not y", "^^^^^", "a sign is missing between 'x' and 'not'", ""),
    ("x + * y", "    ^", "something is missing between '+' and '*'", ""),
    ("* y", "^", "something is missing before '*'", ""),
    ("x +", "  ^", "something is missing after '+'", ""),
    ("(x + )", "     ^", "something is missing between '+' and ')'", ""),
    ("f(x,, y)", "    ^", "something is missing between ',' and ','", ""),
    ("x 2", "^^^", "a sign is missing between 'x' and '2'", "x*2"),
    ("x += 1", "^^^^^^", "this cannot be read", ""),
    ("x if y", "^^^^^^", "this cannot be read", ""),
    ("x, y", " ^", "a comma has no place here", ""),
    ("0,5", " ^", "a comma has no place here", "a point in numbers: 0.5"),
    ("x : y", "  ^", "':' has no place here", ""),
    ("x + ~= y", "     ^", "something is missing between '~' and '='", ""),
    ("a = b = c", "      ^", "'=' has no place here", "only what stands right of it: c"),
    ("(a = b)", "   ^", "'=' has no place here", ""),
    ("a =< b = c", "   ^", "something is missing between '=' and '<'", ""),
    ("a = b => c", "      ^", "'=' has no place here", ">="),
    ("x.", " ^", "a name must follow the point", ""),
    ("x. + y", " ^", "a name must follow the point", ""),
    ("²", "^", "'²' needs something before it", ""),
    ("x²ᵀ", "  ^", "it is not clear what this belongs to", "brackets: (x²)ᵀ"),
    ("x²**3", "  ^^", "it is not clear what this power belongs to", "brackets: (x²)**3"),
    ("x⁻", " ^", "'⁻' is no power", ""),
    ("1e999 + x", "^^^^^", "this number is too large", ""),
    ("lambda x: x", "^^^^^^", "'lambda' has no place in a formula", ""),
    ("[y for y in x]", "   ^^^", "'for' has no place in a formula", ""),
    ("x + 'a'", "    ^", "text in quotes has no place in a formula", ""),
    ("x; y", " ^", "';' has no place in a formula", ""),
    ("（x + 1）", "^", "'（' is not the '(' of the keyboard", "( instead"),
    ("x\u200b + 1", " ^", "'ZERO WIDTH SPACE' has no place in a formula", ""),
    ("x\x00", " ^", "'the character U+0000' has no place in a formula", ""),
    ("x ... y", "^^^^^", "a sign is missing between 'x' and '...'", ""),
    ("x < y < z", "^^^^^^^^^", "two comparisons in a row are not read", "one by one: (0 < x)*(x < 1)"),
    ("x || y", "  ^^", "'||' has no place here", ""),
    ("f(**x)", "  ^^", "something is missing between '(' and '**'", ""),
]


@pytest.mark.parametrize(("text", "carets", "problem", "hint"), REFUSED)
def test_what_is_refused(text: str, carets: str, problem: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        Formula.parse(text)
    err = caught.value
    shown = text.replace("\x00", " ").replace("\u200b", " ").rstrip()
    assert (err.problem, err.hint) == (problem, hint)
    assert err.excerpt == (f"{shown}\n{carets}" if text else "")
    lines = [
        problem,
        *(f"  {line}" for line in err.excerpt.splitlines()),
        *([f"  try: {hint}"] if hint else []),
    ]
    assert err.summary == "\n".join(lines)


def test_what_is_written_needs_a_place() -> None:
    with pytest.raises(FormulaError) as caught:
        Formula.parse("x with y")
    assert caught.value.excerpt == "x with y\n       ^"
    assert caught.value.problem == "after 'with' must stand what is written"
    assert caught.value.hint == "x with x[...] = y"


def test_a_long_text_is_shown_around_the_place() -> None:
    text = f"{'x + ' * 40}y z{' + x' * 40}"
    with pytest.raises(FormulaError) as caught:
        Formula.parse(text)
    line, carets = caught.value.excerpt.splitlines()
    assert len(line) in (77, 78)  # 72 letters, one of them perhaps a blank at the end
    assert line.startswith("...")
    assert line.endswith("...")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "y z"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x" * (LONGEST + 1), "the text has 10,001 letters, more than the 10,000 that are read"),
        ("(" * (DEEPEST + 1) + "x", "more than 50 brackets stand in each other here"),
        ("-" * 201 + "x", "this is deeper than 200 operations in each other"),
        ("-" * 9_999 + "x", "this is deeper than 200 operations in each other"),
        ("x**" * 3_000 + "x", "this is deeper than 200 operations in each other"),
        ("+".join(["x"] * 5_000), "this is deeper than 200 operations in each other"),
        ("not " * 2_000 + "x", "this is deeper than 200 operations in each other"),
        ("9" * 401, "this number is too large"),
    ],
    ids=lambda text: text[:8],
)
def test_nothing_is_too_long_or_too_deep(text: str, problem: str) -> None:
    with pytest.raises(FormulaError) as caught:
        Formula.parse(text)
    assert caught.value.problem == problem
    assert len(caught.value.summary) < 400


def test_what_is_just_not_too_deep() -> None:
    assert Formula.parse("+".join(["x"] * 200)).evaluate({"x": 1}) == 200
    assert Formula.parse("(" * DEEPEST + "x" + ")" * DEEPEST).text() == "x"


def test_every_byte_of_the_result_knows_its_letters() -> None:
    found = scan("θ² + |π|")
    assert found.python == "θ**2 + abs(pi)"
    where = [found.text[slice(*found.place(n, n + 1))] for n in range(len(found.python.encode()))]
    assert where == [*"θθ", *["²"] * 3, " ", "+", " ", *"||||", "π", "π", "|"]


def test_names_of_other_alphabets_are_names() -> None:
    assert Formula.parse("α_1*权重").names == ("α_1", "权重")
