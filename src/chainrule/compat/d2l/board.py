"""`ProgressBoard`: curves by their names, whose points are means over batches. Next: `animator.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...tensor import Tensor
from .animator import Animator


class ProgressBoard:
    """Curves that grow, each known by its label: `board.draw(x, y, "loss", every_n=10)`.

    >>> board = ProgressBoard("x")
    >>> for x in range(6):
    ...     board.draw(x, x * x, "squares", every_n=2)
    >>> board.points("squares")
    ([0.5, 2.5, 4.5], [0.5, 6.5, 20.5])
    >>> board.close()
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        ls: Sequence[str] = ("-", "--", "-.", ":"),
        colors: Sequence[str] = ("C0", "C1", "C2", "C3"),
        fig: Any = None,
        axes: Any = None,
        figsize: tuple[float, float] = (3.5, 2.5),
        display: bool = True,
    ) -> None:
        self.xlabel, self.ylabel, self.xlim, self.ylim = xlabel, ylabel, xlim, ylim
        self.xscale, self.yscale, self.ls, self.colors = xscale, yscale, ls, colors
        self.fig, self.axes, self.figsize, self.display = fig, axes, figsize, display
        self._labels: list[str] = []
        self._waiting: dict[str, list[tuple[float, float]]] = {}
        self._animator: Animator | None = None

    def draw(self, x: Any, y: Any, label: str, every_n: int = 1) -> None:
        """Add a point to a curve; every `every_n` of them are one, in their middle."""
        if not self.display:
            return
        waiting = self._waiting.setdefault(label, [])
        waiting.append((_number(x), _number(y)))
        if len(waiting) < every_n:
            return
        middle = [sum(values) / len(waiting) for values in zip(*waiting, strict=True)]
        waiting.clear()
        if self._animator is None:  # now, since its labels and limits may be set after it was made
            styles = [f"{color}{line}" for color, line in zip(self.colors, self.ls, strict=False)]
            self._animator = Animator(
                self.xlabel, self.ylabel, self._labels, self.xlim, self.ylim, self.xscale, self.yscale,
                styles, figsize=self.figsize,
            )  # fmt: skip
        if label not in self._labels:
            self._labels.append(label)
        row: list[float | None] = [None] * len(self._labels)
        row[self._labels.index(label)] = middle[1]
        self._animator.add(middle[0], row)

    def points(self, label: str) -> tuple[list[float], list[float]]:
        """The points of a curve, as their x and y."""
        if self._animator is None:
            return [], []
        at = self._labels.index(label)
        return self._animator.X[at], self._animator.Y[at]

    def close(self) -> None:
        """Forget the picture."""
        if self._animator is not None:
            self._animator.close()


def _number(value: Any) -> float:
    return float(value.detach() if isinstance(value, Tensor) else value)
