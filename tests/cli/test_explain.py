"""`chainrule explain`: what it prints and writes, and what it says to those who mistype."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

import chainrule as torch
from chainrule.cli.explain import guarded
from chainrule.cli.output import Output
from chainrule.explain import explain
from chainrule.explain.expression import Expression

from .conftest import Call, listing

MODES = "must be one of both, forward, reverse"
LAYOUTS = "must be one of numerator, denominator"
UNREAD = "the expression cannot be read"
EXAMPLE = "log(x1) + x1*x2 - sin(x2)"
TITLE = "f(x1, x2) = ln(x1) + x1·x2 − sin(x2) at x1 = 2, x2 = 5"


def columns(text: str) -> list[list[str]]:
    """Lines as words, with single blanks: columns may be as wide as they like."""
    return [line.split() for line in text.splitlines()]


def rows(text: str, title: str) -> dict[str, str]:
    """The lines of one table by their first word, with the minus of the keyboard."""
    lines = text.replace("−", "-").split(f"\n{title}\n")[1].split("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: " ".join(line.split()) for line in lines if line.strip()}


def test_the_worked_example_of_the_course(call: Call) -> None:
    result = call("explain", EXAMPLE, "--at", "x1=2,x2=5")
    assert result.status == 0
    assert result.err == ""
    assert result.out.startswith(f"{TITLE}\n")
    values = rows(result.out, "Values")
    assert values["v1"] == "v1 = ln(x1) = ln(2) 0.6931"
    assert values["v2"] == "v2 = x1·x2 = 2·5 10"
    assert values["v3"] == "v3 = sin(x2) = sin(5) -0.9589"
    assert values["v4"] == "v4 = v1 + v2 = 0.6931 + 10 10.6931"
    assert values["f"] == "f = v4 - v3 = 10.6931 - (-0.9589) 11.6521"
    forward = rows(result.out, "Forward mode")
    assert forward["df"] == "df = dv4 - dv3 5.5 - 0 = 5.5 2 - 0.2837 = 1.7163 difference rule"
    reverse = rows(result.out, "Reverse mode")
    assert " = 5.5 " in reverse["∂f/∂x1"]
    assert " = 1.7163 " in reverse["∂f/∂x2"]
    gradient = rows(result.out, "Gradient")
    assert gradient["x1"] == "x1 5.5 5.5 5.5 agree"
    assert gradient["x2"] == "x2 1.7163 1.7163 1.7163 agree"
    assert "2.283" not in result.out


def test_it_prints_what_python_gives(call: Call) -> None:
    result = call("explain", EXAMPLE, "--at", "x1=2", "--at", "x2=5", "--mode", "reverse")
    f = Expression(EXAMPLE)
    text = explain(f, 2.0, 5.0, mode="reverse").text()
    assert columns(result.out)[2:] == columns(text)[2:]
    assert "Forward mode\n" not in result.out


def test_modes(call: Call) -> None:
    for mode, shown in {"both": (True, True), "forward": (True, False), "reverse": (False, True)}.items():
        out = call("explain", "x*y", "--at", "x=2,y=3", "--mode", mode).out
        assert tuple(f"\n{title} mode\n" in out for title in ("Forward", "Reverse")) == shown


def test_matrices_and_layouts(call: Call) -> None:
    arguments = ("explain", "sum((X @ w - y)**2)", "--at", "X=[[1,2],[3,4]], w=[1,1]", "--at", "y=[0,1]")
    for layout in ("numerator", "denominator"):
        result = call(*arguments, "--layout", layout)
        assert result.status == 0
        assert f"in {layout} layout" in result.out
        # 2 Xᵀ(Xw − y), with Xw − y = (3, 6)
        assert rows(result.out, "Gradient")["w"] == "w [42, 60] [42, 60] [42, 60] agree"


def test_an_expression_may_begin_with_a_minus(call: Call) -> None:
    result = call("explain", "-x**2", "--at", "x=3")
    assert result.status == 0
    assert rows(result.out, "Gradient")["x"] == "x -6 -6 -6 agree"
    assert guarded(["explain", "-h"]) == ["explain", "-h"]
    assert guarded(["explain", "--at", "x=1", "-(x)"]) == ["explain", "--at", "x=1", " -(x)"]


def test_a_caret_is_read_as_a_power(call: Call) -> None:
    result = call("explain", "x^2", "--at", "x=3")
    assert result.out.startswith(
        "note      ^ was read as a power, which Python writes **\nf(x) = x² at x = 3\n"
    )


def test_files_are_written(call: Call, folder: Path) -> None:
    result = call("explain", EXAMPLE, "--at", "x1=2,x2=5", "--html", "out.html", "--markdown", "out.md")
    assert result.out.endswith("Written   out.html\nWritten   out.md\n")
    assert listing(folder) == ["out.html", "out.md"]
    page = (folder / "out.html").read_text(encoding="utf-8")
    assert "1.7163" in page
    assert "<script" not in page
    text = (folder / "out.md").read_text(encoding="utf-8")
    assert r"\ln x_{1}" in text
    assert "1.7163" in text


def test_quiet(call: Call, folder: Path) -> None:
    result = call("explain", "x^2", "--at", "x=3", "--html", "out.html", "--quiet")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert listing(folder) == ["out.html"]


def test_a_long_expression_is_no_title(call: Call) -> None:
    names = [f"x{n}" for n in range(30)]
    out = call("explain", " + ".join(names), "--at", ",".join(f"{name}=1" for name in names)).out
    assert " = x0 + x1" not in out.splitlines()[0]


def test_a_stream_without_signs_of_mathematics() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii")
    Output(stream).document("∂f/∂x1 = 2·x1² − √π ≥ 0", None)
    assert buffer.getvalue() == b"df/dx1 = 2*x1^2 - sqrtpi >= 0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("log(x1)*x2",), "the values of x1 and x2 are missing: where to explain it? as in --at x1=1,x2=2"),
        (("x*y*z", "--at", "y=1"), "--at gives no value for x and z"),
        (("x1*x2", "--at", "x1=2,x2=5,x3=1"), "--at gives x3, but the variables are x1 and x2"),
        (("a1*x", "--at", "x=2,a=5"), "--at gives a, but the variables are a1 and x; did you mean a1?"),
        (("x*y", "--at", "x=2,y=5", "--at", "y=1"), "--at gives y twice"),
        (("x*e", "--at", "x=2,e=5"), "--at gives e, but the variables are x"),
        (("x", "--at", "x=1/0"), "--at x=1/0: 1 / 0; there is no division by zero among numbers"),
        (("x", "--at", "x=1", "--mode", "backward"), f"--mode {MODES}, not 'backward'"),
        (("x", "--at", "x=1", "--mode", "revers"), f"--mode {MODES}, not 'revers'; did you mean reverse?"),
        (("x", "--at", "x=1", "--layout", "rows"), f"--layout {LAYOUTS}, not 'rows'"),
        (("x", "--at", "x=1", "--html", "out.txt"), "--html must name a .html file, not 'out.txt'"),
        (("x", "--at", "x=1", "--markdown", "out"), "--markdown must name a .md file, not 'out'"),
        (("x", "--att", "x=1"), "there is no option --att; did you mean --at?"),
        (("x", "y", "--at", "x=1"), "chainrule explain does not take 'y' as well"),
        ((), "the following arguments are required: EXPRESSION; see chainrule explain --help"),
    ],
)  # fmt: skip
def test_a_wrong_command_line(call: Call, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = call("explain", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err == f"chainrule: error: {message}\n"
    assert listing(folder) == []


@pytest.mark.parametrize(
    ("expression", "at", "message", "carets"),
    [
        ("logg(x1)", "x1=1", f"{UNREAD}: there is no function 'logg' (did you mean 'log'?)", "^^^^"),
        ("2x1 + 1", "x1=1", f"{UNREAD}: a sign is missing between '2' and 'x1'; try: 2*x1", "^^^"),
        ("log(x1", "x1=1", f"{UNREAD}: '(' is never closed", "   ^"),
        ("open('f')*x", "x=1", f"{UNREAD}: text in quotes has no place in a formula", "     ^"),
        ("9**9**9*x", "x=1", "9 ** 387420489; the result is too large for a number", "^^^^^^^"),
        (
            "1 + x @ w",
            "x=[1,2,3],w=[1,2]",
            "torch.dot got vectors of 3 and 2 elements; both must have the same number of elements",
            "    ^^^^^",
        ),
    ],
)
def test_a_problem_is_shown_in_its_place(
    call: Call, expression: str, at: str, message: str, carets: str
) -> None:
    result = call("explain", expression, "--at", at)
    assert (result.status, result.out) == (2, "")
    assert result.err == f"chainrule: error: {message}\n  {expression}\n  {carets}\n"


@pytest.mark.parametrize(
    ("at", "message", "carets"),
    [
        ("x1=1;x2=2", "';' has no place in a formula", "    ^"),
        (
            "1,2",
            "the name of a variable is missing before this value; try: x1=2,x2=5; decimals with a point: 0.5",
            "^",
        ),
    ],
)
def test_a_problem_with_the_values_is_shown_in_its_place(
    call: Call, at: str, message: str, carets: str
) -> None:
    result = call("explain", "x1*x2", "--at", at)
    assert (result.status, result.out) == (2, "")
    assert result.err == f"chainrule: error: --at cannot be read: {message}\n  {at}\n  {carets}\n"


def test_nothing_to_read(call: Call) -> None:
    result = call("explain", "", "--at", "x=1")
    assert result.err == "chainrule: error: the expression cannot be read: there is nothing to read\n"
    result = call("explain", "x*2", "--at", "")
    assert result.err == "chainrule: error: --at cannot be read: there is nothing to read\n"


def test_a_file_that_cannot_be_written(call: Call) -> None:
    result = call("explain", "x*2", "--at", "x=1", "--html", os.path.join("nowhere", "out.html"), "--quiet")
    assert result.status == 1
    assert result.err == "chainrule: error: cannot write 'nowhere/out.html': no such folder\n"


def test_values_are_float64() -> None:
    assert Expression("x/3")(1).dtype == torch.float64


def test_the_help_names_every_option(call: Call) -> None:
    result = call("explain", "--help")
    assert result.status == 0
    for word in ("EXPRESSION", "--at", "--mode", "--layout", "--html", "--markdown", "--quiet"):
        assert word in result.out
