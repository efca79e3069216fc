"""The benchmarks measure what they say, and every workload still runs. How fast is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import chainrule
from benchmarks import __main__ as command
from benchmarks import models, overhead
from benchmarks.measure import BLOCK, Case, Timing, block, calls_per_block, compare


def test_both_sides_take_turns_and_get_the_same_workload() -> None:
    calls: list[str] = []

    def workload(side: str):
        def run() -> None:
            calls.append(side)

        return run

    # Fast runs get many calls in a block; only the order of the blocks matters here.
    timings = compare(workload, {"ours": "a", "theirs": "b"}, rounds=3)
    order = [side for i, side in enumerate(calls) if i == 0 or calls[i - 1] != side]
    assert order == ["a", "b"] + ["a", "b"] * 3
    assert [len(t.seconds) for t in timings.values()] == [3, 3]
    assert all(0 < t.best <= t.median < BLOCK for t in timings.values())


def test_blocks_are_long_enough_for_the_clock() -> None:
    def run() -> int:
        return sum(range(100))

    calls = calls_per_block(run)
    assert block(run, calls) * calls > BLOCK / 4
    assert calls > 100


def test_best_and_median() -> None:
    timing = Timing([3.0, 1.0, 2.0, 10.0])
    assert (timing.best, timing.median) == (1.0, 2.5)


@pytest.mark.parametrize("case", overhead.CASES + models.CASES, ids=lambda case: case.name)
def test_every_workload_runs(case: Case) -> None:
    run = case.workload(chainrule)
    run()
    run()
    assert case.what
    assert case.limit is None or case.limit > 0


def test_names_are_unique() -> None:
    names = [case.name for case in overhead.CASES + models.CASES]
    assert len(set(names)) == len(names)


def test_times_are_shown_with_their_unit() -> None:
    assert [command.show(s) for s in (2.5, 0.0123, 4.56e-6, 1.2e-7)] == [
        "2.5 s",
        "12.3 ms",
        "4.56 µs",
        "0.12 µs",
    ]


def test_the_table_and_the_file_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load", lambda: {"chainrule": chainrule})
    monkeypatch.setattr(overhead, "CASES", overhead.CASES[:2])
    file = tmp_path / "numbers.json"
    assert command.main(["overhead", "--json", str(file)]) == 0
    out = capsys.readouterr().out
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert [r["name"] for r in results] == ["add", "add, tracked"]
    for r in results:
        assert f"{command.show(r['seconds']['chainrule']['median'])} (" in out
        assert "ratio" not in r  # there is no other side to compare with


def test_an_unknown_kind_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "there is no kind 'speed'; there are: import, overhead, models" in capsys.readouterr().err
