"""A plan while it is made: phases, scratch memory, and tasks that cover a product with tiles.

What the tiles are is decided in `dots.py` and `tiles.py`; they use the words of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .code import Code, Value
from .layout import CACHE_LINE, Host, Lines, Memory, Operand
from .packing import Pack

# store(builder, i, j, acc, lanes, valid)
Store = Callable[[Value, Value, Value, Value, int, "int | None"], None]
# piece(c, memory, store, i, j, rows, cols): a tile of C at i, j
Piece = Callable[[Code, Memory, Store, "Value | int", "Value | int", int, int], None]
# The estimated cycles of a way to compute the product, and what adds its phases to the draft.
Way = tuple[float, Callable[[], None]]

LATENCY = 8  # fused multiply-adds that are under way at once in the widest core: sums that a tile needs
TASK = 20_000  # cycles; what takes less than two of them is not divided: a second thread would come too late
MOST_TASKS = 64


@dataclass(frozen=True)
class Phase:
    """A parallel loop of `count` independent indices.

    emit(builder, index, a, b, scratch, store): write the code for one index at the builder's position
    cycles: about what all indices take on one core
    """

    count: int
    emit: Callable[[Value, Value, Operand, Operand, Value, Store], None]
    cycles: int


@dataclass
class Plan:
    """A product of one shape.

    phases: run one after the other; each index of a phase may run on any thread
    scratch_bytes: memory, aligned to 64 bytes, that the phases share
    along: "cols": store(builder, i, j, acc, lanes, valid) gets C[i, j : j + lanes];
           "rows" (only if n is 1): it gets C[i : i + lanes, j]
    how: the way it is computed, for people
    """

    m: int
    n: int
    k: int
    along: Literal["cols", "rows"] = "cols"
    phases: list[Phase] = field(default_factory=list)
    scratch_bytes: int = 0
    how: str = "nothing to do"


@dataclass(frozen=True)
class Shape:
    """A product as the tiles see it, maybe the transposed one: lines of `a` (m) times lines of `b` (n)."""

    m: int
    n: int
    k: int
    a: Lines
    b: Lines
    swapped: bool


class Draft:
    """The plan so far, and what it is made for."""

    def __init__(self, m: int, n: int, k: int, size: int, host: Host):
        self.n, self.size, self.host = n, size, host
        self.lanes = host.vector_bytes // size
        self.plan = Plan(m, n, k, "rows" if n == 1 else "cols")

    def take(self, elements: int) -> int:
        """A place in scratch memory."""
        where = self.plan.scratch_bytes
        self.plan.scratch_bytes += -(-elements * self.size // CACHE_LINE) * CACHE_LINE
        return where

    def turned(self, shape: Shape) -> bool:
        """Whether finished tiles have to be turned round: a single column lies like a row."""
        return shape.swapped and self.n > 1

    # -- phases ---------------------------------------------------------------------------------------------

    def pack(self, packs: Sequence[Pack]) -> None:
        """One phase that makes several independent copies."""
        if not packs:
            return
        total = sum(pack.tasks for pack in packs)

        def emit(builder: Value, index: Value, a: Operand, b: Operand, scratch: Value, store: Store) -> None:
            c, memory = Code(builder, self.size), Memory({"a": a, "b": b}, scratch)
            begin = 0
            for pack in packs:
                task = c.add(index, -begin) if pack.tasks > 1 else 0
                if pack.tasks == total:
                    pack.emit(c, task, memory)
                    return
                after_begin = builder.icmp_signed(">=", index, c.index(begin))
                before_end = builder.icmp_signed("<", index, c.index(begin + pack.tasks))
                with c.when(builder.and_(after_begin, before_end)):
                    pack.emit(c, task, memory)
                begin += pack.tasks

        self.plan.phases.append(Phase(total, emit, int(sum(pack.cycles for pack in packs))))

    def cover(self, shape: Shape, rows: int, cols: int, cycles: float, piece: Piece) -> None:
        """A phase of tiles of rows x cols, and smaller ones at the lower and at the right edge."""
        m, n = shape.m, shape.n
        down, across = -(-m // rows), -(-n // cols)
        # Columns are divided first and come last in the order of tasks: those that follow each other share
        # lines of b, which stay in the second-level cache.
        tasks = min(MOST_TASKS, int(cycles / (TASK / 4))) if cycles >= 2 * TASK else 1
        wide = -(-across // min(across, tasks))  # tiles in a block
        blocks_across = -(-across // wide)
        high = -(-down // min(down, -(-tasks // blocks_across)))
        blocks_down = -(-down // high)

        def emit(builder: Value, index: Value, a: Operand, b: Operand, scratch: Value, store: Store) -> None:
            c, memory = Code(builder, self.size), Memory({"a": a, "b": b}, scratch)
            block_j, block_i = c.divided(index if blocks_across * blocks_down > 1 else 0, blocks_down)

            def stripe(j: Value | int, width: int) -> None:
                def tile(i: Value | int, height: int) -> None:
                    piece(c, memory, store, i, j, height, width)

                self._tiles(c, block_i, blocks_down, high, rows, m, tile)

            self._tiles(c, block_j, blocks_across, wide, cols, n, stripe)

        self.plan.phases.append(Phase(blocks_across * blocks_down, emit, int(cycles)))

    def _tiles(
        self,
        c: Code,
        block: Value | int,
        blocks: int,
        tiles: int,
        step: int,
        stop: int,
        tile: Callable[[Value | int, int], None],
    ) -> None:
        """The tiles of one block along an axis: whole ones in a loop, then, in the last block, the rest."""
        begin, whole = c.mul(block, tiles * step), stop // step * step
        c.loop(begin, c.smaller(c.add(begin, tiles * step), whole), lambda x: tile(x, step), step=step)
        if stop > whole:
            if blocks == 1:
                tile(whole, stop - whole)
            else:
                with c.when(c.b.icmp_signed("==", block, c.index(blocks - 1))):
                    tile(whole, stop - whole)

    def give(
        self,
        c: Code,
        store: Store,
        shape: Shape,
        i: Value | int,
        j: Value | int,
        acc: Value,
        valid: int | None,
    ) -> None:
        """Hand over neighbours along j; of the product of the caller, where `shape` is the transposed one."""
        lanes = acc.type.count
        if shape.swapped:
            i, j = j, i
        store(c.b, c.index(i), c.index(j), acc, lanes, None if valid == lanes else valid)
