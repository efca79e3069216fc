"""What is printed, and how: lines with a label, notes, progress, the table of scores.

On a terminal rich adds colours and a progress bar; elsewhere (a file, a pipe, a CI log) the same text comes
as plain lines. Nothing here decides anything.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

from ..explain.doctor import Report
from ..training import Epoch, History, Watcher
from ..training.metrics import Scores

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LABEL = 10  # the width of the labels' column
WIDTH = 80
MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "cross_entropy": "cross-entropy",
    "r2": "R²",
    "rmse": "root mean square error",
    "mae": "mean absolute error",
}
SPELT_OUT = str.maketrans(  # signs of mathematics, for streams that have no letters for them
    {"·": "*", "−": "-", "∂": "d", "Σ": "sum ", "√": "sqrt", "π": "pi", "∞": "inf", "ᵀ": ".T", "‖": "||",
     "≤": "<=", "≥": ">=", "≠": "!=", "↦": "->", "∧": "and", "∨": "or", "¬": "not "}
    | {raised: f"^{digit}" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)  # fmt: skip
VERDICT_STYLES = {
    "good": "green",
    "agrees": "green",
    "overfits": "yellow",
    "underfits": "yellow",
    "unknown": "",
}


class Output(Watcher):
    """Prints to a stream; with `quiet`, only what is `final`."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self.stream = stream
        self.quiet = quiet
        self.terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.epochs = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    # -- lines

    def line(self, label: str, text: str, *, style: str = "", final: bool = False, wrap: bool = True) -> None:
        """A labelled text, wrapped so that the label's column stays free."""
        if self.quiet and not final:
            return
        indent, room = " " * LABEL, self._width() - LABEL
        lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) if wrap else [text]
        self._print(f"{label:<{LABEL}}", ("\n" + indent).join(lines), style)

    def fact(self, label: str, text: str) -> None:
        """A decision, as it is made."""
        self.line(label, text)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self.line("note", text, style="yellow")

    def document(self, text: str, drawn: Any) -> None:
        """A text of many lines; on a terminal `drawn` instead, which rich prints in colours."""
        if self.quiet:
            return
        if not self.terminal:
            encoding = getattr(self.stream, "encoding", None) or "utf-8"
            for line in text.split("\n"):
                self._print("", line if _fits(line, encoding) else line.translate(SPELT_OUT), "")
            return
        from rich.console import Console

        Console(file=self.stream, highlight=False).print(drawn)

    def blank(self) -> None:
        """An empty line between blocks."""
        if not self.quiet:
            self._print("", "", "")

    def scores(self, title: str, scores: Scores, baseline: Scores | None) -> None:
        """A table of measures beside those of the baseline."""
        width = LABEL + max(len(title), *(len(MEASURES[name]) for name in scores))
        self._print(f"{title:<{width}}", f"{'model':>9}" + (f"{'baseline':>11}" if baseline else ""), "")
        for name, value in scores.items():
            base = f"{_number(name, baseline[name]):>11}" if baseline else ""
            label = " " * LABEL + MEASURES[name]
            self._print("", f"{label:<{width}}{_number(name, value):>9}{base}", "")

    def _width(self) -> int:
        """At most 80 columns, which any page and mail can hold; fewer on a narrow terminal."""
        return max(40, min(WIDTH, shutil.get_terminal_size().columns)) if self.terminal else WIDTH

    def _print(self, label: str, text: str, style: str) -> None:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        label, text = (printable(part).encode(encoding, "replace").decode(encoding) for part in (label, text))
        if not self.terminal:
            self.stream.write(f"{label}{text}".rstrip() + "\n")
            self.stream.flush()
            return
        from rich.console import Console
        from rich.text import Text

        # Text, not markup: a column called [red] is printed as it is.
        line = Text.assemble((label, "bold" if label.strip() else ""), (text, style))
        line.rstrip()
        Console(file=self.stream, highlight=False).print(line, soft_wrap=True)

    # -- progress

    def start(self, epochs: int, steps: int) -> None:
        """Show a progress bar, on a terminal."""
        self.epochs = epochs
        self.blank()
        if not self.terminal or self.quiet:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            console=Console(file=self.stream, highlight=False),
            transient=True,
        )
        self._task = self._bar.add_task("epoch 1", total=epochs * steps, loss="")
        self._bar.start()

    def report(self, report: Report) -> None:
        """What the gradient doctor found; without a finding, a line that says so."""
        for finding in report.findings:
            style = "red" if finding.severity == "serious" else "yellow"
            self.line("Doctor", str(finding), style=style, final=True)
        if report.healthy:
            self.line("Doctor", "no findings in the first batch", style="green")
        for note in report.notes:
            self.note(note)

    def step(self) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def epoch(self, epoch: Epoch) -> None:
        """Show the losses: beside the bar, or on a line for the first epochs and each tenth."""
        if self._bar is not None and self._task is not None:
            short = f"loss {epoch.train_loss:.4f}"
            if epoch.val_loss is not None:
                short += f", validation {epoch.val_loss:.4f}"
            self._bar.update(self._task, description=f"epoch {epoch.number}/{self.epochs}", loss=short)
        elif epoch.number in (1, 2, 5) or epoch.number % 10 == 0 or epoch.number == self.epochs:
            self.line(f"epoch {epoch.number:>3}", "  " + _losses(epoch), wrap=False)

    def end(self, history: History) -> None:
        """Take the bar away and say why training ended, and with which weights."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if not history.best:
            return
        reasons = {
            "epochs": f"after all {self.epochs} epochs",
            "patience": f"after epoch {history.epochs[-1].number}: validation was getting no better",
            "interrupt": f"by Ctrl-C after epoch {history.epochs[-1].number}",
        }
        kept = history.epochs[history.best - 1]
        interrupted = history.interrupted
        self.line(
            "Stopped", reasons[history.stopped], style="yellow" if interrupted else "", final=interrupted
        )
        self.line("Kept", f"the weights of epoch {kept.number}: {_losses(kept)}", final=interrupted)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    r"""The text with what a terminal would obey, such as a change of colour in a column's name, spelt out.

    >>> print(printable("price\x1b[31m"))
    price\x1b[31m
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text
    )


def _losses(epoch: Epoch) -> str:
    parts = [f"training loss {epoch.train_loss:.4f}"]
    if epoch.val_loss is not None:
        parts.append(f"validation loss {epoch.val_loss:.4f}")
    parts += [f"{MEASURES[name]} {value:.3f}" for name, value in epoch.metrics.items()]
    return ", ".join(parts)


def _number(name: str, value: Any) -> str:
    """Three decimals for shares; what has the target's units as `in_units` writes it."""
    if value is None:
        return "undefined"
    return in_units(value) if name in ("rmse", "mae") else f"{value:.3f}"


def in_units(value: float) -> str:
    """Four digits that matter, or all of a larger number.

    >>> [in_units(value) for value in (0.0123456, 57.8612, 101234.4, 3e12)]
    ['0.01235', '57.86', '101,234', '3e+12']
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
