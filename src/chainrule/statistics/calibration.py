"""Calibration: whether of the predictions made with probability 0.8, eight in ten are right.

The central idea: sort the predictions into bins by their confidence, and compare in each bin the mean
confidence with the share that is right. `calibration` counts; `Calibration` holds the counts and draws the
reliability curve. Source of ECE and MCE: Naeini, Cooper, Hauskrecht, AAAI 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plot
from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, ShapeError
from ..functions.options import values_of
from ..plot.style import legend
from ..tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Calibration:
    """Predictions in bins of confidence. Empty bins have nan for confidence and accuracy.

    edges:      (bins + 1,) the ends of the bins.
    counts:     (bins,) how many predictions fell into each.
    confidence: (bins,) their mean probability.
    accuracy:   (bins,) the share of them that is right.
    """

    edges: Tensor
    counts: Tensor
    confidence: Tensor
    accuracy: Tensor

    @property
    def ece(self) -> float:
        """The expected calibration error: the mean gap between confidence and accuracy, over predictions."""
        gaps, counts = self._gaps()
        return float((gaps * counts).sum() / counts.sum())

    @property
    def mce(self) -> float:
        """The maximum calibration error: the largest gap of a bin."""
        return float(self._gaps()[0].max())

    def _gaps(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        counts = self.counts.numpy()
        full = counts > 0
        return np.abs(self.confidence.numpy() - self.accuracy.numpy())[full], counts[full]

    def plot(self, *, title: str | None = None, ax: Axes | None = None) -> Axes:
        """The reliability curve: accuracy against confidence; on the diagonal where they agree."""
        full = self.counts.numpy() > 0
        x, y = self.confidence.numpy()[full], self.accuracy.numpy()[full]
        axes = plot.lines(
            [[0.0, 1.0], x],
            [[0.0, 1.0], y],
            legend=["calibrated", f"predictions, ECE {self.ece:.3f}"],
            fmts=["k--", "o-"],
            xlabel="confidence",
            ylabel="share that is right",
            xlim=(0, 1),
            ylim=(0, 1),
            title=title,
            ax=ax,
        )
        legend(axes)
        return axes


def calibration(probs: Tensor, labels: Tensor, bins: int = 10) -> Calibration:
    """Compare how sure predictions are with how often they are right.

    Shapes:  probs (n, k) with labels (n,), class numbers: the likeliest class is the prediction; or probs
             (n,) of an event with labels (n,) of 0 and 1: the probability is compared with the share of 1.
    Args:    bins: how many bins of equal width from 0 to 1; a number on an edge belongs to the bin below it.
    Raises:  ShapeError for other shapes; ArgumentError for what are no probabilities or no labels.

    Always sure, and right three times in four:

    >>> import chainrule as torch
    >>> c = calibration(torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1]))
    >>> c.ece, c.accuracy[-1]
    (0.25, tensor(0.7500, dtype=torch.float64))
    """
    p, y = _checked(probs, labels)
    if not isinstance(bins, int) or isinstance(bins, bool) or bins < 1:
        raise ArgumentError.of(
            "calibration", given=f"bins={bins!r}", must="there must be a whole number of bins, at least 1"
        )
    if p.ndim == 2:
        choice = p.argmax(1)
        sure, right = p[np.arange(len(p)), choice], choice == y
    else:
        sure, right = p, y == 1
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, "left") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 is nan: an empty bin has neither
        confidence = np.bincount(place, sure, bins) / counts
        accuracy = np.bincount(place, right, bins) / counts
    return Calibration(wrap(edges), wrap(counts), wrap(confidence), wrap(accuracy))


def _checked(probs: Any, labels: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    for name, x in (("probs", probs), ("labels", labels)):
        if not isinstance(x, TensorBase):
            raise ArgumentError.of(
                "calibration", given=f"{name} of type {type(x).__name__}", must=f"{name} must be a Tensor"
            )
    p = values_of(probs, "calibration").astype(np.float64)
    y = values_of(labels, "calibration")
    if p.ndim not in (1, 2) or y.shape != p.shape[:1] or not y.size:
        raise ShapeError.of(
            "calibration",
            given=f"probs {p.shape} and labels {y.shape}",
            must="probs must be (n, classes) or (n,), and labels (n,), with n > 0",
        )
    if not ((p >= 0) & (p <= 1 + _TOLERANCE)).all() or (
        p.ndim == 2 and not (np.abs(p.sum(1) - 1) <= _TOLERANCE).all()
    ):
        raise ArgumentError.of(
            "calibration",
            given=f"probs {p.shape} with values from {p.min():g} to {p.max():g}",
            must="probs must be between 0 and 1, and each row must sum to 1",
            hint="torch.softmax(scores, 1), if these are scores",
        )
    classes = p.shape[1] if p.ndim == 2 else 2
    if not ((y >= 0) & (y < classes) & (y == np.floor(y))).all():
        raise ArgumentError.of(
            "calibration",
            given=f"labels from {y.min():g} to {y.max():g}",
            must=f"labels must be class numbers from 0 to {classes - 1}",
        )
    return p, y
