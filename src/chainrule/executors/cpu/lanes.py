"""The part of the Emitter that knows lanes: loads, stores, gathers, masks, sums over lanes, rare branches.

Memory holds elements without padding; an address need only be that of an element. A masked load gives 0 in
the lanes it leaves out and does not touch their memory. Next: `emit.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from ...core.dtypes import BOOL, bool_, dtype, int64
from .values import INT1, INT32, POINTER, Ir, Splat, V, Written, memory_type, numbered, vector, zero

if TYPE_CHECKING:
    from .emit import Emitter
    from .vmath.registry import Math

_VOID = ir.VoidType()


class Lanes:
    """Base of `Emitter`; its methods are used through that."""

    builder: Any
    lanes: int
    math: Math

    # Given by Emitter.
    add: Callable[..., V]
    minimum: Callable[..., V]
    maximum: Callable[..., V]
    lt: Callable[..., V]

    # -- memory --------------------------------------------------------------------------------------------

    def load(self, ptr: Ir, d: dtype, mask: V | None = None) -> V:
        """`lanes` elements from there on; with a mask 0 in the lanes where it is false."""
        typ = vector(memory_type(d), self.lanes)
        if mask is None:
            return self._loaded(self.builder.load(ptr, align=d.itemsize, typ=typ), d)
        if self.lanes == 1:
            return self._when(mask, d, lambda: self.builder.load(ptr, align=d.itemsize, typ=typ))
        load = self.math.intrinsic("llvm.masked.load", typ, (POINTER, INT32, mask.ir.type, typ), "p0")
        return self._loaded(self.builder.call(load, (ptr, _int32(d.itemsize), mask.ir, zero(typ))), d)

    def store(self, x: V, ptr: Ir, mask: V | None = None) -> None:
        """The elements of x, from there on; those where the mask is false are left alone."""
        stored = self._stored(x)
        if mask is None:
            self.builder.store(stored, ptr, align=x.dtype.itemsize)
        elif self.lanes == 1:
            with self.builder.if_then(mask.ir):
                self.builder.store(stored, ptr, align=x.dtype.itemsize)
        else:
            store = self.math.intrinsic(
                "llvm.masked.store", _VOID, (stored.type, POINTER, INT32, mask.ir.type), "p0", stored.type
            )
            self.builder.call(store, (stored, ptr, _int32(x.dtype.itemsize), mask.ir))

    def gather(self, ptr: Ir, offsets: V, d: dtype, mask: V | None = None) -> V:
        """The elements at these distances (int64, counted in elements) from ptr."""
        places = self._places(ptr, offsets, d)
        typ = vector(memory_type(d), self.lanes)
        if self.lanes == 1:
            return self.load(places, d, mask)
        every = Splat(vector(INT1, self.lanes), ir.Constant(INT1, 1)) if mask is None else mask.ir
        gather = self.math.intrinsic(
            "llvm.masked.gather", typ, (places.type, INT32, every.type, typ), f"v{self.lanes}p0"
        )
        return self._loaded(self.builder.call(gather, (places, _int32(d.itemsize), every, zero(typ))), d)

    def scatter(self, x: V, ptr: Ir, offsets: V, mask: V | None = None) -> None:
        """Store each element at its distance from ptr; where two are equal the last lane's stays."""
        places = self._places(ptr, offsets, x.dtype)
        if self.lanes == 1:
            self.store(x, places, mask)
            return
        stored = self._stored(x)
        every = Splat(vector(INT1, self.lanes), ir.Constant(INT1, 1)) if mask is None else mask.ir
        scatter = self.math.intrinsic(
            "llvm.masked.scatter", _VOID, (stored.type, places.type, INT32, every.type),
            f"v{self.lanes}p0", stored.type,
        )  # fmt: skip
        self.builder.call(scatter, (stored, places, _int32(x.dtype.itemsize), every))

    def _places(self, ptr: Ir, offsets: V, d: dtype) -> Ir:
        places = self.builder.gep(ptr, [offsets.ir], source_etype=memory_type(d))
        places.type = vector(POINTER, self.lanes)  # llvmlite takes every result for one pointer
        return places

    def _loaded(self, x: Ir, d: dtype) -> V:
        """What memory holds, as it is in a register."""
        return V(self.builder.icmp_unsigned("!=", x, zero(x.type)) if d.category == BOOL else x, d)

    def _stored(self, x: V) -> Ir:
        """What a register holds, as it is in memory."""
        return self.builder.zext(x.ir, vector(memory_type(bool_), x.lanes)) if x.dtype is bool_ else x.ir

    def _when(self, condition: V, d: dtype, load: Callable[[], Ir]) -> V:
        """A scalar that is loaded only if the condition holds; else 0."""
        before = self.builder.block
        with self.builder.if_then(condition.ir):
            loaded = load()
            inside = self.builder.block
        chosen = self.builder.phi(loaded.type)
        chosen.add_incoming(loaded, inside)
        chosen.add_incoming(zero(loaded.type), before)
        return self._loaded(chosen, d)

    # -- lanes ---------------------------------------------------------------------------------------------

    def scalars(self) -> Emitter:
        """An emitter at the same place that works on one element."""
        return type(self)(self.builder, 1, self.math)  # type: ignore[call-arg, return-value]

    def broadcast(self, x: V) -> V:
        """A scalar in every lane."""
        if self.lanes == 1:
            return x
        typ = vector(x.ir.type, self.lanes)
        if x.is_constant:
            return V(Splat(typ, x.ir), x.dtype)
        first = self.builder.insert_element(Written(typ, "poison"), x.ir, _int32(0))
        return V(self.builder.shuffle_vector(first, first, _first_lane(self.lanes)), x.dtype)

    def iota(self, start: V | int) -> V:
        """start, start + 1, ..., one per lane, int64; start is a scalar."""
        if isinstance(start, int):
            start = V(ir.Constant(memory_type(int64), start), int64)
        if self.lanes == 1:
            return start
        return self.add(
            self.broadcast(start), V(numbered(list(range(self.lanes)), memory_type(int64)), int64)
        )

    def tail_mask(self, n: V | int) -> V:
        """True in the first n lanes; n is a number, or a scalar of int64 that is only known at run time."""
        if isinstance(n, V):
            return self.lt(self.iota(0), self.broadcast(n))
        lanes = [int(i < n) for i in range(self.lanes)]
        return V(numbered(lanes, INT1) if self.lanes > 1 else ir.Constant(INT1, lanes[0]), bool_)

    def extract(self, x: V, i: int) -> V:
        """The scalar in lane i."""
        return V(self.builder.extract_element(x.ir, _int32(i)), x.dtype) if x.lanes > 1 else x

    def reduce_add(self, x: V) -> V:
        """The scalar sum of the lanes: the upper half is added to the lower one until one is left."""
        return self._halved(x, self.add)

    def reduce_max(self, x: V) -> V:
        """The largest lane; NaN if one is NaN."""
        return self._halved(x, self.maximum)

    def reduce_min(self, x: V) -> V:
        """The smallest lane; NaN if one is NaN."""
        return self._halved(x, self.minimum)

    def _halved(self, x: V, combine: Callable[[V, V], V]) -> V:
        n = x.lanes
        while n > 2:
            n //= 2
            low, high = (
                V(self.builder.shuffle_vector(x.ir, x.ir, numbered(list(range(k, k + n)), INT32)), x.dtype)
                for k in (0, n)
            )
            x = combine(low, high)
        return combine(self.extract(x, 0), self.extract(x, 1)) if n == 2 else x

    def any(self, mask: V) -> V:
        """The scalar bool: is one lane true?"""
        if mask.lanes == 1:
            return mask
        bits = self.builder.bitcast(mask.ir, ir.IntType(mask.lanes))
        return V(self.builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0)), bool_)

    def repeat_while(
        self, condition: Callable[..., V], step: Callable[..., tuple[V, ...]], *start: V
    ) -> tuple[V, ...]:
        """The state after as many steps as it takes until the condition holds in no lane.

        condition: `condition(*state)` -> bool; asked before each step.
        step:      `step(*state)` -> the state after it. It changes every lane: one that is ready must stay
        so.
        """
        builder = self.builder
        before = builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("while", "do", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        state = [V(builder.phi(x.ir.type), x.dtype) for x in start]
        builder.cbranch(self.any(condition(*state)).ir, body, after)
        builder.position_at_end(body)
        for now, first, following in zip(state, start, step(*state), strict=True):
            now.ir.add_incoming(first.ir, before)
            now.ir.add_incoming(following.ir, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return tuple(state)

    def replace_rare(self, mask: V, x: V, replacement: Callable[[], V]) -> V:
        """x, and where the mask is true the replacement, which is only computed if some lane needs it."""
        return self.replace_rare_tuple(mask, (x,), lambda: (replacement(),))[0]

    def replace_rare_tuple(
        self, mask: V, xs: tuple[V, ...], replacements: Callable[[], tuple[V, ...]]
    ) -> tuple[V, ...]:
        """The same for several values at once."""
        before = self.builder.block
        with self.builder.if_then(self.any(mask).ir, likely=False):
            others = replacements()
            replaced = [self.builder.select(mask.ir, o.ir, x.ir) for o, x in zip(others, xs, strict=True)]
            inside = self.builder.block
        chosen = [self.builder.phi(x.ir.type) for x in xs]
        for phi, x, other in zip(chosen, xs, replaced, strict=True):
            phi.add_incoming(x.ir, before)
            phi.add_incoming(other, inside)
        return tuple(V(phi, x.dtype) for phi, x in zip(chosen, xs, strict=True))


@functools.cache
def _first_lane(lanes: int) -> Ir:
    return numbered([0] * lanes, INT32)


def _int32(n: int) -> Ir:
    return ir.Constant(INT32, n)
