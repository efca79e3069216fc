"""Where a picture comes from: a new Figure, or the Axes that the user hands in.

matplotlib loads here, when the first picture is drawn. Figures are made without pyplot: no window, no
backend, no list of open figures that grows. Only the last picture is remembered, for `show()` and
`save(path)` without one. Its looks: `style.py`; where it goes: `output.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, ChainruleError
from . import style
from .values import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .panel import Picture


class MissingLibraryError(ChainruleError, ImportError):
    """A library that only some functions need is not installed."""


_last: list[Any] = []  # at most one Figure


def figure(width: float = style.WIDTH, height: float = style.HEIGHT) -> Picture:
    """An empty Figure of so many inches; it becomes the last picture.

    Raises:  MissingLibraryError: matplotlib is not installed.
    """
    try:
        from .panel import Picture
    except ImportError as err:
        if err.name is None or err.name.partition(".")[0] not in ("matplotlib", "cycler"):
            raise
        raise MissingLibraryError.of(
            "chainrule.plot",
            given="no matplotlib",
            must="pictures are drawn by matplotlib, which is not installed here",
            hint="pip install matplotlib, or pip install chainrule, which brings it along",
        ) from err
    made = Picture(figsize=(width, height), dpi=style.DPI, layout="constrained", facecolor="white")
    remember(made)
    return made


def panel(
    ax: Axes | None,
    what: str,
    width: float = style.WIDTH,
    height: float = style.HEIGHT,
    *,
    figsize: tuple[float, float] | None = None,
    grid: bool = True,
) -> Axes:
    """The Axes to draw into: the given one, as it is, or a new one in a Figure of its own."""
    if ax is not None:
        remember(figure_of(ax, what))
        return ax
    fig = figure(*(figsize or (width, height)))
    fig.may_grow = figsize is None
    return panels(fig, 1, 1, grid=grid)[0]


def panels(fig: Picture, rows: int, columns: int, *, grid: bool = True, sharex: bool = False) -> list[Axes]:
    """A grid of new Axes, row by row."""
    made: list[Axes] = []
    for index in range(rows * columns):
        ax = fig.add_panel(rows, columns, index + 1, sharex=made[0] if sharex and made else None)
        style.dress(ax, grid=grid)
        made.append(ax)
    return made


def figure_of(picture: Any, what: str) -> Figure:
    """The Figure of an Axes.

    Raises:  ArgumentError: it is no Axes.
    """
    if not hasattr(picture, "plot") or not hasattr(picture, "figure"):
        raise ArgumentError.of(
            what,
            given=f"ax = {shortened(picture)}",
            must="ax must be one Axes of matplotlib to draw into",
            hint="figure.axes[0] of a figure, axes[0, 1] of several; or no ax, for a new picture",
        )
    whole: Figure = picture.figure.figure  # through a SubFigure, where there is one
    return whole


def remember(fig: Figure) -> None:
    """Make a Figure the last picture."""
    _last[:] = [fig]


def last() -> Figure | None:
    """The Figure that was drawn into last, if there is one."""
    return _last[0] if _last else None
