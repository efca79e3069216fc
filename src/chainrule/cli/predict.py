"""`chainrule predict RUN DATA`: predict the rows of a table with a model that `chainrule train` has written.

The predictions are CSV, on standard output or in a file; everything that is said about them goes to standard
error.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from ..core.files import atomic_write
from ..data import DataError, Table, read_table
from ..data.problems import count
from ..training import Predictions, Run, load_run
from .options import Parser, UsageError, add_reading_options, separator
from .output import Output

HELP = "predict the rows of a table with a trained model"
DESCRIPTION = (
    "Predict each row of a table with the model of a run. Columns are found by name. If the target is among "
    "them, the predictions are compared with it."
)


def add(parser: Parser) -> None:
    """Describe the options."""
    parser.usage = "%(prog)s RUN DATA [--out FILE.csv] [more options]"
    parser.add_argument("folder", metavar="RUN", help="the folder that chainrule train has written")
    parser.add_argument("data", metavar="DATA", help="a .csv, .tsv or .parquet file")
    parser.add_argument(
        "--out", metavar="FILE.csv", help="write the predictions there, not to standard output"
    )
    parser.add_argument(
        "--unseen",
        metavar="refuse|missing",
        default="refuse",
        help="a category that no training row had: refuse the table (default), or treat it as missing",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    add_reading_options(parser.add_argument_group("data"))
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Read, predict, write."""
    if options.unseen not in ("refuse", "missing"):
        raise UsageError(f"--unseen must be one of refuse, missing, not {options.unseen!r}")
    if options.out is not None and Path(options.out).suffix.lower() != ".csv":
        raise UsageError(f"--out must name a .csv file, not {options.out!r}")
    trained = load_run(options.folder)
    table = read_table(
        options.data,
        encoding=options.encoding,
        separator=separator(options.separator),
        missing=trained.missing,
        text_columns=trained.text_columns(),
    )
    if (
        options.out is not None
        and os.path.exists(options.out)
        and os.path.samefile(options.out, options.data)
    ):
        raise UsageError(f"--out {options.out} is the table itself; the predictions need a file of their own")
    output = Output(sys.stderr, quiet=options.quiet)
    predictions = trained.predict(table.frame, unseen=options.unseen)
    for note in (*table.notes, *_notes(trained, table, options.unseen)):
        output.note(note)
    _write(predictions, options.out)
    if trained.target.name in table.frame.columns:
        _compare(trained, table, predictions, output)
    if options.out is not None:
        output.line("Written", f"{options.out}: {count(len(predictions.values), 'prediction')}", wrap=False)
    return 0


def _notes(run: Run, table: Table, unseen: str) -> list[str]:
    notes = []
    if run.history.interrupted:
        best = run.history.best
        notes.append(f"the training of this run was interrupted; its weights are those of epoch {best}")
    known = (run.target.name, *run.settings.drop)
    notes += run.preparation.notes_on(table.frame, expected=known)
    if unseen == "missing":
        notes += run.preparation.notes_on_unseen(table.frame)
    return notes


def _write(predictions: Predictions, out: str | None) -> None:
    text = io.StringIO()
    # A model's numbers are float32: more than eight digits of them would be noise.
    predictions.to_frame().to_csv(text, index=False, float_format="%.8g", lineterminator="\n")
    content = text.getvalue().encode()
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)  # UTF-8 whatever the terminal's encoding: it is data
        sys.stdout.buffer.flush()
        return
    try:
        with atomic_write(out) as file:
            file.write(content)
    except OSError as problem:
        raise DataError(f"cannot write '{out}': {problem.strerror or problem}") from problem


def _compare(run: Run, table: Table, predictions: Predictions, output: Output) -> None:
    try:
        scores, rows = run.score(table.frame, predictions)
    except DataError as problem:
        output.note(f"no comparison: {problem}")
        return
    if rows and not output.quiet:
        output.scores(f"Compared on {count(rows, 'row')}", scores, None)
