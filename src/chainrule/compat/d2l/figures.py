"""The book's pictures: curves, and images in a grid, drawn into pyplot's figures as its readers expect.

The lines are drawn by `chainrule.plot`; here are the book's arguments and defaults. What becomes of the
figures without a notebook: `../pictures.py`. Curves that grow: `animator.py`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...plot import lines, style
from ...tensor import Tensor

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("-", "m--", "g-.", "r:")


def use_svg_display() -> None:
    """Draw as SVG in a notebook, which is sharp at any size; elsewhere nothing changes.

    >>> use_svg_display()
    """
    if "IPython" in sys.modules:
        try:
            inline = importlib.import_module("matplotlib_inline.backend_inline")
        except ImportError:
            return
        inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """The size of the figures that pyplot makes from now on: width and height in inches.

    >>> set_figsize((4, 3))
    """
    import matplotlib.pyplot as plt

    use_svg_display()
    plt.rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Axes,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Any,
    ylim: Any,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Names, limits, scales and the legend of an Axes, and a grid.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> set_axes(axes, "x", "f(x)", [0, 1], None, "linear", "log", None)
    >>> axes.get_xlabel(), axes.get_yscale()
    ('x', 'log')
    """
    axes.set_xlabel(xlabel or "")
    axes.set_ylabel(ylabel or "")
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    if xlim is not None:
        axes.set_xlim(xlim)
    if ylim is not None:
        axes.set_ylim(ylim)
    if legend:
        axes.legend(legend, fontsize=style.SMALL)
    axes.grid(True)


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] | None = None,
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Axes | None = None,
) -> None:
    """Curves: `plot(y)`, `plot(x, y)`, `plot(x, [y1, y2])`, `plot([x1, x2], [y1, y2])`.

    Args:    fmts: matplotlib's short forms, for one curve after the other.
             axes: draw into this Axes; None is pyplot's current one. What it showed is removed.
    Raises:  ShapeError: an x and a y of different lengths; ArgumentError: what are no numbers.

    >>> import chainrule as torch
    >>> x = torch.arange(0, 3, 0.1)
    >>> plot(x, [3 * x**2 - 4 * x, 2 * x - 3], "x", "f(x)", legend=["f(x)", "Tangent line (x=1)"])
    >>> import matplotlib.pyplot as plt
    >>> len(plt.gca().lines)
    2
    >>> plt.close()
    """
    import matplotlib.pyplot as plt

    set_figsize(figsize)
    if axes is None:
        axes = plt.gca()
        arrange(axes.get_figure(root=True))
    axes.cla()
    style.dress(axes)
    lines(X, Y, fmts=fmts, ax=axes)
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def show_images(
    imgs: Any, num_rows: int, num_cols: int, titles: Sequence[str] | None = None, scale: float = 1.5
) -> npt.NDArray[Any]:
    """Images in a grid; returns its Axes, row by row.

    Shapes:  imgs (n, height, width), or a list of such matrices or of PIL's images.

    >>> import chainrule as torch
    >>> show_images(torch.rand(4, 8, 8), 2, 2, titles=["a", "b", "c", "d"]).shape
    (4,)
    >>> import matplotlib.pyplot as plt
    >>> plt.close()
    """
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(
        num_rows, num_cols, figsize=(num_cols * scale, num_rows * scale), squeeze=False
    )
    arrange(figure)
    cells: npt.NDArray[Any] = grid.flatten()
    for cell in cells:
        cell.axis("off")
    for i, (cell, image) in enumerate(zip(cells, imgs, strict=False)):
        cell.imshow(image.detach().numpy() if isinstance(image, Tensor) else image)
        if titles:
            cell.set_title(titles[i], fontsize=style.SMALL)
    return cells


def arrange(figure: Figure | None) -> None:
    """Give a figure a layout in which no label is cut off, unless the program chose one."""
    if figure is not None and figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
