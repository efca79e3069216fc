"""A workload on all sides: trained, held against each other, then timed in turns.

Each side runs every form it has. First each trains as many steps from the same starting weights, and the
losses are compared (this is the warm-up, compilation included); then there are rounds, in each of which every
form is measured once. A slow moment of the machine thus hits all of them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .measure import Case, Timing
from .problems import Array, inputs_of, loss_of, training_problem, value_of
from .worker import SideError, Worker, Workers
from .workloads import Expression, Training, Workload

PAUSE = 0.03  # seconds between measurements: threads of the last side stop waiting for work
THREADS = 2


@dataclass(frozen=True)
class Moment:
    """The machine's state: flop/s of products, bytes/s of copying, seconds of the control."""

    products: float
    copy: float
    control: float


@dataclass(eq=False)
class Entry:
    """One form of one side. `timing`: seconds per step; `found`: its loss, or the error of its result."""

    side: str
    form: str
    threads: int
    worker: Worker = field(repr=False)
    steps: int = 1
    calls: int = 1
    first: float = 0.0  # seconds of the first run: compilation, where there is one
    found: float | None = None
    timing: Timing = field(default_factory=Timing)

    @property
    def label(self) -> str:
        return f"{self.side} ({self.form}, {self.threads} thread{'s' * (self.threads > 1)})"


@dataclass
class Outcome:
    """What came of a workload. `problems` are sides that failed or disagree, each a line to be read."""

    work: Workload | Case
    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def fail(self, entry: Entry, problem: SideError) -> None:
        """Take a form out; with its process all others that lived there."""
        self.problems.append(f"{entry.label}: {problem}")
        gone = [e for e in self.entries if e is entry or (e.worker is entry.worker and entry.worker.ended)]
        self.entries = [e for e in self.entries if e not in gone]

    def best(self, side: str, threads: int = THREADS) -> Entry | None:
        """A side's fastest form, by the median."""
        entries = [e for e in self.entries if e.side == side and e.threads == threads]
        return min(entries, key=lambda e: e.timing.median, default=None)


def measure(
    work: Workload | Case, workers: Workers, chosen: tuple[str, ...], *, rounds: int, quick: bool = False
) -> Outcome:
    """Build, train, compare, time."""
    shown = work.quick() if quick and not isinstance(work, Case) else work
    outcome = Outcome(shown)
    thread_counts = (THREADS,) if isinstance(work, Case) else work.threads
    results: list[tuple[Entry, list[Array]]] = []
    with tempfile.TemporaryDirectory() as folder:
        for threads in thread_counts:
            for side in chosen:
                worker = workers.of(side, threads)
                try:
                    forms = worker.ask("open", work=work.name, quick=quick)["forms"]
                except SideError as problem:
                    outcome.problems.append(f"{side}: {problem}")
                    continue
                for form in forms:
                    entry = Entry(side, form, threads, worker)
                    outcome.entries.append(entry)
                    try:
                        results.append((entry, _prepare(entry, shown, Path(folder))))
                    except SideError as problem:
                        outcome.fail(entry, problem)
                    if worker.ended:
                        break
    outcome.problems += compare(
        shown, [(entry, arrays) for entry, arrays in results if entry in outcome.entries]
    )
    for _ in range(rounds):
        for entry in list(outcome.entries):
            if entry not in outcome.entries:
                continue
            time.sleep(PAUSE)
            try:
                seconds = entry.worker.ask("time", form=entry.form, calls=entry.calls)["seconds"]
                entry.timing.seconds.append(seconds / entry.steps)
            except SideError as problem:
                outcome.fail(entry, problem)
    return outcome


def _prepare(entry: Entry, work: Workload | Case, folder: Path) -> list[Array]:
    """Build a form, let it train, and find out how often it has to be called to be timed."""
    worker, form = entry.worker, entry.form
    entry.steps = worker.ask("build", form=form)["steps"]
    runs = max(1, work.steps // entry.steps) if isinstance(work, Training) else 1
    file = str(folder / "results.npz")
    entry.first = worker.ask("train", form=form, runs=runs, file=file)["first"]
    with np.load(file) as saved:
        arrays = [saved[name] for name in saved.files]
    entry.calls = worker.ask("warm", form=form)["calls"]
    return arrays


def compare(work: Workload | Case, results: list[tuple[Entry, list[Array]]]) -> list[str]:
    """Fill in what each side found, and say who is wrong.

    Trained weights are judged by their loss over all rows. The middle one of all losses is taken for the
    right one; a side disagrees if it is further from that than the workload's tolerance, a share of what
    training gained, or if it gained nothing. With two sides both are named. A value is compared with the
    formula in float64.
    """
    if isinstance(work, Case):
        return []
    problems = []
    if isinstance(work, Expression):
        value = value_of(work, inputs_of(work))
        for entry, (array,) in results:
            entry.found = float((np.abs(array - value) / np.maximum(1, np.abs(value))).max())
            if not entry.found <= work.tolerance:
                problems.append(f"{entry.label}: wrong by {entry.found:.2g}, at most {work.tolerance:g}")
        return problems
    problem = training_problem(work)
    start = loss_of(work, problem, problem.weights)
    losses = [loss_of(work, problem, weights) for _, weights in results]
    middle = statistics.median(losses) if losses else start
    for (entry, _), loss in zip(results, losses, strict=True):
        entry.found = loss
        if not (abs(loss - middle) <= work.tolerance * (start - middle) and loss < start):
            problems.append(
                f"{entry.label}: ends at the loss {loss:.6g}, the middle of all is {middle:.6g}; "
                f"of the {start - middle:.3g} gained {work.tolerance:.2%} may differ"
            )
    return problems


def moment(workers: Workers) -> Moment:
    """What the machine can do now, measured in a process that runs no side."""
    return Moment(**workers.of("NumPy", THREADS).ask("machine"))
