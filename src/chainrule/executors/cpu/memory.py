"""Where stored values lie: in the caller's arrays, in results, in one arena, or nowhere at all.

A result is computed in the memory that is returned; a written tensor's new value in the tensor's own memory,
if nothing reads the old one later. The rest share one arena, in which places are used again as soon as the
last kernel that reads them is over. Next: `nest.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Final

from ...graph.values import CONSTANT, PART, Value
from .access import is_identity
from .forms import PRODUCT
from .plan import NEST, Kernel, Plan
from .roots import Read, Root
from .schedule import Schedule, schedule

ALIGN: Final = 64  # bytes: a cache line, and the widest vector

ARGUMENT, RESULT, ARENA, DATA = "argument", "result", "arena", "data"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in memory: the number of an argument, result or constant, or a place in the arena, in bytes."""

    where: str
    at: int


@dataclass(eq=False, slots=True)
class Memory:
    """spots: of all values that have memory. copies: (written value, argument) to be copied at the end.
    schedules: of the nests. scratch: of kernels, (offset, bytes) in the arena. size: of the arena, in bytes.
    """

    spots: dict[Value, Spot]
    constants: list[Value]
    copies: list[tuple[Value, Value]]
    schedules: dict[Kernel, Schedule]
    scratch: dict[Kernel, int] = field(default_factory=dict)
    size: int = 0


def nbytes(v: Value) -> int:
    return int(prod(v.shape) * v.dtype.itemsize)


def schedules_of(plan: Plan) -> dict[Kernel, Schedule]:
    """The schedules of all nests."""
    results = {*plan.graph.outputs, *(v for _, v in plan.graph.writes)}
    schedules = {}
    for kernel in plan.kernels:
        if kernel.form == NEST:
            elsewhere = {r.leaf for k in plan.kernels if k is not kernel for r in k.reads}
            outside = {root.value for root in kernel.roots if root.value in results | elsewhere}
            schedules[kernel] = schedule(kernel, outside)
    return schedules


def place(plan: Plan, schedules: dict[Kernel, Schedule], scratch_bytes: dict[Kernel, int]) -> Memory:
    """Give every stored value its place. scratch_bytes: what kernels need for themselves."""
    graph, kernels = plan.graph, plan.kernels
    spots = {v: Spot(ARGUMENT, i) for i, v in enumerate(plan.arguments)}
    constants: list[Value] = []
    readers: dict[Value, set[Kernel]] = {}
    for kernel in kernels:
        for r in kernel.reads:
            readers.setdefault(r.leaf, set()).add(kernel)
            if r.leaf.kind == CONSTANT and r.leaf not in spots:
                spots[r.leaf] = Spot(DATA, len(constants))
                constants.append(r.leaf)

    number = {kernel: i for i, kernel in enumerate(kernels)}
    made: dict[Value, Kernel] = {}
    for v in graph.values:
        if v.kind == PART:
            made[v] = next(k for k in kernels if k.main.value is v.inputs[0])
    for kernel in kernels:
        for root in kernel.roots:
            made.setdefault(root.value, kernel)
    for i, v in enumerate(graph.outputs):
        spots[v] = Spot(RESULT, i)
    copies = []
    for c, v in graph.writes:
        if _carried(c, v, kernels) if v.kind == PART else _in_place(c, v, kernels):
            spots[v] = spots[c]
        else:
            copies.append((v, c))
    memory = Memory(spots, constants, copies, schedules)
    late = {v for v, _ in copies}
    spans: list[tuple[int, int, int, Value | Kernel]] = []  # first and last kernel, bytes, whose
    for v, kernel in made.items():
        first = number[kernel]
        if v in spots or (kernel.form == PRODUCT and v is kernel.main.value and not kernel.stores_product):
            continue
        s = schedules.get(kernel)
        if s is not None and (v in s.in_registers or v in s.of_row):
            continue
        if not isinstance(v.shape, tuple) or (v.shape and isinstance(v.shape[0], tuple)):
            continue  # an op with several results: its parts have places
        last = max((number[k] for k in readers.get(v, ())), default=first)
        last = len(kernels) if v in late else max(last, _last_made(v, kernels, number))
        spans.append((first, last, nbytes(v), v))
    for kernel, size in scratch_bytes.items():
        spans.append((number[kernel], number[kernel], size, kernel))
    memory.size = _fit(spans, memory)
    return memory


def _carried(c: Value, v: Value, kernels: list[Kernel]) -> bool:
    """Whether a loop that starts with c may carry v in its memory: nothing else reads c then or later."""
    whole = v.inputs[0]
    at = next(i for i, k in enumerate(kernels) if k.main.value is whole)
    if whole.inputs[v.index] is not c:
        return False
    reads = sum(r.leaf is c for r in kernels[at].reads)
    return reads == 1 and not any(r.leaf is c for k in kernels[at + 1 :] for r in k.reads)


def _last_made(v: Value, kernels: list[Kernel], number: dict[Kernel, int]) -> int:
    return max((number[k] for k in kernels if any(root.value is v for root in k.roots)), default=0)


def _in_place(c: Value, v: Value, kernels: Iterable[Kernel]) -> bool:
    """Whether v may be computed in the memory of c, whose old value is then gone."""
    seen = False
    for kernel in kernels:
        writing = [root for root in kernel.roots if root.value is v]
        if seen or writing:
            for root in kernel.roots:
                for r in root.reads:
                    if r.leaf is c and not (writing and _before(r, root, writing[0], kernel)):
                        return False
        seen = seen or bool(writing)
    return seen


def _before(r: Read, root: Root, writer: Root, kernel: Kernel) -> bool:
    """Whether root reads an element of the old value at the same point at which the writer replaces it."""
    if writer.form not in ("point",) or root.domain != writer.domain or root.form not in ("point", "fold"):
        return False
    if r.whole or r.reach or writer.dims:
        return False
    if kernel.form == NEST and not kernel.flat:
        return root is writer and is_identity(r.place, root.domain)
    return is_identity(r.place, root.domain)


def _fit(spans: list[tuple[int, int, int, Value | Kernel]], memory: Memory) -> int:
    """First fit, large ones first; returns the size of the arena."""
    taken: list[tuple[int, int, int, int]] = []  # first, last, start, end
    size = 0
    for first, last, length, owner in sorted(spans, key=lambda s: (-s[2], s[0])):
        at = 0
        for _, _, start, end in sorted(
            (t for t in taken if t[0] <= last and first <= t[1]), key=lambda t: t[2]
        ):
            if at + length <= start:
                break
            at = max(at, end)
        end = -(-(at + max(length, 1)) // ALIGN) * ALIGN
        taken.append((first, last, at, end))
        size = max(size, end)
        if isinstance(owner, Kernel):
            memory.scratch[owner] = at
        else:
            memory.spots[owner] = Spot(ARENA, at)
    return size
