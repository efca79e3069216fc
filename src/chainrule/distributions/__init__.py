"""Probability distributions under PyTorch's names: draws, densities, moments, entropies, divergences.

    distribution.py  what all have in common: shapes, checks, draws without gradient
    normal.py uniform.py laplace.py exponential.py gamma.py beta.py multivariate_normal.py    numbers, vectors
    bernoulli.py binomial.py categorical.py multinomial.py poisson.py                         counts, choices
    rejection.py     draws that need several attempts
    kl.py            divergences;  constraints.py: what parameters and values must satisfy

Joint tables, entropies of tables and calibration: `chainrule.statistics`.
"""

from __future__ import annotations

from . import (
    bernoulli,
    beta,
    binomial,
    categorical,
    constraints,
    exponential,
    gamma,
    kl,
    laplace,
    multinomial,
    multivariate_normal,
    normal,
    poisson,
    uniform,
)
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution, NoFormulaError
from .exponential import Exponential
from .gamma import Gamma
from .kl import kl_divergence, register_kl
from .laplace import Laplace
from .multinomial import Multinomial
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .poisson import Poisson
from .uniform import Uniform

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Distribution",
    "Exponential",
    "Gamma",
    "Laplace",
    "Multinomial",
    "MultivariateNormal",
    "NoFormulaError",
    "Normal",
    "Poisson",
    "Uniform",
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "constraints",
    "exponential",
    "gamma",
    "kl",
    "kl_divergence",
    "laplace",
    "multinomial",
    "multivariate_normal",
    "normal",
    "poisson",
    "register_kl",
    "uniform",
]
