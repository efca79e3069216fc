"""Products compiled for the tests: operands of every layout, memory with fences, and a plan made callable."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from chainrule.executors.cpu import gemm, target
from chainrule.executors.cpu.gemm import Layout, Operand

INDEX, POINTER, BIT, LANE = ir.IntType(64), ir.PointerType(), ir.IntType(1), ir.IntType(32)
GUARD = 64  # elements before and after results and scratch that nobody may touch


class Machine(NamedTuple):
    """A processor to generate for: narrower vectors run on wider machines, too."""

    vector_bytes: int = 64
    registers: int = 32
    l1: int = 32 << 10
    l2: int = 1 << 20


def fenced(x: np.ndarray) -> np.ndarray:
    """A copy that ends where readable memory ends: reading past it stops the process."""
    if sys.platform != "linux" or x.nbytes == 0:
        return x
    page = mmap.PAGESIZE
    room = -(-x.nbytes // page) * page
    memory = mmap.mmap(-1, room + page)
    start = np.frombuffer(memory, np.uint8).ctypes.data
    copy = np.frombuffer(memory, x.dtype, x.size, room - x.nbytes).reshape(x.shape)
    copy[...] = x
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + room), ctypes.c_size_t(page), 0) == 0
    return copy


@dataclass
class Matrix:
    """An operand: its layout, its memory, the vector of indices (or any), and the matrix that is meant."""

    layout: Layout
    memory: np.ndarray
    indices: np.ndarray
    meant: np.ndarray


def matrix(rng: np.random.Generator, rows: int, cols: int, dtype: str, kind: str) -> Matrix:
    def numbers(*shape: int) -> np.ndarray:
        return fenced(rng.standard_normal(shape).astype(dtype))

    none = np.zeros(1, np.int64)
    if kind == "rows":
        x = numbers(rows, cols)
        return Matrix(Layout(cols, 1), x, none, x)
    if kind == "cols":
        x = numbers(cols, rows)
        return Matrix(Layout(1, rows), x, none, x.T)
    if kind == "part of wider rows":
        x = numbers(rows, cols + 5)
        return Matrix(Layout(cols + 5, 1), x, none, x[:, :cols])
    if kind == "every second":
        x = numbers(rows, 2 * cols)
        return Matrix(Layout(2 * cols, 2), x, none, x[:, ::2])
    if kind == "one column, repeated":
        x = numbers(rows, 1)
        return Matrix(Layout(1, 0), x, none, np.broadcast_to(x, (rows, cols)))
    if kind == "computed":
        x = numbers(rows, cols)
        return Matrix(Layout(0, 0, read=True), x, none, x * x)
    of_rows = kind in ("gathered rows", "gathered rows of columns")
    chosen = rng.integers(0, (rows if of_rows else cols) + 7, rows if of_rows else cols)
    if kind == "gathered rows":
        x = numbers(rows + 7, cols)
        return Matrix(Layout(cols, 1, "rows"), x, chosen, x[chosen])
    if kind == "gathered rows of columns":
        x = numbers(cols, rows + 7)
        return Matrix(Layout(1, rows + 7, "rows"), x, chosen, x[:, chosen].T)
    if kind == "gathered cols":
        x = numbers(rows, cols + 7)
        return Matrix(Layout(cols + 7, 1, "cols"), x, chosen, x[:, chosen])
    assert kind == "gathered cols of columns"
    x = numbers(cols + 7, rows)
    return Matrix(Layout(1, rows, "cols"), x, chosen, x[chosen].T)


KINDS = [
    "rows", "cols", "part of wider rows", "every second", "one column, repeated", "computed",
    "gathered rows", "gathered rows of columns", "gathered cols", "gathered cols of columns",
]  # fmt: skip


class Product:
    """A plan as machine code. C[i, j] lies at i*row + j; `epilogue(old, new)` is what is written there."""

    def __init__(
        self,
        plan: gemm.Plan,
        dtype: str,
        row: int,
        ld: tuple[int, int] = (0, 0),
        epilogue: Callable[[Any, Any, Any], Any] | None = None,
        upcoming: bool = False,
    ):
        self.plan, self.dtype, self.row = plan, np.dtype(dtype), row
        self.kind = ir.FloatType() if dtype == "float32" else ir.DoubleType()
        module = ir.Module()
        for number, phase in enumerate(plan.phases):
            function = ir.Function(
                module, ir.FunctionType(ir.VoidType(), [INDEX] + [POINTER] * 6), f"phase{number}"
            )
            builder = ir.IRBuilder(function.append_basic_block("entry"))
            index, a, a_indices, b, b_indices, scratch, c = function.args
            phase.emit(
                builder,
                index,
                Operand(a, a_indices, self._squares(a, ld[0]), a_indices if upcoming else None),
                Operand(b, b_indices, self._squares(b, ld[1]), b_indices if upcoming else None),
                scratch,
                self._store(c, epilogue),
            )
            builder.ret_void()
        self.text = str(module)
        self.loaded = target.load(*reversed(target.emit(self.text))) if plan.phases else None

    def _squares(self, pointer: Any, row: int) -> Callable[..., Any]:
        """An operand that is computed: the squares of the numbers in memory."""

        def read(builder: Any, i: Any, j: Any, lanes: int, valid: int | None) -> Any:
            start = builder.add(builder.mul(i, ir.Constant(INDEX, row)), j)
            out = ir.Constant(ir.VectorType(self.kind, lanes), ir.Undefined)
            for lane in range(lanes if valid is None else valid):
                where = builder.gep(
                    pointer, [builder.add(start, ir.Constant(INDEX, lane))], source_etype=self.kind
                )
                x = builder.load(where, typ=self.kind)
                out = builder.insert_element(out, builder.fmul(x, x), ir.Constant(LANE, lane))
            return out

        return read

    def _store(self, c: Any, epilogue: Callable[[Any, Any, Any], Any] | None) -> Callable[..., None]:
        def store(builder: Any, i: Any, j: Any, acc: Any, lanes: int, valid: int | None) -> None:
            assert acc.type.count == lanes
            assert valid is None or 0 < valid < lanes
            start = builder.add(builder.mul(i, ir.Constant(INDEX, self.row)), j)
            for lane in range(lanes if valid is None else valid):
                step = lane * (self.row if self.plan.along == "rows" else 1)
                where = builder.gep(c, [builder.add(start, ir.Constant(INDEX, step))], source_etype=self.kind)
                value = builder.extract_element(acc, ir.Constant(LANE, lane))
                if epilogue is not None:
                    value = epilogue(builder, builder.load(where, typ=self.kind), value)
                builder.store(value, where)

        return store

    def phases(self) -> Iterable[tuple[int, Callable[..., None]]]:
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 6)
        for number, phase in enumerate(self.plan.phases):
            assert self.loaded is not None
            yield phase.count, kind(self.loaded.address(f"phase{number}"))

    def __call__(
        self, a: Matrix, b: Matrix, c: np.ndarray | None = None, order: Callable[..., None] | None = None
    ) -> np.ndarray:
        """C in rows of `row` elements, of which the first n are the product; tasks run in any `order`."""
        m, size = self.plan.m, self.dtype.itemsize
        memory = np.full(GUARD + m * self.row + GUARD, 7, self.dtype)
        inside = memory[GUARD : GUARD + m * self.row]
        if c is not None:
            inside[:] = c.ravel()
        elements = self.plan.scratch_bytes // size
        raw = np.full(elements + 3 * GUARD, np.nan, self.dtype)
        shift = GUARD + -(raw.ctypes.data // size) % (64 // size)
        scratch = raw[shift : shift + elements]
        addresses = [a.memory, a.indices, b.memory, b.indices, scratch, inside]
        pointers = [x.ctypes.data for x in addresses]
        for count, phase in self.phases():
            if order is None:
                for index in range(count):
                    phase(index, *pointers)
            else:
                order(count, lambda index, phase=phase: phase(index, *pointers))
        for guard in (memory[:GUARD], memory[GUARD + m * self.row :]):
            assert (guard == 7).all(), "written outside of the result"
        for guard in (raw[:shift], raw[shift + elements :]):
            assert np.isnan(guard).all(), "written outside of scratch"
        return inside.reshape(m, self.row)


def product(
    m: int,
    n: int,
    k: int,
    dtype: str,
    a: Matrix,
    b: Matrix,
    machine: Machine,
    row: int | None = None,
    **more: Any,
) -> Product:
    plan = gemm.plan(m, n, k, dtype, a.layout, b.layout, machine)
    return Product(plan, dtype, n if row is None else row, (a.memory.shape[1], b.memory.shape[1]), **more)


def error_and_bound(got: np.ndarray, a: Matrix, b: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """How far a product is from the right one, and how far it may be.

    In a sum of k products, added in any order, every term takes part in at most k roundings (of its own
    product, or none with fused multiply-adds, and of k - 1 sums), each with a relative error of at most eps/2
    (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1). The reference in float64 has the
    same bound: so eps, not eps/2.
    """
    x, y = a.meant.astype(np.float64), b.meant.astype(np.float64)
    k = x.shape[1]
    return np.abs(got - x @ y), (k + 1) * np.finfo(got.dtype).eps * (np.abs(x) @ np.abs(y))
