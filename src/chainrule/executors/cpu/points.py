"""Evaluating expressions at a point of a kernel's domain.

Loops are levels: 0 is the start of the kernel, 1 a row, each further one a loop over columns; the last one
works on vectors. A value is computed at the outermost level at which all it depends on is known, in front of
the loops inside, and remembered there. Next: `nest.py`, which makes the levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from ...core.dtypes import bool_, dtype, int64
from ...graph.values import Value
from . import table as table_slots
from .access import Place, Step, Steps, broadcast_step, is_identity, strided
from .emit import Emitter
from .forms import MEMORY, NUMBER, POINT, VIEW, rule_of
from .memory import ARENA, ARGUMENT, DATA, RESULT, Memory, Spot
from .plan import Plan
from .roots import Root, through_views
from .table import ERROR, FIRST
from .values import INT64, POINTER, V, constant, memory_type
from .vmath.registry import Math


def int64_of(n: int) -> Any:
    return ir.Constant(INT64, n)


@dataclass(frozen=True, slots=True)
class At:
    """A value computed at a level. In the last level it is a vector if `level` is the last."""

    v: V
    level: int


@dataclass(eq=False, slots=True)
class Level:
    """builder: writes what is computed at this level. index: the running number of the loop."""

    builder: Any
    index: Any = None
    known: dict[Any, Any] = field(default_factory=dict)


class Slots:
    """Addresses of values, read from the table of a program."""

    def __init__(self, memory: Memory, arguments: int, results: int) -> None:
        self._memory = memory
        self._base = {ARGUMENT: FIRST, RESULT: FIRST + arguments, DATA: FIRST + arguments + results}

    def spot(self, v: Value) -> Spot | None:
        """Where a value lies, if it has memory."""
        return self._memory.spots.get(v)

    def slot(self, spot: Spot) -> int:
        return self._base[spot.where] + spot.at

    def pointer(self, builder: Any, table: Any, v: Value) -> Any:
        """Code for the address of a value's memory."""
        spot = self._memory.spots[v]
        if spot.where == ARENA:
            return self.arena(builder, table, spot.at)
        return self.load(builder, table, self.slot(spot))

    def arena(self, builder: Any, table: Any, offset: int) -> Any:
        return builder.gep(
            self.load(builder, table, table_slots.ARENA), [int64_of(offset)], source_etype=ir.IntType(8)
        )

    @staticmethod
    def load(builder: Any, table: Any, slot: int) -> Any:
        place = builder.gep(table, [int64_of(slot)], source_etype=POINTER)
        return builder.load(place, typ=POINTER, align=8)


