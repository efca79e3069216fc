"""The worked example of the course: f(x1, x2) = ln x1 + x1 x2 - sin x2 at (2, 5), in both modes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import chainrule as torch
from chainrule.explain import Derivation, explain

GOLDEN = """\
f(x1, x2) at x1 = 2, x2 = 5
===========================

Values
------
       formula     with numbers            value     line
  x1                                       2
  x2                                       5
  v1   = ln(x1)    = ln(2)                 0.6931    {line}
  v2   = x1·x2     = 2·5                   10        {line}
  v3   = sin(x2)   = sin(5)                −0.9589   {line}
  v4   = v1 + v2   = 0.6931 + 10           10.6931   {line}
  f    = v4 − v3   = 10.6931 − (−0.9589)   11.6521   {line}

Forward mode
------------
Tangents, from the inputs to f; one pass for each input.
        formula             ∂/∂x1           ∂/∂x2                 rule
  dx1                       1               0
  dx2                       0               1
  dv1   = 1/x1·dx1          1/2·1 = 0.5     0                     logarithm
  dv2   = x2·dx1 + x1·dx2   5·1 + 2·0 = 5   5·0 + 2·1 = 2         product rule
  dv3   = cos(x2)·dx2       0               cos(5)·1 = 0.2837     sine
  dv4   = dv1 + dv2         0.5 + 5 = 5.5   0 + 2 = 2             sum rule
  df    = dv4 − dv3         5.5 − 0 = 5.5   2 − 0.2837 = 1.7163   difference rule

Reverse mode
------------
Adjoints, from f back to the inputs, in one pass.
           chain rule                        formula                          with numbers          value
  ∂f/∂f                                                                                             = 1
  ∂f/∂v4                                     = 1                                                    = 1
"""


def f(x1: Any, x2: Any) -> Any:
    return torch.log(x1) + x1 * x2 - torch.sin(x2)


LINE = f.__code__.co_firstlineno + 1


def derivation() -> Derivation:
    return explain(f, 2.0, 5.0)


def test_values_forward_and_reverse_have_the_numbers_of_the_notes() -> None:
    d = derivation()
    assert [(row.name, str(row.formula)) for row in d.values[2:]] == [
        ("v1", "log(x1)"),
        ("v2", "x1*x2"),
        ("v3", "sin(x2)"),
        ("v4", "v1 + v2"),
        ("f", "v4 - v3"),
    ]
    values = [float(row.of.data) for row in d.values]  # type: ignore[arg-type]
    for got, wanted in zip(values, (2, 5, 0.693, 10, -0.959, 10.693, 11.652), strict=True):
        assert abs(got - wanted) < 5.1e-4
    columns = [[0.0 if t is None else t.item() for t in row.tangents] for row in d.forward]
    wanted_columns = [(1, 0), (0, 1), (0.5, 0), (5, 2), (0, 0.2837), (5.5, 2), (5.5, 1.7163)]
    for got_row, wanted_row in zip(columns, wanted_columns, strict=True):
        assert all(abs(a - b) < 5e-5 for a, b in zip(got_row, wanted_row, strict=True))
    adjoints = {row.name: row.value.item() for row in d.reverse}
    assert adjoints["∂f/∂v4"] == adjoints["∂f/∂v2"] == adjoints["∂f/∂v1"] == 1
    assert adjoints["∂f/∂v3"] == -1
    assert adjoints["∂f/∂x1"] == 5.5
    assert abs(adjoints["∂f/∂x2"] - (2 - math.cos(5))) < 1e-15  # 1.7163, where the notes slip to 2.283
    assert f"{adjoints['∂f/∂x2']:.4f}" == "1.7163"


def test_each_adjoint_is_written_as_the_chain_of_products_it_comes_from() -> None:
    rows = {row.name: row for row in derivation().reverse}
    assert rows["∂f/∂x1"].chain == "∂f/∂v1·∂v1/∂x1 + ∂f/∂v2·∂v2/∂x1"
    assert str(rows["∂f/∂x1"].formula) == "∂f/∂v1*(1/x1) + ∂f/∂v2*x2"
    assert rows["∂f/∂x2"].chain == "∂f/∂v2·∂v2/∂x2 + ∂f/∂v3·∂v3/∂x2"
    assert str(rows["∂f/∂x2"].formula) == "∂f/∂v2*x1 + ∂f/∂v3*cos(x2)"
    assert rows["∂f/∂x2"].rule == "product rule; sine"


def test_the_three_ways_agree() -> None:
    d = derivation()
    assert d.agree
    assert [check.of for check in d.checks] == ["x1", "x2"]
    for check, wanted in zip(d.checks, (5.5, 2 - math.cos(5)), strict=True):
        for found in (check.forward, check.reverse, check.differences):
            assert found is not None
            assert abs(float(found) - wanted) < 1e-8


def test_text() -> None:
    text = derivation().text(width=140)
    wanted = GOLDEN.format(line=LINE).splitlines()
    assert text.splitlines()[: len(wanted) - 3] == wanted[:-3]
    assert (
        "  ∂f/∂x2   = ∂f/∂v2·∂v2/∂x2 + ∂f/∂v3·∂v3/∂x2   = ∂f/∂v2·x1 + ∂f/∂v3·cos(x2)   = 1·2 + (−1)·cos(5)"
        in text
    )
    assert "  x2   1.7163         1.7163         1.7163                agree" in text


def test_the_document_shows_these_tables() -> None:
    space: dict[str, Any] = {"torch": torch}
    exec("def f(x1, x2):\n    return torch.log(x1) + x1 * x2 - torch.sin(x2)", space)
    text = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    assert f"```text\n{explain(space['f'], 2.0, 5.0).text(width=110)}\n```" in text


def test_the_package_is_the_function() -> None:
    d = torch.explain(f, 2.0, 5.0)
    assert d.text() == derivation().text()
    assert {name: round(g.item(), 4) for name, g in d.gradient.items()} == {"x1": 5.5, "x2": 1.7163}


def test_one_mode_alone() -> None:
    forward, reverse = (
        explain(f, 2.0, 5.0, mode="forward").text(),
        explain(f, 2.0, 5.0, mode="reverse").text(),
    )
    assert "Forward mode\n" in forward
    assert "Reverse mode\n" not in forward
    assert "Reverse mode\n" in reverse
    assert "Forward mode\n" not in reverse
