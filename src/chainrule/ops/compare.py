"""Entries: comparisons, logic, bits, and tests for special values. Elementwise, without gradients.

Next: `reduce.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .batching import ALIGNED
from .primitive import ELEMENTWISE, NOT_DIFFERENTIABLE, Primitive, Sample, primitive, sample
from .rules import COMPARES, INTEGERS, LOGICAL, WHOLE, DTypeRule, broadcast, same_shape
from .samples import booleans, floats, integers


def _entry(
    name: str,
    formula: str,
    numpy: Any,
    dtype: DTypeRule,
    *samples: Sample,
    inputs: str = "x y",
    method: str = "",
) -> Primitive:
    """An entry without a gradient; method: the Emitter's, if it has another name."""
    return primitive(
        name, kind=ELEMENTWISE, inputs=inputs, formula=formula,
        shape=broadcast if inputs == "x y" else same_shape, dtype=dtype, numpy=numpy,
        lower=lambda b, *xs: getattr(b, method or name)(*xs), batch=ALIGNED,
        vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant",
        samples=samples,
    )  # fmt: skip


_PAIR = (sample(floats(), floats()), sample(integers(0, 3), integers(0, 3, (3,))))
EQ = _entry("eq", "x == y", np.equal, COMPARES, *_PAIR)
NE = _entry("ne", "x != y", np.not_equal, COMPARES, *_PAIR)
LT = _entry("lt", "x < y", np.less, COMPARES, *_PAIR)
LE = _entry("le", "x <= y", np.less_equal, COMPARES, *_PAIR)
GT = _entry("gt", "x > y", np.greater, COMPARES, *_PAIR)
GE = _entry("ge", "x >= y", np.greater_equal, COMPARES, *_PAIR)

_LOGIC = (sample(booleans(), booleans()), sample(floats(), booleans((3,))))
LOGICAL_AND = _entry("logical_and", "x and y", np.logical_and, LOGICAL, *_LOGIC)
LOGICAL_OR = _entry("logical_or", "x or y", np.logical_or, LOGICAL, *_LOGIC)
LOGICAL_XOR = _entry("logical_xor", "x xor y", np.logical_xor, LOGICAL, *_LOGIC)
LOGICAL_NOT = _entry("logical_not", "not x", np.logical_not, LOGICAL, sample(booleans()), inputs="x")

_BITS = (sample(integers(), integers()), sample(booleans(), booleans((3,))))
BITWISE_AND = _entry("bitwise_and", "x & y", np.bitwise_and, WHOLE, *_BITS, method="bit_and")
BITWISE_OR = _entry("bitwise_or", "x | y", np.bitwise_or, WHOLE, *_BITS, method="bit_or")
BITWISE_XOR = _entry("bitwise_xor", "x ^ y", np.bitwise_xor, WHOLE, *_BITS, method="bit_xor")
BITWISE_NOT = _entry(
    "bitwise_not",
    "~x",
    np.invert,
    WHOLE,
    sample(integers()),
    sample(booleans()),
    inputs="x",
    method="bit_not",
)
_SHIFTS = sample(integers(), integers(0, 4))
LEFT_SHIFT = _entry("left_shift", "x << y", np.left_shift, INTEGERS, _SHIFTS, method="shl")
RIGHT_SHIFT = _entry("right_shift", "x >> y", np.right_shift, INTEGERS, _SHIFTS, method="shr")


def _special_values(rng: Any) -> Any:
    return np.array([0.0, -1.5, np.inf, -np.inf, np.nan])


ISNAN = _entry("isnan", "isnan(x)", np.isnan, LOGICAL, sample(_special_values), inputs="x")
ISINF = _entry("isinf", "isinf(x)", np.isinf, LOGICAL, sample(_special_values), inputs="x")
ISFINITE = _entry("isfinite", "isfinite(x)", np.isfinite, LOGICAL, sample(_special_values), inputs="x")


def _signbit(x: Any, out: Any = None) -> Any:
    return np.signbit(x, out=out) if x.dtype.kind == "f" else np.less(x, 0, out=out)


SIGNBIT = _entry("signbit", "signbit(x)", _signbit, LOGICAL, sample(_special_values), inputs="x")
