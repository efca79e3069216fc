"""`IPython.display` outside of a notebook: text is printed, pictures go where pictures go (`pictures.py`).

Pictures of pyplot are not shown at once: a program that displays one again and again, as it grows, wants
the last state, which is shown at the end of the cell or script.
"""

from __future__ import annotations

import sys
from typing import Any

from ...plot import show

__all__ = ["clear_output", "display"]


def display(*objects: Any, **options: Any) -> None:
    """Show things as the last line of a cell is shown: text by `repr`; pictures, see `chainrule.plot.show`.

    >>> display(2 + 2)
    4
    """
    for value in objects:
        if _is_open_figure(value):
            continue
        if hasattr(value, "_repr_png_"):
            show(value)
        else:
            print(value if isinstance(value, str) else repr(value))


def clear_output(wait: bool = False) -> None:
    """Remove what the cell has shown so far: what is printed in a terminal stays.

    >>> clear_output(wait=True)
    """


def _is_open_figure(value: Any) -> bool:
    pyplot = sys.modules.get("matplotlib.pyplot")
    manager = getattr(getattr(value, "canvas", None), "manager", None)
    return pyplot is not None and manager is not None and pyplot.fignum_exists(manager.num)
