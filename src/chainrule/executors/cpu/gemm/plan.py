"""How a product of a given shape is computed: choice of tiles, packing and tasks; and the phases that emit it.

C[i, j] = sum over k of A[i, k] * B[k, j]. Three ways:

- tiles of outer products (`outer.py`): vectors along j;
- the same for the transposed product, vectors along i: for few columns, where a vector along j would be half empty;
- tiles of dot products (`dots.py`): vectors along k, where both operands have k contiguous.

`_choose` estimates the cycles of each and takes the cheapest. A long k with few tiles is cut in chunks, whose sums are
added in order by a last phase: the only case in which tasks share an element of C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .code import Code, Value, power_of_two
from .dots import dot_tile
from .layout import CACHE_LINE, LATER, Host, Layout, Lines, Memory, Operand, lines_of
from .outer import Tile, outer_tile
from .packing import Pack, evaluate, pack_panels, pack_rows

Store = Callable[[Value, Value, Value, Value, int, "int | None"], None]

LATENCY = 8  # fused multiply-adds that are under way at once in the widest core: sums that a tile needs
TASK = 20_000  # cycles; what takes less than two of them is not divided: a second thread comes too late
CHUNK = 1024  # steps of k in one chunk of a long sum
MOST_TASKS = 64


@dataclass(frozen=True)
class Phase:
    """A parallel loop of `count` independent indices."""

    count: int
    emit: Callable[[Value, Value, Operand, Operand, Value, Store], None]


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


def plan(m: int, n: int, k: int, dtype: Any, a: Layout, b: Layout, host: Host) -> Plan:
    """The plan for (m, k) @ (k, n) of float32 or float64 with these layouts."""
    size = {"float32": 4, "float64": 8}[getattr(dtype, "name", None) or str(dtype)]
    if min(m, n) == 0:
        return Plan(m, n, k)
    return _Planner(m, n, k, size, a, b, host).plan()


@dataclass(frozen=True)
class _Shape:
    """A product as the kernels see it: maybe the transposed one. `a`: rows of A, `b`: columns of B, as lines."""

    m: int
    n: int
    k: int
    a: Lines
    b: Lines
    swapped: bool


class _Planner:
    def __init__(self, m: int, n: int, k: int, size: int, a: Layout, b: Layout, host: Host):
        self.m, self.n, self.k, self.size, self.host = m, n, k, size, host
        self.lanes = host.vector_bytes // size
        self.scratch = 0
        self.out = Plan(m, n, k, "rows" if n == 1 else "cols")
        first: list[tuple[int, Any]] = []
        layouts = {"a": a, "b": b}
        sizes = {"a": (m, k), "b": (k, n)}
        computed: dict[str, int] = {}
        for which, layout in layouts.items():
            if layout.read and k:
                rows, cols = sizes[which]
                tasks, emit, elements, stride = evaluate(which, rows, cols, self.lanes, size, self.scratch)
                computed[which] = self.take(elements)
                layouts[which] = Layout(stride, 1)
                first.append((tasks, emit))
        self.add_phase(first)
        self.a = lines_of("a", layouts["a"], m, k)
        self.b = lines_of("b", layouts["b"].transposed, n, k)
        if "a" in computed:
            self.a = Lines(computed["a"], self.a.start, self.a.line, self.a.k)
        if "b" in computed:
            self.b = Lines(computed["b"], self.b.start, self.b.line, self.b.k)
        if k == 0:  # nothing is read
            self.a = self.b = Lines(0, 0, 0, 1)

    def take(self, elements: int) -> int:
        """Reserve scratch."""
        where = self.scratch
        self.scratch += -(-elements * self.size // CACHE_LINE) * CACHE_LINE
        return where

    def add_phase(self, works: Sequence[tuple[int, Callable[[Code, Any, Memory], None]]]) -> None:
        """One phase that does several independent lots of tasks."""
        if not works:
            return
        total = sum(count for count, _ in works)

        def emit(builder: Value, index: Value, a: Operand, b: Operand, scratch: Value, store: Store) -> None:
            c = Code(builder, self.size)
            memory = Memory({"a": a, "b": b}, scratch)
            if len(works) == 1:
                works[0][1](c, index if total > 1 else 0, memory)
                return
            begin = 0
            for count, work in works:
                here = builder.and_(
                    builder.icmp_signed(">=", index, c.index(begin)),
                    builder.icmp_signed("<", index, c.index(begin + count)),
                )
                with c.when(here):
                    work(c, c.add(index, -begin) if count > 1 else 0, memory)
                begin += count

        self.out.phases.append(Phase(total, emit))

    # -- the choice ---------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        straight = _Shape(self.m, self.n, self.k, self.a, self.b, False)
        turned = _Shape(self.n, self.m, self.k, self.b, self.a, True)
        ways: list[tuple[float, Callable[[], None]]] = []
        for shape in (straight, turned):
            if self.n == 1 and not shape.swapped:
                continue
            if shape.swapped and self.n > min(self.lanes, 16):
                continue
            ways.append(self.outer(shape))
            dots = self.dots(shape)
            if dots is not None and (self.n == 1) == shape.swapped:
                ways.append(dots)
        min(ways, key=lambda way: way[0])[1]()
        self.out.scratch_bytes = self.scratch
        return self.out

    # -- dot products -------------------------------------------------------------------------------------------

    def dots(self, shape: _Shape) -> tuple[float, Callable[[], None]] | None:
        m, n, k = shape.m, shape.n, shape.k
        if k == 0:
            return None
        cols = -(-n // -(-n // self.lanes))
        lanes = max(2, min(self.lanes, power_of_two(k)))
        steps = -(-k // lanes)
        best: tuple[float, int] | None = None
        for rows in range(1, min(m, 8) + 1):
            if rows == 1 or rows * cols + rows + 2 <= self.host.registers:
                per_tile = steps * max(rows * cols, rows + cols) + rows * (2.2 * cols + 8) + 10
                cost = -(-m // rows) * -(-n // cols) * per_tile
                if best is None or cost < best[0] * 0.99:
                    best = (cost, rows)
        assert best is not None
        cost, rows = best
        chains = power_of_two(max(1, min(-(-LATENCY // (rows * cols)), steps // 2)))
        sources = [shape.a, shape.b]
        ready = [source.k == 1 and source.indexed != "k" for source in sources]
        counts = [m, n]
        for source, count, good in zip(sources, counts, ready, strict=True):
            if not good:
                cost += 40 + count * k * (0.45 if source.line == 1 else 3.0) * 16 / self.lanes

        def build() -> None:
            packs = []
            for s, good in enumerate(ready):
                if not good:
                    packs.append(pack_rows(sources[s], counts[s], k, self.lanes, self.size, self.scratch))
                    self.take(packs[-1].elements)
                    sources[s] = packs[-1].result
            self.add_phase([(pack.tasks, pack.emit) for pack in packs])
            words = [f"dot products {rows}x{cols}, {lanes} lanes", f"{chains} chains"]
            words += [f"{name} packed" for name, good in zip("AB", ready, strict=True) if not good]
            self.out.how = ", ".join(words)
            packed = _Shape(m, n, k, sources[0], sources[1], shape.swapped)
            self.grid(packed, rows, cols, cost, self.dot_piece(packed, lanes, chains))

        return cost, build

    def dot_piece(self, shape: _Shape, lanes: int, chains: int) -> Any:
        def piece(c: Code, memory: Memory, store: Store, i: Any, j: Any, rows: int, cols: int) -> None:
            results = dot_tile(
                c,
                shape.a,
                shape.b,
                memory,
                i,
                j,
                rows,
                cols,
                shape.k,
                lanes,
                chains,
                (shape.m - 1, shape.n - 1),
            )
            for r, result in enumerate(results):
                self.give(c, store, shape, c.add(i, r), j, result, cols)

        return piece

    def give(
        self, c: Code, store: Store, shape: _Shape, i: Any, j: Any, result: Value, valid: int | None
    ) -> None:
        """Hand a vector of neighbours [i, j : j + lanes] of the (maybe transposed) product to the caller."""
        lanes = result.type.count
        if shape.swapped:
            i, j = j, i
        store(c.b, c.index(i), c.index(j), result, lanes, None if valid == lanes else valid)

    def grid(self, shape: _Shape, rows: int, cols: int, cost: float, piece: Any) -> None:
        """A phase that covers the product with tiles of rows x cols; smaller ones at the lower and right edge."""
        m, n = shape.m, shape.n
        down, across = -(-m // rows), -(-n // cols)
        # Columns are divided first and come last in the order of tasks: those that follow each other share a panel
        # of B, which stays in the second-level cache.
        tasks = min(MOST_TASKS, int(cost / (TASK / 4))) if cost >= 2 * TASK else 1
        wide = -(-across // min(across, tasks))  # tiles in a block
        blocks_across = -(-across // wide)
        high = -(-down // min(down, -(-tasks // blocks_across)))
        blocks_down = -(-down // high)
        count = blocks_down * blocks_across

        def emit(builder: Value, index: Value, a: Operand, b: Operand, scratch: Value, store: Store) -> None:
            c = Code(builder, self.size)
            memory = Memory({"a": a, "b": b}, scratch)
            block_i: Any = 0
            block_j: Any = 0
            if blocks_across == 1:
                block_i = index if blocks_down > 1 else 0
            elif blocks_down == 1:
                block_j = index
            else:
                block_i = builder.urem(index, c.index(blocks_down))
                block_j = builder.udiv(index, c.index(blocks_down))

            def stripe(j: Any, width: int) -> None:
                begin = c.mul(block_i, high * rows)
                stop = c.smaller(c.add(begin, high * rows), m // rows * rows)
                c.loop(begin, stop, lambda i: piece(c, memory, store, i, j, rows, width), step=rows)
                if m % rows:
                    edge = m // rows * rows
                    if blocks_down == 1:
                        piece(c, memory, store, edge, j, m % rows, width)
                    else:
                        with c.when(builder.icmp_signed("==", block_i, c.index(blocks_down - 1))):
                            piece(c, memory, store, edge, j, m % rows, width)

            begin = c.mul(block_j, wide * cols)
            stop = c.smaller(c.add(begin, wide * cols), n // cols * cols)
            c.loop(begin, stop, lambda j: stripe(j, cols), step=cols)
            if n % cols:
                edge = n // cols * cols
                if blocks_across == 1:
                    stripe(edge, n % cols)
                else:
                    with c.when(builder.icmp_signed("==", block_j, c.index(blocks_across - 1))):
                        stripe(edge, n % cols)

        self.out.phases.append(Phase(count, emit))

    # -- outer products -----------------------------------------------------------------------------------------

    def outer(self, shape: _Shape) -> tuple[float, Callable[[], None]]:
        """The best register tile, and what it costs with packing."""
        m, n, k = shape.m, shape.n, shape.k
        transposing = shape.swapped and self.n > 1
        lanes = max(2, min(self.lanes, power_of_two(n)), power_of_two(m) if transposing else 0)
        columns = -(-n // lanes)
        best: tuple[float, int, int] | None = None
        for vectors in range(1, min(4, columns) + 1):
            for rows in range(1, min(m, 30) + 1):
                if rows * vectors + vectors + 1 > self.host.registers or (transposing and rows < m):
                    continue
                cost = 0.0
                for r, repeat_r in ((rows, m // rows), (m % rows, 1)):
                    for v, repeat_v in ((vectors, columns // vectors), (columns % vectors, 1)):
                        if r and v:
                            # One multiply-add or one load in a cycle; a tile also waits for its longest chain.
                            cycles = max(r * v, r + v, 1.0) + 0.05 * (r + v) + 0.02
                            cost += repeat_r * repeat_v * (cycles * k + 10 + 2 * r * v)
                if m % rows:
                    cost *= 1.01
                if columns % vectors:
                    cost *= 1.01
                if best is None or cost < best[0] * 0.999:
                    best = (cost, rows, vectors)
        if best is None:
            return float("inf"), lambda: None
        cost, rows, vectors = best
        if lanes < self.lanes and self.host.vector_bytes > 32:
            cost *= 0.5  # the widest vectors take the place of two
        row_tiles, col_tiles = -(-m // rows), -(-columns // vectors)
        bytes_b = n * k * self.size

        b_ready = shape.b.line == 1 and shape.b.indexed != "lines"
        large_b = row_tiles > 2 and bytes_b > self.host.l1 and isinstance(shape.b.where, str)
        pack_b = k > 0 and (not b_ready or large_b)
        a_plain = shape.a.indexed != "lines" and 1 in (shape.a.k, shape.a.line)
        apart = max(abs(shape.a.k), abs(shape.a.line)) * self.size
        large_a = col_tiles > 2 and m * k * self.size > self.host.l1 and isinstance(shape.a.where, str)
        pack_a = k > 0 and (not a_plain or (large_a and apart >= 512))
        if pack_b:
            cost += 40 + n * k * (0.1 if b_ready else 0.45 if shape.b.k == 1 else 3.0) * 16 / self.lanes
        if pack_a:
            cost += 40 + m * k * (0.12 if 1 in (shape.a.k, shape.a.line) else 3.0) * 16 / self.lanes
        if transposing:
            cost += n / lanes * (4 * lanes + 3 * lanes)

        def build() -> None:
            packs: list[Pack] = []
            a, b = shape.a, shape.b
            if pack_b:
                packs.append(pack_panels(b, n, k, vectors * lanes, lanes, self.scratch))
                self.take(packs[-1].elements)
                b = packs[-1].result
            if pack_a:
                if a.k == 1 and a.indexed != "k":
                    packs.append(pack_rows(a, m, k, self.lanes, self.size, self.scratch))
                else:
                    packs.append(pack_panels(a, m, k, rows, self.lanes, self.scratch))
                self.take(packs[-1].elements)
                a = packs[-1].result
            self.add_phase([(pack.tasks, pack.emit) for pack in packs])
            ready = _Shape(m, n, k, a, b, shape.swapped)
            chunks = -(-k // CHUNK) if row_tiles * col_tiles <= 4 and k >= 2 * CHUNK else 1
            words = [f"outer products {rows}x{vectors}, {lanes} lanes"]
            words += ["transposed"] * shape.swapped + ["A packed"] * pack_a + ["B packed"] * pack_b
            words += [f"{chunks} chunks of k"] * (chunks > 1)
            self.out.how = ", ".join(words)
            source = None
            for original, count, packed in ((shape.b, n, pack_b), (shape.a, m, pack_a)):
                if packed and original.indexed is not None:
                    source = (original, count)
            self.tiles(ready, rows, vectors, lanes, cost, pack_b, chunks, source)

        return cost, build

    def tile(self, rows: int, vectors: int, lanes: int, valid: int | None, steps: int) -> Tile:
        sums = rows * vectors
        chains = power_of_two(max(1, min(-(-LATENCY // sums), steps // 2)))
        while chains > 1 and chains * sums + vectors + 1 > self.host.registers:
            chains //= 2
        unroll = max(chains, 1 if sums >= 12 else 2 if sums > 4 else 4)
        return Tile(rows, vectors, lanes, valid, min(unroll, max(1, steps)), chains)

    def tiles(
        self,
        shape: _Shape,
        rows: int,
        vectors: int,
        lanes: int,
        cost: float,
        packed_b: bool,
        chunks: int,
        source: tuple[Lines, int] | None,
    ) -> None:
        m, n, k = shape.m, shape.n, shape.k
        width = vectors * lanes
        padded = -(-n // lanes) * lanes

        def piece_of(
            c: Code, memory: Memory, i: Any, j: Any, r: int, w: int, k0: Any, k1: Any, steps: int
        ) -> Any:
            valid = w % lanes or None
            tile = self.tile(r, -(-w // lanes), lanes, valid, steps)
            also = self.bring_nearer(c, memory, source, i, j, shape, rows, width) if source else None
            return outer_tile(c, tile, shape.a, shape.b, memory, i, j, k0, k1, packed_b, also)

        if chunks == 1:

            def piece(c: Code, memory: Memory, store: Store, i: Any, j: Any, r: int, w: int) -> None:
                self.finish(c, store, shape, i, j, w, lanes, piece_of(c, memory, i, j, r, w, 0, k, k), k)

            self.grid(shape, rows, width, cost, piece)
            return

        partial = self.take(chunks * m * padded)

        def emit_sums(c: Code, index: Any, memory: Memory) -> None:
            begin = c.mul(index, CHUNK)
            stop = c.smaller(c.add(begin, CHUNK), k)
            target = c.at(c.bytes_at(memory.scratch, partial), c.mul(index, m * padded))
            for i in range(0, m, rows):
                for j in range(0, n, width):
                    sums = piece_of(c, memory, i, j, min(rows, m - i), min(width, n - j), begin, stop, CHUNK)
                    for r, line in enumerate(sums):
                        for v, value in enumerate(line):
                            c.store(value, c.at(target, (i + r) * padded + j + v * lanes))

        self.add_phase([(chunks, emit_sums)])

        def total(c: Code, memory: Memory, store: Store, i: Any, j: Any, r: int, w: int) -> None:
            source = c.bytes_at(memory.scratch, partial)

            def one(p: Any, *sums: Value) -> list[Value]:
                here = c.at(c.at(source, c.mul(p, m * padded)), c.add(c.mul(i, padded), j))
                return [c.b.fadd(s, c.load(c.at(here, u * padded), lanes)) for u, s in enumerate(sums)]

            sums = c.loop(0, chunks, one, [c.zero(lanes)] * r)
            self.finish(c, store, shape, i, j, w, lanes, [[s] for s in sums], 0)

        high = m if shape.swapped and self.n > 1 else min(m, 4)
        self.grid(shape, high, lanes, m * padded / lanes * chunks * 2, total)

    def bring_nearer(
        self,
        c: Code,
        memory: Memory,
        source: tuple[Lines, int],
        i: Any,
        j: Any,
        shape: _Shape,
        rows: int,
        width: int,
    ) -> Callable[[Any], None] | None:
        """Ask for a part of the operand that the next product will gather, spread over the tiles and their steps."""
        lines, count = source
        operand = memory.operands[lines.where]
        if operand.upcoming is None:
            return None
        by_k = lines.indexed == "k"
        gathered, length = (shape.k, count) if by_k else (count, shape.k)
        if (lines.line if by_k else lines.k) != 1:
            return None  # not contiguous: other lines would come with it
        down, across = -(-shape.m // rows), -(-shape.n // width)
        number = c.add(c.mul(c.b.udiv(c.index(j), c.index(width)), down), c.b.udiv(c.index(i), c.index(rows)))
        which = c.b.udiv(c.index(c.mul(number, gathered)), c.index(down * across))
        start = c.at(operand.pointer, c.mul(c.entry(operand.upcoming, which), lines.k if by_k else lines.start))
        step = max(1, length // shape.k)
        return lambda t: c.fetch(c.at(start, c.mul(t, step)), LATER)

    def finish(
        self, c: Code, store: Store, shape: _Shape, i: Any, j: Any, w: int, lanes: int, sums: Any, k: int
    ) -> None:
        """Give finished sums (rows x vectors, of which `w` lanes exist) to the caller."""
        rows, vectors = len(sums), len(sums[0])
        if shape.swapped and self.n > 1:
            height = max(2, power_of_two(rows))
            memory = c.room(lanes * lanes)
            for v in range(vectors):
                for s, column in enumerate(c.transpose([line[v] for line in sums])):
                    c.store(column, c.at(memory, s * lanes))
                first = c.add(j, v * lanes)

                def one(s: Value, first: Any = first) -> None:
                    value = c.load(c.at(memory, c.mul(s, lanes)), height)
                    self.give(c, store, shape, 0, c.add(first, s), value, rows)

                c.loop(0, min(lanes, w - v * lanes), one)
            return
        valid = w % lanes or None
        if rows * vectors <= 8 or k < 48:
            for r, line in enumerate(sums):
                for v, value in enumerate(line):
                    mask = valid if v == vectors - 1 else None
                    self.give(c, store, shape, c.add(i, r), c.add(j, v * lanes), value, mask)
            return
        memory = c.room(rows * vectors * lanes)
        for r, line in enumerate(sums):
            for v, value in enumerate(line):
                c.store(value, c.at(memory, (r * vectors + v) * lanes))

        def row(r: Value) -> None:
            for v in range(vectors):
                value = c.load(c.at(memory, c.add(c.mul(r, vectors * lanes), v * lanes)), lanes)
                self.give(
                    c,
                    store,
                    shape,
                    c.add(i, r),
                    c.add(j, v * lanes),
                    value,
                    valid if v == vectors - 1 else None,
                )

        c.loop(0, rows, row)
