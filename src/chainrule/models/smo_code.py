"""The loop of SMO as native code: pairs are chosen and moved until a column of K is missing.

`advance` does what `smo.py` says in words, on columns that are kept in one array. The passes over all numbers
are written in vectors; arrays are padded to a multiple of their width with what is never chosen. It returns
the number of a row whose column it needs, -1 when the conditions hold, -2 after as many pairs as it may move.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..executors.cpu import cache, target

LANES = 8  # numbers of a vector; narrower processors take several registers for one
DONE, ENOUGH = -1, -2
TINY = 1e-12  # the curvature of pairs of equal rows is 0


@functools.cache
def advance() -> Callable[..., int]:
    """The compiled loop. Its arguments, arrays as addresses:

    n, total:  the padded number of rows, and of all numbers (copies times that).
    up, down:  f where z can grow, else -inf; f where it can shrink, else inf: (total,).
    z, low, high:  (total,).
    columns:  (slots, n): columns of K. diagonal: of K, (n,).
    slot:  (n,): where the column of a row is, or -1.
    gain:  (total,), to work in.
    tol, most:  when to stop. moved: where the number of pairs is written, (1,).
    """
    key = cache.key("sequential minimal optimisation")
    entry = cache.lookup(key)
    if entry is not None:
        names, code = entry.meta["names"], entry.code
    else:
        import llvmlite.ir as ir  # where there is nothing in the cache

        names, code = target.emit(str(_Writer(ir).module))
        cache.store(key, code, {"names": names})
    loaded = target.load(code, names)
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    kind = ctypes.CFUNCTYPE(
        integer, integer, integer, *[pointer] * 5, *[pointer] * 4, ctypes.c_double, integer, pointer
    )
    call = kind(loaded.address("advance"))
    call.keep = loaded  # type: ignore[attr-defined]
    return call


class _Writer:
    """Writes the function. Running values live in slots on the stack, which LLVM makes registers."""

    def __init__(self, ir: Any) -> None:
        self.ir = ir
        self.i64, self.f64 = ir.IntType(64), ir.DoubleType()
        self.vector = ir.VectorType(self.f64, LANES)
        self.module = ir.Module("smo")
        array, index = self.f64.as_pointer(), self.i64.as_pointer()
        i64 = self.i64
        signature = ir.FunctionType(i64, [i64, i64, *[array] * 7, index, array, self.f64, i64, index])
        function = ir.Function(self.module, signature, "advance")
        self.n, self.total, self.up, self.down, self.z, self.low, self.high, *rest = function.args
        self.columns, self.diagonal, self.slot, self.gain, self.tol, self.most, self.moved = rest
        self.entry = function.append_basic_block("entry")
        self.b = ir.IRBuilder(self.entry)
        self.function = function
        self._write()

    # -- building blocks

    def number(self, value: float) -> Any:
        return self.ir.Constant(self.f64, value)

    def whole(self, value: int) -> Any:
        return self.ir.Constant(self.i64, value)

    def variable(self, kind: Any) -> Any:
        with self.b.goto_block(self.entry):
            return self.b.alloca(kind)

    def get(self, array: Any, at: Any) -> Any:
        return self.b.load(self.b.gep(array, [at]))

    def put(self, array: Any, at: Any, value: Any) -> None:
        self.b.store(value, self.b.gep(array, [at]))

    def row(self, array: Any, at: Any) -> Any:
        place = self.b.bitcast(self.b.gep(array, [at]), self.vector.as_pointer())
        return self.b.load(place, align=8)

    def put_row(self, array: Any, at: Any, value: Any) -> None:
        self.b.store(value, self.b.bitcast(self.b.gep(array, [at]), self.vector.as_pointer()), align=8)

    def everywhere(self, value: Any) -> Any:
        lane = self.b.insert_element(self.ir.Constant(self.vector, self.ir.Undefined), value, self.whole(0))
        mask = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), LANES), [0] * LANES)
        return self.b.shuffle_vector(lane, lane, mask)

    def larger(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered(">", x, y), x, y)

    def smaller(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered("<", x, y), x, y)

    def largest(self, vector: Any) -> Any:
        lanes = [self.b.extract_element(vector, self.whole(k)) for k in range(LANES)]
        while len(lanes) > 1:
            lanes = [self.larger(x, y) for x, y in zip(lanes[::2], lanes[1::2], strict=True)]
        return lanes[0]

    @contextmanager
    def walk(self, start: Any, stop: Any, step: int) -> Iterator[Any]:
        """A loop from start up to stop, which is not reached; at least once."""
        b = self.b
        count = self.variable(self.i64)
        b.store(start, count)
        body, after = self.function.append_basic_block("body"), self.function.append_basic_block("after")
        b.branch(body)
        b.position_at_end(body)
        at = b.load(count)
        yield at
        later = b.add(at, self.whole(step))
        b.store(later, count)
        b.cbranch(b.icmp_signed("<", later, stop), body, after)
        b.position_at_end(after)

    def find(self, array: Any, value: Any) -> Any:
        """Where in an array of `total` numbers a value that is in it comes first."""
        b = self.b
        count = self.variable(self.i64)
        b.store(self.whole(0), count)
        body, after = self.function.append_basic_block("search"), self.function.append_basic_block("found")
        b.branch(body)
        b.position_at_end(body)
        at = b.load(count)
        same = b.fcmp_ordered("==", self.row(array, at), self.everywhere(value))
        bits = b.bitcast(same, self.ir.IntType(LANES))
        b.store(b.add(at, self.whole(LANES)), count)
        b.cbranch(b.icmp_unsigned("==", bits, self.ir.Constant(self.ir.IntType(LANES), 0)), body, after)
        b.position_at_end(after)
        first = b.cttz(bits, self.ir.Constant(self.ir.IntType(1), 1))
        return b.add(b.sub(b.load(count), self.whole(LANES)), b.zext(first, self.i64))

    def leave_if(self, condition: Any, value: Any) -> None:
        with self.b.if_then(condition, likely=False):
            self.b.ret(value)

    # -- the function

    def _write(self) -> None:
        b = self.b
        start = self.function.append_basic_block("pair")
        b.position_at_end(start)
        i = self._first()
        up_i = self.get(self.up, i)
        row_i = b.srem(i, self.n)
        at_i = self.get(self.slot, row_i)
        self.leave_if(b.icmp_signed("<", at_i, self.whole(0)), row_i)
        column_i = b.gep(self.columns, [b.mul(at_i, self.n)])
        diagonal_i = self.get(self.diagonal, row_i)
        j = self._partner(up_i, column_i, diagonal_i)
        row_j = b.srem(j, self.n)
        at_j = self.get(self.slot, row_j)
        self.leave_if(b.icmp_signed("<", at_j, self.whole(0)), row_j)
        column_j = b.gep(self.columns, [b.mul(at_j, self.n)])
        moved = b.load(self.moved)
        self.leave_if(b.icmp_signed(">=", moved, self.most), self.whole(ENOUGH))
        b.store(b.add(moved, self.whole(1)), self.moved)

        twice = b.fmul(self.number(2.0), self.get(column_i, row_j))
        curvature = b.fsub(b.fadd(diagonal_i, self.get(self.diagonal, row_j)), twice)
        step = b.fdiv(b.fsub(up_i, self.get(self.down, j)), self.larger(curvature, self.number(TINY)))
        room_i = b.fsub(self.get(self.high, i), self.get(self.z, i))
        room_j = b.fsub(self.get(self.z, j), self.get(self.low, j))
        t = self.smaller(step, self.smaller(room_i, room_j))
        # f at i and j, which may stand in only one of `up` and `down`
        f_i, f_j = up_i, self.get(self.down, j)
        change_i = b.fmul(t, b.fsub(self.get(column_i, row_i), self.get(column_j, row_i)))
        change_j = b.fmul(t, b.fsub(self.get(column_i, row_j), self.get(column_j, row_j)))
        self._update(column_i, column_j, t)
        # What ends at a bound is put there exactly.
        full_i, full_j = b.fcmp_ordered("==", t, room_i), b.fcmp_ordered("==", t, room_j)
        self.put(self.z, i, b.select(full_i, self.get(self.high, i), b.fadd(self.get(self.z, i), t)))
        self.put(self.z, j, b.select(full_j, self.get(self.low, j), b.fsub(self.get(self.z, j), t)))
        for k, f, change in ((i, f_i, change_i), (j, f_j, change_j)):
            now, z = b.fsub(f, change), self.get(self.z, k)
            grows = b.fcmp_ordered("<", z, self.get(self.high, k))
            shrinks = b.fcmp_ordered(">", z, self.get(self.low, k))
            self.put(self.up, k, b.select(grows, now, self.number(float("-inf"))))
            self.put(self.down, k, b.select(shrinks, now, self.number(float("inf"))))
        b.branch(start)
        b.position_at_end(self.entry)
        b.branch(start)

    def _first(self) -> Any:
        """The number with the largest f of all that can grow."""
        best = self.variable(self.vector)
        self.b.store(self.row(self.up, self.whole(0)), best)
        with self.walk(self.whole(0), self.total, LANES) as at:
            self.b.store(self.larger(self.row(self.up, at), self.b.load(best)), best)
        return self.find(self.up, self.largest(self.b.load(best)))

    def _partner(self, up_i: Any, column: Any, diagonal: Any) -> Any:
        """The number with which most is gained; leaves the function where no pair violates by tol."""
        b = self.b
        gap, best = self.variable(self.vector), self.variable(self.vector)
        b.store(self.everywhere(self.number(float("-inf"))), gap)
        b.store(self.everywhere(self.number(-1.0)), best)
        own, two, tiny = (self.everywhere(v) for v in (diagonal, self.number(2.0), self.number(TINY)))
        above, zero = self.everywhere(up_i), self.everywhere(self.number(0.0))
        with self.walk(self.whole(0), self.total, LANES) as at:
            inside = b.srem(at, self.n)
            d = b.fsub(above, self.row(self.down, at))
            b.store(self.larger(d, b.load(gap)), gap)
            d = self.larger(d, zero)
            twice = b.fmul(two, self.row(column, inside))
            curvature = b.fsub(b.fadd(own, self.row(self.diagonal, inside)), twice)
            gained = b.fdiv(b.fmul(d, d), self.larger(curvature, tiny))
            self.put_row(self.gain, at, gained)
            b.store(self.larger(gained, b.load(best)), best)
        self.leave_if(b.fcmp_ordered("<", self.largest(b.load(gap)), self.tol), self.whole(DONE))
        return self.find(self.gain, self.largest(b.load(best)))

    def _update(self, column_i: Any, column_j: Any, t: Any) -> None:
        b = self.b
        by = self.everywhere(t)
        with self.walk(self.whole(0), self.total, LANES) as at:
            inside = b.srem(at, self.n)
            change = b.fmul(by, b.fsub(self.row(column_i, inside), self.row(column_j, inside)))
            self.put_row(self.up, at, b.fsub(self.row(self.up, at), change))
            self.put_row(self.down, at, b.fsub(self.row(self.down, at), change))
