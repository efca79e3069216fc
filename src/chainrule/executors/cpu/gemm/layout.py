"""Where the numbers of a product lie: in the arrays of the caller, or packed in scratch memory.

`Layout`, `Operand` and `Host` are what callers give; `Lines` is one operand as the tiles see it: lines of k
elements each, rows of A or columns of B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .code import Code, Value

CACHE_LINE = 64  # bytes; scratch areas begin at a multiple
# Gathered lines come from main memory, in an order that no processor foresees: they are asked for early.
AHEAD = 8  # lines
LATER = 2  # what the next product will need: to the second-level cache


@dataclass(frozen=True)
class Layout:
    """How a matrix lies in memory.

    row_stride, col_stride: elements from one row (column) to the next
    indexed: a vector of int64, known when running, says which row (column) in memory is meant: so x[order]
             needs no copy
    read: elements are computed by a callback; strides mean nothing then
    """

    row_stride: int
    col_stride: int
    indexed: Literal["rows", "cols"] | None = None
    read: bool = False

    @property
    def transposed(self) -> Layout:
        other: dict[str | None, Any] = {"rows": "cols", "cols": "rows", None: None}
        return Layout(self.col_stride, self.row_stride, other[self.indexed], self.read)


@dataclass
class Operand:
    """A matrix when code is emitted: LLVM values.

    read(builder, i, j, lanes, valid): the elements [i, j : j + lanes] as a vector; only the first `valid` (a
    Python int; None: all) exist, the others may hold anything.

    upcoming: as many indices as `indices`, for the same memory, that will be used soon (of the next batch).
    What they mean is brought nearer while this product computes.
    """

    pointer: Value | None = None
    indices: Value | None = None
    read: Callable[[Value, Value, Value, int, int | None], Value] | None = None
    upcoming: Value | None = None


class Host(Protocol):
    """What code is generated for: vector registers (bytes, number), caches of a core (bytes)."""

    @property
    def vector_bytes(self) -> int: ...
    @property
    def registers(self) -> int: ...
    @property
    def l1(self) -> int: ...
    @property
    def l2(self) -> int: ...


@dataclass(frozen=True)
class Lines:
    """Lines of k elements; `indexed` is "lines" or "k".

    where: "a" or "b" (memory of the caller), or a place in scratch (bytes)
    start: elements from line 0 to line `i` when a kernel starts at line `i`, for each line
    line, k: elements from a line to its neighbour within a tile, and from one k to the next. They differ from
             `start` in packed panels only.
    """

    where: str | int
    start: int
    line: int
    k: int
    indexed: Literal["lines", "k"] | None = None

    @property
    def name(self) -> str:
        return self.where.upper() if isinstance(self.where, str) else "computed"

    def pointer(self, c: Code, memory: Memory) -> Value:
        if isinstance(self.where, int):
            return c.bytes_at(memory.scratch, self.where)
        return memory.operands[self.where].pointer

    def indices(self, memory: Memory) -> Value | None:
        return memory.operands[self.where].indices if self.indexed and isinstance(self.where, str) else None


@dataclass
class Memory:
    """The LLVM values that a phase works on."""

    operands: dict[str | int, Operand]
    scratch: Value


def lines_of(where: str, layout: Layout, count: int, k: int) -> Lines:
    """Rows of A, or columns of B (given transposed). An axis of one element has any stride."""
    indexed: Literal["lines", "k"] | None = None
    if layout.indexed is not None:
        indexed = "lines" if layout.indexed == "rows" else "k"
    line, step = layout.row_stride, layout.col_stride
    if count == 1 and indexed != "lines" and step != 1:
        line = 1
    if k == 1 and indexed != "k" and line != 1:
        step = 1
    return Lines(where, line, line, step, indexed)


def line_pointers(
    lines: Lines, c: Code, memory: Memory, first: Value | int, count: int, last: int | None = None
) -> list[Value]:
    """The addresses of `count` lines from `first` on; past line `last` that one again."""
    base, indices = lines.pointer(c, memory), lines.indices(memory)
    if last is None and lines.indexed is None:
        base = c.at(base, c.mul(first, lines.start))
        return [c.at(base, i * lines.line) for i in range(count)]
    places = [c.add(first, i) for i in range(count)]
    if last is not None:
        places = [c.smaller(place, last) for place in places]
    if indices is not None:
        places = [c.entry(indices, place) for place in places]
    return [c.at(base, c.mul(place, lines.start)) for place in places]
