"""Learning curves: how losses or scores move over the epochs, and the epoch whose weights were kept.

What training leaves behind is read as it is: a `History` of `chainrule.training.fit`, a `Run` of
`train_table`, the folder that `chainrule train` writes, or the lists and dicts of a loop of one's own. The
data is read by its form (`epochs`, `train_loss`, ...), so this file knows nothing of the trainer, and the
trainer may draw with it. Next: `surface.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.errors import ArgumentError, nearest
from . import style
from .picture import panel
from .values import Floats, numbers, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {"train_loss": "training", "val_loss": "validation"}


class Curves(NamedTuple):
    """Lines over the epochs, name -> (epochs, values); and the epoch that was kept (0: not known)."""

    lines: dict[str, tuple[Floats, Floats]]
    best: int = 0


def learning_curves(
    source: Any,
    *,
    measure: str = "loss",
    best: int | None = None,
    yscale: str = "linear",
    xlabel: str | None = "epoch",
    ylabel: str | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Losses over the epochs, with a mark at the epoch whose weights were kept.

    Args:    source: a `History`, a `Run`, the folder of a run that `chainrule train` wrote; a list of
             numbers, one for each epoch (tensors too); a dict of such lists, {"training": [...],
             "validation": [...]}, where None and nan are gaps; or a list of dicts, one for each epoch.
             measure: which of its scores, if the source has several: "loss", or "accuracy", "r2", ...
             best: the epoch to mark; None takes it from the source, 0 marks none.
             yscale: "linear" or "log".
    Returns: the Axes.
    Raises:  ArgumentError: there is no epoch, no such measure, or the source is something else.

    >>> from chainrule import plot
    >>> ax = plot.learning_curves({"training": [0.9, 0.5, 0.3], "validation": [1.0, 0.7, 0.8]}, best=2)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['training', 'validation', 'kept: epoch 2']
    """
    found = _read(source, measure)
    if yscale not in ("linear", "log"):
        raise ArgumentError.of(
            "plot.learning_curves", given=f"yscale = {yscale!r}", must="yscale must be 'linear' or 'log'"
        )
    shown = {name: (x[np.isfinite(y)], y[np.isfinite(y)]) for name, (x, y) in found.lines.items()}
    shown = {name: line for name, line in shown.items() if len(line[0])}
    if not shown:
        raise ArgumentError.of(
            "plot.learning_curves",
            given=shortened(source),
            must="there must be at least one epoch with a finite number",
            hint="after the first epoch is over",
        )
    from matplotlib.ticker import MaxNLocator

    ax = panel(ax, "plot.learning_curves", figsize=figsize)
    ax.set_yscale(yscale)
    for name, (x, y) in shown.items():
        ax.plot(x, y, label=name, marker="o" if len(x) == 1 else None)
    mark = found.best if best is None else best
    if mark:
        ax.axvline(mark, color=style.FAINT, linestyle=":", linewidth=1.4, label=f"kept: epoch {mark}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    style.label(ax, x=xlabel, y=ylabel or measure, title=title)
    style.legend(ax)
    return ax


def _read(source: Any, measure: str) -> Curves:
    if isinstance(source, str | os.PathLike):
        return _of_folder(Path(source), measure)
    history = getattr(source, "history", source)  # a Run has one, a History is one
    epochs = getattr(history, "epochs", None)
    if isinstance(epochs, list):
        records = [
            {"train_loss": e.train_loss, "val_loss": e.val_loss, "metrics": e.metrics, "number": e.number}
            for e in epochs
        ]
        return Curves(_of_records(records, measure), int(getattr(history, "best", 0)))
    if isinstance(source, Mapping):
        return Curves({str(name): _line(values, f"source[{name!r}]") for name, values in source.items()})
    if isinstance(source, list | tuple) and source and all(isinstance(item, Mapping) for item in source):
        return Curves(_of_records(source, measure))
    return Curves({"training": _line(source, "source")})


def _line(values: Any, name: str) -> tuple[Floats, Floats]:
    y = numbers(values, "plot.learning_curves", name, axes=1)
    return np.arange(1, len(y) + 1, dtype=np.float64), y


def _of_records(records: Sequence[Mapping[str, Any]], measure: str) -> dict[str, tuple[Floats, Floats]]:
    """One dict for each epoch; scores may stand in a dict of their own under "metrics"."""
    flat = [{**{k: v for k, v in r.items() if k != "metrics"}, **(r.get("metrics") or {})} for r in records]
    keys = list(dict.fromkeys(key for record in flat for key in record if key not in ("number", "epoch")))
    chosen = [key for key in keys if key == measure or key.endswith(f"_{measure}")]
    if not chosen:
        known = list(dict.fromkeys("loss" if key in NAMES else key for key in keys))
        raise ArgumentError.of(
            "plot.learning_curves",
            given=f"measure = {measure!r}",
            must=f"the epochs have {', '.join(known) or 'no scores'}{nearest(measure, known)}",
        )
    x = [record.get("number", record.get("epoch", index)) for index, record in enumerate(flat, 1)]
    epochs = numbers(x, "plot.learning_curves", "the numbers of the epochs", axes=1)
    return {
        # The trainer's own scores are those of validation rows; a loss is there of both.
        NAMES.get(key, "validation" if key == measure and measure != "loss" else key): (
            epochs,
            numbers([record.get(key) for record in flat], "plot.learning_curves", key, axes=1),
        )
        for key in chosen
    }


def _of_folder(folder: Path, measure: str) -> Curves:
    """What `chainrule train` wrote: a line of JSON for each epoch, and which was the best."""
    file = folder / "metrics.jsonl"
    try:
        records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        file = folder / "run.json"
        best = json.loads(file.read_text(encoding="utf-8"))["training"]["best_epoch"]
        if not isinstance(best, int) or not all(isinstance(record, dict) for record in records):
            raise ValueError
    except OSError as err:
        raise ArgumentError.of(
            "plot.learning_curves",
            given=f"the folder '{folder}'",
            must=f"a run that `chainrule train` wrote has a {file.name} ({err.strerror})",
            hint="the folder that the training printed at its end",
        ) from err
    except (ValueError, KeyError, TypeError) as err:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ArgumentError.of(
            "plot.learning_curves",
            given=f"the folder '{folder}'",
            must=f"its {file.name} is damaged: it is not what `chainrule train` writes",
        ) from err
    return Curves(_of_records(records, measure), best)
