"""Ratios, verdicts, the table, the Markdown and the picture of made-up measurements."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from chainrule.benchmarks import picture, table
from chainrule.benchmarks.fresh import Start
from chainrule.benchmarks.measure import Timing
from chainrule.benchmarks.rounds import Entry, Outcome
from chainrule.benchmarks.sides import WORK
from chainrule.benchmarks.summary import Machine, Row, Verdict, rows_of, verdicts_of_starts

NOBODY: Any = None
MACHINE = Machine("a machine", products=100e9, copy=20e9)


def outcome(name: str, seconds: dict[tuple[str, int], float]) -> Outcome:
    entries = [
        Entry(side, "form", threads, NOBODY, timing=Timing([median / 2, median, median * 3]))
        for (side, threads), median in seconds.items()
    ]
    return Outcome(WORK[name], entries)


def chain() -> Row:
    times = {("chainrule", 2): 0.014, ("chainrule eager", 2): 0.1, ("PyTorch", 2): 0.112, ("JAX", 2): 0.049}
    (row,) = rows_of(outcome("chain", times), MACHINE)
    return row


def test_ratios_shares_and_verdicts() -> None:
    row = chain()
    assert row.ratios == {"PyTorch": pytest.approx(8), "JAX": pytest.approx(3.5)}
    assert row.share == pytest.approx(240e6 / 20e9 / 0.014)  # 12 ms of copying in 14
    assert row.verdicts == [
        Verdict("tanh(a*b + a) * b: 8 × PyTorch, at least 10", False),
        Verdict("tanh(a*b + a) * b: 3.5 × JAX, at least 3", True),
        Verdict("tanh(a*b + a) * b: 86% of the machine's limit, at least 85%", True),
    ]


def test_the_limit_is_the_slower_of_products_and_copying() -> None:
    (row,) = rows_of(outcome("mlp", {("chainrule", 2): 0.01}), MACHINE)
    flops = 2 * 60_000 / 235 * (2 * (784 * 256 + 2560) + 2560)
    assert row.share == pytest.approx(flops / 100e9 / 0.01)


def test_without_a_compiler_the_ratios_are_of_eager_mode_and_promise_nothing() -> None:
    (row,) = rows_of(outcome("chain", {("chainrule eager", 2): 0.1, ("PyTorch", 2): 0.2}), MACHINE)
    assert row.ratios == {"PyTorch": 2}
    assert row.verdicts == []


def test_two_threads_must_not_be_slower_than_one() -> None:
    for two, reached in ((10e-6, True), (10.4e-6, True), (11e-6, False)):
        rows = rows_of(outcome("width-45", {("chainrule", 1): 10e-6, ("chainrule", 2): two}), MACHINE)
        assert [row.title for row in rows] == ["MLP of width 45, 1 thread", "MLP of width 45, 2 threads"]
        (verdict,) = rows[1].verdicts
        assert verdict.reached is reached
        assert verdict.text.startswith("MLP of width 45: two threads not slower than one (1")


def test_eager_mode_has_limits() -> None:
    (row,) = rows_of(outcome("add", {("chainrule eager", 2): 3e-6, ("PyTorch", 2): 2e-6}), MACHINE)
    assert row.verdicts == [Verdict("add: 1.50 times PyTorch's time, at most 1.5", True)]


def test_a_call_has_a_limit() -> None:
    (row,) = rows_of(outcome("call", {("chainrule", 2): 6e-6}), MACHINE)
    assert row.verdicts == [Verdict("a sum, 6 of 7 captured: 6 µs, at most 5 µs", False)]


def test_first_moments_have_limits() -> None:
    starts = [
        Start("first call, cold", "chainrule", Timing([0.3]), 0.4),
        Start("first call, cold", "JAX", Timing([0.9]), None),
    ]
    assert verdicts_of_starts(starts) == [
        Verdict("first call, cold, chainrule: 300 ms, at most 400 ms", True)
    ]


def test_the_printed_table() -> None:
    stream = io.StringIO()
    table.print_rows(stream, "title", [chain()], shares=True)
    lines = [" ".join(line.split()) for line in stream.getvalue().splitlines()]
    assert lines[0] == "title"
    assert "chainrule chainrule eager PyTorch JAX × PyTorch × JAX of limit" in lines
    assert "tanh(a*b + a) * b 14 ms 100 ms 112 ms 49 ms 8.00 3.50 86%" in lines
    assert "2 arrays of 20,000,000 float32 7 ms 50 ms 56 ms 24.5 ms" in lines


def test_the_printed_table_of_first_moments() -> None:
    stream = io.StringIO()
    starts = [Start("import", "chainrule", Timing([0.1, 0.2, 0.3]), None)]
    table.print_starts(stream, starts)
    assert "chainrule   200 ms" in stream.getvalue()


def test_verdicts_and_problems_are_printed() -> None:
    stream = io.StringIO()
    table.print_verdicts(stream, [Verdict("a", True), Verdict("b", False)], ["c"])
    assert stream.getvalue() == "reached  a\nMISSED   b\nPROBLEM  c\n"


def test_markdown() -> None:
    assert table.markdown([chain()]).splitlines() == [
        "| time of a step | chainrule | chainrule eager | PyTorch | JAX | × PyTorch | × JAX "
        "| of the machine's limit |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        "| tanh(a*b + a) * b | 14 ms | 100 ms | 112 ms | 49 ms | 8.00 | 3.50 | 86% |",
    ]


def test_the_picture_shows_every_side(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    picture.draw([chain(), chain()], "a machine", file)
    pixels = imread(file)[:, :, :3]
    height, width, _ = pixels.shape
    assert width > height > 200
    for side, colour in picture.COLOURS.items():
        rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        count = int((abs(pixels - rgb).max(axis=2) < 0.01).sum())
        assert (count > 300) == (side in chain().best), side


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as info:
        picture.draw([], "a machine", tmp_path / "picture.png")
    assert str(info.value) == "there is nothing to draw"
