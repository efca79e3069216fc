"""Which executor runs a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..core import settings
from ..executors.reference import ReferenceProgram
from ..graph.graph import Graph


class Program(Protocol):
    """A graph made ready to run; see `ReferenceProgram`."""

    def run(self, addresses: Sequence[int]) -> list[Any]:
        """Run on memory at these addresses; fresh arrays for the outputs."""
        ...

    def show(self, stage: str) -> str:
        """A later stage of the program as text: kernels, ir, asm."""
        ...

    def report(self) -> str:
        """What it costs, as a table."""
        ...


def build(graph: Graph) -> Program:
    """The program of a graph, from the executor that the settings ask for."""
    if not settings.native() or settings.check():
        return ReferenceProgram(graph)
    from ..executors.cpu.program import Program as Native  # loads llvmlite

    return Native(graph)
