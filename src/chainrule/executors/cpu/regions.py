"""Neighbouring kernels that threads run together: each thread takes a block of rows through all of them.

The layers of a small network are too short to be cut into pieces one by one: handing out a piece costs as
much as computing it. But row i of a batch needs nothing of the other rows from the first layer to the
gradient of the last one, so a block of rows can go through all these kernels at once, with one meeting of
the threads at the end. Sums over all rows are made block by block, and combined in order afterwards.

The number of blocks follows from shapes alone, so results do not depend on the number of threads. Next:
`memory.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from ...core.dtypes import float64
from ...graph.values import Value
from .access import is_row_local
from .forms import PRODUCT
from .plan import NEST, Kernel, Plan, made_by
from .roots import Read, Root, through_views
from .schedule import Schedule

WORTH: Final = 4.0  # µs of work in a region: threads that meet cost about one
BLOCK: Final = 2.0  # µs of work in one block, at least
FEWEST_ROWS: Final = 16  # in a block: products of fewer rows waste what they load
BLOCKS: Final = (8, 4, 2)


@dataclass(frozen=True, eq=False, slots=True)
class Region:
    """Kernels that run block by block, and the number of blocks."""

    kernels: list[Kernel]
    blocks: int


def gather(plan: Plan, schedules: dict[Kernel, Schedule]) -> None:
    """Bring kernels that can go in blocks of rows next to each other: each as early as what it reads allows.

    The others keep their order. What is written to tensors from outside is never moved to the front.
    """
    written = {v for _, v in plan.graph.writes}
    waiting = list(plan.kernels)
    makers = {root.value: k for k in waiting for root in k.roots}
    order: list[Kernel] = []
    run: list[Kernel] = []
    done: set[Kernel] = set()

    def ready(kernel: Kernel) -> bool:
        needed = {makers.get(made_by(r.leaf), kernel) for r in kernel.reads}
        return all(k is kernel or k in done for k in needed)

    while waiting:
        rows = _rows(run[0], schedules, written) if run else 0
        fits = (k for k in waiting if rows and rows == _rows(k, schedules, written) and ready(k))
        kernel = next((k for k in fits if _follows(k, run, plan)), waiting[0])
        if _rows(kernel, schedules, written) != rows or not _follows(kernel, run, plan):
            run = []
        if _rows(kernel, schedules, written):
            run.append(kernel)
        waiting.remove(kernel)
        order.append(kernel)
        done.add(kernel)
    plan.kernels[:] = order


def find(plan: Plan, schedules: dict[Kernel, Schedule], lanes: int) -> list[Region]:
    """The regions of a plan; the schedules of their nests are cut into blocks.

    lanes: of the widest vectors.
    """
    regions: list[Region] = []
    current: list[Kernel] = []
    written = {v for _, v in plan.graph.writes}

    def close() -> None:
        region = _made(current, schedules, lanes)
        if region is not None:
            regions.append(region)
        current.clear()

    for kernel in plan.kernels:
        rows = _rows(kernel, schedules, written)
        if current and (rows != _rows(current[0], schedules, written) or not _follows(kernel, current, plan)):
            close()
        if rows:
            current.append(kernel)
    close()
    return regions


def _rows(kernel: Kernel, schedules: dict[Kernel, Schedule], written: set[Value]) -> int:
    """How many rows a kernel has that could go in blocks; 0 if it cannot be cut."""
    main = kernel.main
    if not main.domain or any(root.value in written for root in kernel.roots):
        return 0
    n = main.domain[0]
    if kernel.form == PRODUCT:
        return n if len(main.domain) == 2 and 0 not in main.domain else 0
    if kernel.form != NEST or schedules[kernel].pieces > 1:
        return 0
    alike = all(root.domain[:1] == (n,) and 0 not in root.domain for root in kernel.roots)
    return n if alike and main.form != "pieces" else 0


def _follows(kernel: Kernel, before: Sequence[Kernel], plan: Plan) -> bool:
    """Whether a block of rows of the kernel reads, of what was made before, the same rows only."""
    made = {root.value: root for k in before for root in k.roots}
    own = {root.value for root in kernel.roots}
    for root in kernel.roots:
        for r in root.reads:
            if r.leaf in made and r.leaf not in own and not _same_rows(r, root, made[r.leaf], plan):
                return False
    return True


def _same_rows(r: Read, root: Root, maker: Root, plan: Plan) -> bool:
    if maker.crosses_rows:
        return False
    if r.whole:  # by a product: its left operand goes row by row, its right one does not
        x, y = root.value.inputs
        left, _ = through_views(x, plan.forms, plan.stored)
        right, _ = through_views(y, plan.forms, plan.stored)
        if r.leaf is right or r.leaf is not left:
            return False
        return is_row_local(r.place, r.leaf.shape, x.shape, 1)
    high = r.place[0] + r.reach
    for n, s in zip(root.domain[1:], r.place[1][1:], strict=True):
        high += max(s, 0) * (n - 1)
    return is_row_local(r.place, r.leaf.shape, root.domain, 1) and high < prod(r.leaf.shape[1:])


def _cost(kernel: Kernel, schedules: dict[Kernel, Schedule]) -> float:
    """µs on one thread, about."""
    if kernel.form == NEST:
        return schedules[kernel].cost
    v = kernel.main.value
    per_us = 50e3 if v.dtype is float64 else 100e3
    products = prod(v.shape) * int(v.inputs[0].shape[-1])
    return float(2 * products / per_us)


def _made(kernels: Sequence[Kernel], schedules: dict[Kernel, Schedule], lanes: int) -> Region | None:
    """The region of these kernels, if it is worth one."""
    cost = sum(_cost(k, schedules) for k in kernels)
    if len(kernels) < 2 or cost < WORTH:
        return None
    rows = kernels[0].main.domain[0]
    nests = [schedules[k] for k in kernels if k.form == NEST]
    for blocks in BLOCKS:
        even = rows % blocks == 0 and rows // blocks >= FEWEST_ROWS and cost / blocks >= BLOCK
        if even and all(_divides(s, blocks, lanes) for s in nests):
            for s in nests:
                s.pieces, s.step = blocks, s.length // blocks
            return Region(list(kernels), blocks)
    return None


def _divides(s: Schedule, blocks: int, lanes: int) -> bool:
    """Whether blocks begin where vectors do."""
    return s.length % blocks == 0 and (not s.cuts_columns or s.length // blocks % lanes == 0)
