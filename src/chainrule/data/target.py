"""The target column: which one it is, whether it is a number or a label, and its way into and out of a model.

A number is standardised for training (as the inputs are) and reported in its own units; a label becomes its
index and keeps its type. The checks of the other columns are in `columns.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from .checked import Fields
from .columns import refuse_infinite, refuse_text_among_numbers, require_column
from .preparation import mean_and_scale
from .problems import DataError, listing, shown
from .values import Floats, Indices, category_text, is_number, row_number, to_numbers, type_word

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["regression", "classification"]
Label = str | int | float | bool

USUAL_NAMES = ("target", "label", "class", "y")
# Whole numbers count as labels when there are few of them, and each often enough to be learned as one.
MOST_NUMBER_LABELS = 20
ROWS_PER_NUMBER_LABEL = 4


def choose_target(names: Sequence[str], wanted: str | None) -> tuple[str, str]:
    """The target and why: as asked, else the only column called target, label, class or y, else the last.

    Raises:  DataError: the wanted one is not a column (the nearest name is suggested), or there is only one
             column.

    >>> choose_target(["rooms", "alley", "price"], None)
    ('price', 'the last column')
    """
    if len(names) < 2:
        raise DataError(
            f"the table has only the column {names[0]!r}; it takes a target and something to predict it from"
        )
    if wanted is not None:
        require_column(wanted, names, what="the target is not a column: there is no")
        return wanted, "as asked"
    usual = [name for name in names if name.strip().lower() in USUAL_NAMES]
    if len(usual) == 1 and usual[0] != names[-1]:
        return usual[0], "by its name"
    return names[-1], "the last column"


def decide_task(series: pd.Series[Any], wanted: str = "auto", model: str = "auto") -> tuple[Task, str]:
    """Regression or classification, and why. Missing values must have been removed.

    With `auto`, text and booleans are labels, and so are whole numbers with at most 20 different values that
    have at least 4 rows each on average; other numbers are numbers. A linear model predicts numbers and
    softmax regression labels, so with one of these the question is answered.

    Raises:  DataError: a target that cannot be learned: dates, infinite values, numbers with text among them,
             text where a number is needed, the same value in every row.
    """
    name = str(series.name)
    word = "number" if is_number(series) else type_word(series)
    if word not in ("number", "boolean", "text"):
        raise DataError(f"the target {name!r} holds {word}s; it takes numbers, text or true and false")
    values, text_row = to_numbers(series)
    refuse_infinite(series, values)
    different = int(series.nunique())
    if different == 1:
        value = shown(series.iloc[0])
        raise DataError(
            f"the target {name!r} is {value} in all {len(series):,} rows; there is nothing to learn"
        )

    task, why = _task_asked_for(wanted, model)
    if task == "regression" and text_row is not None:
        raise DataError(
            f"the target {name!r} has {shown(series.iloc[text_row])} in row {row_number(series, text_row)}, "
            f"and {'--model linear' if why.startswith('--model') else 'a regression'} takes numbers; "
            "for labels: --task classification"
        )
    if task is not None:
        return task, why
    if word == "boolean":
        return "classification", "it is true or false"
    if word == "text":
        if refuse_text_among_numbers(name, series, leave_out=""):
            return "classification", f"numbers and text: {listing(sorted(series.unique()), most=3)}"
        return "classification", f"text with {different:,} different values"
    if (values % 1).any():
        return "regression", "numbers with decimals"
    few = different <= MOST_NUMBER_LABELS and different * ROWS_PER_NUMBER_LABEL <= len(series)
    what = f"{different:,} different whole numbers"
    return ("classification", what) if few else ("regression", what)


def _task_asked_for(wanted: str, model: str) -> tuple[Task | None, str]:
    by_model: dict[str, Task] = {"linear": "regression", "softmax": "classification"}
    if wanted != "auto":
        task = cast(Task, wanted)
        if by_model.get(model, task) != task:
            other = (
                "a number; for labels use softmax or mlp"
                if model == "linear"
                else "a label; for numbers use linear or mlp"
            )
            raise DataError(f"--task {wanted} does not go with --model {model}, which predicts {other}")
        return task, "as asked"
    if model in by_model:
        return by_model[model], f"--model {model} predicts {'numbers' if model == 'linear' else 'labels'}"
    return None, ""


@dataclass(frozen=True)
class Target:
    """What is learned: labels, or a number whose mean and standard deviation in the training rows are kept.

    >>> import pandas as pd
    >>> target = Target.fit(pd.Series(["hen", "duck", "hen"], name="bird"), "classification")
    >>> target.labels, target.encode(pd.Series(["hen", "duck"])).tolist()
    (('duck', 'hen'), [1, 0])
    """

    name: str
    task: Task
    labels: tuple[Label, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, series: pd.Series[Any], task: Task) -> Target:
        """Learn the labels, or mean and standard deviation, from rows that all have a value.

        Raises:  DataError: a regression whose target is the same in all these rows.
        """
        name = str(series.name)
        if task == "classification":
            return cls(name, task, labels=_labels_of(series))
        mean, scale = mean_and_scale(to_numbers(series)[0])
        if scale == 0:
            raise DataError(f"the target {name!r} is {mean:g} in all {len(series):,} training rows")
        return cls(name, task, mean=mean, scale=scale)

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row."""
        return len(self.labels) if self.task == "classification" else 1

    def encode(self, series: pd.Series[Any]) -> npt.NDArray[Any]:
        """What a loss compares with: class indices int64 (rows,), or standardised numbers float32 (rows, 1).

        Raises:  DataError: a label that is not known, or something else than a finite number; the row is
                 named.
        """
        if self.task == "classification":
            return self._indices(series)
        return ((self.numbers(series) - self.mean) / self.scale).astype(np.float32)[:, None]

    def numbers(self, series: pd.Series[Any]) -> Floats:
        """The target of a regression in its own units: float64 (rows,)."""
        values, refused = to_numbers(series)
        if refused is not None:
            raise DataError(
                f"the target {self.name!r} must hold numbers, "
                f"but row {row_number(series, refused)} has {shown(series.iloc[refused])}"
            )
        refuse_infinite(series, values)
        return values

    def decode(self, outputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Predictions from outputs (rows, classes or 1): labels, or numbers in the target's units."""
        if self.task == "regression":
            return outputs[:, 0].astype(np.float64) * self.scale + self.mean  # (rows, 1) -> (rows,)
        labels: npt.NDArray[Any] = np.array(self.labels, dtype=object)
        chosen: npt.NDArray[Any] = labels[outputs.argmax(axis=1)]  # (rows, classes) -> (rows,)
        return chosen

    def _indices(self, series: pd.Series[Any]) -> Indices:
        key = category_text if isinstance(self.labels[0], str) else _number_or_value
        place = {key(label): index for index, label in enumerate(self.labels)}
        keys = [key(value) for value in series.tolist()]
        for row, found in enumerate(keys):
            if found not in place:
                raise DataError(
                    f"the target {self.name!r} has {shown(series.iloc[row])} "
                    f"in row {row_number(series, row)}, which is none of the labels that were learned"
                )
        return np.array([place[found] for found in keys], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dump`; labels keep their type."""
        if self.task == "classification":
            return {"name": self.name, "task": self.task, "labels": list(self.labels)}
        return {"name": self.name, "task": self.task, "mean": self.mean, "scale": self.scale}

    @classmethod
    def from_json(cls, data: Fields) -> Target:
        """The inverse of `to_json`. Raises DataError, naming the place, for what cannot be right."""
        name, task = data.text("name"), data.choice("task", ("regression", "classification"))
        if task == "regression":
            scale = data.number("scale", least=0)
            if scale == 0:
                raise DataError(f"{data.where('scale')} must not be 0")
            return cls(name, "regression", mean=data.number("mean"), scale=scale)
        labels = data.items("labels")
        same_type = all(isinstance(label, str) for label in labels) or not any(
            isinstance(label, str) for label in labels
        )
        plain = all(isinstance(label, str | int | float) for label in labels)
        if not (plain and same_type and len(set(labels)) == len(labels) > 1):
            raise DataError(f"{data.where('labels')} must be at least two different labels of one type")
        return cls(name, "classification", labels=tuple(labels))


def _labels_of(series: pd.Series[Any]) -> tuple[Label, ...]:
    """The different values in ascending order, as Python's own types."""
    word = "number" if is_number(series) else type_word(series)
    different = series.drop_duplicates().tolist()
    if word == "boolean":
        return tuple(sorted(bool(value) for value in different))
    if word == "number":
        numbers = [float(value) for value in different]
        if all(value.is_integer() for value in numbers):  # 1.0 and 2.0 were whole before a row was missing
            return tuple(sorted(int(value) for value in different))
        return tuple(sorted(numbers))
    return tuple(sorted({category_text(value) for value in different}))


def _number_or_value(value: object) -> object:
    """What the spellings of a number have in common: 1, 1.0, True and (read as text) '1' are one label."""
    try:
        return float(value)  # type: ignore[arg-type]  # what has no float raises
    except (TypeError, ValueError):
        return value
