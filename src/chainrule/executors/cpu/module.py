"""Writes a whole graph as one LLVM function: its kernels in order, loops of an epoch, what threads share.

Everything that the function touches comes in one table of addresses (`points.py`), so the code holds none and
can be kept on disk. A kernel with several independent pieces is a function of its own, `body(table, piece)`,
handed to the thread pool; all others are written in place. Next: `program.py`, which runs it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, Final

import numpy as np
from llvmlite import ir

from ...graph.evaluate import step
from ...graph.graph import Graph
from ...graph.values import CONSTANT, PART, Value
from .compose import decompose
from .draw import pieces_of, shuffle_bytes, write_draw, write_shuffle
from .emit import Emitter
from .forms import DRAW, EPOCH, NUMBER, NUMPY, PRODUCT, SHUFFLE
from .host import host
from .memory import ALIGN, ARENA, DATA, Memory, Spot, nbytes, place, schedules_of
from .nest import Nest
from .plan import NEST, Kernel, plan
from .points import Level, Points, Slots, int64_of
from .product import Matrices
from .program import MAIN
from .roots import Root, in_order
from .schedule import Schedule
from .table import ARENA as ARENA_SLOT
from .table import CALLBACK, CLOCK, ERROR, FIRST, OWNER, POOL
from .values import INT32, INT64, POINTER, V, constant
from .vmath.registry import Math

_BODY: Final = ir.FunctionType(ir.VoidType(), [POINTER, INT64])
_POOL_RUN: Final = ir.FunctionType(INT32, [POINTER, POINTER, INT64])
_BACK: Final = ir.FunctionType(INT32, [INT64, INT64, POINTER])
_BYTE: Final = ir.IntType(8)


def lanes_for(kernel: Kernel) -> int:
    """Elements of a vector: as many as fit of the widest float that the kernel stores."""
    kinds = [root.value.dtype for root in kernel.roots]
    sizes = [d.itemsize for d in kinds if d.is_floating_point] or [d.itemsize for d in kinds]
    return max(1, int(host().vector_bytes // max(*sizes, 4)))


def build(graph: Graph, timed: bool = False) -> Builder:
    """The plan and the code of a graph. timed: with code that counts the cycles of each kernel."""
    builder = Builder(graph, Shared(timed))
    builder.write()
    return builder


class Shared:
    """What the parts of one module have in common, the bodies of loops included.

    timed: the kernels whose cycles are counted, in the order of their clocks; None for ordinary code.
    """

    def __init__(self, timed: bool = False) -> None:
        self.timed: list[Kernel] | None = [] if timed else None
        self.module = ir.Module(name="chainrule")
        self.module.triple = host().triple
        self.math = Math(self.module, has_fma=host().has_fma, has_tables=host().has_tables)
        self.errors: list[Value] = []
        self.called: list[Called] = []  # computed by NumPy
        self.parallel = 0
        self.memcpy: Any = None
        self.cycles: Any = None


class Builder:
    """Writes one plan: a graph, or the body of a loop."""

    def __init__(self, graph: Graph, shared: Shared) -> None:
        self.shared = shared
        self._open: list[Points] = []  # of the kernel that is written
        self.module, self.math = shared.module, shared.math
        self.plan = p = plan(decompose(graph), [*graph.inputs, *graph.captures])
        self.graph = p.graph
        self.bodies = {k: Epoch(k, shared) for k in p.kernels if k.form == EPOCH}
        schedules = schedules_of(p)
        self.products = {k: Matrices(k, p) for k in p.kernels if k.form == PRODUCT}
        scratch = {k: m.scratch_for_all for k, m in self.products.items() if not m.is_empty}
        scratch |= {k: shuffle_bytes(k.main.value) for k in p.kernels if k.form == SHUFFLE}
        scratch |= {k: e.scratch_bytes for k, e in self.bodies.items()}
        partials = {k: _partial_bytes(k, s) for k, s in schedules.items() if s.pieces > 1}
        scratch |= {k: n for k, n in partials.items() if n}
        self.memory: Memory = place(p, schedules, scratch)
        for e in self.bodies.values():
            self.memory.constants += e.builder.memory.constants
        self.slots = Slots(self.memory, len(p.arguments), len(self.graph.outputs))

    @property
    def table_size(self) -> int:
        """Addresses in the table that the code is given."""
        return FIRST + len(self.plan.arguments) + len(self.graph.outputs) + len(self.memory.constants)

    def write(self) -> None:
        """The whole function."""
        main = ir.Function(self.module, ir.FunctionType(INT32, [POINTER]), MAIN)
        b = ir.IRBuilder(main.append_basic_block("entry"))
        self._look(0, b, main.args[0])
        self.write_kernels(b, main.args[0])
        self._look(1, b, main.args[0])
        b.ret(ir.Constant(INT32, 0))

    def write_kernels(self, b: Any, table: Any) -> None:
        """All kernels, one after the other, then what has to be copied to where it belongs."""
        writers = {
            NEST: self._nest, PRODUCT: self._product, DRAW: self._draw, SHUFFLE: self._shuffle,
            NUMPY: self._numpy, EPOCH: self._epoch,
        }  # fmt: skip
        for kernel in self.plan.kernels:
            self._open = []
            with self._clocked(kernel, b, table):
                writers[kernel.form](kernel, b, table)
            if any(points.may_fail for points in self._open):
                self._stop_if_failed(b, table)
        for v, c in self.memory.copies:
            self.copy(b, self.slots.pointer(b, table, c), self.slots.pointer(b, table, v), nbytes(v))

    def _stop_if_failed(self, b: Any, table: Any) -> None:
        """Leave after a kernel that noted an error: what comes later would write what was made of it."""
        failed = b.load(self.slots.load(b, table, ERROR), typ=INT64, align=8)
        with b.if_then(b.icmp_signed("!=", failed, int64_of(0)), likely=False):
            b.ret(ir.Constant(INT32, 1))

    # -- kernels ---------------------------------------------------------------------------------------------

    def _points(self, table: Any) -> Points:
        points = Points(self.plan, self.slots, self.math, table)
        points.errors = self.shared.errors
        self._open.append(points)
        return points

    def _loops(self, kernel: Kernel, b: Any, table: Any, piece: Any) -> Nest:
        s = self.memory.schedules[kernel]
        partials = self._partials(kernel, b, table) if s.pieces > 1 else {}
        return Nest(kernel, s, self._points(table), b, lanes_for(kernel), piece, partials)

    def _combine(self, kernel: Kernel, b: Any, table: Any) -> None:
        """The totals of pieces, where there are any, become one."""
        crossing = [r for r in kernel.roots if r.crosses_rows]
        pieces = self.memory.schedules[kernel].pieces
        if crossing and pieces > 1:
            after = self._loops(kernel, b, table, None)
            for root in crossing:
                after.combine_pieces(root, pieces)

    def _nest(self, kernel: Kernel, b: Any, table: Any) -> None:
        pieces = self.memory.schedules[kernel].pieces

        def write(inner: Any, own: Any, index: Any) -> None:
            self._loops(kernel, inner, own, index if pieces > 1 else None).write()

        self._piecewise(b, table, pieces, write)
        self._combine(kernel, b, table)

    def _partials(self, kernel: Kernel, b: Any, table: Any) -> dict[Root, Any]:
        """Where the totals of a kernel's pieces lie."""
        out = {}
        at = self.memory.scratch.get(kernel, 0)
        for root in kernel.roots:
            if root.crosses_rows:
                out[root] = self.slots.arena(b, table, at)
                at += -(-self.memory.schedules[kernel].pieces * nbytes(root.value) // ALIGN) * ALIGN
        return out

    def _product(self, kernel: Kernel, b: Any, table: Any) -> None:
        matrices = self.products[kernel]
        if matrices.is_empty:
            return
        start = self.memory.scratch[kernel]

        if matrices.stack:

            def write_one(inner: Any, own: Any, number: Any) -> None:
                self._one_matrix(matrices, inner, own, number, start)

            self._piecewise(b, table, matrices.count, write_one)
            return
        for phase in matrices.gemm.phases:

            def write(inner: Any, own: Any, index: Any, phase: Any = phase) -> None:
                scratch = self.slots.arena(inner, own, start)
                matrices.write_phase(phase, self._points(own), inner, index, scratch)

            self._piecewise(b, table, phase.count, write)

    def _one_matrix(self, matrices: Matrices, b: Any, table: Any, number: Any, start: int) -> None:
        """All phases of one matrix of a stack, in scratch memory of its own."""
        at = b.mul(number, int64_of(matrices.scratch_bytes))
        scratch = b.gep(self.slots.arena(b, table, start), [at], source_etype=_BYTE)
        for phase in matrices.gemm.phases:
            with loop(b, phase.count) as index:
                matrices.write_phase(phase, self._points(table), b, index, scratch, number)

    def _draw(self, kernel: Kernel, b: Any, table: Any) -> None:
        v = kernel.main.value
        if 0 in v.shape:
            return

        def write(inner: Any, own: Any, index: Any) -> None:
            seed, block = self._stream(kernel, inner, own)
            write_draw(v, inner, self.math, seed, block, self.slots.pointer(inner, own, v), index)

        self._piecewise(b, table, pieces_of(v), write)

    def _stream(self, kernel: Kernel, b: Any, table: Any) -> list[Any]:
        """The seed and the first block of a draw."""
        points = self._points(table)
        points.levels = [Level(b)]
        points.root = kernel.main
        return [points.value(x).v.ir for x in kernel.main.value.operands]

    def _shuffle(self, kernel: Kernel, b: Any, table: Any) -> None:
        v = kernel.main.value
        if 0 not in v.shape:
            seed, block = self._stream(kernel, b, table)
            scratch = self.slots.arena(b, table, self.memory.scratch[kernel])
            write_shuffle(v, b, seed, block, self.slots.pointer(b, table, v), scratch)

    def _numpy(self, kernel: Kernel, b: Any, table: Any) -> None:
        v = kernel.main.value
        parts = [x for x in self.graph.values if x.kind == PART and x.inputs[0] is v]
        self.shared.called.append(Called(v, parts, self.slots, self.memory, self.table_size))
        back = self.slots.load(b, table, CALLBACK)
        self_ = b.ptrtoint(self.slots.load(b, table, OWNER), INT64)
        code = call(b, back, _BACK, [self_, int64_of(len(self.shared.called) - 1), table])
        with b.if_then(b.icmp_signed("!=", code, ir.Constant(INT32, 0)), likely=False):
            b.ret(code)

    def _epoch(self, kernel: Kernel, b: Any, table: Any) -> None:
        self.bodies[kernel].write(self, b, table)

    @contextmanager
    def _clocked(self, kernel: Kernel, b: Any, table: Any) -> Iterator[None]:
        """Add the cycles that a kernel takes to its clock."""
        timed = self.shared.timed
        if timed is None:
            yield
            return
        number = len(timed)
        timed.append(kernel)
        before = self._cycles(b)
        yield
        clock = self._clock(number + 2, b, table)
        taken = b.sub(self._cycles(b), before)
        b.store(b.add(b.load(clock, typ=INT64, align=8), taken), clock, align=8)

    def _look(self, number: int, b: Any, table: Any) -> None:
        """Note the counter of cycles as it is now."""
        if self.shared.timed is not None:
            b.store(self._cycles(b), self._clock(number, b, table), align=8)

    def _clock(self, number: int, b: Any, table: Any) -> Any:
        return b.gep(self.slots.load(b, table, CLOCK), [int64_of(number)], source_etype=INT64)

    def _cycles(self, b: Any) -> Any:
        if self.shared.cycles is None:
            self.shared.cycles = counter(self.module)
        return b.call(*self.shared.cycles)

    # -- words -----------------------------------------------------------------------------------------------

    def _piecewise(self, b: Any, table: Any, count: int, write: Callable[[Any, Any, Any], None]) -> None:
        """`write(builder, table, index)` for each index: in place if there is one, else for threads."""
        if count == 1:
            write(b, table, int64_of(0))
            return
        self.shared.parallel += 1
        body = ir.Function(self.module, _BODY, f"kernel{self.shared.parallel}")
        body.linkage = "internal"
        inner = ir.IRBuilder(body.append_basic_block("entry"))
        write(inner, body.args[0], body.args[1])
        inner.ret_void()
        call(b, self.slots.load(b, table, POOL), _POOL_RUN, [body, table, int64_of(count)])

    def operand(self, b: Any, table: Any, x: Value) -> Any:
        """Code for the address of what a loop reads: maybe a part of something larger."""
        base, offset = in_order(x, self.plan.forms, self.plan.stored) or (x, 0)
        pointer = self.slots.pointer(b, table, base)
        if not offset:
            return pointer
        return b.gep(pointer, [int64_of(offset * x.dtype.itemsize)], source_etype=_BYTE)

    def copy(self, b: Any, target: Any, source: Any, size: int) -> None:
        """Code that copies bytes."""
        if self.shared.memcpy is None:
            kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT64, ir.IntType(1)])
            self.shared.memcpy = ir.Function(self.module, kind, "llvm.memcpy.p0.p0.i64")
        b.call(self.shared.memcpy, [target, source, int64_of(size), ir.Constant(ir.IntType(1), 0)])


