"""Random numbers that depend on a seed and a position only: never on threads, chunking or who computes them.

A `Generator` is a seed and the number of the next unused block. Block `i` of the stream with seed `s` is
Philox4x64-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011) of the
counter `(i, 0, 0, 0)` under the key `(s, 0)`: four 64-bit words. Every draw takes the next whole blocks, as
many as it needs words, and what is left of its last block is dropped. What a draw makes of its words is
defined in `draws.py`, which is the file to read next.

Generators may be used from several threads; a draw is always one unbroken piece of the stream. A forked
process goes on with a copy, like one made by `copy.copy`. `drawn` gives the numbers at a place of a stream
without any generator: that is what graphs hold. No tensors here: `functions/sampling.py` makes them.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from . import draws, memory
from .draws import Array, Rule
from .errors import ArgumentError

_BLOCK: Final = 4  # 64-bit words in a block
_CHUNK: Final = 1 << 13  # words made at a time (64 KiB): what is made of them stays in the cache
_DEFAULT_SEED: Final = 67280421310721  # that of a new Generator() in PyTorch

# One lock for all generators: it is held about a microsecond for small draws, and to take the blocks of large
# ones. Forking waits for it, so a child process never inherits it locked by a thread that it does not have.
_lock = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Watch:
    """Who is told before a stream is made, moved, or read, with the name of what is done.

    told: set by `../graph/host.py`: a program that is recorded must not depend on where a stream stands.
    """

    __slots__ = ("told",)

    told: Callable[[str], None] | None

    def __init__(self) -> None:
        self.told = None


watch: Final = Watch()


class Generator:
    """A stream of random numbers, named by its seed. A new one always starts with the same seed.

    Args:   device: "cpu", the only one there is.
    Raises: ValueError for another device.

    >>> g = Generator().manual_seed(0)
    >>> first = g.integers(0, 6, (4,))
    >>> g.manual_seed(0).integers(0, 6, (4,)).tolist() == first.tolist()
    True
    """

    __slots__ = ("_bits", "_next", "_seed")

    device = "cpu"

    def __init__(self, device: object = "cpu") -> None:
        if str(device) != "cpu":
            raise ArgumentError.of(
                "Generator", given=f"device {str(device)!r}", must="the device must be 'cpu'"
            )
        if watch.told is not None:
            watch.told("Generator()")
        self._seed = _DEFAULT_SEED
        self._next = 0  # the first block that is not used yet
        self._bits: np.random.Philox | None = None  # stands before block _next; made when first needed

    def manual_seed(self, seed: int) -> Self:
        """Start the stream of this seed from its beginning. Returns the generator.

        Args:   seed: an integer in [-2**63, 2**64); a negative one stands for itself plus 2**64.
        Raises: ValueError for any other.
        """
        try:
            number = operator.index(seed)
        except TypeError:
            number = 1 << 64
        if not -(1 << 63) <= number < 1 << 64:
            raise ArgumentError.of(
                "manual_seed",
                given=f"seed {seed!r}",
                must="the seed must be an integer, at least -2**63 and less than 2**64",
            )
        if watch.told is not None:
            watch.told("manual_seed")
        self.move(number % (1 << 64), 0)
        return self

    def seed(self) -> int:
        """Start the stream of a seed that the operating system draws. Returns that seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed of this stream."""
        return self._seed

    def get_state(self) -> npt.NDArray[np.uint8]:
        """Where the stream stands: the seed and the number of the next block, 8 little-endian bytes each."""
        if watch.told is not None:
            watch.told("get_state")
        return np.array(self.position(), "<u8").view(np.uint8)

    def set_state(self, state: Array) -> None:
        """Go on from where `get_state` was called.

        Raises: ValueError if `state` is not 16 bytes.
        """
        if state.dtype != np.uint8 or state.shape != (16,):
            raise ArgumentError.of(
                "set_state",
                given=f"{state.dtype} of shape {state.shape}",
                must="a state is uint8 of shape (16,)",
                hint="what get_state() returned",
            )
        if watch.told is not None:
            watch.told("set_state")
        self.move(*np.ascontiguousarray(state).view("<u8").tolist())

    def clone_state(self) -> Generator:
        """A new generator that stands where this one stands."""
        clone = Generator()
        clone.set_state(self.get_state())
        return clone

    def __reduce__(self) -> tuple[Callable[..., Generator], tuple[bytes]]:
        return _restore, (self.get_state().tobytes(),)

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed}, block={self._next})"

    def position(self) -> tuple[int, int]:
        """(seed, number of the next block): where the stream stands."""
        with _lock:
            return self._seed, self._next

    def move(self, seed: int, block: int) -> None:
        """Go on with this block of the stream of this seed; both in [0, 2**64)."""
        with _lock:
            self._seed, self._next, self._bits = seed, block, None

    def reserve(self, blocks: int) -> tuple[int, int]:
        """Take blocks without making their words, for who makes them itself.

        Returns: (seed, number of the first block taken).
        """
        with _lock:
            first = self._next
            self._next += blocks
            self._bits = None
            return self._seed, first

    def _draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rule: Rule) -> Array:
        """An array of this shape, filled by a rule of `draws.py` from the next whole blocks."""
        if watch.told is not None:
            watch.told("a draw from a generator")
        n = math.prod(shape)
        blocks = blocks_for(n, rule)
        if blocks * _BLOCK <= _CHUNK:
            out = np.empty(shape, dtype)
            with _lock:
                if self._bits is None:
                    self._bits = _philox(self._seed, self._next)
                self._next += blocks
                made = self._bits.random_raw(blocks * _BLOCK)
            rule[1](made, out.reshape(-1))
            return out
        seed, first = self.reserve(blocks)  # so that other threads need not wait until all of it is made
        return drawn(seed, first, shape, dtype, rule)

    # The draws. `draws.py` says what each makes of its words.

    def bits32(self, n: int) -> npt.NDArray[np.uint32]:
        """n random 32-bit words (n,)."""
        return self._draw((n,), _U32, draws.BITS32)

    def bits64(self, n: int) -> npt.NDArray[np.uint64]:
        """n random 64-bit words (n,)."""
        return self._draw((n,), _U64, draws.BITS64)

    def uniform(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Numbers spread evenly over [0, 1).

        dtype: float64, float32 or float16; the numbers are multiples of 2**-53, 2**-24 or 2**-11.
        """
        dtype = np.dtype(dtype)
        return self._draw(shape, dtype, draws.UNIFORM[dtype])

    def normal(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Normally distributed numbers with mean 0 and variance 1, by the transform of Box and Muller.

        dtype: float64, float32 or float16; no magnitude is above 8.58, or 6.67 in the last two.
        """
        dtype = np.dtype(dtype)
        return self._draw(shape, dtype, draws.NORMAL[dtype])

    def exponential(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Exponentially distributed numbers with mean 1.

        dtype: float64, float32 or float16. All are above 0, except that float16 may round to 0.
        """
        dtype = np.dtype(dtype)
        return self._draw(shape, dtype, draws.EXPONENTIAL[dtype])

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
        """Integers (int64) spread evenly over low, ..., high - 1.

        No value is likelier than another by more than a factor 1 + (high - low) / 2**64.
        Raises: ValueError if there is no integer in [low, high), or one that int64 cannot hold.
        """
        if not -(1 << 63) <= low < high <= 1 << 63:
            raise ArgumentError.of(
                "randint",
                given=f"low {low} and high {high}",
                must="low must be less than high, and both within the range of int64",
            )
        return self._draw(shape, _I64, draws.integers(low, high))

    def bernoulli(self, p: Array | float, shape: tuple[int, ...] | None = None) -> npt.NDArray[np.bool_]:
        """True with probability p, else False.

        Args:   p: probabilities (...), float, in [0, 1]; or one Python number for all of `shape`, in float32.
                shape: given if, and only if, p is a Python number.
        """
        if shape is not None:
            return np.asarray(self.uniform(shape, np.float32) < np.float32(p))
        p = np.asarray(p)
        return np.asarray(self.uniform(p.shape, np.float64 if p.dtype == np.float64 else np.float32) < p)

    def permutation(self, n: int) -> npt.NDArray[np.int64]:
        """The integers 0, ..., n - 1 (int64) in random order, each order as likely as any other."""
        return draws.order(self.bits64(n))


def blocks_for(n: int, rule: Rule) -> int:
    """How many blocks a draw of n numbers takes."""
    words = -(-n // rule[0])
    return -(-words // _BLOCK)


def drawn(seed: int, block: int, shape: tuple[int, ...], dtype: npt.DTypeLike, rule: Rule) -> Array:
    """What a draw gives that starts with this block: a pure function, the same as `Generator` gives there."""
    per_word, fill = rule
    n = math.prod(shape)
    out = memory.empty(shape, np.dtype(dtype))
    flat = out.reshape(-1)  # shape -> (n,), the same memory
    bits = _philox(seed, block)
    words = blocks_for(n, rule) * _BLOCK
    for start in range(0, n, _CHUNK * per_word):
        made = bits.random_raw(min(_CHUNK, words - start // per_word))
        fill(made, flat[start : start + _CHUNK * per_word])
    return out


_U32, _U64, _I64 = np.dtype(np.uint32), np.dtype(np.uint64), np.dtype(np.int64)


def _philox(seed: int, block: int) -> np.random.Philox:
    """NumPy's Philox standing before a block. It adds one to its counter before it makes a block."""
    return np.random.Philox(key=seed, counter=(block - 1) % (1 << 256))


def _restore(state: bytes) -> Generator:
    generator = Generator()
    generator.set_state(np.frombuffer(state, np.uint8))
    return generator


default_generator: Final = Generator()
default_generator.seed()
