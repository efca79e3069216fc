"""Random tensors: shapes, types, streams, distributions by their moments, and every refusal in full.

How good the numbers themselves are is tested in `tests/core/test_random.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, DTypeError, ShapeError

N = 20_000


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as err:
        call()
    assert isinstance(err.value, torch.ChainruleError)
    return err.value.summary


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


# -- streams -----------------------------------------------------------------------------------------

DRAWS: list[Callable[..., Any]] = [
    lambda **g: torch.rand(3, **g),
    lambda **g: torch.randn(3, **g),
    lambda **g: torch.randint(0, 100, (3,), **g),
    lambda **g: torch.randperm(20, **g),
    lambda **g: torch.normal(1.0, 2.0, (3,), **g),
    lambda **g: torch.normal(torch.zeros(3), 1.0, **g),
    lambda **g: torch.bernoulli(torch.full((20,), 0.5), **g),
    lambda **g: torch.multinomial(torch.ones(30), 5, **g),
    lambda **g: torch.multinomial(torch.ones(30), 5, replacement=True, **g),
    lambda **g: torch.empty(3).uniform_(**g),
    lambda **g: torch.empty(3).normal_(**g),
    lambda **g: torch.empty(3).exponential_(**g),
    lambda **g: torch.empty(20).bernoulli_(**g),
    lambda **g: torch.empty(3, dtype=torch.int64).random_(**g),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_seed_gives_the_same_numbers_again(draw: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    first, second = draw(), draw()
    torch.manual_seed(5)
    assert torch.equal(draw(), first)
    assert torch.equal(draw(), second)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("draw", DRAWS)
def test_a_generator_is_a_stream_of_its_own(draw: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    wanted = draw()
    g = torch.Generator().manual_seed(5)
    state = torch.get_rng_state()
    assert torch.equal(draw(generator=g), wanted)
    assert torch.equal(torch.get_rng_state(), state)  # the default stream has not moved


def test_the_state_of_the_default_stream() -> None:
    state = torch.get_rng_state()
    assert state.dtype is torch.uint8
    first = torch.rand(3)
    torch.set_rng_state(state)
    assert torch.equal(torch.rand(3), first)
    assert torch.initial_seed() == 0
    seed = torch.seed()
    assert torch.initial_seed() == seed


# -- shapes and types --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [torch.rand, torch.randn])
def test_shapes_and_types(make: Any) -> None:
    for x in (make(2, 3), make((2, 3)), make([2, 3])):
        assert x.shape == (2, 3)
        assert x.dtype is torch.float32
    assert make(()).shape == ()
    assert make(2, dtype=torch.float64).dtype is torch.float64
    assert make(2, requires_grad=True).requires_grad
    like = torch.zeros(2, 1, dtype=torch.float64)
    for same in (torch.rand_like(like), torch.randn_like(like)):
        assert same.shape == (2, 1)
        assert same.dtype is torch.float64
    assert refusal(DTypeError, lambda: make(2, dtype=torch.int64)) == (
        f"{make.__name__} got torch.int64\n  the type must be floating point\n  try: torch.float32"
    )


def test_integers() -> None:
    x = torch.randint(3, 6, (N,))
    assert x.dtype is torch.int64
    assert sorted(set(x.tolist())) == [3, 4, 5]
    assert torch.randint(6, (2, 3)).shape == (2, 3)
    assert torch.randint(high=6, low=2, size=(4,)).shape == (4,)
    assert torch.randint(6, size=(4,), dtype=torch.float32).dtype is torch.float32
    like = torch.zeros(2, 3, dtype=torch.int8)
    assert torch.randint_like(like, 5).dtype is torch.int8
    assert (torch.randint_like(like, 5, 6) == 5).all()
    assert refusal(ArgumentError, lambda: torch.randint(5)) == (
        "randint got no size\n  the shape must be given\n  try: randint(0, 10, (3,))"
    )


def test_permutations() -> None:
    x = torch.randperm(100)
    assert x.dtype is torch.int64
    assert sorted(x.tolist()) == list(range(100))
    assert x.tolist() != list(range(100))
    assert torch.randperm(0).shape == (0,)


# -- distributions -----------------------------------------------------------------------------------


def test_uniform() -> None:
    for x, low, high in ((torch.rand(N), 0, 1), (torch.empty(N).uniform_(-2, 3), -2, 3)):
        assert bool(((x >= low) & (x < high)).all())
        np.testing.assert_allclose(x.mean().item(), (low + high) / 2, atol=0.03 * (high - low))
        np.testing.assert_allclose(x.std().item(), (high - low) / 12**0.5, rtol=0.03)


def test_normal() -> None:
    mean, std = torch.full((N,), 2.0), torch.full((N,), 3.0)
    for x in (
        torch.randn(N) * 3 + 2,
        torch.normal(2.0, 3.0, (N,)),
        torch.normal(mean, 3.0),
        torch.normal(2.0, std),
        torch.normal(mean, std),
        torch.empty(N).normal_(2, 3),
    ):
        np.testing.assert_allclose(x.mean().item(), 2, atol=0.1)
        np.testing.assert_allclose(x.std().item(), 3, rtol=0.03)
    assert torch.normal(torch.zeros(2, 1), torch.ones(3)).shape == (2, 3)
    assert torch.normal(0, 1, size=(2,), dtype=torch.float64).dtype is torch.float64


def test_exponential() -> None:
    x = torch.empty(N).exponential_(4.0)
    assert bool((x >= 0).all())
    np.testing.assert_allclose(x.mean().item(), 0.25, rtol=0.05)


def test_bernoulli() -> None:
    p = torch.tensor([0.0, 0.2, 1.0]).repeat(N, 1)
    for x in (torch.bernoulli(p), p.bernoulli(), torch.zeros(N, 3).bernoulli_(p)):
        np.testing.assert_allclose(x.mean(0).numpy(), [0, 0.2, 1], atol=0.02)
    assert torch.bernoulli(torch.zeros(N), 0.7).mean().item() == pytest.approx(0.7, abs=0.02)
    assert torch.zeros(N, dtype=torch.int64).bernoulli_(0.7).dtype is torch.int64


def test_multinomial() -> None:
    weights = torch.tensor([1.0, 0.0, 3.0, 4.0])
    x = torch.multinomial(weights, N, replacement=True)
    counts = torch.bincount(x, minlength=4).numpy() / N
    np.testing.assert_allclose(counts, [0.125, 0, 0.375, 0.5], atol=0.02)
    for _ in range(20):
        assert sorted(torch.multinomial(weights, 3).tolist()) == [0, 2, 3]
    first = torch.multinomial(weights.repeat(N, 1), 1)
    assert first.shape == (N, 1)
    np.testing.assert_allclose(
        torch.bincount(first[:, 0], minlength=4).numpy() / N, [0.125, 0, 0.375, 0.5], atol=0.02
    )
    assert weights.multinomial(2).shape == (2,)


def test_random_integers_in_place() -> None:
    x = torch.empty(N).random_(5, 8)
    assert sorted(set(x.tolist())) == [5, 6, 7]
    assert set(torch.empty(N).random_(3).tolist()) == {0, 1, 2}
    small = torch.zeros(N, dtype=torch.uint8).random_()
    assert small.max() > 200


# -- refusals ----------------------------------------------------------------------------------------


def test_parameters_out_of_range() -> None:
    x = torch.empty(2)
    for call, text in (
        (
            lambda: torch.normal(0, -1.0, (2,)),
            "normal got std=-1.0\n  a standard deviation must not be negative",
        ),
        (
            lambda: torch.normal(0, torch.tensor([1.0, -2.0])),
            "normal got std=-2.0\n  a standard deviation must not be negative",
        ),
        (
            lambda: torch.normal(0.0, 1.0),
            "normal got numbers for mean and std, but no size\n  the shape must be given\n"
            "  try: normal(0, 1, (3,))",
        ),
        (lambda: x.normal_(0, -1), "normal_ got std=-1\n  a standard deviation must not be negative"),
        (
            lambda: x.uniform_(2, 1),
            "uniform_ got from=2, to=1\n  the lower end must not be above the upper end",
        ),
        (lambda: x.exponential_(0), "exponential_ got lambd=0\n  the rate must be positive"),
        (lambda: x.bernoulli_(1.5), "bernoulli_ got p=1.5\n  probabilities must lie in [0, 1]"),
        (
            lambda: torch.bernoulli(torch.tensor([0.5, -0.1])),
            "bernoulli got a probability outside [0, 1]\n  probabilities must lie in [0, 1]",
        ),
        (
            lambda: torch.bernoulli(torch.tensor([float("nan")])),
            "bernoulli got a probability outside [0, 1]\n  probabilities must lie in [0, 1]",
        ),
    ):
        assert refusal(ArgumentError, call) == text


@pytest.mark.parametrize("name", ["uniform_", "normal_", "exponential_"])
def test_only_floats_are_filled(name: str) -> None:
    assert refusal(DTypeError, getattr(torch.zeros(2, dtype=torch.int64), name)) == (
        f"{name} got a tensor of type torch.int64\n  the type must be floating point\n  try: x.float()"
    )


def test_weights_that_cannot_be_drawn_from() -> None:
    for weights, text in (
        (
            torch.tensor([1, 2]),
            "multinomial got torch.int64 weights (2,)\n  weights must be a floating-point vector or matrix",
        ),
        (
            torch.ones(2, 2, 2),
            "multinomial got torch.float32 weights (2, 2, 2)\n"
            "  weights must be a floating-point vector or matrix",
        ),
        (
            torch.tensor([1.0, -1.0]),
            "multinomial got weights (2,)\n  weights must be finite, not negative, and not all 0",
        ),
        (
            torch.tensor([[1.0, 2.0], [0.0, 0.0]]),
            "multinomial got weights (2, 2)\n  weights must be finite, not negative, and not all 0",
        ),
        (
            torch.tensor([1.0, float("inf")]),
            "multinomial got weights (2,)\n  weights must be finite, not negative, and not all 0",
        ),
        (
            torch.tensor([1.0, 0.0]),
            "multinomial got num_samples=2 for 1 weights above 0\n"
            "  without replacement each index is drawn at most once\n"
            "  try: replacement=True",
        ),
    ):
        assert refusal(ArgumentError, lambda weights=weights: torch.multinomial(weights, 2)) == text


def test_refused_shapes_and_counts() -> None:
    assert refusal(ShapeError, lambda: torch.normal(torch.zeros(2), torch.ones(3))) == (
        "normal got mean (2,) and std (3,)\n  the shapes must broadcast against each other"
    )
    assert refusal(ArgumentError, lambda: torch.multinomial(torch.ones(3), 0)) == (
        "multinomial got num_samples=0\n  at least one index must be drawn"
    )
