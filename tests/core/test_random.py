"""Streams of random numbers: their definition word by word, their distributions, and where they stand.

The definition is checked against a Philox4x64-10 written from the paper (`tests/philox.py`).
"""

from __future__ import annotations

import copy
import math
import os
import pickle
import threading
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from chainrule.core import draws, random
from chainrule.core.random import Generator
from tests.philox import MASK, philox4x64, words32, words64

SEED = 0x1234_5678_9ABC_DEF1
FLOATS = ["float16", "float32", "float64"]


def fresh(seed: int = SEED) -> Generator:
    return Generator().manual_seed(seed)


def draw_some(g: Generator) -> list[Any]:
    """One draw of every kind."""
    return [
        g.bits32(3).tolist(),
        g.bits64(5).tolist(),
        *(g.uniform((2, 3), dtype).tolist() for dtype in FLOATS),
        *(g.normal((7,), dtype).tolist() for dtype in FLOATS),
        *(g.exponential((3,), dtype).tolist() for dtype in FLOATS),
        g.integers(-5, 7, (4,)).tolist(),
        g.bernoulli(0.5, (9,)).tolist(),
        g.bernoulli(np.linspace(0, 1, 5)).tolist(),
        g.permutation(6).tolist(),
    ]


# -- the definition ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (
            (0, 0, 0, 0),
            (0, 0),
            [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B],
        ),
        (
            (MASK, MASK, MASK, MASK),
            (MASK, MASK),
            [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0],
        ),
    ],
)
def test_the_reference_gives_the_answers_published_with_the_algorithm(
    counter: tuple[int, ...], key: tuple[int, ...], expected: list[int]
) -> None:
    assert philox4x64(counter, key) == expected


