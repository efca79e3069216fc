"""The reference program: a graph run with NumPy, value by value, behind the interface of native programs.

Slow, readable, and right: what native programs are compared with. A program gets the memory addresses of its
inputs and captured tensors (arrays in row-major order), writes what the graph writes into that memory, and
returns fresh arrays for the outputs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.evaluate import evaluate
from ..graph.graph import Graph
from ..graph.values import Value


class ReferenceProgram:
    """See the file's docstring."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, addresses: Sequence[int]) -> list[np.ndarray[Any, Any]]:
        """Run on arrays at these addresses: those of the graph's inputs, then those of its captures."""
        places = [*self.graph.inputs, *self.graph.captures]
        known = {v: array_at(v, address) for v, address in zip(places, addresses, strict=True)}
        outputs, writes = evaluate(self.graph, known)
        for (target, _), new in zip(self.graph.writes, writes, strict=True):
            known[target][...] = new
        return outputs

    def show(self, stage: str) -> str:
        """There is nothing below the graph."""
        return f"# {stage}: this graph is evaluated with NumPy, value by value\n{self.graph}"

    def report(self) -> str:
        """One line for each value: nothing is fused."""
        return "\n".join(f"{v.op.name if v.op else v.kind}: with NumPy" for v in self.graph.values)


def array_at(v: Value, address: int) -> np.ndarray[Any, Any]:
    """The memory of a value at an address, as an array."""
    kind = v.dtype.numpy
    size = int(np.prod(v.shape)) * kind.itemsize
    if size == 0:
        return np.empty(v.shape, kind)
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, kind).reshape(v.shape)
