"""What each elementwise primitive must give, of Python numbers and of special values; see `references.py`.

Written without the package: plain Python, `math`, mpmath and SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import scipy.special

Array = np.ndarray[Any, Any]


class Elementwise(NamedTuple):
    """value: of Python numbers. special: of arrays in extended precision, for infinities, NaN and zeros."""

    value: Callable[..., Any]
    special: Callable[..., Any]

    def __call__(self, *arrays: Array, **settings: Any) -> Array:
        spread = np.broadcast_arrays(*arrays)
        out = np.empty(spread[0].shape, object)
        for place in np.ndindex(out.shape):
            out[place] = self._at([a[place].item() for a in spread], settings)
        return out

    def _at(self, numbers: list[Any], settings: dict[str, Any]) -> Any:
        try:
            return self.value(*numbers, **settings)
        except ValueError:  # outside the domain: math raises, arrays hold NaN
            return math.nan


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's functions know no extended precision."""
    return lambda *xs: function(*[x.astype(np.float64) for x in xs])


def _sign(v: Any) -> Any:
    return (v > 0) - (v < 0)


def _divide(x: Any, y: Any) -> Any:
    return x / y if y else math.copysign(math.inf, x) if x else math.nan


def _power(x: Any, y: Any) -> Any:
    if isinstance(x, int) and y < 0:  # integer powers are rounded towards 0
        return {1: 1, -1: 1 if y % 2 == 0 else -1}.get(x, 0)
    return x**y


def _trunc_remainder(x: Any, y: Any) -> Any:
    if isinstance(x, int):
        return x - y * _towards_zero(x, y)
    return math.fmod(x, y)


