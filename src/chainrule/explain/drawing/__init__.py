"""Pictures of computation graphs. `draw.py` is the door; `scene.py` says what a picture shows."""

from .draw import draw
from .drawing import Drawing

__all__ = ["Drawing", "draw"]
