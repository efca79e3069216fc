"""The picture of a run: how many times chainrule's time each side takes, a line for each workload.

Dots on a logarithmic scale, not bars: what is compared are ratios, and a bar would need a zero.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .measure import show
from .summary import Row
from .table import AGAINST, ratio

COLOURS = {
    "chainrule eager": "#9cc3e4",
    "torch.compile": "#f5c3a2",
    "PyTorch": "#e2662a",
    "JAX": "#3f9157",
    "chainrule": "#12548f",  # drawn last: on top
}
INK, QUIET, LINE = "#222222", "#808080", "#e4e4e4"
DOT: dict[str, Any] = {"markersize": 9, "markeredgecolor": "white", "markeredgewidth": 0.9, "zorder": 3}
CLEAR = {"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0}  # of the lines behind a label
LABEL: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7.5, "bbox": CLEAR}
HEIGHT = 0.52  # inches of a workload
TOP, BOTTOM, WIDTH = 1.0, 0.85, 9.5  # inches


def draw(rows: list[Row], machine: str, file: Path) -> None:
    """Write a PNG.

    Raises: ValueError if no row has a time.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    rows = [row for row in rows if row.best]
    if not rows:
        raise ValueError("there is nothing to draw")
    high = TOP + BOTTOM + HEIGHT * len(rows)
    figure = Figure(figsize=(WIDTH, high), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.27, BOTTOM / high, 0.69, 1 - (TOP + BOTTOM) / high))
    for i, row in enumerate(rows):
        times = {side: relative(row, side) for side in COLOURS if side in row.best}
        ends = min(times.values()), max(times.values())
        axes.plot(ends, (i, i), color="#c9c9c9", linewidth=1.2, zorder=1)
        for side, at in times.items():
            axes.plot(at, i, "o", color=COLOURS[side], **DOT)
            if side in AGAINST:  # PyTorch's above its dot, JAX's below: they never meet
                above = side == AGAINST[0]
                style: dict[str, Any] = {"va": "bottom" if above else "top", "color": COLOURS[side], **LABEL}
                axes.annotate(f"{ratio(at)}×", (at, i), (0, 7 if above else -7), **style)
        place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right"}
        axes.text(-0.03, i - 0.04, row.title, va="bottom", fontsize=10, color=INK, **place)
        axes.text(-0.03, i + 0.06, _ours(row), va="top", fontsize=8, color=QUIET, **place)
    axes.axvline(1, color=COLOURS["chainrule"], linewidth=0.9, zorder=2)

    axes.set_xscale("log")
    every = [relative(row, side) for row in rows for side in row.best]
    axes.set_xlim(min(every) / 1.6, max(every) * 1.6)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda times, _: f"{times:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="both", length=0, labelsize=9, labelcolor=QUIET)
    axes.grid(axis="x", color=LINE, linewidth=0.9, zorder=0)
    for spine in axes.spines.values():
        spine.set_visible(False)

    compiled = any("chainrule" in row.best for row in rows)
    ours = "chainrule" if compiled else "chainrule's eager mode"
    title = f"Time of a step, relative to {ours}"
    figure.text(0.02, 1 - 0.34 / high, title, fontsize=15, color=INK, weight="bold")
    at = 0.02
    for side in ("chainrule", "chainrule eager", "PyTorch", "torch.compile", "JAX"):
        if any(side in row.best for row in rows):
            figure.text(at, 1 - 0.66 / high, "●", fontsize=11, color=COLOURS[side], va="center")
            label = figure.text(at + 0.019, 1 - 0.66 / high, side, fontsize=10, color=INK, va="center")
            at = label.get_window_extent().x1 / figure.bbox.width + 0.025
    note = "Medians of one run, the fastest form of each side; right is slower."
    figure.text(0.02, 0.36 / high, note, fontsize=8, color=QUIET)
    figure.text(0.02, 0.16 / high, machine, fontsize=8, color=QUIET)
    figure.savefig(file)


def relative(row: Row, side: str) -> float:
    """The side's time over chainrule's: compiled, else eager, else the fastest."""
    ours = row.best.get("chainrule") or row.best.get("chainrule eager")
    unit = ours.timing.median if ours else min(entry.timing.median for entry in row.best.values())
    return row.best[side].timing.median / unit


def _ours(row: Row) -> str:
    """Our own time, which the dots are relative to."""
    ours = row.best.get("chainrule") or row.best.get("chainrule eager")
    return show(ours.timing.median) if ours else ""
