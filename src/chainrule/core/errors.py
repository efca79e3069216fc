"""Errors that teach: one message form for the whole package, and the user's line.

A failed check gives facts (`what`, `given`, `must`, `hint`); `compose` makes the text. Also here: finding
the user's line from the running stack, and hiding the package's own frames from uncaught errors.
"""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType, TracebackType
from typing import Any, Self

PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

Site = tuple[CodeType, int]  # a place in a program: code object and instruction; made text only when printed


class ChainruleError(Exception):
    """Base of all errors of this package. `summary` is the text without the user's line."""

    summary: str = ""

    @classmethod
    def of(
        cls,
        what: str,
        *,
        given: str = "",
        must: str = "",
        hint: str = "",
        site: Site | None = None,
        at: bool = True,
    ) -> Self:
        """An error from facts: the operation, what it got, what must hold, what to try."""
        err = cls(compose(what, given, must, hint, (site or here()) if at else None))
        err.summary = compose(what, given, must, hint, None)
        return err


class ShapeError(ChainruleError, RuntimeError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(ChainruleError, RuntimeError, TypeError):
    """Element types that an operation cannot take."""


class GradError(ChainruleError, RuntimeError):
    """A gradient that cannot be computed as asked."""


class IndexingError(ChainruleError, IndexError, RuntimeError):
    """An index or axis that is not there. PyTorch raises sometimes the one, sometimes the other kind."""


class ArgumentError(ChainruleError, ValueError, TypeError, RuntimeError):
    """An argument outside what an operation accepts."""


def compose(what: str, given: str, must: str, hint: str, site: Site | None) -> str:
    """The one form of a message. Empty facts are left out."""
    lines = [f"{what} got {given}" if given else what]
    if must:
        lines.append(f"  {must}")
    if hint:
        lines.append(f"  try: {hint}")
    if site is not None:
        lines.append(f"  at {describe(site)}")
    return "\n".join(lines)


def here() -> Site | None:
    """The innermost place on the running stack that is not inside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lasti)


def line_of(site: Site) -> int:
    code, instruction = site
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


def describe(site: Site | None) -> str:
    """`file.py:41` for a site, with the path relative to the working directory where it lies below it."""
    if site is None:
        return "an unknown line"
    path = site[0].co_filename
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):  # another drive, or the working directory is gone
        relative = path
    return f"{path if relative.startswith('..') else relative}:{line_of(site)}"


def nearest(name: str, valid: list[str]) -> str:
    """` (did you mean 'x'?)` if a valid name is close to the given one, else an empty string."""
    import difflib  # only on the way to an error

    close = difflib.get_close_matches(name, valid, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _without_own_frames(tb: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while tb is not None:
        if not tb.tb_frame.f_code.co_filename.startswith(PACKAGE_DIR):
            kept.append(tb)
        tb = tb.tb_next
    result: TracebackType | None = None
    for tb in reversed(kept):
        result = TracebackType(result, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    return result


_previous_hook = sys.excepthook


def shorten(err: BaseException, tb: TracebackType | None) -> TracebackType | None:
    """Give an error of this package a trace without the package's own frames, and return its trace."""
    if isinstance(err, ChainruleError) and _short_tracebacks():
        short = _without_own_frames(tb)
        if short is not None:
            err.add_note("  (chainrule's own frames are hidden; CHAINRULE_TRACEBACK=full shows them)")
            err.__traceback__ = tb = short  # Python prints the error's own trace, not the argument
    return tb


def _excepthook(kind: type[BaseException], err: BaseException, tb: TracebackType | None) -> Any:
    return _previous_hook(kind, err, shorten(err, tb))


def _short_tracebacks() -> bool:
    from . import settings  # settings report their own errors through this file

    return settings.traceback() == "short"


def install_excepthook() -> None:
    """Hide this package's frames from uncaught errors of this package; others are left alone."""
    if sys.excepthook is not _excepthook:
        global _previous_hook
        _previous_hook = sys.excepthook
        sys.excepthook = _excepthook
