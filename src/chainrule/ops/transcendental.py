"""Entries: exponentials, logarithms, circular and hyperbolic functions, erf, sigmoid. Elementwise.

Next: `compare.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import special
from ..core.vector import log_add_exp
from .batching import ALIGNED
from .primitive import DIAGONAL, ELEMENTWISE, USE_NUMPY, Primitive, Sample, primitive, sample
from .rules import FLOAT_ONLY, FLOATING, broadcast, same_shape
from .samples import floats, positive


def _function(
    name: str,
    numpy: Any,
    vjp: Any,
    d: str,
    why: str,
    *samples: Sample,
    formula: str = "",
    ties: str = "",
    lower: Any = None,
) -> Primitive:
    """An entry for a function of floats; lower: as in `primitive`, or the Emitter's method of that name."""
    return primitive(
        name, kind=ELEMENTWISE, formula=formula or f"{name}(x)", shape=same_shape, dtype=FLOATING,
        numpy=numpy, lower=lower or (lambda b, x: getattr(b, name)(x)), batch=ALIGNED,
        vjp=(vjp,), jvp=DIAGONAL, d=d, why=why, ties=ties, samples=samples or (sample(floats()),),
    )  # fmt: skip


_LN2, _LN10 = math.log(2), math.log(10)

EXP = _function("exp", np.exp, lambda g, out: g * out, "exp(x)", "exponential")
EXP2 = _function("exp2", np.exp2, lambda g, out: g * (out * _LN2), "exp2(x) * log(2)", "exponential")
EXPM1 = _function(
    "expm1", np.expm1, lambda g, out: g * (out + 1), "exp(x)", "exponential", formula="exp(x) - 1"
)
LOG = _function("log", np.log, lambda g, x: g / x, "1 / x", "logarithm", sample(positive()))
LOG2 = _function(
    "log2", np.log2, lambda g, x: g / (x * _LN2), "1 / (x * log(2))", "logarithm", sample(positive())
)
LOG10 = _function(
    "log10", np.log10, lambda g, x: g / (x * _LN10), "1 / (x * log(10))", "logarithm", sample(positive())
)
LOG1P = _function(
    "log1p",
    np.log1p,
    lambda g, x: g / (x + 1),
    "1 / (1 + x)",
    "logarithm",
    sample(floats(-0.6, 3)),
    formula="log(1 + x)",
)
SQRT = _function(
    "sqrt", np.sqrt, lambda g, out: g / (2 * out), "1 / (2 * sqrt(x))", "power rule", sample(positive()),
    ties="infinite at x = 0",
)  # fmt: skip


def _rsqrt(x: Any, out: Any = None) -> Any:
    return np.reciprocal(np.sqrt(x, out=out), out=out)


RSQRT = _function(
    "rsqrt", _rsqrt, lambda g, out: g * (-0.5 * out * out * out), "-0.5 * x**-1.5", "power rule",
    sample(positive()), formula="1 / sqrt(x)",
)  # fmt: skip
SIN = _function("sin", np.sin, lambda g, x: g * x.cos(), "cos(x)", "sine")
COS = _function("cos", np.cos, lambda g, x: -g * x.sin(), "-sin(x)", "cosine")
TAN = _function(
    "tan",
    np.tan,
    lambda g, out: g * (1 + out * out),
    "1 + tan(x)**2",
    "quotient rule",
    sample(floats(-1.2, 1.2)),
)
ASIN = _function(
    "asin", np.arcsin, lambda g, x: g / (1 - x * x).sqrt(), "1 / sqrt(1 - x**2)", "inverse function",
    sample(floats(-0.8, 0.8)),
)  # fmt: skip
ACOS = _function(
    "acos", np.arccos, lambda g, x: -g / (1 - x * x).sqrt(), "-1 / sqrt(1 - x**2)", "inverse function",
    sample(floats(-0.8, 0.8)),
)  # fmt: skip
ATAN = _function("atan", np.arctan, lambda g, x: g / (1 + x * x), "1 / (1 + x**2)", "inverse function")
SINH = _function("sinh", np.sinh, lambda g, x: g * x.cosh(), "cosh(x)", "hyperbolic sine")
COSH = _function("cosh", np.cosh, lambda g, x: g * x.sinh(), "sinh(x)", "hyperbolic cosine")
TANH = _function("tanh", np.tanh, lambda g, out: g * (1 - out * out), "1 - tanh(x)**2", "quotient rule")
ASINH = _function(
    "asinh", np.arcsinh, lambda g, x: g / (1 + x * x).sqrt(), "1 / sqrt(1 + x**2)", "inverse function"
)  # fmt: skip
ACOSH = _function(
    "acosh", np.arccosh, lambda g, x: g / (x * x - 1).sqrt(), "1 / sqrt(x**2 - 1)", "inverse function",
    sample(floats(1.4, 3)),
)  # fmt: skip
ATANH = _function(
    "atanh",
    np.arctanh,
    lambda g, x: g / (1 - x * x),
    "1 / (1 - x**2)",
    "inverse function",
    sample(floats(-0.8, 0.8)),
)

