"""From random words to numbers: what each kind of draw makes of the words of its blocks.

Numbers are read from the 64-bit words in order; such a word is two 32-bit words, the low half first. With
`w` a 32-bit and `W` a 64-bit word:

    draw                  from        value
    --------------------  ----------  ------------------------------------------------------------------
    bits32, bits64        w, W        the word
    uniform     float16   w           (w >> 21) * 2**-11
                float32   w           (w >> 8) * 2**-24
                float64   W           (W >> 11) * 2**-53
    normal      float32   w1, w2      two values, r*cos(a) and r*sin(a), where
                                      r = sqrt(-2*log((w1 + 1) * 2**-32)),  a = w2 * (2*pi*2**-32)
                float64   W1, W2      two values, r*cos(a) and r*sin(a), where
                                      r = sqrt(-2*log(((W1 >> 11) + 1) * 2**-53)),
                                      a = (W2 >> 11) * (2*pi*2**-53)
                float16   w1, w2      the values for float32, rounded
    exponential float32   w           -log1p(-(w + 0.5) * 2**-32), computed in float64 and rounded
                float16   w           the same, rounded to float16
                float64   W           -log1p(-((W >> 12) + 0.5) * 2**-52)
    integers              W           low + floor(W * (high - low) / 2**64), without any rounding
    bernoulli             as uniform  u < p, where u is float64 if p is, else float32
    permutation           W           the indices in the order of their words; equal words keep theirs

Each line is computed in its own dtype, words converted first, unless it says otherwise. So bits, uniforms,
integers, truth values and permutations are the same on every machine and in every executor; normals and
exponentials are the same up to the rounding of log, sin and cos.

Which words are an element's own, counting elements in row-major order from 0 and blocks from the first one of
the draw (block b is words 4*b to 4*b + 3 of the draw, made of counter (first + b, 0, 0, 0)):
    from W:       element i has word i: word i % 4 of block i // 4.
    from w:       element i has half i of the draw: half i % 2 (0 is the low one) of word i // 2, which is
                  word i // 2 % 4 of block i // 8.
    from w1, w2:  elements 2*i and 2*i + 1 (r*cos(a) and r*sin(a)) share halves 2*i and 2*i + 1: word i.
    from W1, W2:  elements 2*i and 2*i + 1 share words 2*i and 2*i + 1.
A draw of n elements takes ceil(ceil(n / m) / 4) blocks, with m numbers from a 64-bit word: 2 for those made
of w, else 1. The next draw begins with the block after them.

The functions here take the words of a draw and fill an array `out` from as many as it needs; they may
overwrite the words. They know nothing of seeds and counters: that is `random.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Fill: TypeAlias = Callable[[Array, Array], None]  # (64-bit words, out)
Rule: TypeAlias = tuple[int, Fill]  # how many numbers a 64-bit word makes, and how


def _halves(words: Array) -> Array:
    """64-bit words (m,) as 32-bit words (2m,), the low half first."""
    halves = words.view(np.uint32)
    return halves if np.little_endian else halves.reshape(-1, 2)[:, ::-1].ravel()


def _bits32(words: Array, out: Array) -> None:
    out[:] = _halves(words)[: out.size]


def _bits64(words: Array, out: Array) -> None:
    out[:] = words[: out.size]


def _scaled(w: Array, shift: np.unsignedinteger[Any], scale: np.floating[Any], out: Array) -> None:
    """out = (w >> shift) * scale, exact: the shifted word fits into the significand of out."""
    np.right_shift(w, shift, out=w)
    np.multiply(w, scale, out=out, dtype=scale.dtype, casting="unsafe")


def _uniform16(words: Array, out: Array) -> None:
    _scaled(_halves(words)[: out.size], np.uint32(21), np.float16(2.0**-11), out)


def _uniform32(words: Array, out: Array) -> None:
    _scaled(_halves(words)[: out.size], np.uint32(8), np.float32(2.0**-24), out)


def _uniform64(words: Array, out: Array) -> None:
    _scaled(words[: out.size], np.uint64(11), np.float64(2.0**-53), out)


def _box_muller(u: Array, a: Array, out: Array) -> None:
    """Two normal numbers for each u in (0, 1] and angle a; the last pair may be cut in half. Overwrites u."""
    np.log(u, out=u)
    u *= -2
    r = np.sqrt(u, out=u)
    odd = out.size // 2
    np.multiply(np.cos(a), r, out=out[0::2], casting="same_kind")
    np.multiply(np.sin(a)[:odd], r[:odd], out=out[1::2], casting="same_kind")


def _normal32(words: Array, out: Array) -> None:
    w = _halves(words)[: out.size + out.size % 2]
    u = w[0::2].astype(np.float32)
    u += 1
    u *= 2.0**-32
    a = w[1::2].astype(np.float32)
    a *= 2 * math.pi * 2.0**-32
    _box_muller(u, a, out)


def _normal64(words: Array, out: Array) -> None:
    w = words[: out.size + out.size % 2] >> np.uint64(11)
    u = w[0::2].astype(np.float64)
    u += 1
    u *= 2.0**-53
    a = w[1::2].astype(np.float64)
    a *= 2 * math.pi * 2.0**-53
    _box_muller(u, a, out)


def _exponential(w: Array, scale: float, out: Array) -> None:
    u = w.astype(np.float64)
    u += 0.5  # the middle of its step is never 0 or 1, so the logarithm is neither 0 nor infinite
    u *= -scale
    np.log1p(u, out=u)
    np.negative(u, out=out, casting="same_kind")


def _exponential32(words: Array, out: Array) -> None:
    _exponential(_halves(words)[: out.size], 2.0**-32, out)


def _exponential64(words: Array, out: Array) -> None:
    _exponential(words[: out.size] >> np.uint64(12), 2.0**-52, out)


_F16, _F32, _F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)

BITS32: Final[Rule] = (2, _bits32)
BITS64: Final[Rule] = (1, _bits64)
# One rule for each dtype.
UNIFORM: Final = {_F16: (2, _uniform16), _F32: (2, _uniform32), _F64: (1, _uniform64)}
NORMAL: Final = {_F16: (2, _normal32), _F32: (2, _normal32), _F64: (1, _normal64)}
EXPONENTIAL: Final = {_F16: (2, _exponential32), _F32: (2, _exponential32), _F64: (1, _exponential64)}


def integers(low: int, high: int) -> Rule:
    """The rule for int64 numbers in [low, high); -2**63 <= low < high <= 2**63."""
    span = high - low

    def fill(words: Array, out: Array) -> None:
        # Adding modulo 2**64 and reading the bits as int64 is right for negative numbers too.
        shifted = np.uint64(low % (1 << 64))
        np.add(multiply_high(words[: out.size], span), shifted, out=out.view(np.uint64))

    return 1, fill


def multiply_high(words: Array, span: int) -> Array:
    """floor(words * span / 2**64) for 1 <= span <= 2**64, from products of halves, which cannot overflow."""
    if span == 1 << 64:
        return words
    half, low_bits = np.uint64(32), np.uint64(0xFFFFFFFF)
    s_high, s_low = np.uint64(span >> 32), np.uint64(span & 0xFFFFFFFF)
    high, low = words >> half, words & low_bits
    result: Array = high * s_low + ((low * s_low) >> half)
    if s_high == 0:
        return np.right_shift(result, half, out=result)
    carry = (low * s_high + (result & low_bits)) >> half
    result >>= half
    result += carry
    result += high * s_high
    return result


def order(keys: Array) -> npt.NDArray[np.int64]:
    """`np.argsort(keys, kind="stable")` for 64-bit keys, faster where there are many and they are random."""
    if keys.size < 1024:  # below, sorting is faster than filling 65,536 buckets
        return np.argsort(keys, kind="stable")
    # NumPy sorts 16-bit numbers in linear time. Two such passes order the keys by their upper 32 bits.
    top = (keys >> np.uint64(32)).astype(np.uint32)
    result = np.argsort(top.astype(np.uint16), kind="stable")
    result = result[np.argsort((top >> np.uint32(16)).astype(np.uint16)[result], kind="stable")]
    # The few that agree there are put in order among the places they hold, which as a whole are right.
    top = top[result]
    equal = top[1:] == top[:-1]
    if equal.any():
        tied = np.zeros(keys.size, bool)
        tied[1:] |= equal
        tied[:-1] |= equal
        members = result[tied]
        result[tied] = members[np.argsort(keys[members], kind="stable")]
    return result
