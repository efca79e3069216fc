"""Where a classifier decides what, in the plane of two features.

A classifier is a Module, a function of a tensor (rows, 2), or anything with `predict` as in scikit-learn.
Next: `confusion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.dtypes import float32
from ..core.errors import ArgumentError, ShapeError
from ..creation import tensor
from ..nn import Module
from ..tape.mode import no_grad
from . import style
from .picture import panel
from .values import Floats, counted, interval, numbers, plain, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHAT = "plot.decision_boundary"
GRID = 200
AT_ONCE = 8192  # points of the grid that a model gets in one call: a bounded amount of memory
MARGIN = 0.1
TINT = 0.25  # of a class's colour in its region

Labels = npt.NDArray[Any]


class Regions(NamedTuple):
    """The class of each point as an index into the classes."""

    indices: npt.NDArray[np.int64]
    classes: list[Any]


def decision_boundary(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    classes: Sequence[str] | None = None,
    threshold: float | None = None,
    xlim: Any = None,
    ylim: Any = None,
    points: int = GRID,
    xlabel: str | None = "x₁",
    ylabel: str | None = "x₂",
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What a classifier says at each point of the plane of its two features, and the samples on it.

    What a model gives may be: a class for each row (whole numbers, truth values or, from `predict`, any
    labels); a score for each class, the highest wins, (rows, classes); or one number for each row, (rows,) or
    (rows, 1), which means class 1 above the threshold.

    Shapes:  X (rows, 2), y (rows,): the samples; without them, xlim and ylim say what is shown.
    Args:    model: a Module runs in eval mode without gradients and is left as it was; another function gets
             float32 tensors; an object with `predict` gets NumPy arrays.
             classes: names for the legend, in the order of the classes.
             threshold: for one number for each row; None is 0, which is right for scores ("logits"); for
             probabilities say 0.5.
    Returns: the Axes.
    Raises:  ShapeError: X has not two columns, or another number of rows than y; ArgumentError: what the
             model gives is none of the above, or all of it lies between 0 and 1 and no threshold was given.

    >>> import chainrule as torch
    >>> from chainrule import plot
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
    >>> ax = plot.decision_boundary(lambda x: x[:, 0] * x[:, 1] - 0.25, x, y, classes=["no", "yes"])
    >>> [text.get_text() for text in ax.figure.legends[0].get_texts()]
    ['no', 'yes']
    """
    samples = _samples(X)
    truth = None if y is None else _truth(y, samples)
    (left, right), (low, high) = _limits(samples, xlim, ylim)
    across, up = np.linspace(left, right, points), np.linspace(low, high, points)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)  # (points * points, 2)
    regions = _regions(model, grid, truth, classes, threshold)
    names = [str(c) for c in regions.classes] if classes is None else [str(c) for c in classes]
    if len(names) < len(regions.classes):
        raise ArgumentError.of(
            WHAT,
            given=f"{counted(len(names), 'name')} for the classes {shortened(regions.classes)}",
            must="each class must have its name",
        )
    ax = panel(ax, WHAT, 5.2, 4.2, figsize=figsize, grid=False)
    _draw_regions(ax, across, up, regions.indices.reshape(points, points), len(regions.classes))
    _draw_samples(ax, samples, truth, regions.classes, names)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    style.label(ax, x=xlabel, y=ylabel, title=title)
    made = style.legend(ax, below=True)
    for text in made.get_texts() if made is not None else ():
        text.set_parse_math(False)
    return ax


def _samples(X: Any) -> Floats | None:
    if X is None:
        return None
    samples = numbers(X, WHAT, "X", axes=2)
    if samples.shape[1] != 2 or len(samples) == 0:
        raise ShapeError.of(
            WHAT,
            given=f"X of shape {samples.shape}",
            must="a plane has two features: X must be (rows, 2)",
            hint="lambda x: model(...) with the other features held fixed, for a model of more than two",
        )
    return samples


def _truth(y: Any, samples: Floats | None) -> Labels:
    labels = np.asarray(plain(y)).reshape(-1)
    if samples is None or len(labels) != len(samples):
        raise ShapeError.of(
            WHAT,
            given=f"{counted(len(labels), 'label')} in y and"
            f" {'no' if samples is None else len(samples)} rows in X",
            must="each row must have one label",
            hint="y.argmax(1), for labels that are one-hot" if np.ndim(plain(y)) == 2 else "",
        )
    return labels


