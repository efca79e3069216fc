"""Errors of graphs and tracing."""

from __future__ import annotations

from ..core.errors import ChainruleError


class GraphError(ChainruleError, ValueError):
    """A graph that is not well formed, or text that is not a graph."""


class TraceError(ChainruleError, RuntimeError):
    """Something in a traced function that cannot become part of a graph."""


class KeptError(TraceError):
    """A tensor that was made in the trace is still held when it ends."""
