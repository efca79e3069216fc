"""Sums of products in twice the working precision: what a residual needs when nearly everything cancels.

The idea: the rounding error of one float64 addition or multiplication is itself a float64 that a few more
operations find (Knuth's sum, Dekker's and Veltkamp's product). Each term of `A x - b` is carried as such a
pair, and the pairs are added up in a tree with their errors, so a result is as good as if it were computed
with about 106 bits and rounded once. Nothing here solves anything: `least_squares.py` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SPLITTER = 134_217_729.0  # 2**27 + 1: splits 53 bits into two halves whose products are exact
_BLOCK = 1 << 15  # terms at a time: all that is needed in between stays in the cache


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b rounded, and its rounding error: together they are the sum exactly. (Knuth)

    >>> two_sum(np.array([1e16]), np.array([1.0]))
    (array([1.e+16]), array([1.]))
    """
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def split(a: Array) -> tuple[Array, Array]:
    """Two numbers of half the bits with sum a, for |a| < 2**996. (Veltkamp)

    >>> split(np.array([1.0 + 2.0**-52]))
    (array([1.]), array([2.22044605e-16]))
    """
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b rounded, and its rounding error, unless that underflows. (Dekker)

    >>> x = np.array([1.0 + 2.0**-30])
    >>> high, low = two_product(x, x)
    >>> high.item() == 1 + 2.0**-29, low.item() == 2.0**-60
    (True, True)
    """
    product = a * b
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _totals(high: Array, low: Array) -> tuple[Array, Array]:
    """The sums over the first axis of pairs (k, ...), as pairs (...): half as many terms each time."""
    while len(high) > 1:
        half = len(high) // 2
        total, error = two_sum(high[:half], high[half : 2 * half])
        rest = low[:half] + low[half : 2 * half] + error
        if len(high) % 2:
            high, low = np.concatenate([total, high[-1:]]), np.concatenate([rest, low[-1:]])
        else:
            high, low = total, rest
    return high[0], low[0]


def powers(x: Array, most: int) -> tuple[Array, Array]:
    """x, x**2, ..., x**most as pairs of arrays (k, most): rounded values, and what they lack.

    >>> high, low = powers(np.array([1.0 + 2.0**-30]), 2)
    >>> high[0].tolist() == [1 + 2.0**-30, 1 + 2.0**-29], low[0].tolist() == [0, 2.0**-60]
    (True, True)
    """
    high, low = np.empty((len(x), most)), np.empty((len(x), most))
    value, rest = x, np.zeros(len(x))
    for k in range(most):
        if k:
            product, error = two_product(value, x)
            value, rest = two_sum(product, error + rest * x)
        high[:, k], low[:, k] = value, rest
    return high, low


def dot(a: Array, x: Array, *others: Array, low: Array | None = None) -> Array:
    """`a.T @ x` plus the `others`, as if rounded once: a (k, n), x (k,), others (n,) -> (n,).

    low:  what a lacks, if its entries stand for numbers that are not float64.
    The relative error is about 1e-16, plus 1e-32 times the sum of the sizes of all terms.

    >>> a = np.array([[1e16], [1.0], [-1e16]])
    >>> dot(a, np.ones(3)), dot(a, np.ones(3), np.array([-1.0]))
    (array([1.]), array([0.]))
    """
    terms, width = a.shape
    high, rest = np.zeros(width), np.zeros(width) if low is None else x @ low
    # Blocks along both axes, so that what is needed in between stays in the cache.
    columns = max(1, min(width, _BLOCK // max(1, min(terms, 256))))
    rows = max(1, _BLOCK // columns)
    for left in range(0, width, columns):
        part = slice(left, left + columns)
        for top in range(0, terms, rows):
            block = np.ascontiguousarray(a[top : top + rows, part])
            total, lacking = _totals(*two_product(block, x[top : top + rows, None]))
            high[part], error = two_sum(high[part], total)
            rest[part] += lacking + error
    for other in others:
        high, error = two_sum(high, other)
        rest = rest + error
    result: Array = high + rest
    return result
