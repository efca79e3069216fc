"""Ratios, shares of the machine's limit and verdicts, from what was measured; and all of it as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .fresh import Start
from .measure import Case, show
from .rounds import Entry, Moment, Outcome
from .workloads import Expression, Training

NOISE = 1.05  # two threads are not called slower than one for less than this


@dataclass(frozen=True)
class Machine:
    """Where it was measured, and what that machine can do: flop/s of products, bytes/s of copying."""

    text: str
    products: float
    copy: float


@dataclass(frozen=True)
class Verdict:
    """A target in words, and whether it was reached."""

    text: str
    reached: bool


@dataclass
class Row:
    """A workload with one number of threads: the fastest form of each side, and what follows."""

    title: str
    what: str
    best: dict[str, Entry]
    ratios: dict[str, float]  # how many times faster than a side chainrule is: compiled, else eager
    share: float | None  # of the machine's limit
    verdicts: list[Verdict]
    problems: list[str]


def rows_of(outcome: Outcome, machine: Machine) -> list[Row]:
    """One row for each number of threads."""
    work = outcome.work
    if isinstance(work, Case):
        return [_row(outcome, work.name, machine, threads=2)]
    titles = {n: f"{work.title}, {n} thread{'s' * (n > 1)}" for n in work.threads}
    if len(work.threads) == 1:
        titles = {work.threads[0]: work.title}
    rows = [_row(outcome, title, machine, threads) for threads, title in titles.items()]
    one, two = outcome.best("chainrule", 1), outcome.best("chainrule", 2)
    if one and two:
        times = f"{show(two.timing.median)} on two threads, {show(one.timing.median)} on one"
        text = f"{work.title}: two threads not slower than one ({times})"
        rows[-1].verdicts.append(Verdict(text, two.timing.median <= NOISE * one.timing.median))
    return rows


def _row(outcome: Outcome, title: str, machine: Machine, threads: int) -> Row:
    work = outcome.work
    sides = dict.fromkeys(entry.side for entry in outcome.entries)
    best = {side: found for side in sides if (found := outcome.best(side, threads))}
    row = Row(title, work.what, best, {}, None, [], list(outcome.problems))
    ours = best.get("chainrule") or best.get("chainrule eager")
    if ours is None:
        return row
    seconds = ours.timing.median
    row.ratios = {
        side: entry.timing.median / seconds
        for side, entry in best.items()
        if not side.startswith("chainrule")
    }
    if isinstance(work, Case):
        if work.limit is not None and "PyTorch" in row.ratios:
            times = 1 / row.ratios["PyTorch"]
            text = f"{title}: {times:.2f} times PyTorch's time, at most {work.limit:g}"
            row.verdicts.append(Verdict(text, times <= work.limit))
        return row
    limit = max(work.flops / machine.products, work.bytes / machine.copy)
    row.share = limit / seconds
    if ours.side == "chainrule":
        row.verdicts = _verdicts(work, title, row, seconds)
    return row


def _verdicts(work: Training | Expression, title: str, row: Row, seconds: float) -> list[Verdict]:
    verdicts = []
    for side, times in work.targets.items():
        if side in row.ratios:
            found = row.ratios[side]
            verdicts.append(Verdict(f"{title}: {found:.3g} × {side}, at least {times:g}", found >= times))
    if work.share is not None and row.share is not None:
        text = f"{title}: {row.share:.0%} of the machine's limit, at least {work.share:.0%}"
        verdicts.append(Verdict(text, row.share >= work.share))
    if isinstance(work, Expression) and work.most is not None:
        text = f"{title}: {show(seconds)}, at most {show(work.most)}"
        verdicts.append(Verdict(text, seconds <= work.most))
    return verdicts


def verdicts_of_starts(starts: list[Start]) -> list[Verdict]:
    """Those of the import and the first call."""
    return [
        Verdict(f"{s.what}, {s.side}: {show(s.timing.median)}, at most {show(s.limit)}", s.kept)
        for s in starts
        if s.limit is not None
    ]


def as_json(
    machine: Machine,
    moments: list[Moment],
    outcomes: list[Outcome],
    starts: list[Start],
    sides: dict[str, str],
) -> dict[str, Any]:
    """Every number that was measured."""
    workloads = []
    for outcome in outcomes:
        work = outcome.work
        rows = rows_of(outcome, machine)
        facts: dict[str, Any] = {"name": work.name, "what": work.what, "problems": outcome.problems}
        facts["kind"] = "eager" if isinstance(work, Case) else "compiled"
        facts["entries"] = [_entry(entry) for entry in outcome.entries]
        facts["rows"] = [
            {
                "title": row.title,
                "ratios": row.ratios,
                "share": row.share,
                "verdicts": [asdict(verdict) for verdict in row.verdicts],
            }
            for row in rows
        ]
        workloads.append(facts)
    return {
        "machine": asdict(machine),
        "sides": sides,
        "moments": [asdict(moment) for moment in moments],
        "workloads": workloads,
        "start": [
            {
                "what": s.what,
                "side": s.side,
                "median": s.timing.median,
                "best": s.timing.best,
                "seconds": s.timing.seconds,
                "limit": s.limit,
            }
            for s in starts
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    found = entry.found
    return {
        "side": entry.side,
        "form": entry.form,
        "threads": entry.threads,
        "steps": entry.steps,
        "first": entry.first,
        # JSON has no NaN: a loss that is not a number is told by the problems.
        "found": found if found is not None and math.isfinite(found) else None,
        "median": entry.timing.median,
        "best": entry.timing.best,
        "seconds": entry.timing.seconds,
    }
