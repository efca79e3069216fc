"""The doctor's report: findings, and the numbers of each layer and parameter, as text, in colours, as HTML.

`Report` holds data; `looks` fills its tables from a pass. The words of the findings are made in `checks/`.
"""

from __future__ import annotations

import html
import math
import sys
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from .checks.flow import dead_share, flow, saturated_share
from .curvature import Curvature
from .findings import KINDS, Finding
from .passage import Passage
from .recording import Array
from .trial import Trial

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 100
_STYLES = {"serious": "bold red", "warning": "yellow"}
Line = tuple[str, str]  # text and style


@dataclass(frozen=True)
class LayerLook:
    """One layer, module or activation in the pass.

    mean, std: of its output. gradient: root mean square of the gradient that arrives there; None if none
    does.
    off:       the share of its units that are dead (ReLU), or of its outputs that are saturated (sigmoid);
               None for what is no such activation.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    mean: float
    std: float
    off: float | None
    gradient: float | None


@dataclass(frozen=True)
class ParameterLook:
    """One parameter: root mean squares of its numbers and of their gradient (None: there is none), and how
    far the
    optimizer's first step moves it, relative to its size (None without an optimizer)."""

    name: str
    shape: tuple[int, ...]
    size: float
    gradient: float | None
    update: float | None


