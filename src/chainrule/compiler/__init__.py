"""`chainrule.compile`: functions of tensors become programs. Read `options.py`, then `compiled.py`."""

from .compiled import Compiled
from .errors import CompileError
from .module import CompiledModule
from .options import compile

__all__ = ["CompileError", "Compiled", "CompiledModule", "compile"]
