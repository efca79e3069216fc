"""The incomplete gamma function against SciPy and mpmath; draws that move with their parameters."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st
from numpy.testing import assert_allclose

import chainrule as torch
from chainrule import distributions as D
from chainrule.distributions.incomplete import gamma_tails, moving

SHAPES = [1e-3, 0.05, 0.5, 1.0, 3.0, 9.99, 10.0, 10.01, 30.0, 100.0, 1000.0]


def _t(a: Any) -> Any:
    return torch.tensor(a, dtype=torch.float64)


def _places(a: float) -> np.ndarray[Any, Any]:
    """From deep in the left tail to deep in the right one."""
    steps = np.array([-8.0, -4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0, 8.0])
    spread = a + steps * np.sqrt(a)
    return np.where(spread > 0.01 * a, spread, a * 10 ** (steps / 2))


@pytest.mark.parametrize("a", SHAPES)
def test_both_tails(a: float) -> None:
    x = _places(a)
    p, q = gamma_tails(_t(np.full(9, a)), _t(np.log(x)))
    # Rounding in a log(x) - x - log Γ(a) grows with a; Q is 1 - P, rounded, where both arguments are small.
    assert_allclose(p, sp.gammainc(a, x), rtol=1e-14 * max(a, 20))
    assert_allclose(q, sp.gammaincc(a, x), rtol=1e-14 * max(a, 20), atol=1e-15)


@pytest.mark.parametrize("a", [0.05, 0.5, 3.0, 9.99, 10.01, 30.0, 100.0])
def test_derivative_in_the_shape(a: float) -> None:
    x = _places(a)[1:8]
    shape = _t(np.full(7, a)).requires_grad_()
    p, _ = gamma_tails(shape, _t(np.log(x)))
    p.sum().backward()
    with mpmath.workdps(30):
        wanted = [
            float(mpmath.diff(lambda s, v=v: mpmath.gammainc(s, 0, v, regularized=True), a))
            for v in x.tolist()
        ]
    assert_allclose(shape.grad, wanted, rtol=1e-9, atol=1e-15)


def test_derivative_in_the_value_is_the_density() -> None:
    x = _t([0.01, 0.7, 4.0, 11.0, 30.0]).requires_grad_()
    for a in (0.3, 2.5, 12.0, 25.0):
        x.grad = None
        D.Gamma(_t(a), 2.0).cdf(x).sum().backward()
        assert_allclose(x.grad, st.gamma(a, scale=0.5).pdf(x.detach().numpy()), rtol=1e-11)


def test_ends_of_the_distribution_function() -> None:
    d = D.Gamma(_t([0.5, 2.0, 50.0]), 1.0)
    assert d.cdf(_t(0.0)).tolist() == [0.0, 0.0, 0.0]
    assert d.cdf(_t(1e4)).tolist() == [1.0, 1.0, 1.0]
    assert D.Gamma(2.0, 1.0).cdf(torch.tensor(2.0)).dtype is torch.float32
    assert D.Poisson(_t(0.0)).cdf(_t([0.0, 3.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("a", [0.05, 0.7, 3.0, 15.0, 300.0])
def test_draws_move_along_their_quantile(a: float) -> None:
    # At a fixed P the draw is the quantile; its slope is found by central differences.
    u = np.array([0.01, 0.2, 0.5, 0.9, 0.999])
    h = a * 1e-5
    if a < 0.1:  # the quantiles are tiny there: their logarithm by the leading term u Γ(a + 1) = x^a
        log_x = (np.log(u) + sp.gammaln(a + 1)) / a
        low, high = ((np.log(u) + sp.gammaln(s + 1)) / s for s in (a - h, a + h))
        keep = log_x < -36  # where the leading term is all
    else:
        log_x = np.log(st.gamma.ppf(u, a))
        low, high = (np.log(st.gamma.ppf(u, s)) for s in (a - h, a + h))
        keep = np.ones(5, bool)
    shape = _t(np.full(5, a)).requires_grad_()
    out = moving(_t(log_x), shape)
    assert_allclose(out.detach(), log_x)
    out.sum().backward()
    assert keep.any()
    assert_allclose(shape.grad.numpy()[keep], ((high - low) / (2 * h))[keep], rtol=1e-6)


def test_gradients_through_gamma_draws() -> None:
    # E[x] = a / rate and E[x²] = a (a + 1) / rate²; their gradients are those of the means of many draws.
    torch.manual_seed(0)
    a, rate = _t(2.5).requires_grad_(), _t(2.0).requires_grad_()
    x = D.Gamma(a, rate).rsample((20_000,))
    assert st.kstest(x.detach().numpy(), st.gamma(2.5, scale=0.5).cdf).pvalue > 1e-3
    (x**2).mean().backward()
    assert a.grad.item() == pytest.approx((2 * 2.5 + 1) / 4, rel=0.03)
    assert rate.grad.item() == pytest.approx(-2 * 2.5 * 3.5 / 8, rel=0.03)


def test_gradients_through_beta_draws() -> None:
    torch.manual_seed(0)
    a, b = _t(0.7).requires_grad_(), _t(2.0).requires_grad_()
    x = D.Beta(a, b).rsample((20_000,))
    assert st.kstest(x.detach().numpy(), st.beta(0.7, 2.0).cdf).pvalue > 1e-3
    x.mean().backward()  # a / (a + b)
    assert a.grad.item() == pytest.approx(2.0 / 2.7**2, rel=0.03)
    assert b.grad.item() == pytest.approx(-0.7 / 2.7**2, rel=0.03)


def test_draws_with_gradients_are_the_draws() -> None:
    for d in (D.Gamma(torch.tensor([0.5, 30.0]), 2.0), D.Beta(torch.tensor([0.01, 3.0]), 2.0)):
        torch.manual_seed(4)
        x = d.sample((50,))
        torch.manual_seed(4)
        assert_allclose(d.rsample((50,)), x, rtol=1e-6)


def test_forward_mode_and_small_types() -> None:
    def f(a: Any) -> Any:
        torch.manual_seed(0)
        return D.Gamma(a, 1.0).rsample((3,))

    a = torch.tensor(2.5)
    _, tangent = torch.func.jvp(f, (a,), (torch.tensor(1.0),))
    assert_allclose(tangent, torch.func.jacrev(f)(a), rtol=1e-5)
    half = torch.full((500,), 0.05, dtype=torch.float16)
    assert bool((D.Gamma(half, 1.0).rsample() > 0).all())
    assert bool((D.Beta(half, half).rsample() < 1).all())
