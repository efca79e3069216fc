"""Sides take turns, and one that is wrong is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.benchmarks import rounds, torch_code
from chainrule.benchmarks.problems import Array, inputs_of, training_problem, value_of
from chainrule.benchmarks.rounds import Entry, Outcome, compare, measure
from chainrule.benchmarks.sides import WORK
from chainrule.benchmarks.worker import SideError
from chainrule.benchmarks.workloads import WORKLOADS, Expression, Training

TRAININGS = [work.quick() for work in WORKLOADS if isinstance(work, Training)]


def trained(work: Training, rate: float | None = None) -> list[Array]:
    """Weights after the workload's steps, by chainrule's eager mode."""
    from dataclasses import replace

    chosen = replace(work, rate=work.rate if rate is None else rate)
    forms = torch_code.forms("chainrule eager", chosen, 2)
    program = next(iter(forms.values()))()
    for _ in range(work.steps // program.steps):
        program.run()
    return [w.copy() for w in program.result()]


def results(weights: list[list[Array]]) -> list[tuple[Entry, list[Array]]]:
    return [(Entry(f"side {i}", "form", 2), w) for i, w in enumerate(weights)]


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
    wrong = [w if i % 2 == 0 else s for i, (w, s) in enumerate(zip(right, training_problem(work).weights))]  # noqa: B905
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

    def __init__(self, fails: str = "") -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails = fails

    def of(self, side: str, threads: int) -> Any:
        recorder = self

        class Side:
            def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
                recorder.asked.append((do, side))
                if do == recorder.fails and side == "b":
                    raise SideError("ValueError: no")
                if do == "train":
                    work = WORK["call"].quick()  # type: ignore[union-attr]
                    np.savez(arguments["file"], value_of(work, inputs_of(work)))  # type: ignore[arg-type]
                return {"forms": ["f"], "steps": 2, "first": 0.5, "calls": 3, "seconds": 4.0}

        return Side()

    def lost(self, side: str, threads: int) -> None:
        self.asked.append(("lost", side))


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PAUSE", 0.0)


@pytest.mark.usefixtures("no_pause")
def test_sides_take_turns() -> None:
    workers: Any = Recorder()
    outcome = measure(WORK["call"], workers, ("a", "b"), rounds=3)
    assert [side for do, side in workers.asked if do == "time"] == ["a", "b"] * 3
    assert [entry.timing.seconds for entry in outcome.entries] == [[2.0] * 3] * 2  # per step
    assert outcome.problems == []


@pytest.mark.parametrize("when", ["open", "build", "train", "warm"])
@pytest.mark.usefixtures("no_pause")
def test_a_side_that_fails_is_reported_and_the_others_go_on(when: str) -> None:
    workers: Any = Recorder(fails=when)
    outcome = measure(WORK["call"], workers, ("a", "b"), rounds=2)
    assert [entry.side for entry in outcome.entries] == ["a"]
    assert len(outcome.entries[0].timing.seconds) == 2
    assert outcome.problems == ["b: ValueError: no" if when == "open" else "b (f, 2 threads): ValueError: no"]


def test_the_fastest_form_counts() -> None:
    entries = [
        Entry("a", "slow", 2),
        Entry("a", "fast", 2),
        Entry("a", "other threads", 1),
        Entry("b", "f", 2),
    ]
    for entry, seconds in zip(entries, ([3.0, 1, 4], [2.0, 2, 2], [0.5] * 3, [0.1] * 3), strict=True):
        entry.timing.seconds.extend(seconds)
    outcome = Outcome(WORK["call"], entries)
    assert outcome.best("a") is entries[1]
    assert outcome.best("a", 1) is entries[2]
    assert outcome.best("c") is None
