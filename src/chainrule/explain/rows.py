"""The rows of a derivation's tables: formulas and values, not yet how they look.

Next: `derivation.py`, which makes them, and `show/tables.py`, which sets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .formula import Formula
from .steps import Value


@dataclass(eq=False, slots=True)
class ValueRow:
    """A value: what it is computed by, from which line.

    layer: the path of the module that computed it, the innermost one.
    """

    of: Value
    formula: Formula | None
    line: str
    layer: str = ""

    @property
    def name(self) -> str:
        """The value's name."""
        return self.of.name


@dataclass(eq=False, slots=True)
class Column:
    """A pass of forward mode: an input that moves; one element of it (`place`), or all of them alike."""

    leaf: Value
    place: tuple[int, ...] | None

    @property
    def title(self) -> str:
        """What the tangents in the column are."""
        if self.place is None:
            return f"{self.leaf.name} + t·1"
        index = f"[{', '.join(map(str, self.place))}]" if self.place else ""
        return f"∂/∂{self.leaf.name}{index}"

    @property
    def direction(self) -> np.ndarray[Any, Any]:
        """How the input moves."""
        found = np.ones(self.leaf.shape, self.leaf.type)
        if self.place is not None:
            found[...] = 0
            found[self.place] = 1
        return found


@dataclass(eq=False, slots=True)
class TangentRow:
    """How a value moves: one tangent per input that is shown, None where it does not."""

    of: Value
    name: str
    formula: Formula | None
    rule: str
    tangents: list[Any]


@dataclass(eq=False, slots=True)
class AdjointRow:
    """The derivative of the result by a value.

    chain: as the chain rule has it, in terms of the adjoints it comes from.
    formula: the same with the local derivatives put in; None for the result itself.
    """

    of: Value
    name: str
    chain: str
    formula: Formula | None
    rule: str
    value: Any


@dataclass(eq=False, slots=True)
class LocalRow:
    """The derivative of one step's result by one operand.

    formula: a matrix, or, if `maps`, what the step makes of the adjoint G of its result.
    """

    name: str
    formula: Formula
    maps: bool
    shape: tuple[int, ...]
    rule: str


@dataclass(eq=False, slots=True)
class WholeRow:
    """The derivative of the result by an input, in the layout; no formula where it would be long."""

    of: Value
    name: str
    formula: Formula | None
    shape: tuple[int, ...]
    value: np.ndarray[Any, Any]
    rule: str
