"""A column's values as numbers or as text, whatever pandas type they come in.

Only this file knows pandas' many types. It decides nothing: `columns.py` decides what a column is,
`preparation.py` and `target.py` use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .problems import DataError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with names that are text (pandas also numbers columns), each of them once.

    Raises:  DataError: two columns of the same name.
    """
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"the table has more than one column named {twice[0]!r}; give each its own name")
    return frame if names == list(frame.columns) else frame.set_axis(names, axis=1)


def is_number(series: pd.Series[Any]) -> bool:
    """Whether the type of the column itself is a real number; booleans are not."""
    from pandas.api import types

    return bool(
        types.is_numeric_dtype(series) and not types.is_bool_dtype(series)
    ) and not types.is_complex_dtype(series)


def type_word(series: pd.Series[Any]) -> str:
    """What the values are: `number`, `boolean`, `text`, `date`, or another word that a message can use."""
    from pandas.api import types

    word = str(types.infer_dtype(series, skipna=True))
    if word == "categorical":  # pandas' categories are numbers or text of their own
        word = str(types.infer_dtype(series.cat.categories, skipna=True))
    groups = {
        "number": ("integer", "floating", "mixed-integer-float", "decimal"),
        "boolean": ("boolean",),
        "text": ("string", "mixed-integer"),
        "date": ("datetime", "datetime64", "date", "time", "timedelta", "timedelta64", "period", "interval"),
        "bytes": ("bytes",),
        "complex numbers": ("complex",),
    }
    for name, members in groups.items():
        if word in members:
            return name
    present = series.dropna()
    return f"{type(present.iloc[0]).__name__} values" if len(present) else "nothing"


def to_numbers(series: pd.Series[Any]) -> tuple[Floats, int | None]:
    """float64 values, nan where there is none, and the first place (from 0) that holds no number.

    True and False are 1 and 0.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if series.dtype.kind in "mMOSUV" or isinstance(series.dtype, pd.StringDtype):
        if series.dtype.kind in "mM":  # pandas would take a date for its number of nanoseconds
            present = np.flatnonzero(series.notna().to_numpy())
            return np.full(len(series), np.nan), int(present[0]) if len(present) else None
        converted = pd.to_numeric(series, errors="coerce")
    else:
        converted = series
    values = converted.to_numpy(dtype=np.float64, na_value=np.nan)
    refused = np.flatnonzero(np.isnan(values) & series.notna().to_numpy())
    return values, int(refused[0]) if len(refused) else None


def to_categories(series: pd.Series[Any]) -> tuple[Indices, list[str]]:
    """For each row the index of its category, -1 where there is none; and the categories as text, in order.

    Whole numbers have no decimal point, whatever their type: a column of them turns into 1.0, 2.0, ... as
    soon as one is missing, and would not find its categories again.
    """
    import pandas as pd

    codes, found = pd.factorize(series, use_na_sentinel=True)
    words = [category_text(value) for value in found]
    categories = sorted(set(words))
    place = {word: index for index, word in enumerate(categories)}
    renumber = np.array([*(place[word] for word in words), -1], dtype=np.int64)
    return renumber[codes], categories  # the last entry of `renumber` is also its entry -1


def row_number(series: pd.Series[Any], place: int) -> int:
    """The number that a message calls a row by, from 1; a part of a table keeps the numbers of the whole.

    >>> import pandas as pd
    >>> row_number(pd.Series(["a", "b", "c"])[1:], 0)
    2
    """
    label = series.index[place]
    return int(label) + 1 if isinstance(label, int | np.integer) else place + 1


def category_text(value: object) -> str:
    """The text that stands for a value of a category column.

    >>> [category_text(value) for value in ("Pave", 7, 7.0, 0.5, True)]
    ['Pave', '7', '7', '0.5', 'True']
    """
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
