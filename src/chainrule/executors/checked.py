"""The checked program (`CHAINRULE_CHECK=1`): each run by NumPy and natively, compared before it writes.

NumPy goes first and stops at the first value that breaks a rule or is not finite (`graph/debug.py`). Then the
native program runs on copies of the memory. If a result differs, the graph is compiled once more with all its
values as results, and the first one that differs is named, with the line that made it.

Both round, in different orders, so equal means within `TOLERANCE` of the largest number around. Comparisons,
argmax and the like jump: where their inputs are equal in that sense but they are not, both are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from ..graph.errors import GraphError
from ..graph.evaluate import evaluate
from ..graph.graph import Graph
from ..graph.values import LOOP, OP, PART, Value
from .reference import array_at

Array = np.ndarray[Any, Any]

# How far apart results may be, relative to the largest number among the values that they are made of.
TOLERANCE: Final = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-11}

# Ops that jump though their results are floats.
_JUMPS: Final = {"ceil", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "sign", "trunc"}


class CheckedProgram:
    """See the file's docstring."""

    def __init__(self, graph: Graph) -> None:
        from .cpu.program import Program  # loads LLVM

        self.graph = graph
        self._native = Program(graph)
        self._compile = Program

    def run(self, addresses: Sequence[int]) -> list[Array]:
        """Run both ways on arrays at these addresses; the native results.

        Raises: GraphError at the first difference, and at the first value that is not finite. Nothing is
                written then.
        """
        places = [*self.graph.inputs, *self.graph.captures]
        memory = {v: array_at(v, address) for v, address in zip(places, addresses, strict=True)}
        wanted = evaluate(self.graph, {v: a.copy() for v, a in memory.items()})
        known = {v: a.copy() for v, a in memory.items()}
        outputs = self._native.run([known[v].ctypes.data for v in places])
        written = [known[c] for c, _ in self.graph.writes]
        scale = _scale(memory.values())
        pairs = zip([*outputs, *written], [*wanted[0], *wanted[1]], strict=True)
        if any(_apart(got, want, scale) for got, want in pairs):
            self._locate(memory)
        for target, new in zip([memory[c] for c, _ in self.graph.writes], written, strict=True):
            target[...] = new
        return outputs

    def _locate(self, memory: dict[Value, Array]) -> None:
        """Raise for the first value that differs, unless that is one that jumps."""
        values = [v for v in self.graph.values if v.kind in (OP, PART) and isinstance(v.shape, tuple)]
        whole = Graph(self.graph.name, self.graph.inputs, values, self.graph.captures, self.graph.writes)
        places = [*whole.inputs, *whole.captures]
        wanted, _ = evaluate(whole, {v: memory[v].copy() for v in places})
        known = {v: memory[v].copy() for v in places}
        found = self._compile(whole).run([known[v].ctypes.data for v in places])
        arrays = memory | dict(zip(values, wanted, strict=True))
        scale = _scale(memory.values())
        for v, got, want in zip(values, found, wanted, strict=True):
            scale = max(scale, _scale([want]))
            if not _apart(got, want, scale):
                continue
            if _jumps(v, arrays):
                return
            raise _difference(v, got, want)
        raise GraphError.of(
            f"checking {self.graph.name}",
            given="a native result that differs from NumPy's, though each value by itself is right",
            must="native code and NumPy must agree within rounding",
            hint=f"CHAINRULE_COMPILE=0 for right results; please report the graph:\n{self.graph}",
            at=False,
        )

    def show(self, stage: str) -> str:
        """The native program's."""
        return self._native.show(stage)

    def report(self) -> Any:
        """The native program's."""
        return self._native.report()


def _scale(arrays: Iterable[Array]) -> float:
    """The largest finite number, at least 1."""
    return max([1.0, *(float(np.abs(f).max()) for a in arrays for f in _finite(a))])


def _finite(a: Array) -> Iterator[Array]:
    if a.dtype.kind == "f":
        kept = a[np.isfinite(a)].astype(np.float64)
        if kept.size:
            yield kept


def _apart(got: Array, want: Array, scale: float) -> bool:
    if want.dtype.kind != "f":
        return not np.array_equal(got, want)
    t = TOLERANCE[want.dtype.name]
    return not np.allclose(got.astype(float), want.astype(float), rtol=t, atol=t * scale, equal_nan=True)


def _jumps(v: Value, arrays: dict[Value, Array]) -> bool:
    """Whether a value made of rounded numbers may be another one after another rounding."""
    whole = v.inputs[0] if v.kind == PART else v
    if whole.kind == LOOP:
        return False
    floats = any(x in arrays and arrays[x].dtype.kind == "f" for x in whole.operands)
    assert whole.op is not None
    return floats and (arrays[v].dtype.kind != "f" or whole.op.name in _JUMPS)


def _difference(v: Value, got: Array, want: Array) -> GraphError:
    whole = v.inputs[0] if v.kind == PART else v
    what = whole.op.formula if whole.op is not None else "a loop over batches"
    with np.errstate(all="ignore"):
        apart = np.abs(got.astype(float) - want.astype(float))
        apart = np.where(got == want, 0, np.where(np.isnan(apart), np.inf, apart))
    at = tuple(map(int, np.unravel_index(int(np.argmax(apart)), want.shape)))
    numbers = f"{got[at].item()} natively and {want[at].item()} with NumPy"
    return GraphError.of(
        f"checking {what}",
        given=f"{numbers}, at {at} of its result {want.shape}",
        must="native code and NumPy must agree within rounding",
        hint="CHAINRULE_COMPILE=0 for right results; please report it",
        site=v.site or whole.site,
        at=(v.site or whole.site) is not None,
    )
