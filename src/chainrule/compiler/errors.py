"""Errors of compiled functions; those of tracing are in `../graph/errors.py`."""

from __future__ import annotations

from ..core.errors import ArgumentError


class CompileError(ArgumentError):
    """A call that no program can serve, though the function itself might."""
