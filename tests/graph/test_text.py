"""Graphs as text: the kept texts, names, types, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import chainrule as torch
from chainrule.core.dtypes import float32, int64
from chainrule.graph import Graph, Value, parse, trace, verify
from chainrule.graph.text import setting_text
from chainrule.graph.values import INPUT
from chainrule.ops.views import SLICE
from tests.graph.golden.programs import PROGRAMS

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", PROGRAMS)
def test_golden_text(name: str) -> None:
    # python tools/write_golden_graphs.py rewrites the texts; review the diff like code.
    text = str(PROGRAMS[name]()) + "\n"
    assert text == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert str(verify(parse(text))) + "\n" == text


def test_every_kept_text_has_a_program() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PROGRAMS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), (True, "True"), (None, "None"), (0.1, "0.1"), (-0.0, "-0.0"), (1e-45, "1e-45"),
        (float("inf"), "inf"), (float("-inf"), "-inf"), (float("nan"), "nan"), (int64, "int64"), (..., "..."),
        ((), "()"), ((2,), "(2,)"), ([1, (2, 3)], "[1, (2, 3)]"), (slice(1, None, 2), "slice(1, None, 2)"),
        (((SLICE, {"key": (0, None)}),), "(('slice', {'key': (0, None)}),)"), ("linear", "'linear'"),
    ],
)  # fmt: skip
def test_settings(value: Any, text: str) -> None:
    assert setting_text(value) == text


def test_names_do_not_collide() -> None:
    def f(v1: Any, v3: Any) -> Any:
        return v1 * v3 + v1

    text = str(trace(f, 1.0, 2.0))
    assert text == (
        "def f(v1: float32[()], v3: float32[()]):\n"
        "    v2: float32[()] = mul(v1, v3)\n"
        "    v4: float32[()] = add(v2, v1)\n"
        "    return v4"
    )
    assert str(parse(text)) == text


def test_a_large_constant_is_not_printed() -> None:
    g = trace(lambda x: x + torch.arange(65.0), 1.0)
    assert "v1: float32[65] = constant(...)" in str(g)
    assert g(1.0).tolist() == [float(i + 1) for i in range(65)]


def test_short_text_and_a_graph_without_a_result() -> None:
    assert repr(trace(lambda x: x * 2, 1.0)) == "<graph graph: 1 inputs, 0 captures, 1 values, 1 outputs>"
    assert str(trace(lambda x: None, 1.0)) == "def graph(x: float32[()]):\n    return None"
    x = Value(INPUT, (2,), float32, name="x")
    assert repr(x) == "<input torch.float32[2]>"
    assert str(Graph("same", [x], [x])) == "def same(x: float32[2]):\n    return x"


def test_several_results() -> None:
    g = trace(lambda x: tuple(torch.linalg.qr(x)), torch.eye(2))
    text = str(g)
    assert "(float32[2, 2], float32[2, 2]) = " in text
    assert str(verify(parse(text))) == text
