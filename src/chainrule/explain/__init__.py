"""See through a computation: derivations, formulas, pictures, memory, and the doctor of gradients.

`chainrule.explain(fn, *inputs)` is the function `explain` of `api.py`: the package can be called. It is a
package and not the function alone so that `chainrule.explain.memory` and the like stand beside it, and so
that `import chainrule` does not have to load all of it to have the name.
"""

import sys as _sys
from collections.abc import Callable
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING, Any

from .api import explain
from .derivation import Derivation
from .memory import Kept, Memory, memory
from .rows import AdjointRow, LocalRow, TangentRow, ValueRow, WholeRow

__all__ = [
    "AdjointRow",
    "Derivation",
    "Kept",
    "LocalRow",
    "Memory",
    "TangentRow",
    "ValueRow",
    "WholeRow",
    "explain",
    "memory",
]


class Package(_ModuleType):
    """This package, which can be called."""

    def __call__(
        self, fn: Callable[..., Any], *inputs: Any, mode: str = "both", layout: str = "numerator"
    ) -> Derivation:
        """How the gradient of a function comes about; see `explain`."""
        return explain(fn, *inputs, mode=mode, layout=layout)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


_sys.modules[__name__].__class__ = Package

if TYPE_CHECKING:
    package: Package  # what `chainrule.explain` is, for type checkers: they take no module for a function