@pytest.mark.parametrize("seed", [0, 1, SEED, MASK])
@pytest.mark.parametrize("n", [0, 1, 4, 5, 21])
def test_bits_are_the_words_of_the_stream(seed: int, n: int) -> None:
    assert fresh(seed).bits64(n).tolist() == words64(seed, range(-(-n // 4)))[:n]
    assert fresh(seed).bits32(n).tolist() == words32(seed, range(-(-n // 8)))[:n]


def test_uniform_by_definition() -> None:
    w, ww = words32(SEED, range(2)), words64(SEED, range(3))
    assert fresh().uniform((13,), np.float32).tolist() == [(x >> 8) * 2.0**-24 for x in w[:13]]
    assert fresh().uniform((13,), np.float16).tolist() == [(x >> 21) * 2.0**-11 for x in w[:13]]
    assert fresh().uniform((3, 3), np.float64).tolist() == [
        [(x >> 11) * 2.0**-53 for x in ww[i : i + 3]] for i in (0, 3, 6)
    ]


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_normal_by_definition(n: int) -> None:
    w, ww = words32(SEED, range(4)), words64(SEED, range(4))
    expected32, expected64 = [], []
    for i in range(0, 8, 2):
        r = math.sqrt(-2 * math.log((w[i] + 1) * 2.0**-32))
        a = w[i + 1] * 2 * math.pi * 2.0**-32
        expected32 += [r * math.cos(a), r * math.sin(a)]
        r = math.sqrt(-2 * math.log(((ww[i] >> 11) + 1) * 2.0**-53))
        a = (ww[i + 1] >> 11) * 2 * math.pi * 2.0**-53
        expected64 += [r * math.cos(a), r * math.sin(a)]
    # The angle is up to 2 pi, so its rounding moves a value by up to 2 pi r eps / 2 with r <= 6.7.
    np.testing.assert_allclose(fresh().normal((n,), np.float32), expected32[:n], rtol=0, atol=3e-6)
    np.testing.assert_allclose(fresh().normal((n,), np.float64), expected64[:n], rtol=0, atol=6e-15)
    half = fresh().normal((n,), np.float32).astype(np.float16)
    assert fresh().normal((n,), np.float16).tolist() == half.tolist()


def test_exponential_by_definition() -> None:
    w, ww = words32(SEED, range(2)), words64(SEED, range(2))
    expected = [-math.log1p(-(x + 0.5) * 2.0**-32) for x in w[:9]]
    np.testing.assert_allclose(fresh().exponential((9,), np.float32), expected, rtol=2**-23)
    np.testing.assert_allclose(fresh().exponential((9,), np.float16), expected, rtol=2**-10)
    expected = [-math.log1p(-((x >> 12) + 0.5) * 2.0**-52) for x in ww[:5]]
    np.testing.assert_allclose(fresh().exponential((5,), np.float64), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 10), (-7, 5), (0, 2**32), (0, 2**32 + 1), (-(2**40), 3**33), (-(2**63), 2**63)],
)
def test_integers_by_definition(low: int, high: int) -> None:
    expected = [low + (word * (high - low) >> 64) for word in words64(SEED, range(5))]
    assert fresh().integers(low, high, (4, 5)).ravel().tolist() == expected


def test_bernoulli_by_definition() -> None:
    p32 = np.linspace(0, 1, 9, dtype=np.float32)
    p64 = p32.astype(np.float64)
    assert fresh().bernoulli(p32).tolist() == (fresh().uniform((9,), np.float32) < p32).tolist()
    assert fresh().bernoulli(p64).tolist() == (fresh().uniform((9,), np.float64) < p64).tolist()
    assert fresh().bernoulli(0.3, (9,)).tolist() == fresh().bernoulli(np.full(9, 0.3, np.float32)).tolist()


@pytest.mark.parametrize("n", [0, 1, 2, 1000, 1024, 5000])
def test_permutation_by_definition(n: int) -> None:
    keys = fresh().bits64(n).tolist()
    assert fresh().permutation(n).tolist() == sorted(range(n), key=keys.__getitem__)


def test_order_of_keys_that_agree_in_their_upper_half_or_altogether() -> None:
    rng = np.random.default_rng(0)
    for upper, lower in [(3, 2**32), (2**32, 2**32), (40, 5), (1, 1)]:
        keys = rng.integers(0, upper, 3000, np.uint64) << np.uint64(32)
        keys |= rng.integers(0, lower, 3000, np.uint64)
        assert np.array_equal(draws.order(keys), np.argsort(keys, kind="stable"))


def test_multiply_high_at_the_ends() -> None:
    ends = [0, 1, 2**32 - 1, 2**32, 2**63, MASK - 1, MASK]
    for span in [1, 2, 2**32 - 1, 2**32, 2**32 + 1, 2**63, MASK, 2**64]:
        got = draws.multiply_high(np.array(ends, np.uint64), span)
        assert got.tolist() == [word * span >> 64 for word in ends]


# -- position ----------------------------------------------------------------------------------------------


def test_a_draw_takes_whole_blocks_and_the_next_goes_on_after_them() -> None:
    g = fresh()
    for n, first, blocks in [(3, 0, 1), (8, 1, 1), (9, 2, 2), (0, 4, 0), (1, 4, 1)]:
        assert g.bits32(n).tolist() == words32(SEED, range(first, first + blocks))[:n]
    assert g.bits64(2).tolist() == words64(SEED, range(5, 6))[:2]


def test_what_a_draw_gives_depends_on_its_position_alone() -> None:
    g, h = fresh(), fresh()
    g.bits64(12)
    h.normal((10,), np.float32)  # 10 words of 32 bits: 2 blocks
    h.permutation(3)  # 3 words of 64 bits: 1 block
    assert g.uniform((4,), np.float32).tolist() == h.uniform((4,), np.float32).tolist()


@pytest.mark.parametrize("kind", ["uniform", "normal", "exponential"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_long_draws_are_made_in_pieces_that_do_not_show(kind: str, dtype: str) -> None:
    n = 2 * random._CHUNK * 2 + 3
    g = fresh()
    whole = getattr(g, kind)((n,), dtype)
    per_block = 4 if dtype == "float64" else 8
    for first in (0, random._CHUNK, 2 * random._CHUNK, n - n % per_block):
        h = fresh()
        h.reserve(first // per_block)
        piece = getattr(h, kind)((min(40, n - first),), dtype)
        assert np.array_equal(whole[first : first + 40], piece)
    after, taken = fresh(), -(-n // per_block)
    after.reserve(taken)
    assert g.bits64(4).tolist() == after.bits64(4).tolist()


def test_reserve_takes_blocks_in_the_middle_of_a_stream() -> None:
    g = fresh()
    g.bits64(1)
    assert g.reserve(5) == (SEED, 1)
    assert g.bits64(4).tolist() == words64(SEED, range(6, 7))


def test_shapes_and_dtypes() -> None:
    g = fresh()
    for shape in [(), (1,), (0,), (3, 0), (2, 3, 4)]:
        for dtype in FLOATS:
            for draw in (g.uniform, g.normal, g.exponential):
                out = draw(shape, dtype)
                assert (out.shape, out.dtype, type(out)) == (shape, dtype, np.ndarray)
        integers, truths = g.integers(0, 5, shape), g.bernoulli(0.5, shape)
        assert (integers.shape, integers.dtype) == (shape, np.int64)
        assert (truths.shape, truths.dtype, type(truths)) == (shape, np.bool_, np.ndarray)
        assert g.bernoulli(np.full(shape, 0.5)).shape == shape


# -- seeds and states --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_stream_and_another_another() -> None:
    assert draw_some(fresh(5)) == draw_some(fresh(5))
    assert draw_some(fresh(5)) != draw_some(fresh(6))
    assert draw_some(Generator()) == draw_some(Generator())


def test_manual_seed_starts_again() -> None:
    g = fresh(9)
    first = draw_some(g)
    assert draw_some(g) != first
    assert g.manual_seed(9) is g
    assert draw_some(g) == first


def test_seeds_known_and_drawn() -> None:
    g = Generator()
    assert g.initial_seed() == 67280421310721
    assert g.manual_seed(-1).initial_seed() == MASK
    assert g.manual_seed(np.int64(7)).initial_seed() == 7
    drawn = g.seed()
    assert drawn == g.initial_seed()
    assert drawn != g.seed()
    assert g.device == "cpu"


def test_state_can_be_saved_and_restored_in_the_middle() -> None:
    g = fresh()
    draw_some(g)
    state = g.get_state()
    assert (state.dtype, state.shape) == (np.uint8, (16,))
    expected = draw_some(g)
    g.manual_seed(1)
    g.bits64(100)
    g.set_state(state)
    assert draw_some(g) == expected
    assert g.initial_seed() == SEED
    h = Generator()
    h.set_state(np.repeat(state, 2)[::2])  # not contiguous
    assert draw_some(h) == expected


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), Generator.clone_state]
)
def test_a_copy_goes_on_from_the_same_place_independently(duplicate: Any) -> None:
    g = fresh()
    draw_some(g)
    h = duplicate(g)
    assert repr(h) == repr(g) == f"Generator(seed={SEED}, block=21)"
    expected = draw_some(h)
    assert draw_some(g) == expected


def test_the_default_generator_is_seeded_by_the_system() -> None:
    assert isinstance(random.default_generator, Generator)
    assert random.default_generator.initial_seed() != Generator().initial_seed()


# -- threads and processes ---------------------------------------------------------------------------------


def test_threads_share_a_stream_without_losing_or_repeating_any_of_it() -> None:
    g, made = fresh(), []

    def work() -> None:
        made.extend([g.bits64(n) for n in [5, 100, 4 * random._CHUNK] * 6])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(-(-len(part) // 4) * 4 for part in made)
    stream = fresh().bits64(total)
    position = {word: i for i, word in enumerate(stream[::4].tolist())}
    taken = set()
    for part in made:
        first = position[int(part[0])] * 4
        assert np.array_equal(part, stream[first : first + len(part)])
        taken.add(first)
    assert len(taken) == len(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_goes_on_with_a_copy() -> None:
    g = fresh()
    g.bits64(4)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writer, g.bits64(4).tobytes())
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    expected = g.bits64(4)
    assert os.read(reader, 32) == expected.tobytes()
    os.close(reader)
    os.close(writer)


# -- distributions (fixed seeds: each test either always passes or always fails) -----------------------------

N = 200_000
P_LIMIT = 1e-3  # a p-value below this would be luck once in a thousand seeds


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_continuous_draws_follow_their_distributions(dtype: str, seed: int) -> None:
    g = fresh(seed)
    for x, law in [
        (g.uniform((N,), dtype), stats.uniform),
        (g.normal((N,), dtype), stats.norm),
        (g.exponential((N,), dtype), stats.expon),
    ]:
        assert stats.kstest(x, law.cdf).pvalue > P_LIMIT
        moments = [law.moment(k) for k in range(1, 9)]
        for k in range(1, 5):
            spread = math.sqrt((moments[2 * k - 1] - moments[k - 1] ** 2) / N)
            assert abs(np.mean(x.astype(np.float64) ** k) - moments[k - 1]) < 4 * spread


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_neighbours_are_independent(kind: str, dtype: str) -> None:
    x = getattr(fresh(4), kind)((N,), dtype).astype(np.float64)
    for y in (x, x**2):  # the two values of a pair share their radius, so squares matter too
        for lag in (1, 2, 3, 4, 8):
            assert abs(np.corrcoef(y[:-lag], y[lag:])[0, 1]) < 4 / math.sqrt(N)


def test_float16_uniform_covers_its_grid_evenly() -> None:
    x = fresh(1).uniform((N,), np.float16)
    counts = np.bincount((x.astype(np.float64) * 2048).astype(int), minlength=2048)
    assert len(counts) == 2048
    assert stats.chisquare(counts).pvalue > P_LIMIT


def test_bounds_of_uniform_and_exponential() -> None:
    for dtype in ("float32", "float64"):
        u, e = fresh(2).uniform((N,), dtype), fresh(2).exponential((N,), dtype)
        assert u.min() >= 0
        assert u.max() < 1
        assert e.min() > 0
        assert np.isfinite(e).all()


def extreme_words() -> np.ndarray:
    """All combinations of extreme 32-bit words in pairs, and the same with 64-bit words."""
    ends = [0, 1, 2**31, 2**32 - 2, 2**32 - 1]
    halves = np.array([(a, b) for a in ends for b in ends], np.uint32).view(np.uint64).ravel()
    wide = np.array([0, 1, 2**11 - 1, 2**63, MASK - 1, MASK], np.uint64)
    pairs = np.array([(a, b) for a in wide for b in wide], np.uint64).ravel()
    return np.concatenate([halves, halves[: halves.size % 2], pairs])


def test_even_the_most_extreme_words_make_finite_numbers_within_bounds() -> None:
    for table, low, high in [
        (draws.UNIFORM, 0.0, math.nextafter(1, 0)),
        (draws.NORMAL, -8.58, 8.58),
        (draws.EXPONENTIAL, 0.0, 37.0),
    ]:
        for dtype, (per_word, fill) in table.items():
            words = extreme_words()
            out = np.full(words.size * per_word, np.nan, dtype)
            fill(words, out)
            assert out.min() >= low
            assert out.max() <= high
            if dtype != np.float16:
                assert table is not draws.EXPONENTIAL or out.min() > 0
                assert table is not draws.NORMAL or np.abs(out).max() > 6.6


@pytest.mark.parametrize(("low", "high"), [(0, 2), (0, 6), (-3, 4), (10, 1000)])
def test_integers_are_spread_evenly(low: int, high: int) -> None:
    counts = np.bincount(fresh(3).integers(low, high, (N,)) - low)
    assert len(counts) == high - low
    assert stats.chisquare(counts).pvalue > P_LIMIT


@pytest.mark.parametrize("p", [0.0, 0.01, 0.5, 0.9, 1.0])
def test_bernoulli_is_true_as_often_as_asked(p: float) -> None:
    for truths in (fresh(1).bernoulli(p, (N,)), fresh(2).bernoulli(np.full(N, p))):
        assert abs(truths.mean() - p) <= 4 * math.sqrt(p * (1 - p) / N)


def test_each_order_of_three_is_as_likely() -> None:
    g = fresh(1)
    orders = [tuple(g.permutation(3).tolist()) for _ in range(12_000)]
    counts = [orders.count(order) for order in permutations(range(3))]
    assert sum(counts) == 12_000
    assert stats.chisquare(counts).pvalue > P_LIMIT


def test_a_long_permutation_has_every_index_once_and_no_memory_of_its_place() -> None:
    order = fresh(1).permutation(50_000)
    assert np.array_equal(np.sort(order), np.arange(50_000))
    assert stats.spearmanr(order, np.arange(50_000)).pvalue > P_LIMIT


# -- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, "one"])
def test_a_seed_out_of_range(seed: Any) -> None:
    with pytest.raises(ValueError) as caught:
        Generator().manual_seed(seed)
    assert caught.value.summary == (
        f"manual_seed got seed {seed!r}\n  the seed must be an integer, at least -2**63 and less than 2**64"
    )


def test_a_state_of_the_wrong_size() -> None:
    g = fresh()
    with pytest.raises(ValueError) as caught:
        g.set_state(np.zeros((3, 5), np.int64))
    assert caught.value.summary == (
        "set_state got int64 of shape (3, 5)\n"
        "  a state is uint8 of shape (16,)\n"
        "  try: what get_state() returned"
    )
    assert g.bits64(4).tolist() == words64(SEED, range(1))


@pytest.mark.parametrize(("low", "high"), [(3, 3), (4, -4), (0, 2**63 + 1), (-(2**63) - 1, 0)])
def test_integers_from_an_empty_range(low: int, high: int) -> None:
    with pytest.raises(ValueError) as caught:
        fresh().integers(low, high, (2,))
    assert caught.value.summary == (
        f"randint got low {low} and high {high}\n"
        "  low must be less than high, and both within the range of int64"
    )


def test_another_device() -> None:
    with pytest.raises(ValueError) as caught:
        Generator("cuda")
    assert caught.value.summary == "Generator got device 'cuda'\n  the device must be 'cpu'"
