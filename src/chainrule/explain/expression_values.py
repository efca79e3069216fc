"""The values that a person types for the variables of an expression: `x1=2, w=[[1, 2], [3, 4]], t=pi/4`.

A value is a number, or lists of numbers in each other; a number may be said with signs and functions. Read as
expressions are, without evaluating any text.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from .expression import read_number
from .formula import tree as t
from .formula.error import unreadable
from .formula.read import read_named
from .formula.tree import Node

Values: TypeAlias = "int | float | list[Any]"


def read_values(text: str) -> dict[str, Values]:
    """The values by name, in the order in which they are given.

    Raises:  FormulaError, which shows the place.

    >>> read_values("x1=2, w=[[1, 2], [3, -1]], t=pi/4")
    {'x1': 2, 'w': [[1, 2], [3, -1]], 't': 0.7853981633974483}
    """
    values: dict[str, Values] = {}
    for name, node in read_named(text):
        if name in values:
            raise unreadable(text, node.at or (0, len(text)), f"{name} is given twice")
        values[name] = _value(text, node)
    return values


def _value(text: str, node: Node) -> Values:
    if not isinstance(node, t.Group):
        return read_number(text, node)
    values = [_value(text, item) for item in node.items]
    for value, item in zip(values, node.items, strict=True):
        if _shape(value) != _shape(values[0]):
            problem = f"this has the shape {_shape(value)}, the first one {_shape(values[0])}"
            raise unreadable(text, item.at or (0, len(text)), problem, "rows of one length")
    return values


def _shape(value: Values) -> tuple[int, ...]:
    return (len(value), *_shape(value[0])) if isinstance(value, list) else ()
