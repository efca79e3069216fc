"""Lines of test files as error messages write them."""

from __future__ import annotations

import os
import sys


def line(above: int = 0) -> str:
    """`tests/file.py:41` for the caller's own line, or a number of lines above it."""
    frame = sys._getframe(1)
    return f"{os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno - above}"
