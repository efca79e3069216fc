"""The register tile of dot products: vectors along k of both operands; lanes are added up at the end."""

from __future__ import annotations

from .code import Code, Value
from .layout import AHEAD, Lines, Memory, line_pointers


def dot_tile(
    c: Code,
    a: Lines,
    b: Lines,
    memory: Memory,
    i: Value | int,
    j: Value | int,
    rows: int,
    cols: int,
    k: int,
    lanes: int,
    chains: int,
    last: tuple[int, int],
) -> list[Value]:
    """For each row one vector with its `cols` sums, in lanes rounded up to a power of two. k is contiguous in both.

    last: the numbers of the last line of `a` and of `b`: gathered lines that come next are asked for early.
    """
    from_a = line_pointers(a, c, memory, i, rows)
    from_b = line_pointers(b, c, memory, j, cols)
    coming = []
    for lines, first, count, end in ((a, i, rows, last[0]), (b, j, cols, last[1])):
        if lines.indexed == "lines" and k >= 4 * lanes:
            coming += line_pointers(lines, c, memory, c.add(first, max(count, AHEAD)), count, end)

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
    per = chains * lanes
    most, whole = k // per * per, k // lanes * lanes
    sums = c.loop(0, most, lambda t, *s: steps(t, chains, list(s)), sums, step=per)
    if whole > most:
        sums = steps(most, (whole - most) // lanes, sums)
    if k > whole:
        sums = steps(whole, 1, sums, k - whole)
    while len(sums) > rows * cols:
        half = len(sums) // 2
        sums = [c.b.fadd(x, y) for x, y in zip(sums[:half], sums[half:], strict=True)]
    return [c.sums(sums[r * cols : (r + 1) * cols]) for r in range(rows)]
