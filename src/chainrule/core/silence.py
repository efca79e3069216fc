"""Floating-point exceptions are silent, as in PyTorch: overflow, division by zero and NaN give no warnings.

NumPy's context manager for that costs as much as three small operations, so its context variable is set
directly where NumPy has it:

    token = enter(SILENT)
    try: ...
    finally: leave(token)
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from numpy._core.umath import _extobj_contextvar, _make_extobj

    SILENT: Any = _make_extobj(all="ignore")
    enter, leave = _extobj_contextvar.set, _extobj_contextvar.reset
except ImportError:  # another NumPy: its public, slower way

    def enter(_: Any) -> Any:
        context = np.errstate(all="ignore")
        context.__enter__()
        return context

    def leave(context: Any) -> None:
        context.__exit__(None, None, None)

    SILENT = None
