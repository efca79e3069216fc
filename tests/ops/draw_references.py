"""What the ops that draw random numbers must give, from the words of `tests/philox.py` and `math`.

The rules are those of the table in `core/draws.py`, one element at a time. Next: `references.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.philox import MASK, words32, words64

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def _words(size: int, seed: Array, block: Array, n: int) -> list[int]:
    first = int(block) & MASK
    return (words32 if size == 32 else words64)(int(seed) & MASK, range(first, first + n // 4 + 1))


def _uniform(seed: Array, block: Array, n: int, name: str) -> list[float]:
    if name == "float64":
        return [(w >> 11) * 2.0**-53 for w in _words(64, seed, block, n)[:n]]
    bits = {"float32": 24, "float16": 11}[name]
    return [(w >> (32 - bits)) * 2.0**-bits for w in _words(32, seed, block, n)[:n]]


def _normal(seed: Array, block: Array, n: int, name: str) -> list[float]:
    bits = 53 if name == "float64" else 32
    words = _words(64 if name == "float64" else 32, seed, block, n + 1)
    if name == "float64":
        words = [w >> 11 for w in words]
    out = []
    for i in range(0, n, 2):
        r = math.sqrt(-2 * math.log((words[i] + 1) * 2.0**-bits))
        a = words[i + 1] * 2 * math.pi * 2.0**-bits
        out += [r * math.cos(a), r * math.sin(a)]
    return out[:n]


def _exponential(seed: Array, block: Array, n: int, name: str) -> list[float]:
    if name == "float64":
        return [-math.log1p(-((w >> 12) + 0.5) * 2.0**-52) for w in _words(64, seed, block, n)[:n]]
    return [-math.log1p(-(w + 0.5) * 2.0**-32) for w in _words(32, seed, block, n)[:n]]


def _floats(rule: Callable[[Array, Array, int, str], list[float]]) -> Callable[..., Array]:
    def reference(seed: Array, block: Array, *, shape: Shape, dtype: Any) -> Array:
        return np.array(rule(seed, block, math.prod(shape), dtype.name)).reshape(shape)

    return reference


def _integers(seed: Array, block: Array, *, shape: Shape, low: int, high: int) -> Array:
    n = math.prod(shape)
    found = [low + (w * (high - low) >> 64) for w in _words(64, seed, block, n)[:n]]
    return np.array(found, object).reshape(shape)


def _permutation(seed: Array, block: Array, *, n: int) -> list[int]:
    words = _words(64, seed, block, n)
    return sorted(range(n), key=lambda i: words[i])


DRAWS: dict[str, Any] = {
    "random_uniform": _floats(_uniform),
    "random_normal": _floats(_normal),
    "random_exponential": _floats(_exponential),
    "random_integers": _integers,
    "random_permutation": _permutation,
}
