"""`Animator`: curves that grow point by point while a model learns.

It only keeps the points and draws them when somebody can look: in a notebook and in a window at most a few
times a second, so that drawing does not take longer than learning; without a screen once, at the end, into
a file (`../pictures.py`). How curves look: `figures.py`.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...plot import show, style
from ...tensor import Tensor
from .. import pictures
from .figures import FORMATS, arrange, set_axes, use_svg_display

PAUSE = 0.2  # seconds from one drawing to the next: as fast as eyes follow


class Animator:
    """Curves that grow: `add(epoch, (train_loss, train_acc, None))` adds a point to each, None to none.

    In a notebook the picture is drawn anew below the cell; with a screen in a window, which stays open at
    the end; without one it is written to a file whose name is printed when the program ends, or by
    `show()`.

    Args:    legend: a name for each curve. fmts: matplotlib's short forms for them. nrows, ncols: a grid of
             Axes, of which the first is drawn into; the others are in `axes`.

    >>> animator = Animator(xlabel="epoch", legend=["loss", "accuracy"], xlim=[1, 10])
    >>> for epoch in range(3):
    ...     animator.add(epoch + 1, (1 / (epoch + 1), 0.5))
    >>> animator.Y[0]
    [1.0, 0.5, 0.3333333333333333]
    >>> animator.close()
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        import matplotlib.pyplot as plt

        use_svg_display()
        self.place = pictures.place()
        self.fig, grid = plt.subplots(nrows, ncols, figsize=figsize, squeeze=False)
        arrange(self.fig)
        self.axes = grid.flatten()
        self.fmts = fmts
        self.X: list[list[float]] = []
        self.Y: list[list[float]] = []
        self._looks = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend if legend is not None else [])
        self._drawn = -np.inf
        self._draw()
        if self.place != "notebook":
            atexit.register(self.show)

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each curve.

        Args:    y: a number, or one for each curve; None adds nothing to that one. x: the same, or one for
                 all.
        """
        ys = list(y) if _is_list(y) else [y]
        xs = list(x) if _is_list(x) else [x] * len(ys)
        while len(self.Y) < len(ys):
            self.X.append([])
            self.Y.append([])
        for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
            if a is not None and b is not None:
                self._extend(i, _number(a), _number(b))
        if self.place != "file" and time.perf_counter() - self._drawn > PAUSE:
            self._present()
            self._drawn = time.perf_counter()

    def show(self) -> None:
        """Show the picture in its last state: in a window, or in a file whose name is printed."""
        import matplotlib.pyplot as plt

        if not plt.fignum_exists(self.fig.number):  # it was shown, or the program closed it
            self.close()
            return
        if any(self.Y):
            show(self.fig)
        self.close()

    def close(self) -> None:
        """Forget the picture."""
        import matplotlib.pyplot as plt

        atexit.unregister(self.show)
        plt.close(self.fig)

    def _draw(self) -> None:
        """Labels, and no lines."""
        xlabel, ylabel, xlim, ylim, xscale, yscale, _ = self._looks
        for ax in self.axes:
            style.dress(ax)
        set_axes(self.axes[0], xlabel, ylabel, xlim, ylim, xscale, yscale, None)

    def _extend(self, i: int, x: float, y: float) -> None:
        """Add a point to the i-th curve; whoever draws or saves the figure sees it."""
        ax, legend = self.axes[0], self._looks[-1]
        while len(ax.lines) <= i:
            ax.plot([], [], self.fmts[len(ax.lines) % len(self.fmts)])
            if legend:
                ax.legend(ax.lines, legend[: len(ax.lines)], fontsize=style.SMALL)
        self.X[i].append(x)
        self.Y[i].append(y)
        ax.lines[i].set_data(self.X[i], self.Y[i])
        ax.lines[i].set_marker("o" if len(self.X[i]) == 1 else "")  # a line through one point is not seen
        ax.update_datalim([(x, y)])
        ax.autoscale_view()

    def _present(self) -> None:
        import matplotlib.pyplot as plt

        if self.place == "window":
            self.fig.show()
            plt.pause(0.001)  # lets the window draw
        else:
            display = sys.modules["IPython.display"]
            display.display(self.fig)
            display.clear_output(wait=True)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0  # a tensor of one number is none


def _number(value: Any) -> float:
    return float(value.detach() if isinstance(value, Tensor) else value)
