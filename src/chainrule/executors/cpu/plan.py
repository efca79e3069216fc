"""Which loop nests compute the roots of a graph, and in which order. No LLVM here.

Roots that walk over the same rows, and depend on each other at most row by row, share a *kernel*: one nest of
loops. So a softmax reads each row of its input once, and what it needs of a row stays in the nearest cache.
Next: `schedule.py`, how a nest runs; `memory.py`, where everything lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final

from ...core.shapes import Shape
from ...graph.graph import Graph
from ...graph.values import LOOP, PART, Value, op_value
from ...ops.move import COPY
from .access import (
    is_identity,
    is_row_local,
)
from .forms import (
    MEMORY,
    NUMBER,
    PIECES,
    POINT,
    PRODUCT,
    VIEW,
    form_of,
)
from .roots import WHOLE, Read, Root, Walker

MOST_ROOTS: Final = 32  # in one kernel: more would make its code long, and its arrays compete for the cache


@dataclass(eq=False, slots=True)
class Kernel:
    """Roots that are computed together.

    form:  NEST, or one of WHOLE.
    rows:  for a nest: how many leading axes its roots share as rows.
    flat:  whether all roots have one domain and read each other at most at the same point.
    """

    form: str
    roots: list[Root]
    rows: int = 0
    flat: bool = False
    stores_product: bool = True

    @property
    def main(self) -> Root:
        return self.roots[0]

    @property
    def reads(self) -> Iterator[Read]:
        return (r for root in self.roots for r in root.reads)


NEST: Final = "nest"


@dataclass(eq=False, slots=True)
class Plan:
    """What is computed in which order.

    graph:     as it was planned, with copies where results need their own.
    arguments: the inputs and captures of the graph as it was given; some may not be read any more.
    """

    graph: Graph
    arguments: list[Value]
    kernels: list[Kernel]
    forms: dict[Value, str]
    stored: set[Value]


def plan(graph: Graph, arguments: list[Value]) -> Plan:
    """Make the plan of a graph without composed ops. arguments: see `Plan`."""
    graph = _with_own_results(graph)
    forms = {v: form_of(v) for v in (*graph.inputs, *graph.captures, *graph.values)}
    walker = Walker(graph, forms)
    while True:
        roots = walker.roots()
        more = walker.worth_storing()
        if not more:
            break
        walker.stored |= more
    return Plan(graph, arguments, _grouped(roots, walker), forms, walker.stored)


def _with_own_results(graph: Graph) -> Graph:
    """Each output and each written value becomes a value of its own, so that each has one place."""
    taken: set[Value] = set()

    def own(v: Value) -> Value:
        is_result = v.kind == PART and v.inputs[0].kind == LOOP  # a loop makes it in place
        if v in taken or (form_of(v) in (MEMORY, NUMBER, VIEW) and not is_result):
            v = op_value(COPY, (v,), {}, v.dtype, v.site)
        taken.add(v)
        return v

    writes = [(c, own(v)) for c, v in graph.writes]
    outputs = [own(v) for v in graph.outputs]
    return Graph(graph.name, graph.inputs, outputs, graph.captures, writes, graph.structure)


def _grouped(roots: list[Root], walker: Walker) -> list[Kernel]:
    """Roots in kernels, in an order in which everything is there before it is read."""
    kernels: list[Kernel] = []
    where: dict[Value, int] = {}  # the kernel that completes a value
    rooted: dict[Value, Root] = {}
    for root in roots:
        after = max((where[m] for r in root.reads if (m := made_by(r.leaf)) in where), default=-1)
        if root.form == PIECES:
            after = max(after, where.get(root.value, -1))
        at = next(
            (k for k in range(max(after, 0), len(kernels)) if _joins(kernels[k], root, k, where, rooted)),
            None,
        )
        if at is None:
            at = len(kernels)
            form = root.form if root.form in WHOLE else NEST
            kernels.append(Kernel(form, [root], root.most_rows, not root.dims or root.is_total))
        where[root.value] = at
        rooted[root.value] = root
    for kernel in kernels:
        if kernel.form == PRODUCT:
            p = kernel.main.value
            outside = any(r.leaf is p for k in kernels if k is not kernel for r in k.reads)
            kernel.stores_product = outside or p in (
                *walker.graph.outputs,
                *(v for _, v in walker.graph.writes),
            )
    return kernels


def made_by(v: Value) -> Value:
    """The value whose kernel makes v: of a part, the whole."""
    return v.inputs[0] if v.kind == PART else v


def _joins(kernel: Kernel, root: Root, k: int, where: dict[Value, int], rooted: dict[Value, Root]) -> bool:
    """Put the root into the kernel if it can be computed there and gains by it; says whether it did."""
    if root.form in (*WHOLE, PIECES) or len(kernel.roots) >= MOST_ROOTS:
        return False
    inner = [r for r in root.reads if where.get(r.leaf) == k]
    if kernel.form == PRODUCT:
        p = kernel.main.value
        fits = root.form == POINT and root.domain == p.shape and any(r.leaf is p for r in inner)
        if fits and all(_same_point(r, root) for r in inner):
            kernel.roots.append(root)
            return True
        return False
    if kernel.form != NEST or kernel.main.form == PIECES or 0 in root.domain or 0 in kernel.main.domain:
        return False
    if root.domain == () or kernel.main.domain == ():
        if root.domain == kernel.main.domain:
            kernel.roots.append(root)
            return True
        return False
    leaves = {r.leaf for r in kernel.reads}
    if not inner and not any(r.leaf in leaves and prod(r.leaf.shape) > 1 for r in root.reads):
        return False
    point = not root.dims or root.is_total
    if (
        kernel.flat
        and point
        and root.domain == kernel.main.domain
        and all(_same_point(r, root) and not rooted[r.leaf].dims for r in inner)
    ):
        kernel.roots.append(root)
        kernel.rows = min(kernel.rows, root.most_rows)
        return True
    common = 0
    for a, b in zip(kernel.main.domain, root.domain, strict=False):
        if a != b:
            break
        common += 1
    rows = min(kernel.rows, root.most_rows, common)
    if rows < 1 or (kernel.flat and len(kernel.main.domain) == 1 and len(root.domain) == 1):
        return False
    for r in inner:
        made = rooted[r.leaf]
        if made.crosses_rows or (made.dims and made.dims[0] < rows):
            return False
        offset, strides = r.place
        if not is_row_local((offset, strides), r.leaf.shape, root.domain, rows):
            return False
        if r.reach and not _reach_in_row(r, root.domain, rows):
            return False
    kernel.roots.append(root)
    kernel.rows, kernel.flat = rows, False
    return True


def _same_point(r: Read, root: Root) -> bool:
    return not r.reach and is_identity(r.place, root.domain) and r.leaf.shape == root.domain


def _reach_in_row(r: Read, domain: Shape, rows: int) -> bool:
    offset, strides = r.place
    high = offset + r.reach
    for n, s in zip(domain[rows:], strides[rows:], strict=True):
        high += max(s, 0) * (n - 1)
    return bool(high < prod(r.leaf.shape[rows:]))
