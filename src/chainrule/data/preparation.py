"""What is learned from the training rows of a table, and then done to every row: numbers in, numbers out.

Missing numbers become the training mean; a category becomes one column for each of its values and one for
"missing" (as pandas' `get_dummies(dummy_na=True)`); numbers are standardised. Nothing here has seen a
validation or test row when `fit` is given the training rows. A `Preparation` is plain data and is stored as
JSON; `training/run.py` does that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .checked import Fields
from .columns import Columns, Kind, drop_option, examine, refuse_infinite
from .problems import DataError, count, listing, nearest, shown
from .values import Floats, Indices, named, row_number, to_categories, to_numbers

if TYPE_CHECKING:
    import pandas as pd

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, or of booleans as 1 and 0; `scale` is the standard deviation, 0 for a constant."""

    name: str
    kind: Kind
    mean: float
    scale: float


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories, and whether a value was missing in a training row."""

    name: str
    categories: tuple[str, ...]
    missing_seen: bool


@dataclass(frozen=True)
class Unseen:
    """A value that the training rows never had; `value` is None where none is given. Rows count from 1."""

    column: str
    value: str | None
    row: int
    rows: int


@dataclass(frozen=True)
class Preparation:
    """Turns rows of a table into a float32 matrix, as learned from the training rows.

    >>> import pandas as pd
    >>> houses = pd.DataFrame({"NumRooms": [None, 2, 4, None], "Alley": ["Pave", None, None, None]})
    >>> learned = Preparation.fit(houses, standardise=False)
    >>> learned.names
    ['NumRooms', 'Alley_Pave', 'Alley_nan']
    >>> learned.transform(houses).tolist()
    [[3.0, 1.0, 0.0], [2.0, 0.0, 1.0], [4.0, 0.0, 1.0], [3.0, 0.0, 1.0]]
    """

    columns: tuple[NumberColumn | CategoryColumn, ...]
    standardise: bool = True

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, columns: Columns | None = None, *, standardise: bool = True
    ) -> Preparation:
        """Learn from training rows. `columns`, from `examine`, says what each is; else these rows decide.

        Standardising is (x - mean) / standard deviation (of the population, missing values filled first); a
        constant column becomes zeros.
        Raises:  DataError: a column without any value in these rows.
        """
        frame = named(frame)
        kinds = (columns or examine(frame)).kinds
        empty = [name for name in kinds if frame[name].isna().all()]
        if empty:
            raise DataError(
                f"column {empty[0]!r} has no value in any of the {len(frame):,} training rows; "
                f"leave it out with {drop_option(empty[0])}"
            )
        return cls(tuple(_learn(name, kind, frame[name]) for name, kind in kinds.items()), standardise)

    @property
    def names(self) -> list[str]:
        """The names of the matrix's columns."""
        return [name for column in self.columns for name in _names(column)]

    @property
    def constant(self) -> list[str]:
        """The columns that carry nothing, because all training rows have the same value."""
        return [column.name for column in self.columns if _is_constant(column)]

    def text_columns(self) -> list[str]:
        """The columns to read as they are written (see `read_table`): categories are words, even `007`."""
        return [column.name for column in self.columns if isinstance(column, CategoryColumn)]

    def transform(self, frame: pd.DataFrame, *, unseen: Literal["refuse", "missing"] = "refuse") -> Floats32:
        """The matrix (rows, inputs) of a frame; columns are found by name, others are ignored.

        Args:    unseen: what to do with a category that no training row had. `missing` treats it as not
                 given.
        Raises:  DataError: a column is not there; a value is no number where numbers are needed, is infinite,
                 or too far from the training values for float32; an unseen category with `unseen="refuse"`.
        """
        frame = named(frame)
        self._require_columns(frame)
        if unseen == "refuse":
            for value in self.unseen(frame):
                raise DataError(self._unseen_message(value))
        parts = [
            self._number(column, frame[column.name])[:, None]  # (rows,) -> (rows, 1)
            if isinstance(column, NumberColumn)
            else _one_hot(column, frame[column.name])  # (rows, categories + 1)
            for column in self.columns
        ]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def unseen(self, frame: pd.DataFrame) -> Iterator[Unseen]:
        """The categories that no training row had, and missing values where none was missing then."""
        frame = named(frame)
        for column in self.columns:
            if isinstance(column, CategoryColumn):
                codes, found = to_categories(frame[column.name])
                strange = [(index, word) for index, word in enumerate(found) if word not in column.categories]
                missing: list[tuple[int, None]] = [] if column.missing_seen else [(-1, None)]
                for index, word in (*strange, *missing):
                    rows = np.flatnonzero(codes == index)
                    if len(rows):
                        row = row_number(frame[column.name], int(rows[0]))
                        yield Unseen(column.name, word, row, len(rows))

    def notes_on_unseen(self, frame: pd.DataFrame, where: str = "") -> list[str]:
        """What `unseen` finds, as lines for the user; `where` follows the number of rows, as " held out"."""
        found = list(self.unseen(frame))
        notes = []
        for column in self.columns:
            words = [item for item in found if item.column == column.name and item.value is not None]
            absent = [item for item in found if item.column == column.name and item.value is None]
            rows = count(sum(item.rows for item in words), "row") + where
            if len(words) == 1:
                what = f"has {shown(words[0].value)}, which no training row had, in {rows}"
                notes.append(f"column {column.name!r} {what}: treated as not known")
            elif words:
                some = listing([item.value for item in words], most=3)
                what = f"has {len(words)} values that no training row had ({some}), in {rows}"
                notes.append(f"column {column.name!r} {what}: treated as not known")
            for item in absent:
                what = f"has no value in {count(item.rows, 'row')}{where}, but had one in every training row"
                notes.append(f"column {column.name!r} {what}: treated as not known")
        return notes

    def notes_on(self, frame: pd.DataFrame, *, expected: tuple[str, ...] = ()) -> list[str]:
        """What a user should know about a frame: columns that are ignored, another order."""
        given, wanted = [str(name) for name in frame.columns], [column.name for column in self.columns]
        notes = []
        extra = [name for name in given if name not in wanted and name not in expected]
        if extra:
            notes.append(f"{count(len(extra), 'column')} that the model does not use: {listing(extra)}")
        if [name for name in given if name in wanted] != wanted:
            notes.append("the columns are in another order than in training; they are found by name")
        return notes

    def _require_columns(self, frame: pd.DataFrame) -> None:
        given = list(frame.columns)
        absent = [column.name for column in self.columns if column.name not in given]
        if absent:
            spare = [name for name in given if name not in {column.name for column in self.columns}]
            close = nearest(absent[0], spare)
            hint = f" (is {close!r} the same as {absent[0]!r}? then rename it)" if close else ""
            missing = "column" if len(absent) == 1 else f"{len(absent)} columns"
            raise DataError(
                f"the table lacks the {missing} {listing(absent)} that the model was trained on{hint}"
            )

    def _number(self, column: NumberColumn, series: pd.Series[Any]) -> Floats32:
        values, refused = to_numbers(series)
        if refused is not None:
            what = "numbers" if column.kind == "number" else "true or false"
            raise DataError(
                f"column {column.name!r} must hold {what}, "
                f"but row {row_number(series, refused)} has {shown(series.iloc[refused])}"
            )
        refuse_infinite(series, values)
        if column.kind == "boolean":
            odd = np.flatnonzero(~np.isnan(values) & (values != 0) & (values != 1))
            if len(odd):
                raise DataError(
                    f"column {column.name!r} must hold true or false (or 1 and 0), "
                    f"but row {row_number(series, int(odd[0]))} has {values[odd[0]]:g}"
                )
        filled = np.where(np.isnan(values), column.mean, values)
        with np.errstate(over="ignore"):  # refused below, with the value and its row
            if self.standardise:
                filled = np.zeros_like(filled) if column.scale == 0 else (filled - column.mean) / column.scale
            result = filled.astype(np.float32)
        far = np.flatnonzero(~np.isfinite(result))
        if len(far):
            raise DataError(
                f"column {column.name!r} has {values[far[0]]:g} in row {row_number(series, int(far[0]))}, "
                f"too far from the training rows to be represented "
                f"(mean {column.mean:g}, standard deviation {column.scale:g})"
            )
        return result

    def _unseen_message(self, found: Unseen) -> str:
        column = next(column for column in self.columns if column.name == found.column)
        known = listing(column.categories, most=8) if isinstance(column, CategoryColumn) else ""
        if found.value is None:
            what = f"has no value in row {found.row}, and in training every row had one"
        else:
            what = (
                f"has {shown(found.value)} in row {found.row}, which no training row had (they had {known})"
            )
        return f"column {found.column!r} {what}; to treat it as not known: --unseen missing"

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dump`; every number comes back exactly."""
        return {
            "standardise": self.standardise,
            "columns": [
                {"name": column.name, "kind": column.kind, "mean": column.mean, "scale": column.scale}
                if isinstance(column, NumberColumn)
                else {
                    "name": column.name,
                    "kind": "category",
                    "categories": list(column.categories),
                    "missing_seen": column.missing_seen,
                }
                for column in self.columns
            ],
        }

    @classmethod
    def from_json(cls, data: Fields) -> Preparation:
        """The inverse of `to_json`. Raises DataError, naming the place, for what cannot be right."""
        columns: list[NumberColumn | CategoryColumn] = []
        for column in data.objects("columns"):
            name, kind = column.text("name"), column.choice("kind", ("number", "boolean", "category"))
            if kind == "category":
                categories = column.texts("categories")
                if len(set(categories)) < len(categories):
                    raise DataError(f"{column.where('categories')} has the same category twice")
                columns.append(CategoryColumn(name, tuple(categories), column.flag("missing_seen")))
            else:
                number_kind: Kind = "number" if kind == "number" else "boolean"
                columns.append(
                    NumberColumn(name, number_kind, column.number("mean"), column.number("scale", least=0))
                )
        names = [column.name for column in columns]
        if not columns or len(set(names)) < len(names):
            raise DataError(f"{data.where('columns')} must name at least one column, and each once")
        return cls(tuple(columns), data.flag("standardise"))


def mean_and_scale(values: Floats) -> tuple[float, float]:
    """The mean of the values that are there, and the standard deviation once the others are filled with it.

    A constant has the deviation 0 exactly. Squares of very large or small numbers leave float64's range, so
    such numbers are first divided by their size.
    """
    present = values[~np.isnan(values)]
    low, high = float(present.min()), float(present.max())
    if low == high:
        return low, 0.0
    size = max(abs(low), abs(high))
    unit = 1.0 if 1e-100 < size < 1e100 else size
    present = present / unit
    mean = float(present.mean())
    scale = math.sqrt(float(((present - mean) ** 2).sum()) / len(values))
    return mean * unit, scale * unit


def _learn(name: str, kind: Kind, series: pd.Series[Any]) -> NumberColumn | CategoryColumn:
    if kind == "category":
        codes, categories = to_categories(series)
        return CategoryColumn(name, tuple(categories), bool((codes < 0).any()))
    values, _ = to_numbers(series)
    return NumberColumn(name, kind, *mean_and_scale(values))


def _is_constant(column: NumberColumn | CategoryColumn) -> bool:
    if isinstance(column, NumberColumn):
        return column.scale == 0
    return len(column.categories) == 1 and not column.missing_seen


def _names(column: NumberColumn | CategoryColumn) -> list[str]:
    if isinstance(column, NumberColumn):
        return [column.name]
    return [f"{column.name}_{word}" for word in (*column.categories, "nan")]


def _one_hot(column: CategoryColumn, series: pd.Series[Any]) -> Floats32:
    """(rows,) -> (rows, categories + 1); the last column is for values that are missing or unseen.

    Where no training row lacked a value, the weights of that last column were never trained: it stays zero.
    """
    codes, found = to_categories(series)
    place = {word: index for index, word in enumerate(column.categories)}
    last = len(column.categories)
    renumber: Indices = np.array([*(place.get(word, last) for word in found), last], dtype=np.int64)
    result = np.zeros((len(codes), last + 1), dtype=np.float32)
    result[np.arange(len(codes)), renumber[codes]] = 1.0
    if not column.missing_seen:
        result[:, last] = 0.0
    return result
