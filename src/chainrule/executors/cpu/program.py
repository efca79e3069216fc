"""A graph as one native function, and how it is called.

A call owns its arena and its results, and two threads may call one program at the same time. What NumPy computes
is called back; what native code cannot do (an index that names no element) is noted by it and raised here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core import memory as buffers
from ...core.errors import IndexingError
from ...graph.graph import Graph
from .module import MAIN, Builder, Shared
from .points import ARENA_SLOT, CALLBACK, ERROR, FIRST, POOL, SELF, number_of
from .target import compile_module

_MAIN = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
_BACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)


class Program:
    """A compiled graph. `run` takes the addresses of its inputs' and captured tensors' memory, in that order."""

    def __init__(self, graph: Graph) -> None:
        shared = Shared()
        builder = Builder(graph, shared)
        builder.write()
        memory, planned = builder.memory, builder.graph
        self.graph = planned
        self.kernels = builder.plan.kernels
        self.schedules = memory.schedules
        self._loaded = compile_module(shared.module)
        self._main = _MAIN(self._loaded.address(MAIN))
        self._errors = {number_of(v): v for v in shared.errors}
        self._called = shared.called
        self._outputs = [(v.shape, v.dtype.numpy) for v in planned.outputs]
        self._arguments = len(planned.inputs) + len(planned.captures)
        self._constants = [np.array(v.data, order="C") for v in memory.constants]
        self._arena_bytes = memory.size
        self._back = _BACK(self._call_back)
        self._fixed = [0] * FIRST
        self._fixed[CALLBACK] = ctypes.cast(self._back, ctypes.c_void_p).value or 0
        self._fixed[POOL] = pool_address()
        self._table_size = builder.table_size
        self._idle: list[_Frame] = []
        self._active: dict[int, _Frame] = {}

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
        if self._main(frame.address) or frame.error[0]:
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
        try:
            self._called[number].run(table)
        except BaseException as err:  # raised again in `run`: native code cannot pass it on
            self._active[frame].problem = err
            return 1
        return 0


class _Frame:
    """What one call at a time uses: the table, the arena, the place for errors."""

    def __init__(self, program: Program) -> None:
        self.arena = np.empty(program._arena_bytes + 64, np.uint8)
        self.error = (ctypes.c_int64 * 1)()
        self.problem: BaseException | None = None
        fixed = list(program._fixed)
        fixed[SELF] = id(self)
        fixed[ARENA_SLOT] = -(-self.arena.ctypes.data // 64) * 64
        fixed[ERROR] = ctypes.addressof(self.error)
        self.table = (ctypes.c_void_p * program._table_size)(*fixed)
        self.address = ctypes.addressof(self.table)
        constants = [a.ctypes.data for a in program._constants]
        for i, address in enumerate(constants, program._table_size - len(constants)):
            self.table[i] = address
        program._active[id(self)] = self


def pool_address() -> int:
    return ctypes.cast(_serial, ctypes.c_void_p).value or 0


@ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
def _serial(body: int, table: int, count: int) -> int:
    f = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(body)
    for i in range(count):
        f(table, i)
    return 0