def _towards_zero(x: int, y: int) -> int:
    return _sign(x) * _sign(y) * (abs(x) // abs(y))


def _clamp(x: float, low: float | None, high: float | None) -> float:
    x = x if low is None or x > low else low
    return x if high is None or x < high else high


def _mp(function: Callable[..., Any]) -> Callable[[Any], float]:
    return lambda v: float(function(mpmath.mpf(v)))


def _both(function: Callable[..., Any], special: Callable[..., Any]) -> Elementwise:
    return Elementwise(function, special)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # 0, -1, -2, ..., and beyond the largest number
        return math.inf


def _polygamma(x: float, n: int) -> float:
    if math.isnan(x) or x == -math.inf:
        return math.nan
    if x == math.inf:
        return 0.0
    if x <= 0 and x == int(x):  # a pole: odd derivatives go to +inf on both sides
        return math.inf if n % 2 else -math.inf if x == 0 else math.nan
    return float(mpmath.psi(n, x))


ELEMENTWISE: dict[str, Elementwise] = {
    "add": _both(lambda x, y: x + y, np.add),
    "sub": _both(lambda x, y: x - y, np.subtract),
    "mul": _both(lambda x, y: x * y, np.multiply),
    "div": _both(_divide, np.true_divide),
    "neg": _both(lambda x: -x, np.negative),
    "reciprocal": _both(lambda x: 1 / x if x else math.inf, np.reciprocal),
    "square": _both(lambda x: x * x, lambda x: x * x),
    "pow": _both(_power, np.power),
    "abs": _both(abs, np.absolute),
    "sign": _both(_sign, lambda x: (x > 0) * 1.0 - (x < 0) * 1.0),
    "maximum": _both(max, lambda x, y: np.where(np.isnan(x) | (x > y), x, y)),
    "minimum": _both(min, lambda x, y: np.where(np.isnan(x) | (x < y), x, y)),
    "relu": _both(lambda x: x if x > 0 else 0, lambda x: np.where(x <= 0, 0, x)),
    "clamp": _both(_clamp, lambda x, low, high: np.clip(x, low, high)),
    "floor": _both(math.floor, np.floor),
    "ceil": _both(math.ceil, np.ceil),
    "trunc": _both(math.trunc, np.trunc),
    "round": _both(round, np.rint),
    "floor_divide": _both(lambda x, y: x // y, np.floor_divide),
    "remainder": _both(lambda x, y: x % y, np.remainder),
    "fmod": _both(_trunc_remainder, np.fmod),
    "where": _both(lambda c, x, y: x if c else y, lambda c, x, y: np.where(c != 0, x, y)),
    "exp": _both(math.exp, np.exp),
    "exp2": _both(lambda x: 2.0**x, np.exp2),
    "expm1": _both(math.expm1, np.expm1),
    "log": _both(lambda x: math.log(x) if x else -math.inf, np.log),
    "log2": _both(lambda x: math.log2(x) if x else -math.inf, np.log2),
    "log10": _both(lambda x: math.log10(x) if x else -math.inf, np.log10),
    "log1p": _both(lambda x: math.log1p(x) if x != -1 else -math.inf, np.log1p),
    "sqrt": _both(math.sqrt, np.sqrt),
    "rsqrt": _both(lambda x: 1 / math.sqrt(x) if x else math.inf, lambda x: 1 / np.sqrt(x)),
    "sin": _both(math.sin, np.sin),
    "cos": _both(math.cos, np.cos),
    "tan": _both(math.tan, np.tan),
    "asin": _both(math.asin, np.arcsin),
    "acos": _both(math.acos, np.arccos),
    "atan": _both(math.atan, np.arctan),
    "sinh": _both(math.sinh, np.sinh),
    "cosh": _both(math.cosh, np.cosh),
    "tanh": _both(math.tanh, np.tanh),
    "asinh": _both(math.asinh, np.arcsinh),
    "acosh": _both(math.acosh, np.arccosh),
    "atanh": _both(lambda x: math.atanh(x) if abs(x) != 1 else x * math.inf, np.arctanh),
    "erf": _both(math.erf, in_double(scipy.special.erf)),
    "erfc": _both(math.erfc, in_double(scipy.special.erfc)),
    "erfinv": _both(
        lambda x: float(mpmath.erfinv(x)) if abs(x) < 1 else x * math.inf if abs(x) == 1 else math.nan,
        in_double(scipy.special.erfinv),
    ),
    "lgamma": _both(_lgamma, np.vectorize(_lgamma)),
    "digamma": _both(
        lambda x: float(mpmath.digamma(x)) if x > 0 or x != int(x) else -math.inf if x == 0 else math.nan,
        in_double(scipy.special.digamma),
    ),
    "polygamma": _both(_polygamma, np.vectorize(_polygamma)),
    "sigmoid": _both(_mp(lambda x: 1 / (1 + mpmath.exp(-x))), in_double(scipy.special.expit)),
    "atan2": _both(math.atan2, np.arctan2),
    "logaddexp": _both(lambda x, y: max(x, y) + math.log1p(math.exp(-abs(x - y))), np.logaddexp),
    "eq": _both(lambda x, y: x == y, np.equal),
    "ne": _both(lambda x, y: x != y, np.not_equal),
    "lt": _both(lambda x, y: x < y, np.less),
    "le": _both(lambda x, y: x <= y, np.less_equal),
    "gt": _both(lambda x, y: x > y, np.greater),
    "ge": _both(lambda x, y: x >= y, np.greater_equal),
    "logical_and": _both(lambda x, y: bool(x) and bool(y), lambda x, y: (x != 0) & (y != 0)),
    "logical_or": _both(lambda x, y: bool(x) or bool(y), lambda x, y: (x != 0) | (y != 0)),
    "logical_xor": _both(lambda x, y: bool(x) != bool(y), lambda x, y: (x != 0) ^ (y != 0)),
    "logical_not": _both(lambda x: not x, lambda x: x == 0),
    "bitwise_and": _both(lambda x, y: x & y, np.bitwise_and),
    "bitwise_or": _both(lambda x, y: x | y, np.bitwise_or),
    "bitwise_xor": _both(lambda x, y: x ^ y, np.bitwise_xor),
    "bitwise_not": _both(lambda x: not x if isinstance(x, bool) else ~x, np.invert),
    "left_shift": _both(lambda x, y: x << min(y, 64), np.left_shift),
    "right_shift": _both(lambda x, y: x >> y, np.right_shift),
    "isnan": _both(math.isnan, lambda x: x != x),
    "isinf": _both(math.isinf, lambda x: np.abs(x) == np.inf),
    "isfinite": _both(math.isfinite, lambda x: np.abs(x) < np.inf),
    "signbit": _both(lambda x: x < 0 or str(x) == "-0.0", np.signbit),
}
