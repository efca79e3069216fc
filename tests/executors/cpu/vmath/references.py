"""What the functions must be: mpmath's values for float64, NumPy's and SciPy's in float64 for float32; and
where.

`exact` computes with as many bits as an input of any exponent needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import scipy.special

Array = np.ndarray[Any, Any]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


MPMATH: dict[str, Callable[..., Any]] = {
    "exp": mp.exp, "exp2": lambda x: mp.mpf(2) ** x, "expm1": mp.expm1, "sigmoid": sigmoid,
    "log": mp.log, "log2": lambda x: mp.log(x, 2), "log10": mp.log10, "log1p": mp.log1p,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
    "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "erf": mp.erf, "erfc": mp.erfc, "atan2": mp.atan2, "pow": mp.power,
}  # fmt: skip

IN_FLOAT64: dict[str, Callable[..., Array]] = {
    **{name: getattr(np, name) for name in MPMATH if hasattr(np, name)},
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": scipy.special.erf, "erfc": scipy.special.erfc, "sigmoid": scipy.special.expit,
    "atan2": np.arctan2, "pow": np.power,
}  # fmt: skip

# Where a function is 0, 1 or infinite, bends, or is computed by another formula on the other side.
HARD: dict[str, list[float]] = {
    "exp": [-745.13, -708.4, -103.97, -87.34, 88.72, 709.78],
    "exp2": [-1074.5, -1022, -149.5, -126, 128, 1024],
    "expm1": [-37.5, -17.4, -1, -0.3466, 0.3466, 1, 88.72, 709.78],
    "sigmoid": [-745.1, -708.4, -103.9, -87.3, 17, 37],
    "log": [0.7071, 1, 1.41422, 2],
    "log2": [0.7071, 1, 1.41422, 2, 8],
    "log10": [0.7071, 1, 1.41422, 10, 1000],
    "log1p": [-1, -0.5, -0.2929, 0.4142, 1, 2**24, 2**53, 2**60],
    "sin": [np.pi / 4, np.pi / 2, np.pi, 22, 355, 2**16, 2**26, 103993],
    "asin": [0.5, 1],
    "acos": [0.5, 1],
    "atan": [1, 2**24, 2**53],
    "sinh": [1, 89.4, 710.4],
    "cosh": [1, 89.4, 710.4],
    "tanh": [0.125, 0.375, 0.55, 0.625, 1.375, 3.375, 7.375, 9.01, 9.02, 19.06],
    "asinh": [1, 2**30, 2**60],
    "acosh": [1, 1.5, 2**30, 2**60],
    "atanh": [0.5, 1],
    "erf": [0.0625, 0.1875, 0.6875, 0.92, 1, 1.6875, 3.6875, 3.92, 4, 4.1, 5.9],
    "erfc": [0.46875, 0.92, 1, 9.2, 10.05, 26.5, 27.2],
}
HARD["cos"] = HARD["tan"] = HARD["sin"]

FUNCTIONS = list(HARD)


def special(kind: Any) -> Array:
    """Zeros, ones, infinities, NaN, and the ends of the type."""
    info = np.finfo(kind)
    values = [0, 1, 0.5, 2, info.eps, info.tiny, info.smallest_subnormal, info.max, np.inf]
    x = np.array(values, kind)
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([x, np.nextafter(x, kind(0)), np.nextafter(x, kind(np.inf))])
    return np.concatenate([x, -x, np.array([np.nan], kind)])


def every_exponent(kind: Any, rng: np.random.Generator, each: int) -> Array:
    """`each` numbers of every exponent, half of them negative."""
    info = np.finfo(kind)
    exponents = np.repeat(np.arange(info.minexp - info.nmant, info.maxexp), each)
    mantissas = rng.uniform(1, 2, exponents.size)
    with np.errstate(over="ignore"):
        return (np.ldexp(mantissas, exponents) * rng.choice([-1, 1], exponents.size)).astype(kind)


def around(places: list[float], kind: Any, rng: np.random.Generator, each: int) -> Array:
    """Numbers close to these places, on both sides and of both signs, from the next ones to 1 % away."""
    x = np.repeat(np.array(places, float), each)
    away = rng.choice([-1, 1], x.size) * 2.0 ** -rng.uniform(7, np.finfo(kind).nmant + 1, x.size)
    return (x * (1 + away) * rng.choice([-1, 1], x.size)).astype(kind)


def inputs(name: str, kind: Any, each: int, others: int) -> Array:
    rng = np.random.default_rng(sum(name.encode()))
    spread = rng.uniform(-1, 1, others) * rng.choice([1, 3, 30, 90 if kind is np.float32 else 720], others)
    return np.concatenate([
        special(kind), every_exponent(kind, rng, each), around(HARD[name], kind, rng, 20 * each),
        spread.astype(kind),
    ])  # fmt: skip


def exact(name: str, *arrays: Array) -> Array:
    """mpmath's values as long doubles: NaN where the function has no real value.

    Infinities and NaN are left to NumPy: what is special there is the same in every precision.
    """
    with np.errstate(all="ignore"):
        out = np.asarray(IN_FLOAT64[name](*(a.astype(np.float64) for a in arrays))).astype(np.longdouble)
    for i in np.flatnonzero(np.isfinite(out) | np.isinf(out)):
        values = [float(a[i]) for a in arrays]
        if all(np.isfinite(values)):
            out[i] = _one(name, values, out[i])
    return out


def _one(name: str, values: list[float], rough: Any) -> Any:
    # Bits for what cancels: whole turns in sin(x).
    exponents = [int(np.frexp(v)[1]) for v in values]
    with mp.workprec(160 + max(0, *exponents) if name in ("sin", "cos", "tan") else 250):
        try:
            y = MPMATH[name](*map(mp.mpf, values))
        except (ValueError, ZeroDivisionError, OverflowError):
            return rough
        if not isinstance(y, mp.mpf) or not mp.isfinite(y) or y == 0:
            return rough
        mantissa, exponent = mp.frexp(y)
        high = float(mantissa)
        whole = np.longdouble(high) + np.longdouble(float(mantissa - mp.mpf(high)))
        return np.ldexp(whole, int(np.clip(int(exponent), -16000, 16000)))
