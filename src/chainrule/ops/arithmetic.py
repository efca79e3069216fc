"""Entries: + - * / and their kin, powers, extrema, rounding. Elementwise, with broadcasting.

Next: `transcendental.py` (exp, log, sin, ...), `compare.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import ALL
from ..core.vector import choose
from .batching import ALIGNED
from .primitive import (
    DIAGONAL,
    ELEMENTWISE,
    LINEAR,
    MULTILINEAR,
    Primitive,
    primitive,
    sample,
)
from .rules import COUNTING, FLOATING, NO_BOOL, SAME, DTypeRule, broadcast, same_shape
from .samples import booleans, distinct, floats, integers, positive

_NO_LOGIC = NO_BOOL._replace(hint="~x or x ^ y for the logic of bools, x.long() for numbers")

ADD = primitive(
    "add", kind=ELEMENTWISE, inputs="x y", formula="x + y", shape=broadcast, dtype=SAME, numpy=np.add,
    lower=lambda b, x, y: b.add(x, y), batch=ALIGNED,
    vjp=(lambda g: g, lambda g: g), jvp=LINEAR, d=("1", "1"), why="sum rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(2, 1)), floats(shape=(3,)))],
)  # fmt: skip

SUB = primitive(
    "sub", kind=ELEMENTWISE, inputs="x y", formula="x - y", shape=broadcast,
    dtype=_NO_LOGIC._replace(apart=True),
    numpy=np.subtract, lower=lambda b, x, y: b.sub(x, y), batch=ALIGNED,
    vjp=(lambda g: g, lambda g: -g), jvp=LINEAR, d=("1", "-1"), why="difference rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(3,)), floats(shape=(2, 1)))],
)  # fmt: skip

MUL = primitive(
    "mul", kind=ELEMENTWISE, inputs="x y", formula="x * y", shape=broadcast, dtype=SAME, numpy=np.multiply,
    lower=lambda b, x, y: b.mul(x, y), batch=ALIGNED,
    vjp=(lambda g, y: g * y, lambda g, x: g * x), jvp=MULTILINEAR, d=("y", "x"), why="product rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(2, 1)), floats(shape=(1, 3)))],
)  # fmt: skip

DIV = primitive(
    "div", kind=ELEMENTWISE, inputs="x y", formula="x / y", shape=broadcast, dtype=FLOATING,
    numpy=np.true_divide, lower=lambda b, x, y: b.div(x, y), batch=ALIGNED,
    vjp=(lambda g, y: g / y, lambda g, x, y: -g * ((x / y) / y)), jvp=DIAGONAL,
    d=("1 / y", "-x / y**2"), why="quotient rule",
    samples=[
        sample(floats(), floats(-3, 3, avoid=(0,), gap=0.5)),
        sample(floats(shape=(3,)), positive((2, 1))),
    ],
)  # fmt: skip

NEG = primitive(
    "neg", kind=ELEMENTWISE, formula="-x", shape=same_shape, dtype=_NO_LOGIC, numpy=np.negative,
    lower=lambda b, x: b.neg(x), batch=ALIGNED,
    vjp=(lambda g: -g,), jvp=LINEAR, d="-1", why="constant factor", samples=[sample(floats())],
)  # fmt: skip

RECIPROCAL = primitive(
    "reciprocal", kind=ELEMENTWISE, formula="1 / x", shape=same_shape, dtype=FLOATING, numpy=np.reciprocal,
    lower=lambda b, x: b.div(1, x), batch=ALIGNED,
    vjp=(lambda g, out: -g * out * out,), jvp=DIAGONAL, d="-1 / x**2", why="power rule",
    samples=[sample(positive()), sample(floats(-3, -0.5))],
)  # fmt: skip
SQUARE = primitive(
    "square", kind=ELEMENTWISE, formula="x**2", shape=same_shape, dtype=COUNTING, numpy=np.square,
    lower=lambda b, x: b.mul(x, x), batch=ALIGNED, vjp=(lambda g, x: g * (2 * x),), jvp=DIAGONAL, d="2 * x",
    why="power rule", samples=[sample(floats())], grad_name="PowBackward0",
)  # fmt: skip


def _pow(x: Any, y: Any, out: Any = None) -> Any:
    try:
        return np.power(x, y, out=out)
    except ValueError:  # NumPy refuses integers to negative powers; shapes that do not fit fail again below
        return _whole_power(x, y)


def _whole_power(x: Any, y: Any) -> Any:
    """Integer powers rounded towards 0 where the exponent is negative: only 1 and -1 leave anything."""
    size = np.power(x, np.maximum(y, 0))
    odd = np.where(np.bitwise_and(y, 1) == 1, x, 1)
    return np.where(np.less(y, 0), np.where(np.abs(x) == 1, odd, 0), size).astype(size.dtype)


def _log_base(x: float) -> float:
    return math.log(x) if x > 0 else math.nan


def _pow_vjp_x(g: Any, x: Any, y: Any) -> Any:
    # x**(y - 1) is infinite at x = 0, y < 1, as it should be; but at y = 0 the derivative is 0 for every x.
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y != 0 else zero(g)
    return g * (y * x ** (((x == 0) & (y == 0)).where(1.0, y) - 1))


def _pow_vjp_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    # log(0) is -inf, but 0**y is constantly 0 around every y > 0 (and we say so at y = 0 too).
    if isinstance(x, int | float):
        return g * (out * (_log_base(x) if x != 0 else (y >= 0).where(0.0, -math.inf).to(out.dtype)))
    return g * (out * ((x == 0) & (y >= 0)).where(1.0, x).log())


POW = primitive(
    "pow", strict=True, kind=ELEMENTWISE, inputs="x y", formula="x ** y", shape=broadcast, dtype=NO_BOOL,
    numpy=_pow, lower=lambda b, x, y: b.pow(x, y), batch=ALIGNED, vjp=(_pow_vjp_x, _pow_vjp_y), jvp=DIAGONAL,
    d=("y * x**(y - 1)", "x**y * log(x)"), why="power rule",
    samples=[sample(positive(), floats()), sample(positive((2, 1)), floats(shape=(3,)))],
    ties="at x = 0 the derivative in y is 0 for y >= 0; at y = 0 the derivative in x is 0",
)  # fmt: skip


def zero(g: Any) -> Any:
    """A gradient of zeros, also where g is infinite or NaN."""
    return g.new_zeros(g.shape)


ABS = primitive(
    "abs", kind=ELEMENTWISE, formula="|x|", shape=same_shape, dtype=NO_BOOL, numpy=np.absolute,
    lower=lambda b, x: b.abs(x), batch=ALIGNED,
    vjp=(lambda g, x: g * x.sign(),), jvp=DIAGONAL, d="sign(x)", why="absolute value",
    samples=[sample(floats(avoid=(0,)))], ties="0 at x = 0",
)  # fmt: skip


def _sign(x: np.ndarray[Any, Any], out: Any = None) -> Any:
    if x.dtype.kind == "b":
        return x.copy()
    return np.subtract(np.greater(x, 0), np.less(x, 0), out=out, dtype=x.dtype)


def _sign_lower(b: Any, x: Any) -> Any:
    return b.select(b.gt(x, 0), 1, b.select(b.lt(x, 0), -1, b.const(0, x.dtype)))


SIGN = primitive(
    "sign", kind=ELEMENTWISE, formula="sign(x)", shape=same_shape, dtype=SAME, numpy=_sign,
    lower=_sign_lower, batch=ALIGNED, vjp=(zero,), jvp=DIAGONAL, d="0", why="piecewise constant",
    samples=[sample(floats(avoid=(0,)))], ties="0 at x = 0; and the sign of NaN is 0",
)  # fmt: skip

_MAX_TIES = "where x == y each input gets half"


def _choose(g: Any, x: Any, y: Any, loses: Any) -> Any:
    """g for the input that wins, half of it where they tie, nothing where it loses (NaN does not lose)."""
    return loses.where(0.0, (x == y).where(g / 2, g))


MAXIMUM = primitive(
    "maximum", kind=ELEMENTWISE, inputs="x y", formula="max(x, y)", shape=broadcast, dtype=SAME,
    numpy=np.maximum, lower=lambda b, x, y: b.maximum(x, y), batch=ALIGNED,
    vjp=(lambda g, x, y: _choose(g, x, y, x < y), lambda g, x, y: _choose(g, x, y, y < x)), jvp=DIAGONAL,
    d=("(x > y) + (x == y) / 2", "(y > x) + (x == y) / 2"), why="the larger one passes",
    samples=[sample(distinct(), distinct((3,), 0.41)), sample(distinct((2, 1)), distinct((1, 3), 0.41))],
    ties=_MAX_TIES,
)  # fmt: skip

MINIMUM = primitive(
    "minimum", kind=ELEMENTWISE, inputs="x y", formula="min(x, y)", shape=broadcast, dtype=SAME,
    numpy=np.minimum, lower=lambda b, x, y: b.minimum(x, y), batch=ALIGNED,
    vjp=(lambda g, x, y: _choose(g, x, y, x > y), lambda g, x, y: _choose(g, x, y, y > x)), jvp=DIAGONAL,
    d=("(x < y) + (x == y) / 2", "(y < x) + (x == y) / 2"), why="the smaller one passes",
    samples=[sample(distinct(), distinct((3,), 0.41))], ties=_MAX_TIES,
)  # fmt: skip

# Half as long for NumPy as a Python 0. No tensor is complex, but the complex step evaluates rules on such.
_ZERO = {kind: np.zeros((), kind) for kind in (*(d.numpy for d in ALL), np.dtype("c8"), np.dtype("c16"))}

RELU = primitive(
    "relu", kind=ELEMENTWISE, formula="max(x, 0)", shape=same_shape, dtype=NO_BOOL,
    numpy=lambda x, out=None: np.maximum(x, _ZERO[x.dtype], out=out), lower=lambda b, x: b.maximum(x, 0),
    batch=ALIGNED,
    vjp=(lambda g, out: (out <= 0).where(0.0, g),), jvp=DIAGONAL, d="x > 0", why="positive part",
    samples=[sample(floats(avoid=(0,)))], ties="0 at x = 0",
)  # fmt: skip


def within(x: Any, low: Any, high: Any) -> Any:
    """Whether x lies in [low, high], where None is no limit; NaN does not."""
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


def _limited(x: np.ndarray[Any, Any], low: Any, high: Any, out: Any = None) -> Any:
    if low is None:
        return np.minimum(x, x.dtype.type(high), out=out)
    above = np.maximum(x, x.dtype.type(low), out=out)
    return above if high is None else np.minimum(above, x.dtype.type(high), out=above if above.ndim else out)


def _limited_lower(b: Any, x: Any, *, low: Any, high: Any) -> Any:
    above = x if low is None else b.maximum(x, low)
    return above if high is None else b.minimum(above, high)


CLAMP = primitive(
    "clamp", kind=ELEMENTWISE, formula="min(max(x, low), high)", shape=same_shape, dtype=NO_BOOL,
    numpy=_limited, lower=_limited_lower, batch=ALIGNED,
    vjp=(lambda g, x, low, high: within(x, low, high).where(g, 0.0),), jvp=DIAGONAL,
    d="within(x, low, high)", why="1 inside the limits and on them, 0 outside",
    samples=[
        sample(floats(0, 3, avoid=(1, 2)), low=1, high=2), sample(floats(0, 3, avoid=(1,)), low=1, high=None),
        sample(floats(0, 3, avoid=(1,)), low=None, high=1),
    ],
    ties="1 on a limit",
)  # fmt: skip


def _rounding(name: str, formula: str, rule: Any, lower: Any) -> Primitive:
    def evaluate(x: np.ndarray[Any, Any], out: Any = None) -> Any:
        return rule(x, out=out) if x.dtype.kind == "f" else x.copy()

    return primitive(
        name, kind=ELEMENTWISE, formula=formula, shape=same_shape, dtype=NO_BOOL, numpy=evaluate,
        lower=lower, batch=ALIGNED, vjp=(zero,), jvp=DIAGONAL, d="0", why="piecewise constant",
        samples=[sample(floats(-3, 3, avoid=(-2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5), gap=0.05))],
        ties="0 at the jumps",
    )  # fmt: skip


FLOOR = _rounding("floor", "floor(x)", np.floor, lambda b, x: b.floor(x))
CEIL = _rounding("ceil", "ceil(x)", np.ceil, lambda b, x: b.ceil(x))
TRUNC = _rounding("trunc", "trunc(x)", np.trunc, lambda b, x: b.trunc(x))
ROUND = _rounding("round", "round(x)", np.rint, lambda b, x: b.round(x))


def _dividing(divide: Any) -> Any:
    def evaluate(x: Any, y: Any, out: Any = None) -> Any:
        if np.asarray(y).dtype.kind in "iu" and not np.all(y) and np.size(x):
            raise ZeroDivisionError  # NumPy would give 0
        return divide(x, y, out=out)

    return evaluate


def _divides(b: Any, x: Any, y: Any) -> bool:
    """Whether no integer is divided by 0, as far as is known: native code cannot raise the error."""
    return bool(b.type_of(x, y).is_floating_point or b.number(y))


FLOOR_DIVIDE = primitive(
    "floor_divide", kind=ELEMENTWISE, inputs="x y", formula="x // y", shape=broadcast, dtype=NO_BOOL,
    numpy=_dividing(np.floor_divide),
    lower=lambda b, x, y: b.floor_divide(x, y) if _divides(b, x, y) else NotImplemented, batch=ALIGNED,
    vjp=(zero, zero), jvp=DIAGONAL, d=("0", "0"),
    why="piecewise constant", ties="0 at the jumps",
    samples=[sample(distinct(step=0.7), positive(low=1.1, high=1.3)), sample(integers(), integers(1, 5))],
)  # fmt: skip

_DIVISION_SAMPLES = [
    sample(distinct(step=0.7), positive(low=1.1, high=1.3)),
    sample(distinct((2, 1), step=0.7), positive((3,), low=1.1, high=1.3)),
]
REMAINDER = primitive(
    "remainder", kind=ELEMENTWISE, inputs="x y", formula="x % y", shape=broadcast, dtype=NO_BOOL,
    numpy=_dividing(np.remainder),
    lower=lambda b, x, y: b.remainder(x, y) if _divides(b, x, y) else NotImplemented, batch=ALIGNED,
    vjp=(lambda g: g, lambda g, x, y: -g * (x // y)), jvp=DIAGONAL,
    d=("1", "-(x // y)"), why="x - y floor(x / y)", samples=_DIVISION_SAMPLES,
    ties="at the jumps as to the right of them",
)  # fmt: skip

FMOD = primitive(
    "fmod", kind=ELEMENTWISE, inputs="x y", formula="fmod(x, y)", shape=broadcast, dtype=NO_BOOL,
    numpy=_dividing(np.fmod),
    lower=lambda b, x, y: b.fmod(x, y) if _divides(b, x, y) else NotImplemented, batch=ALIGNED,
    vjp=(lambda g: g, lambda g, x, y: -g * (x / y).trunc()), jvp=DIAGONAL,
    d=("1", "-trunc(x / y)"), why="x - y trunc(x / y)", samples=_DIVISION_SAMPLES,
    ties="at the jumps as on the side away from 0",
)  # fmt: skip


WHERE = primitive(
    "where", kind=ELEMENTWISE, inputs="condition x y", formula="where(condition, x, y)", shape=broadcast,
    dtype=DTypeRule("same, after a condition", first=1), numpy=choose,
    lower=lambda b, condition, x, y: b.select(condition, x, y), batch=ALIGNED,
    vjp=(None, lambda g, condition: condition.where(g, 0.0), lambda g, condition: condition.where(0.0, g)),
    jvp=DIAGONAL, d=(None, "condition", "~condition"), why="the chosen one passes",
    samples=[
        sample(booleans(), floats(), floats()),
        sample(booleans((2, 1)), floats(shape=(3,)), floats(shape=())),
    ],
)  # fmt: skip
