"""Writes random numbers: Philox4x64-10, block after block, and what a draw makes of the words.

The stream is defined in `../../core/draws.py` and `random.py`: block i under key s is Philox of the counter
(i, 0, 0, 0) with the key (s, 0). A block is four 64-bit words, or eight 32-bit words, low halves first.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from llvmlite import ir

from ...core.dtypes import int32, int64
from ...graph.values import Value
from .emit import Emitter
from .points import int64_of
from .values import INT64, V, memory_type, vector
from .vmath.registry import Math

ROUNDS: Final = 10
_MULTIPLIERS: Final = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL: Final = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
WIDE: Final = ir.IntType(128)
PIECE: Final = 256  # blocks that one thread makes at a time


def _word(n: int) -> Any:
    n %= 1 << 64
    return ir.Constant(INT64, n - (1 << 64) if n >> 63 else n)


def _products(b: Any, x: Any, multiplier: int) -> tuple[Any, Any]:
    """(high, low) words of the 128-bit product."""
    wide = b.mul(b.zext(x, WIDE), ir.Constant(WIDE, multiplier))
    return b.trunc(b.lshr(wide, ir.Constant(WIDE, 64)), INT64), b.trunc(wide, INT64)


def philox(b: Any, seed: Any, block: Any) -> list[Any]:
    """Code for the four words of a block."""
    counter = [block, _word(0), _word(0), _word(0)]
    key: list[Any] = [seed, _word(0)]
    for _ in range(ROUNDS):
        high0, low0 = _products(b, counter[0], _MULTIPLIERS[0])
        high1, low1 = _products(b, counter[2], _MULTIPLIERS[1])
        counter = [
            b.xor(b.xor(high1, counter[1]), key[0]),
            low1,
            b.xor(b.xor(high0, counter[3]), key[1]),
            low0,
        ]
        key = [b.add(key[0], _word(_WEYL[0])), b.add(key[1], _word(_WEYL[1]))]
    return counter


def numbers_of(v: Value) -> int:
    """How many elements of a draw one block makes."""
    return 32 // v.dtype.itemsize


def pieces_of(v: Value) -> int:
    """Independent parts of a draw."""
    blocks = -(-prod(v.shape) // numbers_of(v))
    return max(1, -(-blocks // PIECE))


def write_draw(v: Value, b: Any, math: Math, seed: Any, first: Any, target: Any, piece: Any) -> None:
    """One piece of a draw. seed, first: the stream's seed and the draw's first block; target: the address."""
    size = prod(v.shape)
    if not size:
        return
    each = numbers_of(v)
    whole, rest = divmod(size, each)
    blocks = whole + bool(rest)
    low = b.mul(piece, int64_of(PIECE))
    high = b.add(low, int64_of(PIECE))
    high = b.select(b.icmp_signed("<", high, int64_of(blocks)), high, int64_of(blocks))
    start, body = b.block, b.append_basic_block("blocks")
    b.branch(body)
    b.position_at_end(body)
    i = b.phi(INT64)
    i.add_incoming(low, start)
    words = philox(b, seed, b.add(first, i))
    line: Any = ir.Constant(vector(INT64, 4), ir.Undefined)
    for k, word in enumerate(words):
        line = b.insert_element(line, word, ir.Constant(ir.IntType(32), k))
    kind = int32 if v.dtype.itemsize == 4 else int64
    cells = b.bitcast(line, vector(memory_type(kind), each))
    e = Emitter(b, each, math)
    x = v.op.lower.rule(e, V(cells, kind), v.dtype)  # type: ignore[union-attr]
    at = b.gep(target, [b.mul(i, int64_of(each))], source_etype=memory_type(v.dtype))
    if rest:
        is_last = b.icmp_signed("==", i, int64_of(whole))
        with b.if_else(is_last) as (then, otherwise):
            with then:
                e.store(x, at, e.tail_mask(rest))
            with otherwise:
                e.store(x, at)
    else:
        e.store(x, at)
    following = b.add(i, int64_of(1))
    i.add_incoming(following, b.block)
    after = b.append_basic_block("after")
    b.cbranch(b.icmp_signed("<", following, high), body, after)
    b.position_at_end(after)
