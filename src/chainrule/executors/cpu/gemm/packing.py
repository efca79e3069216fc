"""Copies of operands in scratch, in the order in which the register tiles read them.

Two forms: `rows`, every line contiguous (so that gathered lines have a fixed distance), and `panels`, `width`
lines side by side for each k. Gathering, transposing and computed operands are dealt with here, once for each
element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .code import Code, Value
from .layout import AHEAD, CACHE_LINE, Lines, Memory, line_pointers

Emit = Callable[[Code, "Value | int", Memory], None]


@dataclass(frozen=True)
class Pack:
    """A copy: `tasks` independent pieces, where tiles find the result, and estimated cycles."""

    tasks: int
    emit: Emit
    result: Lines
    cycles: float


class Room(Protocol):
    """What packing asks a draft for: scratch memory, and what the vectors are like."""

    @property
    def lanes(self) -> int: ...
    @property
    def size(self) -> int: ...
    def take(self, elements: int) -> int: ...


def pack_cycles(source: Lines, elements: int, straight: bool, lanes: int) -> float:
    """Measured: a copy moves a vector in two cycles; to turn it round takes four times that."""
    one = 0.1 if straight else 0.4 if 1 in (source.k, source.line) else 3.0
    return 40 + elements * one * 16 / lanes


def _pieces(count: int, grain: int) -> tuple[int, int]:
    """Split `count` things in pieces of `grain`: the number of pieces and their size."""
    grain = max(1, min(grain, count))
    return -(-count // grain), grain


def _apart(length: int, size: int) -> int:
    """Elements from one line to the next: an odd number of cache lines spreads them evenly in a cache."""
    per = CACHE_LINE // size
    return (-(-length // per) | 1) * per


def pack_rows(source: Lines, count: int, k: int, room: Room) -> Pack:
    """Every line with k contiguous."""
    lanes, stride = room.lanes, _apart(k, room.size)
    where = room.take(count * stride)
    straight = source.k == 1 and source.indexed != "k"
    if straight:
        tasks, emit = _copied_rows(source, count, k, stride, lanes, where)
    elif source.line == 1 and source.indexed != "lines":
        tasks, emit = _turned_rows(source, count, k, stride, lanes, where)
    else:
        tasks, emit = _single_elements(source, count, k, (1, stride, 1), where)
    return Pack(tasks, emit, Lines(where, stride, stride, 1), pack_cycles(source, count * k, straight, lanes))


def pack_panels(source: Lines, count: int, k: int, width: int, lanes: int, room: Room) -> Pack:
    """Panels of `width` lines side by side. Past the last line there is anything: it is not stored."""
    where = room.take(-(-count // width) * k * width)
    straight = source.line == 1 and source.indexed != "lines"
    if straight:
        tasks, emit = _copied_panels(source, count, k, width, lanes, where)
    elif source.k == 1 and source.indexed != "k" and width % lanes == 0:
        tasks, emit = _turned_panels(source, count, k, width, lanes, where)
    else:
        tasks, emit = _single_elements(source, count, k, (width, k * width, width), where)
    return Pack(tasks, emit, Lines(where, k, 1, width), pack_cycles(source, count * k, straight, lanes))


def _copied_rows(source: Lines, count: int, k: int, stride: int, lanes: int, where: int) -> tuple[int, Emit]:
    tasks, grain = _pieces(count, max(1, 16384 // k))
    whole = k // lanes * lanes
    quads = k // (4 * lanes) * 4 * lanes
    far = source.indexed == "lines" and k >= 4 * lanes

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        first = c.mul(task, grain)
        target = c.bytes_at(memory.scratch, where)

        def line(i: Value) -> None:
            (read,) = line_pointers(source, c, memory, i, 1)
            coming = line_pointers(source, c, memory, c.add(i, AHEAD), 1, count - 1) if far else []
            write = c.at(target, c.mul(i, stride))

            def piece(j: Value) -> None:
                c.store(c.load(c.at(read, j), lanes), c.at(write, j))
                for pointer in coming:
                    c.fetch(c.at(pointer, j))

            def pieces(j: Value) -> None:
                # Four vectors in a round: a copy has no arithmetic to hide its loop behind.
                for v in range(4):
                    piece(c.add(j, v * lanes))

            c.loop(0, quads, pieces, step=4 * lanes)
            c.loop(quads, whole, piece, step=lanes)
            if k > whole:
                c.store(c.load(c.at(read, whole), lanes, k - whole), c.at(write, whole), k - whole)

        c.loop(first, c.smaller(c.add(first, grain), count), line)

    return tasks, emit


def _copied_panels(source: Lines, count: int, k: int, width: int, lanes: int, where: int) -> tuple[int, Emit]:
    """Neighbouring lines are neighbours in memory already: pieces of `width` are moved, k after k."""
    tasks, grain = _pieces(k, max(1, 16384 // count))
    panels, rest = divmod(count, width)

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        base, indices = source.pointer(c, memory), source.indices(memory)
        target = c.bytes_at(memory.scratch, where)
        first = c.mul(task, grain)

        def at_k(t: Value) -> None:
            place = c.entry(indices, t) if indices is not None else t
            read = c.at(base, c.mul(place, source.k))
            write = c.at(target, c.mul(t, width))

            def panel(p: Value | int, valid: int) -> None:
                origin, goal = c.at(read, c.mul(p, width)), c.at(write, c.mul(p, k * width))
                for v in range(0, valid, lanes):
                    here = min(lanes, valid - v)
                    c.store(c.load(c.at(origin, v), lanes, here), c.at(goal, v), here)

            c.loop(0, panels, lambda p: panel(p, width))
            if rest:
                panel(panels, rest)

        c.loop(first, c.smaller(c.add(first, grain), k), at_k)

    return tasks, emit


def _blocks(c: Code, length: int, size: int, block: Callable[[Value | int, int], None]) -> None:
    """Blocks of `size` from 0 to `length`. The last may begin earlier: what is written twice is the same."""
    if length < size:
        block(0, length)
    elif length % size == 0:
        c.loop(0, length, lambda t: block(t, size), step=size)
    else:
        c.loop(0, length, lambda t: block(c.smaller(t, length - size), size), step=size)


def _turned_panels(source: Lines, count: int, k: int, width: int, lanes: int, where: int) -> tuple[int, Emit]:
    """k is contiguous, and lines shall be: blocks of `lanes` lines and a few k are turned round."""
    groups = -(-count // lanes)
    tasks, grain = _pieces(groups, max(1, 16384 // (k * lanes)))

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        target = c.bytes_at(memory.scratch, where)
        first = c.mul(task, grain)

        def group(g: Value) -> None:
            reads = line_pointers(
                source, c, memory, c.mul(g, lanes), lanes, count - 1 if count % lanes else None
            )
            panel, within = c.divided(g, width // lanes)
            write = c.at(c.at(target, c.mul(panel, k * width)), c.mul(within, lanes))

            def block(t: Value | int, valid: int) -> None:
                goal = c.at(write, c.mul(t, width))
                for u, column in enumerate(c.columns([c.at(read, t) for read in reads], valid)):
                    c.store(column, c.at(goal, u * width))

            _blocks(c, k, c.quarter(lanes), block)

        c.loop(first, c.smaller(c.add(first, grain), groups), group)

    return tasks, emit


def _turned_rows(source: Lines, count: int, k: int, stride: int, lanes: int, where: int) -> tuple[int, Emit]:
    """Lines are contiguous, and k shall be: the other way round."""
    tasks, grain = _pieces(-(-k // lanes), max(1, 16384 // (count * lanes)))

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        base, indices = source.pointer(c, memory), source.indices(memory)
        target = c.bytes_at(memory.scratch, where)
        first = c.mul(task, grain * lanes)

        def steps(t: Value | int, valid: int) -> None:
            places = [c.add(t, min(u, valid - 1)) for u in range(lanes)]
            if indices is not None:
                places = [c.entry(indices, place) for place in places]
            reads = [c.at(base, c.mul(place, source.k)) for place in places]
            write = c.at(target, t)

            def block(i: Value | int, lines: int) -> None:
                goal = c.at(write, c.mul(i, stride))
                for u, line in enumerate(c.columns([c.at(read, i) for read in reads], lines)):
                    c.store(line, c.at(goal, u * stride), valid)

            _blocks(c, count, c.quarter(lanes), block)

        if k < lanes:
            steps(0, k)
        else:
            stop = c.smaller(c.add(first, grain * lanes), k)
            c.loop(first, stop, lambda t: steps(c.smaller(t, k - lanes), lanes), step=lanes)

    return tasks, emit


def _single_elements(
    source: Lines, count: int, k: int, target_strides: tuple[int, int, int], where: int
) -> tuple[int, Emit]:
    """Any other distances: one element after the other. Rare, and still read only once.

    target_strides: lines in a panel, elements from one panel to the next, and from one k to the next
    """
    width, panel, step = target_strides
    tasks, grain = _pieces(count, max(1, 4096 // k))

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        target, base = c.bytes_at(memory.scratch, where), source.pointer(c, memory)
        indices = source.indices(memory)
        first = c.mul(task, grain)

        def line(i: Value) -> None:
            whole, within = c.divided(i, width)
            write = c.at(target, c.add(c.mul(whole, panel), within))
            place = c.entry(indices, i) if source.indexed == "lines" else i
            read = c.at(base, c.mul(place, source.start))

            def element(t: Value) -> None:
                place = c.entry(indices, t) if source.indexed == "k" else t
                value = c.scalar(c.at(read, c.mul(place, source.k)))
                c.b.store(value, c.at(write, c.mul(t, step)), align=c.size)

            c.loop(0, k, element)

        c.loop(first, c.smaller(c.add(first, grain), count), line)

    return tasks, emit


def evaluate(which: str, rows: int, cols: int, room: Room) -> Pack:
    """A computed operand, written to scratch row by row; rows are the lines of the result."""
    lanes, stride = room.lanes, _apart(cols, room.size)
    where = room.take(rows * stride)
    tasks, grain = _pieces(rows, max(1, 8192 // cols))
    whole = cols // lanes * lanes

    def emit(c: Code, task: Value | int, memory: Memory) -> None:
        read = memory.operands[which].read
        assert read is not None
        target, first = c.bytes_at(memory.scratch, where), c.mul(task, grain)

        def row(i: Value) -> None:
            write = c.at(target, c.mul(i, stride))
            c.loop(0, whole, lambda j: c.store(read(c.b, i, j, lanes, None), c.at(write, j)), step=lanes)
            if cols > whole:
                value = read(c.b, i, c.index(whole), lanes, cols - whole)
                c.store(value, c.at(write, whole), cols - whole)

        c.loop(first, c.smaller(c.add(first, grain), rows), row)

    return Pack(tasks, emit, Lines(where, stride, stride, 1), 40 + rows * cols / lanes * 4)
