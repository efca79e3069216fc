"""Values: the results of primitives, inputs and constants, known by shape and type only. Next: `graph.py`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..core.dtypes import dtype
from ..core.errors import Site
from ..ops.primitive import Primitive

_number = itertools.count().__next__

INPUT, CONSTANT, CAPTURE, OP, PART = "input", "constant", "capture", "op", "part"

Operand = Any  # a Value, or a Python number


class Value:
    """One value of a graph.

    kind:     INPUT; CONSTANT (with `data`, an array); CAPTURE (with `data`, the tensor or `Host` it is
              read from); OP; or PART, one result of an op that has several.
    op, inputs, settings: for OP; `inputs` are Values and Python numbers.
    index:    for PART: which result of `inputs[0]`.
    shape, dtype: of the value; tuples of them for an op with several results.
    name:     what the user calls it, if known; printing makes up the rest.
    seq:      running number; larger than that of every input.
    site:     the user's line that made it.
    """

    __slots__ = (
        "__weakref__", "data", "dtype", "index", "inputs", "kind", "name", "op", "seq", "settings",
        "shape", "site",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        shape: Any,
        dtype: Any,
        *,
        op: Primitive | None = None,
        inputs: tuple[Operand, ...] = (),
        settings: dict[str, Any] | None = None,
        data: Any = None,
        index: int = 0,
        name: str = "",
        site: Site | None = None,
    ) -> None:
        self.kind = kind
        self.shape = shape
        self.dtype = dtype
        self.op = op
        self.inputs = inputs
        self.settings = settings or {}
        self.data = data
        self.index = index
        self.name = name
        self.seq = _number()
        self.site = site

    @property
    def operands(self) -> Iterable[Value]:
        """The inputs that are values."""
        return (x for x in self.inputs if isinstance(x, Value))

    def __repr__(self) -> str:
        what = self.op.name if self.op is not None else self.kind
        return f"<{what} {self.dtype}{list(self.shape)}>"


def op_value(
    op: Primitive,
    inputs: tuple[Operand, ...],
    settings: dict[str, Any],
    dtype: dtype,
    site: Site | None = None,
) -> Value:
    """The result of a primitive; the shape comes from its rule. `dtype` is that of the (first) result."""
    shapes = [x.shape if isinstance(x, Value) else () for x in inputs]
    shape = op.shape(*shapes, **settings)
    kinds: Any = dtype if op.outputs == 1 else (dtype,) * op.outputs
    return Value(OP, shape, kinds, op=op, inputs=inputs, settings=settings, site=site)


def output_type(op: Primitive, inputs: Sequence[Operand], settings: dict[str, Any]) -> dtype:
    """The type of a primitive's result, by its rule; the inputs have the op's common type already."""
    first = next(x for x in inputs[op.dtype.first :] if isinstance(x, Value))
    return op.dtype.output(first.dtype, settings)


def reachable(roots: Iterable[Value]) -> list[Value]:
    """All values that the roots are computed from, and the roots, in order of their numbers."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for x in stack.pop().operands:
            if x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(seen, key=lambda v: v.seq)


def constant(a: np.ndarray[Any, Any], kind: dtype) -> Value:
    """A value known now."""
    return Value(CONSTANT, a.shape, kind, data=a)
