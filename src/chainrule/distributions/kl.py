"""Kullback-Leibler divergences between distributions: a registry of formulas by pairs of types.

`register_kl` adds a formula, `kl_divergence` finds the one for the nearest types. Tables of probabilities
have their own: `chainrule.statistics.kl_divergence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from ..core.errors import ArgumentError
from ..functions.elementwise import where
from ..functions.linalg import solve
from ..functions.pointwise import digamma, exp, lgamma, log
from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution, NoFormulaError
from .exponential import Exponential
from .gamma import Gamma
from .laplace import Laplace
from .multinomial import Multinomial
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .parameters import LOG_2PI, log_beta, log_of, weighted
from .poisson import Poisson
from .uniform import Uniform

Formula = TypeVar("Formula", bound=Callable[..., Tensor])

_FORMULAS: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type[Distribution], type_q: type[Distribution]) -> Callable[[Formula], Formula]:
    """A decorator: the function computes KL(p || q) for p and q of these types and types derived from them.

    >>> class Coin(Bernoulli): pass
    >>> @register_kl(Coin, Coin)
    ... def between_coins(p, q):
    ...     return p.probs * 0 + 7
    >>> kl_divergence(Coin(0.5), Coin(0.5))
    tensor(7.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise ArgumentError.of(
                "register_kl", given=f"{kind!r}", must="both arguments must be classes of distributions"
            )

    def put(formula: Formula) -> Formula:
        _FORMULAS[type_p, type_q] = formula
        return formula

    return put


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q) = E_p[log p - log q], in nats: 0 if they are equal, infinite where q cannot do what p does.

    Shapes:  batch_shape of p and q, broadcast.
    Raises:  NoFormulaError if there is no formula for these types.

    >>> import chainrule as torch
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    for kind_p in type(p).__mro__:
        for kind_q in type(q).__mro__:
            formula = _FORMULAS.get((kind_p, kind_q))
            if formula is not None:
                return formula(p, q)
    raise NoFormulaError.of(
        "kl_divergence",
        given=f"{type(p).__name__} and {type(q).__name__}",
        must="there is no formula for these two",
        hint="x = p.sample((10_000,)); (p.log_prob(x) - q.log_prob(x)).mean(0), or register_kl",
    )


@register_kl(Normal, Normal)
def _normals(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - log(ratio)) / 2


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normals(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    k = p.event_shape[0]
    if k != q.event_shape[0]:
        raise ArgumentError.of(
            "kl_divergence",
            given=f"MultivariateNormal of {k} and of {q.event_shape[0]} components",
            must="both must be distributions of vectors of one length",
        )
    ratio = solve(q.scale_tril, p.scale_tril)  # (..., k, k)
    apart = solve(q.scale_tril, (q.loc - p.loc).unsqueeze(-1))  # (..., k, 1)
    trace, distance = (ratio**2).sum((-2, -1)), (apart**2).sum((-2, -1))
    out: Tensor = (trace + distance - k) / 2 + q._half_log_det - p._half_log_det
    return out


@register_kl(Laplace, Laplace)
def _laplaces(p: Laplace, q: Laplace) -> Tensor:
    ratio = p.scale / q.scale
    apart = abs(p.loc - q.loc)
    return ratio * exp(-apart / p.scale) + apart / q.scale - log(ratio) - 1


@register_kl(Uniform, Uniform)
def _uniforms(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.low <= p.low) & (p.high <= q.high)
    return where(inside, log((q.high - q.low) / (p.high - p.low)), math.inf)


@register_kl(Exponential, Exponential)
def _exponentials(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - log(ratio)


@register_kl(Gamma, Gamma)
def _gammas(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return (
        b * log(p.rate / q.rate)
        + lgamma(b)
        - lgamma(a)
        + (a - b) * digamma(a)
        + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    return (
        log_beta(c, d)
        - log_beta(a, b)
        + (a - c) * digamma(a)
        + (b - d) * digamma(b)
        + (c + d - a - b) * digamma(a + b)
    )


@register_kl(Poisson, Poisson)
def _poissons(p: Poisson, q: Poisson) -> Tensor:
    return weighted(p.rate, log_of(p.rate) - log_of(q.rate)) - (p.rate - q.rate)


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p: Any, q: Any) -> Tensor:
    yes = weighted(p.probs, p._log_yes - q._log_yes)
    return yes + weighted(1 - p.probs, p._log_no - q._log_no)


@register_kl(Binomial, Binomial)
def _binomials(p: Binomial, q: Binomial) -> Tensor:
    # More trials than q has can bring counts that q never brings; with fewer there is no closed form.
    each: Tensor = p.total_count * _bernoullis(p, q)
    known = where(p.total_count == q.total_count, each, math.nan)
    return where(p.total_count > q.total_count, math.inf, known)


@register_kl(Categorical, Categorical)
def _categoricals(p: Any, q: Any) -> Tensor:
    return weighted(p.probs, p.logits - q.logits).sum(-1)


@register_kl(Multinomial, Multinomial)
def _multinomials(p: Multinomial, q: Multinomial) -> Tensor:
    if p.total_count != q.total_count:
        raise ArgumentError.of(
            "kl_divergence",
            given=f"Multinomial with total_count {p.total_count} and {q.total_count}",
            must="both must count equally many draws",
        )
    return p.total_count * _categoricals(p, q)


@register_kl(Uniform, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Beta, Normal)
@register_kl(Laplace, Normal)
def _any_normal(p: Any, q: Normal) -> Tensor:
    # E[-log q] needs the mean and the variance of p only.
    expected = log(q.scale) + LOG_2PI / 2 + (p.variance + (p.mean - q.loc) ** 2) / (2 * q.scale**2)
    out: Tensor = expected - p.entropy()
    return out


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    return _gammas(Gamma(p.rate**0, p.rate, validate_args=False), q)


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Gamma, q: Exponential) -> Tensor:
    return _gammas(p, Gamma(q.rate**0, q.rate, validate_args=False))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    inside = (q.low <= 0) & (q.high >= 1)
    return where(inside, log(q.high - q.low) - p.entropy(), math.inf)
