"""A graph as one native function, and how it is called.

Everything the function touches comes in one table of addresses (`points.py`), so its code holds none and can be
kept on disk. What NumPy computes is called back. A call owns its arena and its results; two threads may call one
program at the same time.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
from llvmlite import ir

from ...core import memory as buffers
from ...core.errors import ChainruleError, IndexingError
from ...graph.evaluate import step
from ...graph.graph import Graph
from ...graph.values import PART, Value
from .compose import decompose
from .forms import NUMPY, PRODUCT
from .host import host
from .memory import Memory, place
from .nest import Nest
from .plan import NEST, Kernel, Plan, Root, plan
from .points import CALLBACK, FIRST, POOL, SELF, Points, Slots, int64_of, number_of
from .product import Matrices
from .target import Loaded, compile_module
from .values import INT32, INT64, POINTER
from .vmath.registry import Math

_BODY = ir.FunctionType(ir.VoidType(), [POINTER, INT64])
_POOL_RUN = ir.FunctionType(INT32, [POINTER, POINTER, INT64])
_BACK = ir.FunctionType(INT32, [INT64, INT64, POINTER])
MAIN = "program"
SERIAL_BYTES = 1 << 20  # of an arena that is kept between calls


def lanes_for(kernel: Kernel) -> int:
    """Elements of a vector: as many as fit of the widest type that the kernel stores."""
    sizes = [root.value.dtype.itemsize for root in kernel.roots]
    floats = [root.value.dtype.itemsize for root in kernel.roots if root.value.dtype.is_floating_point]
    return max(1, host().vector_bytes // max(max(floats or sizes), 4))


class Builder:
    """Writes the module of one plan."""

    def __init__(self, p: Plan) -> None:
        self.plan = p
        self.module = ir.Module(name="chainrule")
        self.module.triple = host().triple
        self.math = Math(self.module)
        self.errors: list[Value] = []
        self.called: list[Value] = []  # computed by NumPy
        memory = place(p)
        self.products = {k: Matrices(k, p) for k in p.kernels if k.form == PRODUCT}
        scratch = {k: m.scratch_for_all for k, m in self.products.items() if not m.is_empty}
        for kernel, s in memory.schedules.items():
            if s.pieces > 1:
                size = sum(s.pieces * prod(r.value.shape) * r.value.dtype.itemsize + 64 for r in kernel.roots if r.crosses_rows)
                if size:
                    scratch[kernel] = size
        self.memory: Memory = place(p, scratch) if scratch else memory
        graph = p.graph
        self.slots = Slots(self.memory, len(graph.inputs) + len(graph.captures), len(graph.outputs))
        self.parallel = 0
        self._memcpy: Any = None

    def write(self) -> None:
        main = ir.Function(self.module, ir.FunctionType(INT32, [POINTER]), MAIN)
        b = ir.IRBuilder(main.append_basic_block("entry"))
        table = main.args[0]
        for kernel in self.plan.kernels:
            {NEST: self._nest, PRODUCT: self._product, NUMPY: self._numpy}[kernel.form](kernel, b, table)
        for v, c in self.memory.copies:
            self._copy_back(b, table, v, c)
        b.ret(ir.Constant(INT32, 0))

    def _points(self, table: Any) -> Points:
        points = Points(self.plan, self.slots, self.math, table)
        points.errors = self.errors
        return points

    def _nest(self, kernel: Kernel, b: Any, table: Any) -> None:
        s = self.memory.schedules[kernel]
        lanes = lanes_for(kernel)
        if s.pieces == 1:
            Nest(kernel, s, self._points(table), b, lanes, None, {}).write()
            return
        self.parallel += 1
        body = ir.Function(self.module, _BODY, f"kernel{self.parallel}")
        body.linkage = "internal"
        inner = ir.IRBuilder(body.append_basic_block("entry"))
        crossing = [r for r in kernel.roots if r.crosses_rows]
        nest = Nest(
            kernel, s, self._points(body.args[0]), inner, lanes, body.args[1],
            self._partials(kernel, crossing, inner, body.args[0], s.pieces),
        )  # fmt: skip
        nest.write()
        inner.ret_void()
        run = self.slots.load(b, table, POOL)
        self._call(b, run, _POOL_RUN, [body, table, int64_of(s.pieces)])
        if crossing:
            after = Nest(kernel, s, self._points(table), b, lanes, None, self._partials(kernel, crossing, b, table, s.pieces))
            for root in crossing:
                after.combine_pieces(root, s.pieces)

    def _product(self, kernel: Kernel, b: Any, table: Any) -> None:
        matrices = self.products[kernel]
        if matrices.is_empty:
            return
        start = self.memory.scratch[kernel]
        if matrices.stacked:
            self._piecewise(b, table, matrices.count, lambda inner, own, index: self._one_matrix(matrices, inner, own, index, start))
            return
        for phase in matrices.gemm.phases:

            def write(inner: Any, own: Any, index: Any, phase: Any = phase) -> None:
                scratch = self.slots.arena(inner, own, start)
                matrices.write_phase(phase, self._points(own), inner, index, scratch)

            self._piecewise(b, table, phase.count, write)

    def _one_matrix(self, matrices: Matrices, b: Any, table: Any, number: Any, start: int) -> None:
        """All phases of one matrix of a stack, in scratch memory of its own."""
        scratch = self.slots.arena(b, table, start)
        scratch = b.gep(
            scratch, [b.mul(number, int64_of(matrices.scratch_bytes))], source_etype=ir.IntType(8)
        )
        for phase in matrices.gemm.phases:
            with loop(b, phase.count) as index:
                matrices.write_phase(phase, self._points(table), b, index, scratch, number)

    def _piecewise(self, b: Any, table: Any, count: int, write: Callable[[Any, Any, Any], None]) -> None:
        """`write(builder, table, index)` for each index: in place if there is one, else as a function for all threads."""
        if count == 1:
            write(b, table, int64_of(0))
            return
        self.parallel += 1
        body = ir.Function(self.module, _BODY, f"kernel{self.parallel}")
        body.linkage = "internal"
        inner = ir.IRBuilder(body.append_basic_block("entry"))
        write(inner, body.args[0], body.args[1])
        inner.ret_void()
        self._call(b, self.slots.load(b, table, POOL), _POOL_RUN, [body, table, int64_of(count)])

    @staticmethod
    def _call(b: Any, pointer: Any, kind: Any, args: Sequence[Any]) -> Any:
        """Call a function whose address is only known at run time."""
        typed = _Callee(pointer, kind)
        return b.call(typed, args)

    def _partials(self, kernel: Kernel, crossing: list[Root], b: Any, table: Any, pieces: int) -> dict[Root, Any]:
        out = {}
        at = self.memory.scratch.get(kernel, 0)
        for root in crossing:
            out[root] = self.slots.arena(b, table, at)
            at += -(-pieces * prod(root.value.shape) * root.value.dtype.itemsize // 64) * 64
        return out

    def _numpy(self, kernel: Kernel, b: Any, table: Any) -> None:
        v = kernel.main.value
        self.called.append(v)
        back = self.slots.load(b, table, CALLBACK)
        self_ = b.ptrtoint(self.slots.load(b, table, SELF), INT64)
        code = self._call(b, back, _BACK, [self_, int64_of(len(self.called) - 1), table])
        failed = b.icmp_signed("!=", code, ir.Constant(INT32, 0))
        with b.if_then(failed, likely=False):
            b.ret(code)

    def _copy_back(self, b: Any, table: Any, v: Value, c: Value) -> None:
        size = prod(v.shape) * v.dtype.itemsize
        if self._memcpy is None:
            kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, INT64, ir.IntType(1)])
            self._memcpy = ir.Function(self.module, kind, "llvm.memcpy.p0.p0.i64")
        b.call(
            self._memcpy,
            [self.slots.pointer(b, table, c), self.slots.pointer(b, table, v), int64_of(size), ir.Constant(ir.IntType(1), 0)],
        )


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


class _Callee:
    """An address as something that the builder can call."""

    def __init__(self, pointer: Any, kind: Any) -> None:
        self._pointer = pointer
        self.function_type = kind
        self.type = pointer.type
        self.name = ""

    def get_reference(self) -> str:
        return str(self._pointer.get_reference())


class Program:
    """A compiled graph. `run` takes the addresses of its inputs' and captured tensors' memory, in that order."""

    def __init__(self, graph: Graph) -> None:
        builder = Builder(plan(decompose(graph)))
        builder.write()
        memory, planned = builder.memory, builder.plan.graph
        self.graph = planned
        self.kernels = builder.plan.kernels
        self.schedules = memory.schedules
        self._loaded: Loaded = compile_module(builder.module)
        self._main = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(self._loaded.address(MAIN))
        self._errors = {number_of(v): v for v in builder.errors}
        parts = [v for v in planned.values if v.kind == PART]
        self._called = [
            _Call(v, [x for x in parts if x.inputs[0] is v], builder.slots, memory) for v in builder.called
        ]
        self._outputs = [(v.shape, v.dtype.numpy) for v in planned.outputs]
        self._arguments = len(planned.inputs) + len(planned.captures)
        self._constants = [np.ascontiguousarray(v.data) for v in memory.constants]
        self._arena_bytes = memory.size
        self._back = _BACK_C(self._call_back) if self._called else None
        fixed = [0] * FIRST
        fixed[CALLBACK] = ctypes.cast(self._back, ctypes.c_void_p).value or 0 if self._back else 0
        fixed[POOL] = pool_address()
        self._fixed = fixed
        self._tail = [a.ctypes.data for a in self._constants]
        self._slots = len(fixed) + self._arguments + len(self._outputs) + len(self._tail)
        self._idle: list[_Frame] = []
        self._active: dict[int, _Frame] = {}
        self._lock = threading.Lock()

    def run(self, addresses: Sequence[int]) -> list[np.ndarray[Any, Any]]:
        """Run on memory that holds the inputs and captured tensors, row-major; written ones are changed.

        Returns: the outputs, in memory of their own.
        """
        try:
            frame = self._idle.pop()
        except IndexError:
            frame = _Frame(self)
        outs = [buffers.empty(shape, kind) for shape, kind in self._outputs]
        table = frame.table
        first = FIRST
        for i, a in enumerate(addresses):
            table[first + i] = a
        first += self._arguments
        for i, out in enumerate(outs):
            table[first + i] = out.__array_interface__["data"][0]
        code = self._main(frame.address)
        if code or frame.error[0]:
            self._raise(frame)
        self._idle.append(frame)
        return outs

    def _raise(self, frame: _Frame) -> None:
        problem, frame.problem = frame.problem, None
        number, frame.error[0] = frame.error[0], 0
        self._idle.append(frame)
        if problem is not None:
            raise problem
        v = self._errors[number]
        assert v.op is not None
        raise IndexingError.of(
            v.op.formula, given="an index outside of its axis",
            must="every index must name an element that is there", site=v.site, at=v.site is not None,
        )  # fmt: skip

    def _call_back(self, frame: int, number: int, table: int) -> int:
        """What native code calls for a value that NumPy computes; an error is kept and raised later."""
        own = self._active[frame]
        try:
            self._called[number].run(own.table)
        except BaseException as err:  # raised again in `run`: native code cannot pass it on
            own.problem = err
            return 1
        return 0


_BACK_C = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)


class _Frame:
    """What one call at a time uses: the table, the arena, the place for errors."""

    def __init__(self, program: Program) -> None:
        self.table = (ctypes.c_void_p * program._slots)(*program._fixed)
        self.address = ctypes.addressof(self.table)
        self.arena = np.empty(program._arena_bytes + 64, np.uint8)
        start = self.arena.ctypes.data
        self.error = (ctypes.c_int64 * 1)()
        self.problem: BaseException | None = None
        self.table[SELF] = id(self)
        self.table[3] = -(-start // 64) * 64
        self.table[4] = ctypes.addressof(self.error)
        base = FIRST + program._arguments + len(program._outputs)
        for i, address in enumerate(program._tail):
            self.table[base + i] = address
        program._active[id(self)] = self


class _Call:
    """One value that NumPy computes, on memory of the program."""

    def __init__(self, v: Value, parts: list[Value], slots: Slots, memory: Memory) -> None:
        self._v = v
        self._parts = parts
        self._slots, self._memory = slots, memory

    def run(self, table: Any) -> None:
        v = self._v
        arrays: dict[Value, Any] = {x: self._array(table, x) for x in v.operands if x.kind != "constant" or x.shape}
        arrays |= {x: x.data for x in v.operands if x not in arrays}
        with np.errstate(all="ignore"):
            out = step(v, arrays)
        if v.op is not None and v.op.outputs != 1:
            for part in self._parts:
                self._array(table, part)[...] = out[part.index]
        else:
            self._array(table, v)[...] = out

    def _array(self, table: Any, x: Value) -> np.ndarray[Any, Any]:
        if x not in self._memory.spots:
            view: np.ndarray[Any, Any] = x.op.numpy(self._array(table, x.inputs[0]), **x.settings)  # type: ignore
            return view
        spot = self._memory.spots[x]
        address = table[3] + spot.at if spot.where == "arena" else table[self._slots.slot(spot)]
        size = prod(x.shape) * x.dtype.itemsize
        if not size:
            return np.empty(x.shape, x.dtype.numpy)
        raw = (ctypes.c_uint8 * size).from_address(address)
        return np.frombuffer(raw, np.uint8).view(x.dtype.numpy).reshape(x.shape)


def pool_address() -> int:
    return ctypes.cast(_serial, ctypes.c_void_p).value or 0


@ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
def _serial(body: int, table: int, count: int) -> int:
    f = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(body)
    for i in range(count):
        f(table, i)
    return 0
