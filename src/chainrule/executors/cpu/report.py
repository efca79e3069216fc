"""What each kernel of a program costs, and how close that is to what this machine can do.

Counted are operations and bytes as the program asks for them. A product of (m, k) and (k, n) is 2mnk
operations, an elementwise op the instructions of its native rule, functions such as exp and divisions as a
dozen each (`forms.weight`), a fold one for each element. An array that a kernel reads or writes counts once,
with the elements that are touched, wherever it lies; what stays in registers or on the stack does not.

The limit of a kernel is the time in which the machine's best matrix product would do its operations, or its
fastest copy move its bytes, whichever is longer (`machine.py`). Times come from `timing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final

from ...core.dtypes import float64
from ...graph.graph import Graph
from ...graph.values import PART, Value
from . import machine, pool
from .forms import EPOCH, FOLD, NUMPY, PIECES, POINT, PRODUCT, weight
from .listing import computed, operations
from .memory import nbytes
from .module import Builder
from .plan import NEST, Kernel
from .roots import Read, Root
from .timing import Times, measure

_WIDEST: Final = 44  # characters of a list of ops


@dataclass(slots=True)
class Cost:
    """One line of a report. Of a kernel inside of a loop all runs together.

    title:   the number of the kernel, as in `show("kernels")`.
    what:    the ops that are fused in it.
    flops:   operations; None where they are not known (NumPy).
    bytes:   read and written.
    seconds: measured; None if that was not possible.
    limit:   seconds that they would take at the machine's measured rates.
    of:      which of these rates sets the limit: "product" or "copy".
    """

    title: str
    what: str
    flops: int | None
    bytes: int
    seconds: float | None
    limit: float
    of: str = ""

    @property
    def is_inside(self) -> bool:
        """Whether a loop's line has it already."""
        return "." in self.title


def report(graph: Graph) -> str:
    """The table of a graph's kernels, measured now."""
    times = measure(graph)
    rows = costs(times)
    return _text(graph, times, rows)


def costs(times: Times) -> list[Cost]:
    """A line for each kernel in order, those of a loop's body after the loop, then one for what is left."""
    rows = list(_costs(times.builder, times, "", 1))
    copied = sum(2 * nbytes(v) for v, _ in times.builder.memory.copies)
    what = "copies, and between kernels" if copied else "between kernels"
    rows.append(
        Cost("", what, 0, copied, times.between if times.runs else None, *_limit(0, copied, "float32"))
    )
    return rows


def total(times: Times, rows: list[Cost]) -> Cost:
    """All of a run."""
    outer = [row for row in rows if not row.is_inside]
    return Cost(
        "", "total", sum(row.flops or 0 for row in outer), sum(row.bytes for row in outer),
        times.total if times.runs else None, sum(row.limit for row in outer),
    )  # fmt: skip


def _costs(builder: Builder, times: Times, prefix: str, trips: int) -> Iterator[Cost]:
    for number, kernel in enumerate(builder.plan.kernels, 1):
        title = f"{prefix}{number}"
        seconds = times.of.get(kernel)
        if kernel.form == EPOCH:
            loop = kernel.main.value.data
            inner = builder.bodies[kernel].builder
            inside = list(_costs(inner, times, f"{title}.", trips * loop.trips))
            own = [row for row in inside if row.title.count(".") == title.count(".") + 1]
            yield Cost(
                title, f"loop, {loop.trips} times", sum(row.flops or 0 for row in own),
                sum(row.bytes for row in own), seconds, sum(row.limit for row in own),
            )  # fmt: skip
            yield from inside
            continue
        flops = None if kernel.form == NUMPY else trips * flops_of(builder, kernel)
        moved = trips * bytes_of(builder, kernel)
        limit = _limit(flops or 0, moved, _kind(kernel))
        yield Cost(title, _what(builder, kernel), flops, moved, seconds, *limit)


def _kind(kernel: Kernel) -> str:
    """The type whose matrix product is the kernel's measure."""
    return "float64" if any(root.value.dtype is float64 for root in kernel.roots) else "float32"


def _limit(flops: int, moved: int, kind: str) -> tuple[float, str]:
    """The least time, in seconds, and what sets it."""
    threads = pool.threads()
    rate = machine.product_rate(kind, threads) if flops else None
    product = flops / rate if rate else 0.0
    copy = moved / machine.copy_bandwidth(threads) if moved else 0.0
    return (product, "product") if product > copy else (copy, "copy" if moved else "")


def _what(builder: Builder, kernel: Kernel) -> str:
    if kernel.form == NUMPY:
        op = kernel.main.value.op
        return f"NumPy: {op.name if op is not None else kernel.form}"
    counts: dict[str, int] = {}
    for name in operations(builder, kernel):
        counts[name] = counts.get(name, 0) + 1
    if not counts:
        return "copy"
    words = [name if n == 1 else f"{n} {name}" for name, n in counts.items()]
    while len(", ".join(words)) > _WIDEST and len(words) > 1:
        words = [*words[:-2], "..."] if words[-1] == "..." else [*words[:-1], "..."]
    return ", ".join(words)


# -- counting ------------------------------------------------------------------------------------------------


def flops_of(builder: Builder, kernel: Kernel) -> int:
    """The operations of one run of a kernel."""
    folds = sum(prod(root.domain) for root in kernel.roots if root.form == FOLD)
    out = folds
    for v, points in computed(builder, kernel).items():
        if v.kind != PART and builder.plan.forms[v] == POINT:
            out += (weight(v) or 0) * min(prod(v.shape), points)
    if kernel.form == PRODUCT:
        out += 2 * prod(kernel.main.value.shape) * kernel.main.value.inputs[0].shape[-1]
    return out


