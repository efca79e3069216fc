"""The number of threads: default, choice, who is told, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

import chainrule as torch
from chainrule.core import settings, threads


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(threads, "_chosen", None)
    monkeypatch.setattr(threads, "_listeners", [])
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    settings.threads.cache_clear()
    yield
    settings.threads.cache_clear()


def test_by_default_one_per_processor_of_this_process() -> None:
    try:
        expected = len(os.sched_getaffinity(0))
    except AttributeError:
        expected = os.cpu_count() or 1
    assert torch.get_num_threads() == expected


def test_the_environment_variable_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", "3")
    assert torch.get_num_threads() == 3


def test_the_function_decides_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", "3")
    torch.set_num_threads(5)
    assert torch.get_num_threads() == 5


def test_listeners_are_told_of_every_change() -> None:
    told: list[int] = []
    threads.on_change(lambda: told.append(threads.get_num_threads()))
    torch.set_num_threads(2)
    torch.set_num_threads(7)
    assert told == [2, 7]


@pytest.mark.parametrize("number", [0, -1, 1025, 2.0, True, "2", None])
def test_what_is_no_number_of_threads(number: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_processors", lambda: 8)
    with pytest.raises(RuntimeError) as caught:
        torch.set_num_threads(number)
    assert str(caught.value).rsplit("\n", 1)[0] == (
        f"set_num_threads got {number!r}\n"
        "  the number of threads must be an int from 1 to 1024\n"
        "  try: set_num_threads(8), one per processor"
    )
    assert torch.get_num_threads() == 8