ERF = _function(
    "erf", special.erf, lambda g, x: g * ((2 / math.sqrt(math.pi)) * (-x * x).exp()),
    "2 / sqrt(pi) * exp(-x**2)", "integral of the normal density",
)  # fmt: skip
ERFC = _function(
    "erfc", special.erfc, lambda g, x: g * ((-2 / math.sqrt(math.pi)) * (-x * x).exp()),
    "-2 / sqrt(pi) * exp(-x**2)", "integral of the normal density", formula="1 - erf(x)",
)  # fmt: skip
ERFINV = _function(
    "erfinv", special.erfinv, lambda g, out: g * ((math.sqrt(math.pi) / 2) * (out * out).exp()),
    "sqrt(pi) / 2 * exp(erfinv(x)**2)", "inverse function", sample(floats(-0.8, 0.8)),
)  # fmt: skip
LGAMMA = _function(
    "lgamma", special.lgamma, lambda g, x: g * x.digamma(), "digamma(x)", "definition of digamma",
    sample(floats(0.4, 4)), sample(floats(-1.8, -1.2)), formula="log(|gamma(x)|)",
)  # fmt: skip
DIGAMMA = _function(
    "digamma", special.digamma, lambda g, x: g * POLYGAMMA(x, n=1), "polygamma(x, n=1)",
    "definition of polygamma", sample(floats(0.4, 4)), sample(floats(-1.8, -1.2)),
)  # fmt: skip
POLYGAMMA: Primitive = primitive(
    "polygamma", kind=ELEMENTWISE, formula="polygamma(n, x)", shape=same_shape, dtype=FLOATING,
    numpy=lambda x, *, n: special.polygamma(x, n), lower=USE_NUMPY, batch=ALIGNED,
    vjp=(lambda g, x, n: g * POLYGAMMA(x, n=n + 1),), jvp=DIAGONAL, d="polygamma(x, n=n + 1)",
    why="definition of polygamma",
    samples=[sample(floats(0.7, 4), n=1), sample(floats(0.9, 4), n=2), sample(floats(-1.8, -1.2), n=1)],
)  # fmt: skip


def _sigmoid(x: Any, out: Any = None) -> Any:
    # exp of a number that is not positive never overflows, and keeps the small values of the left tail.
    # -|x| is written as a choice, so that the rule is analytic for who evaluates it on complex numbers.
    e = np.exp(np.minimum(x, -x))
    return np.divide(np.where(x >= 0, x.dtype.type(1), e), 1 + e, out=out)


SIGMOID = _function(
    "sigmoid", _sigmoid, lambda g, out: g * (out * (1 - out)), "sigmoid(x) * (1 - sigmoid(x))",
    "quotient rule", formula="1 / (1 + exp(-x))",
)  # fmt: skip


def _square_length(x: Any, y: Any) -> Any:
    """x**2 + y**2, with 1 in the place of 0, where what it divides is 0."""
    d = x * x + y * y
    return (d == 0).where(1.0, d)


ATAN2 = primitive(
    "atan2", kind=ELEMENTWISE, inputs="x y", formula="atan2(x, y)", shape=broadcast, dtype=FLOATING,
    numpy=np.arctan2, lower=lambda b, x, y: b.atan2(x, y), batch=ALIGNED,
    vjp=(lambda g, x, y: g * (y / _square_length(x, y)), lambda g, x, y: g * (-x / _square_length(x, y))),
    jvp=DIAGONAL, d=("y / (x**2 + y**2)", "-x / (x**2 + y**2)"), why="inverse function",
    ties="0 at x = y = 0",
    samples=[sample(positive(), floats()), sample(floats(-3, -0.5, (2, 1)), positive((3,)))],
)  # fmt: skip


def _log_add_exp_lower(b: Any, x: Any, y: Any) -> Any:
    gap = b.select(b.eq(x, y), 0, b.abs(b.sub(x, y)))  # equal infinities have no gap
    return b.add(b.maximum(x, y), b.log1p(b.exp(b.neg(gap))))


LOGADDEXP = primitive(
    "logaddexp", kind=ELEMENTWISE, inputs="x y", formula="log(exp(x) + exp(y))", shape=broadcast,
    dtype=FLOAT_ONLY, numpy=log_add_exp, lower=_log_add_exp_lower, batch=ALIGNED,
    vjp=(lambda g, x, y: g * (x - y).sigmoid(), lambda g, x, y: g * (y - x).sigmoid()),
    jvp=DIAGONAL, d=("sigmoid(x - y)", "sigmoid(y - x)"), why="chain rule",
    samples=[sample(floats(), floats()), sample(floats(shape=(2, 1)), floats(shape=(3,)))],
)  # fmt: skip
