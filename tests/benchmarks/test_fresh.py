"""What is measured in new interpreters."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from chainrule.benchmarks import fresh
from chainrule.benchmarks.first_call import prepared


def test_the_import_is_measured_in_new_interpreters() -> None:
    seconds = fresh.import_seconds("chainrule", rounds=1)
    assert len(seconds) == 1
    assert 0.001 < seconds[0] < 60


def test_each_package_is_imported_once() -> None:
    (start,) = fresh.imports(("chainrule", "chainrule eager"), rounds=1)
    assert (start.what, start.side, start.limit) == ("import, on top of NumPy's", "chainrule", 0.15)


def test_the_first_call_is_one_step() -> None:
    program = prepared("chainrule eager", 1)
    before = [w.copy() for w in program.result()]
    program.run()
    assert program.steps == 1
    assert [w.shape for w in before] == [(256, 784), (256,), (10, 256), (10,)]
    assert all((a != b).any() for a, b in zip(before, program.result(), strict=True))


def test_cold_and_cached_calls_share_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def first_call(side: str, folder: str, threads: int) -> float:
        asked.append((side, folder))
        return 0.5

    monkeypatch.setattr(fresh, "absent", lambda side: None)
    monkeypatch.setattr(fresh, "first_call", first_call)
    starts, problems = fresh.first_calls(("chainrule", "chainrule eager", "JAX"), 2, 2)
    assert problems == []
    assert [side for side, _ in asked] == ["chainrule", "chainrule", "JAX", "JAX"] * 2
    folders = [folder for _, folder in asked]
    assert folders[0] == folders[1]
    assert len(set(folders)) == 4
    assert [(s.what, s.side, s.limit, len(s.timing.seconds)) for s in starts] == [
        ("first call, cold", "chainrule", 0.4, 2),
        ("first call, from the cache", "chainrule", 0.1, 2),
        ("first call, cold", "JAX", None, 2),
        ("first call, from the cache", "JAX", None, 2),
    ]


def test_a_first_call_that_fails_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_call(*arguments: Any) -> float:
        raise subprocess.CalledProcessError(1, [sys.executable], stderr="Traceback\nValueError: no\n")

    monkeypatch.setattr(fresh, "absent", lambda side: None)
    monkeypatch.setattr(fresh, "first_call", first_call)
    starts, problems = fresh.first_calls(("JAX",), 3, 2)
    assert starts == []
    assert problems == ["JAX, first call: ValueError: no"]