def _limits(samples: Floats | None, xlim: Any, ylim: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    if samples is None and (xlim is None or ylim is None):
        raise ArgumentError.of(
            WHAT,
            given="neither X nor both limits",
            must="it must be known what to show",
            hint="xlim=(-3, 3), ylim=(-3, 3)",
        )
    found = []
    for axis, (given, name) in enumerate(((xlim, "xlim"), (ylim, "ylim"))):
        if given is not None:
            found.append(interval(given, WHAT, name))
        elif samples is not None:
            low, high = float(samples[:, axis].min()), float(samples[:, axis].max())
            room = MARGIN * (high - low) or 1.0
            found.append((low - room, high + room))
    return found[0], found[1]


def _regions(
    model: Any, grid: Floats, truth: Labels | None, names: Sequence[str] | None, threshold: float | None
) -> Regions:
    """The class of each point; the classes are in the order of the names."""
    output = np.concatenate([_answers(model, grid[i : i + AT_ONCE]) for i in range(0, len(grid), AT_ONCE)])
    if output.ndim == 2 and output.shape[1] == 1:
        output = output[:, 0]
    if output.ndim == 2:
        return Regions(output.argmax(axis=1), _classes(output.shape[1], truth, names))
    if output.dtype.kind == "f" and not hasattr(model, "predict"):
        if threshold is None and float(output.min()) >= 0 and float(output.max()) <= 1:
            raise ArgumentError.of(
                WHAT,
                given=f"a model whose outputs lie between {output.min():.3g} and {output.max():.3g}",
                must="these look like probabilities; the threshold of scores, 0, makes them all class 1",
                hint="threshold=0.5; or threshold=0, if they are scores",
            )
        output = output > (threshold or 0.0)
    if output.dtype.kind == "b":
        return Regions(output.astype(np.int64), _classes(2, truth, names))
    every = np.unique(output) if truth is None else np.unique(np.concatenate([output, truth]))
    return Regions(np.searchsorted(every, output), every.tolist())


def _classes(count: int, truth: Labels | None, names: Sequence[str] | None) -> list[Any]:
    """What the labels are called of which the model gives the number: 0, 1, ..., or -1 and 1, or names."""
    numbered: list[Any] = list(range(count))
    if truth is None:
        return numbered
    known = np.unique(truth).tolist()
    for possible in (numbered, list(names or ()), known if count == len(known) == 2 else []):
        if set(known) <= set(possible):
            return possible
    raise ArgumentError.of(
        WHAT,
        given=f"a model of {count} classes and the labels {shortened(known)}",
        must="the labels must be numbers of classes, counted from 0",
        hint="classes=[...] in the order of the model's outputs, for labels that are names",
    )


def _answers(model: Any, rows: Floats) -> Labels:
    """What a classifier says about some points: (rows,) or (rows, classes)."""
    if isinstance(model, Module):
        output = _of_module(model, rows)
    elif hasattr(model, "predict"):
        output = model.predict(rows)
    elif callable(model):
        with no_grad():
            output = model(tensor(rows, dtype=float32))
    else:
        raise ArgumentError.of(
            WHAT,
            given=f"model = {shortened(model)}",
            must="the model must be a Module, a function of a tensor (rows, 2), or have a method predict",
        )
    answers = np.asarray(plain(output))
    if answers.ndim not in (1, 2) or len(answers) != len(rows):
        raise ArgumentError.of(
            WHAT,
            given=f"a model that gives shape {answers.shape} for {len(rows)} rows",
            must="it must give (rows,), a class or number each, or (rows, classes), a score for each class",
        )
    if answers.dtype.kind == "f" and not np.isfinite(answers).all():
        raise ArgumentError.of(
            WHAT,
            given="a model that gives a number that is not finite",
            must="it must decide at every point of the map",
            hint="xlim, ylim with a part of the plane where it does",
        )
    return answers


def _of_module(model: Module, rows: Floats) -> Any:
    """A module's outputs in eval mode; it is left in the mode in which it was, part by part."""
    kinds = [p.dtype for p in model.parameters()] or [float32]
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with no_grad():
            return model(tensor(rows, dtype=kinds[0]))
    finally:
        for module, training in modes.items():
            module.training = training


def _draw_regions(ax: Axes, across: Floats, up: Floats, indices: npt.NDArray[np.int64], count: int) -> None:
    from matplotlib.colors import ListedColormap

    colors = [style.tint(style.COLORS[i % len(style.COLORS)], TINT) for i in range(count)]
    half = [(across[1] - across[0]) / 2, (up[1] - up[0]) / 2]
    extent = (across[0] - half[0], across[-1] + half[0], up[0] - half[1], up[-1] + half[1])
    ax.imshow(
        indices,
        cmap=ListedColormap(colors),
        vmin=-0.5,
        vmax=count - 0.5,
        extent=extent,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    for index in range(1, count) if count == 2 else range(count):  # the line around each region
        inside = indices == index
        if inside.any() and not inside.all():
            ax.contour(across, up, inside.astype(float), [0.5], colors=style.INK, linewidths=1.0)


def _draw_samples(
    ax: Axes, samples: Floats | None, truth: Labels | None, classes: list[Any], names: list[str]
) -> None:
    if samples is None or truth is None:  # then the legend tells which region is which
        for index, name in enumerate(names[: len(classes)]):
            color = style.tint(style.COLORS[index % len(style.COLORS)], TINT)
            ax.scatter([], [], s=60, marker="s", color=[color], label=name)
    if samples is None:
        return
    crowded = len(samples) > 500
    looks: dict[str, Any] = {"s": 10 if crowded else 26, "linewidths": 0.4, "edgecolors": "white"}
    if truth is None:
        ax.scatter(samples[:, 0], samples[:, 1], color=style.INK, **looks)
        return
    for index, (one, name) in enumerate(zip(classes, names, strict=False)):
        chosen = samples[truth == one]
        looks["color"] = style.COLORS[index % len(style.COLORS)]
        looks["marker"] = style.MARKERS[index % len(style.MARKERS)]
        ax.scatter(chosen[:, 0], chosen[:, 1], label=name, **looks)
