"""Divergences against sums and integrals of p log(p / q), and how formulas are found and added."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate

import chainrule as torch
from chainrule import distributions as D
from chainrule.core.errors import ArgumentError


def _t(x: Any) -> Any:
    return torch.tensor(x, dtype=torch.float64)


CONTINUOUS = {
    "normal": (D.Normal(_t(0.5), 1.5), D.Normal(_t(-1.0), 2.5), (-20, 20)),
    "laplace": (D.Laplace(_t(0.5), 0.7), D.Laplace(_t(-1.0), 1.5), (-30, 30)),
    "uniform": (D.Uniform(_t(0.5), 1.5), D.Uniform(_t(0.0), 2.5), (0.5, 1.5)),
    "exponential": (D.Exponential(_t(2.0)), D.Exponential(_t(0.7)), (0, 40)),
    "gamma": (D.Gamma(_t(2.5), 2.0), D.Gamma(_t(1.5), 0.7), (0, 40)),
    "beta": (D.Beta(_t(2.5), 2.0), D.Beta(_t(1.5), 3.0), (0, 1)),
    "uniform, normal": (D.Uniform(_t(0.5), 1.5), D.Normal(_t(0.0), 2.5), (0.5, 1.5)),
    "exponential, normal": (D.Exponential(_t(2.0)), D.Normal(_t(0.3), 2.5), (0, 40)),
    "gamma, normal": (D.Gamma(_t(2.5), 2.0), D.Normal(_t(0.3), 2.5), (0, 40)),
    "beta, normal": (D.Beta(_t(2.5), 2.0), D.Normal(_t(0.3), 2.5), (0, 1)),
    "laplace, normal": (D.Laplace(_t(0.5), 0.7), D.Normal(_t(0.3), 2.5), (-30, 30)),
    "exponential, gamma": (D.Exponential(_t(2.0)), D.Gamma(_t(1.5), 0.7), (0, 40)),
    "gamma, exponential": (D.Gamma(_t(2.5), 2.0), D.Exponential(_t(0.7)), (0, 40)),
    "beta, uniform": (D.Beta(_t(2.5), 2.0), D.Uniform(_t(-0.5), 2.0), (0, 1)),
}
DISCRETE = {
    "bernoulli": (D.Bernoulli(_t(0.3)), D.Bernoulli(logits=_t(1.2)), range(2)),
    "bernoulli, certain": (D.Bernoulli(_t(1.0)), D.Bernoulli(_t(0.2)), range(2)),
    "binomial": (D.Binomial(7, _t(0.3)), D.Binomial(7, _t(0.6)), range(8)),
    "poisson": (D.Poisson(_t(3.5)), D.Poisson(_t(2.0)), range(60)),
    "categorical": (
        D.Categorical(_t([0.2, 0.8, 0.0])),
        D.Categorical(logits=_t([0.0, 1.0, 2.0])),
        range(3),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    p, q, (low, high) = CONTINUOUS[name]

    def integrand(x: float) -> float:
        a, b = p.log_prob(_t(x)).item(), q.log_prob(_t(x)).item()
        return float(np.exp(a) * (a - b)) if a > -700 else 0.0

    kinks = [x for x in (-1.0, 0.5) if low < x < high]
    wanted, _ = integrate.quad(integrand, low, high, points=kinks or None, limit=200, epsabs=1e-11)
    assert_allclose(D.kl_divergence(p, q), wanted, rtol=1e-7)
    assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-12) if type(p) is type(q) else True


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    p, q, values = DISCRETE[name]
    x = _t([float(v) for v in values])
    a, b = p.log_prob(x).numpy(), q.log_prob(x).numpy()
    possible = a > -np.inf
    wanted = (np.exp(a[possible]) * (a - b)[possible]).sum()
    assert_allclose(D.kl_divergence(p, q), wanted, rtol=1e-9)


def test_multivariate_normals() -> None:
    # Independent components: the sum of theirs.
    p = D.MultivariateNormal(_t([0.5, -1.0]), torch.diag(_t([1.5, 0.5]) ** 2))
    q = D.MultivariateNormal(_t([0.0, 1.0]), torch.diag(_t([2.5, 0.7]) ** 2))
    parts = D.kl_divergence(
        D.Normal(_t([0.5, -1.0]), _t([1.5, 0.5])), D.Normal(_t([0.0, 1.0]), _t([2.5, 0.7]))
    )
    assert_allclose(D.kl_divergence(p, q), parts.sum(), rtol=1e-12)
    # It does not change when both are turned and stretched.
    a = _t([[2.0, 1.0], [-1.0, 3.0]])
    moved = [D.MultivariateNormal(a @ d.loc, a @ d.covariance_matrix @ a.mT) for d in (p, q)]
    assert_allclose(D.kl_divergence(*moved), parts.sum(), rtol=1e-10)


def test_multinomials_add_up_over_draws() -> None:
    p, q = _t([0.2, 0.8]), _t([0.5, 0.5])
    each = D.kl_divergence(D.Categorical(p), D.Categorical(q))
    assert_allclose(D.kl_divergence(D.Multinomial(5, p), D.Multinomial(5, q)), 5 * each, rtol=1e-12)


def test_infinite_where_q_has_no_room() -> None:
    inf = float("inf")
    assert D.kl_divergence(D.Uniform(0.0, 2.0), D.Uniform(0.0, 1.0)).item() == inf
    assert D.kl_divergence(D.Bernoulli(0.5), D.Bernoulli(0.0)).item() == inf
    assert D.kl_divergence(D.Binomial(3, 0.5), D.Binomial(2, 0.5)).item() == inf
    assert np.isnan(D.kl_divergence(D.Binomial(2, 0.5), D.Binomial(3, 0.5)).item())
    assert D.kl_divergence(D.Beta(2.0, 2.0), D.Uniform(0.0, 0.5)).item() == inf
    c = torch.tensor
    assert D.kl_divergence(D.Categorical(c([0.5, 0.5])), D.Categorical(c([1.0, 0.0]))).item() == inf
    assert D.kl_divergence(D.Poisson(1.0), D.Poisson(0.0)).item() == inf


def test_batches_broadcast() -> None:
    p, q = D.Normal(torch.zeros(3, 1), 1.0), D.Normal(torch.ones(2), 2.0)
    assert D.kl_divergence(p, q).shape == (3, 2)


def test_derived_types_use_the_formula_of_their_base_unless_they_have_their_own() -> None:
    class Bell(D.Normal):
        pass

    assert_allclose(D.kl_divergence(Bell(0.0, 1.0), D.Normal(1.0, 1.0)), 0.5)

    @D.register_kl(Bell, D.Normal)
    def _bell(p: Any, q: Any) -> Any:
        return p.loc + 7

    assert D.kl_divergence(Bell(0.0, 1.0), D.Normal(1.0, 1.0)).item() == 7
    assert_allclose(D.kl_divergence(D.Normal(0.0, 1.0), Bell(1.0, 1.0)), 0.5)


def test_messages() -> None:
    with pytest.raises(D.NoFormulaError) as missing:
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))
    assert missing.value.summary == (
        "kl_divergence got Normal and Poisson\n"
        "  there is no formula for these two\n"
        "  try: x = p.sample((10_000,)); (p.log_prob(x) - q.log_prob(x)).mean(0), or register_kl"
    )
    with pytest.raises(ArgumentError) as info:
        D.register_kl(D.Normal, int)  # type: ignore[type-var]
    assert info.value.summary == (
        "register_kl got <class 'int'>\n  both arguments must be classes of distributions"
    )
    with pytest.raises(ArgumentError) as info:
        D.kl_divergence(
            D.MultivariateNormal(torch.zeros(2), torch.eye(2)),
            D.MultivariateNormal(torch.zeros(3), torch.eye(3)),
        )
    assert info.value.summary == (
        "kl_divergence got MultivariateNormal of 2 and of 3 components\n"
        "  both must be distributions of vectors of one length"
    )
    with pytest.raises(ArgumentError) as info:
        D.kl_divergence(D.Multinomial(2, torch.ones(2)), D.Multinomial(3, torch.ones(2)))
    assert info.value.summary == (
        "kl_divergence got Multinomial with total_count 2 and 3\n  both must count equally many draws"
    )
