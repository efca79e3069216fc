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
    counting: bool becomes int64.
    half: float16 is taken, too.
    accepts: categories the (common, or each) type may have.
    leading: how many inputs, from the first, must be of an accepted type (None: all).
    result: output type from the (common, or first) type.
    wanted: what is accepted, in words.
    hint: what to try with a type that is refused.
    asked: the setting that says what comes out, for an op whose caller chooses.
    apart: each input must be accepted by itself, too.
    """

    name: str
    unify: bool = True
    first: int = 0
    floating: bool = False
    counting: bool = False
    half: bool = True
    accepts: frozenset[int] = frozenset({BOOL, INTEGER, FLOAT})
    result: Callable[[dtype], dtype] = lambda d: d
    leading: int | None = None
    wanted: str = ""
    hint: str = ""
    asked: str = ""
    apart: bool = False

    def takes(self, d: dtype) -> bool:
        """Whether the op runs on this type as it is, without a conversion."""
        if d.category not in self.accepts or (self.floating and not d.is_floating_point):
            return False
        return self.half or d is not dtypes.float16

    def output(self, d: dtype, settings: dict[str, Any]) -> dtype:
        """The output type for inputs of (common, or first) type d."""
        wanted: dtype = settings[self.asked] if self.asked else self.result(d)
        return wanted


def _widened(d: dtype) -> dtype:
    return d if d.is_floating_point else dtypes.int64


def _truth(d: dtype) -> dtype:
    return dtypes.bool_


_NUMBERS = frozenset({INTEGER, FLOAT})
_FLOATS = frozenset({FLOAT})

# With conversion to a common type:
SAME = DTypeRule("same")
NO_BOOL = DTypeRule("same, not bool", accepts=_NUMBERS, wanted="not bool", hint="x.long()")
COUNTING = DTypeRule("same, bool counts as int64", counting=True, accepts=_NUMBERS)
FLOATING = DTypeRule("floating", floating=True)
FLOAT_ONLY = DTypeRule("floating only", accepts=_FLOATS, wanted="floating point", hint="x.float()")
WHOLE = DTypeRule("whole", accepts=frozenset({BOOL, INTEGER}), wanted="integer or bool", hint="x.long()")
INTEGERS = DTypeRule("integers", accepts=frozenset({INTEGER}), wanted="integer", hint="x.long()")
COMPARES = DTypeRule("compares", result=_truth)

# Each input as it is:
STRICT_FLOAT = DTypeRule(
    "float32 or float64, all alike",
    unify=False,
    accepts=_FLOATS,
    half=False,
    wanted="float32 or float64",
    hint="x.float()",
)
STRICT_NUMBER = DTypeRule(
    "numbers, all alike", unify=False, accepts=_NUMBERS, wanted="not bool", hint="x.float()"
)
SCORES = DTypeRule(
    "floating scores, then whole numbers",
    unify=False,
    accepts=_FLOATS,
    leading=1,
    wanted="floating point",
    hint="x.float()",
)
LOGICAL = DTypeRule("logical", unify=False, result=_truth)
TRUTHS = DTypeRule(  # uint8 was PyTorch's bool once, and stays what it is here
    "truths", unify=False, result=lambda d: d if d is dtypes.uint8 else dtypes.bool_
)
ACCUMULATES = DTypeRule("accumulates", unify=False, result=_widened)
COUNTS = DTypeRule("counts", unify=False, result=lambda d: dtypes.int64)
FIRST = DTypeRule("first", unify=False)

_PLACE = DTypeRule("", unify=False, accepts=frozenset({INTEGER}), wanted="integer", hint="x.long()")
DRAWN = _PLACE._replace(name="a place in a stream, to the type asked for", asked="dtype")
DRAWN_WHOLE = _PLACE._replace(name="a place in a stream, to int64", result=lambda d: dtypes.int64)


def same_shape(x: Shape, *others: Shape, **settings: Any) -> Shape:
    return x


def broadcast(*shapes: Shape, **settings: Any) -> Shape:
    return broadcast_shapes(*shapes)
