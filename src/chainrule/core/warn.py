"""Warnings that point at the user's line, not at ours."""

from __future__ import annotations

import sys
import warnings

from .errors import PACKAGE_DIR


def warn(text: str) -> None:
    """A UserWarning whose place is the innermost line outside this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
