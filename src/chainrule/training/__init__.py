"""Training: the loop, its measures and its verdict, and the whole way from a table to a saved model.

For any `nn.Module`:

    step.py       train_step: one batch, one update; the only place where weights change
    loop.py       fit: epochs over a DataLoader, early stopping, the best weights kept; History
    interrupt.py  Ctrl-C as a wish to stop, not as an accident
    metrics.py    accuracy, R² and their like, and the baseline to compare them with
    verdict.py    over- or underfitting, in words

For tables (`chainrule.data`), on top of it:

    settings.py   the choices of a run, their defaults and limits
    watcher.py    who is told what happens, while it happens
    models.py     linear, softmax or mlp: which one, and how it is built
    job.py        train_table: from a table to a `Run`
    run.py        Run: a trained model that knows its table; predict, save, `load_run`
    directory.py  a folder that appears whole or not at all
    curve.py      the learning curve as a picture

The command line (`chainrule.cli`) prints what these say and adds nothing of its own, so everything it does
can be done in a few lines of Python:

    >>> from chainrule.training import train_table
    >>> run = train_table("houses.csv", target="price")           # doctest: +SKIP
    >>> run.metrics["test"]["r2"], run.verdict.text               # doctest: +SKIP
    >>> run.save("runs/houses")                                   # doctest: +SKIP
"""

from __future__ import annotations

from .job import train_table
from .loop import Diverged, Epoch, History, evaluate, fit
from .run import Predictions, Run, load_run
from .settings import SettingError, Settings
from .step import train_step
from .verdict import Verdict
from .watcher import Watcher

__all__ = [
    "Diverged",
    "Epoch",
    "History",
    "Predictions",
    "Run",
    "SettingError",
    "Settings",
    "Verdict",
    "Watcher",
    "evaluate",
    "fit",
    "load_run",
    "train_step",
    "train_table",
]
