"""A graph as one native function, and how it is called.

A call owns its arena and its results, and two threads may call one program at the same time. What NumPy
computes is called back; an error that native code finds (an index that names no element) is noted by it and
raised here.

A graph that was compiled before is found in the cache by its text, with the few facts that calling it takes;
then neither the plan nor LLVM is needed, nor loaded. Next: `table.py`; how a program is made: `module.py`.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core import memory as buffers
from ...core.errors import IndexingError
from ...graph.graph import Graph
from ...graph.values import CONSTANT, LOOP, Value
from ...ops.primitive import TABLE
from . import cache, pool, target
from .table import ARENA, CALLBACK, ERROR, FIRST, OWNER, POOL

if TYPE_CHECKING:
    from .module import Builder

MAIN = "program"
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
_BACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_SMALL = 1 << 12  # bytes of a result that is computed in place and copied
_MOST_DATA = 1 << 16  # bytes of constants that are kept beside an object


@dataclass
class Facts:
    """What calling a program takes, besides its code and its graph. JSON can hold it.

    table:     how many addresses the table has.
    arena:     bytes.
    constants: (type, shape, bytes as hexadecimal digits).
    errors:    for each number that code can put for an error: (op, which value of the graph it is, or -1).
    """

    table: int
    arena: int
    constants: list[tuple[str, list[int], str]] = field(default_factory=list)
    errors: list[tuple[str, int]] = field(default_factory=list)


def every_value(graph: Graph) -> Iterator[Value]:
    """All values in order, those inside of loops too."""
    for v in graph.values:
        if v.kind == LOOP:
            yield from every_value(v.data.body)
        yield v


def _identity(graph: Graph) -> bytes:
    """Equal for graphs that become the same code: the text, and what it leaves out."""
    digest = hashlib.sha256(str(graph).encode())
    for v in every_value(graph):
        if v.kind == CONSTANT:
            digest.update(np.ascontiguousarray(v.data).tobytes())
    return digest.digest()


class Program:
    """A compiled graph. `run` takes the addresses of its inputs, then those of its captured tensors."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._builder: Builder | None = None
        self._called: list[Any] = []
        key = cache.key("graph", _identity(graph))
        entry = cache.lookup(key)
        if entry is not None:
            facts = Facts(**entry.meta["facts"])
            self._loaded = target.load(entry.code, [MAIN])
        else:
            target.prepare()
            facts = self._compile(key)
        self._facts = facts
        self._main = _ENTRY(self._loaded.address(MAIN))
        self._constants = [
            np.frombuffer(bytes.fromhex(data), kind).reshape(shape) for kind, shape, data in facts.constants
        ]
        self._results_at = FIRST + len(graph.inputs) + len(graph.captures)
        self._outputs = [(v.shape, v.dtype.numpy) for v in graph.outputs]
        self._large = [
            (i, shape, kind)
            for i, (shape, kind) in enumerate(self._outputs, self._results_at)
            if not _is_small(shape, kind)
        ]
        self._back = _BACK(self._call_back)
        self._idle: list[_Frame] = []
        self._busy: dict[int, _Frame] = {}

    def _compile(self, key: bytes) -> Facts:
        """Make the code, and keep it if nothing of it has to stay in this process."""
        builder = self.builder
        memory = builder.memory
        values = list(every_value(self.graph))
        facts = Facts(
            builder.table_size,
            memory.size,
            [
                (v.dtype.numpy.str, list(v.shape), np.ascontiguousarray(v.data).tobytes().hex())
                for v in memory.constants
            ],
            [(v.op.name, _position(v, values)) for v in builder.shared.errors if v.op is not None],
        )
        self._called = builder.shared.called
        size = sum(v.data.nbytes for v in memory.constants)
        if self._called or size > _MOST_DATA:
            self._loaded = target.compile_module(builder.shared.module)
            return facts
        names, code = target.emit(str(builder.shared.module))
        self._loaded = target.load(code, names)
        cache.store(key, code, {"facts": asdict(facts)})
        return facts

    @property
    def builder(self) -> Builder:
        """The plan and the code; made anew where the program came from the cache."""
        if self._builder is None:
            from .module import build  # loads LLVM

            self._builder = build(self.graph)
        return self._builder

    # -- calls -----------------------------------------------------------------------------------------------

    def run(self, addresses: Sequence[int]) -> list[np.ndarray[Any, Any]]:
        """Run on memory that holds the inputs and captured tensors, row-major; written ones are changed.

        Returns: the outputs, in memory of their own.
        Raises:  IndexingError for an index that names no element; what NumPy raises for what it computes.
        """
        try:
            frame = self._idle.pop()
        except IndexError:
            frame = _Frame(self)
        try:
            if addresses != frame.addresses:
                frame.addresses = tuple(addresses)
                frame.table[FIRST : self._results_at] = list(addresses)
            outs = []
            for i, shape, kind in self._large:  # small ones are computed in the frame, and copied
                out = buffers.empty(shape, kind)
                frame.table[i] = out.__array_interface__["data"][0]
                outs.append(out)
            if self._main(frame.address) or frame.error.value:
                self._fail(frame)
            if frame.small:
                outs = [small.copy() if small is not None else outs.pop(0) for small in frame.small]
        except BaseException:  # Ctrl-C among them: the next run gets a frame without leftovers
            self._busy.pop(id(frame), None)
            raise
        self._idle.append(frame)
        return outs

    def _fail(self, frame: _Frame) -> None:
        """Raise what went wrong in a run."""
        problem, frame.problem = frame.problem, None
        if problem is not None:
            raise problem
        name, at = self._facts.errors[frame.error.value - 1]
        site = list(every_value(self.graph))[at].site if at >= 0 else None
        raise IndexingError.of(
            TABLE[name].formula, given="an index outside of its axis",
            must="every index must name an element that is there", site=site, at=site is not None,
        )  # fmt: skip

    def _call_back(self, owner: int, number: int, table: int) -> int:
        """What native code calls for a value that NumPy computes; an error is kept and raised later."""
        try:
            self._called[number].run(table)
        except BaseException as err:  # raised again in `run`: native code cannot pass it on
            self._busy[owner].problem = err
            return 1
        return 0

    # -- for people ------------------------------------------------------------------------------------------

    def show(self, stage: str) -> str:
        """The program as text: "kernels", "ir" or "asm"."""
        from . import listing  # loads LLVM

        if stage == "kernels":
            return listing.kernels(self.builder)
        text = str(self.builder.shared.module)
        return text if stage == "ir" else target.assembly(text)

    def report(self) -> str:
        """What each kernel costs, measured on made-up numbers, and how close it is to the machine's best."""
        from . import report  # loads LLVM

        return report.report(self.graph)


