"""Values and derivatives of a function of one number, at many points.

A derivative is never a difference quotient here: the function runs on a tensor, and backward gives the slope.
It runs once for each point, on a 0-d tensor, so it may be written with `if` and `while`, and what it computes
at one point cannot depend on the others. Next: `functions.py`, which draws them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad
from ..core.dtypes import float64
from ..core.errors import ArgumentError, GradError, ShapeError
from ..creation import tensor
from ..tape.mode import enable_grad, no_grad
from ..tensor import Tensor
from .values import Floats, shortened, written

Scalar = Callable[[Tensor], Any]


def values(f: Scalar, x: Floats, what: str, *, derivative: bool = False) -> tuple[Floats, Floats]:
    """f and, if asked for, its derivative at each of these points: (n,), (n,)."""
    if not callable(f):
        raise ArgumentError.of(
            what,
            given=f"f = {shortened(f)}",
            must="f must be a function of one number",
            hint="torch.sin, or lambda x: 3 * x**2",
        )
    y, slope = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for index, place in enumerate(x):
        argument = tensor(float(place), dtype=float64, requires_grad=derivative)
        with enable_grad() if derivative else no_grad():
            result = f(argument)
            y[index] = _one_number(result, what)
            if derivative:
                slope[index] = _slope(result, argument, what) if math.isfinite(y[index]) else math.nan
    if x.size > 1 and not np.isfinite(y).any():
        raise ArgumentError.of(
            what,
            given=f"a function that is no finite number at any of {x.size} points in"
            f" [{written(x.min())}, {written(x.max())}]",
            must="there must be something to draw",
            hint="xlim=(a, b) with an interval where it is defined",
        )
    return y, slope


def name_of(f: Any) -> str:
    """The name of a function as one writes it; 'f' for a lambda."""
    name = getattr(f, "__name__", "f")
    return "f" if name == "<lambda>" else name.strip("_") or "f"


def _one_number(result: Any, what: str) -> float:
    if isinstance(result, Tensor | np.ndarray | np.generic):
        if math.prod(result.shape) == 1:
            return float(result.detach() if isinstance(result, Tensor) else result.item())
        raise ShapeError.of(
            what,
            given=f"a function that gives shape {tuple(result.shape)} for a 0-d tensor",
            must="it must give one number for one number",
            hint="lambda x: model(x.reshape(1, 1)), for a model with one input and one output",
        )
    if isinstance(result, int | float):
        return float(result)
    raise ArgumentError.of(
        what,
        given=f"a function that gives {shortened(result)}",
        must="it must give one number for one number: a tensor of one element, or a float",
    )


def _slope(result: Any, argument: Tensor, what: str) -> float:
    slope = None
    if isinstance(result, Tensor) and result.requires_grad:
        (slope,) = grad(result.reshape(()), argument, allow_unused=True)
    if slope is None:
        raise GradError.of(
            what,
            given="a function whose result does not come from the tensor that it gets",
            must="its derivative is not known: what math, NumPy or float() compute is not recorded",
            hint="the functions of chainrule: torch.sin(x) instead of math.sin(x)",
        )
    return float(slope)
