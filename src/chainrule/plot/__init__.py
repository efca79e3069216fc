"""Pictures of what is learned and how: curves, tangents, loss surfaces, histograms, decision boundaries.

Each function draws one picture by matplotlib, which loads at the first one, and returns its Axes, or the
Figure where it has several. In a notebook the result of a cell shows itself; elsewhere `show()` opens a
window, or writes a file where there is no screen, and `save(path)` writes a file. All of them take tensors
(also those that want a gradient), NumPy arrays and lists, and most of them an `ax` to draw into.

    lines.py      lines, scatter: numbers
    functions.py  function, tangent, activations: functions, with derivatives by backward
    chance.py     normal, frequencies
    learning.py   learning_curves: what training left behind
    surface.py    loss_surface: a loss of two numbers, and how optimizers walk on it (descent.py)
    layers.py     weights, gradients: histograms for each parameter
    classes.py    decision_boundary, confusion_matrix
    output.py     show, save
    picture.py    where a picture is made; style.py: how all look; values.py: what may be handed in

`docs/plots.md` shows each of them.
"""

from .chance import frequencies, normal
from .classes import confusion_matrix, decision_boundary
from .functions import activations, function, tangent
from .layers import gradients, weights
from .learning import learning_curves
from .lines import lines, scatter
from .output import save, show
from .picture import MissingLibraryError
from .surface import loss_surface

__all__ = [
    "MissingLibraryError",
    "activations",
    "confusion_matrix",
    "decision_boundary",
    "frequencies",
    "function",
    "gradients",
    "learning_curves",
    "lines",
    "loss_surface",
    "normal",
    "save",
    "scatter",
    "show",
    "tangent",
    "weights",
]
