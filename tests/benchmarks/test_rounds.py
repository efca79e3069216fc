"""Sides take turns, and one that is wrong is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainrule.benchmarks import rounds, torch_code
from chainrule.benchmarks.problems import Array, inputs_of, training_problem, value_of
from chainrule.benchmarks.rounds import Entry, Outcome, compare, measure
from chainrule.benchmarks.sides import WORK
from chainrule.benchmarks.worker import SideError
from chainrule.benchmarks.workloads import WORKLOADS, Expression, Training

NOBODY: Any = None
TRAININGS = [work.quick() for work in WORKLOADS if isinstance(work, Training)]


def trained(work: Training, rate: float | None = None) -> list[Array]:
    """Weights after the workload's steps, by chainrule's eager mode."""
    chosen = replace(work, rate=work.rate if rate is None else rate)
    forms = torch_code.forms("chainrule eager", chosen, 2)
    program = next(iter(forms.values()))()
    for _ in range(work.steps // program.steps):
        program.run()
    return [w.copy() for w in program.result()]


def results(weights: list[list[Array]]) -> list[tuple[Entry, list[Array]]]:
    return [(Entry(f"side {i}", "form", 2, NOBODY), w) for i, w in enumerate(weights)]


@pytest.mark.parametrize("work", TRAININGS, ids=lambda work: work.name)
def test_who_trains_with_another_rate_is_found(work: Training) -> None:
    right, wrong = trained(work), trained(work, rate=3 * work.rate)
    assert compare(work, results([right, right, right])) == []
    (problem,) = compare(work, results([right, wrong, right]))
    assert problem.startswith("side 1 (form, 2 threads): ends at the loss ")


@pytest.mark.parametrize("work", TRAININGS, ids=lambda work: work.name)
def test_who_does_not_train_is_found(work: Training) -> None:
    start = training_problem(work).weights
    assert len(compare(work, results([trained(work), start]))) == 2  # of two, either may be the wrong one
    assert len(compare(work, results([start, start]))) == 2


def test_who_forgets_the_bias_is_found() -> None:
    work = WORK["width-45"].quick()  # type: ignore[union-attr]
    assert isinstance(work, Training)
    right = trained(work)
    start = training_problem(work).weights
    wrong = [right[i] if i % 2 == 0 else start[i] for i in range(len(right))]
    (problem,) = compare(work, results([right, right, wrong]))
    assert problem.startswith("side 2")


def test_a_loss_that_is_not_a_number_is_found() -> None:
    work = TRAININGS[0]
    right = trained(work)
    wrong = [np.full_like(w, np.nan) for w in right]
    (problem,) = compare(work, results([right, right, wrong]))
    assert problem.startswith("side 2 (form, 2 threads): ends at the loss nan")


def test_a_wrong_value_is_found() -> None:
    work = WORK["softmax"]
    assert isinstance(work, Expression)
    work = work.quick()
    right = value_of(work, inputs_of(work)).astype(np.float32)
    wrong = right.copy()
    wrong[-1, -1] += 1e-5
    (problem,) = compare(work, results([[right], [wrong]]))
    assert problem == "side 1 (form, 2 threads): wrong by 1e-05, at most 2e-06"


class Recorder:
    """Stands for all workers: answers as a side would, and remembers who was asked."""

    def __init__(self, fails: str = "", ends: bool = False) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.fails, self.ends = fails, ends

    def of(self, side: str, threads: int) -> Any:
        return RecordedSide(self, side)


class RecordedSide:
    """Has two forms; the side `b` fails where the recorder says, with its second form."""

    def __init__(self, recorder: Recorder, side: str) -> None:
        self.recorder, self.side, self.ended = recorder, side, False

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        form = arguments.get("form", "")
        self.recorder.asked.append((do, self.side, form))
        if do == self.recorder.fails and self.side == "b" and form in ("", "g"):
            self.ended = self.recorder.ends
            raise SideError("ValueError: no")
        if do == "train":
            work = WORK["call"]
            assert isinstance(work, Expression)
            np.savez(arguments["file"], value_of(work, inputs_of(work)))
        return {"forms": ["f", "g"], "steps": 2, "first": 0.5, "calls": 3, "seconds": 4.0}


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PAUSE", 0.0)


@pytest.mark.usefixtures("no_pause")
def test_sides_take_turns() -> None:
    workers: Any = Recorder()
    outcome = measure(WORK["call"], workers, ("a", "b"), rounds=3)
    timed = [side + form for do, side, form in workers.asked if do == "time"]
    assert timed == ["af", "ag", "bf", "bg"] * 3
    assert [entry.timing.seconds for entry in outcome.entries] == [[2.0] * 3] * 4  # per step
    assert outcome.problems == []


@pytest.mark.parametrize("when", ["build", "train", "warm", "time"])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.usefixtures("no_pause")
def test_a_form_that_fails_is_reported_and_the_others_go_on(when: str, ends: bool) -> None:
    workers: Any = Recorder(fails=when, ends=ends)
    outcome = measure(WORK["call"], workers, ("a", "b", "c"), rounds=2)
    # With the process its other form is gone as well.
    left = ["af", "ag", "cf", "cg"] if ends else ["af", "ag", "bf", "cf", "cg"]
    assert [entry.side + entry.form for entry in outcome.entries] == left
    assert all(len(entry.timing.seconds) == 2 for entry in outcome.entries)
    assert outcome.problems == ["b (g, 2 threads): ValueError: no"]


@pytest.mark.usefixtures("no_pause")
def test_a_side_that_cannot_begin_is_reported_and_the_others_go_on() -> None:
    workers: Any = Recorder(fails="open")
    outcome = measure(WORK["call"], workers, ("a", "b"), rounds=1)
    assert [entry.side for entry in outcome.entries] == ["a", "a"]
    assert outcome.problems == ["b: ValueError: no"]


def test_the_fastest_form_counts() -> None:
    names = [("a", "slow", 2), ("a", "fast", 2), ("a", "other threads", 1), ("b", "f", 2)]
    entries = [Entry(side, form, threads, NOBODY) for side, form, threads in names]
    for entry, seconds in zip(entries, ([3.0, 1, 4], [2.0, 2, 2], [0.5] * 3, [0.1] * 3), strict=True):
        entry.timing.seconds.extend(seconds)
    outcome = Outcome(WORK["call"], entries)
    assert outcome.best("a") is entries[1]
    assert outcome.best("a", 1) is entries[2]
    assert outcome.best("c") is None
