"""See through a computation: derivations, formulas, pictures, memory, and the doctor of gradients.

`chainrule.explain` is the function `explain`; `from chainrule.explain import Derivation` reads this package. (So it
is with `chainrule.tensor`, the function, and the file it stands in.)
"""

from .api import Explain, explain
from .derivation import AdjointRow, Derivation, LocalRow, TangentRow, ValueRow, WholeRow

__all__ = [
    "AdjointRow",
    "Derivation",
    "Explain",
    "LocalRow",
    "TangentRow",
    "ValueRow",
    "WholeRow",
    "explain",
]
