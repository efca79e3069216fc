"""A backend of matplotlib that has windows without a screen: it writes down what it is asked to show."""

from __future__ import annotations

from typing import Any, ClassVar

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class FigureManager(FigureManagerBase):
    shown: ClassVar[list[Any]] = []

    def show(self) -> None:
        self.shown.append(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager
    required_interactive_framework = "headless"  # what matplotlib finds where there is no screen