def bytes_of(builder: Builder, kernel: Kernel) -> int:
    """The bytes that one run of a kernel reads and writes: each array once."""
    mine = {root.value for root in kernel.roots}
    read: dict[Value, int] = {}
    if kernel.form == PRODUCT:
        for (base, _), x in zip(builder.products[kernel].operands, kernel.main.value.inputs, strict=True):
            read[base] = max(read.get(base, 0), min(nbytes(base), nbytes(x)))
    for root in kernel.roots:
        for r in root.reads:
            if r.leaf not in mine and not (kernel.form == PRODUCT and r.whole):
                read[r.leaf] = max(read.get(r.leaf, 0), _touched(r, root))
    return sum(read.values()) + sum(_written(builder, kernel, root) for root in kernel.roots)


def _touched(r: Read, root: Root) -> int:
    """Bytes of memory that a root reads in this way."""
    if r.whole:
        return nbytes(r.leaf)
    moving = prod(n for n, s in zip(root.domain, r.place[1], strict=True) if s)
    points = prod(root.domain) if r.reach else moving
    return int(min(points * r.leaf.dtype.itemsize, nbytes(r.leaf)))


def _written(builder: Builder, kernel: Kernel, root: Root) -> int:
    """Bytes of memory that a root writes; 0 if its value stays in registers or in the row's buffer."""
    v = root.value
    if isinstance(v.dtype, tuple):
        parts = [x for x in builder.graph.values if x.kind == PART and x.inputs[0] is v]
        return sum(map(nbytes, parts))
    s = builder.memory.schedules.get(kernel) if kernel.form == NEST else None
    if v not in builder.memory.spots or (s is not None and (v in s.in_registers or v in s.of_row)):
        return 0
    return prod(root.domain) * v.dtype.itemsize if root.form == PIECES else nbytes(v)


# -- the table -----------------------------------------------------------------------------------------------

_HEADS: Final = ("", "kernel", "flops", "bytes", "µs", "Gflop/s", "GB/s", "of limit", "")


def _text(graph: Graph, times: Times, rows: list[Cost]) -> str:
    whole = total(times, rows)
    cells = [_HEADS, *(_cells(row) for row in rows), _cells(whole)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_HEADS))]
    lines = []
    for line in cells:
        left = [f"{text:<{w}}" for text, w in zip(line[:2], widths[:2], strict=True)]
        right = [f"{text:>{w}}" for text, w in zip(line[2:-1], widths[2:-1], strict=True)]
        lines.append("  ".join([*left, *right, line[-1]]).rstrip())
    rule = "-" * max(map(len, lines))
    table = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
    return "\n".join([f"{graph.name}: what a run costs", "", *table, "", *_notes(times, rows, whole)])


def _notes(times: Times, rows: list[Cost], whole: Cost) -> Iterator[str]:
    threads = pool.threads()
    kinds = ["float32"]
    if any(_kind(kernel) == "float64" for kernel in times.builder.shared.timed or ()):
        kinds.append("float64")
    rates = [(kind, machine.product_rate(kind, threads)) for kind in kinds]
    known = [f"{rate / 1e9:.0f} Gflop/s in {kind} products" for kind, rate in rates if rate]
    known.append(f"{machine.copy_bandwidth(threads) / 1e9:.1f} GB/s in copies")
    on = "one thread" if threads == 1 else f"{threads} threads"
    yield f"limits of {on}, measured here: {', '.join(known)}"
    if times.problem:
        yield times.problem
    elif whole.seconds:
        yield (
            f"at these limits a run would take {_number(whole.limit * 1e6)} µs; it takes "
            f"{_number(whole.seconds * 1e6)} µs ({_runs(times.runs)} on made-up numbers)"
        )
    if any(row.seconds and row.limit > row.seconds for row in rows):
        yield "more than 100%: arrays in caches, which are faster than memory; products that beat BLAS;"
        yield "    or a machine that was busy when its limits were measured"
    if any(row.flops is None for row in rows):
        yield 'operations of NumPy are not counted; show("kernels") says why it computes them'


def _runs(n: int) -> str:
    return f"medians of {n} runs" if n > 1 else "one run"


def _cells(row: Cost) -> tuple[str, ...]:
    margin = "  " * row.title.count(".")
    t = row.seconds
    flops = "?" if row.flops is None else _count(row.flops)
    share = f"{100 * row.limit / t:.0f}%" if t and (row.bytes or row.flops) else ""
    return (
        margin + row.title, row.what, flops, _count(row.bytes), "" if t is None else _number(t * 1e6),
        _number(row.flops / t / 1e9) if t and row.flops else "",
        _number(row.bytes / t / 1e9) if t and row.bytes else "", share, row.of if share else "",
    )  # fmt: skip


def _count(n: int) -> str:
    """A number in three digits: 12, 3.4k, 56M; nothing for none."""
    if not n:
        return ""
    x = float(n)
    for unit in ("", "k", "M", "G"):
        if x < 999.5:
            return f"{n}" if not unit else f"{x:.3g}{unit}"
        x /= 1000
    return f"{x:.3g}T"


def _number(x: float) -> str:
    """Three digits, without an exponent."""
    return f"{x:.2f}" if x < 9.995 else f"{x:.1f}" if x < 99.95 else f"{x:.0f}"
