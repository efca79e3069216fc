"""Products by tiles of outer products: which tile, what to pack, chunks of a long k, what becomes of sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .code import Code, Value, power_of_two
from .draft import LATENCY, Draft, Shape, Store, Way
from .layout import LATER, Lines, Memory
from .outer import Tile, outer_tile
from .packing import Pack, pack_cycles, pack_panels, pack_rows

CHUNK = 1024  # steps of k in one chunk of a long sum
FAR = 512  # bytes between lines from where on packing pays: each line is in a page and cache set of its own
SHORT = (
    48  # steps of k: up to here results are handed over from registers, code for each, instead of by a loop
)


def tiles(draft: Draft, shape: Shape) -> Way | None:
    """The best register tile for a shape, with the packing that it wants."""
    m, n, k = shape.m, shape.n, shape.k
    lanes = max(2, min(draft.lanes, power_of_two(n)), power_of_two(m) if draft.turned(shape) else 0)
    columns = -(-n // lanes)
    cycles, rows, vectors = float("inf"), 0, 0
    for width in range(1, min(4, columns) + 1):
        for height in range(m if draft.turned(shape) else 1, min(m, draft.host.registers - 2) + 1):
            if height * width + width + 1 <= draft.host.registers:
                total = _cycles(m, columns, k, height, width)
                if total < cycles * 0.999:
                    cycles, rows, vectors = total, height, width
    if not rows:
        return None
    if lanes < draft.lanes and draft.host.vector_bytes > 32:
        cycles *= 0.5  # the widest vectors take the place of two
    if draft.turned(shape):
        cycles += 7 * n

    a, b = shape.a, shape.b
    again_a, again_b = -(-columns // vectors) > 2, -(-m // rows) > 2  # read so often that packing may pay
    b_ready = b.line == 1 and b.indexed != "lines"
    large_b = again_b and n * k * draft.size > draft.host.l1 and isinstance(b.where, str)
    pack_b = k > 0 and (not b_ready or large_b)
    a_ready = 1 in (a.k, a.line) and a.indexed != "lines"
    large_a = again_a and m * k * draft.size > draft.host.l1 and isinstance(a.where, str)
    pack_a = k > 0 and (not a_ready or (large_a and max(abs(a.k), abs(a.line)) * draft.size >= FAR))
    if pack_b:
        cycles += pack_cycles(b, n * k, b_ready, draft.lanes)
    if pack_a:
        cycles += pack_cycles(a, m * k, 1 in (a.k, a.line), draft.lanes)

    def build() -> None:
        packed: dict[str, Pack] = {}
        if pack_b:
            packed["b"] = pack_panels(b, n, k, vectors * lanes, lanes, draft)
        if pack_a and a.k == 1 and a.indexed != "k":
            packed["a"] = pack_rows(a, m, k, draft)
        elif pack_a:
            packed["a"] = pack_panels(a, m, k, rows, draft.lanes, draft)
        draft.pack(list(packed.values()))
        gathered = [
            (lines, count)
            for name, lines, count in (("b", b, n), ("a", a, m))
            if name in packed and lines.indexed
        ]
        ready = replace(
            shape,
            a=packed["a"].result if pack_a else a,
            b=packed["b"].result if pack_b else b,
        )
        chunks = -(-k // CHUNK) if not again_a and not again_b and k >= 2 * CHUNK else 1
        words = [f"outer products {rows}x{vectors}, {lanes} lanes"]
        words += ["transposed"] * shape.swapped
        words += [f"{lines.name} packed" for lines, to_pack in ((a, pack_a), (b, pack_b)) if to_pack]
        words += [f"{chunks} chunks of k"] * (chunks > 1)
        draft.plan.how = ", ".join(words)
        emission = _Tiles(draft, ready, rows, vectors, lanes, pack_b, gathered)
        if chunks == 1:
            draft.cover(ready, rows, vectors * lanes, cycles, emission.piece)
        else:
            emission.in_chunks(chunks, cycles)

    return cycles, build


def _cycles(m: int, columns: int, k: int, rows: int, vectors: int) -> float:
    """Estimate for m lines and `columns` vectors in tiles of rows x vectors."""
    total = 0.0
    for height, down in ((rows, m // rows), (m % rows, 1)):
        for width, across in ((vectors, columns // vectors), (columns % vectors, 1)):
            if height and width:
                # One multiply-add or one load in a cycle. Among equals, fewer loads are better.
                step = max(height * width, height + width) + 0.05 * (height + width)
                total += down * across * (step * k + 10 + 2 * height * width)
    # Every kind of tile at an edge takes time to compile.
    return total * (1.01 if m % rows else 1) * (1.01 if columns % vectors else 1)


class _Tiles:
    """The code of tiles, with all that is known about them.

    gathered: operands of the caller that were packed by indices, and the number of their lines
    """

    def __init__(
        self,
        draft: Draft,
        shape: Shape,
        rows: int,
        vectors: int,
        lanes: int,
        padded: bool,
        gathered: list[tuple[Lines, int]],
    ):
        self.draft, self.shape, self.rows, self.vectors, self.lanes = draft, shape, rows, vectors, lanes
        self.padded = padded  # b may be read past its last line
        self.gathered = gathered

    def piece(
        self, c: Code, memory: Memory, store: Store, i: Value | int, j: Value | int, rows: int, cols: int
    ) -> None:
        sums = self.sums(c, memory, i, j, rows, cols, (0, self.shape.k), self.shape.k)
        self.finish(c, store, i, j, cols, sums, self.shape.k <= SHORT)

    def sums(
        self,
        c: Code,
        memory: Memory,
        i: Value | int,
        j: Value | int,
        rows: int,
        cols: int,
        k: tuple[Value | int, Value | int],
        steps: int,
    ) -> list[list[Value]]:
        """One tile, over a range of about so many `steps` of k."""
        vectors = -(-cols // self.lanes)
        count = rows * vectors
        chains = power_of_two(max(1, min(-(-LATENCY // count), steps // 2)))
        while chains > 1 and chains * count + vectors + 1 > self.draft.host.registers:
            chains //= 2
        unroll = max(chains, 1 if count >= 12 else 2 if count > 4 else 4)
        valid = None if self.padded else cols % self.lanes or None
        tile = Tile(rows, vectors, self.lanes, valid, max(1, min(unroll, steps)), chains)
        also = self.bring_nearer(c, memory, i, j)
        return outer_tile(c, tile, self.shape.a, self.shape.b, memory, i, j, k, also)

    def bring_nearer(
        self, c: Code, memory: Memory, i: Value | int, j: Value | int
    ) -> Callable[[Value | int], None] | None:
        """Ask for what the next product will gather, spread over the tiles and their steps."""
        shape = self.shape
        for lines, count in self.gathered:
            operand = memory.operands[lines.where]
            by_k = lines.indexed == "k"
            contiguous = (lines.line if by_k else lines.k) == 1  # else other elements would come with those
            if operand.upcoming is not None and contiguous:
                number, length = (shape.k, count) if by_k else (count, shape.k)
                width = self.vectors * self.lanes
                down, across = -(-shape.m // self.rows), -(-shape.n // width)
                row, column = c.divided(i, self.rows)[0], c.divided(j, width)[0]
                tile = c.add(c.mul(column, down), row)
                which = c.entry(operand.upcoming, c.divided(c.mul(tile, number), down * across)[0])
                start = c.at(operand.pointer, c.mul(which, lines.k if by_k else lines.start))
                step = max(1, length // shape.k)
                return lambda t: c.fetch(c.at(start, c.mul(t, step)), LATER)
        return None

    def in_chunks(self, chunks: int, cycles: float) -> None:
        """Sums of chunks of k, which go to scratch memory; a second phase adds them up, in order."""
        draft, shape, lanes = self.draft, self.shape, self.lanes
        m, n, width = shape.m, shape.n, self.vectors * lanes
        padded = -(-n // lanes) * lanes
        partial = draft.take(chunks * m * padded)

        def chunk(c: Code, task: Value | int, memory: Memory) -> None:
            begin = c.mul(task, CHUNK)
            stop = c.smaller(c.add(begin, CHUNK), shape.k)
            target = c.at(c.bytes_at(memory.scratch, partial), c.mul(task, m * padded))
            for i in range(0, m, self.rows):
                for j in range(0, n, width):
                    rows, cols = min(self.rows, m - i), min(width, n - j)
                    for r, line in enumerate(self.sums(c, memory, i, j, rows, cols, (begin, stop), CHUNK)):
                        for v, value in enumerate(line):
                            c.store(value, c.at(target, (i + r) * padded + j + v * lanes))

        draft.pack([Pack(chunks, chunk, shape.a, cycles)])

        def total(
            c: Code, memory: Memory, store: Store, i: Value | int, j: Value | int, rows: int, cols: int
        ) -> None:
            first = c.at(c.bytes_at(memory.scratch, partial), c.add(c.mul(i, padded), j))

            def add(p: Value | int, *sums: Value) -> list[Value]:
                here = c.at(first, c.mul(p, m * padded))
                return [c.b.fadd(x, c.load(c.at(here, r * padded), lanes)) for r, x in enumerate(sums)]

            sums = c.loop(0, chunks, add, [c.zero(lanes)] * rows)
            self.finish(c, store, i, j, cols, [[x] for x in sums], True)

        rows = m if draft.turned(shape) else min(m, 4)
        draft.cover(shape, rows, lanes, 2 * chunks * m * padded / lanes, total)

    def finish(
        self,
        c: Code,
        store: Store,
        i: Value | int,
        j: Value | int,
        cols: int,
        sums: list[list[Value]],
        at_once: bool,
    ) -> None:
        """Hand finished sums over: straight from registers, or, for compact code, by a loop over a copy."""
        draft, lanes = self.draft, self.lanes
        rows, vectors = len(sums), len(sums[0])
        valids = [None] * (vectors - 1) + [cols % lanes or None]

        def give(r: Value | int, v: int, acc: Value) -> None:
            draft.give(c, store, self.shape, c.add(i, r), c.add(j, v * lanes), acc, valids[v])

        if draft.turned(self.shape):
            self._finish_turned(c, store, j, cols, sums)
        elif at_once or rows * vectors <= 8:
            for r, line in enumerate(sums):
                for v, acc in enumerate(line):
                    give(r, v, acc)
        else:
            memory = c.room(rows * vectors * lanes)
            for r, line in enumerate(sums):
                for v, acc in enumerate(line):
                    c.store(acc, c.at(memory, (r * vectors + v) * lanes))

            def row(r: Value | int) -> None:
                here = c.at(memory, c.mul(r, vectors * lanes))
                for v in range(vectors):
                    give(r, v, c.load(c.at(here, v * lanes), lanes))

            c.loop(0, rows, row)

    def _finish_turned(
        self, c: Code, store: Store, j: Value | int, cols: int, sums: list[list[Value]]
    ) -> None:
        """The tile has all rows of the transposed product: its columns are rows of the one asked for."""
        lanes, height = self.lanes, max(2, power_of_two(len(sums)))
        memory = c.room(lanes * lanes)
        for v in range(len(sums[0])):
            for s, column in enumerate(c.transpose([line[v] for line in sums])):
                c.store(column, c.at(memory, s * lanes))
            first = c.add(j, v * lanes)

            def one(s: Value | int, first: Value | int = first) -> None:
                acc = c.load(c.at(memory, c.mul(s, lanes)), height)
                self.draft.give(c, store, self.shape, 0, c.add(first, s), acc, len(sums))

            c.loop(0, min(lanes, cols - v * lanes), one)
