"""What becomes of pictures that a program draws with pyplot and leaves open.

A notebook shows them itself. With a screen they are windows, which stay until the reader closes them;
without one they are written to files whose names are printed. `chainrule.plot.show` does all of that for
one picture; here is when: at the end of a cell or script, and for those that grow (`d2l/animator.py`) at
the latest when Python ends.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

from ..plot import show

Place = Literal["notebook", "window", "file"]


def place() -> Place:
    """Where pictures go in this program."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is not None:
        return "notebook"
    import matplotlib
    from matplotlib.backends import registry

    backends: Any = registry.backend_registry
    canvas = getattr(backends.load_backend_module(matplotlib.get_backend()), "FigureCanvas", None)
    return "window" if getattr(canvas, "required_interactive_framework", None) else "file"


def show_all() -> None:
    """Show and close the open figures of pyplot, one after the other; a notebook does that itself."""
    if "matplotlib.pyplot" not in sys.modules or place() == "notebook":
        return
    import matplotlib.pyplot as plt

    for number in plt.get_fignums():
        if plt.fignum_exists(number):  # a window shows all of them at once, and closes them
            figure = plt.figure(number)
            if figure.axes:
                show(figure)
            plt.close(figure)
