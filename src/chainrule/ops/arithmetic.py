"""Entries: + - * / and their kin, powers, extrema, rounding. Elementwise, with broadcasting.

Next: `transcendental.py` (exp, log, sin, ...), `compare.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .primitive import DIAGONAL, ELEMENTWISE, LINEAR, MULTILINEAR, NOT_DIFFERENTIABLE, primitive, sample
from .rules import FLOATING, NO_BOOL, SAME, DTypeRule, broadcast, same_shape
from .samples import distinct, floats, integers, positive

ADD = primitive(
    "add", kind=ELEMENTWISE, inputs="x y", formula="x + y", shape=broadcast, dtype=SAME, numpy=np.add,
    vjp=(lambda g: g, lambda g: g), jvp=LINEAR, d=("1", "1"), why="sum rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(2, 1)), floats(shape=(3,)))],
)  # fmt: skip

SUB = primitive(
    "sub", kind=ELEMENTWISE, inputs="x y", formula="x - y", shape=broadcast, dtype=NO_BOOL, numpy=np.subtract,
    vjp=(lambda g: g, lambda g: -g), jvp=LINEAR, d=("1", "-1"), why="difference rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(3,)), floats(shape=(2, 1)))],
)  # fmt: skip

MUL = primitive(
    "mul", kind=ELEMENTWISE, inputs="x y", formula="x * y", shape=broadcast, dtype=SAME, numpy=np.multiply,
    vjp=(lambda g, y: g * y, lambda g, x: g * x), jvp=MULTILINEAR, d=("y", "x"), why="product rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(2, 1)), floats(shape=(1, 3)))],
)  # fmt: skip

DIV = primitive(
    "div", kind=ELEMENTWISE, inputs="x y", formula="x / y", shape=broadcast, dtype=FLOATING, numpy=np.true_divide,
    vjp=(lambda g, y: g / y, lambda g, x, y: -g * ((x / y) / y)), jvp=DIAGONAL,
    d=("1 / y", "-x / y**2"), why="quotient rule",
    samples=[sample(floats(), floats(-3, 3, avoid=(0,), gap=0.5)), sample(floats(shape=(3,)), positive((2, 1)))],
)  # fmt: skip

NEG = primitive(
    "neg", kind=ELEMENTWISE, formula="-x", shape=same_shape, dtype=NO_BOOL, numpy=np.negative,
    vjp=(lambda g: -g,), jvp=LINEAR, d="-1", why="constant factor", samples=[sample(floats())],
)  # fmt: skip

RECIPROCAL = primitive(
    "reciprocal", kind=ELEMENTWISE, formula="1 / x", shape=same_shape, dtype=FLOATING, numpy=np.reciprocal,
    vjp=(lambda g, out: -g * out * out,), jvp=DIAGONAL, d="-1 / x**2", why="power rule",
    samples=[sample(positive()), sample(floats(-3, -0.5))],
)  # fmt: skip

SQUARE = primitive(
    "square", kind=ELEMENTWISE, formula="x**2", shape=same_shape, dtype=SAME, numpy=np.square,
    vjp=(lambda g, x: g * (2 * x),), jvp=DIAGONAL, d="2 * x", why="power rule", samples=[sample(floats())],
    grad_name="PowBackward0",
)  # fmt: skip


def _log_base(x: Any) -> Any:
    if isinstance(x, int | float):
        return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)
    return x.log()


def _pow_vjp_x(g: Any, x: Any, y: Any) -> Any:
    # x**(y-1) is infinite at x = 0, y < 1, as it should be; but where y is 0 the derivative is 0 for every x.
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y != 0 else g * 0
    return g * (y == 0).where(0.0, y * x ** (y - 1))


def _pow_vjp_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    # log(0) is -inf, but 0**y is constantly 0 around every y > 0 (and we say so at y = 0 too).
    if isinstance(x, int | float):
        return g * (out * _log_base(x)) if x != 0 else g * (y >= 0).where(0.0, out * _log_base(x))
    return g * ((x == 0) & (y >= 0)).where(0.0, out * x.log())


POW = primitive(
    "pow", kind=ELEMENTWISE, inputs="x y", formula="x ** y", shape=broadcast, dtype=SAME, numpy=np.power,
    vjp=(_pow_vjp_x, _pow_vjp_y), jvp=DIAGONAL, d=("y * x**(y - 1)", "x**y * log(x)"), why="power rule",
    samples=[sample(positive(), floats()), sample(positive((2, 1)), floats(shape=(3,)))],
    ties="at x = 0 the derivative in y is 0 for y >= 0; at y = 0 the derivative in x is 0",
)  # fmt: skip

ABS = primitive(
    "abs", kind=ELEMENTWISE, formula="|x|", shape=same_shape, dtype=NO_BOOL, numpy=np.absolute,
    vjp=(lambda g, x: g * x.sign(),), jvp=DIAGONAL, d="sign(x)", why="absolute value",
    samples=[sample(floats(avoid=(0,)))], ties="0 at x = 0",
)  # fmt: skip


def _sign(x: np.ndarray[Any, Any], out: Any = None) -> Any:
    return x.copy() if x.dtype == np.bool_ else np.sign(x, out=out)


SIGN = primitive(
    "sign", kind=ELEMENTWISE, formula="sign(x)", shape=same_shape, dtype=SAME, numpy=_sign,
    vjp=(lambda g: g * 0,), jvp=DIAGONAL, d="0", why="piecewise constant", samples=[sample(floats(avoid=(0,)))],
)  # fmt: skip

_MAX_TIES = "where x == y each input gets half"

MAXIMUM = primitive(
    "maximum", kind=ELEMENTWISE, inputs="x y", formula="max(x, y)", shape=broadcast, dtype=SAME, numpy=np.maximum,
    vjp=(lambda g, x, y: g * _share(x, y, x >= y), lambda g, x, y: g * _share(x, y, y >= x)), jvp=DIAGONAL,
    d=("(x > y) + (x == y) / 2", "(y > x) + (x == y) / 2"), why="the larger one passes",
    samples=[sample(distinct(), distinct((3,), 0.41)), sample(distinct((2, 1)), distinct((1, 3), 0.41))],
    ties=_MAX_TIES,
)  # fmt: skip

MINIMUM = primitive(
    "minimum", kind=ELEMENTWISE, inputs="x y", formula="min(x, y)", shape=broadcast, dtype=SAME, numpy=np.minimum,
    vjp=(lambda g, x, y: g * _share(x, y, x <= y), lambda g, x, y: g * _share(x, y, y <= x)), jvp=DIAGONAL,
    d=("(x < y) + (x == y) / 2", "(y < x) + (x == y) / 2"), why="the smaller one passes",
    samples=[sample(distinct(), distinct((3,), 0.41))], ties=_MAX_TIES,
)  # fmt: skip


def _share(x: Any, y: Any, wins: Any) -> Any:
    """1 where this input wins alone, 1/2 where it ties, 0 elsewhere."""
    return wins.where(1.0 - 0.5 * (x == y), 0.0)


RELU = primitive(
    "relu", kind=ELEMENTWISE, formula="max(x, 0)", shape=same_shape, dtype=NO_BOOL,
    numpy=lambda x, out=None: np.maximum(x, 0, out=out),
    vjp=(lambda g, out: (out > 0).where(g, 0.0),), jvp=DIAGONAL, d="x > 0", why="positive part",
    samples=[sample(floats(avoid=(0,)))], ties="0 at x = 0",
)  # fmt: skip


def _rounding(name: str, formula: str, rule: Any) -> Any:
    def evaluate(x: np.ndarray[Any, Any], out: Any = None) -> Any:
        return rule(x, out=out) if x.dtype.kind == "f" else x.copy()

    return primitive(
        name, kind=ELEMENTWISE, formula=formula, shape=same_shape, dtype=NO_BOOL, numpy=evaluate,
        vjp=(lambda g: g * 0,), jvp=DIAGONAL, d="0", why="piecewise constant",
        samples=[sample(floats(-3, 3, avoid=(-2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5), gap=0.05))],
    )  # fmt: skip


FLOOR = _rounding("floor", "floor(x)", np.floor)
CEIL = _rounding("ceil", "ceil(x)", np.ceil)
TRUNC = _rounding("trunc", "trunc(x)", np.trunc)
ROUND = _rounding("round", "round(x)", np.rint)


def _floor_divide(x: Any, y: Any, out: Any = None) -> Any:
    return _check_whole_division(y) or np.floor_divide(x, y, out=out)


def _check_whole_division(y: Any) -> None:
    if np.asarray(y).dtype.kind in "iu" and not np.all(y):
        raise ZeroDivisionError("ZeroDivisionError")


def _remainder(x: Any, y: Any, out: Any = None) -> Any:
    return _check_whole_division(y) or np.remainder(x, y, out=out)


def _fmod(x: Any, y: Any, out: Any = None) -> Any:
    return _check_whole_division(y) or np.fmod(x, y, out=out)


FLOOR_DIVIDE = primitive(
    "floor_divide", kind=ELEMENTWISE, inputs="x y", formula="x // y", shape=broadcast, dtype=NO_BOOL,
    numpy=_floor_divide, vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant",
    samples=[sample(floats(-9, 9), positive()), sample(integers(), integers(1, 5))],
)  # fmt: skip

REMAINDER = primitive(
    "remainder", kind=ELEMENTWISE, inputs="x y", formula="x % y", shape=broadcast, dtype=NO_BOOL, numpy=_remainder,
    vjp=(lambda g: g, lambda g, x, y: -g * (x / y).floor()), jvp=DIAGONAL,
    d=("1", "-floor(x / y)"), why="x - y floor(x / y)", samples=[sample(distinct(step=0.7), positive(low=1.1, high=1.3))],
)  # fmt: skip

FMOD = primitive(
    "fmod", kind=ELEMENTWISE, inputs="x y", formula="fmod(x, y)", shape=broadcast, dtype=NO_BOOL, numpy=_fmod,
    vjp=(lambda g: g, lambda g, x, y: -g * (x / y).trunc()), jvp=DIAGONAL,
    d=("1", "-trunc(x / y)"), why="x - y trunc(x / y)", samples=[sample(distinct(step=0.7), positive(low=1.1, high=1.3))],
)  # fmt: skip


def _where_shape(condition: Any, x: Any, y: Any) -> Any:
    return broadcast(condition, x, y)


WHERE = primitive(
    "where", kind=ELEMENTWISE, inputs="condition x y", formula="where(condition, x, y)", shape=_where_shape,
    dtype=DTypeRule("same, after a condition", first=1), numpy=lambda condition, x, y: np.where(condition, x, y),
    vjp=(None, lambda g, condition: condition.where(g, 0.0), lambda g, condition: condition.where(0.0, g)),
    jvp=DIAGONAL, d=(None, "condition", "~condition"), why="the chosen one passes",
    samples=[
        sample(lambda rng: rng.random((2, 3)) < 0.5, floats(), floats()),
        sample(lambda rng: rng.random((2, 1)) < 0.5, floats(shape=(3,)), floats(shape=())),
    ],
)  # fmt: skip
