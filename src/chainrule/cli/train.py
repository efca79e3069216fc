"""`chainrule train DATA`: train a model on a table; write it, with all that is known of it, into a folder."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from ..data.problems import count, shown
from ..training import Run, Settings, train_table
from ..training.directory import first_free, require_writable
from ..training.metrics import Scores
from ..training.settings import RULES, read_setting
from .options import Parser, add_reading_options, separator
from .output import VERDICT_STYLES, Output, in_units

HELP = "train a model on a CSV or Parquet table"
DESCRIPTION = (
    "Train a model on a table. The task is found out from the target column; part of the rows is held out to "
    "decide when to stop (validation) and to see how good the model is on rows it has never seen (test)."
)


def add(parser: Parser) -> None:
    """Describe the options; those that are choices of a run come from `training/settings.py`."""
    parser.usage = "%(prog)s DATA [--target COLUMN] [--model NAME] [more options]"
    parser.add_argument("data", metavar="DATA", help="a .csv, .tsv or .parquet file")
    data = parser.add_argument_group("data")
    data.add_argument(
        "--target", metavar="COLUMN", help="what to predict (target, label, class or y; else the last)"
    )
    data.add_argument(
        "--drop", metavar="COLUMN", action="append", default=[], help="leave a column out (repeatable)"
    )
    data.add_argument(
        "--categorical",
        metavar="COLUMN",
        action="append",
        default=[],
        help="take numbers as names (repeatable)",
    )
    data.add_argument(
        "--missing",
        metavar="TEXT",
        action="append",
        default=[],
        help="a word for no value, as ? (repeatable)",
    )
    add_reading_options(data)
    choices = parser.add_argument_group("model and training")
    for name, rule in RULES.items():
        choices.add_argument(f"--{name.replace('_', '-')}", metavar=rule.metavar, help=rule.help)
    choices.add_argument(
        "--doctor",
        action="store_true",
        help="look for what keeps the model from learning, before it is trained",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar="FOLDER", help="where to write the run (runs/NAME-1, -2, ...)")
    output.add_argument("--quiet", action="store_true", help="print the result only")
    output.add_argument(
        "--json", action="store_true", help="print the result as JSON, and the text on standard error"
    )
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Train, write, and say how it went."""
    settings = _settings(options)
    output = Output(sys.stderr if options.json else sys.stdout, quiet=options.quiet)
    folder = (
        Path(options.out) if options.out is not None else first_free(Path("runs"), Path(options.data).stem)
    )
    require_writable(folder)
    trained = train_table(
        options.data,
        settings=settings,
        watcher=output,
        missing=options.missing,
        encoding=options.encoding,
        separator=separator(options.separator),
        doctor=options.doctor,
    )
    if options.out is None:  # another run may have taken the number meanwhile
        folder = first_free(folder.parent, Path(options.data).stem)
    trained.save(folder)
    if options.json:
        print(json.dumps(_result(trained, folder), ensure_ascii=False, allow_nan=False))
    if not (options.json and options.quiet):
        _report(trained, folder, options.data, output)
    return 130 if trained.history.interrupted else 0


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name) for name in RULES}
    choices: dict[str, Any] = {
        name: read_setting(name, text) for name, text in given.items() if text is not None
    }
    return Settings(
        target=options.target, drop=tuple(options.drop), categorical=tuple(options.categorical), **choices
    )


def _report(run: Run, folder: Path, data: str, output: Output) -> None:
    """The last block: how sure, where, what next, and how good."""
    output.blank()
    output.line("Verdict", run.verdict.text, style=VERDICT_STYLES[run.verdict.kind], final=True)
    output.line("Written", str(folder), final=True, wrap=False)
    if run.history.interrupted:
        output.line("", "interrupted by Ctrl-C: the best weights so far", final=True)
    command = f"chainrule predict {shlex.quote(str(folder))} {shlex.quote(data)}"
    output.line("Next", command, wrap=False)
    if run.metrics["test"] is not None:
        output.line("Baseline", _baseline(run), final=True)
    if not output.quiet:
        output.blank()
    scores = run.metrics["test"]  # last, since it is what people look for
    if scores is None:
        output.line("Test", "no rows were held out, so nothing is known about new ones", final=True)
    else:
        output.scores(f"Test on {count(run.facts['test_rows'], 'row')}", scores, run.metrics["test_baseline"])


def _baseline(run: Run) -> str:
    if run.target.task == "regression":
        return f"always {in_units(run.target.mean)}, the mean of the training rows"
    answer = shown(run.facts["most_frequent"], most=20)
    return f"always {answer}; cross-entropy: the class shares"


def _result(run: Run, folder: Path) -> dict[str, Any]:
    metrics: dict[str, Scores | None] = run.metrics
    return {
        "run": str(folder),
        "target": run.target.name,
        "task": run.target.task,
        "model": run.spec.kind,
        "epochs": len(run.history.epochs),
        "best_epoch": run.history.best,
        "interrupted": run.history.interrupted,
        "metrics": metrics,
        "verdict": run.verdict.kind,
    }
