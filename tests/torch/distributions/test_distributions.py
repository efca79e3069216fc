"""Distributions beside PyTorch's: quantities, gradients by parameters, shapes, divergences, refusals."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import chainrule
from chainrule.distributions.incomplete import moving

RNG = np.random.default_rng(0)
LOC = RNG.normal(size=(3, 2))
POSITIVE = RNG.uniform(0.3, 3, size=(3, 2))
OTHER = RNG.uniform(0.3, 3, size=2)
UNIT = RNG.uniform(0.1, 0.9, size=(3, 2))
_A = RNG.normal(size=(3, 2, 2))
COV = _A @ np.swapaxes(_A, -1, -2) + 0.2 * np.eye(2)
TRIL = np.linalg.cholesky(COV)
COUNTS = RNG.integers(0, 5, size=(4, 3, 2)).astype(float)
REALS = RNG.normal(size=(4, 3, 2))

# name, parameters, other arguments, a value
CASES: list[tuple[str, dict[str, np.ndarray[Any, Any]], dict[str, Any], np.ndarray[Any, Any]]] = [
    ("Normal", {"loc": LOC, "scale": OTHER}, {}, REALS),
    ("Laplace", {"loc": LOC, "scale": OTHER}, {}, REALS),
    ("Uniform", {"low": LOC - 4, "high": LOC + 5 + OTHER}, {}, REALS),
    ("Exponential", {"rate": POSITIVE}, {}, np.abs(REALS)),
    ("Gamma", {"concentration": POSITIVE, "rate": OTHER}, {}, np.abs(REALS)),
    ("Beta", {"concentration1": POSITIVE + 1, "concentration0": OTHER + 1}, {}, np.stack([UNIT] * 2)),
    ("Bernoulli", {"probs": UNIT}, {}, COUNTS % 2),
    ("Bernoulli", {"logits": LOC}, {}, COUNTS % 2),
    ("Binomial", {"probs": UNIT}, {"total_count": 6}, COUNTS),
    ("Binomial", {"logits": LOC}, {"total_count": 6}, COUNTS),
    ("Poisson", {"rate": POSITIVE}, {}, COUNTS),
    ("Categorical", {"probs": UNIT}, {}, (COUNTS % 2)[..., 0]),
    ("Categorical", {"logits": LOC}, {}, (COUNTS % 2)[..., 0]),
    ("Multinomial", {"probs": UNIT}, {"total_count": 4}, np.stack([COUNTS[..., 0], 4 - COUNTS[..., 0]], -1)),
    ("MultivariateNormal", {"loc": LOC, "covariance_matrix": COV}, {}, REALS),
    ("MultivariateNormal", {"loc": LOC, "precision_matrix": COV}, {}, REALS),
    ("MultivariateNormal", {"loc": LOC[0], "scale_tril": TRIL}, {}, REALS),
]
IDS = [f"{name} {' '.join(p)}" for name, p, _, _ in CASES]


def _made(T: Any, name: str, parameters: Any, others: Any) -> tuple[Any, list[Any]]:
    leaves = [T.tensor(v, requires_grad=True) for v in parameters.values()]
    return getattr(T.distributions, name)(**others, **dict(zip(parameters, leaves, strict=True))), leaves


@pytest.mark.parametrize(("name", "parameters", "others", "value"), CASES, ids=IDS)
def test_quantities_and_shapes(name: str, parameters: Any, others: Any, value: Any) -> None:
    ours, theirs = (_made(T, name, parameters, others)[0] for T in (chainrule, torch))
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    assert ours.has_rsample == theirs.has_rsample
    assert tuple(ours.sample((5,)).shape) == tuple(theirs.sample((5,)).shape)
    assert str(ours.sample().dtype) == str(theirs.sample().dtype) or name == "Categorical"
    wide, reference = (d.expand((2, *d.batch_shape)) for d in (ours, theirs))
    assert tuple(wide.batch_shape) == tuple(reference.batch_shape)
    for what in ("mean", "variance", "stddev", "mode"):
        try:
            wanted = getattr(theirs, what)
        except NotImplementedError:
            continue
        assert_allclose(getattr(ours, what).detach(), wanted.detach(), rtol=1e-9, atol=1e-12, err_msg=what)
    v, w = chainrule.tensor(value), torch.tensor(value)
    assert_allclose(wide.log_prob(v[:2]).detach(), reference.log_prob(w[:2]).detach(), rtol=1e-8)
    if ours.has_enumerate_support:
        for expand in (True, False):
            a, b = ours.enumerate_support(expand), theirs.enumerate_support(expand)
            assert_allclose(a.detach(), b.detach())
    for what in ("cdf", "icdf"):
        x, y = (v, w) if what == "cdf" else (chainrule.tensor(UNIT), torch.tensor(UNIT))
        try:
            wanted = getattr(theirs, what)(y)
        except (NotImplementedError, ValueError):
            continue
        assert_allclose(getattr(ours, what)(x).detach(), wanted.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "parameters", "others", "value", "what"),
    [
        pytest.param(*case, what, id=f"{label} {what}")
        for case, label in zip(CASES, IDS, strict=True)
        for what in ("log_prob", "entropy", "perplexity")
        if what == "log_prob" or case[0] != "Poisson"  # of which PyTorch has no entropy
    ],
)
def test_values_and_gradients(name: str, parameters: Any, others: Any, value: Any, what: str) -> None:
    results = []
    for T in (chainrule, torch):
        d, leaves = _made(T, name, parameters, others)
        x = T.tensor(value, requires_grad=name in ("Normal", "Gamma", "Beta", "MultivariateNormal"))
        out = d.log_prob(x) if what == "log_prob" else getattr(d, what)()
        (out * T.arange(1.0, out.numel() + 1, dtype=T.float64).reshape(out.shape)).sum().backward()
        grads = [p.grad for p in leaves] + ([x.grad] if x.requires_grad and what == "log_prob" else [])
        results.append((out.detach(), grads))
    (ours, our_grads), (theirs, their_grads) = results
    assert tuple(ours.shape) == tuple(theirs.shape)
    # PyTorch takes the logarithm of a multinomial's n! in float32.
    rough = name == "Multinomial" and what != "log_prob"
    assert_allclose(ours, theirs, rtol=1e-6 if rough else 1e-9, atol=1e-12)
    for a, b, p in zip(our_grads, their_grads, [*parameters, "value"], strict=False):
        zero = np.zeros(())
        a, b = (zero if g is None else np.asarray(g) for g in (a, b))
        assert_allclose(a, b, rtol=1e-7, atol=1e-10, err_msg=p)


_SAME = [name for name in dict.fromkeys(case[0] for case in CASES) if name not in ("Multinomial", "Uniform")]
PAIRS = [
    *[(name, name) for name in _SAME],
    *[(name, "Normal") for name in ("Laplace", "Uniform", "Beta", "Gamma", "Exponential")],
    *[("Gamma", "Exponential"), ("Exponential", "Gamma")],
]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_divergences_and_their_gradients(p: str, q: str) -> None:
    table = {name: (parameters, others) for name, parameters, others, _ in CASES}
    results = []
    for T in (chainrule, torch):
        first, leaves = _made(T, p, *table[p])
        moved = {
            k: v if k.startswith(("cov", "prec", "scale_tril", "prob")) else v + 0.3
            for k, v in table[q][0].items()
        }
        second, more = _made(T, q, moved, table[q][1])
        out = T.distributions.kl_divergence(first, second)
        out.sum().backward()
        results.append((out.detach(), [x.grad for x in (*leaves, *more)]))
    (ours, our_grads), (theirs, their_grads) = results
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    for a, b in zip(our_grads, their_grads, strict=True):
        # What is above the diagonal of scale_tril has no say; some of PyTorch's formulas multiply by it.
        lower = np.tril if p == "MultivariateNormal" and a.ndim == 3 else np.asarray
        assert_allclose(lower(a), lower(b), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "expression",
    [
        "D.Normal(0.0, -1.0)",
        "D.Normal(float('nan'), 1.0)",
        "D.Laplace(0.0, 0.0)",
        "D.Uniform(1.0, 0.0)",
        "D.Exponential(-1.0)",
        "D.Gamma(0.0, 1.0)",
        "D.Beta(1.0, -1.0)",
        "D.Poisson(-1.0)",
        "D.Bernoulli(1.5)",
        "D.Bernoulli()",
        "D.Bernoulli(0.5, 0.5)",
        "D.Binomial(-1, T.tensor(0.5))",
        "D.Binomial(3, T.tensor(-0.5))",
        "D.Categorical(T.tensor([-0.5, 1.0]))",
        "D.Categorical(T.tensor(0.5))",
        "D.MultivariateNormal(T.zeros(2), T.tensor([[1.0, 2.0], [2.0, 1.0]]))",
        "D.MultivariateNormal(T.zeros(2), T.tensor([[1.0, 0.5], [0.0, 1.0]]))",
        "D.MultivariateNormal(T.zeros(2))",
        "D.Normal(T.ones(2), T.ones(3))",
        "D.Normal(0.0, 1.0).log_prob(T.tensor(float('nan')))",
        "D.Normal(T.ones(2), 1.0).log_prob(T.ones(3))",
        "D.Uniform(0.0, 1.0).log_prob(T.tensor(2.0))",
        "D.Exponential(1.0).log_prob(T.tensor(-1.0))",
        "D.Poisson(1.0).log_prob(T.tensor(0.5))",
        "D.Binomial(3, T.tensor(0.5)).log_prob(T.tensor(4.0))",
        "D.Bernoulli(0.5).log_prob(T.tensor(0.5))",
        "D.Beta(1.0, 1.0).log_prob(T.tensor(1.5))",
        "D.Categorical(T.ones(3)).log_prob(T.tensor(3))",
        "D.Poisson(1.0).rsample()",
        "D.Categorical(T.ones(3)).rsample()",
        "D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))",
    ],
)
def test_refusals(expression: str) -> None:
    errors = []
    for T in (chainrule, torch):
        with pytest.raises(Exception) as info:
            eval(expression, {"D": T.distributions, "T": T, "float": float})
        errors.append(info.value)
    ours, theirs = errors
    family = next(f for f in (NotImplementedError, ValueError, RuntimeError) if isinstance(theirs, f))
    assert isinstance(ours, family)
    assert isinstance(ours, chainrule.ChainruleError)


def test_names() -> None:
    shared = set(chainrule.distributions.__all__) & set(dir(torch.distributions))
    for name in ("Normal", "Gamma", "Categorical", "kl_divergence", "register_kl", "Distribution"):
        assert name in shared
    for name in shared:
        ours, theirs = getattr(chainrule.distributions, name), getattr(torch.distributions, name)
        if isinstance(theirs, type) and name != "Distribution":
            have, wanted = (list(inspect.signature(kind).parameters) for kind in (ours, theirs))
            assert have == wanted, name


def test_how_gamma_draws_move_with_their_shape() -> None:
    # PyTorch knows the slope of a draw to about 1e-4 only, even in float64.
    for a in (0.3, 1.5, 8.0, 40.0):
        x = torch.distributions.Gamma(torch.tensor(a).double(), 1.0).sample((20,))
        shape = chainrule.full((20,), a, dtype=chainrule.float64).requires_grad_()
        out = moving(chainrule.tensor(x.log().numpy()), shape).exp()
        out.sum().backward()
        wanted = torch._standard_gamma_grad(torch.full((20,), a, dtype=torch.float64), x)
        assert_allclose(shape.grad, wanted, rtol=1e-3)
