"""Densities, distribution functions, quantiles, moments, modes and entropies against SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import distributions as D


def _t(x: Any) -> Any:
    return torch.tensor(x, dtype=torch.float64)


# ours, SciPy's, values inside the support
CONTINUOUS = {
    "normal": (lambda: D.Normal(_t(0.7), _t(2.5)), st.norm(0.7, 2.5), [-60.0, -3.0, 0.7, 4.0]),
    "uniform": (lambda: D.Uniform(_t(-1.0), _t(3.0)), st.uniform(-1, 4), [-1.0, 0.0, 2.9]),
    "laplace": (lambda: D.Laplace(_t(0.7), _t(2.5)), st.laplace(0.7, 2.5), [-80.0, 0.7, 1.0, 9.0]),
    "exponential": (lambda: D.Exponential(_t(2.5)), st.expon(scale=1 / 2.5), [0.0, 1e-9, 0.5, 7.0]),
    "gamma": (lambda: D.Gamma(_t(2.5), _t(3.0)), st.gamma(2.5, scale=1 / 3.0), [1e-6, 0.5, 4.0]),
    "gamma, small": (lambda: D.Gamma(_t(0.3), _t(0.5)), st.gamma(0.3, scale=2), [1e-6, 0.5, 4.0]),
    "beta": (lambda: D.Beta(_t(2.5), _t(1.5)), st.beta(2.5, 1.5), [1e-6, 0.5, 0.9]),
    "beta, at the ends": (lambda: D.Beta(_t(1.0), _t(1.0)), st.beta(1, 1), [0.0, 0.5, 1.0]),
}
DISCRETE = {
    "bernoulli": (lambda: D.Bernoulli(_t(0.3)), st.bernoulli(0.3), [0.0, 1.0]),
    "bernoulli by logits": (lambda: D.Bernoulli(logits=_t(np.log(0.3 / 0.7))), st.bernoulli(0.3), [0.0, 1.0]),
    "bernoulli, certain": (lambda: D.Bernoulli(_t(1.0)), st.bernoulli(1.0), [0.0, 1.0]),
    "binomial": (lambda: D.Binomial(12, _t(0.3)), st.binom(12, 0.3), [0.0, 4.0, 12.0]),
    "binomial by logits": (
        lambda: D.Binomial(12, logits=_t(np.log(0.3 / 0.7))),
        st.binom(12, 0.3),
        [0.0, 4.0, 12.0],
    ),
    "binomial, never": (lambda: D.Binomial(12, _t(0.0)), st.binom(12, 0.0), [0.0, 4.0, 12.0]),
    "poisson": (lambda: D.Poisson(_t(3.5)), st.poisson(3.5), [0.0, 3.0, 40.0]),
    "poisson, large": (lambda: D.Poisson(_t(350.5)), st.poisson(350.5), [0.0, 351.0, 500.0]),
    "poisson, never": (lambda: D.Poisson(_t(0.0)), st.poisson(0.0), [0.0, 3.0]),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    make, theirs, values = CONTINUOUS[name]
    d, x = make(), _t(values)
    assert_allclose(d.log_prob(x), theirs.logpdf(values), rtol=1e-12, atol=1e-12)
    assert_allclose(d.prob(x), theirs.pdf(values), rtol=1e-12)
    assert_allclose(d.mean, theirs.mean(), rtol=1e-12)
    assert_allclose(d.variance, theirs.var(), rtol=1e-12)
    assert_allclose(d.stddev, theirs.std(), rtol=1e-12)
    assert_allclose(d.entropy(), theirs.entropy(), rtol=1e-12, atol=1e-14)
    assert_allclose(d.perplexity(), np.exp(theirs.entropy()), rtol=1e-12)
    if not name.startswith("beta"):
        assert_allclose(d.cdf(x), theirs.cdf(values), rtol=1e-12)
    if name in ("normal", "uniform", "laplace", "exponential"):
        p = [1e-5, 0.2, 0.5, 0.999]
        assert_allclose(d.icdf(_t(p)), theirs.ppf(p), rtol=1e-9)
        assert_allclose(d.cdf(d.icdf(_t(p))), p, rtol=1e-9)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    make, theirs, values = DISCRETE[name]
    d, x = make(), _t(values)
    assert_allclose(d.log_prob(x), theirs.logpmf(values), rtol=1e-11, atol=1e-12)
    assert_allclose(d.prob(x), theirs.pmf(values), rtol=1e-11)
    assert_allclose(d.mean, theirs.mean(), rtol=1e-12)
    assert_allclose(d.variance, theirs.var(), rtol=1e-12, atol=1e-15)
    assert_allclose(d.entropy(), theirs.entropy(), rtol=1e-10, atol=1e-15)
    assert_allclose(d.cdf(x), theirs.cdf(values), rtol=1e-12)


def test_left_tail_of_the_normal_keeps_its_digits() -> None:
    assert_allclose(D.Normal(_t(0.0), 1.0).cdf(_t(-30.0)), st.norm.cdf(-30), rtol=1e-12)


def test_binomial_cdf_of_a_batch() -> None:
    d = D.Binomial(5, _t([[0.2], [0.9]]))
    x = _t([[[0.0, 3.0, 5.0]]] * 2)
    assert_allclose(d.cdf(x), st.binom(5, [[0.2], [0.9]]).cdf(x.numpy()), rtol=1e-12)


def test_outside_of_the_support() -> None:
    x = _t([-1.0, 3.0, 5.0])
    d = D.Uniform(_t(0.0), 3.0, validate_args=False)
    assert d.log_prob(x).tolist() == [-np.inf] * 3
    assert d.cdf(x).tolist() == [0.0, 1.0, 1.0]


def test_categorical() -> None:
    p = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    d = D.Categorical(_t(p))
    assert_allclose(d.log_prob(torch.tensor([2, 0])), np.log([0.5, 1.0]))
    assert d.log_prob(torch.tensor([0, 1])).tolist()[1] == -np.inf
    assert_allclose(d.log_prob(d.enumerate_support()).exp(), p.T, atol=1e-15)
    assert d.enumerate_support(expand=False).shape == (3, 1)
    assert_allclose(d.entropy(), st.entropy(p, axis=1), rtol=1e-12)
    assert_allclose(d.perplexity(), np.exp(st.entropy(p, axis=1)), rtol=1e-12)
    assert d.mode.tolist() == [2, 0]
    assert np.isnan(d.mean).all()
    assert np.isnan(d.variance).all()


def test_multinomial_entropy() -> None:
    for p in ([0.5, 0.3, 0.2], [1.0, 0.0, 0.0]):
        for n in (0, 1, 7):
            assert_allclose(
                D.Multinomial(n, _t(p)).entropy(), st.multinomial(n, p).entropy(), rtol=1e-12, atol=1e-12
            )


@pytest.mark.parametrize("by", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_multivariate_normal(by: str) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 3))
    cov = a @ a.T + 0.1 * np.eye(3)
    loc = rng.normal(size=3)
    given = {
        "covariance_matrix": cov,
        "precision_matrix": np.linalg.inv(cov),
        "scale_tril": np.linalg.cholesky(cov),
    }[by]
    d = D.MultivariateNormal(_t(loc), **{by: _t(given)})
    theirs = st.multivariate_normal(loc, cov)
    x = rng.normal(size=(5, 3))
    assert_allclose(d.log_prob(_t(x)), theirs.logpdf(x), rtol=1e-10)
    assert_allclose(d.entropy(), theirs.entropy(), rtol=1e-10)
    assert_allclose(d.covariance_matrix, cov, rtol=1e-10)
    assert_allclose(d.precision_matrix, np.linalg.inv(cov), rtol=1e-9)
    assert_allclose(d.variance, np.diag(cov), rtol=1e-10)
    assert_allclose(d.mean, loc)
    assert_allclose(d.mode, loc)


@pytest.mark.parametrize(
    ("d", "mode"),
    [
        (lambda: D.Normal(_t(2.0), 3.0), 2.0),
        (lambda: D.Laplace(_t(2.0), 3.0), 2.0),
        (lambda: D.Uniform(_t(2.0), 3.0), np.nan),
        (lambda: D.Exponential(_t(2.0)), 0.0),
        (lambda: D.Gamma(_t([3.0, 0.5]), 2.0), [1.0, 0.0]),
        (
            lambda: D.Beta(_t([3.0, 0.5, 2.0, 1.0, 0.5, 1.0, 0.5]), _t([2.0, 2.0, 1.0, 1.0, 0.5, 0.5, 1.0])),
            [2 / 3, 0.0, 1.0, np.nan, np.nan, 1.0, 0.0],
        ),
        (lambda: D.Bernoulli(_t([0.2, 0.5, 0.7])), [0.0, np.nan, 1.0]),
        (lambda: D.Binomial(10, _t([0.0, 0.37, 1.0])), [0.0, 4.0, 10.0]),
        (lambda: D.Poisson(_t(3.7)), 3.0),
    ],
)
def test_modes(d: Any, mode: Any) -> None:
    assert_allclose(d().mode, mode)


def test_gradients_where_a_probability_is_0() -> None:
    # What is impossible has the derivative 0, and makes no nan of the others.
    p = _t([0.5, 0.0, 0.5]).requires_grad_()
    d = D.Categorical(p)
    (d.log_prob(torch.tensor(0)) + d.entropy()).backward()
    # log(p0 / Σ p) has the slopes (1/p0, 0, 0) - 1; the entropy of normalised p is flat between equal ones.
    assert_allclose(p.grad[[0, 2]], [1.0, -1.0], atol=1e-12)
    assert np.isfinite(p.grad).all()
    never = _t(0.0).requires_grad_()
    D.Bernoulli(never).log_prob(_t(0.0)).backward()
    assert never.grad.item() == -1
    always = _t(1.0).requires_grad_()
    (D.Bernoulli(always).log_prob(_t(1.0)) + D.Binomial(3, always).log_prob(_t(3.0))).backward()
    assert always.grad.item() == 4
    rate = _t(0.0).requires_grad_()
    D.Poisson(rate).log_prob(_t(0.0)).backward()
    assert rate.grad.item() == -1
    x = _t(0.0).requires_grad_()
    D.Beta(_t(1.0), _t(3.0)).log_prob(x).backward()
    assert x.grad.item() == -2