def counter(module: Any) -> tuple[Any, list[Any]]:
    """What reads a counter of fixed rate: a function and its arguments.

    On 64-bit ARM that of cycles is not for programs, and a timer's is.
    """
    if module.triple.startswith(("aarch64", "arm64")):
        kind = ir.FunctionType(INT64, [ir.MetaDataType()])
        timer = module.add_metadata(["cntvct_el0"])
        return ir.Function(module, kind, "llvm.read_volatile_register.i64"), [timer]
    return ir.Function(module, ir.FunctionType(INT64, []), "llvm.readcyclecounter"), []


def _partial_bytes(kernel: Kernel, s: Schedule) -> int:
    """What the totals of pieces take until they are combined."""
    return sum(-(-s.pieces * nbytes(r.value) // ALIGN) * ALIGN for r in kernel.roots if r.crosses_rows)


@contextmanager
def loop(b: Any, count: int) -> Iterator[Any]:
    """A loop over 0 .. count - 1; count is at least 1."""
    start = b.block
    body = b.append_basic_block("loop")
    b.branch(body)
    b.position_at_end(body)
    i = b.phi(INT64)
    i.add_incoming(int64_of(0), start)
    yield i
    following = b.add(i, int64_of(1))
    i.add_incoming(following, b.block)
    after = b.append_basic_block("after")
    b.cbranch(b.icmp_signed("<", following, int64_of(count)), body, after)
    b.position_at_end(after)


def call(b: Any, pointer: Any, kind: Any, args: Sequence[Any]) -> Any:
    """Call a function whose address is only known at run time."""
    return b.call(_Callee(pointer, kind), args)


class _Callee:
    """An address as something that the builder can call."""

    def __init__(self, pointer: Any, kind: Any) -> None:
        self._pointer = pointer
        self.function_type = kind
        self.type = pointer.type
        self.name = ""

    def get_reference(self) -> str:
        return str(self._pointer.get_reference())


class Epoch:
    """A loop: its body is a plan of its own, with a table of its own that this code fills.

    What the body changes from one iteration to the next stays in one place: the memory of the loop's result.
    """

    def __init__(self, kernel: Kernel, shared: Shared) -> None:
        self.kernel = kernel
        self.value = kernel.main.value
        self.loop = self.value.data
        body = self.loop.body
        writes = list(zip(body.inputs, body.outputs, strict=False))
        self.builder = Builder(Graph(body.name, body.inputs, [], [], writes), shared)
        self._table_bytes = -(-self.builder.table_size * 8 // ALIGN) * ALIGN

    @property
    def scratch_bytes(self) -> int:
        """The body's table and arena, and room for carried values whose result nobody reads."""
        carried, _, _ = self.loop.split(self.loop.body.inputs)
        return self._table_bytes + self.builder.memory.size + sum(_padded(v) for v in carried)

    def write(self, outer: Builder, b: Any, table: Any) -> None:
        """The loop, where `b` stands in the code of the program around it."""
        slots = outer.slots
        at = outer.memory.scratch[self.kernel]
        own = slots.arena(b, table, at)
        arena = slots.arena(b, table, at + self._table_bytes)
        for slot in range(FIRST):
            _put(b, own, slot, arena if slot == ARENA_SLOT else slots.load(b, table, slot))
        carried, sequences, invariants = self.loop.split(list(self.value.inputs))
        self._carry(outer, b, table, own, carried, at + self._table_bytes + self.builder.memory.size)
        first = FIRST + len(carried)
        rows = [outer.operand(b, table, x) for x in sequences]
        for i, x in enumerate(invariants, first + len(sequences)):
            _put(b, own, i, outer.operand(b, table, x))
        constants = self.builder.memory.constants
        for i, x in enumerate(constants, self.builder.table_size - len(constants)):
            spot = Spot(DATA, outer.memory.constants.index(x))
            _put(b, own, i, slots.load(b, table, slots.slot(spot)))
        with loop(b, self.loop.trips) as trip:
            for i, (x, row) in enumerate(zip(sequences, rows, strict=True), first):
                step = nbytes(x) // self.loop.trips
                _put(b, own, i, b.gep(row, [b.mul(trip, int64_of(step))], source_etype=_BYTE))
            self.builder.write_kernels(b, own)

    def _carry(
        self, outer: Builder, b: Any, table: Any, own: Any, carried: Sequence[Value], spare: int
    ) -> None:
        """What carried values start with, put where they are changed."""
        spots = outer.memory.spots
        parts = {x.index: x for x in outer.graph.values if x.kind == PART and x.inputs[0] is self.value}
        for i, x in enumerate(carried):
            part = parts.get(i)
            target = (
                outer.slots.arena(b, table, spare) if part is None else outer.slots.pointer(b, table, part)
            )
            spare += _padded(x)
            _put(b, own, FIRST + i, target)
            if outer.plan.forms[x] == NUMBER:
                number = V(constant(x.data.item(), x.dtype, 1), x.dtype)
                Emitter(b, 1, outer.math).store(number, target)
            elif part is None or spots[part] != spots.get(x):
                outer.copy(b, target, outer.operand(b, table, x), nbytes(x))


def _put(b: Any, table: Any, slot: int, pointer: Any) -> None:
    b.store(pointer, b.gep(table, [int64_of(slot)], source_etype=POINTER), align=8)


def _padded(v: Value) -> int:
    return -(-nbytes(v) // ALIGN) * ALIGN


class Called:
    """One value that NumPy computes, on memory of the program."""

    def __init__(self, v: Value, parts: list[Value], slots: Slots, memory: Memory, size: int) -> None:
        self._v = v
        self._parts = parts
        self._slots, self._memory = slots, memory
        self._table = ctypes.c_void_p * size

    def run(self, address: int) -> None:
        """Compute it. address: of the table of the program, or of the loop, that it belongs to."""
        table = self._table.from_address(address)
        v = self._v
        arrays = {
            x: x.data if x.kind == CONSTANT and not x.shape else self._array(table, x) for x in v.operands
        }
        with np.errstate(all="ignore"):
            out = step(v, arrays)
        if v.op is not None and v.op.outputs != 1:
            for part in self._parts:
                self._array(table, part)[...] = out[part.index]
        else:
            self._array(table, v)[...] = out

    def _array(self, table: Any, x: Value) -> np.ndarray[Any, Any]:
        spot = self._memory.spots[x]
        address = table[ARENA_SLOT] + spot.at if spot.where == ARENA else table[self._slots.slot(spot)]
        size = prod(x.shape) * x.dtype.itemsize
        if not size:
            return np.empty(x.shape, x.dtype.numpy)
        raw = (ctypes.c_uint8 * size).from_address(address)
        array: np.ndarray[Any, Any] = np.frombuffer(raw, np.uint8).view(x.dtype.numpy).reshape(x.shape)
        return array
