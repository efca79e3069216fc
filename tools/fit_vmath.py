"""Print the polynomials of `chainrule.executors.cpu.vmath`, as the module that holds them:

    python tools/fit_vmath.py > src/chainrule/executors/cpu/vmath/tables.py

Each is the polynomial through the values of a smooth function at the Chebyshev points of an interval, which
is the best one of its degree up to a small factor. What is fitted is the remainder after the first terms of
a series, so that the result is exact near the point where the function is 0 or 1. Values and coefficients
are computed by mpmath with 60 digits and rounded at the end. The degrees were chosen so that the
polynomial's error is a small part of half a unit in the last place of the function; the error is written
beside each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp

Number = Any  # mpmath's mpf; the library has no types
Function = Callable[[Number], Number]


class Fit(NamedTuple):
    """A function on an interval: its name in the tables, its meaning, its values, and a degree per type."""

    name: str
    meaning: str
    value: Function
    low: Number
    high: Number
    degrees: dict[str, int]


def fits() -> list[Fit]:
    """What the files of `vmath/` need. Chebyshev points lie inside the interval, so no limits at 0 in z."""
    sqrt = mp.sqrt
    half_ln2 = (
        mp.log(2) / 2 * mp.mpf("1.0001")
    )  # a little more: the nearest multiple of log(2) is found by rounding
    low, high = sqrt(mp.mpf(1) / 2) - 1, sqrt(mp.mpf(2)) - 1
    quarter = (mp.pi / 4 * mp.mpf("1.002")) ** 2
    furthest = ((sqrt(mp.mpf(2)) - 1) / (sqrt(mp.mpf(2)) + 1)) ** 2 * mp.mpf("1.0001")

    def odd(f: Function) -> Function:
        return lambda z: (f(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3

    def erfc_times(t: Number) -> Number:
        x = (3 * t + mp.mpf("4.84")) / (1 - t)
        return x * mp.exp(x * x) * mp.erfc(x)

    def log_ratio(z: Number) -> Number:  # log((1 + s) / (1 - s)) / (2 s) = 1 + z/3 + z^2/5 + ..., z = s^2
        return mp.atanh(sqrt(z)) / sqrt(z)

    return [
        Fit(
            "EXP",
            "(exp(r) - 1 - r) / r^2 for |r| <= log(2)/2",
            lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > 1e-30 else mp.mpf(1) / 2,
            -half_ln2, half_ln2, {"float32": 4, "float64": 9},
        ),
        Fit(
            "EXP2",
            "(2^r - 1) / r for |r| <= 1/2",
            lambda r: mp.expm1(r * mp.log(2)) / r if abs(r) > 1e-30 else mp.log(2),
            mp.mpf(-1) / 2, mp.mpf(1) / 2, {"float32": 5, "float64": 10},
        ),
        Fit(
            "LOG_SMALL",
            "(log(1 + f) - f + f^2/2) / f^3 for sqrt(1/2) <= 1 + f <= sqrt(2)",
            lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3,
            low, high, {"float32": 8},
        ),
        Fit(
            "LOG_RATIO",
            "(log((1 + s) / (1 - s)) - 2 s) / s^3 for z = s^2, (1 + s) / (1 - s) <= sqrt(2)",
            lambda z: 2 * (log_ratio(z) - 1) / z,
            mp.mpf(0), furthest, {"float32": 3, "float64": 7},
        ),
        Fit(
            "LOG_RATIO_REST",
            "(log((1 + s) / (1 - s)) / (2 s) - 1 - z/3) / z^2 for z = s^2",
            lambda z: (log_ratio(z) - 1 - z / 3) / z**2,
            mp.mpf(0), furthest, {"float64": 8},
        ),
        Fit("SIN", "(sin(r) - r) / r^3 for z = r^2, |r| <= pi/4", odd(mp.sin), mp.mpf(0), quarter,
            {"float32": 3, "float64": 6}),
        Fit("COS", "(cos(r) - 1 + z/2) / z^2 for z = r^2, |r| <= pi/4",
            lambda z: (mp.cos(sqrt(z)) - 1 + z / 2) / z**2, mp.mpf(0), quarter, {"float32": 2, "float64": 5}),
        Fit("TAN", "(tan(r) - r) / r^3 for z = r^2, |r| <= pi/4", odd(mp.tan), mp.mpf(0), quarter,
            {"float32": 6, "float64": 14}),
        Fit("ATAN", "(atan(x) - x) / x^3 for z = x^2, |x| <= 1", odd(mp.atan), mp.mpf(0), mp.mpf(1),
            {"float32": 9, "float64": 20}),
        Fit("ASIN", "(asin(x) - x) / x^3 for z = x^2, |x| <= 1/2", odd(mp.asin), mp.mpf(0), mp.mpf(1) / 4,
            {"float32": 5, "float64": 13}),
        Fit("SINH", "(sinh(x) - x) / x^3 for z = x^2, |x| <= 1", odd(mp.sinh), mp.mpf(0), mp.mpf(1),
            {"float32": 3, "float64": 7}),
        Fit("TANH", "(tanh(x) - x) / x^3 for z = x^2, |x| <= 5/8", odd(mp.tanh), mp.mpf(0), mp.mpf(25) / 64,
            {"float32": 4, "float64": 11}),
        Fit("ERF", "erf(x) / x - 1 for z = x^2, |x| <= 0.92", lambda z: mp.erf(sqrt(z)) / sqrt(z) - 1,
            mp.mpf(0), mp.mpf("0.92") ** 2, {"float32": 6, "float64": 12}),
        Fit("ERFC", "x exp(x^2) erfc(x) for x >= 0.92; t = (x - 4.84) / (x + 3)", erfc_times,
            mp.mpf(-1), mp.mpf(1), {"float64": 22}),
        Fit("LOG_ERFC", "log(1 - erf(x)) for 0.92 <= x <= 4", lambda x: mp.log(mp.erfc(x)),
            mp.mpf("0.92"), mp.mpf(4), {"float32": 10}),
    ]  # fmt: skip


def interpolate(f: Function, low: Number, high: Number, degree: int) -> list[Number]:
    """Coefficients of 1, x, x^2, ... of the polynomial through f at the Chebyshev points of [low, high]."""
    n = degree + 1
    points = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * j + 1) / (2 * n)) for j in range(n)]
    matrix = mp.matrix([[x**k for k in range(n)] for x in points])
    return list(mp.lu_solve(matrix, mp.matrix([f(x) for x in points])))


def error(fit: Fit, coefficients: list[Number]) -> Number:
    """The largest error of the polynomial between the Chebyshev points."""
    points = [fit.low + (fit.high - fit.low) * (mp.mpf(j) + mp.mpf(1) / 3) / 100 for j in range(100)]
    return max(abs(mp.fsum(c * x**k for k, c in enumerate(coefficients)) - fit.value(x)) for x in points)


def sums() -> list[tuple[str, str, Number, dict[str, list[int]]]]:
    """Constants as sums of floats: name, meaning, value, and for each type how many bits each part has."""
    short = {"float32": [16, 24], "float64": [42, 53]}
    full = {"float32": [24, 24], "float64": [53, 53]}
    three = {"float32": [24, 24, 24], "float64": [53, 53, 53]}
    return [
        ("LN2", "log(2); an exponent times the first part is exact", mp.log(2), short),
        ("LOG10_2", "log10(2); an exponent times the first part is exact", mp.log10(2), short),
        ("PER_LN2", "1 / log(2)", 1 / mp.log(2), full),
        ("PER_LN10", "1 / log(10)", 1 / mp.log(10), full),
        ("HALF_PI", "pi/2", mp.pi / 2, three),
        ("THIRD", "1/3", mp.mpf(1) / 3, full),
    ]


def parts(value: Number, bits: list[int]) -> list[float]:
    """The value as a sum of floats, each with so many bits, nearest first."""
    found = []
    for count in bits:
        mantissa, exponent = mp.frexp(value)
        part = mp.ldexp(mp.nint(mp.ldexp(mantissa, count)), int(exponent) - count)
        found.append(float(part))
        value -= part
    return found


def two_over_pi(bits: int) -> int:
    """The first bits of 2/pi after the point, as an integer."""
    with mp.workprec(bits + 64):
        return int(mp.floor(2 / mp.pi * mp.mpf(2) ** bits))


def module() -> str:
    """The text of `tables.py`."""
    lines = [
        '"""Coefficients of the polynomials in the files beside this one, highest power first, and '
        "constants.",
        "",
        "Written by tools/fit_vmath.py, which says how they were found.",
        '"""',
        "",
        "from typing import Final",
    ]
    with mp.workdps(60):
        for fit in fits():
            lines += ["", f"# {fit.meaning}"]
            lines.append(f"{fit.name}: Final = {{")
            for kind, degree in fit.degrees.items():
                coefficients = interpolate(fit.value, fit.low, fit.high, degree)
                lines.append(f'    "{kind}": (  # error {mp.nstr(error(fit, coefficients), 2)}')
                lines += [f"        {float(c)!r}," for c in reversed(coefficients)]
                lines.append("    ),")
            lines.append("}")
        for name, meaning, value, kinds in sums():
            lines += ["", f"# {meaning}", f"{name}: Final = {{"]
            lines += [f'    "{kind}": {tuple(parts(value, bits))!r},' for kind, bits in kinds.items()]
            lines.append("}")
    digits = f"{two_over_pi(1280):x}"
    lines += ["", "# The first 1280 bits of 2/pi after the point.", "TWO_OVER_PI_BITS: Final = 1280"]
    lines.append("TWO_OVER_PI: Final = int(")
    lines += [f'    "{digits[k : k + 80]}"' for k in range(0, len(digits), 80)]
    lines[-1] += ","
    lines += ["    16,", ")"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(module(), end="")
