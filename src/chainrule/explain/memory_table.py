"""The answer of `memory` as text: a table by layer and one by line, the totals, and a sentence.

Long tables are folded: layers by their paths (`encoder.0.fc1` and `encoder.0.fc2` become `encoder.0`), lines
by leaving out those that keep least.
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
ITSELF: Final = "(itself)"


def sentence(m: Memory) -> str:
    """Why training needs more than inference."""
    parts = []
    if m.kept:
        parts.append(f"{amount(m.kept)} of results are kept for backward")
    parts.append(f"there are {amount(m.gradients)} of gradients")
    if m.optimizer is not None:
        parts.append(f"the optimizer keeps {amount(m.optimizer)}")
    reasons = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
    ratio = f", {m.training / m.inference:.3g} times as much" if m.inference else ""
    return (
        f"Inference needs {amount(m.inference)} at most, because a result can go after its last use; "
        f"training needs {amount(m.training)}{ratio}: {reasons}."
    )


def table(m: Memory) -> str:
    """The whole answer."""
    lines = [m.title, "=" * len(m.title)]
    layers = folded({name or ITSELF: n for name, n in m.by_layer.items()}, MOST)
    if any(name != ITSELF for name in layers):
        lines += ["", "Kept for backward, by layer", *_rows("layer", layers, m.kept)]
    extra = [k for k in m.operations if k.extra]
    if extra:
        lines += ["", "Kept for backward, by line", *_by_line(extra, m.kept)]
    lines += ["", "Totals", *_totals(m), "", *_wrapped(m.sentence)]
    return "\n".join(lines)


def folded(sums: dict[str, int], most: int) -> dict[str, int]:
    """Sums by path, with the deepest paths shortened until there are at most so many, or no path is left.

    >>> folded({"a.b.x": 1, "a.b.y": 2, "c": 3}, 2)
    {'a.b': 3, 'c': 3}
    """
    while len(sums) > most and (depth := max(name.count(".") for name in sums)):
        shorter: dict[str, int] = {}
        for name, n in sums.items():
            short = name.rpartition(".")[0] if name.count(".") == depth else name
            shorter[short] = shorter.get(short, 0) + n
        sums = shorter
    return sums


def _rows(head: str, sums: dict[str, int], whole: int) -> list[str]:
    rows = [[head, "bytes", "share"]]
    rows += [[name, amount(n), f"{n / whole:.0%}"] for name, n in _largest(sums).items()]
    rows += _rest(sums)
    return _columns(rows)


def _by_line(extra: list[Kept], whole: int) -> list[str]:
    sums: dict[str, int] = {}
    what: dict[str, list[str]] = {}
    for k in extra:
        sums[k.line] = sums.get(k.line, 0) + k.bytes
        what.setdefault(k.line, []).append(f"{k.what} {k.shape}")
    rows = [["line", "kept by", "bytes", "share"]]
    for line, n in _largest(sums).items():
        rows.append([line, _listed(what[line]), amount(n), f"{n / whole:.0%}"])
    rows += [[name, "", n, ""] for name, n, _ in _rest(sums)]
    return _columns(rows)


def _listed(names: list[str]) -> str:
    """Names in order, with how often each; the first three."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    told = [name if n == 1 else f"{n} × {name}" for name, n in counts.items()]
    return ", ".join(told[:3]) + (f", and {len(told) - 3} more" if len(told) > 3 else "")


def _largest(sums: dict[str, int]) -> dict[str, int]:
    """The rows that are shown, in their order."""
    shown = set(sorted(sums, key=lambda name: -sums[name])[:MOST])
    return {name: n for name, n in sums.items() if name in shown}


def _rest(sums: dict[str, int]) -> list[list[str]]:
    left = [n for name, n in sums.items() if name not in _largest(sums)]
    return [[f"{len(left)} more", amount(sum(left)), ""]] if left else []


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
