"""matplotlib's Figure and Axes, which show themselves in a notebook though no pyplot knows of them.

The only file here that imports matplotlib when it is loaded; `picture.py` loads it at the first picture.
"""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from .fonts import widen

SHARP = 2  # pixels of a notebook's picture for each one of its size, so that it is sharp on a dense screen


class Panel(Axes):
    """An Axes that a notebook shows as the picture which it is part of."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        whole: Any = self.figure.figure
        return whole._repr_png_() if isinstance(whole, Picture) else None


class Picture(Figure):
    """A Figure that a notebook shows, with or without `%matplotlib inline`."""

    may_grow: bool = True  # whether its size was chosen here, and may change for what stands beside

    def make_room(self, inches: float) -> None:
        """Get wider, so that something beside the picture takes nothing away from it."""
        if self.may_grow:
            width, height = self.get_size_inches()
            self.set_size_inches(width + inches, height)

    def add_panel(self, rows: int, columns: int, number: int, *, sharex: Axes | None = None) -> Panel:
        """The Axes with this number (from 1, row by row) in a grid."""
        made: Any = self.add_subplot(rows, columns, number, axes_class=Panel, sharex=sharex)
        assert isinstance(made, Panel)
        return made

    def draw(self, renderer: RendererBase) -> None:
        """Draw everything, in fonts that have the letters."""
        widen(self)
        layout = self.get_layout_engine()
        if layout is not None:  # once more than Figure does: one pass leaves square cells at the edge
            layout.execute(self)
        super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=SHARP * self.dpi)
        width, height = self.get_size_inches() * self.dpi
        return content.getvalue(), {"width": round(width), "height": round(height)}
