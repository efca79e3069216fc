"""Statistics and information: tables of probabilities, Bayes' rule, entropies, calibration, experiments.

    information.py  entropies, divergences, mutual information, perplexity of plain tensors, in nats or bits
    table.py        joint, marginal and conditional probabilities with named axes; Bayes' rule
    choice.py       hard and soft maximum, temperature, margins
    calibration.py  whether probabilities are to be believed: reliability curve, ECE
    experiments.py  the law of large numbers; maximum likelihood and least squares

Distributions with parameters: `chainrule.distributions`. `docs/statistics.md` shows both.
"""

from .calibration import Calibration, calibration
from .choice import hardmax, margin, smooth_maximum, softmax_at, softmin, temperatures
from .experiments import Dice, GaussianLikelihood, dice, gaussian_likelihood
from .information import (
    conditional_entropy,
    cross_entropy,
    entropy,
    kl_divergence,
    mutual_information,
    perplexity,
    self_information,
)
from .table import Table, bayes

__all__ = [
    "Calibration",
    "Dice",
    "GaussianLikelihood",
    "Table",
    "bayes",
    "calibration",
    "conditional_entropy",
    "cross_entropy",
    "dice",
    "entropy",
    "gaussian_likelihood",
    "hardmax",
    "kl_divergence",
    "margin",
    "mutual_information",
    "perplexity",
    "self_information",
    "smooth_maximum",
    "softmax_at",
    "softmin",
    "temperatures",
]
