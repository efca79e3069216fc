"""The model of a derivation: values, and the primitives that made them, in the order in which they ran.

A `Value` has the number it had at that time (later writes do not change it), the user's name for it, and the
`Step` that made it; inputs, parameters and constants have none. Nothing is computed here. Next:
`recording.py` fills it, `forward.py` and `reverse.py` walk over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..base import wrap
from ..core.errors import Site, describe, line_of
from ..ops.primitive import Primitive

# What a value is.
INPUT: Final = "input"  # an argument of the function
OUTSIDE: Final = (
    "outside"  # a tensor that the function uses and that it did not make: a parameter, a constant
)
MADE: Final = "made"  # the result of a step
STOPPED: Final = "stopped"  # a copy of another value through which no derivative goes (detach)
STILL: Final = "still"  # the tangent of a value that does not move


@dataclass(eq=False, slots=True)
class Value:
    """One tensor at one time.

    wish:    what the user calls it, or ""; `name` is its own in the derivation.
    varies:  whether it depends, through derivatives, on what is differentiated.
    leaf:    whether it is one of the tensors that the derivation differentiates by.
    source:  of a stopped value: the one it is a copy of.
    """

    data: np.ndarray[Any, Any] | None
    shape: tuple[int, ...]
    kind: str
    wish: str = ""
    name: str = ""
    wants: bool = False
    step: Step | None = None
    source: Value | None = None
    varies: bool = False
    leaf: bool = False
    inside: bool = False  # made inside of the package where the user has no name for it
    dtype: np.dtype[Any] | None = None  # of a value whose numbers are not known

    @property
    def tensor(self) -> Any:
        """The value as a tensor on no tape; where the numbers are not known, nobody reads them."""
        return wrap(np.zeros(self.shape, self.dtype) if self.data is None else self.data)

    @property
    def type(self) -> np.dtype[Any]:
        """The type of its elements."""
        return self.tensor._a.dtype  # type: ignore[no-any-return]

    @property
    def known(self) -> bool:
        """Whether its numbers are known."""
        return self.data is not None

    @property
    def size(self) -> int:
        """How many elements it has."""
        n = 1
        for length in self.shape:
            n *= length
        return n

    def __repr__(self) -> str:
        return f"<value {self.name or self.wish or '?'} {self.shape}>"


@dataclass(eq=False, slots=True)
class Step:
    """A primitive that ran: `out = op(*operands, **settings)`.

    operands: values and Python numbers, of the type that the op computes in.
    fixed:    it ran with gradients off, so its result is a constant.
    site:     the user's line; `call` is a number for the function call that was running there, `statement`
              where the statement ends.
    layers:   paths of the modules that were being called, the outermost first.
    """

    op: Primitive
    operands: tuple[Any, ...]
    settings: dict[str, Any]
    out: Value
    fixed: bool = False
    site: Site | None = None
    call: int = 0
    statement: int = 0
    layers: tuple[str, ...] = ()

    @property
    def values(self) -> list[Value]:
        """The operands that are tensors."""
        return [x for x in self.operands if isinstance(x, Value)]

    @property
    def primals(self) -> list[Any]:
        """The operands as tensors and numbers; None for what is not known."""
        return [(x.tensor if x.known else None) if isinstance(x, Value) else x for x in self.operands]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the operands."""
        return [x.shape if isinstance(x, Value) else () for x in self.operands]

    @property
    def moving(self) -> list[int]:
        """Which operands carry derivatives into the result."""
        if not self.out.varies:
            return []
        return [
            i
            for i, x in enumerate(self.operands)
            if isinstance(x, Value) and x.varies and self.op.rule_for(i) is not None
        ]

    @property
    def line(self) -> int | None:
        """The number of the user's line."""
        return None if self.site is None else line_of(self.site)

    @property
    def where(self) -> str:
        """The user's line as `file.py:41`."""
        return "" if self.site is None else describe(self.site)


@dataclass(eq=False, slots=True)
class Program:
    """What ran: all values, and the steps in order.

    output: the result.  leaves: what it is differentiated by.
    dropped: number of steps that ran and that the result is not made of.
    """

    name: str
    inputs: list[Value]
    outside: list[Value]
    steps: list[Step]
    output: Value
    leaves: list[Value]
    dropped: int = 0

    @property
    def stops(self) -> bool:
        """Whether something that depends on what is differentiated is held constant (detach, no_grad)."""
        return any(
            v.source.varies if v.source is not None else step.fixed and v.varies
            for step in self.steps
            for v in step.values
        )

    @property
    def moving(self) -> list[Step]:
        """The steps through which derivatives go."""
        return [s for s in self.steps if s.out.varies]

    @property
    def values(self) -> list[Value]:
        """Inputs, what came from outside, and results, in this order."""
        return [*self.inputs, *self.outside, *(s.out for s in self.steps)]


def needed(output: Value, steps: Iterable[Step]) -> list[Step]:
    """The steps that the output is made of, in order."""
    wanted = {id(output)}
    kept = []
    for step in reversed(list(steps)):
        if id(step.out) in wanted:
            kept.append(step)
            wanted.update(id(v) for v in step.values)
            wanted.update(id(v.source) for v in step.values if v.source is not None)
    return kept[::-1]


def spread_variation(steps: Iterable[Step], leaves: Iterable[Value]) -> None:
    """Say of each value whether derivatives by the leaves go through it."""
    for leaf in leaves:
        leaf.leaf = leaf.varies = True
    for step in steps:
        step.out.varies = (
            not step.fixed
            and step.op.differentiable
            and (step.out.data is None or step.out.data.dtype.kind == "f")
            and any(
                isinstance(x, Value) and x.varies and step.op.rule_for(i) is not None
                for i, x in enumerate(step.operands)
            )
        )


def by_depth(steps: list[Step]) -> list[Step]:
    """The steps of one expression by their depth, as one writes them by hand; else in the order they ran.

    ln(x1) + x1*x2 - sin(x2) runs as ln, product, sum, sine, difference; by hand ln, product, sine come first.
    """
    result: list[Step] = []
    group: list[Step] = []
    for step in steps:
        last = group[-1] if group else None
        same = last is not None and _expression(last) == _expression(step)
        again = last is not None and _instruction(step) < _instruction(last)  # a loop: the next round
        if group and (not same or again or step.site is None):
            result += _sorted(group)
            group = []
        group.append(step)
    return result + _sorted(group)


def _instruction(step: Step) -> int:
    return -1 if step.site is None else step.site[1]


def _expression(step: Step) -> tuple[int, int, tuple[str, ...]]:
    return step.call, step.statement, step.layers


def _sorted(group: list[Step]) -> list[Step]:
    depth: dict[int, int] = {}
    for step in group:
        depth[id(step.out)] = 1 + max((depth.get(id(v), 0) for v in step.values), default=0)
    return sorted(group, key=lambda s: depth[id(s.out)])
