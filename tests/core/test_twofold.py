"""Sums of products in twice the precision, against rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from chainrule.core import twofold


def _numbers(rng, shape):
    """Numbers of very different sizes and both signs, some of them 0."""
    x = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    x.flat[::7] = 0.0
    return x


def test_sums_and_products_are_exact():
    rng = np.random.default_rng(0)
    a, b = _numbers(rng, 500), _numbers(rng, 500)
    for pair, exactly in (
        (twofold.two_sum(a, b), lambda x, y: x + y),
        (twofold.two_product(a, b), lambda x, y: x * y),
    ):
        for high, low, x, y in zip(*pair, a, b, strict=True):
            assert Fraction(high) + Fraction(low) == exactly(Fraction(x), Fraction(y))
            assert high == float(exactly(Fraction(x), Fraction(y)))


@pytest.mark.parametrize(
    ("terms", "width"), [(1, 1), (2, 3), (7, 2), (1000, 1), (3, 400), (513, 130), (20_000, 2)]
)
def test_dot_is_rounded_once(terms, width):
    rng = np.random.default_rng(terms + width)
    a, x = _numbers(rng, (terms, width)), _numbers(rng, terms)
    other = -(a.T @ x)  # cancels all but the rounding errors
    got = twofold.dot(a, x, other)
    for k in range(0, width, max(1, width // 5)):
        terms_of = [Fraction(p) * Fraction(q) for p, q in zip(a[:, k], x, strict=True)]
        wanted = sum(terms_of) + Fraction(other[k])
        size = float(sum(abs(t) for t in terms_of))
        # half a unit in the last place, and what 106 bits leave of the sum of the sizes
        assert abs(Fraction(got[k]) - wanted) <= abs(wanted) * Fraction(1, 2**52) + Fraction(size * 2.0**-96)


def test_dot_of_nothing_is_what_is_added():
    assert twofold.dot(np.empty((0, 2)), np.empty(0), np.array([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_what_the_entries_lack_counts():
    third = np.array([[1 / 3]])
    low = np.array([[float(Fraction(1, 3) - Fraction(1 / 3))]])
    assert twofold.dot(third, np.array([3.0]), np.array([-1.0])) == [-(2.0**-54)]
    assert abs(twofold.dot(third, np.array([3.0]), np.array([-1.0]), low=low)[0]) < 1e-32


def test_powers_have_twice_the_digits():
    x = np.array([-8.781464495, 0.1, 3.0, 0.0])
    high, low = twofold.powers(x, 10)
    for k in range(10):
        for value, h, rest in zip(x, high[:, k], low[:, k], strict=True):
            wanted = Fraction(value) ** (k + 1)
            assert abs(Fraction(h) + Fraction(rest) - wanted) <= abs(wanted) * Fraction(1, 2**98)
            assert h == float(wanted)