class Points:
    """Code for the values of one kernel at the point where its loops stand.

    levels:  what is open: levels[0], the row, then the columns' loops.
    places:  for each axis of the loops: the level whose index it is, and the axis' dimension of the domain.
    lanes:   of the last level.
    """

    def __init__(self, plan: Plan, slots: Slots, math: Math, table: Any) -> None:
        self.plan = plan
        self.slots = slots
        self.math = math
        self.table = table
        self.levels: list[Level] = []
        self.axes: list[tuple[int, int, Any]] = []  # (level, dimension, index)
        self.lanes = 1
        self.mask: V | None = None
        self.step = 0  # of the vector index: what this copy of an unrolled body adds
        self.root: Root | None = None
        self.inside: dict[Value, Any] = {}  # values of this kernel: their roots
        self.row_buffers: dict[Value, Any] = {}
        self.row_values: dict[Value, At] = {}
        self.behind: set[Value] = set()  # stored by earlier passes; what they are made of may be gone
        self.given: dict[Value, At] = {}  # values that are at hand at this point
        self.row_dims = 0
        self.single = False  # one loop over the columns: buffers of a row end in whole vectors, no mask
        self.errors: list[Value] = []
        self.may_fail = False

    # -- levels ----------------------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        return len(self.levels) - 1

    def emitter(self, level: int) -> Emitter:
        """Writes scalars before the last level, vectors in it."""
        return Emitter(self.levels[level].builder, self.lanes if level == self.last else 1, self.math)

    def scalars(self, level: int) -> Emitter:
        return Emitter(self.levels[level].builder, 1, self.math)

    def at_level(self, x: At, level: int) -> V:
        """x, to be used at that level: made a vector where vectors are used."""
        if level != self.last or self.lanes == 1 or x.level == level or x.v.lanes > 1:
            return x.v
        key = ("splat", x.v.ir, self.lanes)
        known = self.levels[x.level].known
        if key not in known:
            known[key] = Emitter(self.levels[x.level].builder, self.lanes, self.math).broadcast(x.v)
        splat: V = known[key]
        return splat

    # -- values ----------------------------------------------------------------------------------------------

    def value(self, v: Value, steps: Steps = (), start: bool = False) -> At:
        """The value, seen through the steps, at this point."""
        form = self.plan.forms[v]
        if form == NUMBER:
            return At(V(constant(v.data.item(), v.dtype, 1), v.dtype), 0)
        assert self.root is not None
        if not start and not steps and v in self.given:
            return self.given[v]
        key = (v, steps)
        for level in self.levels:
            if key in level.known:
                found: At = level.known[key]
                return found
        if not start and (form == MEMORY or v in self.plan.stored):
            out = self._read(v, strided(v.shape, steps))
        elif form == VIEW:
            from_x = v.inputs[0]
            out = self.value(from_x, (Step(from_x, v), *steps))
        elif form == POINT:
            out = self._point(v, steps)
        else:
            out = self._pull(v, steps)
        self.levels[out.level].known[key] = out
        return out

    def _point(self, v: Value, steps: Steps) -> At:
        xs: list[Any] = []
        for x in v.inputs:
            if isinstance(x, Value):
                xs.append(self.value(x, (*broadcast_step(x.shape, v.shape), *steps)))
            else:
                xs.append(x)
        return self.apply(v, xs)

    def apply(self, v: Value, xs: Sequence[Any]) -> At:
        """An elementwise op of values at hand."""
        level = max((x.level for x in xs if isinstance(x, At)), default=0)
        values = [self.at_level(x, level) if isinstance(x, At) else x for x in xs]
        return At(rule_of(v)(self.emitter(level), *values, **v.settings), level)

    # -- memory ----------------------------------------------------------------------------------------------

    def _read(self, v: Value, place: Place) -> At:
        if v in self.inside:
            root = self.inside[v]
            if v in self.row_values:
                return self.row_values[v]
            if not root.dims and self._is_here(v, place):
                known = self.given.get(v) or self._known(v)
                if known is not None:  # of this pass: it may not be stored yet
                    return known
                if v not in self.behind:
                    return self.value(v, (), start=True) if root.source is v else self._of_one(root)
        return self.load(v, place)

    def _of_one(self, root: Root) -> At:
        """A fold of one element at each point."""
        assert root.source is not None
        out = self.value(root.source)
        rule: Any = root.value.op.lower  # type: ignore[union-attr]
        b, x, d = self.emitter(out.level), self.at_level(out, out.level), root.value.dtype
        return At(b.cast(x, d) if rule.element is None else rule.element(b, x, d), out.level)

    def _known(self, v: Value) -> At | None:
        """What v is at this point, if it was computed on the way here."""
        return next((level.known[v, ()] for level in self.levels if (v, ()) in level.known), None)

    def _is_here(self, v: Value, place: Place) -> bool:
        return self.root is not None and v.shape == self.root.domain and is_identity(place, self.root.domain)

    def base(self, v: Value) -> tuple[Any, int]:
        """The address of a value's memory and the level from which on it is known and filled."""
        buffer = self.row_buffers.get(v)
        if buffer is not None:
            return buffer, 1
        known = self.levels[0].known
        if ("address", v) not in known:
            known["address", v] = self.slots.pointer(self.levels[0].builder, self.table, v)
        return known["address", v], 1 if v in self.inside else 0

    def load(self, v: Value, place: Place) -> At:
        """One element of memory for each point."""
        base, least = self.base(v)
        offset, strides = place
        row = v in self.row_buffers
        pointer, level, stride = self.address(base, least, v.dtype, offset, strides, row)
        if level < self.last or not stride or self.lanes == 1:
            return At(self.scalars(level).load(pointer, v.dtype), level)
        b = self.emitter(level)
        if stride == 1:
            mask = None if row and self.single and not offset else self.mask
            return At(b.load(pointer, v.dtype, mask), level)
        return At(b.gather(pointer, self._spaced(stride), v.dtype, self.mask), level)

    def _spaced(self, stride: int) -> V:
        key = ("spaced", stride, self.lanes)
        known = self.levels[0].known
        if key not in known:
            numbers = [ir.Constant(INT64, i * stride) for i in range(self.lanes)]
            known[key] = V(ir.Constant(ir.VectorType(INT64, self.lanes), numbers), int64)
        spaced: V = known[key]
        return spaced

    def address(
        self, base: Any, least: int, d: dtype, offset: int, strides: Sequence[int], row: bool = False
    ) -> tuple[Any, int, int]:
        """(address at this point, its level, stride along the vector): each term is added at its level."""
        level = least
        pointer = base
        if offset:
            if row:
                offset %= 1 << 62
            pointer = self._moved(least, pointer, int64_of(offset), d)
        vector_stride = 0
        for at, dim, index in self.axes:
            stride = strides[dim] if dim < len(strides) else 0
            if not stride or (row and dim < self.row_dims):
                continue
            level = max(level, at)
            number = index
            if stride != 1:
                number = self._scaled(at, index, stride)
            pointer = self._moved(level, pointer, number, d)
            if at == self.last:
                vector_stride = stride
        if level == self.last and vector_stride and self.step:
            pointer = self._moved(level, pointer, int64_of(self.step * vector_stride), d)
        return pointer, level, vector_stride

    def _moved(self, level: int, pointer: Any, number: Any, d: dtype) -> Any:
        key = ("moved", pointer, id(number) if not isinstance(number, ir.Constant) else number.constant, d)
        known = self.levels[level].known
        if key not in known:
            known[key] = self.levels[level].builder.gep(pointer, [number], source_etype=memory_type(d))
            known["keep", key] = number  # its id is in use as long as the key is
        return known[key]

    def _scaled(self, level: int, index: Any, stride: int) -> Any:
        key = ("scaled", id(index), stride)
        known = self.levels[level].known
        if key not in known:
            known[key] = self.levels[level].builder.mul(index, int64_of(stride))
            known["keep", key] = index
        return known[key]

    # -- computed places -----------------------------------------------------------------------------------

    def index(self, place: Place) -> At:
        """An index that depends on the point: offset + strides * point, as int64."""
        offset, strides = place
        out = At(V(int64_of(offset), int64), 0)
        for at, dim, index in self.axes:
            stride = strides[dim] if dim < len(strides) else 0
            if not stride:
                continue
            number = V(index, int64)
            if at == self.last and self.lanes > 1:
                b = self.emitter(at)
                if self.step:
                    number = self.scalars(at).add(number, self.step)
                number = b.iota(number)
            elif at == self.last and self.step:
                number = self.scalars(at).add(number, self.step)
            level = max(out.level, at)
            b = self.emitter(level)
            term = At(b.mul(number, stride) if stride != 1 else number, at)
            out = At(b.add(self.at_level(out, level), self.at_level(term, level)), level)
        return out

    def _pull(self, v: Value, steps: Steps) -> At:
        reader = _Reader(self, v)
        index = [strided(v.shape, steps, axis) for axis in range(len(v.shape))]
        out = rule_of(v).rule(reader, index, *v.inputs, **v.settings)
        return reader.here(out)

    def fail(self, level: int, bad: V, v: Value) -> None:
        """Note, where `bad` holds for a point, that the value cannot be computed."""
        self.may_fail = True
        if v not in self.errors:
            self.errors.append(v)
        builder = self.levels[level].builder
        b = Emitter(builder, bad.lanes, self.math)
        if self.mask is not None and bad.lanes > 1:
            bad = b.logical_and(bad, self.mask)
        known = self.levels[0].known
        if "error" not in known:
            known["error"] = self.slots.load(self.levels[0].builder, self.table, ERROR)
        with builder.if_then(b.any(bad).ir, likely=False):
            builder.store(int64_of(self.errors.index(v) + 1), known["error"], align=8)


