"""Experiments of the course in one line each: capacity, regularisation, stability, steps.

Each function runs the library's own code (layers, losses, optimizers, compiled loops) on a small problem,
takes seconds at most, and returns a `Result`: printed it is a table, `result["name"]` is a number,
`result.plot()` a picture. The numbers are the same in every run (`seed=`), and the user's random stream is
left where it was.

    >>> from chainrule import experiments
    >>> round(experiments.exploding_products([1.0])["growth"][0], 3)  # of the logarithm, for each factor
    0.558

    capacity.py       polynomial: under, right, over
    decay.py          weight_decay: more inputs than rows; decoupled_decay: in the loss or in the update
    constraint.py     norm_constraint: ‖w‖² <= θ, and its λ
    sparsity.py       sparsity: L1 with exact zeros, and without
    dropout.py        dropout: E[x'] = x, and the identity at inference
    stopping.py       early_stopping
    splitting.py      k_fold: three parts without a leak; leakage: what a leak pretends
    depth.py          initialisation: variances through depth; exploding_products
    clipping.py       clipping
    normalisation.py  normalisation
    xor.py            xor: no line, one hidden layer
    steps.py          learning_rate, batch_size
    accumulation.py   accumulation: a large batch in pieces
    shift.py          covariate_shift

`result.py` is what they return, `training.py` the loop they share. `docs/course/` shows each with its
picture.
"""

from .accumulation import accumulation
from .capacity import polynomial
from .clipping import clipping
from .constraint import norm_constraint
from .decay import decoupled_decay, weight_decay
from .depth import exploding_products, initialisation
from .dropout import dropout
from .normalisation import normalisation
from .result import Result
from .shift import covariate_shift
from .sparsity import sparsity
from .splitting import k_fold, leakage
from .steps import batch_size, learning_rate
from .stopping import early_stopping
from .xor import xor

__all__ = [
    "Result",
    "accumulation",
    "batch_size",
    "clipping",
    "covariate_shift",
    "decoupled_decay",
    "dropout",
    "early_stopping",
    "exploding_products",
    "initialisation",
    "k_fold",
    "leakage",
    "learning_rate",
    "norm_constraint",
    "normalisation",
    "polynomial",
    "sparsity",
    "weight_decay",
    "xor",
]
