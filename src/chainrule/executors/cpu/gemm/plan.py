"""How a product of a given shape is computed: C[i, j] = sum over k of A[i, k] * B[k, j].

Three ways, of which the one with the fewest estimated cycles is taken:

- tiles of outer products (`tiles.py`): vectors along j;
- the same for the transposed product, vectors along i: for few columns, which do not fill a vector along j;
- tiles of dot products (`dots.py`): vectors along k.

No k is divided between tasks, but for a long k with few tiles: it is cut in chunks, whose sums a last phase
adds up in order. So the order of additions follows from the shape and the host, never from the threads.
"""

from __future__ import annotations

from typing import Any

from .dots import dots
from .draft import Draft, Plan, Shape, Way
from .layout import Host, Layout, Lines, lines_of
from .packing import evaluate
from .tiles import tiles

MOST_TURNED = 16  # columns: more fill a vector, and the tile must hold them all


def plan(m: int, n: int, k: int, dtype: Any, a: Layout, b: Layout, host: Host) -> Plan:
    """The plan for (m, k) @ (k, n) of float32 or float64 with these layouts."""
    size = {"float32": 4, "float64": 8}[getattr(dtype, "name", None) or str(dtype)]
    draft = Draft(m, n, k, size, host)
    if m and n:
        lines_a, lines_b = _operands(draft, m, n, k, a, b)
        shapes = [Shape(n, m, k, lines_b, lines_a, True)]
        if n > 1:
            shapes.append(Shape(m, n, k, lines_a, lines_b, False))
        ways: list[Way | None] = [dots(draft, shapes[-1])]
        fits = n <= min(draft.lanes, MOST_TURNED)
        ways += [tiles(draft, shape) for shape in shapes if fits or not draft.turned(shape)]
        _, build = min((way for way in ways if way is not None), key=lambda way: way[0])
        build()
    return draft.plan


def _operands(draft: Draft, m: int, n: int, k: int, a: Layout, b: Layout) -> tuple[Lines, Lines]:
    """Rows of A and columns of B, computed ones being written to scratch first."""
    if k == 0:  # nothing is read
        return Lines(0, 0, 0, 1), Lines(0, 0, 0, 1)
    packs = {}
    if a.read:
        packs["a"] = evaluate("a", m, k, draft)
    if b.read:
        packs["b"] = evaluate("b", k, n, draft)
    draft.pack(list(packs.values()))
    rows = packs["a"].result if a.read else lines_of("a", a, m, k)
    if not b.read:
        return rows, lines_of("b", b.transposed, n, k)
    computed = packs["b"].result
    return rows, Lines(computed.where, computed.k, computed.k, computed.line)
