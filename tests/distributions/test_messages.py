"""What users are told who give parameters or values that cannot be: the whole text of each message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import distributions as D
from chainrule.core.errors import ArgumentError, ChainruleError, ShapeError
from tests.messages import untested

SKIP = "\n  try: validate_args=False, to do without this check"
SOFTPLUS = "\n  try: torch.nn.functional.softplus(x), which is positive for every x"

CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: D.Normal(0.0, torch.tensor([1.0, -2.0, float("nan")])),
        "Normal got scale (3,) with -2.0 at [1] and 1 more\n  scale must be greater than 0" + SOFTPLUS,
    ),
    (lambda: D.Normal(float("nan"), 1.0), "Normal got loc () with nan\n  loc must be a number, not nan"),
    (lambda: D.Poisson(-1.0), "Poisson got rate () with -1.0\n  rate must be at least 0" + SOFTPLUS),
    (lambda: D.Bernoulli(1.5), "Bernoulli got probs () with 1.5\n  probs must be between 0 and 1"),
    (
        lambda: D.Binomial(2.5, 0.5),
        "Binomial got total_count () with 2.5\n  total_count must be a whole number, at least 0",
    ),
    (
        lambda: D.Normal("a", 1.0),
        "Normal got loc='a'\n  loc must be a number or a Tensor\n  try: torch.tensor('a')",
    ),
    (
        lambda: D.Normal(torch.ones(2), torch.ones(3)),
        "Normal got loc (2,) and scale (3,)\n  the parameters must broadcast against each other",
    ),
    (
        lambda: D.Uniform(torch.tensor([0.0, 2.0]), 1.0),
        "Uniform got low 2.0 and high 1.0 at [1]\n  low must be less than high\n  try: Uniform(0.0, 1.0)",
    ),
    (
        lambda: D.Uniform(1.0, 1.0),
        "Uniform got low 1.0 and high 1.0\n  low must be less than high\n  try: Uniform(0.0, 1.0)",
    ),
    (
        lambda: D.Bernoulli(),
        "Bernoulli got neither probs nor logits\n"
        "  exactly one of the two must say how likely the outcomes are\n"
        "  try: Bernoulli(probs=0.3)",
    ),
    (
        lambda: D.Categorical(torch.ones(2), torch.ones(2)),
        "Categorical got both probs and logits\n"
        "  exactly one of the two must say how likely the outcomes are\n"
        "  try: Categorical(torch.tensor([0.2, 0.8]))",
    ),
    (
        lambda: D.Categorical([0.5, 0.5]),  # type: ignore[arg-type]
        "Categorical got probs=[0.5, 0.5]\n  probs must be a Tensor\n  try: torch.tensor([0.5, 0.5])",
    ),
    (
        lambda: D.Categorical(logits=torch.tensor([0.0, float("nan")])),
        "Categorical got logits (2,) with [nan, nan]\n  logits must be a vector of numbers, none of them nan",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2)),
        "MultivariateNormal got none of covariance_matrix, precision_matrix, scale_tril\n"
        "  exactly one of them must say how the draws scatter\n"
        "  try: MultivariateNormal(loc, covariance_matrix)",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2), torch.eye(2), torch.eye(2)),
        "MultivariateNormal got both covariance_matrix and precision_matrix\n"
        "  exactly one of them must say how the draws scatter\n"
        "  try: MultivariateNormal(loc, covariance_matrix)",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, 2.0], [2.0, 1.0]])),
        "MultivariateNormal got covariance_matrix (2, 2) with [[1.0, 2.0], [2.0, 1.0]]\n"
        "  covariance_matrix must be a symmetric, positive definite matrix\n"
        "  try: A @ A.mT + 1e-6 * torch.eye(n)",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2), scale_tril=torch.ones(2, 2)),
        "MultivariateNormal got scale_tril (2, 2) with [[1.0, 1.0], [1.0, 1.0]]\n"
        "  scale_tril must be a lower triangular matrix with a diagonal above 0\n"
        "  try: torch.linalg.cholesky(covariance)",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2), torch.eye(3)),
        "MultivariateNormal got loc (2,) and covariance_matrix (3, 3)\n"
        "  loc must be (..., k) and the matrix (..., k, k), with leading axes that broadcast\n"
        "  try: torch.diag(variances), if the components are independent",
    ),
    (
        lambda: D.MultivariateNormal(0.0, torch.eye(3)),  # type: ignore[arg-type]
        "MultivariateNormal got loc=0.0\n  loc must be a Tensor\n  try: torch.tensor(0.0)",
    ),
    # -- values
    (
        lambda: D.Normal(0.0, 1.0).log_prob(2),  # type: ignore[arg-type]
        "Normal.log_prob got value=2\n  the value must be a Tensor\n  try: torch.tensor(2)",
    ),
    (
        lambda: D.Normal(torch.ones(2), 1.0).log_prob(torch.ones(3)),
        "Normal.log_prob got value (3,) for batch_shape (2,) and event_shape ()\n"
        "  value must broadcast against batch_shape + event_shape",
    ),
    (
        lambda: D.MultivariateNormal(torch.zeros(2), torch.eye(2)).log_prob(torch.ones(3)),
        "MultivariateNormal.log_prob got value (3,) for event_shape (2,)\n"
        "  the last axes of value must be those of one draw, (2,)",
    ),
    (
        lambda: D.Poisson(1.0).log_prob(torch.tensor([1.0, 1.5])),
        "Poisson.log_prob got value (2,) with 1.5 at [1]\n  value must be a whole number, at least 0" + SKIP,
    ),
    (
        lambda: D.Uniform(0.0, 1.0).cdf(torch.tensor(1.5)),
        "Uniform.cdf got value () with 1.5\n  value must be between low and high" + SKIP,
    ),
    (
        lambda: D.Binomial(3, torch.tensor([0.5, 0.5])).log_prob(torch.tensor(4.0)),
        "Binomial.log_prob got value () with 4.0 at [0] and 1 more\n"
        "  value must be a whole number from 0 to total_count" + SKIP,
    ),
    (
        lambda: D.Categorical(torch.ones(3)).log_prob(torch.tensor(3)),
        "Categorical.log_prob got value () with 3\n  value must be the number of an outcome, 0 to 2" + SKIP,
    ),
    (
        lambda: D.Bernoulli(0.5).log_prob(torch.tensor(2.0)),
        "Bernoulli.log_prob got value () with 2.0\n  value must be 0 or 1" + SKIP,
    ),
    (
        lambda: D.Normal(0.0, 1.0).rsample(3),  # type: ignore[arg-type]
        "Normal.sample got sample_shape=3\n  sample_shape must be a tuple of sizes\n  try: (3,)",
    ),
    (
        lambda: D.Poisson(1.0).expand(3),  # type: ignore[arg-type]
        "Poisson.expand got batch_shape=3\n  batch_shape must be a tuple of sizes\n  try: (3,)",
    ),
    # -- what is not there
    (
        lambda: D.Poisson(1.0).rsample(),
        "Poisson.rsample\n"
        "  rsample draws with gradients only where noise can be turned into a draw smoothly\n"
        "  try: sample, and log_prob of what was drawn as the weight of its loss",
    ),
    (lambda: D.Beta(1.0, 1.0).cdf(torch.tensor(0.5)), "Beta.cdf\n  Beta has no cdf"),
    (lambda: D.Multinomial(1, torch.ones(2)).mode, "Multinomial.mode\n  Multinomial has no mode"),
    (
        lambda: D.Binomial(torch.tensor([1.0, 2.0]), 0.5).entropy(),
        "Binomial.enumerate_support got total_count (2,) with 1.0, 2.0\n"
        "  total_count must be the same in the whole batch: the values are one axis for all",
    ),
    (
        lambda: D.Distribution.set_default_validate_args("yes"),  # type: ignore[arg-type]
        "set_default_validate_args got value='yes'\n  it must be True or False",
    ),
    # -- those whose text is tested beside their own distribution
    (lambda: D.Multinomial(-1, torch.ones(2)), ""),
    (lambda: D.Categorical(torch.tensor(0.5)), ""),
    (lambda: D.Categorical(torch.tensor([-0.5, 1.0])), ""),
    (lambda: D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0)), ""),
    (lambda: D.register_kl(int, D.Normal), ""),  # type: ignore[type-var]
    (lambda: D.kl_divergence(D.Multinomial(2, torch.ones(2)), D.Multinomial(3, torch.ones(2))), ""),
    (
        lambda: D.kl_divergence(
            D.MultivariateNormal(torch.zeros(1), torch.eye(1)),
            D.MultivariateNormal(torch.zeros(2), torch.eye(2)),
        ),
        "",
    ),
]


@pytest.mark.parametrize(("action", "text"), [case for case in CASES if case[1]])
def test_text(action: Callable[[], Any], text: str) -> None:
    with pytest.raises(ChainruleError) as info:
        action()
    assert info.value.summary == text


def test_every_message_is_brought_about(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(Path(D.__file__).parent.glob("*.py"))
    assert untested(files, [action for action, _ in CASES], monkeypatch) == []


def test_errors_are_those_of_pytorch() -> None:
    with pytest.raises(ValueError):
        D.Normal(0.0, -1.0)
    with pytest.raises(NotImplementedError):
        D.Bernoulli(0.5).rsample()


def test_checks_can_be_done_without() -> None:
    d = D.Normal(0.0, -1.0, validate_args=False)
    assert np.isnan(d.log_prob(torch.tensor(0.0)).item())
    assert D.Poisson(2.0, validate_args=False).log_prob(torch.tensor(1.5)).item() == pytest.approx(
        1.5 * np.log(2) - 2 - 0.28468287047291916
    )
    wide = d.expand((3,))
    assert wide.log_prob(torch.zeros(3)).shape == (3,)
    try:
        D.Distribution.set_default_validate_args(False)
        D.Normal(0.0, -1.0)
        with pytest.raises(ArgumentError):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ArgumentError):
        D.Normal(0.0, -1.0)


def test_an_expanded_distribution_goes_on_checking() -> None:
    with pytest.raises(ShapeError):
        D.Normal(0.0, 1.0).expand((3,)).log_prob(torch.zeros(2))
    with pytest.raises(ArgumentError):
        D.Poisson(1.0).expand((3,)).log_prob(torch.full((3,), 0.5))


def test_constraints_describe_and_check() -> None:
    c = D.constraints
    t = torch.tensor
    assert repr(D.Poisson(1.0).support) == "<constraint: a whole number, at least 0>"
    assert D.Poisson(1.0).support.is_discrete
    assert c.simplex.check(t([[0.5, 0.5], [0.5, 0.6]])).tolist() == [True, False]
    assert c.positive_definite.check(t([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]]])).tolist() == [
        True,
        False,
    ]
    assert c.counts(2).check(t([[1.0, 1.0], [2.0, 1.0]])).tolist() == [True, False]
    assert c.real_vector.check(t([[1.0, float("nan")], [0.0, 0.0]])).tolist() == [False, True]
    assert D.Uniform(0.0, t([1.0, 3.0])).support.check(t(2.0)).tolist() == [False, True]


def test_what_is_printed() -> None:
    assert repr(D.Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(D.Gamma(torch.ones(3), 1.0)) == "Gamma(concentration: torch.Size([3]), rate: torch.Size([3]))"
