"""The learning curve as a picture: the losses of each epoch, and the epoch whose weights were kept.

matplotlib draws it, without a window and without touching the settings of a program that uses it too. No text
of the user's gets into the picture: its letters might be in none of the fonts there are.
"""

from __future__ import annotations

import io

from ..data import Task
from .loop import History

LOSS_NAMES = {
    "classification": "cross-entropy (nats per row)",
    "regression": "mean squared error (target standardised)",
}


def draw_curve(history: History, task: Task) -> bytes:
    """A PNG picture of the training and validation loss over the epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    numbers = [epoch.number for epoch in history.epochs]
    marker = "o" if len(numbers) == 1 else ""  # a line through one point is not to be seen
    axes.plot(numbers, [epoch.train_loss for epoch in history.epochs], "C0", marker=marker, label="training")
    validation = [(epoch.number, epoch.val_loss) for epoch in history.epochs if epoch.val_loss is not None]
    if validation:
        axes.plot(*zip(*validation, strict=True), "C1", marker=marker, label="validation")
        axes.axvline(history.best, color="0.6", linestyle=":", label=f"kept: epoch {history.best}")
    axes.set_xlabel("epoch")
    axes.set_ylabel(LOSS_NAMES[task])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
