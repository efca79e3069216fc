"""`chainrule.compile`: functions of tensors become programs. Read `options.py`, then `compiled.py`."""

from .compiled import Compiled
from .module import CompiledModule
from .options import compile

__all__ = ["Compiled", "CompiledModule", "compile"]
