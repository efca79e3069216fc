"""Who is told what happens while a model is trained on a table.

`train_table` decides and calls; the base class keeps everything to itself; `cli/output.py` prints it.
"""

from __future__ import annotations

from ..explain.doctor import Report
from .loop import Epoch, History


class Watcher:
    """Is told what happens. This one keeps it to itself; the command line's prints it."""

    def fact(self, label: str, text: str) -> None:
        """A decision: `Target`, `price (the last column)`."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def start(self, epochs: int, steps: int) -> None:
        """Training begins: at most so many epochs of so many steps."""

    def report(self, report: Report) -> None:
        """What the gradient doctor says of the model and the first batch."""

    def step(self) -> None:
        """A step is done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is done."""

    def end(self, history: History) -> None:
        """Training is over, for whatever reason."""
