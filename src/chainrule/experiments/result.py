"""What an experiment found: a table for people, the numbers for programs, one sentence or two, and a picture.

All experiments return this one class, so that each of them is one line: the value of the line prints itself
as a table (a notebook shows it as HTML), `result["name"]` gives a number, `result.plot()` draws. Next:
`training.py`, the loop that the experiments share.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 100  # characters of the sentences below a table


@dataclass(frozen=True, repr=False)
class Result:
    """The outcome of an experiment: `print` shows its table, `plot()` its picture, `result[name]` a number.

    Attributes: title; columns, the names of the columns, and rows, the table; says, what can be read from it,
             in sentences; numbers, everything that was measured, by name.

    >>> from chainrule import experiments
    >>> result = experiments.dropout(p=[0.5], draws=1000)
    >>> result.columns
    ('p', 'mean of x', "mean of x'", 'standard error', 'share of zeros', 'same at inference')
    >>> result.column("same at inference")
    [True]
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    says: tuple[str, ...]
    numbers: Mapping[str, Any]
    _draw: Callable[[Axes | None], Axes] = field(compare=False)

    def __getitem__(self, name: str) -> Any:
        """A number (or tensor, or list of numbers) by its name."""
        if name not in self.numbers:
            raise ArgumentError.of(
                f"the result of '{self.title}'",
                given=f"[{name!r}]",
                must=f"it has {', '.join(self.numbers)}{nearest(str(name), list(self.numbers))}",
            )
        return self.numbers[name]

    def column(self, name: str) -> list[Any]:
        """One column of the table, from top to bottom."""
        if name not in self.columns:
            raise ArgumentError.of(
                f"the table of '{self.title}'",
                given=f"the column {name!r}",
                must=f"it has {', '.join(map(repr, self.columns))}{nearest(str(name), list(self.columns))}",
            )
        index = self.columns.index(name)
        return [row[index] for row in self.rows]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the picture, into `ax` or as a new one; `chainrule.plot` shows and saves it."""
        return self._draw(ax)

    def __str__(self) -> str:
        cells = [list(self.columns), *([shown(value) for value in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(self.columns))]
        left = [all(isinstance(row[i], str) for row in self.rows) for i in range(len(self.columns))]
        lines = [self.title, ""]
        for number, line in enumerate(cells):
            padded = [
                cell.ljust(width) if text else cell.rjust(width)
                for cell, width, text in zip(line, widths, left, strict=True)
            ]
            lines.append("  ".join(padded).rstrip())
            if number == 0:
                lines.append("  ".join("-" * width for width in widths))
        lines += ["", *(textwrap.fill(sentence, WIDTH) for sentence in self.says)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(shown(value))}</td>" for value in row) + "</tr>"
            for row in self.rows
        )
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.says)
        return (
            f"<h4>{html.escape(self.title)}</h4><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{said}"
        )


def shown(value: Any) -> str:
    """A cell as text: four significant digits, yes and no, a dash for what there is not.

    >>> shown(0.123456), shown(True), shown(None), shown(20)
    ('0.1235', 'yes', '–', '20')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def positive(what: str, **values: float) -> None:
    """Refuse sizes and rates that are not above 0.

    Raises:  ArgumentError, which names the first of them.
    """
    for name, value in values.items():
        if not value > 0:
            raise ArgumentError.of(
                f"experiments.{what}", given=f"{name} = {value!r}", must=f"{name} must be above 0"
            )


def listed(what: str, name: str, values: Sequence[Any]) -> list[Any]:
    """The values to compare, as a list with at least one.

    Raises:  ArgumentError for none.
    """
    found = list(values)
    if not found:
        raise ArgumentError.of(
            f"experiments.{what}",
            given=f"{name} = {values!r}",
            must="there must be at least one value to try",
        )
    return found
