"""The special functions NumPy does not have: erf, erfc, erfinv, lgamma and its derivatives, for floats.

Each takes an array of float64, float32 or float16 and returns a new one of the same shape and dtype. The work
is done in float64, some thousands of elements at a time so that it stays in the cache; where a function has
several formulas, each is computed for the elements that need it only. Largest errors in float64 that
tests/core/test_special.py allows against mpmath (it finds about a third of them):

    erf       2 ulp everywhere
    erfc      2e-15 relative, down to the smallest normal number
    erfinv    2e-15 relative
    lgamma    2e-15 relative for x > 0, next to its zeros at 1 and 2 too; for x < 0 relative to the largest of
              1 and the two terms of the reflection formula, which cancel near the zeros there
    digamma   2e-15 relative for x > 0, next to its zero too; for x < 0 as lgamma
    polygamma 4e-15 relative for x > 0 and n up to 10; for x < 0 as lgamma

The polynomials were fitted for this file by tools/fit_special.py (Chebyshev interpolation of mpmath's values)
and stand in `special_tables.py`. The classical identities around them (reflection, recurrence, Stirling's
series) are in the handbooks, for instance in the Digital Library of Mathematical Functions, chapters 5 and 7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from . import memory
from . import special_tables as tables

Array: TypeAlias = npt.NDArray[Any]
Float64: TypeAlias = npt.NDArray[np.float64]
Formula: TypeAlias = Callable[[Float64], Float64]  # (n,) -> (n,), elementwise; never writes to its argument

_CHUNK: Final = 1 << 14  # elements worked on at a time: a few temporaries of 128 KiB stay in the L2 cache
_STIRLING: Final = 0.5 * math.log(2 * math.pi) - 0.5


def erf(x: Array) -> Array:
    """The error function 2/sqrt(pi) * integral of exp(-s^2) from 0 to x; odd, from -1 to 1."""
    return _elementwise(_erf, x)


def erfc(x: Array) -> Array:
    """1 - erf(x), without cancellation where erf(x) is close to 1."""
    return _elementwise(_erfc, x)


def erfinv(x: Array) -> Array:
    """The y for which erf(y) = x; infinite at -1 and 1, NaN outside of them."""
    return _elementwise(_erfinv, x)


def lgamma(x: Array) -> Array:
    """log(|Gamma(x)|), natural; infinite at 0, -1, -2, ... and at both infinities."""
    return _elementwise(_lgamma, x)


def digamma(x: Array) -> Array:
    """The derivative of lgamma; -inf at 0, inf at -0, NaN at -1, -2, ... and at -inf."""
    return _elementwise(_digamma, x)


def polygamma(x: Array, n: int) -> Array:
    """The n-th derivative of digamma, n >= 1. At 0, -1, ... inf for odd n; for even n NaN, and -inf at 0."""
    return _elementwise(lambda part: _polygamma(part, n), x)


# -- machinery ---------------------------------------------------------------------------------------------


def _elementwise(formula: Formula, x: Array) -> Array:
    """Apply a formula for float64 to any float array, chunk by chunk."""
    out = memory.empty(x.shape, x.dtype)
    flat_x, flat_out = x.reshape(-1), out.reshape(-1)  # shape -> (n,)
    with np.errstate(all="ignore"):  # infinities and NaNs are results here, not accidents
        for start in range(0, flat_x.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            flat_out[part] = formula(flat_x[part].astype(np.float64, copy=False))
    return out


def _split(mask: npt.NDArray[np.bool_], x: Float64, inside: Formula, outside: Formula) -> Float64:
    """inside(x) where the mask is true and outside(x) elsewhere, each for its own elements only."""
    others = np.flatnonzero(~mask)
    if others.size == 0:
        return inside(x)
    if others.size == x.size:
        return outside(x)
    own = np.flatnonzero(mask)  # numbers of elements: NumPy gathers by them faster than by a mask
    out = np.empty_like(x)
    out[own] = inside(x[own])
    out[others] = outside(x[others])
    return out


def _polynomial(coefficients: tuple[float, ...], t: Float64) -> Float64:
    """The polynomial with these coefficients, highest power first, by Horner's rule."""
    out: Float64 = t * coefficients[0]
    for c in coefficients[1:-1]:
        out += c
        out *= t
    out += coefficients[-1]
    return out


# -- erf, erfc, erfinv -------------------------------------------------------------------------------------


