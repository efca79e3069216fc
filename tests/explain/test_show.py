"""Derivations as Markdown, HTML, rich tables and files."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import chainrule as torch
from chainrule.explain import explain
from chainrule.explain.figures import amount, figure, figures
from chainrule.explain.formula import Formula
from chainrule.explain.show.maths import latex_of, name_latex
from chainrule.explain.show.tables import Cell
from chainrule.explain.show.text import columns
from tests.explain.programs import PROGRAMS


def f(x1: Any, x2: Any) -> Any:
    return torch.log(x1) + x1 * x2 - torch.sin(x2)


MARKDOWN = r"""### Forward mode

Tangents, from the inputs to f; one pass for each input.

|  | formula | ∂/∂x1 | ∂/∂x2 | rule |
|---|---|---|---|---|
| $\mathrm{d}x_{1}$ |  | 1 | 0 |  |
| $\mathrm{d}x_{2}$ |  | 0 | 1 |  |
| $\mathrm{d}v_{1}$ | $= \frac{1}{x_{1}} \, \mathrm{d}x_{1}$ | $\frac{1}{2} \cdot 1 = 0.5$ | 0 | logarithm |
"""


def test_markdown() -> None:
    text = explain(f, 2.0, 5.0).markdown()
    assert text.startswith("## f(x1, x2) at x1 = 2, x2 = 5\n\n### Values\n")
    assert MARKDOWN in text
    assert (
        r"| $= \frac{\partial f}{\partial v_{2}} \cdot \frac{\partial v_{2}}{\partial x_{2}} + "
        r"\frac{\partial f}{\partial v_{3}} \cdot \frac{\partial v_{3}}{\partial x_{2}}$ |" in text
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_in_every_form(name: str) -> None:
    fn, inputs = PROGRAMS[name]()
    d = explain(fn, *inputs)
    text, page = d.markdown(), d.html()
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if block.startswith("|"):
            assert len({line.count("|") - line.count(r"\|") for line in lines}) == 1, block
            assert all(line.count("$") % 2 == 0 for line in lines)
    for part in text.split("$")[1::2]:
        assert part.count("{") == part.count("}")
        assert part.count(r"\left") == part.count(r"\right")
    Balanced().feed(page)
    assert max(map(len, d.text(width=100).splitlines())) <= 140


class Balanced(HTMLParser):
    """Fails for an end tag that closes another element than the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "meta":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def test_html_needs_nothing_else() -> None:
    page = explain(f, 2.0, 5.0).html()
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "http" not in page
    assert (
        '<td class="m">= ∂f/∂v<sub>2</sub>·x<sub>1</sub> + ∂f/∂v<sub>3</sub>·cos(x<sub>2</sub>)</td>' in page
    )
    assert '<td class="agree">agree</td>' in page


def test_what_a_user_calls_things_cannot_become_markup() -> None:
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x * 2", space)
    d = explain(space["f"], 1.0)
    d.title = "<b>|"
    assert "&lt;b&gt;" in d.html()
    assert d.markdown().startswith(r"## &lt;b&gt;\|")


def test_notebooks_and_terminals() -> None:
    d = explain(f, 2.0, 5.0)
    assert d._repr_html_().startswith('<div class="derivation">')
    assert d._repr_markdown_() == d.markdown()
    assert repr(d) == "<Derivation of f(x1, x2) at x1 = 2, x2 = 5: 5 steps>"
    console = Console(file=io.StringIO(), width=150)
    console.print(d)
    assert "= 5·0 + 2·1" not in console.file.getvalue()  # type: ignore[attr-defined]
    assert "5·0 + 2·1 = 2" in console.file.getvalue()  # type: ignore[attr-defined]


def test_files(tmp_path: Path) -> None:
    d = explain(f, 2.0, 5.0)
    for ending, form in ((".html", d.html()), (".md", d.markdown()), (".txt", d.text())):
        path = tmp_path / f"f{ending}"
        d.save(path)
        assert path.read_text(encoding="utf-8").rstrip("\n") == form.rstrip("\n")


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("∂f/∂v4", r"\frac{\partial f}{\partial v_{4}}"),
        ("(∂loss/∂w)", r"\frac{\partial \mathrm{loss}}{\partial w}"),
        ("∂Σf/∂x", r"\frac{\partial \Sigma f}{\partial x}"),
        ("dx1", r"\mathrm{d}x_{1}"),
        ("d(net.0.weight)", r"\mathrm{d}\left(\mathrm{net.0.weight}\right)"),
        ("y.detach()", r"y\,\text{(detached)}"),
        ("(−0.5)", "(-0.5)"),
        ("w", "w"),
    ],
)
def test_latex_of_names(name: str, latex: str) -> None:
    assert name_latex(name) == latex
    assert latex_of(Formula.name(name) + 1) == f"{latex} + 1"


def test_columns_break_at_blanks() -> None:
    rows = [[Cell("a"), Cell("b")], [Cell("x" * 10), Cell("one two three four five six seven")]]
    assert columns(rows, 32) == [
        "  a            b                ",
        "  xxxxxxxxxx   one two three    ",
        "               four five six    ",
        "               seven            ",
    ]


def test_figures() -> None:
    import numpy as np

    assert [figure(x) for x in (0.69314718, 5.5, -0.95892427, 1e-7, 123456.0, 1e9, 0.0, True)] == [
        "0.6931", "5.5", "-0.9589", "1e-07", "123456", "1e+09", "0", "True",
    ]  # fmt: skip
    assert [figure(x) for x in (float("nan"), float("inf"), float("-inf"))] == ["nan", "inf", "-inf"]
    assert figures(np.array([1.0, 2.5])) == "[1, 2.5]"
    assert figures(np.arange(10.0)) == "mean 4.5, 0 to 9, norm 16.8819"
    assert figures(np.arange(10.0), short=True) == "mean 4.5, norm 16.8819"
    assert figures(np.arange(10)) == "from 0 to 9"
    assert figures(np.arange(10) > 2) == "7 of 10 true"
    assert figures(np.ones(10)) == "all 1"
    assert figures(np.array([np.nan] + [0.0] * 9)) == "1 of 10 not finite"
    assert figures(np.ones(0)) == "no elements"
    assert figures(None) == "not kept"
    assert [amount(n) for n in (0, 999, 1500, 2.5e7)] == ["0 B", "999 B", "1.5 kB", "25 MB"]
