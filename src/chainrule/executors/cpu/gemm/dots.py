"""Tiles of dot products: vectors along k of both operands, and lanes that are added up at the end."""

from __future__ import annotations

from .code import Code, Value, power_of_two
from .draft import LATENCY, Draft, Shape, Store, Way
from .layout import AHEAD, Lines, Memory, line_pointers
from .packing import pack_cycles, pack_rows


def dots(draft: Draft, shape: Shape) -> Way | None:
    """The best tile of dot products for a shape. Operands whose k is not contiguous are packed."""
    m, n, k = shape.m, shape.n, shape.k
    if k == 0:
        return None
    cols = -(-n // -(-n // draft.lanes))
    lanes = max(2, min(draft.lanes, power_of_two(k)))
    steps = -(-k // lanes)
    cycles, rows = float("inf"), 1
    for height in range(1, min(m, 8) + 1):
        if height == 1 or height * cols + height + 2 <= draft.host.registers:
            # One multiply-add or one load in a cycle; then two shuffles and a sum for about every result.
            tile = steps * max(height * cols, height + cols) + height * (2.2 * cols + 8) + 10
            total = -(-m // height) * -(-n // cols) * tile
            if total < cycles * 0.99:
                cycles, rows = total, height
    chains = power_of_two(max(1, min(-(-LATENCY // (rows * cols)), steps // 2)))
    to_pack = [
        (lines, count)
        for lines, count in ((shape.a, m), (shape.b, n))
        if lines.k != 1 or lines.indexed == "k"
    ]
    for lines, count in to_pack:
        cycles += pack_cycles(lines, count * k, lines.k == 1, draft.lanes)

    def build() -> None:
        packs = {lines.where: pack_rows(lines, count, k, draft) for lines, count in to_pack}
        draft.pack(list(packs.values()))
        a, b = (packs[lines.where].result if lines.where in packs else lines for lines in (shape.a, shape.b))
        draft.plan.how = f"dot products {rows}x{cols}, {lanes} lanes, {chains} chains"
        draft.plan.how += "".join(f", {lines.name} packed" for lines, _ in to_pack)

        def piece(
            c: Code, memory: Memory, store: Store, i: Value | int, j: Value | int, height: int, width: int
        ) -> None:
            lines = [(a, i, height, m - 1), (b, j, width, n - 1)]
            for r, sums in enumerate(_tile(c, memory, lines, k, lanes, chains)):
                draft.give(c, store, shape, c.add(i, r), j, sums, width)

        draft.cover(shape, rows, cols, cycles, piece)

    return cycles, build


def _tile(
    c: Code,
    memory: Memory,
    operands: list[tuple[Lines, Value | int, int, int]],
    k: int,
    lanes: int,
    chains: int,
) -> list[Value]:
    """For each line of the first operand a vector: its products with the lines of the second.

    operands: lines, the first one, how many, and the number of the last one that there is
    """
    pointers, coming = [], []
    for lines, first, count, last in operands:
        pointers.append(line_pointers(lines, c, memory, first, count))
        if lines.indexed == "lines" and k >= 4 * lanes:
            coming += line_pointers(lines, c, memory, c.add(first, max(count, AHEAD)), count, last)
    from_a, from_b = pointers
    rows, cols = len(from_a), len(from_b)

    def steps(t: Value | int, count: int, sums: list[Value], valid: int | None = None) -> list[Value]:
        sums = list(sums)
        for u in range(count):
            here = c.add(t, u * lanes)
            for pointer in coming:
                c.fetch(c.at(pointer, here))
            xs = [c.load(c.at(pointer, here), lanes, valid) for pointer in from_a]
            for s, pointer in enumerate(from_b):
                y = c.load(c.at(pointer, here), lanes, valid)
                for r, x in enumerate(xs):
                    n = (u % chains * rows + r) * cols + s
                    sums[n] = c.muladd(x, y, sums[n])
        return sums

    sums = [c.zero(lanes)] * (chains * rows * cols)
    step = chains * lanes
    rounds, whole = k // step * step, k // lanes * lanes
    sums = c.loop(0, rounds, lambda t, *s: steps(t, chains, list(s)), sums, step=step)
    if whole > rounds:
        sums = steps(rounds, (whole - rounds) // lanes, sums)
    if k > whole:
        sums = steps(whole, 1, sums, k - whole)
    sums = c.combined(sums, rows * cols)
    return [c.sums(sums[r * cols : (r + 1) * cols]) for r in range(rows)]
