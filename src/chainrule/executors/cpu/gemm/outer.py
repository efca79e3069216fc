"""The register tile of outer products: for each k, elements of A times vectors of B, in sums that stay in registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .code import Code, Value
from .layout import CACHE_LINE, LATER, Lines, Memory


@dataclass(frozen=True)
class Tile:
    """`rows` lines of A and `vectors` of `lanes` lines of B; of the last vector `valid` lanes exist (None: all).

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
    k_from: Value | int,
    k_to: Value | int,
    packed_b: bool,
    also: Callable[[Value | int], None] | None = None,
) -> list[list[Value]]:
    """The sums over k in [k_from, k_to): rows x vectors. Additions go in the order of k, in `chains` turns.

    also(t): something else to do in every step of k
    """
    at_a, a_indices = c.at(a.pointer(c, memory), c.mul(i, a.start)), a.indices(memory)
    at_b, b_indices = c.at(b.pointer(c, memory), c.mul(j, b.start)), b.indices(memory)
    upcoming = memory.operands[b.where].upcoming if b_indices is not None else None
    valid = None if packed_b else tile.valid
    rows, vectors, lanes = tile.rows, tile.vectors, tile.lanes

    def base(lines: Lines, pointer: Value, indices: Value | None, t: Value | int, u: int) -> Value:
        if indices is not None:
            return c.at(pointer, c.mul(c.entry(indices, c.add(t, u)), lines.k))
        return c.at(c.at(pointer, c.mul(t, lines.k)), u * lines.k)

    def steps(t: Value | int, count: int, sums: list[Value]) -> list[Value]:
        sums = list(sums)
        for u in range(count):
            from_a = base(a, at_a, a_indices, t, u)
            from_b = base(b, at_b, b_indices, t, u)
            panel = [
                c.load(c.at(from_b, v * lanes), lanes, valid if v == vectors - 1 else None)
                for v in range(vectors)
            ]
            if upcoming is not None:
                later = base(b, at_b, upcoming, t, u)
                for v in range(0, vectors, max(1, CACHE_LINE // (lanes * c.size))):
                    c.fetch(c.at(later, v * lanes), LATER)
            if also is not None:
                also(c.add(t, u))
            for r in range(rows):
                x = c.spread(c.at(from_a, r * a.line), lanes)
                for v in range(vectors):
                    s = (u % tile.chains * rows + r) * vectors + v
                    sums[s] = c.muladd(x, panel[v], sums[s])
        return sums

    sums = [c.zero(lanes)] * (tile.chains * rows * vectors)
    unroll = tile.unroll
    if isinstance(k_from, int) and isinstance(k_to, int):
        whole = k_from + (k_to - k_from) // unroll * unroll
        sums = c.loop(k_from, whole, lambda t, *s: steps(t, unroll, list(s)), sums, step=unroll)
        if k_to > whole:
            sums = steps(whole, k_to - whole, sums)
    else:
        whole = c.smaller(c.add(k_from, 0), k_to)
        rounds = c.b.udiv(c.b.sub(c.index(k_to), c.index(k_from)), c.index(unroll))
        whole = c.add(k_from, c.mul(rounds, unroll))
        sums = c.loop(k_from, whole, lambda t, *s: steps(t, unroll, list(s)), sums, step=unroll)
        if unroll > 1:
            sums = c.loop(whole, k_to, lambda t, *s: steps(t, 1, list(s)), sums)
    while len(sums) > rows * vectors:
        half = len(sums) // 2
        sums = [c.b.fadd(x, y) for x, y in zip(sums[:half], sums[half:], strict=True)]
    return [sums[r * vectors : (r + 1) * vectors] for r in range(rows)]
