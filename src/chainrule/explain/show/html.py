"""Derivations as a page of HTML that needs nothing else: no network, no script, no library.

Formulas are set with the signs of mathematics, as in the terminal; names with digits get subscripts.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from .tables import Cell, Section, sections

if TYPE_CHECKING:
    from ..derivation import Derivation

_STYLE = """
.derivation { font: 15px/1.5 system-ui, sans-serif; color: #1d2433; max-width: 78rem; } .derivation h1 {
font-size: 1.4rem; } .derivation h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; color: #1f4e9e; } .derivation
table { border-collapse: collapse; } .derivation .wide { overflow-x: auto; } .derivation th { text-align:
left; font-weight: 500; color: #6b7385; } .derivation th, .derivation td { padding: .2rem .9rem .2rem 0;
vertical-align: top; border: 0; text-align: left; } .derivation tr + tr td { border-top: 1px solid #e6e9f0; }
.derivation td.m { font-family: "Cambria Math", "STIX Two Math", Cambria, Georgia, serif; font-size: 1.05em; }
.derivation td:first-child { white-space: nowrap; font-weight: 600; } .derivation .agree { color: #16794a; }
.derivation .differ { color: #b3261e; font-weight: 700; } .derivation p.note { color: #6b7385; } @media
(prefers-color-scheme: dark) { .derivation.page { background: #12151c; color: #dfe4ee; }
 .derivation.page h2 { color: #8ab4f8; } .derivation.page tr + tr td { border-color: #2a2f3a; } }
"""
_NAME = re.compile(r"(?<![\w.])([A-Za-z]|d[a-z])(\d+)(?![\w.])")


def html(d: Derivation, *, whole_page: bool = True) -> str:
    """The whole derivation: a page, or a part of one."""
    body = [f"<h1>{_maths(d.title)}</h1>"]
    for s in sections(d):
        body.append(f"<h2>{escape(s.title)}</h2>")
        if s.lead:
            body.append(f"<p>{escape(s.lead)}</p>")
        if s.rows:
            body.append(table(s))
        body += [f'<p class="note">{escape(note)}</p>' for note in s.notes]
    inner = f"<style>{_STYLE}</style>\n" + "\n".join(body)
    if not whole_page:
        return f'<div class="derivation">{inner}</div>'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(d.title)}</title>\n</head>\n"
        f'<body class="derivation page">\n{inner}\n</body>\n</html>\n'
    )


def table(s: Section) -> str:
    """One table; columns without anything in them are left out."""
    used = [k for k in range(len(s.columns)) if any(row[k].text for row in s.rows)]
    head = "".join(f"<th>{escape(s.columns[k])}</th>" for k in used)
    rows = "\n".join("<tr>" + "".join(_cell(row[k]) for k in used) + "</tr>" for row in s.rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{rows}\n</table></div>'


def _cell(cell: Cell) -> str:
    kind = {"agree": ' class="agree"', "DIFFER": ' class="differ"'}.get(cell.text, "")
    if cell.latex:
        return f'<td class="m">{_maths(cell.text)}</td>'
    return f"<td{kind}>{escape(cell.text)}</td>"


def _maths(text: str) -> str:
    return _NAME.sub(r"\1<sub>\2</sub>", escape(text))
