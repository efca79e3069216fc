"""The answer of `memory` as text: a table by layer and one by line, the totals, and a sentence.

Long tables are folded: layers by their paths (`encoder.0.fc1` and `encoder.0.fc2` become `encoder.0`) and
then by neighbours (`0 … 9`), lines by adding up those that keep least.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from .figures import amount
from .show.tables import Cell
from .show.text import WIDTH, columns

if TYPE_CHECKING:
    from .memory import Kept, Memory

MOST: Final = 16  # rows of a table
NO_LAYER: Final = "(in no layer)"


def sentence(m: Memory) -> str:
    """Why training needs more than inference."""
    parts = []
    if m.kept:
        parts.append(f"{amount(m.kept)} of results are kept for backward")
    parts.append(f"there are {amount(m.gradients)} of gradients")
    if m.optimizer:
        parts.append(f"the optimizer keeps {amount(m.optimizer)}")
    reasons = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
    ratio = m.training / m.inference if m.inference else 1.0
    times = f", {ratio:.3g} times as much" if ratio > 1.05 else ""
    rest = m.training - m.kept - m.gradients - (m.optimizer or 0)
    if rest > m.training / 100:
        reasons += f"; the other {amount(rest)} are what backward computes on its way"
    elif rest < 0:
        reasons += ", not all at the same time"
    return (
        f"Inference needs {amount(m.inference)} at most, because a result can go after its last use; "
        f"training needs {amount(m.training)}{times}: {reasons}."
    )


def table(m: Memory) -> str:
    """The whole answer."""
    lines = [m.title, "=" * len(m.title)]
    extra = [k for k in m.operations if k.extra]
    paths = folded(list(m.by_layer), MOST)
    if any(paths):
        lines += ["", "Kept for backward, by layer"]
        lines += _rows("layer", [(paths[k.layer] or NO_LAYER, k) for k in extra], m.kept)
    if len(m.by_line) > 1 or (extra and not any(paths)):
        lines += ["", "Kept for backward, by line", *_rows("line", [(k.line, k) for k in extra], m.kept)]
    lines += ["", "Totals", *_totals(m), "", *_wrapped(m.sentence)]
    return "\n".join(lines)


def folded(paths: list[str], most: int) -> dict[str, str]:
    """Per path what it is shown as: the deepest are shortened until there are at most so many different ones;
    if there is nothing left to shorten, neighbours are taken together.

    >>> folded(["a.b.x", "a.b.y", "c"], 2)
    {'a.b.x': 'a.b', 'a.b.y': 'a.b', 'c': 'c'}
    """
    shown = {path: path for path in paths}
    while len(set(shown.values())) > most and (depth := max(short.count(".") for short in shown.values())):
        shown = {
            path: short.rpartition(".")[0] if short.count(".") == depth else short
            for path, short in shown.items()
        }
    names = [name for name in dict.fromkeys(shown.values()) if name]
    size = -(-len(names) // most)
    if size > 1:
        parts = [names[i : i + size] for i in range(0, len(names), size)]
        groups = {name: f"{part[0]} … {part[-1]}" for part in parts if len(part) > 1 for name in part}
        shown = {path: groups.get(short, short) for path, short in shown.items()}
    return shown


def _rows(head: str, kept: list[tuple[str, Kept]], whole: int) -> list[str]:
    """A table by some name: what is kept under it, and how much; the largest, in their order."""
    sums: dict[str, int] = {}
    what: dict[str, list[str]] = {}
    for name, k in kept:
        sums[name] = sums.get(name, 0) + k.bytes
        what.setdefault(name, []).append(f"{k.what} {k.shape}")
    shown = set(sorted(sums, key=lambda name: -sums[name])[:MOST])
    rows = [[head, "kept by", "bytes", "share"]]
    for name, n in sums.items():
        if name in shown:
            rows.append([name, _listed(what[name]), amount(n), f"{n / whole:.0%}" if whole else ""])
    left = [n for name, n in sums.items() if name not in shown]
    if left:
        rows.append([f"{len(left)} more", "", amount(sum(left)), f"{sum(left) / whole:.0%}"])
    return _columns(rows)


def _listed(names: list[str]) -> str:
    """Names in order, with how often each; the first three."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    told = [name if n == 1 else f"{n} × {name}" for name, n in counts.items()]
    return ", ".join(told[:3]) + (f", and {len(told) - 3} more" if len(told) > 3 else "")


def _totals(m: Memory) -> list[str]:
    rows = [
        ["", ""],
        ["parameters and others that get a gradient", amount(m.parameters)],
        ["kept for backward", amount(m.kept)],
        ["kept too, but there anyway (parameters, inputs)", amount(m.there)],
        ["gradients", amount(m.gradients)],
    ]
    if m.optimizer is not None:
        rows.append(["state of the optimizer", amount(m.optimizer)])
    rows += [
        ["peak of inference", amount(m.inference)],
        ["peak of training", amount(m.training)],
    ]
    return _columns(rows)[1:]


def _columns(rows: list[list[str]]) -> list[str]:
    return [line.rstrip() for line in columns([[Cell(c) for c in row] for row in rows], WIDTH)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
