"""Where a picture goes: a file, a window, or the notebook.

`show` looks where the program runs. In a notebook it displays the picture there. With a screen it opens a
window by pyplot, which is imported for nothing else. Without one (a server, a container, CI) it writes a file
and says where.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, nearest
from .picture import figure_of, last
from .values import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILE_DPI = 200


def save(
    path: str | os.PathLike[str], picture: Axes | Figure | None = None, *, dpi: float = FILE_DPI
) -> Path:
    """Write a picture to a file; the ending of its name is the format: png (without one), svg, pdf, ...

    Args:    picture: an Axes or Figure; None is the last one that was drawn.
             dpi: pixels for each inch, in formats that have pixels.
    Returns: the path of the file. One that exists is written over.
    Raises:  ArgumentError: nothing was drawn, the format is unknown, or the folder is not there.

    >>> import tempfile
    >>> from chainrule import plot
    >>> ax = plot.normal()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot.save(f"{folder}/bell.svg").name
    'bell.svg'
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError.of(
            "plot.save",
            given=f"path = {shortened(path)}",
            must="the first argument is the name of the file, the second the picture",
            hint='plot.save("picture.png", ax)',
        )
    fig, target = _chosen(picture, "plot.save"), Path(path)
    if not target.suffix:
        target = target.with_name(target.name + ".png")
    known = sorted(fig.canvas.get_supported_filetypes())
    ending = target.suffix[1:].lower()
    if ending not in known:
        raise ArgumentError.of(
            "plot.save",
            given=f"the file name '{target.name}'",
            must=f"its ending must be one of {', '.join(known)}{nearest(ending, known)}",
        )
    if not target.parent.is_dir():
        raise ArgumentError.of(
            "plot.save",
            given=f"the path '{target}'",
            must=f"the folder '{target.parent}' must exist",
            hint=f"Path({str(target.parent)!r}).mkdir(parents=True)",
        )
    fig.savefig(target, dpi=dpi)
    return target


def show(picture: Axes | Figure | None = None) -> Path | None:
    """Put a picture before the user's eyes: in the notebook, in a window, or in a file whose name is printed.

    In a script the window keeps the program waiting until it is closed, as `pyplot.show()` does. Where there
    is no screen, the file is `plot.png` in the working directory, or the next free `plot-2.png`, ...; in a
    folder for temporary files if nothing can be written there.

    Args:    picture: an Axes or Figure; None is the last one that was drawn.
    Returns: the path of the file, if it had to be one.
    Raises:  ArgumentError: nothing was drawn.
    """
    fig = _chosen(picture, "plot.show")
    shell = _notebook()
    if shell is not None:
        shell.display(fig)
        return None
    if _has_windows():
        _open_window(fig)
        return None
    path = _save_somewhere(fig)
    print(f"the picture is in {path} (no screen here; plot.save chooses another name)")
    return path


def _chosen(picture: Any, what: str) -> Figure:
    if picture is None:
        picture = last()
        if picture is None:
            raise ArgumentError.of(
                what,
                given="no picture",
                must="nothing has been drawn yet",
                hint="ax = plot.normal()",
            )
    if hasattr(picture, "savefig"):
        fig: Figure = picture
        return fig
    if not hasattr(picture, "figure"):
        raise ArgumentError.of(
            what,
            given=f"picture = {shortened(picture)}",
            must="it must be an Axes or a Figure of matplotlib; without one it is the last that was drawn",
        )
    return figure_of(picture, what)


def _notebook() -> Any:
    """IPython's display module if this program runs in a notebook (a kernel, not a terminal)."""
    ipython = sys.modules.get("IPython")  # who runs in a notebook has loaded it
    shell = ipython.get_ipython() if ipython is not None else None
    return sys.modules.get("IPython.display") if getattr(shell, "kernel", None) is not None else None


def _has_windows() -> bool:
    """Whether the backend of pyplot (the user's choice, or the first that works) opens windows."""
    import matplotlib
    from matplotlib.backends import registry

    backends: Any = registry.backend_registry
    module = backends.load_backend_module(matplotlib.get_backend())
    canvas: Any = getattr(module, "FigureCanvas", None)
    return getattr(canvas, "required_interactive_framework", None) is not None


def _open_window(fig: Figure) -> None:
    import matplotlib.pyplot as plt

    manager = fig.canvas.manager
    if manager is None or not plt.fignum_exists(manager.num):
        # Not one of pyplot's figures, or its window was closed: hand it over as the figure that pyplot makes.
        make: Any = lambda *args, **kwargs: fig  # noqa: E731
        plt.figure(FigureClass=make)
    plt.show()


def _save_somewhere(fig: Figure) -> Path:
    """The first free name in the working directory, or in one for temporary files."""
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        number = 1
        while True:
            path = folder / ("plot.png" if number == 1 else f"plot-{number}.png")
            try:
                with open(path, "xb") as file:
                    fig.savefig(file, format="png", dpi=FILE_DPI)
                return path
            except FileExistsError:
                number += 1
            except OSError:
                break
    raise ArgumentError.of(
        "plot.show",
        given="no screen and no folder to write to",
        must=f"neither '{Path.cwd()}' nor '{tempfile.gettempdir()}' can be written",
        hint='plot.save("/another/folder/picture.png")',
    )
