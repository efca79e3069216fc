"""A script or a notebook as cells of Python, without what only Jupyter understands.

A script is one cell. Lines such as `%matplotlib inline` and `!pip install d2l` are left out: not by how
they look (`%` may begin the second line of an expression), but where Python cannot read them. Every cell
keeps its lines where they were, and has a name of its own for traces. Running cells: `running.py`.
"""

from __future__ import annotations

import ast
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# What IPython takes for a command: a magic, the shell, a question; also as the right side of an assignment.
_COMMAND = re.compile(r"\s*([%!?]|[\w.]+\?{1,2}\s*$|[\w, ]+=\s*[%!])")
_WHOLE_CELL = re.compile(r"%%(\w+)")
_PYTHON_BELOW = {"capture", "prun", "python", "python3", "time", "timeit"}  # their cells are still Python


class Unreadable(Exception):
    """A program that cannot be read; the text is one line for the reader."""


class Cell(NamedTuple):
    """Some lines of a program: their name in traces, what Python runs, and the lines that it does not."""

    name: str
    source: str
    skipped: list[tuple[int, str]]


class Program(NamedTuple):
    """The cells of a file, in order."""

    path: Path
    cells: list[Cell]
    is_notebook: bool


def read(path: Path) -> Program:
    """The program in a file; `.ipynb` is a notebook, everything else a script.

    Raises:  Unreadable: there is no such file, it is no text, or no notebook of Python.
    """
    try:
        if path.suffix == ".ipynb":
            cells = [
                cell_of(source, f"{path}, cell {number}") for number, source in enumerate(_code_in(path), 1)
            ]
            return Program(path, cells, True)
        with tokenize.open(path) as file:  # in the encoding that the file declares
            return Program(path, [cell_of(file.read(), str(path))], False)
    except OSError as err:
        raise Unreadable(f"cannot read {path}: {err.strerror or err}") from err
    except (SyntaxError, UnicodeDecodeError) as err:
        raise Unreadable(f"{path} is not a text in UTF-8, nor in an encoding that it declares") from err


def cell_of(source: str, name: str) -> Cell:
    """A cell without the lines that are for Jupyter."""
    lines = source.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines and (magic := _WHOLE_CELL.match(lines[first])) is not None and magic[1] not in _PYTHON_BELOW:
        return Cell(name, "", [(first + 1, lines[first] + " and the lines below it")])
    skipped: list[tuple[int, str]] = []
    while (found := _unreadable_command(lines, name)) is not None:
        line = lines[found]
        skipped.append((found + 1, line.strip()))
        # A `pass`, not nothing: the line may be all there is below an `if`.
        lines[found] = line[: len(line) - len(line.lstrip())] + "pass"
    return Cell(name, "\n".join(lines) + "\n", sorted(skipped))


def _unreadable_command(lines: list[str], name: str) -> int | None:
    """The line (from 0) that Python cannot read and IPython can; None if there is none."""
    try:
        ast.parse("\n".join(lines), name)
    except SyntaxError as err:
        line = (err.lineno or 0) - 1
        # `!pip` after an open line is reported where the statement begins, an indented magic one line later.
        for near in (line, line - 1, line + 1):
            if 0 <= near < len(lines) and _COMMAND.match(lines[near]):
                return near
    except ValueError:  # null bytes: compiling says so, in the trace
        pass
    return None


def _code_in(path: Path) -> Iterator[str]:
    """The texts of the code cells of a notebook, of this or an earlier version of the format."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        language = content.get("metadata", {}).get("kernelspec", {}).get("language", "python")
        sheets = content.get("worksheets", [content])
        sources = [
            cell.get("source", cell.get("input", ""))
            for sheet in sheets
            for cell in sheet["cells"]
            if cell["cell_type"] == "code"
        ]
        texts = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Unreadable(f"{path} is not a notebook: it is not the JSON that Jupyter writes") from err
    if language.lower() != "python":
        raise Unreadable(f"{path} is a notebook of {language}, not of Python")
    yield from texts
