"""Writes the loops of a nest: rows, passes over the columns of each row, stores, and running totals of folds.

Columns are walked in vectors; what is left over at the end of a row is one masked vector. A fold along the
vector axis keeps several running totals, as many as the loop is unrolled, added up in a fixed order at the
end. A fold along other axes combines into memory: a buffer on the stack if it is small, which LLVM turns into
registers. Next: `program.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from llvmlite import ir

from ...graph.values import Value
from .emit import Emitter
from .forms import FOLD, POINT, rule_of, weight
from .memory import ALIGN, RESULT
from .plan import Kernel, Plan, Root
from .points import At, Level, Points, int64_of
from .schedule import Axis, Pass, Schedule
from .values import INT64, POINTER, V, constant, element_type, memory_type, vector

STRAIGHT: Final = 4  # vectors of a row that are written out instead of looped over
BODY: Final = 40  # instructions from which on a loop's body is not written twice
PAST_CACHES: Final = 16 << 20  # bytes: what is larger is not in any cache when it is read next
STACK: Final = 1 << 12  # bytes of running totals that may lie on the stack


@dataclass(eq=False, slots=True)
class _Total:
    """Running totals of a fold in registers: one for each copy of the loop's body."""

    root: Root
    cells: list[Any]
    lanes: int


class Nest:
    """Writes one nest into the function that `builder` stands in.

    piece:   the number of the piece to compute (an LLVM value), or None if there is only one.
    partial: where the totals of pieces go that are combined afterwards: root -> address of the first piece's.
    """

    def __init__(
        self,
        kernel: Kernel,
        s: Schedule,
        points: Points,
        builder: Any,
        lanes: int,
        piece: Any,
        partial: dict[Root, Any],
    ) -> None:
        self.kernel = kernel
        self.s = s
        self.p = points
        self.builder = builder
        self.lanes = lanes
        self.piece = piece
        self.partial = partial
        self.entry = builder.function.entry_basic_block
        self.totals: dict[Root, _Total] = {}
        self.cells: dict[Root, Any] = {}  # memory that a fold combines into

    # -- blocks ----------------------------------------------------------------------------------------------

    def _alloca(self, typ: Any, align: int = 64) -> Any:
        """Memory on the stack, taken once when the function is entered."""
        b = ir.IRBuilder(self.entry)
        b.position_at_start(self.entry)
        cell = b.alloca(typ)
        cell.align = align
        cell.type = POINTER  # llvmlite would remember what it points to
        return cell

    def _hoisting_point(self) -> Any:
        """A builder for code in front of what is written from now on."""
        block = self.builder.append_basic_block("before")
        self.builder.branch(block)
        before = ir.IRBuilder(block)
        after = self.builder.append_basic_block("body")
        self.builder.position_at_end(after)
        return before

    def _close(self, before: Any, after: Any) -> None:
        """End the code in front."""
        before.branch(after)

    @contextmanager
    def _loop(self, low: Any, high: Any, step: int) -> Iterator[Any]:
        """A loop that runs at least once. Yields the running number."""
        b = self.builder
        start = b.block
        body = b.append_basic_block("loop")
        b.branch(body)
        b.position_at_end(body)
        i = b.phi(INT64)
        i.add_incoming(low, start)
        yield i
        following = b.add(i, int64_of(step), flags=("nsw",))
        i.add_incoming(following, b.block)
        after = b.append_basic_block("after")
        b.cbranch(b.icmp_signed("<", following, high), body, after)
        b.position_at_end(after)

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

    def _piece(self, length: int) -> tuple[Any, Any]:
        """From where to where this piece runs."""
        if self.piece is None:
            return int64_of(0), int64_of(length)
        b = self.builder
        low = b.mul(self.piece, int64_of(self.s.step))
        high = b.add(low, int64_of(self.s.step))
        if self.s.pieces * self.s.step != length:
            high = b.select(b.icmp_signed("<", high, int64_of(length)), high, int64_of(length))
        return low, high

    def _row(self, row: Any) -> None:
        p = self.p
        p.row_values = {}
        known: dict[Any, Any] = {}
        indices = self._unravelled(row)
        for one in self.s.passes:
            before = self._hoisting_point()
            after = self.builder.block
            p.levels = [p.levels[0], Level(before, row, known)]
            p.axes = [(1, axis.dim, i) for axis, i in zip(self.s.rows, indices, strict=True)]
            self._pass(one)
            self._close(before, after)

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

    def _put(self, x: V, pointer: Any, level: int, stride: int, row: bool, past: bool = False) -> None:
        """Store a vector. past: past the caches, where it was found that nobody reads it soon."""
        p = self.p
        b = p.emitter(p.last)
        if past and p.mask is None and x.lanes > 1:
            store = b.builder.store(b._stored(x), pointer, align=x.lanes * x.dtype.itemsize)
            store.set_metadata("nontemporal", b.builder.module.add_metadata([ir.IntType(32)(1)]))
            return
        if p.lanes == 1 or stride == 1:
            b.store(x, pointer, None if row and p.single else p.mask)
        elif stride == 0:
            b.scalars().store(b.extract(x, 0), pointer)
        else:
            b.scatter(x, pointer, p._spaced(stride), p.mask)

    def _fill(self, pointer: Any, count: int, v: Value, number: Any) -> None:
        """Write a number into memory, scalar by scalar if there is no whole vector."""
        lanes = self.lanes if count % self.lanes == 0 or count > self.lanes else 1
        b = Emitter(self.builder, lanes, self.p.math)
        x = V(constant(number, v.dtype, lanes), v.dtype)
        whole = count // lanes
        typ = memory_type(v.dtype)
        if whole <= STRAIGHT:
            for k in range(whole):
                b.store(x, self.builder.gep(pointer, [int64_of(k * lanes)], source_etype=typ))
        else:
            with self._loop(int64_of(0), int64_of(whole * lanes), lanes) as i:
                b.store(x, self.builder.gep(pointer, [i], source_etype=typ))
        rest = count - whole * lanes
        if rest:
            b.store(
                x, self.builder.gep(pointer, [int64_of(whole * lanes)], source_etype=typ), b.tail_mask(rest)
            )

    # -- folds -----------------------------------------------------------------------------------------------

    def _target(self, root: Root, axis: Axis) -> int:
        return root.target[1][axis.dim]

    def _in_registers(self, root: Root, one: Pass) -> bool:
        """Whether the fold runs along the vectors, so that running totals are in registers."""
        return bool(one.axes) and self._target(root, one.axes[-1]) == 0

    def _begins(self, root: Root, one: Pass, depth: int) -> bool:
        """Whether all loops from this depth on are folded, and the one outside is not (or is the row's)."""
        if any(self._target(root, a) for a in one.axes[depth:]):
            return False
        if root.crosses_rows and not any(self._target(root, a) for a in one.axes):
            return False  # its totals run through all rows
        return depth == 0 or self._target(root, one.axes[depth - 1]) != 0

    def _needs_memory(self, root: Root, one: Pass) -> bool:
        """Whether results of inner loops are combined in memory: some folded loop has a kept one inside."""
        if not one.axes:
            return False
        if not self._in_registers(root, one):
            return True
        kept = [bool(self._target(root, a)) for a in one.axes]
        first = kept.index(True) if True in kept else len(kept)
        return (root.crosses_rows and True in kept) or (True in kept and not all(kept[:1]) and first > 0)

    def _start_total(self, root: Root, one: Pass, lanes: int = 0) -> None:
        lanes = lanes or (self.lanes if one.axes else 1)
        whole = one.axes[-1].size // self.lanes if one.axes else 1
        count = (
            self._copies(one, max(whole, 1))
            if whole > STRAIGHT or self.s.cuts_columns
            else max(1, min(whole, STRAIGHT))
        )
        typ = vector(element_type(root.value.dtype), lanes)
        cells = [self._alloca(typ) for _ in range(count)]
        start = self._start_number(root)
        for cell in cells:
            self.builder.store(constant(start, root.value.dtype, lanes), cell)
        self.totals[root] = _Total(root, cells, lanes)

    def _start_number(self, root: Root) -> Any:
        return rule_of(root.value).start(root.value.dtype)

    def _fold(self, root: Root, out: At, one: Pass, copy: int) -> None:
        """Combine the elements at this point with what was folded so far."""
        p = self.p
        rule = rule_of(root.value)
        b = p.emitter(p.last)
        d = root.value.dtype
        x = p.at_level(out, p.last)
        x = rule.element(b, x, d) if rule.element is not None else b.cast(x, d)
        if not root.dims:
            p.levels[p.last].known[root.value, ()] = At(x, p.last)
            self._store(root, At(x, p.last), one)
            return
        total = self.totals.get(root)
        if total is None and root not in self.cells:  # one element in each slice
            self._store(root, At(x, p.last), one)
            return
        if total is not None:
            if p.mask is not None:
                x = b.select(p.mask, x, self._start_number(root))
            cell = total.cells[copy % len(total.cells)]
            old = V(self.builder.load(cell, typ=x.ir.type), d)
            self.builder.store(rule.combine(b, old, x).ir, cell)
            return
        base, strides, row = self.cells[root]
        pointer, level, stride = p.address(base, 1, d, 0, strides, row)
        if p.lanes > 1 and stride == 0:
            raise AssertionError("a fold along the vectors has totals")
        mask = p.mask
        if stride in (0, 1) or p.lanes == 1:
            old = b.load(pointer, d, None if row and p.single else mask)
            self._put(rule.combine(b, old, x), pointer, level, 1, row)
        else:
            old = b.gather(pointer, p._spaced(stride), d, mask)
            self._put(rule.combine(b, old, x), pointer, level, stride, row)

    def _finish_total(self, root: Root, one: Pass) -> None:
        """Running totals to one number, and that to where it belongs."""
        p = self.p
        x = self._sum_up(root)
        d = root.value.dtype
        b = Emitter(self.builder, 1, p.math)
        if root in self.cells:
            base, strides, row = self.cells[root]
            pointer, _, _ = self._outside_address(base, d, 0, strides, row)
            rule = rule_of(root.value)
            old = b.load(pointer, d)
            b.store(rule.combine(b, old, x), pointer)
            return
        v = root.value
        if not root.crosses_rows and not any(self._target(root, a) for a in one.axes):
            p.row_values[v] = At(x, 1)
            if v in self.s.in_registers:
                return
        row = v in p.row_buffers
        base = p.row_buffers[v] if row else p.base(v)[0]
        pointer, _, _ = self._outside_address(base, d, root.target[0], root.target[1], row)
        b.store(x, pointer)

    def _outside_address(self, base: Any, d: Any, offset: int, strides: Sequence[int], row: bool) -> Any:
        """An address at the loops that are open now, written where the builder stands."""
        p = self.p
        pointer = base
        b = self.builder
        if offset:
            pointer = b.gep(pointer, [int64_of(offset)], source_etype=memory_type(d))
        for _, dim, index in p.axes:
            stride = strides[dim] if dim < len(strides) else 0
            if stride and not (row and dim < p.row_dims):
                number = index if stride == 1 else b.mul(index, int64_of(stride))
                pointer = b.gep(pointer, [number], source_etype=memory_type(d))
        return pointer, 0, 0

    def _sum_up(self, root: Root) -> V:
        """All running totals of a fold combined: copies in pairs, then the lanes, halves onto halves."""
        total = self.totals.pop(root)
        d = root.value.dtype
        rule = rule_of(root.value)
        b = Emitter(self.builder, total.lanes, self.p.math)
        typ = vector(element_type(d), total.lanes)
        xs = [V(self.builder.load(cell, typ=typ), d) for cell in total.cells]
        while len(xs) > 1:
            pairs = [rule.combine(b, xs[k], xs[k + 1]) for k in range(0, len(xs) - 1, 2)]
            xs = pairs + ([xs[-1]] if len(xs) % 2 else [])
        x = xs[0]
        return b._halved(x, lambda low, high: rule.combine(b, low, high))

    def _start_in_row(self, root: Root, one: Pass) -> None:
        """Memory that a fold within the row combines into, with the number that changes nothing."""
        if not self._needs_memory(root, one):
            return
        v = root.value
        row = v in self.p.row_buffers
        if v in self.s.in_registers:
            buffer = self._alloca(ir.ArrayType(memory_type(v.dtype), self.lanes))
            self.p.row_buffers[v] = buffer
            row = True
        base = self.p.row_buffers[v] if row else self.p.base(v)[0]
        size = prod(v.shape[self.s.dims :])
        if row:
            size = -(-size // self.lanes) * self.lanes
        start, _, _ = self._outside_address(base, v.dtype, root.target[0], root.target[1], row)
        self._fill(start, size, v, self._start_number(root))
        self.cells[root] = (base, root.target[1], row)

    # -- folds over the rows -------------------------------------------------------------------------------

    def _start_crossing(self, root: Root) -> None:
        one = next(x for x in self.s.passes if root in x.roots)
        if not self._needs_memory(root, one) and not any(self._target(root, a) for a in one.axes):
            self._start_total(root, one)
            return
        v = root.value
        size = prod(v.shape)
        padded = -(-size // self.lanes) * self.lanes
        if padded * v.dtype.itemsize <= STACK:
            base = self._alloca(ir.ArrayType(memory_type(v.dtype), padded))
            self._fill(base, padded, v, self._start_number(root))
            self.cells[root] = (base, root.target[1], True)
            return
        base = self._result(root)
        self._fill(base, size, v, self._start_number(root))
        self.cells[root] = (base, root.target[1], False)

    def _result(self, root: Root) -> Any:
        """Where the fold of this piece goes in the end."""
        first = self.partial.get(root)
        v = root.value
        if first is None:
            return self.p.slots.pointer(self.builder, self.p.table, v)
        step = self.builder.mul(self.piece, int64_of(prod(v.shape)))
        return self.builder.gep(first, [step], source_etype=memory_type(v.dtype))

    def _finish_crossing(self, root: Root) -> None:
        v = root.value
        if root in self.totals:
            x = self._sum_up(root)
            Emitter(self.builder, 1, self.p.math).store(x, self._result(root))
            return
        base, _, on_stack = self.cells[root]
        if on_stack:
            self._copy(base, self._result(root), prod(v.shape), v)

    def _copy(self, source: Any, target: Any, count: int, v: Value) -> None:
        self._each(count, lambda b, at, mask: b.store(b.load(at(source), v.dtype), at(target), mask), v)

    def _each(self, count: int, act: Callable[[Emitter, Any, Any], None], v: Value) -> None:
        """`act` for each vector of `count` elements: (emitter, address of the vector in an array, mask)."""
        typ = memory_type(v.dtype)
        b = Emitter(self.builder, self.lanes, self.p.math)
        whole, rest = divmod(count, self.lanes)

        def at(i: Any) -> Any:
            return lambda pointer: self.builder.gep(pointer, [i], source_etype=typ)

        if whole <= STRAIGHT:
            for k in range(whole):
                act(b, at(int64_of(k * self.lanes)), None)
        else:
            with self._loop(int64_of(0), int64_of(whole * self.lanes), self.lanes) as i:
                act(b, at(i), None)
        if rest:
            act(b, at(int64_of(whole * self.lanes)), b.tail_mask(rest))

    def combine_pieces(self, root: Root, pieces: int) -> None:
        """The totals of all pieces, in order, into the result."""
        v = root.value
        rule = rule_of(v)
        target = self.p.slots.pointer(self.builder, self.p.table, v)
        first = self.partial[root]
        size = prod(v.shape)
        if size == 1:
            b = Emitter(self.builder, 1, self.p.math)
            total = b.load(first, v.dtype)
            for k in range(1, pieces):
                total = rule.combine(
                    b,
                    total,
                    b.load(
                        self.builder.gep(first, [int64_of(k)], source_etype=memory_type(v.dtype)), v.dtype
                    ),
                )
            b.store(total, target)
            return

        def act(b: Emitter, at: Any, mask: Any) -> None:
            total = b.load(at(first), v.dtype, mask)
            for k in range(1, pieces):
                start = self.builder.gep(first, [int64_of(k * size)], source_etype=memory_type(v.dtype))
                total = rule.combine(b, total, b.load(at(start), v.dtype, mask))
            b.store(total, at(target), mask)

        self._each(size, act, v)


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
