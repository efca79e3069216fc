"""Decide what each column is: a number, yes or no, a category, or nothing that a model can use.

The decision looks at all rows (it is about the meaning of a column, not about its values); what is learned
from values comes later, from the training rows alone, in `preparation.py`. A column that is left out is left
out aloud.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .problems import DataError, listing, nearest, shown
from .values import Floats, is_number, named, row_number, to_categories, to_numbers, type_word

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "boolean", "category"]

MOST_CATEGORIES = 50  # each becomes an input; more of them are names, addresses or sentences, not categories
# Numbers with a few words among them ("3+") may be categories; with more values than this they are dirty
# numbers.
MOST_MIXED_CATEGORIES = 20

_DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]+\d{1,2}:\d{2}.*)?\s*"
)
_ID_NAME = re.compile(
    r"(.*[_\s.-])?(id|idx|index|uuid|rowid|row|nr|no)|Unnamed: \d+|__index_level_\d+__", re.IGNORECASE
)


@dataclass(frozen=True)
class Columns:
    """The kind of each input column in the table's order, why others are left out, and notes for the user."""

    kinds: dict[str, Kind]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def examine(frame: pd.DataFrame, *, drop: Sequence[str] = (), categorical: Sequence[str] = ()) -> Columns:
    """Decide the kind of every column of a frame that holds inputs only (the target is not among them).

    Numbers and booleans are themselves; text with at most 50 different values is a category. Dates and text
    with more values are left out with a note. `drop` leaves a column out, `categorical` makes it a category,
    whatever it holds.

    Raises:  DataError: a name that is no column; a column without any value; an infinite value; numbers with
             text among them; a type that cannot be an input; no column left.

    >>> import pandas as pd
    >>> examine(pd.DataFrame({"rooms": [2, 4, None], "alley": ["Pave", None, "Pave"]})).kinds
    {'rooms': 'number', 'alley': 'category'}
    """
    frame = named(frame)
    names = list(frame.columns)
    for name in (*drop, *categorical):
        require_column(name, names)
    kept = [name for name in names if name not in drop]
    _refuse_empty([name for name in kept if frame[name].isna().all()])
    result = Columns({}, dict.fromkeys(drop, "as asked"))
    for name in kept:
        if name in categorical:
            result.kinds[name] = "category"
        else:
            _examine_one(name, frame[name], result)
    if not result.kinds:
        raise DataError(
            "no column is left to learn from" + (f": {'; '.join(result.notes)}" if result.notes else "")
        )
    return result


def require_column(name: str, names: Sequence[str], *, what: str = "there is no column") -> None:
    """Refuse a name that is not a column, with the nearest one that is."""
    if name not in names:
        close = nearest(name, names)
        hint = f"did you mean {close!r}?" if close else f"the columns are {listing(names, most=8)}"
        raise DataError(f"{what} {name!r}; {hint}")


def drop_option(*names: str) -> str:
    """`--drop 'zip code'`, ready for a shell."""
    return " ".join(f"--drop {shlex.quote(name)}" for name in names)


def refuse_infinite(series: pd.Series[Any], values: Floats) -> None:
    """Refuse a column with an infinite value, naming its row; `values` are the column's numbers."""
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        place = int(infinite[0])
        raise DataError(
            f"column {series.name!r} has the infinite value {values[place]} "
            f"in row {row_number(series, place)}; correct it or remove the row"
        )


def refuse_text_among_numbers(name: str, series: pd.Series[Any], *, leave_out: str) -> bool:
    """Refuse text that is mostly numbers; if it has few values, return True: they may be categories."""
    import pandas as pd

    text = series.dropna().astype(str)
    plain = pd.to_numeric(text, errors="coerce").notna()
    stripped = pd.to_numeric(text.str.replace(r"[\s,'$€£¥%]", "", regex=True), errors="coerce").notna()
    if stripped.mean() < 0.5:
        return False
    if text.nunique() <= MOST_MIXED_CATEGORIES:
        return True
    bad = np.flatnonzero(~plain.to_numpy())
    value, row = str(text.iloc[bad[0]]), row_number(text, int(bad[0]))
    if stripped.iloc[bad[0]]:
        raise DataError(
            f"column {name!r} holds numbers that are not written plainly ({shown(value)} in row {row}); "
            f"write them as 1234.5{leave_out}"
        )
    others = "" if len(bad) == 1 else f", the first of {len(bad):,} such values"
    raise DataError(
        f"column {name!r} holds numbers, but row {row} has {shown(value)}{others}; correct it, "
        f"read it as missing with --missing {shlex.quote(value)}{leave_out}"
    )


def _refuse_empty(names: list[str]) -> None:
    if len(names) == 1:
        raise DataError(f"column {names[0]!r} has no values at all; leave it out with {drop_option(*names)}")
    if names:
        raise DataError(
            f"columns {listing(names)} have no values at all; leave them out with {drop_option(*names)}"
        )


def _examine_one(name: str, series: pd.Series[Any], result: Columns) -> None:
    word = "number" if is_number(series) else type_word(series)
    if word == "number":
        values, _ = to_numbers(series)
        refuse_infinite(series, values)
        result.kinds[name] = "number"
        if _numbers_the_rows(name, values):
            result.notes.append(
                f"column {name!r} seems to number the rows ({values.min():.0f} to {values.max():.0f}), "
                f"which can mislead a model; leave it out with {drop_option(name)}"
            )
    elif word == "boolean":
        result.kinds[name] = "boolean"
    elif word == "text":
        _examine_text(name, series, result)
    elif word == "date":
        _leave_out(name, "it holds dates or times", result)
    else:
        raise DataError(
            f"column {name!r} holds {word}, which cannot be an input of a model; "
            f"leave it out with {drop_option(name)}"
        )


def _examine_text(name: str, series: pd.Series[Any], result: Columns) -> None:
    present = series.dropna().astype(str)
    # A thousand different values show what a column holds; a table may have millions.
    sample = present.drop_duplicates()[:1000]
    if sample.map(lambda text: _DATE.fullmatch(text) is not None).mean() >= 0.9:
        _leave_out(name, f"it holds dates ({shown(present.iloc[0])})", result)
        return
    mixed = refuse_text_among_numbers(
        name, series, leave_out=f", or leave the column out with {drop_option(name)}"
    )
    _, categories = to_categories(series)
    many = len(categories) > MOST_CATEGORIES or (len(categories) > len(series) / 2 and len(series) >= 10)
    if many:
        _leave_out(
            name, f"it is text with {len(categories):,} different values in {len(series):,} rows", result
        )
        return
    result.kinds[name] = "category"
    if mixed:
        result.notes.append(
            f"column {name!r} holds numbers and text ({listing(categories, most=3)}): taken as categories"
        )


def _leave_out(name: str, reason: str, result: Columns) -> None:
    result.left_out[name] = reason
    result.notes.append(f"column {name!r} is left out: {reason}")


def _numbers_the_rows(name: str, values: Floats) -> bool:
    """Whether a column looks like a row number or a key: whole, all different, and counting or named so."""
    if (
        len(values) < 10
        or np.isnan(values).any()
        or (values % 1).any()
        or len(np.unique(values)) < len(values)
    ):
        return False
    return bool(values.max() == values.min() + (len(values) - 1)) or _ID_NAME.fullmatch(name) is not None
