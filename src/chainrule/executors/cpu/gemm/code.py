"""Small words for vector code on an LLVM builder: loops, loads, stores, transposes and sums of lanes.

Only what matrix products need; offsets are counted in elements of one floating type. It knows nothing about
products: `outer.py` and `dots.py` hold the register tiles that are written with these words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from llvmlite import ir

Value = Any  # an LLVM value: llvmlite ships no types
INDEX = ir.IntType(64)
BIT = ir.IntType(1)
LANE = ir.IntType(32)


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least `n`."""
    return 1 << max(0, n - 1).bit_length()


class Code:
    """The builder at its current position, with one floating type for all numbers."""

    def __init__(self, builder: Value, size: int):
        self.b = builder
        self.size = size  # bytes of an element
        self.type = ir.FloatType() if size == 4 else ir.DoubleType()

    # -- integers and addresses -------------------------------------------------------------------------

    def index(self, x: Value | int) -> Value:
        return ir.Constant(INDEX, x) if isinstance(x, int) else x

    def add(self, x: Value | int, y: Value | int) -> Value | int:
        if isinstance(x, int) and isinstance(y, int):
            return x + y
        if isinstance(y, int) and y == 0:
            return x
        if isinstance(x, int) and x == 0:
            return y
        return self.b.add(self.index(x), self.index(y), flags=["nsw"])

    def mul(self, x: Value | int, y: int) -> Value | int:
        if isinstance(x, int):
            return x * y
        if y == 0:
            return 0
        return x if y == 1 else self.b.mul(x, self.index(y), flags=["nsw"])

    def divided(self, x: Value | int, by: int) -> tuple[Value | int, Value | int]:
        """Quotient and remainder of an x that is not negative."""
        if isinstance(x, int):
            return divmod(x, by)
        if by == 1:
            return x, 0
        return self.b.udiv(x, self.index(by)), self.b.urem(x, self.index(by))

    def smaller(self, x: Value | int, y: Value | int) -> Value | int:
        if isinstance(x, int) and isinstance(y, int):
            return min(x, y)
        x, y = self.index(x), self.index(y)
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    def at(self, pointer: Value, offset: Value | int) -> Value:
        """The address `offset` elements further."""
        if isinstance(offset, int) and offset == 0:
            return pointer
        return self.b.gep(pointer, [self.index(offset)], inbounds=True, source_etype=self.type)

    def bytes_at(self, pointer: Value, offset: Value | int) -> Value:
        if isinstance(offset, int) and offset == 0:
            return pointer
        return self.b.gep(pointer, [self.index(offset)], inbounds=True, source_etype=ir.IntType(8))

    def entry(self, indices: Value, position: Value | int) -> Value:
        """indices[position], of a vector of int64."""
        where = self.b.gep(indices, [self.index(position)], inbounds=True, source_etype=INDEX)
        return self.b.load(where, typ=INDEX, align=8)

    # -- vectors ----------------------------------------------------------------------------------------

    def vector(self, lanes: int) -> ir.VectorType:
        return ir.VectorType(self.type, lanes)

    def zero(self, lanes: int) -> Value:
        return ir.Constant(self.vector(lanes), [ir.Constant(self.type, 0.0)] * lanes)

    def undefined(self, lanes: int) -> Value:
        return ir.Constant(self.vector(lanes), ir.Undefined)

    def load(self, pointer: Value, lanes: int, valid: int | None = None, align: int | None = None) -> Value:
        """`lanes` elements from `pointer` on. Only the first `valid` are read, the others are zero."""
        kind = self.vector(lanes)
        if valid is None or valid == lanes:
            return self.b.load(pointer, typ=kind, align=align or self.size)
        load = self._intrinsic(
            "llvm.masked.load", kind, [ir.PointerType(), LANE, ir.VectorType(BIT, lanes), kind], "p0"
        )
        return self.b.call(
            load, [pointer, ir.Constant(LANE, align or self.size), self._mask(lanes, valid), self.zero(lanes)]
        )

    def store(self, value: Value, pointer: Value, valid: int | None = None, align: int | None = None) -> None:
        kind = value.type
        lanes = kind.count
        if valid is None or valid == lanes:
            self.b.store(value, pointer, align=align or self.size)
            return
        mask = ir.VectorType(BIT, lanes)
        store = self._function(
            f"llvm.masked.store.{self._suffix(kind)}.p0", ir.VoidType(), [kind, ir.PointerType(), LANE, mask]
        )
        self.b.call(store, [value, pointer, ir.Constant(LANE, align or self.size), self._mask(lanes, valid)])

    def scalar(self, pointer: Value) -> Value:
        return self.b.load(pointer, typ=self.type, align=self.size)

    def spread(self, pointer: Value, lanes: int) -> Value:
        """One element from memory, in all lanes."""
        one = self.b.insert_element(self.undefined(lanes), self.scalar(pointer), ir.Constant(LANE, 0))
        return self.shuffle(one, one, [0] * lanes)

    def shuffle(self, x: Value, y: Value, lanes: Sequence[int]) -> Value:
        chosen = ir.Constant(ir.VectorType(LANE, len(lanes)), [ir.Constant(LANE, i) for i in lanes])
        return self.b.shuffle_vector(x, y, chosen)

    def muladd(self, x: Value, y: Value, z: Value) -> Value:
        """x*y + z, rounded once where the processor can."""
        kind = x.type
        return self.b.call(self._intrinsic("llvm.fmuladd", kind, [kind, kind, kind]), [x, y, z])

    def fetch(self, pointer: Value, near: int = 3) -> None:
        """Ask for the cache line of `pointer`, any address: 3 for the first-level cache, 2 for the second."""
        hint = self._function("llvm.prefetch.p0", ir.VoidType(), [ir.PointerType(), LANE, LANE, LANE])
        self.b.call(hint, [pointer, *[ir.Constant(LANE, x) for x in (0, near, 1)]])

    def room(self, elements: int) -> Value:
        """Memory on the stack, aligned for vectors; taken once in a call of the function."""
        with self.b.goto_entry_block():
            memory = self.b.alloca(self.type, size=ir.Constant(LANE, elements))
        memory.align = 64
        memory.type = ir.PointerType()  # llvmlite still gives it a pointer type with an element
        return memory

    def quarter(self, lanes: int) -> int:
        """Elements in 128 bits: inside them lanes change places in a single cycle."""
        return min(lanes, 16 // self.size)

    def columns(self, rows: Sequence[Value], valid: int | None = None) -> list[Value]:
        """The first few elements behind each of `rows` addresses, turned round: a vector for each element.

        As many elements as fit in 128 bits; only `valid` of them are read.
        """
        lanes = len(rows)
        near = self.quarter(lanes)
        block = [self.join([self.load(row, near, valid) for row in rows[i::near]]) for i in range(near)]
        return self._turned_quarters(block)[:valid]

    def join(self, parts: Sequence[Value]) -> Value:
        """One vector with the lanes of equally wide ones, whose number is a power of two."""
        parts = list(parts)
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [self.shuffle(x, y, range(2 * x.type.count)) for x, y in pairs]
        return parts[0]

    def _turned_quarters(self, block: Sequence[Value]) -> list[Value]:
        """Squares of elements, one in each quarter, turned round.

        Interleaving the first half of the vectors with the second moves the top bit of an element's position
        to the bottom. As often as there are bits, and rows have become columns.
        """
        lanes, near = block[0].type.count, len(block)
        low = [q + i // 2 + lanes * (i % 2) for q in range(0, lanes, near) for i in range(near)]
        high = [i + near // 2 for i in low]
        for _ in range(near.bit_length() - 1):
            pairs = zip(block[: near // 2], block[near // 2 :], strict=True)
            block = [self.shuffle(x, y, half) for x, y in pairs for half in (low, high)]
        return list(block)

    def transpose(self, rows: Sequence[Value]) -> list[Value]:
        """The columns of at most as many rows as there are lanes; missing rows give undefined elements."""
        lanes = rows[0].type.count
        near = self.quarter(lanes)
        rows = self._filled(rows)
        squares = [self._turned_quarters(rows[i : i + near]) for i in range(0, lanes, near)]
        even = [q + i for q in range(0, 2 * lanes, 2 * near) for i in range(near)]
        odd = [i + near for i in even]
        columns: list[Value] = [None] * lanes
        for i in range(near):
            block = [square[i] for square in squares]
            for _ in range(len(squares).bit_length() - 1):  # whole quarters change places
                pairs = list(zip(block[::2], block[1::2], strict=True))
                block = [self.shuffle(x, y, part) for part in (even, odd) for x, y in pairs]
            columns[i::near] = block
        return columns

    def combined(self, sums: Sequence[Value], count: int) -> list[Value]:
        """Several sums of each of `count` elements, added up by halves."""
        sums = list(sums)
        while len(sums) > count:
            half = len(sums) // 2
            sums = [self.b.fadd(x, y) for x, y in zip(sums[:half], sums[half:], strict=True)]
        return sums

    def sums(self, vectors: Sequence[Value]) -> Value:
        """One vector with the sum of the lanes of each given one (their number rounded up to a power of 2).

        Halves are added in pairs, inside quarters first, so the order of additions depends on the lanes only.
        """
        lanes = vectors[0].type.count
        if len(vectors) > lanes:
            total = power_of_two(len(vectors))
            vectors = [*vectors, *[self.undefined(lanes)] * (total - len(vectors))]
            return self.join([self.sums(vectors[i : i + lanes]) for i in range(0, total, lanes)])
        quarter = self.quarter(lanes)
        block = self._filled(vectors)
        piece = quarter // 2
        while piece:
            low = [
                v * lanes + q + s + i
                for q in range(0, lanes, quarter)
                for v in (0, 1)
                for s in range(0, quarter, 2 * piece)
                for i in range(piece)
            ]
            block = self._added(block, low, [i + piece for i in low])
            piece //= 2
        even = [q + i for q in range(0, 2 * lanes, 2 * quarter) for i in range(quarter)]
        while len(block) > 1:
            block = self._added(block, even, [i + quarter for i in even])
        count = max(2, power_of_two(len(vectors)))
        return block[0] if count == lanes else self.shuffle(block[0], block[0], range(count))

    def _added(self, block: Sequence[Value], one: Sequence[int], other: Sequence[int]) -> list[Value]:
        pairs = zip(block[::2], block[1::2], strict=True)
        return [self.b.fadd(self.shuffle(x, y, one), self.shuffle(x, y, other)) for x, y in pairs]

    def _filled(self, vectors: Sequence[Value]) -> list[Value]:
        lanes = vectors[0].type.count
        return [*vectors, *[self.undefined(lanes)] * (lanes - len(vectors))]

    # -- control ----------------------------------------------------------------------------------------

    def loop(
        self,
        start: Value | int,
        stop: Value | int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
        step: int = 1,
    ) -> list[Value]:
        """for i in range(start, stop, step): carried = body(i, *carried). One round needs no loop."""
        b = self.b
        known = isinstance(start, int) and isinstance(stop, int)
        if known:
            if start >= stop:
                return list(carried)
            if start + step >= stop:
                return list(body(self.index(start), *carried) or ())
        first, last = self.index(start), self.index(stop)
        before, head, after = b.block, b.append_basic_block("loop"), b.append_basic_block("after")
        if known:
            b.branch(head)
        else:
            b.cbranch(b.icmp_signed("<", first, last), head, after)
        b.position_at_end(head)
        i = b.phi(INDEX)
        i.add_incoming(first, before)
        states = [b.phi(x.type) for x in carried]
        for state, x in zip(states, carried, strict=True):
            state.add_incoming(x, before)
        results = list(body(i, *states) or ())
        latch = b.block
        following = b.add(i, self.index(step), flags=["nsw"])
        i.add_incoming(following, latch)
        for state, x in zip(states, results, strict=True):
            state.add_incoming(x, latch)
        b.cbranch(b.icmp_signed("<", following, last), head, after)
        b.position_at_end(after)
        if known:
            return results
        merged = [b.phi(x.type) for x in carried]
        for out, x, y in zip(merged, carried, results, strict=True):
            out.add_incoming(x, before)
            out.add_incoming(y, latch)
        return merged

    def when(self, condition: Value) -> AbstractContextManager[Any]:
        return self.b.if_then(condition)  # type: ignore[no-any-return]

    # -- intrinsics -------------------------------------------------------------------------------------

    def _mask(self, lanes: int, valid: int) -> Value:
        return ir.Constant(
            ir.VectorType(BIT, lanes), [ir.Constant(BIT, int(i < valid)) for i in range(lanes)]
        )

    def _suffix(self, kind: ir.VectorType) -> str:
        return f"v{kind.count}f{8 * self.size}"

    def _intrinsic(self, name: str, kind: ir.VectorType, arguments: Sequence[Any], more: str = "") -> Value:
        name = f"{name}.{self._suffix(kind)}"
        return self._function(f"{name}.{more}" if more else name, kind, arguments)

    def _function(self, name: str, result: Any, arguments: Sequence[Any]) -> Value:
        found = self.b.module.globals.get(name)
        return found or ir.Function(self.b.module, ir.FunctionType(result, arguments), name)
