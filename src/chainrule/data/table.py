"""Read a table from a CSV, TSV or Parquet file; what cannot be read for certain is refused in one clear line.

pandas does the reading. Before it does, a CSV file is looked through once for what pandas would pass over in
silence: short and long lines, column names used twice (it renames them), the wrong separator. What the
columns mean is decided in `columns.py`.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .problems import DataError, count, listing, nearest

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Table:
    """A table that has been read: the frame, the name to call it by, and notes for the user."""

    frame: pd.DataFrame
    name: str
    notes: list[str] = field(default_factory=list)


def read_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    separator: str | None = None,
    missing: Sequence[str] = (),
    text_columns: Sequence[str] = (),
) -> Table:
    """Read a table; rows are numbered from 1, without the header, in every message about it.

    Args:    encoding: of a CSV file; UTF-8 (with or without a byte order mark) unless given.
             separator: between the fields of a CSV file; a comma, for `.tsv` a tab, unless given.
             missing: words that mean "no value" here, besides pandas' own (nothing, NA, NaN, null, None, n/a,
             ...).
             text_columns: columns whose values are kept as they are written (`007` is not 7).
    Raises:  DataError: a file that is not there, is empty, is of an unknown type or not what its name says;
             text in another encoding; lines of different length; column names used twice; a header without
             rows.

    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "rooms.csv")
    >>> with open(path, "w") as file:
    ...     _ = file.write("rooms,price\\n2,106000\\nNA,140000\\n")
    >>> read_table(path).frame["rooms"].tolist()
    [2.0, nan]
    >>> folder.cleanup()
    """
    file = _existing_file(path)
    suffix = file.suffix.lower()
    encoding = _known_encoding(encoding or "utf-8")
    try:
        if suffix in PARQUET:
            frame = _read_parquet(file, missing)
        else:
            separator = separator or SEPARATORS[suffix]
            frame = _read_csv(file, encoding, separator, missing, text_columns)
    except OSError as problem:
        raise DataError(f"cannot read '{file}': {problem.strerror or problem}") from problem
    if len(frame) == 0:
        raise DataError(f"'{file}' has a header but no rows")
    return Table(frame, str(file), _notes_on_names(frame))


def _existing_file(path: str | os.PathLike[str]) -> Path:
    """The path, if it is a file that can be a table."""
    file = Path(path)
    try:
        is_folder, is_file = file.is_dir(), file.exists()
    except OSError as problem:  # a name that is too long, say
        raise DataError(f"cannot read '{file}': {problem.strerror}") from problem
    if is_folder:
        raise DataError(f"'{file}' is a folder; give a .csv, .tsv or .parquet file")
    if not is_file:
        beside = [item.name for item in file.parent.iterdir()] if file.parent.is_dir() else []
        close = nearest(file.name, beside)
        raise DataError(
            f"there is no file '{file}'" + (f"; did you mean '{file.with_name(close)}'?" if close else "")
        )
    if file.suffix.lower() not in (*SEPARATORS, *PARQUET):
        kind = f"the file type '{file.suffix}'" if file.suffix else "a file without a type"
        raise DataError(f"cannot read {kind} of '{file}'; give a .csv, .tsv or .parquet file")
    if file.stat().st_size == 0:
        raise DataError(f"'{file}' is empty")
    return file


# ------------------------------------------------------------------------------------------------------------
# --------- CSV


def _read_csv(
    file: Path, encoding: str, separator: str, missing: Sequence[str], text_columns: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    try:
        names = _look_through(file, encoding, separator)
        return pd.read_csv(
            file,
            sep=separator,
            encoding=encoding,
            header=0,
            names=names,
            index_col=False,
            na_values=list(missing),
            dtype={name: "str" for name in text_columns if name in names},
            low_memory=False,  # one decision about each column, not one for each piece of the file
        )
    except UnicodeError as problem:
        raise DataError(_wrong_encoding(file, encoding)) from problem
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as problem:
        raise DataError(f"cannot read '{file}': {str(problem).strip()}") from problem


def _known_encoding(encoding: str) -> str:
    """The encoding's own name; UTF-8 with a byte order mark, which Excel writes, is UTF-8 as well."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as problem:
        raise DataError(
            f"there is no encoding {encoding!r}; well-known ones: utf-8, utf-16, cp1252, gbk"
        ) from problem
    return "utf-8-sig" if name == "utf-8" else name


