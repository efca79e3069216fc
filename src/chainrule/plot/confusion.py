"""Which classes a classifier takes for which: the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..core.errors import ArgumentError, ShapeError
from . import style
from .picture import panel
from .values import plain, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL = 0.52  # inches
MOST = 2000  # classes: a picture has no more dots than that
READABLE = 15  # with more classes the cells show their colour only

Labels = npt.NDArray[Any]


def confusion_matrix(
    truth: Any,
    predicted: Any,
    *,
    classes: Sequence[str] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How often each class was taken for which: rows are the true classes, columns what was predicted.

    The colour is the share of a row, so a rare class shows as clearly as a frequent one; the diagonal is
    right.

    Shapes:  truth (rows,); predicted (rows,), or scores (rows, classes), of which the highest counts.
    Args:    classes: names of the classes 0, 1, ...; with labels that are texts, which classes, in this
             order.
    Returns: the Axes; the counts are the data of its image.
    Raises:  ShapeError: different numbers of rows; ArgumentError: no rows, labels that are not in classes.

    >>> from chainrule import plot
    >>> ax = plot.confusion_matrix(["cat", "cat", "dog"], ["cat", "dog", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    """
    what = "plot.confusion_matrix"
    true, guess = np.asarray(plain(truth)).reshape(-1), np.asarray(plain(predicted))
    guess = guess.argmax(axis=1) if guess.ndim == 2 and guess.shape[1] > 1 else guess.reshape(-1)
    if len(true) != len(guess) or len(true) == 0:
        raise ShapeError.of(
            what,
            given=f"{len(true)} true and {len(guess)} predicted labels",
            must="each row must have both, and there must be one at least",
        )
    names, counts = _counted(true, guess, classes, what)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (true, predicted)
    count = len(names)
    side = min(max(CELL * count, 2.2), 9.0)
    ax = panel(ax, what, side + 1.6, side + 1.0, figsize=figsize, grid=False)
    image = ax.imshow(shares, cmap=style.SHADES, vmin=0, vmax=1, aspect="equal")
    letters = max(len(name) for name in names)
    if count <= 2 * READABLE:
        size = style.SMALL if count <= READABLE else 6.0
        style.names_for(ax, names, "x", rotate=letters * count > 24 and letters > 2)
        style.names_for(ax, names, "y", rotate=False)
        ax.tick_params(labelsize=size, length=0)
    if count <= READABLE:
        digits = len(str(counts.max()))
        for row in range(count):
            for column in range(count):
                ink = "white" if shares[row, column] > 0.55 else style.INK
                size = style.TEXT if digits < 4 else style.TEXT * 4 / (digits + 1)
                ax.text(
                    column, row, str(counts[row, column]), ha="center", va="center", color=ink, fontsize=size
                )
    bar = ax.figure.colorbar(image, ax=ax, pad=0.03, fraction=0.046)
    bar.ax.tick_params(labelsize=style.SMALL, color=style.FAINT, labelcolor=style.INK)
    bar.set_label("share of the true class", fontsize=style.TEXT, color=style.INK)
    bar.outline.set_visible(False)
    style.label(ax, x="predicted", y="true", title=title)
    return ax


def _counted(
    true: Labels, guess: Labels, classes: Sequence[str] | None, what: str
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The names of the classes, and how often each (true, predicted) occurs: (classes, classes)."""
    texts = [labels.dtype.kind in "US" for labels in (true, guess)]
    if texts == [True, False] and classes is not None and guess.dtype.kind in "bui":
        named = np.array([str(c) for c in classes])  # a model gives numbers of classes
        guess = named[guess.astype(np.int64)] if guess.max() < len(named) else guess.astype(str)
    elif texts[0] != texts[1]:
        raise ArgumentError.of(
            what,
            given=f"true labels such as {true[0].item()!r} and predicted ones such as {guess[0].item()!r}",
            must="both must be numbers, or both texts",
            hint="classes=[...], which says what the numbers stand for" if texts[0] else "",
        )
    both = np.concatenate([true, guess])
    if both.dtype.kind == "f" and not bool((both == np.floor(both)).all()):
        raise ArgumentError.of(
            what,
            given=f"{both[both != np.floor(both)][0]:.4g} as a label",
            must="labels must be classes: whole numbers or texts",
            hint="probabilities > 0.5, or scores of the shape (rows, classes)",
        )
    if both.dtype.kind in "buif" and both.min() >= 0:  # numbers count the classes
        indices = both.astype(np.int64)
        count = int(indices.max()) + 1
        if count > MOST and classes is None:
            raise ArgumentError.of(
                what,
                given=f"the label {count - 1}",
                must=f"whole numbers count the classes, and there can be {MOST} at most",
                hint="texts as labels, for numbers that are names: [str(label) for label in labels]",
            )
        names = [str(i) for i in range(count)] if classes is None else [str(c) for c in classes]
        strange = sorted(set(indices[indices >= len(names)].tolist()))
    elif both.dtype.kind in "buif":  # such as -1 and 1
        known, indices = np.unique(both, return_inverse=True)
        names = [f"{label:g}" for label in known] if classes is None else [str(c) for c in classes]
        strange = known[len(names) :].tolist()
    else:
        names = [str(c) for c in (classes if classes is not None else np.unique(both))]
        order = {name: index for index, name in enumerate(names)}
        strange = sorted({str(label) for label in both} - set(order))
        indices = np.array([order.get(str(label), 0) for label in both])
    if strange:
        raise ArgumentError.of(
            what,
            given=f"the label {strange[0]!r} and the classes {shortened(names)}",
            must="each label must be one of the classes (numbers count from 0)",
        )
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (indices[: len(true)], indices[len(true) :]), 1)
    return names, counts
