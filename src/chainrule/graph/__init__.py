"""Explicit graphs: programs as values that can be printed, read back, checked, simplified and run.

`values.py` and `graph.py` say what a graph is, `tracer.py` how one is made from a running program.
"""

from .errors import GraphError, TraceError
from .graph import Graph
from .parse import parse
from .simplify import simplify
from .symbols import evaluate, gradient, graph_of, symbol
from .trace import trace
from .values import Value
from .verify import verify

__all__ = [
    "Graph",
    "GraphError",
    "TraceError",
    "Value",
    "evaluate",
    "gradient",
    "graph_of",
    "parse",
    "simplify",
    "symbol",
    "trace",
    "verify",
]
