"""Entry: the p-norm for finite p other than 0 and 1 (those, and infinite p, are made of other entries).

Next: `contract.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .batching import Stacked
from .lowering import Composed
from .primitive import REDUCTION, primitive, sample
from .reduce import SUM, add_up, reduced, spread, wide
from .rules import FLOAT_ONLY
from .samples import floats, positive


def _norm(x: Any, *, p: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    w = wide(x)
    if p == 2:
        out = np.sqrt(add_up(np.square(w), axis=dim, keepdims=keepdim))
    else:
        out = np.power(add_up(np.power(np.abs(w), p), axis=dim, keepdims=keepdim), 1 / p)
    return out.astype(x.dtype, copy=False)


def _factor(out: Any, x: Any, p: float) -> Any:
    """d norm / d x; `out` has x's shape. Where x or the norm is 0 the value is 0 (a subgradient).

    Nothing is divided by 0 on the way, so the second derivative is finite there, too.
    """
    length = (out == 0).where(1.0, out)
    if p == 2:
        return x / length
    steps = ((x == 0).where(1.0, x.abs()) / length) ** (p - 1)
    return (out == 0).where(0.0, x.sign() * steps)


def _lowered(x: Any, *, p: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    if x.dtype.itemsize < 4:
        return NotImplemented
    if p == 2:
        return SUM(x.square(), dim=dim, keepdim=keepdim).sqrt()
    return SUM(x.abs() ** p, dim=dim, keepdim=keepdim) ** (1 / p)


NORM = primitive(
    "norm", kind=REDUCTION, formula="sum(|x|**p) ** (1/p)", shape=reduced, dtype=FLOAT_ONLY, numpy=_norm,
    lower=Composed(_lowered), batch=Stacked("dim"),
    vjp=(
        lambda g, out, x, x_shape, p, dim, keepdim: spread(g, x_shape, dim, keepdim)
        * _factor(spread(out, x_shape, dim, keepdim), x, p),
    ),
    jvp=lambda tangents, out, x, *, p, dim, keepdim: SUM(
        tangents[0] * _factor(spread(out, tuple(x.shape), dim, keepdim), x, p), dim=dim, keepdim=keepdim
    ),
    d="spread(g, x.shape, dim, keepdim) * sign(x) * (abs(x) / spread(out, x.shape, dim, keepdim)) ** (p - 1)",
    why="chain rule", ties="0 where x is 0, and where the whole norm is 0",
    samples=[
        sample(positive(), p=2.0, dim=(0, 1), keepdim=False),
        sample(floats(shape=(2, 3), avoid=(0,)), p=3.0, dim=(1,), keepdim=True),
        sample(floats(shape=(2, 3), avoid=(0,)), p=1.5, dim=(0,), keepdim=False),
        sample(floats(shape=(4,), avoid=(0,)), p=-1.0, dim=(0,), keepdim=False),
    ],
)  # fmt: skip
