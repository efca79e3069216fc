"""Writes a matrix product: where its operands lie, and what becomes of each finished piece.

The loops are those of `gemm/`. Bias, activation, update: what the plan put into the product's kernel is
computed on the finished numbers before they are stored; the product itself may never be stored at all.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ...graph.values import Value
from . import gemm
from .access import row_major, strided
from .host import host
from .plan import Kernel, Plan
from .points import At, Level, Points, int64_of
from .roots import through_views
from .values import V, memory_type


class Matrices:
    """The product of one kernel: a stack of (m, k) @ (k, n), and how the parts of each are laid out."""

    def __init__(self, kernel: Kernel, plan: Plan) -> None:
        self.kernel = kernel
        self.plan = plan
        self.value = kernel.main.value
        shape = self.value.shape
        self.stack = shape[:-2]
        x, y = self.value.inputs
        self.m, self.n, self.k = shape[-2], shape[-1], x.shape[-1]
        self.operands = [self._operand(x), self._operand(y)]
        layouts = [gemm.Layout(strides[-2], strides[-1]) for _, (_, strides) in self.operands]
        self.gemm = gemm.plan(self.m, self.n, self.k, self.value.dtype, layouts[0], layouts[1], host())

    def _operand(self, x: Value) -> tuple[Value, tuple[int, tuple[int, ...]]]:
        base, steps = through_views(x, self.plan.forms, self.plan.stored)
        if 0 in x.shape:
            return base, (0, (0,) * len(x.shape))
        return base, strided(base.shape, steps)

    @property
    def scratch_bytes(self) -> int:
        return self.gemm.scratch_bytes

    @property
    def scratch_for_all(self) -> int:
        return self.scratch_bytes * self.count

    @property
    def is_empty(self) -> bool:
        return 0 in self.value.shape

    def offsets(self, builder: Any, number: Any) -> list[Any]:
        """Where the operands of matrix `number` of the stack begin, in elements."""
        out = []
        for x, (_, (offset, strides)) in zip(self.value.inputs, self.operands, strict=True):
            at = int64_of(offset)
            own = x.shape[:-2]
            rest = number
            for d in reversed(range(len(self.stack))):
                i = rest
                if d > 0:
                    i = builder.urem(rest, int64_of(self.stack[d]))
                    rest = builder.udiv(rest, int64_of(self.stack[d]))
                e = d - (len(self.stack) - len(own))
                if e >= 0 and own[e] != 1:
                    at = builder.add(at, builder.mul(i, int64_of(strides[e])))
            out.append(at)
        return out

    def write_phase(
        self, phase: gemm.Phase, points: Points, builder: Any, index: Any, scratch: Any, number: Any = None
    ) -> None:
        """One index of one phase, where the builder stands. number: of the matrix in the stack."""
        top = builder.append_basic_block("addresses")
        body = builder.append_basic_block("product")
        builder.branch(top)
        hoist = type(builder)(top)
        builder.position_at_end(body)
        points.levels = [Level(hoist)]
        points.inside = {root.value: root for root in self.kernel.roots}
        offsets = self.offsets(hoist, number if number is not None else int64_of(0))
        typ = memory_type(self.value.dtype)
        a, b = (
            gemm.Operand(hoist.gep(points.base(base)[0], [offset], source_etype=typ))
            for (base, _), offset in zip(self.operands, offsets, strict=True)
        )
        phase.emit(builder, index, a, b, scratch, self._store(points, number))
        hoist.branch(body)

    def _store(self, points: Points, number: Any) -> Callable[..., None]:
        """What is done with a finished piece of the product."""
        v = self.value
        domain = v.shape
        rank = len(domain)
        stack_axes: list[tuple[int, int, Any]] = []

        def store(builder: Any, i: Any, j: Any, acc: Any, lanes: int, valid: int | None) -> None:
            top = points.levels[0]
            points.levels = [top, Level(builder, i), Level(builder, j)]
            points.lanes = lanes
            points.row_values = {}
            if self.gemm.along == "rows":
                axes = [(1, rank - 1, j), (2, rank - 2, i)]
            else:
                axes = [(1, rank - 2, i), (2, rank - 1, j)]
            rest = number
            stack_axes.clear()
            for d in reversed(range(rank - 2)):
                here = rest
                if d > 0:
                    here = builder.urem(rest, int64_of(self.stack[d]))
                    rest = builder.udiv(rest, int64_of(self.stack[d]))
                stack_axes.append((1, d, here))
            points.axes = [*stack_axes, *axes]
            b = points.emitter(2)
            points.mask = None if valid is None else b.tail_mask(valid)
            points.given = {v: At(V(acc, v.dtype), 2)}
            results = []
            for root in self.kernel.roots:
                points.root = root
                if root is self.kernel.main:
                    if self.kernel.stores_product:
                        results.append((root, points.given[v]))
                    continue
                results.append((root, points.value(root.value, start=True)))
            for root, out in results:
                base, least = points.base(root.value)
                pointer, _, stride = points.address(base, least, root.value.dtype, 0, row_major(domain))
                x = points.at_level(out, 2)
                if lanes == 1 or stride == 1:
                    b.store(x, pointer, points.mask)
                else:
                    b.scatter(x, pointer, points._spaced(stride), points.mask)
            points.levels = [top]
            points.given = {}

        return store

    @property
    def count(self) -> int:
        return prod(self.stack)
