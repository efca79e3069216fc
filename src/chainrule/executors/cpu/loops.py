"""What nests of loops are written with: loops, code in front of loops, memory on the stack, stores.

Next: `folds.py`, then `nest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir

from ...graph.values import Value
from .emit import Emitter
from .plan import Kernel
from .points import Points, int64_of
from .roots import Root
from .schedule import Schedule
from .values import INT64, POINTER, V, constant, memory_type

STRAIGHT: Final = 4  # vectors of a row that are written out instead of looped over


class Loops:
    """Where the code of one nest is being written.

    builder: stands in the function.

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
