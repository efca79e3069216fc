"""Reading command lines: the standard parser, with its errors as one line that says what to do."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from ..data.problems import nearest


class UsageError(Exception):
    """A command line that cannot be understood; its text is one line.

    excerpt: lines that show the place, where there is one.
    """

    def __init__(self, message: str, *, excerpt: str = "") -> None:
        super().__init__(message)
        self.excerpt = excerpt


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of printing its usage, and knows the names of its options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})

    @property
    def names(self) -> list[str]:
        """The names of all options."""
        return [name for action in self._actions for name in action.option_strings]

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise UsageError(f"{message}; see {self.prog} --help")


def suggestion(name: str, valid: list[str]) -> str:
    """`; did you mean --target?` if one of the valid names comes close."""
    close = nearest(name, valid)
    return f"; did you mean {close}?" if close else ""


def separator(text: str | None) -> str | None:
    """The separator of fields; a tab may be written \\t, which is what a shell passes on."""
    character = "\t" if text == "\\t" else text
    if character is not None and len(character) != 1:
        raise UsageError(f"--separator must be one character, or \\t for a tab, not {text!r}")
    return character


def add_reading_options(parser: argparse._ArgumentGroup) -> None:
    """The options about how a file is read, which every command with a table has."""
    parser.add_argument("--encoding", metavar="NAME", help="encoding of a CSV file (utf-8)")
    parser.add_argument(
        "--separator", metavar="C", help="between the fields of a CSV file (a comma; for .tsv a tab, \\t)"
    )
