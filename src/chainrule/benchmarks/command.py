"""One run of the benchmarks: goes through the workloads that were asked for, prints, and writes the files.

The options are described in `chainrule.cli.bench`; how a workload is measured is in `rounds.py`.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, TextIO

from . import fresh, picture, rounds, sides, table
from .measure import Case, show
from .rounds import Moment, Outcome
from .summary import Machine, Row, Verdict, as_json, rows_of, verdicts_of_starts
from .worker import Workers
from .workloads import WORKLOADS, Training, Workload

KINDS: Final = ("compiled", "eager", "start")
STEADY: Final = 1.3  # by how much the control may vary


@dataclass(frozen=True)
class Request:
    """What to run. Empty tuples mean everything."""

    kinds: tuple[str, ...] = ()
    only: tuple[str, ...] = ()  # names of workloads
    sides: tuple[str, ...] = ()
    rounds: int = 9
    quick: bool = False
    out: Path | None = None


@dataclass
class Results:
    """What came of it."""

    outcomes: list[Outcome]
    starts: list[fresh.Start]
    problems: list[str]


def run(request: Request, stream: TextIO) -> int:
    """Measure, print, write. The status is 1 if a side failed or is wrong, not if a target is missed."""
    chosen, missing = _choose(request.sides)
    results = Results([], [], [])
    moments: list[Moment] = []
    kinds = request.kinds or KINDS
    with Workers() as workers:
        stream.write(f"{describe(chosen)}\n")
        stream.writelines(f"without {side}: {reason}\n" for side, reason in missing.items())
        stream.flush()
        for work in _works(kinds, request.only):
            moments.append(rounds.moment(workers))
            takes_part = tuple(side for side in chosen if side in sides.sides_for(work))
            outcome = rounds.measure(work, workers, takes_part, rounds=request.rounds, quick=request.quick)
            results.outcomes.append(outcome)
            results.problems += [f"{work.name}: {problem}" for problem in outcome.problems]
            _progress(stream, outcome)
        moments.append(rounds.moment(workers))
    if "start" in kinds and not request.only:
        times = 1 if request.quick else request.rounds
        results.starts += fresh.imports(chosen, times)
        starts, problems = fresh.first_calls(chosen, times, rounds.THREADS)
        results.starts += starts
        results.problems += problems
    machine = _machine(chosen, moments)
    _report(stream, results, machine, moments, request)
    if request.out is not None:
        _write(request.out, results, machine, moments, chosen)
        stream.write(f"wrote {request.out / 'benchmarks.json'}, .md and .png\n")
    return 1 if results.problems else 0


def describe(chosen: tuple[str, ...]) -> str:
    """The machine and the versions, in one line."""
    packages = dict.fromkeys(sides.PACKAGES[side] for side in chosen)
    versions = ", ".join(f"{name} {version(name)}" for name in [*packages, "numpy"])
    return (
        f"{_processor()}, {os.cpu_count()} cores, {rounds.THREADS} threads; "
        f"Python {platform.python_version()}, {versions}; {time.strftime('%Y-%m-%d')}"
    )


def _machine(chosen: tuple[str, ...], moments: list[Moment]) -> Machine:
    """The machine at its best moment: what could have been reached."""
    products, copy = max(m.products for m in moments), max(m.copy for m in moments)
    rates = f"products {products / 1e9:.0f} Gflop/s, copy {copy / 1e9:.1f} GB/s"
    return Machine(f"{describe(chosen)}; {rates}", products, copy)


def _processor() -> str:
    """Its name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _choose(asked: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The sides that can run, and why the others cannot."""
    wanted = [side for side in sides.SIDES if not asked or side in asked]
    missing = {side: reason for side in wanted if (reason := sides.absent(side)) is not None}
    return tuple(side for side in wanted if side not in missing), missing


def _works(kinds: Sequence[str], only: tuple[str, ...]) -> list[Workload | Case]:
    works: list[Workload | Case] = [*WORKLOADS] if "compiled" in kinds else []
    works += sides.CASES if "eager" in kinds else []
    return [work for work in works if not only or work.name in only]


def _progress(stream: TextIO, outcome: Outcome) -> None:
    """A line for each workload that is done: the whole run takes minutes."""
    best = [(side, found) for side in sides.SIDES if (found := outcome.best(side))]
    line = ", ".join(f"{side} {show(entry.timing.median)}" for side, entry in best)
    losses = [entry.found for entry in outcome.entries if entry.found is not None]
    if isinstance(outcome.work, Training) and losses:
        line += f"; loss {min(losses):.4g} to {max(losses):.4g} after {outcome.work.steps} steps"
    stream.write(f"{outcome.work.name}: {line}\n")
    stream.flush()


def _rows(results: Results, machine: Machine, *, eager: bool) -> list[Row]:
    chosen = [outcome for outcome in results.outcomes if isinstance(outcome.work, Case) == eager]
    return [row for outcome in chosen for row in rows_of(outcome, machine)]


def _report(
    stream: TextIO, results: Results, machine: Machine, moments: list[Moment], request: Request
) -> None:
    stream.write(f"\n{machine.text}\n\n")
    measured = f"after warm-up: median of {request.rounds} rounds, best below"
    verdicts: list[Verdict] = []
    if rows := _rows(results, machine, eager=False):
        table.print_rows(stream, f"time of a step, {measured}", rows, shares=True)
        verdicts += [verdict for row in rows for verdict in row.verdicts]
    if rows := _rows(results, machine, eager=True):
        table.print_rows(stream, f"eager mode, {measured}", rows, shares=False)
        verdicts += [verdict for row in rows for verdict in row.verdicts]
    if results.starts:
        table.print_starts(stream, results.starts)
        verdicts += verdicts_of_starts(results.starts)
    # What is promised, is promised for the real sizes.
    table.print_verdicts(stream, [] if request.quick else verdicts, results.problems)
    controls = [moment.control for moment in moments]
    spread = max(controls) / min(controls)
    stream.write(f"control (no side's code): {show(min(controls))}, at worst {spread:.2f} times that\n")
    if spread > STEADY:
        stream.write("the machine was not steady: a ratio of this run may be off by as much\n")


def _write(
    folder: Path, results: Results, machine: Machine, moments: list[Moment], chosen: tuple[str, ...]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    versions = {side: sides.version(side) for side in chosen}
    facts = as_json(machine, moments, results.outcomes, results.starts, versions)
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    (folder / "benchmarks.json").write_text(text, encoding="utf-8")
    rows = _rows(results, machine, eager=False)
    (folder / "benchmarks.md").write_text(f"{table.markdown(rows)}\n\n{machine.text}\n", encoding="utf-8")
    if rows:
        picture.draw(rows, machine.text, folder / "benchmarks.png")
