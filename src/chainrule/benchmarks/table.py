"""What is printed: the table of a run, its problems and verdicts; and the same as Markdown for a README."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from .fresh import Start
from .measure import show
from .rounds import Entry
from .sides import SIDES
from .summary import Row, Verdict

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

WIDTH = 130  # where the output is not a terminal
AGAINST = ("PyTorch", "JAX")  # whom the ratios are of


def print_rows(stream: TextIO, title: str, rows: list[Row], *, shares: bool) -> None:
    """A table of workloads: each side's median over its best."""
    from rich.text import Text

    sides = [side for side in SIDES if any(side in row.best for row in rows)]
    ratios = [side for side in AGAINST if any(side in row.ratios for row in rows)]
    table = _table(title)
    table.add_column("", min_width=26, max_width=40)
    for side in sides:
        table.add_column(side, justify="right", no_wrap=True)
    for side in ratios:
        table.add_column(f"× {side}", justify="right", no_wrap=True)
    if shares:
        table.add_column("of limit", justify="right", no_wrap=True)
    for row in rows:
        name = Text.assemble((row.title, "bold"), ("\n" + row.what, "dim"))
        fastest = min((e.timing.median for e in row.best.values()), default=0.0)
        cells = [_cell(row.best.get(side), fastest) for side in sides]
        cells += [Text(ratio(row.ratios.get(side)), "cyan") for side in ratios]
        if shares:
            cells.append(Text(_share(row.share)))
        table.add_row(name, *cells)
    _print(stream, table)


def print_starts(stream: TextIO, starts: list[Start]) -> None:
    """The table of first moments."""
    from rich.text import Text

    table = _table("the first moments of a program (median, best below)")
    what = list(dict.fromkeys(start.what for start in starts))
    table.add_column("")
    for text in what:
        table.add_column(text, justify="right")
    for side in dict.fromkeys(start.side for start in starts):
        cells = []
        for text in what:
            found = [s.timing for s in starts if (s.what, s.side) == (text, side)]
            pair = (show(found[0].median), ("\n" + show(found[0].best), "dim")) if found else ("",)
            cells.append(Text.assemble(*pair))
        table.add_row(Text(side, "bold"), *cells)
    _print(stream, table)


def print_verdicts(stream: TextIO, verdicts: list[Verdict], problems: list[str]) -> None:
    """What was promised and whether it holds; what went wrong."""
    from rich.text import Text

    for verdict in verdicts:
        mark = ("reached  ", "green") if verdict.reached else ("MISSED   ", "bold red")
        _print(stream, Text.assemble(mark, verdict.text))
    for problem in problems:
        _print(stream, Text.assemble(("PROBLEM  ", "bold red"), problem))


def markdown(rows: list[Row]) -> str:
    """The medians as a table for a README.

    >>> print(markdown([]))
    | time of a step | × PyTorch | × JAX | of the machine's limit |
    |---|---|---|---|
    """
    sides = [side for side in SIDES if any(side in row.best for row in rows)]
    head = ["time of a step", *sides, *(f"× {side}" for side in AGAINST), "of the machine's limit"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1) if rows else ["---"] * len(head)]
    for row in rows:
        cells = [show(row.best[side].timing.median) if side in row.best else "" for side in sides]
        ratios = [ratio(row.ratios.get(side)) for side in AGAINST]
        lines.append([row.title, *cells, *ratios, _share(row.share)])
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text[1] = text[1].replace(" ", "")
    return "\n".join(text)


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _cell(entry: Entry | None, fastest: float) -> Text:
    from rich.text import Text

    if entry is None:
        return Text("–", "dim")
    style = "bold green" if entry.timing.median == fastest else ""
    return Text.assemble((show(entry.timing.median), style), ("\n" + show(entry.timing.best), "dim"))


def ratio(times: float | None) -> str:
    """Three digits at most: what a benchmark can tell.

    >>> [ratio(times) for times in (0.0523, 1.234, 23.45, 234.5, None)]
    ['0.05', '1.23', '23.4', '234', '']
    """
    if times is None:
        return ""
    return f"{times:.2f}" if times < 10 else f"{times:.1f}" if times < 100 else f"{times:.0f}"


def _share(part: float | None) -> str:
    """Per cent, whole ones.

    >>> [_share(part) for part in (0.853, 0.004, None)]
    ['85%', '< 1%', '']
    """
    if part is None:
        return ""
    return f"{part:.0%}" if part >= 0.01 else "< 1%"


def _print(stream: TextIO, shown: Table | Text) -> None:
    from rich.console import Console

    terminal = stream.isatty()
    console = Console(file=stream, highlight=False, width=None if terminal else WIDTH)
    console.print(shown, soft_wrap=not hasattr(shown, "columns"))
