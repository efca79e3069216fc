"""How the roots of one kernel run: rows, passes over each row, pieces for threads, and what lives how long.

The number of pieces follows from shapes alone, never from the number of threads, so sums are added up in one
order on any machine. Next: `memory.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final

from ...core.shapes import Shape
from ...graph.values import Value
from .access import Place, is_identity
from .forms import FOLD
from .plan import Kernel
from .roots import Root

PARALLEL_FROM: Final = 6.0  # µs of work: waking another thread and waiting for it costs one or two
PIECE: Final = 4.0  # µs of work in one piece, about
MOST_PIECES: Final = 32
ROW_BYTES: Final = 1 << 13  # what a row may keep on the stack, for each value


@dataclass(frozen=True, slots=True)
class Axis:
    """Neighbouring axes of a domain that all places walk over as over one. dim: the innermost of them."""

    size: int
    dim: int


@dataclass(eq=False, slots=True)
class Pass:
    """Roots that are computed in one walk over (the columns of) a row."""

    columns: Shape
    roots: list[Root]
    axes: list[Axis] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Schedule:
    """rows: axes over which the rows run. dims: how many leading axes of the domain they are.
    passes: over each row, in order. pieces: independent parts, of `step` rows (or columns, without rows)
    each. in_registers: values that live within one point. of_row: values in a buffer of the row's own, with
    its size. cost: of one thread, in µs. flat: see `Kernel`.
    """

    rows: list[Axis]
    dims: int
    passes: list[Pass]
    pieces: int
    step: int
    in_registers: set[Value]
    of_row: dict[Value, int]
    cost: float
    flat: bool

    @property
    def length(self) -> int:
        """What is cut into pieces: the number of rows, or of columns."""
        return self.passes[0].axes[0].size if self.cuts_columns else prod(a.size for a in self.rows)

    @property
    def cuts_columns(self) -> bool:
        return self.flat and not self.rows and bool(self.passes[0].axes)


def collapse(dims: Sequence[int], shape: Shape, places: Sequence[Place]) -> list[Axis]:
    """The axes `dims` of a domain, neighbours merged where every place allows it; size 1 is left out."""
    axes: list[Axis] = []
    for d in dims:
        if shape[d] == 1:
            continue
        if axes and all(s[axes[-1].dim] == s[d] * shape[d] for _, s in places):
            axes[-1] = Axis(axes[-1].size * shape[d], d)
        else:
            axes.append(Axis(shape[d], d))
    return axes


def schedule(kernel: Kernel, outside: set[Value]) -> Schedule:
    """The schedule of a nest. outside: values that other kernels read, and results."""
    roots = kernel.roots
    domain = kernel.main.domain
    places = {r: [x.place for x in r.reads] + [r.target, *r.indices] for r in roots}
    if kernel.flat:
        every = [p for r in roots for p in places[r]]
        axes = collapse(range(len(domain)), domain, every)
        rows, columns = axes[:-1], axes[-1:]
        dims = len(domain)
        passes = [Pass(domain, list(roots), columns)]
    else:
        dims = kernel.rows
        rows = collapse(range(dims), domain, [p for r in roots for p in places[r]])
        passes = _passes(kernel, dims)
        for p in passes:
            shape = p.roots[0].domain
            p.axes = collapse(range(dims, len(shape)), shape, [q for r in p.roots for q in places[r]])
    cost = sum(work(r) for r in roots)
    made = _Made(rows, dims, passes, kernel.flat)
    pieces, step = made.cut(cost)
    registers, of_row = _short_lived(kernel, made, outside)
    return Schedule(rows, dims, passes, pieces, step, registers, of_row, cost, kernel.flat)


def work(root: Root) -> float:
    """About how long one thread takes for a root, in µs: instructions on vectors, and memory."""
    points = prod(root.domain)
    traffic = (
        sum(r.leaf.dtype.itemsize for r in root.reads if prod(r.leaf.shape) > 1) + root.value.dtype.itemsize
    )
    return float(points * (4 + 6 * len(root.reads)) / 40e3 + points * traffic / 30e3)


@dataclass(slots=True)
class _Made:
    rows: list[Axis]
    dims: int
    passes: list[Pass]
    flat: bool

    def cut(self, cost: float) -> tuple[int, int]:
        length = prod(a.size for a in self.rows)
        unit = 1
        if not self.rows:
            if not self.flat or not self.passes[0].axes:
                return 1, 1
            length, unit = self.passes[0].axes[0].size, 256
        if cost < PARALLEL_FROM:
            return 1, length
        pieces = max(2, min(MOST_PIECES, int(cost / PIECE)))
        step = -(-length // pieces)
        step = -(-step // unit) * unit
        return -(-length // step), step


def _passes(kernel: Kernel, dims: int) -> list[Pass]:
    """Roots in walks over the row: after the folds that they need, with others over the same columns."""
    passes: list[Pass] = []
    at: dict[Value, int] = {}
    made = {r.value: r for r in kernel.roots}
    for root in kernel.roots:
        columns = root.domain[dims:]
        first = 0
        for r in root.reads:
            if r.leaf in at:
                other = made[r.leaf]
                together = (
                    not other.dims and not r.reach and other.domain == root.domain
                    and is_identity(r.place, root.domain)
                )  # fmt: skip
                first = max(first, at[r.leaf] + (not together))
        k = next((k for k in range(first, len(passes)) if passes[k].columns == columns), len(passes))
        if k == len(passes):
            passes.append(Pass(columns, []))
        passes[k].roots.append(root)
        at[root.value] = k
    return passes


def _short_lived(kernel: Kernel, made: _Made, outside: set[Value]) -> tuple[set[Value], dict[Value, int]]:
    """Values of the kernel that need no memory: (in registers, with a buffer for each row)."""
    registers: set[Value] = set()
    of_row: dict[Value, int] = {}
    place = {r.value: i for i, p in enumerate(made.passes) for r in p.roots}
    for root in kernel.roots:
        v = root.value
        if v in outside or root.crosses_rows:
            continue
        readers = [(other, r) for other in kernel.roots for r in other.reads if r.leaf is v]
        columns = v.shape[made.dims :] if len(v.shape) >= made.dims else ()
        at_point = all(
            place[other.value] == place[v] and not r.reach and is_identity(r.place, other.domain)
            and other.domain == v.shape
            for other, r in readers
        )  # fmt: skip
        if (at_point and root.form != FOLD) or prod(columns) == 1:
            registers.add(v)
        elif prod(columns) * v.dtype.itemsize <= ROW_BYTES and (made.rows or made.dims):
            of_row[v] = prod(columns)
    return registers, of_row