def _position(v: Value, values: list[Value]) -> int:
    """Which value of the graph as it was given this one was made of."""
    return next((i for i, x in enumerate(values) if x.op is v.op and x.site is v.site), -1)


def _is_small(shape: tuple[int, ...], kind: np.dtype[Any]) -> bool:
    """Whether a copy of a result costs less than asking NumPy for the address of a new array."""
    return prod(shape) * kind.itemsize <= _SMALL


class _Frame:
    """What one run at a time uses: the table, the arena, places for small results and for errors.

    addresses: of the arguments in the table.
    small:     for each result its array here, or None; empty if none is small.
    """

    def __init__(self, program: Program) -> None:
        facts = program._facts
        self.arena = np.empty(facts.arena + 64, np.uint8)
        self.error = ctypes.c_int64(0)
        self.problem: BaseException | None = None
        self.addresses: tuple[int, ...] = ()
        self.small = [np.empty(*x) if _is_small(*x) else None for x in program._outputs]
        self.table = (ctypes.c_size_t * facts.table)()
        self.address = ctypes.addressof(self.table)
        self.table[POOL] = pool.address()
        self.table[CALLBACK] = ctypes.cast(program._back, ctypes.c_void_p).value or 0
        self.table[OWNER] = id(self)
        self.table[ARENA] = -(-self.arena.ctypes.data // 64) * 64
        self.table[ERROR] = ctypes.addressof(self.error)
        for i, small in enumerate(self.small, program._results_at):
            if small is not None:
                self.table[i] = small.ctypes.data
        if all(small is None for small in self.small):
            self.small = []
        for i, a in enumerate(program._constants, facts.table - len(program._constants)):
            self.table[i] = a.ctypes.data
        program._busy[id(self)] = self
