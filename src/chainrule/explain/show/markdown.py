"""Derivations as Markdown, with formulas in LaTeX between dollars. Next: `html.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import Cell, Section, sections

if TYPE_CHECKING:
    from ..derivation import Derivation

_MARKS = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "*": r"\*", "_": r"\_"})


def markdown(d: Derivation) -> str:
    """The whole derivation."""
    parts = [f"## {d.title.translate(_MARKS)}"]
    for s in sections(d):
        parts.append(f"### {s.title}")
        if s.lead:
            parts.append(s.lead.translate(_MARKS))
        if s.rows:
            parts.append(table(s))
        parts += [note.translate(_MARKS) for note in s.notes]
    return "\n\n".join(parts) + "\n"


def table(s: Section) -> str:
    """One table; columns without anything in them are left out."""
    used = [k for k in range(len(s.columns)) if any(row[k].text for row in s.rows)]
    lines = ["| " + " | ".join(_head(s.columns[k]) for k in used) + " |", "|" + "---|" * len(used)]
    lines += ["| " + " | ".join(_cell(row[k]) for k in used) + " |" for row in s.rows]
    return "\n".join(lines)


def _head(title: str) -> str:
    return title.translate(_MARKS)


def _cell(cell: Cell) -> str:
    if cell.latex:
        return "$" + cell.latex.replace("|", r"\vert ") + "$"
    return cell.text.translate(_MARKS)
