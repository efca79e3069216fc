"""Pictures of what is learned and how: curves, tangents, loss surfaces, histograms, decision boundaries.

Each function draws one picture by matplotlib, which loads at the first one, and returns its Axes, or the
Figure where it has several. In a notebook the result of a cell shows itself; elsewhere `show()` opens a
window, or writes a file where there is no screen, and `save(path)` writes a file. All of them take tensors
(also those that want a gradient), NumPy arrays and lists, and most of them an `ax` to draw into.

    series.py     lines, scatter: numbers
    functions.py  function, tangent: of one number, with slopes by backward (slopes.py; poles.py)
    activation.py activations: they and their derivatives
    chance.py     normal, frequencies
    learning.py   learning_curves: what training left behind
    surface.py    loss_surface: a loss of two numbers, and how optimizers walk on it (descent.py)
    layers.py     weights, gradients: histograms for each parameter
    boundary.py   decision_boundary; confusion.py: confusion_matrix
    output.py     show, save
    picture.py    where a picture is made; style.py: how all look; values.py: what may be handed in

`docs/plots.md` shows each of them.
"""

from .activation import activations
from .boundary import decision_boundary
from .chance import frequencies, normal
from .confusion import confusion_matrix
from .functions import function, tangent
from .layers import gradients, weights
from .learning import learning_curves
from .output import save, show
from .picture import MissingLibraryError
from .series import lines, scatter
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
