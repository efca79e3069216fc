"""Writes running totals: in registers along the vectors, in memory along other axes, for each piece.

A fold along the vector axis keeps several running totals, as many as the loop is unrolled, added up in a
fixed order at the end. A fold along other axes combines into memory: a buffer on the stack if it is small,
which LLVM turns into registers. Next: `nest.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from llvmlite import ir

from .emit import Emitter
from .forms import rule_of
from .loops import STRAIGHT, Loops
from .points import At, int64_of
from .roots import Root
from .schedule import Axis, Pass
from .values import V, constant, element_type, memory_type, vector

STACK: Final = 1 << 12  # bytes of running totals that may lie on the stack


@dataclass(eq=False, slots=True)
class _Total:
    """Running totals of a fold in registers: one for each copy of the loop's body."""

    root: Root
    cells: list[Any]
    lanes: int


class Folds(Loops):
    """The part of a nest that folds.

    totals: running totals in registers.
    cells:  memory that a fold combines into: (address, strides, whether it is a buffer of the row).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.totals: dict[Root, _Total] = {}
        self.cells: dict[Root, Any] = {}

    # Given by Nest.
    _copies: Callable[[Pass, int], int]
    _store: Callable[[Root, At, Pass], None]

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
