"""What is wrong with a text, and where: the error that shows the place with carets under it."""

from __future__ import annotations

from typing import Final

from ...core.errors import ChainruleError
from .tree import Place

EXCERPT: Final = 72  # letters of the text that an error shows


class FormulaError(ChainruleError, ValueError):
    """A text that cannot be read as a formula.

    problem: what is wrong, in one line; place: where, as (first letter, letter after the last);
    hint: what to try; excerpt: the line of the text with carets under the place.
    """

    problem: str = ""
    place: Place = (0, 0)
    hint: str = ""
    excerpt: str = ""


def unreadable(text: str, place: Place, problem: str, hint: str = "") -> FormulaError:
    """The error that shows `place` in `text`."""
    excerpt = pointed(text, place)
    err = FormulaError.of(problem, must=excerpt.replace("\n", "\n  "), hint=hint)
    err.problem, err.place, err.hint, err.excerpt = problem, place, hint, excerpt
    return err


def pointed(text: str, place: Place) -> str:
    """The text, or of a long one what is around the place, and on the next line carets under the place."""
    if not text.strip():
        return ""
    start, end = place
    first = max(0, min(start - EXCERPT // 2, len(text) - EXCERPT))
    last = min(len(text), first + EXCERPT)
    left, right = "..." if first else "", "..." if last < len(text) else ""
    line = "".join(letter if letter.isprintable() else " " for letter in text[first:last])
    carets = "^" * max(1, min(end, last) - start)
    return f"{left}{line.rstrip()}{right}\n{' ' * (len(left) + start - first)}{carets}"
