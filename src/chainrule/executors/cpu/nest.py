"""Writes the loops of a nest: rows, passes over the columns of each row, stores.

Columns are walked in vectors; what is left over at the end of a row is one masked vector. Next: `product.py`,
for the kernels that are no nests; `module.py`, where all of them come together.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from llvmlite import ir

from ...graph.values import Value
from .folds import Folds
from .forms import FOLD, POINT, rule_of, weight
from .loops import STRAIGHT
from .memory import ALIGN, RESULT
from .plan import Plan
from .points import At, Level, int64_of
from .roots import Root
from .schedule import Axis, Pass
from .values import memory_type

BODY: Final = 40  # instructions from which on a loop's body is not written twice
PAST_CACHES: Final = 16 << 20  # bytes: what is larger is not in any cache when it is read next


class Nest(Folds):
    """Writes one nest into the function that its builder stands in."""

    # -- the whole -------------------------------------------------------------------------------------------

    def write(self) -> None:
        p, s = self.p, self.s
        p.row_dims = s.dims if not s.flat else 0
        p.inside = {root.value: root for root in self.kernel.roots}
        if self._nothing_to_do():
            return
        top = self._hoisting_point()
        top_end = self.builder.block
        p.levels = [Level(top)]
        for v, size in s.of_row.items():
            lanes = -(-size // self.lanes) * self.lanes
            p.row_buffers[v] = self._alloca(ir.ArrayType(memory_type(v.dtype), lanes))
        for root in self.kernel.roots:
            if root.crosses_rows:
                self._start_crossing(root)
        if s.rows:
            low, high = self._piece(prod(a.size for a in s.rows))
            with self._loop(low, high, 1) as row:
                self._row(row)
        else:
            self._row(None)
        for root in self.kernel.roots:
            if root.crosses_rows:
                self._finish_crossing(root)
        if any(self._goes_past(root, one) for one in s.passes for root in one.roots):
            self.builder.fence("seq_cst")  # such stores are ordered by nothing else
        self._close(top, top_end)

    def _nothing_to_do(self) -> bool:
        """Values without elements: only folds over nothing have a result."""
        if all(0 not in root.domain for root in self.kernel.roots):
            return False
        for root in self.kernel.roots:
            if root.dims and 0 not in root.value.shape:
                start = rule_of(root.value).start(root.value.dtype)
                pointer = self.p.slots.pointer(self.builder, self.p.table, root.value)
                self._fill(pointer, prod(root.value.shape), root.value, start)
        return True

    def _row(self, row: Any) -> None:
        p = self.p
        p.row_values = {}
        p.behind = set()
        known: dict[Any, Any] = {}
        indices = self._unravelled(row)
        for one in self.s.passes:
            before = self._hoisting_point()
            after = self.builder.block
            p.levels = [p.levels[0], Level(before, row, known)]
            p.axes = [(1, axis.dim, i) for axis, i in zip(self.s.rows, indices, strict=True)]
            self._pass(one)
            self._close(before, after)
            p.behind |= {root.value for root in one.roots}

    def _unravelled(self, row: Any) -> list[Any]:
        rows = self.s.rows
        if len(rows) == 1:
            return [row]
        out: list[Any] = []
        rest = row
        for axis in reversed(rows[1:]):
            out.append(self.builder.urem(rest, int64_of(axis.size)))
            rest = self.builder.udiv(rest, int64_of(axis.size))
        if rows:
            out.append(rest)
        return out[::-1]

    # -- one pass --------------------------------------------------------------------------------------------

    def _pass(self, one: Pass) -> None:
        self.p.single = len(one.axes) == 1
        folds = [r for r in one.roots if r.form == FOLD and r.dims]
        for root in folds:
            if not root.crosses_rows:
                self._start_in_row(root, one)
        if not one.axes:
            self.p.lanes = 1
            builder = self.p.levels[1].builder
            outer, self.builder = self.builder, builder
            self._body(one, self.p.levels[1], 0)
            self.builder = outer
            return
        self._columns(one, list(one.axes), [])

    def _columns(self, one: Pass, axes: list[Axis], outer: list[Axis]) -> None:
        """The loops over the columns, from the outermost."""
        p = self.p
        axis = axes[0]
        starting = [
            r
            for r in one.roots
            if r.form == FOLD and r.dims and self._in_registers(r, one) and self._begins(r, one, len(outer))
        ]
        for root in starting:
            self._start_total(root, one)
        if len(axes) > 1:
            with self._loop(int64_of(0), int64_of(axis.size), 1) as i:
                before = self._hoisting_point()
                after = self.builder.block
                p.levels.append(Level(before, i))
                p.axes.append((len(p.levels) - 1, axis.dim, i))
                self._columns(one, axes[1:], [*outer, axis])
                p.axes.pop()
                p.levels.pop()
                self._close(before, after)
        else:
            self._vectors(one, axis)
        for root in starting:
            self._finish_total(root, one)

    def _vectors(self, one: Pass, axis: Axis) -> None:
        """The innermost loop: whole vectors, then one with a mask."""
        p, n = self.p, axis.size
        p.lanes = self.lanes
        whole, tail = divmod(n, self.lanes)
        if self.s.cuts_columns and self.piece is not None:
            self._cut_columns(one, axis, tail)
            return
        if whole + bool(tail) <= STRAIGHT:
            for k in range(whole):
                self._instance(one, axis, int64_of(k * self.lanes), k, 0)
        elif whole:
            copies = self._copies(one, whole)
            looped = whole // copies * copies
            with self._loop(int64_of(0), int64_of(looped * self.lanes), copies * self.lanes) as i:
                for k in range(copies):
                    self._instance(one, axis, i, k, k * self.lanes)
            for k in range(looped, whole):
                self._instance(one, axis, int64_of(k * self.lanes), k - looped, 0)
        if tail:
            self._instance(one, axis, int64_of(whole * self.lanes), 0, 0, tail)

    def _cut_columns(self, one: Pass, axis: Axis, tail: int) -> None:
        """The part of the columns that belongs to this piece; the last piece has the masked vector."""
        low, high = self._piece(axis.size)
        b = self.builder
        end = b.and_(high, int64_of(-self.lanes)) if tail else high
        copies = self._copies(one, self.s.step // self.lanes)
        while self.s.step % (copies * self.lanes) or (axis.size - tail) % (copies * self.lanes):
            copies //= 2
        any_whole = axis.size - (self.s.pieces - 1) * self.s.step >= self.lanes
        if any_whole:
            with self._loop(low, end, copies * self.lanes) as i:
                for k in range(copies):
                    self._instance(one, axis, i, k, k * self.lanes)
        else:
            with b.if_then(b.icmp_signed("<", low, end)), self._loop(low, end, copies * self.lanes) as i:
                for k in range(copies):
                    self._instance(one, axis, i, k, k * self.lanes)
        if tail:
            with b.if_then(b.icmp_signed("<", end, high)):
                self._instance(one, axis, end, 0, 0, tail)

    def _copies(self, one: Pass, whole: int) -> int:
        """How many vectors one turn of the loop takes: more for short bodies, and for folds, which wait."""
        size = sum(self._size(r) for r in one.roots)
        folds = any(r.form == FOLD and r.dims and self._in_registers(r, one) for r in one.roots)
        copies = 1 if size > BODY else 2 if size > BODY // 2 else 4
        if folds and size <= 3 * BODY:
            copies = max(copies, 4 if size <= BODY else 2)
        while copies > 1 and whole < copies:
            copies //= 2
        return copies

    def _size(self, root: Root) -> int:
        return 4 + 3 * len(root.reads) + _inline_weight(root, self.p.plan)

    def _instance(self, one: Pass, axis: Axis, i: Any, copy: int, step: int, tail: int | None = None) -> None:
        p = self.p
        level = Level(self.builder, i)
        p.levels.append(level)
        p.axes.append((len(p.levels) - 1, axis.dim, i))
        p.step = step
        b = p.emitter(p.last)
        p.mask = None if tail is None else b.tail_mask(tail)
        self._body(one, level, copy)
        p.mask = None
        p.step = 0
        p.axes.pop()
        p.levels.pop()

    def _body(self, one: Pass, level: Level, copy: int) -> None:
        """Evaluate all roots of a pass at a point, then store: what is overwritten has been read before."""
        p = self.p
        results: list[tuple[Root, At]] = []
        for root in one.roots:
            p.root = root
            if root.form == POINT:
                out = p.value(root.value, start=True)
            else:
                assert root.source is not None
                out = p.value(root.source)
            results.append((root, out))
        self.builder = level.builder if not one.axes else self.builder
        for root, out in results:
            p.root = root
            if root.form == FOLD:
                self._fold(root, out, one, copy)
            else:
                self._store(root, out, one)

    # -- stores ----------------------------------------------------------------------------------------------

    def _store(self, root: Root, out: At, one: Pass) -> None:
        p = self.p
        v = root.value
        if v in self.s.in_registers:
            if not one.axes:
                p.row_values[v] = out
            return
        row = v in p.row_buffers
        base, least = (p.row_buffers[v], 1) if row else p.base(v)
        pointer, level, stride = p.address(base, least, v.dtype, *root.target, row)
        self._put(p.at_level(out, p.last), pointer, level, stride, row, self._goes_past(root, one))

    def _goes_past(self, root: Root, one: Pass) -> bool:
        """Whether stores go past the caches: a result larger than they are, in whole aligned vectors.

        An ordinary store reads the line that it is about to overwrite, a third of the traffic of `c = a + b`.
        """
        v = root.value
        spot = self.p.slots.spot(v)
        if spot is None or spot.where != RESULT or not one.axes or root.form != POINT:
            return False
        if any(r.leaf is v for kernel in self.p.plan.kernels for r in kernel.reads):
            return False
        large = prod(v.shape) * v.dtype.itemsize >= PAST_CACHES
        one_line = not self.s.rows and len(one.axes) == 1
        aligned = one_line or one.axes[-1].size % self.lanes == 0
        return large and aligned and self.lanes * v.dtype.itemsize <= ALIGN


def _inline_weight(root: Root, plan: Plan) -> int:
    """Instructions for one point of a root, what is computed on the way included."""
    seen: set[Value] = set()
    total = 0
    stack = [root.source] if root.source is not None else []
    first = True
    while stack:
        v = stack.pop()
        if v in seen or (v in plan.stored and not (first and root.form == POINT)):
            first = False
            continue
        first = False
        seen.add(v)
        form = plan.forms[v]
        if form == POINT:
            total += weight(v) or 0
        if form in ("point", "view"):
            stack += v.operands
        elif form == "pull":
            total += 10
    return total
