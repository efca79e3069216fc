"""Draws: their distribution by tests with fixed seeds, shapes, types, gradients, streams, programs, vmap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as st
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import distributions as D

N = 20_000
LEVEL = 1e-3  # fixed seeds: each test passes always or never

SMOOTH = {
    "normal": (lambda: D.Normal(0.7, 2.5), st.norm(0.7, 2.5)),
    "uniform": (lambda: D.Uniform(-1.0, 3.0), st.uniform(-1, 4)),
    "laplace": (lambda: D.Laplace(0.7, 2.5), st.laplace(0.7, 2.5)),
    "exponential": (lambda: D.Exponential(2.5), st.expon(scale=1 / 2.5)),
    "gamma 0.05": (lambda: D.Gamma(0.05, 2.0), st.gamma(0.05, scale=0.5)),
    "gamma 0.7": (lambda: D.Gamma(0.7, 2.0), st.gamma(0.7, scale=0.5)),
    "gamma 1": (lambda: D.Gamma(1.0, 2.0), st.gamma(1, scale=0.5)),
    "gamma 60": (lambda: D.Gamma(60.0, 0.01), st.gamma(60, scale=100)),
    "beta": (lambda: D.Beta(2.5, 1.5), st.beta(2.5, 1.5)),
    "beta, bathtub": (lambda: D.Beta(0.3, 0.4), st.beta(0.3, 0.4)),
}
COUNTS = {
    "bernoulli": (lambda: D.Bernoulli(0.3), st.bernoulli(0.3)),
    "binomial, few": (lambda: D.Binomial(12, 0.3), st.binom(12, 0.3)),
    "binomial, likely": (lambda: D.Binomial(12, 0.95), st.binom(12, 0.95)),
    "binomial, many": (lambda: D.Binomial(100, 0.3), st.binom(100, 0.3)),
    "binomial, at the limit": (lambda: D.Binomial(100, 0.1), st.binom(100, 0.1)),
    "binomial, many and likely": (lambda: D.Binomial(1000, 0.8), st.binom(1000, 0.8)),
    "poisson, few": (lambda: D.Poisson(0.4), st.poisson(0.4)),
    "poisson, below the limit": (lambda: D.Poisson(9.9), st.poisson(9.9)),
    "poisson, at the limit": (lambda: D.Poisson(10.0), st.poisson(10)),
    "poisson, many": (lambda: D.Poisson(900.0), st.poisson(900)),
    "categorical": (
        lambda: D.Categorical(torch.tensor([0.1, 0.2, 0.0, 0.7])),
        st.rv_discrete(values=([0, 1, 2, 3], [0.1, 0.2, 0.0, 0.7])),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_continuous_draws_follow_their_distribution(name: str) -> None:
    make, theirs = SMOOTH[name]
    torch.manual_seed(1)
    x = make().sample((N,)).numpy().astype(np.float64)
    assert st.kstest(x, theirs.cdf).pvalue > LEVEL
    assert abs(x.mean() - theirs.mean()) < 4 * theirs.std() / np.sqrt(N)
    assert bool(make().support.check(torch.tensor(x)).all())
    assert np.isfinite(make().log_prob(torch.tensor(x, dtype=torch.float32))).all()


@pytest.mark.parametrize("name", COUNTS)
def test_discrete_draws_follow_their_distribution(name: str) -> None:
    make, theirs = COUNTS[name]
    torch.manual_seed(2)
    x = make().sample((N,)).numpy().astype(np.int64)
    values = np.arange(x.min(), x.max() + 1)
    expected = theirs.pmf(values) * N
    # Values that are rarely drawn go into one cell, with all that was not drawn.
    often = expected >= 20
    seen = np.array([(x == v).sum() for v in values])
    cells = np.append(seen[often], N - seen[often].sum())
    wanted = np.append(expected[often], N - expected[often].sum())
    keep = wanted > 1e-6
    assert cells[~keep].sum() == 0
    assert st.chisquare(cells[keep], wanted[keep], sum_check=False).pvalue > LEVEL
    assert bool(make().support.check(torch.tensor(x)).all())


@pytest.mark.parametrize(("n", "p"), [(0, 0.5), (7, 0.0), (7, 1.0), (10**9, 1.0), (10**9, 1e-12)])
def test_binomial_draws_at_the_ends(n: int, p: float) -> None:
    x = D.Binomial(n, torch.tensor(p, dtype=torch.float64)).sample((50,)).numpy()
    assert (x == (n if p == 1 else 0)).all()


def test_binomial_draws_of_many_trials() -> None:
    torch.manual_seed(0)
    d = D.Binomial(10**9, torch.tensor(0.25, dtype=torch.float64))
    z = (d.sample((N,)) - d.mean) / d.stddev
    assert st.kstest(z.numpy(), "norm").pvalue > LEVEL


def test_poisson_draws_of_nothing() -> None:
    assert D.Poisson(0.0).sample((5,)).tolist() == [0.0] * 5


def test_multivariate_normal_draws() -> None:
    torch.manual_seed(0)
    cov = np.array([[2.0, 1.0], [1.0, 3.0]])
    d = D.MultivariateNormal(torch.tensor([1.0, -1.0]), torch.tensor(cov, dtype=torch.float32))
    x = d.sample((N,)).numpy()
    assert_allclose(x.mean(0), [1, -1], atol=0.05)
    assert_allclose(np.cov(x.T), cov, atol=0.1)
    # The squared distance in units of the covariance has a chi-square distribution.
    z = np.linalg.solve(np.linalg.cholesky(cov), (x - [1, -1]).T)
    assert st.kstest((z**2).sum(0), st.chi2(2).cdf).pvalue > LEVEL


ALL: dict[str, Any] = {
    "Normal": lambda b: D.Normal(torch.zeros(b), 1.0),
    "Uniform": lambda b: D.Uniform(torch.zeros(b), 1.0),
    "Laplace": lambda b: D.Laplace(torch.zeros(b), 1.0),
    "Exponential": lambda b: D.Exponential(torch.ones(b)),
    "Gamma": lambda b: D.Gamma(torch.ones(b), 1.0),
    "Beta": lambda b: D.Beta(torch.ones(b), 1.0),
    "Bernoulli": lambda b: D.Bernoulli(torch.full(b, 0.5)),
    "Binomial": lambda b: D.Binomial(3, torch.full(b, 0.5)),
    "Poisson": lambda b: D.Poisson(torch.ones(b)),
    "Categorical": lambda b: D.Categorical(torch.ones(*b, 4)),
    "Multinomial": lambda b: D.Multinomial(3, torch.ones(*b, 4)),
    "MultivariateNormal": lambda b: D.MultivariateNormal(torch.zeros(*b, 4), torch.eye(4)),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("batch", [(), (2,), (3, 1)])
def test_shapes(name: str, batch: tuple[int, ...]) -> None:
    d = ALL[name](batch)
    event = (4,) if name.startswith("Multi") else ()
    assert (tuple(d.batch_shape), tuple(d.event_shape)) == (batch, event)
    for shape in ((), (5,), (2, 0)):
        x = d.sample(shape)
        assert tuple(x.shape) == (*shape, *batch, *event)
        assert x.dtype is (torch.int64 if name == "Categorical" else torch.float32)
        assert tuple(d.log_prob(x).shape) == (*shape, *batch)
    assert tuple(d.entropy().shape) == batch
    wide = d.expand((7, *batch))
    assert (tuple(wide.batch_shape), tuple(wide.event_shape)) == ((7, *batch), event)
    assert tuple(wide.sample((2,)).shape) == (2, 7, *batch, *event)
    x = d.sample()
    assert_allclose(wide.log_prob(x), np.broadcast_to(d.log_prob(x), (7, *batch)), rtol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_a_seed_repeats_the_draws(name: str) -> None:
    d = ALL[name]((3,))
    torch.manual_seed(5)
    first = d.sample((20,))
    second = d.sample((20,))
    torch.manual_seed(5)
    assert torch.equal(d.sample((20,)), first)
    assert not torch.equal(first, second)


def test_draws_have_no_gradient() -> None:
    p = torch.tensor([0.2, 0.8], requires_grad=True)
    for d in (D.Normal(p, 1.0), D.Poisson(p), D.Bernoulli(p), D.Categorical(p), D.Gamma(p, 1.0)):
        assert not d.sample((3,)).requires_grad


@pytest.mark.parametrize(
    ("make", "slope"),
    [
        # With the noise fixed, how the draw x moves with each parameter.
        (lambda a, b: D.Normal(a, b), lambda x, a, b: (1.0, (x - a) / b)),
        (lambda a, b: D.Uniform(a, b), lambda x, a, b: ((b - x) / (b - a), (x - a) / (b - a))),
        (lambda a, b: D.Laplace(a, b), lambda x, a, b: (1.0, (x - a) / b)),
        (lambda a, b: D.Exponential(b), lambda x, a, b: (None, -x / b)),
    ],
)
def test_gradients_through_draws(make: Any, slope: Any) -> None:
    a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(2.5, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    d = make(a, b)
    assert d.has_rsample
    x = d.rsample()
    x.backward()
    for p, wanted in zip((a, b), slope(x.item(), 0.5, 2.5), strict=True):
        if wanted is None:
            assert p.grad is None
        else:
            assert_allclose(p.grad, wanted, rtol=1e-12)


def test_gradients_through_draws_of_vectors() -> None:
    tril = torch.tensor([[2.0, 0.0], [1.0, 3.0]], requires_grad=True)
    loc = torch.zeros(2, requires_grad=True)
    torch.manual_seed(0)
    x = D.MultivariateNormal(loc, scale_tril=tril).rsample((4,))
    x.sum().backward()
    noise = np.linalg.solve(tril.detach().numpy(), x.detach().numpy().T)  # (2, 4)
    assert loc.grad.tolist() == [4.0, 4.0]
    assert_allclose(tril.grad, np.tril(np.tile(noise.sum(1), (2, 1))), rtol=1e-5)


def test_forward_mode_through_draws() -> None:
    def f(scale: Any) -> Any:
        torch.manual_seed(0)
        return D.Normal(0.0, scale).rsample((3,))

    value, tangent = torch.func.jvp(f, (torch.tensor(2.0),), (torch.tensor(1.0),))
    assert_allclose(tangent, value / 2)


def _program(name: str) -> Any:
    def f(p: Any) -> Any:
        d = {
            "Normal": lambda: D.Normal(p, 1.5),
            "Uniform": lambda: D.Uniform(p, p + 1),
            "Laplace": lambda: D.Laplace(p, 1.5),
            "Exponential": lambda: D.Exponential(p),
            "Bernoulli": lambda: D.Bernoulli(p / 4),
            "Categorical": lambda: D.Categorical(p),
            "Multinomial": lambda: D.Multinomial(5, p),
            "MultivariateNormal": lambda: D.MultivariateNormal(p, torch.eye(3)),
        }[name]()
        x = d.sample((4,))
        return x, d.log_prob(x), d.entropy()

    return f


@pytest.mark.parametrize(
    "name",
    [
        "Normal",
        "Uniform",
        "Laplace",
        "Exponential",
        "Bernoulli",
        "Categorical",
        "Multinomial",
        "MultivariateNormal",
    ],
)
def test_compiled_programs_draw_the_same(name: str) -> None:
    p = torch.tensor([0.5, 1.0, 2.0])
    f = _program(name)
    torch.manual_seed(3)
    eager = f(p)
    compiled = torch.compile(f)
    for _ in range(2):
        torch.manual_seed(3)
        for a, b in zip(compiled(p), eager, strict=True):
            assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_compiled_quantities_of_what_is_drawn_eagerly() -> None:
    p = torch.tensor([0.5, 1.0, 2.0])

    def f(p: Any, x: Any) -> Any:
        return (
            D.Gamma(p, 1.0).log_prob(x),
            D.Beta(p, 2.0).entropy(),
            D.Poisson(p).log_prob(x),
            D.Binomial(3, p / 4).log_prob(x),
            D.kl_divergence(D.Gamma(p, 1.0), D.Gamma(2.0, p)),
        )

    x = torch.tensor([1.0, 2.0, 3.0])
    for a, b in zip(torch.compile(f)(p, x), f(p, x), strict=True):
        assert_allclose(a, b, rtol=1e-5)


def test_rows_of_vmap_draw_for_themselves_or_together() -> None:
    p = torch.ones(4, 3)
    for make in (lambda p: D.Categorical(p), lambda p: D.Normal(p, 1.0), lambda p: D.Poisson(50.0)):
        torch.manual_seed(0)
        x = torch.func.vmap(lambda p, make=make: make(p).sample((6,)), randomness="different")(p)
        assert not torch.equal(x[0], x[1])
        x = torch.func.vmap(lambda p, make=make: make(p).sample((6,)) + 0 * p.sum(), randomness="same")(p)
        assert torch.equal(x[0], x[1])


def test_log_prob_by_row() -> None:
    x = torch.tensor([0.5, 1.5])
    scale = torch.tensor([1.0, 2.0])
    rows = torch.func.vmap(lambda x, s: D.Normal(0.0, s).log_prob(x))(x, scale)
    assert_allclose(rows, D.Normal(0.0, scale).log_prob(x), rtol=1e-6)
    slopes = torch.func.vmap(torch.func.grad(lambda s, x: D.Normal(0.0, s).log_prob(x)))(scale, x)
    assert_allclose(slopes, x**2 / scale**3 - 1 / scale, rtol=1e-5)


def test_whole_parameters_become_floats() -> None:
    d = D.Normal(torch.tensor([0, 1]), torch.tensor([1, 2]))
    assert (d.loc.dtype, d.scale.dtype, d.sample().dtype) == (torch.float32,) * 3
    assert D.Normal(torch.tensor([0, 1]), torch.ones(2, dtype=torch.float64)).loc.dtype is torch.float64
    assert D.Uniform(0, 1).sample().dtype is torch.float32
    assert D.Bernoulli(torch.tensor([0, 1])).sample().tolist() == [0.0, 1.0]
    assert_allclose(D.Bernoulli(0.3).prob(torch.tensor([True, False])), [0.3, 0.7], rtol=1e-6)


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_draws_have_the_type_of_the_parameters(kind: str) -> None:
    dtype = getattr(torch, kind)
    torch.manual_seed(0)
    one = torch.ones(4, dtype=dtype)
    for d in (
        D.Normal(one, 1.0),
        D.Laplace(one, 1.0),
        D.Exponential(one),
        D.Gamma(one / 8, 1.0),
        D.Poisson(one),
    ):
        x = d.sample((2000,))
        assert x.dtype is dtype
        assert bool(torch.isfinite(x).all())
    assert D.Beta(one / 8, one / 8).sample((2000,)).max() < 1


def test_a_program_sees_a_distribution_from_outside_as_it_is() -> None:
    prior = D.Normal(torch.zeros(3), 1.0)

    def loss(m: Any, s: Any) -> Any:
        q = D.Normal(m, s)
        return D.kl_divergence(q, prior).sum() - prior.log_prob(q.rsample()).sum()

    compiled = torch.compile(loss)
    m, s = torch.ones(3, requires_grad=True), torch.full((3,), 2.0)
    for shift in (0.0, 1.0):
        prior.loc.data.add_(shift)
        grads = []
        for f in (loss, compiled):
            m.grad = None
            torch.manual_seed(0)
            value = f(m, s)
            value.backward()
            grads.append((value.item(), *m.grad.tolist()))
        assert_allclose(grads[0], grads[1], rtol=1e-5, atol=1e-6)
