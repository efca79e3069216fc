"""Writes random numbers: Philox4x64-10, block after block, and what a draw makes of the words.

The stream is defined in `../../core/draws.py` and `random.py`: block i under key s is Philox of the counter
(i, 0, 0, 0) with the key (s, 0). A block is four 64-bit words, or eight 32-bit words, low halves first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, Final

from llvmlite import ir

from ...core.dtypes import int32, int64
from ...graph.values import Value
from .emit import Emitter
from .forms import rule_of
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
    return 32 // int(v.dtype.itemsize)


def pieces_of(v: Value) -> int:
    """Independent parts of a draw."""
    blocks: int = -(-prod(v.shape) // numbers_of(v))
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
    x = rule_of(v).rule(e, V(cells, kind), v.dtype)
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


def shuffle_bytes(v: Value) -> int:
    """Scratch memory of a shuffle: its words, twice, and how many of them begin alike."""
    n: int = v.shape[0]
    return 8 * (2 * (n + 3) + (1 << _bits(n)) + 1)


def _bits(n: int) -> int:
    """About one bucket for each number; at least two, so that a shift stays below the size of a word."""
    return max(1, (n - 1).bit_length())


def write_shuffle(v: Value, b: Any, seed: Any, first: Any, target: Any, scratch: Any) -> None:
    """The numbers of words in ascending order: words into buckets by their first bits, then insertion.

    Words are equally likely, so a bucket holds about one; what insertion has to move is next to its place.
    """
    n = v.shape[0]
    buckets = 1 << _bits(n)
    words = scratch
    keys = _at(b, words, int64_of(n + 3))
    ends = _at(b, keys, int64_of(n))
    with _loop(b, int64_of(-(-n // 4))) as block:
        for k, word in enumerate(philox(b, seed, b.add(first, block))):
            _store(b, word, words, b.add(b.mul(block, int64_of(4)), int64_of(k)))
    with _loop(b, int64_of(buckets + 1)) as i:
        _store(b, int64_of(0), ends, i)
    shift = int64_of(64 - _bits(n))

    def bucket(word: Any) -> Any:
        return b.lshr(word, shift)

    with _loop(b, int64_of(n)) as i:
        after = b.add(bucket(_load(b, words, i)), int64_of(1))
        _store(b, b.add(_load(b, ends, after), int64_of(1)), ends, after)
    _running_sum(b, buckets, ends)
    with _loop(b, int64_of(n)) as i:
        word = _load(b, words, i)
        own = bucket(word)
        place = _load(b, ends, own)
        _store(b, word, keys, place)
        _store(b, i, target, place)
        _store(b, b.add(place, int64_of(1)), ends, own)
    _insert(b, n, keys, target)


def _running_sum(b: Any, n: int, counts: Any) -> None:
    """counts[i] becomes the sum of counts[: i + 1]; the sum is carried in a register, not through memory."""
    start, body = b.block, b.append_basic_block("sum")
    b.branch(body)
    b.position_at_end(body)
    i, total = b.phi(INT64), b.phi(INT64)
    i.add_incoming(int64_of(0), start)
    total.add_incoming(int64_of(0), start)
    new = b.add(total, _load(b, counts, i))
    _store(b, new, counts, i)
    following = b.add(i, int64_of(1))
    i.add_incoming(following, body)
    total.add_incoming(new, body)
    after = b.append_basic_block("after")
    b.cbranch(b.icmp_signed("<", following, int64_of(n + 1)), body, after)
    b.position_at_end(after)


def _insert(b: Any, n: int, keys: Any, numbers: Any) -> None:
    """Insertion sort of keys, as unsigned words, with their numbers; equal keys keep their order."""
    with _loop(b, int64_of(n)) as i:
        key, number = _load(b, keys, i), _load(b, numbers, i)
        start = b.block
        look, move, done = (b.append_basic_block(name) for name in ("look", "move", "done"))
        b.branch(look)
        b.position_at_end(look)
        j = b.phi(INT64)
        j.add_incoming(i, start)
        before = b.sub(j, int64_of(1))
        compare = b.append_basic_block("compare")
        b.cbranch(b.icmp_signed(">", j, int64_of(0)), compare, done)
        b.position_at_end(compare)
        other = _load(b, keys, before)
        b.cbranch(b.icmp_unsigned(">", other, key), move, done)
        b.position_at_end(move)
        _store(b, other, keys, j)
        _store(b, _load(b, numbers, before), numbers, j)
        j.add_incoming(before, move)
        b.branch(look)
        b.position_at_end(done)
        _store(b, key, keys, j)
        _store(b, number, numbers, j)


@contextmanager
def _loop(b: Any, count: Any) -> Iterator[Any]:
    """A loop over 0 .. count - 1, at least once."""
    start, body = b.block, b.append_basic_block("loop")
    b.branch(body)
    b.position_at_end(body)
    i = b.phi(INT64)
    i.add_incoming(int64_of(0), start)
    yield i
    following = b.add(i, int64_of(1))
    i.add_incoming(following, b.block)
    after = b.append_basic_block("after")
    b.cbranch(b.icmp_signed("<", following, count), body, after)
    b.position_at_end(after)


def _at(b: Any, pointer: Any, i: Any) -> Any:
    return b.gep(pointer, [i], source_etype=INT64)


def _load(b: Any, pointer: Any, i: Any) -> Any:
    return b.load(_at(b, pointer, i), typ=INT64, align=8)


def _store(b: Any, x: Any, pointer: Any, i: Any) -> None:
    b.store(x, _at(b, pointer, i), align=8)