def _erf(x: Float64) -> Float64:
    return _split(np.abs(x) <= 1, x, _erf_small, _erf_large)


def _erf_small(x: Float64) -> Float64:
    """|x| <= 1: x + x (erf(x)/x - 1), where the second term is small, so its rounding hardly matters."""
    out = _polynomial(tables.ERF_SMALL, 2 * x * x - 1)
    out *= x
    out += x
    return out


def _erf_large(x: Float64) -> Float64:
    """|x| > 1: 1 - erfc(|x|) with the sign of x."""
    y = np.minimum(np.abs(x), 6.0)  # erfc(6) = 2e-17 is lost beside 1
    out: Float64 = 1 - np.exp(-y * y) * _erfcx(y)
    return np.copysign(out, x, out=out)


def _erfcx(x: Float64) -> Float64:
    """exp(x^2) erfc(x) for x >= 1."""
    return _polynomial(tables.ERFCX_LARGE, (x - 5) / (x + 3)) / (1 + 2 * x)


def _erfc(x: Float64) -> Float64:
    return _split(np.abs(x) <= 1, x, lambda x: 1 - _erf_small(x), _erfc_large)


def _erfc_large(x: Float64) -> Float64:
    y = np.minimum(np.abs(x), 28.0)  # erfc(28) is 0 in float64
    # exp turns the absolute error of y^2 into a relative one, so what rounding y^2 loses is put back:
    # y = high + low with high^2 exact, hence y^2 - square = (high^2 - square) + low (y + high).
    square = y * y
    high = y.astype(np.float32).astype(np.float64)
    lost = (high * high - square) + (y - high) * (y + high)
    out: Float64 = np.exp(-square) * (1 - lost) * _erfcx(y)
    return np.subtract(2, out, out=out, where=x < 0)


def _erfinv(x: Float64) -> Float64:
    w = -np.log((1 - x) * (1 + x))  # NaN where |x| > 1
    out = _split(w <= 6.25, w, _erfinv_centre, _erfinv_tail)
    out *= x
    return out


def _erfinv_centre(w: Float64) -> Float64:
    """erfinv(x)/x for w = -log(1 - x^2) <= 6.25, which is |x| <= 0.99903."""
    return _polynomial(tables.ERFINV_CENTRE, w / 3.125 - 1)


def _erfinv_tail(w: Float64) -> Float64:
    """erfinv(x)/x for larger w; 36.05 is the largest below infinity."""
    t = (np.sqrt(np.minimum(w, 36.1)) - 4.26) / 1.76
    return np.where(np.isposinf(w), np.inf, _polynomial(tables.ERFINV_TAIL, t))


# -- lgamma, digamma ---------------------------------------------------------------------------------------


def _lgamma(x: Float64) -> Float64:
    return _split(x > 0, x, _lgamma_positive, _lgamma_reflected)


def _lgamma_reflected(x: Float64) -> Float64:
    """x <= 0: log(pi / |sin(pi x)|) - lgamma(1 - x), infinite at 0, -1, -2, ...

    sin(pi x) = ± pi f sinc(f) for the distance f to the nearest integer, which is exact where f is tiny.
    """
    whole = np.rint(x)
    f = x - whole
    out = -np.log(np.abs(f) * np.sinc(f)) - _lgamma_positive(1 - x)
    return np.where(x == whole, np.inf, out)


def _lgamma_positive(x: Float64) -> Float64:
    return _split(x < 8, x, _lgamma_small, _lgamma_large)


def _lgamma_small(x: Float64) -> Float64:
    """0 < x < 8: Gamma(x) is Gamma(1 + u) times a product, with u in [0, 1); lgamma(1 + u) = u (u - 1) p(u).

    Near 1 and 2 all terms are small and accurate: u, u - 1 and x - 1 are exact there.
    """
    below_1, u, steps = _unit_part(x)
    product = np.where(below_1, x, 1.0)  # Gamma(x) = Gamma(1 + x) / x for x < 1
    for k in range(1, int(steps.max(initial=0)) + 1):
        np.multiply(product, u + k, out=product, where=steps >= k)
    out = _polynomial(tables.LGAMMA_RATIO, 2 * u - 1)
    out *= u * (u - 1)
    logarithm = np.log(product, out=product)
    return np.where(below_1, out - logarithm, out + logarithm)


