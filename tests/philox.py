"""Philox4x64-10 from the paper, with Python's integers, and the words that a stream is made of."""

from __future__ import annotations

MASK = 2**64 - 1


def philox4x64(counter: tuple[int, ...], key: tuple[int, ...]) -> list[int]:
    """Ten rounds of Philox on four words (Salmon et al. 2011, section 3.3 and its constants)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product0, product1 = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (
            (product1 >> 64) ^ c1 ^ k0,
            product1 & MASK,
            (product0 >> 64) ^ c3 ^ k1,
            product0 & MASK,
        )
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return [c0, c1, c2, c3]


def words64(seed: int, blocks: range) -> list[int]:
    return [word for i in blocks for word in philox4x64((i, 0, 0, 0), (seed, 0))]


def words32(seed: int, blocks: range) -> list[int]:
    return [half for word in words64(seed, blocks) for half in (word & 0xFFFFFFFF, word >> 32)]