def _look_through(file: Path, encoding: str, separator: str) -> list[str]:
    """Check every line of a CSV file and return the names of its columns."""
    with open(file, encoding=encoding, newline="") as text:
        records = _records(text, file, separator)
        _, header = next(records, (0, None))
        if header is None:
            raise DataError(f"'{file}' has nothing but empty lines")
        names = _column_names(file, header)
        for line, record in records:
            if len(record) != len(names):
                more = f"has {count(len(record), 'field')}, but the header names {len(names)}"
                raise DataError(f"line {line} of '{file}' {more}{_separator_hint(header, record, separator)}")
            if len(names) == 1:
                hint = _separator_hint(header, record, separator)
                if hint:
                    raise DataError(f"'{file}' has only one column{hint}")
        return names


def _records(text: Iterator[str], file: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line number and fields of each record; empty lines are passed over, as pandas does."""
    reader = csv.reader(text, delimiter=separator, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if str(problem) == "unexpected end of data":
                raise DataError(
                    f"a quotation mark (\") in line {start} of '{file}' is never closed"
                ) from problem
            raise DataError(f"cannot read line {reader.line_num} of '{file}': {problem}") from problem
        if len(record) > 1 or (record and record[0].strip()):
            yield start, record


def _column_names(file: Path, header: list[str]) -> list[str]:
    """The header's names, each of them once; a column without one is called `Unnamed: 0` after its place."""
    names = [name if name.strip() else f"Unnamed: {place}" for place, name in enumerate(header)]
    _refuse_repeated(file, names)
    return names


def _refuse_repeated(file: Path, names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            places = [str(place) for place, other in enumerate(names, 1) if other == name]
            where = f"{', '.join(places[:-1])} and {places[-1]}"
            raise DataError(
                f"'{file}' has {times} columns named {name!r} (columns {where}); give each its own name"
            )


def _separator_hint(header: list[str], record: list[str], separator: str) -> str:
    """What to try when another separator would give the header and this line the same number of fields."""
    for other in (",", ";", "\t", "|"):
        fields = separator.join(header).count(other)
        if other != separator and fields and fields == separator.join(record).count(other):
            name = "'\\t'" if other == "\t" else f"'{other}'"
            return f"; its fields look separated by {name}: try --separator {name}"
    return ""


def _wrong_encoding(file: Path, encoding: str) -> str:
    """The first byte that is not text in the encoding, where it is, and what to try."""
    content = file.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return f"'{file}' is UTF-16 text: try --encoding utf-16"
    try:
        content.decode(encoding)
    except UnicodeError as problem:
        name = "UTF-8" if encoding == "utf-8-sig" else encoding
        place = getattr(problem, "start", 0)
        line = content.count(b"\n", 0, place) + 1
        byte = f"0x{content[place]:02x}" if place < len(content) else "its end"
        hint = "an older program may have written it: try --encoding cp1252 (or gbk, ...)"
        return f"'{file}' is not {name} text: byte {byte} at offset {place:,} in line {line:,}; {hint}"
    return f"'{file}' cannot be read as {encoding} text; try another --encoding"


def _notes_on_names(frame: pd.DataFrame) -> list[str]:
    """A table without a header loses its first row to it; numbers as names are the sign."""
    names = [str(name) for name in frame.columns]
    counting = [str(place) for place in range(len(names))]
    if all(re.fullmatch(r"\s*[-+]?[\d.]+(e[-+]?\d+)?\s*", name) for name in names) and names != counting:
        return [
            f"every column name is a number ({listing(names, most=3)}): if the file has no header, add one"
        ]
    return []


# ------------------------------------------------------------------------------------------------------------
# --------- Parquet


def _read_parquet(file: Path, missing: Sequence[str]) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        names = [str(name) for name in pyarrow.parquet.read_schema(file).names]
        _refuse_repeated(file, names)
        # Without pandas' own metadata a stored index stays an ordinary column, and no column gets lost.
        frame: pd.DataFrame = pyarrow.parquet.read_table(file).to_pandas(ignore_metadata=True)
    except pyarrow.ArrowException as problem:
        reason = str(problem).strip().splitlines()[0]
        raise DataError(f"'{file}' is not a Parquet file that can be read: {reason}") from problem
    if not names:
        raise DataError(f"'{file}' has no columns")
    frame.columns = [str(name) for name in frame.columns]
    if missing:
        # Series.mask, not replace: replace would also look at numbers and change their type.
        frame = frame.apply(lambda column: column.mask(column.isin(list(missing))))
    return frame
