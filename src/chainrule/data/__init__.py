"""Tables: from a file on disk to the numbers that a model is trained on, and back.

The way of a table, one file for each step:

    table.py        a CSV, TSV or Parquet file -> a pandas frame, or one clear line that says what is wrong
    with it columns.py      each column -> number, yes/no, category, or left out (and why) target.py       the
    target column -> what is learned: a number, or one of several labels split.py        row numbers ->
    training, validation and test rows preparation.py  learned from the training rows only: means, scales,
    categories;
                    then any frame -> a float32 matrix (rows, inputs), or a refusal that names column, row and
                    value

What cannot be read for certain is refused (`DataError`) or said (a note); nothing is guessed in silence. All
of this is NumPy and pandas: no Tensor here. pandas is imported when a table is read. Read `table.py` next.
"""

from __future__ import annotations

from .columns import Columns, Kind, examine
from .folds import Fold, fold_rows
from .preparation import Preparation
from .problems import DataError
from .split import Split, split_rows
from .table import Table, read_table
from .target import Target, Task, choose_target, decide_task

__all__ = [
    "Columns",
    "DataError",
    "Fold",
    "Kind",
    "Preparation",
    "Split",
    "Table",
    "Target",
    "Task",
    "choose_target",
    "decide_task",
    "examine",
    "fold_rows",
    "read_table",
    "split_rows",
]
