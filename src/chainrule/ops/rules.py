"""Shape and dtype rules shared by many entries.

A shape rule gets the input shapes and the settings and gives the output shape. A dtype rule says which
common type the inputs are converted to before the op runs, which are refused, and what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..core import dtypes
from ..core.dtypes import BOOL, FLOAT, INTEGER, dtype
from ..core.shapes import Shape, broadcast_shapes


class DTypeRule(NamedTuple):
    """What an op does with element types.

    unify: convert inputs to one common type, by promotion; otherwise each keeps its own.
    floating: a common type that is not floating becomes the default floating type.
    accepts: categories the (common, or each) type may have.
    result: output type from the (common, or first) type.
    wanted: what is accepted, in words.
    """

    name: str
    unify: bool = True
    first: int = 0
    floating: bool = False
    accepts: frozenset[int] = frozenset({BOOL, INTEGER, FLOAT})
    result: Callable[[dtype], dtype] = lambda d: d
    wanted: str = ""


def _widened(d: dtype) -> dtype:
    return d if d.is_floating_point else dtypes.int64


_NUMBERS = frozenset({INTEGER, FLOAT})
_WHOLE = frozenset({BOOL, INTEGER})

SAME = DTypeRule("same")
NO_BOOL = DTypeRule("same, not bool", accepts=_NUMBERS, wanted="not bool")
FLOATING = DTypeRule("floating", floating=True)
FLOAT_ONLY = DTypeRule("floating only", accepts=frozenset({FLOAT}), wanted="a floating-point type")
STRICT_FLOAT = DTypeRule(
    "floating only, all alike", unify=False, accepts=frozenset({FLOAT}), wanted="floating point"
)
WHOLE = DTypeRule("whole", accepts=_WHOLE, wanted="integer or bool")
COMPARES = DTypeRule("compares", result=lambda d: dtypes.bool_)
LOGICAL = DTypeRule("logical", unify=False, result=lambda d: dtypes.bool_)
ACCUMULATES = DTypeRule("accumulates", unify=False, result=_widened)
COUNTS = DTypeRule("counts", unify=False, result=lambda d: dtypes.int64)
FIRST = DTypeRule("first", unify=False)


def same_shape(x: Shape, *others: Shape, **settings: Any) -> Shape:
    return x


def broadcast(*shapes: Shape, **settings: Any) -> Shape:
    return broadcast_shapes(*shapes)
