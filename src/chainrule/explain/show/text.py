"""Derivations as plain text in columns, and as tables of rich for a terminal.

The plain text is the same on every machine, so that a test can hold it; rich draws the same cells with
colours. Next: `markdown.py`.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from .tables import Cell, Section, sections

if TYPE_CHECKING:
    from ..derivation import Derivation

WIDTH: Final = 120
NARROWEST: Final = 12  # letters; a column is not made narrower
_GAP: Final = "   "


def text(d: Derivation, width: int = WIDTH) -> str:
    """The whole derivation, at most `width` letters wide where the words allow it."""
    parts = [d.title, "=" * _width(d.title)]
    for s in sections(d):
        parts += ["", s.title, "-" * _width(s.title)]
        if s.lead:
            parts += textwrap.wrap(s.lead, width)
        if s.rows:
            parts += [line.rstrip() for line in columns([[Cell(c) for c in s.columns], *s.rows], width)]
        for note in s.notes:
            parts += textwrap.wrap(note, width)
    return "\n".join(parts)


def columns(rows: list[list[Cell]], width: int) -> list[str]:
    """Rows in columns; cells that are too wide are broken at blanks."""
    used = [k for k in range(len(rows[0])) if any(row[k].text for row in rows[1:])]
    widths = [max(_width(row[k].text) for row in rows) for k in used]
    room = width - len(_GAP) * (len(used) - 1) - 2
    while sum(widths) > room and max(widths) > NARROWEST:
        widest = widths.index(max(widths))
        others = sorted(widths)[-2] if len(widths) > 1 else NARROWEST
        widths[widest] = max(
            NARROWEST, min(widths[widest] - 1, max(others, room - sum(widths) + widths[widest]))
        )
    lines = []
    for row in rows:
        broken = [_broken(row[k].text, n) for k, n in zip(used, widths, strict=True)]
        for j in range(max(len(b) for b in broken)):
            cells = [_padded(b[j] if j < len(b) else "", n) for b, n in zip(broken, widths, strict=True)]
            lines.append("  " + _GAP.join(cells))
    return lines


def _broken(cell: str, width: int) -> list[str]:
    if _width(cell) <= width:
        return [cell]
    lines, line = [], ""
    for word in _words(cell, width - 2):
        if line and _width(line + word.rstrip()) > width:
            lines.append(line.rstrip())
            line = "  " if cell.startswith("= ") else ""
        line += word
    return [*lines, line.rstrip()]


def _words(cell: str, width: int) -> list[str]:
    """What may stand in a line of its own: words; of those that are too long, factors, or what fits."""
    found: list[str] = []
    for word in re.findall(r"\S+ *", cell):
        if _width(word.rstrip()) <= width:
            found.append(word)
            continue
        for part in re.findall(r".+?(?:·|,(?![)])|$)", word):
            found += [part[i : i + width] for i in range(0, len(part), width)]
    return found


def _width(cell: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell
    )


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def rich_tables(d: Derivation) -> Any:
    """The derivation for a rich console."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = [Text(d.title, style="bold")]
    for s in sections(d):
        parts += [Text(""), Text(s.title, style="bold cyan")]
        if s.lead:
            parts.append(Text(s.lead))
        if s.rows:
            parts.append(_rich_table(s, Table, Text))
        parts += [Text(note, style="dim") for note in s.notes]
    return Group(*parts)


def _rich_table(s: Section, table: Any, text_of: Any) -> Any:
    result = table(box=None, pad_edge=False, header_style="dim")
    used = [k for k in range(len(s.columns)) if any(row[k].text for row in s.rows)]
    for k in used:
        result.add_column(s.columns[k], overflow="fold", style="bold" if k == 0 else "")
    for row in s.rows:
        result.add_row(*[text_of(row[k].text, style=_style(row[k].text)) for k in used])
    return result


def _style(cell: str) -> str:
    return {"agree": "green", "DIFFER": "bold red"}.get(cell, "")
