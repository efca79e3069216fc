"""Entry: the order of elements along an axis. Sorted values are gathered by it (`functions/ordering.py`).

Next: `contract.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .batching import Stacked
from .primitive import NOT_DIFFERENTIABLE, SCAN, USE_NUMPY, primitive, sample
from .rules import COUNTS, same_shape
from .samples import distinct


def _argsort(x: Any, *, dim: int, descending: bool) -> Any:
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # Stable and descending: sort the reversed array ascending, then read it backwards. NaN counts as largest.
    n = x.shape[dim]
    order = np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return np.ascontiguousarray(n - 1 - order)


ARGSORT = primitive(
    "argsort", kind=SCAN, formula="argsort(x)", shape=same_shape, dtype=COUNTS, numpy=_argsort,
    lower=USE_NUMPY, batch=Stacked("dim"),
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why="piecewise constant",
    ties="equal elements keep their order",
    samples=[sample(distinct(), dim=1, descending=False), sample(distinct((3, 2)), dim=0, descending=True)],
)  # fmt: skip