def _unit_part(x: Float64) -> tuple[npt.NDArray[np.bool_], Float64, Float64]:
    """x > 0 as (x < 1, u, n) with u in [0, 1): x = u where x < 1, else x = 1 + u + n with n = 0, 1, ..."""
    below_1 = x < 1
    whole = np.floor(x)
    return below_1, x - whole, np.maximum(whole - 1, 0)


def _lgamma_large(x: Float64) -> Float64:
    """x >= 8: Stirling's formula and its fitted remainder."""
    r = 1 / x
    rest = _polynomial(tables.LGAMMA_LARGE, 128 * r * r - 1) * r
    rest += _STIRLING
    rest += (x - 0.5) * (np.log(x) - 1)
    return rest


def _digamma(x: Float64) -> Float64:
    return _split(x > 0, x, _digamma_positive, _digamma_reflected)


def _digamma_reflected(x: Float64) -> Float64:
    """x <= 0: digamma(1 - x) - pi / tan(pi x)."""
    r = x - np.rint(x)
    out = _digamma_positive(1 - x) - np.pi / np.tan(np.pi * r)
    out[r == 0] = np.nan
    return np.where(x == 0, np.copysign(np.inf, -x), out)


def _digamma_positive(x: Float64) -> Float64:
    return _split(x < 8, x, _digamma_small, _digamma_large)


def _digamma_small(x: Float64) -> Float64:
    """0 < x < 8: digamma(1 + u) plus the 1/(k + u) that lead to x; digamma(1 + u) = (u - zero) p(u)."""
    below_1, u, steps = _unit_part(x)
    high, low = tables.DIGAMMA_ZERO_LESS_1
    out = _polynomial(tables.DIGAMMA_RATIO, 2 * u - 1)
    out *= (u - high) - low
    for k in range(1, int(steps.max(initial=0)) + 1):
        np.add(out, 1 / (u + k), out=out, where=steps >= k)
    np.subtract(out, 1 / x, out=out, where=below_1)
    return out


def _digamma_large(x: Float64) -> Float64:
    """x >= 8: the asymptotic series, with what follows its first two terms fitted."""
    r = 1 / x
    square = r * r
    return np.log(x) - (0.5 * r + square * _polynomial(tables.DIGAMMA_LARGE, 128 * square - 1))


def _polygamma(x: Float64, n: int) -> Float64:
    return _split(x > 0, x, lambda v: _polygamma_positive(v, n), lambda v: _polygamma_reflected(v, n))


# Bernoulli numbers B(2), B(4), ... over the factorials of 2, 4, ...: the Euler-Maclaurin formula's factors
_EULER_MACLAURIN: Final = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000,
)  # fmt: skip


def _polygamma_positive(x: Float64, n: int) -> Float64:
    """x > 0: (-1)**(n+1) n! times the sum of (x + k)**-s for k = 0, 1, ... and s = n + 1.

    The first terms are added up as they are; the rest is the integral with the Euler-Maclaurin formula's
    corrections, of which eight are enough from x + k = s + 12 on.
    """
    s = n + 1
    terms = s + 12
    out: Float64 = np.zeros_like(x)
    for k in range(terms):
        out += (x + k) ** -s
    a = x + terms
    power = a**-s
    out += a**-n / n + 0.5 * power
    rising = float(s)  # s (s+1) ... (s+2j-2), over the factorial that is in the table
    for j, factor in enumerate(_EULER_MACLAURIN):
        power = power / a
        out += factor * rising * power
        rising *= (s + 2 * j + 1) * (s + 2 * j + 2)
        power = power / a
    out *= (-1) ** s * np.prod(np.arange(1.0, n + 1))
    return out


def _polygamma_reflected(x: Float64, n: int) -> Float64:
    """x <= 0: (-1)**n polygamma(1 - x) minus the n-th derivative of pi / tan(pi x).

    That is pi**(n+1) times a polynomial in c = 1 / tan(pi x), since the derivative of c is -pi (1 + c**2).
    """
    coefficients = [0.0, 1.0]  # of c, lowest power first
    for _ in range(n):
        slope = [k * v for k, v in enumerate(coefficients)][1:]
        coefficients = [-(a + b) for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope], strict=True)]
    r = x - np.rint(x)
    c = 1 / np.tan(np.pi * r)
    derivative = math.pi ** (n + 1) * _polynomial(tuple(coefficients[::-1]), c)
    out: Float64 = (-1) ** n * _polygamma_positive(1 - x, n) - derivative
    if n % 2 == 0:
        out[(r == 0) & (x != 0)] = np.nan
    return out
