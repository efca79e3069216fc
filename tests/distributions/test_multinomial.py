"""The multinomial distribution against SciPy's, and its messages."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule.core.errors import ArgumentError, ShapeError
from chainrule.distributions import Multinomial

P = [0.5, 0.3, 0.2]


@pytest.fixture
def two() -> Multinomial:
    """Two distributions over three outcomes, 12 draws each, in float64."""
    return Multinomial(12, torch.tensor([P, [1.0, 0.0, 3.0]], dtype=torch.float64))


def test_moments_and_shapes(two: Multinomial) -> None:
    assert (two.batch_shape, two.event_shape) == ((2,), (3,))
    assert_allclose(two.probs, [P, [0.25, 0.0, 0.75]])
    for i, p in enumerate([P, [0.25, 0.0, 0.75]]):
        reference = scipy.stats.multinomial(12, p)
        assert_allclose(two.mean[i], reference.mean())
        assert_allclose(two.variance[i], np.diag(reference.cov()))


def test_log_prob(two: Multinomial) -> None:
    value = torch.tensor([[6.0, 4.0, 2.0], [5.0, 0.0, 7.0]])
    expected = [
        scipy.stats.multinomial.logpmf(value[0].numpy(), 12, P),
        scipy.stats.multinomial.logpmf(value[1].numpy(), 12, [0.25, 0.0, 0.75]),
    ]
    assert_allclose(two.log_prob(value), expected, rtol=1e-12)
    assert two.log_prob(torch.tensor([0.0, 12.0, 0.0])).tolist()[1] == -np.inf


def test_gradient_of_log_prob_reaches_the_logits() -> None:
    # d log P / d logits = counts − n softmax(logits)
    logits = torch.tensor([0.2, -1.0, 0.7], dtype=torch.float64, requires_grad=True)
    value = torch.tensor([2.0, 1.0, 4.0], dtype=torch.float64)
    Multinomial(7, logits=logits).log_prob(value).backward()
    assert_allclose(logits.grad, (value - 7 * torch.softmax(logits.detach(), 0)), rtol=1e-12)


def test_samples_are_counts(two: Multinomial) -> None:
    torch.manual_seed(0)
    x = two.sample((4, 5))
    assert (x.shape, x.dtype) == ((4, 5, 2, 3), torch.float64)
    assert bool((x.sum(-1) == 12).all())
    assert bool((x == x.round()).all())
    assert bool((x[..., 1, 1] == 0).all())  # a probability of 0


def test_samples_have_the_right_frequencies() -> None:
    torch.manual_seed(0)
    counts = Multinomial(100_000, torch.tensor(P)).sample()
    assert scipy.stats.chisquare(counts.numpy(), np.array(P) * 100_000).pvalue > 1e-4


def test_a_seed_repeats_the_samples(two: Multinomial) -> None:
    torch.manual_seed(3)
    first = two.sample((6,))
    torch.manual_seed(3)
    assert torch.equal(two.sample((6,)), first)
    assert not torch.equal(two.sample((6,)), first)


def test_samples_carry_no_gradient() -> None:
    probs = torch.tensor(P, requires_grad=True)
    assert not Multinomial(3, probs).sample().requires_grad


def test_nothing_to_draw() -> None:
    assert Multinomial(0, torch.tensor(P)).sample((2,)).tolist() == [[0.0] * 3] * 2
    assert Multinomial(4, torch.tensor(P)).sample((0,)).shape == (0, 3)


def test_repr(two: Multinomial) -> None:
    assert repr(two) == "Multinomial(total_count: 12, probs: torch.Size([2, 3]))"


# Messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total_count", [-1, 2.5, True])
def test_total_count_must_count(total_count: object) -> None:
    with pytest.raises(ArgumentError) as info:
        Multinomial(total_count, torch.tensor(P))
    assert info.value.summary == (
        f"Multinomial got total_count={total_count!r}\n"
        "  total_count must be a whole number >= 0: how many draws are counted\n"
        "  try: Multinomial(10, probs)"
    )


@pytest.mark.parametrize("given", ["both probs and logits", "neither probs nor logits"])
def test_exactly_one_of_probs_and_logits(given: str) -> None:
    t = torch.tensor(P) if given.startswith("both") else None
    with pytest.raises(ArgumentError) as info:
        Multinomial(1, t, t)
    assert info.value.summary == (
        f"Multinomial got {given}\n"
        "  exactly one of the two must say how likely the outcomes are\n"
        "  try: Multinomial(10, probs)"
    )


def test_probs_need_an_axis() -> None:
    with pytest.raises(ShapeError) as info:
        Multinomial(1, torch.tensor(0.5))
    assert info.value.summary == (
        "Multinomial got probs ()\n"
        "  the last axis of probs must run over the outcomes\n"
        "  try: probs.reshape(1)"
    )


@pytest.mark.parametrize("probs", [[0.5, -0.1], [0.0, 0.0], [1.0, np.nan], [1.0, np.inf]])
def test_probs_must_be_weights(probs: list[float]) -> None:
    with pytest.raises(ArgumentError) as info:
        Multinomial(1, torch.tensor(probs))
    assert info.value.summary == (
        "Multinomial got probs (2,) that are no weights of outcomes\n"
        "  probs must be finite and not negative, and not all zero along the last axis\n"
        "  try: logits=, if these are logarithms"
    )


def test_log_prob_needs_one_count_for_each_outcome(two: Multinomial) -> None:
    with pytest.raises(ShapeError) as info:
        two.log_prob(torch.tensor([6.0, 6.0]))
    assert info.value.summary == (
        "Multinomial.log_prob got value (2,) for event_shape (3,)\n"
        "  the last axes of value must be those of one draw, (3,)"
    )


@pytest.mark.parametrize("value", [[6.0, 5.0, 2.0], [6.5, 5.5, 0.0], [-1.0, 12.0, 1.0]])
def test_log_prob_needs_a_possible_draw(two: Multinomial, value: list[float]) -> None:
    with pytest.raises(ArgumentError) as info:
        two.log_prob(torch.tensor(value))
    assert info.value.summary == (
        f"Multinomial.log_prob got value (3,) with {value}\n"
        "  value must be counts with the sum total_count=12\n"
        "  try: validate_args=False, to do without this check"
    )
