"""Print the polynomials of `chainrule.core.special`, as the module that holds them:

    python tools/fit_special.py > src/chainrule/core/special_tables.py

Each is the polynomial in t through the values of a smooth function at the Chebyshev points of [-1, 1], which
is the best one of its degree up to a small factor. Values and coefficients are computed by mpmath with 60
digits and rounded to float64 at the end. The degree is the lowest that keeps the error of the polynomial
below 2**-55 times the largest value, half of what rounding that value costs; the script checks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp

Number = Any  # mpmath's mpf; the library has no types
Function = Callable[[Number], Number]


class Fit(NamedTuple):
    """A function on [-1, 1] to be fitted: its name in the tables, its meaning, its values, and the degree."""

    name: str
    meaning: str
    value: Function
    degree: int


def on(low: str, high: str, f: Function) -> Function:
    """f on [low, high] as a function of t in [-1, 1]."""
    a, b = mp.mpf(low), mp.mpf(high)
    return lambda t: f((a + b) / 2 + (b - a) / 2 * t)


def fits() -> list[Fit]:
    """What `special.py` needs. Chebyshev points lie inside the interval, so no limits at its ends."""
    zero = digamma_zero_less_1()

    def erf_small(s: Number) -> Number:
        return mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1

    def erfcx_large(t: Number) -> Number:
        x = (5 + 3 * t) / (1 - t)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    def erfinv_ratio(w: Number) -> Number:
        x = mp.sqrt(-mp.expm1(-w))
        return mp.erfinv(x) / x

    def lgamma_large(s: Number) -> Number:
        x = 1 / mp.sqrt(s)
        return x * (mp.loggamma(x) - ((x - 0.5) * mp.log(x) - x + mp.log(2 * mp.pi) / 2))

    def digamma_large(s: Number) -> Number:
        x = 1 / mp.sqrt(s)
        return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))

    return [
        Fit("ERF_SMALL", "erf(x)/x - 1 for |x| <= 1; t = 2x^2 - 1", on("0", "1", erf_small), 12),
        Fit("ERFCX_LARGE", "(1 + 2x) exp(x^2) erfc(x) for x >= 1; t = (x - 5)/(x + 3)", erfcx_large, 20),
        Fit(
            "ERFINV_CENTRE",
            "erfinv(x)/x for w = -log(1 - x^2) <= 6.25; t = w/3.125 - 1",
            on("0", "6.25", erfinv_ratio),
            23,
        ),
        Fit(
            "ERFINV_TAIL",
            "erfinv(x)/x for 2.5 <= r = sqrt(-log(1 - x^2)) <= 6.02; t = (r - 4.26)/1.76",
            on("2.5", "6.02", lambda r: erfinv_ratio(r * r)),
            28,
        ),
        Fit(
            "LGAMMA_RATIO",
            "lgamma(1 + u)/(u (u - 1)) for 0 <= u <= 1; t = 2u - 1",
            on("0", "1", lambda u: mp.loggamma(1 + u) / (u * (u - 1))),
            20,
        ),
        Fit(
            "LGAMMA_LARGE",
            "x (lgamma(x) - (x - 1/2) log(x) + x - log(2 pi)/2) for x >= 8; t = 128/x^2 - 1",
            on("0", "0.015625", lgamma_large),
            6,
        ),
        Fit(
            "DIGAMMA_RATIO",
            "digamma(1 + u)/(u - zero) for 0 <= u <= 1; t = 2u - 1",
            on("0", "1", lambda u: mp.digamma(1 + u) / (u - zero)),
            21,
        ),
        Fit(
            "DIGAMMA_LARGE",
            "x^2 (log(x) - 1/(2x) - digamma(x)) for x >= 8; t = 128/x^2 - 1",
            on("0", "0.015625", digamma_large),
            7,
        ),
    ]


def digamma_zero_less_1() -> Number:
    """The u for which digamma(1 + u) = 0."""
    return mp.findroot(mp.digamma, 1.4616) - 1


def interpolate(f: Function, degree: int) -> list[Number]:
    """Coefficients of 1, t, t^2, ... of the polynomial through f at degree + 1 Chebyshev points."""
    n = degree + 1
    angles = [mp.pi * (2 * j + 1) / (2 * n) for j in range(n)]
    values = [f(mp.cos(angle)) for angle in angles]
    total = [mp.mpf(0)] * n
    before, current = [mp.mpf(0)] * n, [mp.mpf(1)] + [mp.mpf(0)] * degree  # T_{k-1}, T_k in powers of t
    for k in range(n):
        c = mp.fsum(v * mp.cos(k * a) for v, a in zip(values, angles, strict=True)) * (2 if k else 1) / n
        total = [a + c * b for a, b in zip(total, current, strict=True)]
        raised = [mp.mpf(0), *current[:-1]]  # t T_k
        following = [(2 if k else 1) * a - b for a, b in zip(raised, before, strict=True)]
        before, current = current, following
    return total


def error(f: Function, coefficients: list[Number]) -> Number:
    """The largest error of the polynomial between the Chebyshev points, relative to the largest value."""
    points = [mp.cos(mp.pi * j / 47) for j in range(1, 47)]
    values = [f(t) for t in points]
    sums = [mp.fsum(c * t**k for k, c in enumerate(coefficients)) for t in points]
    errors = [abs(s - v) for s, v in zip(sums, values, strict=True)]
    return max(errors) / max(map(abs, values))


def module() -> str:
    """The text of `special_tables.py`."""
    lines = [
        '"""Coefficients of the polynomials in `special.py`, highest power first.',
        "",
        "Written by tools/fit_special.py, which says how they were found; the variable t runs from -1 to 1.",
        '"""',
        "",
        "from typing import Final",
    ]
    with mp.workdps(60):
        for fit in fits():
            coefficients = interpolate(fit.value, fit.degree)
            size = error(fit.value, coefficients)
            if size > mp.mpf(2) ** -55:
                raise SystemExit(f"{fit.name} needs a higher degree: its error is {mp.nstr(size, 3)}")
            lines += ["", f"# {fit.meaning}. Error {mp.nstr(size, 2)}.", f"{fit.name}: Final = ("]
            lines += [f"    {float(c)!r}," for c in reversed(coefficients)]
            lines.append(")")
        zero = digamma_zero_less_1()
        high = float(zero)
        lines += ["", "# The positive zero of digamma, less 1, as the sum of two numbers."]
        lines.append(f"DIGAMMA_ZERO_LESS_1: Final = ({high!r}, {float(zero - high)!r})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(module(), end="")
