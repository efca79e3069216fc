"""Which executor runs a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..core import settings
from ..core.errors import ChainruleError
from ..executors.reference import ReferenceProgram
from ..graph.graph import Graph
from .errors import CompileError


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
    """The program of a graph, from the executor that the settings ask for.

    Raises: CompileError if native code cannot be made.
    """
    if not settings.native():
        return ReferenceProgram(graph)
    try:
        if settings.check():
            from ..executors.checked import CheckedProgram

            return CheckedProgram(graph)
        from ..executors.cpu.program import Program as Native  # loads llvmlite

        return Native(graph)
    except ChainruleError:
        raise
    except Exception as err:
        raise _not_made(err) from err


def _not_made(err: Exception) -> CompileError:
    """Why there is no native program: no llvmlite, or a mistake of ours."""
    reason = f"{type(err).__name__}: {' '.join(str(err).split())}"
    if isinstance(err, ImportError | OSError) and "llvm" in reason.lower():
        return CompileError.of(
            "chainrule.compile",
            given=f"no working llvmlite ({reason})",
            must="llvmlite makes the native code",
            hint="pip install --force-reinstall llvmlite; or CHAINRULE_COMPILE=0, which runs it with NumPy",
        )
    return CompileError.of(
        "chainrule.compile",
        given=f"an error of its own while it made native code ({reason})",
        must="every graph can be made native; this is a mistake in chainrule, please report it",
        hint="CHAINRULE_COMPILE=0, which runs it with NumPy",
    )