@dataclass
class Report:
    """What the doctor saw. `print(report)` shows it; on a terminal `report.show()` adds colours.

    findings:   the faults, serious ones first; empty for a healthy model.
    loss:       of the batch.
    layers, parameters: the tables.
    spread:     what the spread of the signal, and the gradient on its way back, are multiplied by from the
                first to the last hidden layer: (forward, backward); None for a model without several layers.
    curvature, trial: the eigenvalues, and what the trial steps did; None where they were not computed.
    notes:      what could not be seen.
    """

    title: str
    findings: list[Finding]
    loss: float = math.nan
    layers: list[LayerLook] = field(default_factory=list)
    parameters: list[ParameterLook] = field(default_factory=list)
    spread: tuple[float, float] | None = None
    curvature: Curvature | None = None
    trial: Trial | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether there are no findings."""
        return not self.findings

    def show(self, stream: TextIO | None = None) -> None:
        """Print it, in colours on a terminal."""
        stream = stream or sys.stdout
        if not stream.isatty():
            stream.write(str(self) + "\n")
            return
        from rich.console import Console

        Console(file=stream, highlight=False).print(self.__rich__(), soft_wrap=True)

    def __str__(self) -> str:
        return "\n".join(text.rstrip() for text, _ in self._lines())

    __repr__ = __str__

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text("\n").join(Text(text.rstrip(), style=style) for text, style in self._lines())

    def _repr_html_(self) -> str:
        def cells(tag: str, row: list[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

        parts = [f"<p><b>{html.escape(line)}</b></p>" for line in self._summary()]
        for finding in self.findings:
            colour = "#b00020" if finding.severity == "serious" else "#8a6d00"
            parts.append(
                f'<p><b style="color:{colour}">{html.escape(_heading(finding))}</b> '
                f"{html.escape(finding.text)}.<br><i>Try:</i> {html.escape(finding.hint)}.</p>"
            )
        for head, rows in self._tables():
            body = "".join(cells("td", row) for row in rows)
            parts.append(f"<table><thead>{cells('th', head)}</thead><tbody>{body}</tbody></table>")
        parts += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        return f'<div class="chainrule-doctor">{"".join(parts)}</div>'

    # -- text

    def _lines(self) -> list[Line]:
        lines: list[Line] = [(line, "bold") for line in self._summary()]
        for head, rows in self._tables():
            lines.append(("", ""))
            lines += _table(head, rows)
        lines.append(("", ""))
        for finding in self.findings:
            lines.append((_heading(finding), _STYLES[finding.severity]))
            lines += [(line, "") for line in _wrapped(f"{finding.text}.")]
            lines += [(line, "") for line in _wrapped(f"try: {finding.hint}")]
        if self.healthy:
            lines.append(("No findings: nothing stands in the way of training.", "green"))
        return lines + [(line, "dim") for note in self.notes for line in _wrapped(f"note: {note}", "")]

    def _summary(self) -> list[str]:
        lines = [self.title + ("" if math.isnan(self.loss) else f": loss {_number(self.loss)}")]
        if self.spread is not None:
            forward, backward = self.spread
            lines.append(
                f"through the hidden layers: spread of the signal × {_number(forward)}, gradient on its way "
                f"back × {_number(backward)}"
            )
        if self.curvature is not None:
            rate = self.curvature.times_rate
            times = "" if rate is None else f", lr · λ = {_number(rate)}"
            lines.append(f"curvature: largest eigenvalue λ = {_number(self.curvature.largest)}{times}")
        if self.trial is not None:
            losses = self.trial.losses
            lines.append(f"{len(losses) - 1} trial steps: loss {_number(losses[0])} to {_number(losses[-1])}")
        return lines

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        tables = []
        if self.layers:
            head = ["layer", "what", "output", "mean", "std", "off", "gradient"]
            tables.append((head, [_layer_cells(row) for row in self.layers]))
        if self.parameters:
            head = ["parameter", "shape", "size", "gradient", "step / size"]
            tables.append((head, [_parameter_cells(row) for row in self.parameters]))
        return tables


def looks(report: Report, passage: Passage, trial: Trial | None) -> None:
    """Fill the tables of a report."""
    shares = {}
    for gate in passage.gates:
        share = dead_share(gate) if gate.ends == 1 else saturated_share(gate)
        shares[gate.step.number] = share
    for name, kind, step in passage.rows():
        mean, std = _moments(step.value)
        gradient = passage.gradient(step)
        report.layers.append(
            LayerLook(
                name, kind, step.value.shape, mean, std, shares.get(step.number),
                None if gradient is None else _rms(gradient),
            )
        )  # fmt: skip
    updates: dict[str, float] = {} if trial is None else trial.updates
    for name, g in passage.grads.items():
        a = passage.subject.leaves[name]._a
        report.parameters.append(
            ParameterLook(name, a.shape, _rms(a), None if g is None else _rms(g), updates.get(name))
        )
    levels = flow(passage)
    if len(levels) > 2 and levels[0].signal > 0 and levels[-1].gradient > 0:
        report.spread = (
            levels[-2].signal / levels[0].signal,
            levels[0].gradient / levels[-2].gradient if levels[-2].gradient else math.nan,
        )


def _moments(a: Array) -> tuple[float, float]:
    if not a.size:
        return 0.0, 0.0
    with np.errstate(all="ignore"):  # a model with infinities is shown as well
        wide = a.astype(np.float64)
        return float(wide.mean()), float(wide.std())


def _rms(a: Array) -> float:
    with np.errstate(all="ignore"):
        return math.sqrt(float(np.square(a, dtype=np.float64).mean())) if a.size else 0.0


# -- how numbers and tables are written


def _heading(finding: Finding) -> str:
    at = f" in {finding.where!r}" if finding.where else ""
    return f"{finding.severity.upper()}  {KINDS[finding.kind]}{at}"


def _wrapped(text: str, indent: str = "    ") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _number(x: float | None) -> str:
    """Three digits; `-` for what there is none of.

    >>> [_number(x) for x in (0.0123456, 12.0, 0.0, None)]
    ['0.0123', '12', '0', '-']
    """
    return "-" if x is None else f"{x:.3g}"


def _layer_cells(row: LayerLook) -> list[str]:
    off = "" if row.off is None else f"{row.off:.0%}"
    return [
        row.name,
        row.kind,
        str(row.shape),
        _number(row.mean),
        _number(row.std),
        off,
        _number(row.gradient),
    ]


def _parameter_cells(row: ParameterLook) -> list[str]:
    return [row.name, str(row.shape), _number(row.size), _number(row.gradient), _number(row.update)]


def _table(head: list[str], rows: list[list[str]]) -> list[Line]:
    """Columns of one width; names and words to the left, numbers to the right."""
    left = [i == 0 or all(not _is_number(row[i]) for row in rows) for i in range(len(head))]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = zip(row, widths, left, strict=True)
        return "  ".join(f"{cell:<{w}}" if to_left else f"{cell:>{w}}" for cell, w, to_left in cells)

    return [(line(head), "bold"), *((line(row), "") for row in rows)]


def _is_number(cell: Any) -> bool:
    return cell[-1:].isdigit() or cell in ("-", "nan", "inf", "-inf") or cell.endswith("%")
