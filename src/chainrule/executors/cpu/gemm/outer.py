"""The register tile of outer products: for each k, elements of a times vectors of b."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .code import Code, Value
from .layout import CACHE_LINE, LATER, Lines, Memory


@dataclass(frozen=True)
class Tile:
    """`rows` lines of a, `vectors` of `lanes` lines of b; of the last only `valid` may be read (None: all).

    unroll: steps of k in one round of the loop
    chains: sums per element, which take turns over k: a few sums alone would wait for one another
    """

    rows: int
    vectors: int
    lanes: int
    valid: int | None
    unroll: int
    chains: int


def outer_tile(
    c: Code,
    tile: Tile,
    a: Lines,
    b: Lines,
    memory: Memory,
    i: Value | int,
    j: Value | int,
    k: tuple[Value | int, Value | int],
    also: Callable[[Value | int], None] | None = None,
) -> list[list[Value]]:
    """The sums over a range of k: rows x vectors. Additions go in the order of k, in `chains` turns.

    also(t): something else to do in every step of k
    """
    at_a, a_indices = c.at(a.pointer(c, memory), c.mul(i, a.start)), a.indices(memory)
    at_b, b_indices = c.at(b.pointer(c, memory), c.mul(j, b.start)), b.indices(memory)
    upcoming = memory.operands[b.where].upcoming if b_indices is not None else None
    rows, vectors, lanes = tile.rows, tile.vectors, tile.lanes
    valids = [None] * (vectors - 1) + [tile.valid]

    def base(lines: Lines, pointer: Value, indices: Value | None, t: Value | int, u: int) -> Value:
        if indices is not None:
            return c.at(pointer, c.mul(c.entry(indices, c.add(t, u)), lines.k))
        return c.at(c.at(pointer, c.mul(t, lines.k)), u * lines.k)

    def steps(t: Value | int, count: int, sums: list[Value]) -> list[Value]:
        sums = list(sums)
        for u in range(count):
            from_a, from_b = base(a, at_a, a_indices, t, u), base(b, at_b, b_indices, t, u)
            ys = [c.load(c.at(from_b, v * lanes), lanes, valid) for v, valid in enumerate(valids)]
            if upcoming is not None:
                later = base(b, at_b, upcoming, t, u)
                for v in range(0, vectors, max(1, CACHE_LINE // (lanes * c.size))):
                    c.fetch(c.at(later, v * lanes), LATER)
            if also is not None:
                also(c.add(t, u))
            for r in range(rows):
                x = c.spread(c.at(from_a, r * a.line), lanes)
                for v, y in enumerate(ys):
                    s = (u % tile.chains * rows + r) * vectors + v
                    sums[s] = c.muladd(x, y, sums[s])
        return sums

    sums = [c.zero(lanes)] * (tile.chains * rows * vectors)
    begin, end = k
    rounds = c.divided(c.add(end, c.mul(begin, -1)), tile.unroll)[0]
    whole = c.add(begin, c.mul(rounds, tile.unroll))
    sums = c.loop(begin, whole, lambda t, *s: steps(t, tile.unroll, list(s)), sums, step=tile.unroll)
    if isinstance(whole, int) and isinstance(end, int):
        sums = steps(whole, end - whole, sums)
    elif tile.unroll > 1:
        sums = c.loop(whole, end, lambda t, *s: steps(t, 1, list(s)), sums)
    sums = c.combined(sums, rows * vectors)
    return [sums[r * vectors : (r + 1) * vectors] for r in range(rows)]