class _Reader:
    """What a rule of computed places is given: `at(x, index)`, `at.check(x, axis, i)`, `at.b`."""

    def __init__(self, points: Points, v: Value) -> None:
        self.points = points
        self.v = v
        self.b = _Leveled(points)

    def here(self, x: Any) -> At:
        """A number of a rule, an index (an offset and strides) or what was computed, as a value."""
        if isinstance(x, At):
            return x
        if isinstance(x, tuple):
            return self.points.index(x)
        return At(V(int64_of(int(x)), int64), 0)

    def check(self, x: Value, axis: int, i: Any, from_end: bool = True) -> At:
        n = x.shape[axis]
        i = self._as_int64(self.here(i))
        p = self.points
        b = p.emitter(i.level) if i.v.lanes > 1 else p.scalars(i.level)
        wrapped = b.select(b.lt(i.v, 0), b.add(i.v, n), i.v) if from_end else i.v
        bits = V(b.builder.icmp_unsigned("<", wrapped.ir, b.pair(wrapped, n)[1].ir), bool_)
        p.fail(i.level, b.logical_not(bits), self.v)
        return At(b.select(bits, wrapped, 0), i.level)

    def _as_int64(self, i: At) -> At:
        p = self.points
        b = p.emitter(i.level) if i.v.lanes > 1 else p.scalars(i.level)
        return At(b.cast(i.v, int64), i.level)

    def __call__(self, x: Any, index: Sequence[Any]) -> Any:
        p = self.points
        if not isinstance(x, Value):
            return x
        base, steps = through_views(x, p.plan.forms, p.plan.stored)
        if p.plan.forms[base] == NUMBER:
            return p.value(base)
        offset, own = strided(base.shape, steps)
        strides: dict[int, int] = {}
        computed: list[tuple[At, int]] = []
        for i, stride, n in zip(index, own, x.shape, strict=True):
            if n == 1 and not isinstance(i, int):
                continue
            if isinstance(i, tuple):
                offset += stride * i[0]
                for d, c in enumerate(i[1]):
                    strides[d] = strides.get(d, 0) + stride * c
            elif isinstance(i, int):
                offset += stride * i
            else:
                computed.append((i, stride))
        assert p.root is not None
        flat = tuple(strides.get(d, 0) for d in range(len(p.root.domain)))
        if base in p.inside and base in p.row_values and not computed:
            return p.row_values[base]
        if not computed:
            return p._read(base, (offset, flat))
        return self._far(base, offset, flat, computed)

    def _far(self, base: Value, offset: int, strides: tuple[int, ...], computed: list[tuple[At, int]]) -> At:
        p = self.points
        if base in p.row_values:
            return p.row_values[base]
        pointer, level = p.base(base)
        row = base in p.row_buffers
        vectors: list[tuple[At, int]] = []
        for i, stride in computed:
            if i.v.lanes > 1:
                vectors.append((i, stride))
                continue
            level = max(level, i.level)
            b = p.scalars(level)
            pointer = p._moved(level, pointer, b.mul(i.v, stride).ir, base.dtype)
        pointer, level, along = p.address(pointer, level, base.dtype, offset, strides, row)
        if not vectors and (level < p.last or not along or p.lanes == 1):
            return At(p.scalars(level).load(pointer, base.dtype), level)
        level = p.last
        b = p.emitter(level)
        if not vectors and along == 1:
            return At(b.load(pointer, base.dtype, p.mask), level)
        offsets = p._spaced(along) if along else None
        for i, stride in vectors:
            term = b.mul(i.v, stride)
            offsets = term if offsets is None else b.add(offsets, term)
        assert offsets is not None
        return At(b.gather(pointer, offsets, base.dtype, p.mask), level)


class _Leveled:
    """The methods of an Emitter for values of several levels: each at the innermost level of its inputs."""

    def __init__(self, points: Points) -> None:
        self._points = points

    def __getattr__(self, name: str) -> Callable[..., At]:
        p = self._points

        def method(*xs: Any) -> At:
            values = [p.index(x) if isinstance(x, tuple) else x for x in xs]
            level = max((x.level for x in values if isinstance(x, At)), default=0)
            return At(
                getattr(p.emitter(level), name)(
                    *(p.at_level(x, level) if isinstance(x, At) else x for x in values)
                ),
                level,
            )

        return method
