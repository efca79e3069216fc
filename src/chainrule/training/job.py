"""The main job: from a table to a trained model with its test metrics and a verdict.

The order matters. What a column means is decided on all rows; what is learned from values, on training rows
only; when to stop, on validation rows; the test rows are predicted once, at the end. Each step tells a
`Watcher` what it decided, which is how the command line gets its text. Read the parts in `chainrule.data`,
`models.py` and `loop.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import from_numpy, get_rng_state, manual_seed, set_rng_state
from ..data import (
    Columns,
    DataError,
    Preparation,
    Split,
    Table,
    Target,
    Task,
    choose_target,
    decide_task,
    examine,
    read_table,
    split_rows,
)
from ..data.problems import count, listing
from ..data.values import Indices, named
from ..utils.data import DataLoader, TensorDataset
from .loop import Diverged, History, fit
from .metrics import (
    Scores,
    classification_baseline,
    classification_scores,
    regression_baseline,
    regression_scores,
)
from .models import ModelSpec, decide, make_loss, make_optimizer
from .run import ROWS_AT_ONCE, Run, softmax
from .settings import Settings
from .verdict import Verdict, judge
from .watcher import Watcher

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Part:
    """Rows of one part, ready for a model; `values` are targets in their own units, or class indices."""

    inputs: npt.NDArray[np.float32]
    targets: npt.NDArray[Any]
    values: npt.NDArray[Any]

    def batches(self, size: int, *, shuffle: bool = False) -> DataLoader[Any]:
        """The part as batches of tensors."""
        data = TensorDataset(from_numpy(self.inputs), from_numpy(self.targets))
        return DataLoader(data, batch_size=size, shuffle=shuffle)


def train_table(
    data: str | os.PathLike[str] | Table | pd.DataFrame,
    *,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
    missing: Sequence[str] = (),
    encoding: str | None = None,
    separator: str | None = None,
    doctor: bool = False,
    **choices: Any,
) -> Run:
    """Train a model on a table: a file, or a frame.

    Args:    settings: the choices, or name them one by one: `train_table(file, target="price", epochs=50)`.
             watcher: is told each decision and each epoch.
             missing, encoding, separator: how to read a file (see `read_table`).
             doctor: whether the gradient doctor looks at the model before it is trained (`chainrule.doctor`);
             the watcher is told what it says. It changes nothing.
    Raises:  DataError: the table, or the choices for it, cannot be used as they are; SettingError: a choice
             outside its limits; Diverged: the loss became infinite; KeyboardInterrupt: Ctrl-C before the
             first epoch was over (after it, the run is `history.interrupted` and has the best weights so
             far).

    >>> import numpy as np, pandas as pd
    >>> rooms = np.arange(100) % 7
    >>> houses = pd.DataFrame({"rooms": rooms, "alley": ["Pave", "Grvl"] * 50, "price": 50.0 * rooms + 20.5})
    >>> run = train_table(houses)
    >>> run.target.name, run.target.task, run.metrics["test"]["r2"] > 0.99
    ('price', 'regression', True)
    >>> new = pd.DataFrame({"rooms": [3], "alley": ["Pave"]})
    >>> bool(abs(run.predict(new).values[0] - 170.5) < 5)
    True
    """
    if settings is not None and choices:
        raise TypeError(f"give settings or single choices, not both: {', '.join(choices)}")
    settings = settings or Settings(**choices)
    watcher = watcher or Watcher()
    table = _table_of(data, settings, missing, encoding, separator)
    frame, name = _choose_rows(table, settings, watcher)
    task, why_task = decide_task(frame[name], settings.task, settings.model)
    watcher.fact("Task", f"{task}: {why_task}" + ("" if settings.task != "auto" else " (--task to change)"))
    columns = _columns(frame.drop(columns=name), name, settings)
    for note in columns.notes:
        watcher.note(note)

    split, target = _split(frame[name], task, settings)
    watcher.fact("Rows", _describe_split(split, task, settings))
    train_frame = frame.iloc[split.train]
    preparation = Preparation.fit(train_frame, columns)
    watcher.fact("Inputs", _describe_inputs(columns, preparation))
    if preparation.constant:
        names = listing(preparation.constant)
        watcher.note(f"the same in every training row, so they tell nothing: {names}")
    if len(preparation.constant) == len(preparation.columns):
        raise DataError("every input column is the same in all training rows; there is nothing to learn from")
    held_out = frame.iloc[np.concatenate([split.validation, split.test])]
    for note in preparation.notes_on_unseen(held_out, " held out"):
        watcher.note(note)
    parts = [
        _part(frame.iloc[rows], target, preparation) for rows in (split.train, split.validation, split.test)
    ]

    settings, why_model = decide(settings, task, len(frame), len(split.train))
    spec = ModelSpec(
        settings.model,  # type: ignore[arg-type]  # `decide` leaves no "auto"
        len(preparation.names),
        target.outputs,
        settings.hidden or (),
        settings.dropout or 0.0,
    )
    run = _train(spec, settings, preparation, target, parts, why_model, watcher, doctor)
    run.missing = tuple(missing)
    if task == "classification":
        run.facts["most_frequent"] = target.labels[np.bincount(parts[0].values).argmax()]
    run.facts |= {
        "name": Path(table.name).name,
        "rows": len(table.frame),
        "columns": len(table.frame.columns),
        "train_rows": len(split.train),
        "validation_rows": len(split.validation),
        "test_rows": len(split.test),
    }
    return run


def _table_of(
    data: Any, settings: Settings, missing: Sequence[str], encoding: str | None, separator: str | None
) -> Table:
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        return read_table(
            data, missing=missing, encoding=encoding, separator=separator, text_columns=settings.categorical
        )
    frame = named(data.reset_index(drop=True))
    if len(frame) == 0:
        raise DataError("the frame has no rows")
    return Table(frame, "the frame")


def _choose_rows(table: Table, settings: Settings, watcher: Watcher) -> tuple[pd.DataFrame, str]:
    """The rows with a target, and its name."""
    frame = table.frame
    watcher.fact("Data", f"{table.name}: {count(len(frame), 'row')}, {count(len(frame.columns), 'column')}")
    for note in table.notes:
        watcher.note(note)
    name, why = choose_target([str(column) for column in frame.columns], settings.target)
    watcher.fact("Target", f"{name}: {why}" + ("" if settings.target else " (--target to change)"))
    known = frame[name].notna()
    absent = int((~known).sum())
    if absent == len(frame):
        raise DataError(f"the target {name!r} has no value in any of the {len(frame):,} rows")
    if absent:
        watcher.note(f"{count(absent, 'row')} without a value in the target {name!r}: left out")
        frame = frame[known]
    return frame, name


def _columns(inputs: pd.DataFrame, target: str, settings: Settings) -> Columns:
    for option, names in (("drop", settings.drop), ("categorical", settings.categorical)):
        if target in names:
            raise DataError(f"--{option} {target} names the target; another can be chosen with --target")
    return examine(inputs, drop=settings.drop, categorical=settings.categorical)


def _split(series: pd.Series[Any], task: Task, settings: Settings) -> tuple[Split, Target]:
    """The parts, and the target as learned from the training rows; labels are known from all rows."""
    sizes: dict[str, Any] = {
        "test_size": settings.test_size,
        "val_size": settings.val_size,
        "seed": settings.seed,
    }
    if task == "classification":
        target = Target.fit(series, task)
        split = split_rows(len(series), classes=target.encode(series), labels=target.labels, **sizes)
        return split, target
    split = split_rows(len(series), **sizes)
    return split, Target.fit(series.iloc[split.train], task)


def _describe_split(split: Split, task: Task, settings: Settings) -> str:
    counts = [
        (len(split.train), "to train"),
        (len(split.validation), "to validate"),
        (len(split.test), "to test"),
    ]
    how = "stratified, " if task == "classification" else ""
    return (
        ", ".join(f"{number:,} {use}" for number, use in counts if number) + f" ({how}seed {settings.seed})"
    )


def _describe_inputs(columns: Columns, preparation: Preparation) -> str:
    kinds = list(columns.kinds.values())
    words = {"number": "number", "boolean": "true-or-false column", "category": "category column"}
    parts = [count(kinds.count(kind), word) for kind, word in words.items() if kind in kinds]
    inputs = len(preparation.names)
    return ", ".join(parts) + (f", making {inputs:,} inputs" if inputs != len(kinds) else "")


def _part(frame: pd.DataFrame, target: Target, preparation: Preparation) -> _Part:
    encoded = target.encode(frame[target.name])
    values = encoded if target.task == "classification" else target.numbers(frame[target.name])
    return _Part(preparation.transform(frame, unseen="missing"), encoded, values)


def _train(
    spec: ModelSpec,
    settings: Settings,
    preparation: Preparation,
    target: Target,
    parts: list[_Part],
    why: str,
    watcher: Watcher,
    doctor: bool,
) -> Run:
    train, validation, _ = parts
    before = get_rng_state()
    manual_seed(settings.seed)
    try:
        run = Run(settings, spec, spec.build(), preparation, target, History(), {}, Verdict("unknown", ""))
        weights = sum(weight.numel() for weight in run.model.parameters())
        watcher.fact("Model", f"{spec.describe()} ({why}), {count(weights, 'weight')}")
        watcher.fact("Training", _describe_training(settings))
        run.history = _fit(run, train, validation, watcher, doctor)
    finally:
        set_rng_state(before)
    if run.history.best == 0:
        raise KeyboardInterrupt
    scores = [_scores(run, part) for part in parts]
    bases = [_baseline(target, train, part) for part in parts]
    for index, name in enumerate(("train", "validation", "test")):
        has_rows = len(parts[index].values) > 0
        run.metrics[name] = scores[index] if has_rows else None
        run.metrics[f"{name}_baseline"] = bases[index] if has_rows else None
    run.verdict = judge(
        scores[0],
        scores[1],
        bases[1],
        rows=len(validation.values),
        model=spec.kind,
        improving=run.history.stopped == "epochs" and run.history.best == settings.epochs,
    )
    return run


def _describe_training(settings: Settings) -> str:
    patience = f", patience {settings.patience}" if settings.val_size else ""
    return (
        f"{settings.optimizer}, learning rate {settings.lr:g}, weight decay {settings.weight_decay:g}, "
        f"batches of {settings.batch_size}, at most {count(settings.epochs, 'epoch')}{patience}"
    )


def _fit(run: Run, train: _Part, validation: _Part, watcher: Watcher, doctor: bool) -> History:
    batches = train.batches(run.settings.batch_size or len(train.values), shuffle=True)
    held_out = len(validation.values) > 0
    measure = "accuracy" if run.target.task == "classification" else "r2"

    def metrics() -> dict[str, float]:
        value = _scores(run, validation)[measure]
        return {} if value is None else {measure: value}

    watcher.start(run.settings.epochs, len(batches))
    history = History()
    try:
        history = fit(
            run.model,
            make_loss(run.target.task),
            make_optimizer(run.settings, run.model),
            batches,
            validation.batches(ROWS_AT_ONCE) if held_out else None,
            epochs=run.settings.epochs,
            patience=run.settings.patience if held_out else None,
            metrics=metrics if held_out else None,
            on_step=watcher.step,
            on_epoch=watcher.epoch,
            on_note=watcher.note,
            on_report=watcher.report if doctor else None,
        )
    except Diverged as problem:
        raise Diverged(f"{problem}; try a smaller --lr than {run.settings.lr:g}") from problem
    finally:
        watcher.end(history)
    return history


def _scores(run: Run, part: _Part) -> Scores:
    outputs = run.outputs(part.inputs)
    if run.target.task == "classification":
        return classification_scores(softmax(outputs), part.values)
    return regression_scores(run.target.decode(outputs), part.values)


def _baseline(target: Target, train: _Part, part: _Part) -> Scores:
    if target.task == "classification":
        indices: Indices = train.values
        return classification_baseline(indices, part.values, target.outputs)
    return regression_baseline(target.mean, part.values)
