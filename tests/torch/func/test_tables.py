"""Forward mode over every row of the tables of functions, against `torch.func`.

Each expression is a function of its tensors. Compared are how it moves along random directions, and how its
gradient does (forward mode over reverse mode: products with the Hessian).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import chainrule
from tests.torch.both import Refused, Row, evaluate, kernel_gap, weighted
from tests.torch.functions import (
    test_indexing,
    test_linalg,
    test_ordering,
    test_pointwise,
    test_reductions,
    test_shaping,
)

MODULES = (
    test_indexing, test_linalg, test_ordering, test_pointwise, test_reductions, test_shaping,
)  # fmt: skip
ROWS = [
    row
    for module in MODULES
    for row in module.TABLE
    if row.grad and not row.differs and "float64" in row.dtypes and "_(" not in row.expression
]
every_row = pytest.mark.parametrize("row", ROWS, ids=str)
# Relative and absolute, by type: some derivatives go through a sum or a solver in another order.
CLOSE = {"float64": (1e-7, 1e-8), "float32": (1e-4, 1e-5)}


def function(T: Any, row: Row, names: list[str]) -> Callable[..., Any]:
    """The expression as a function of its tensors, which gives the floating-point ones of its results."""

    def f(*xs: Any) -> tuple[Any, ...]:
        result = evaluate(T, row.expression, dict(zip(names, xs, strict=True)))
        if isinstance(result, Refused):
            raise result.error
        return tuple(floats(result))

    return f


def floats(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [y for part in result for y in floats(part)]
    return [result] if hasattr(result, "is_floating_point") and result.is_floating_point() else []


def attempt(action: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action()
    except Exception as error:
        return Refused(error)


def both_sides(row: Row, transform: Callable[[Any, Any, list[Any], list[Any]], Any]) -> None:
    """Apply a transform on both sides and compare."""
    for arrays in row.arrays("float64"):
        rng = np.random.default_rng(5)
        directions = {name: rng.normal(size=a.shape) for name, a in arrays.items()}
        found = []
        for T in (torch, chainrule):
            xs = [T.from_numpy(a.copy()) for a in arrays.values()]
            vs = [T.from_numpy(v.copy()) for v in directions.values()]
            found.append(attempt(partial(transform, T, function(T, row, list(arrays)), xs, vs)))
            if isinstance(found[0], Refused):
                break
        if isinstance(found[0], Refused):
            plain = attempt(partial(function(torch, row, list(arrays)), *xs))
            assert isinstance(plain, Refused) or not plain or kernel_gap(found[0].error)
            continue
        theirs, ours = found
        if isinstance(ours, Refused):
            raise AssertionError(f"ours refuses: {ours}") from ours.error
        coarse = "float32" if "float32" in row.expression else "float64"
        for value, mine, its in zip(theirs[0], ours[1], theirs[1], strict=True):
            same(value, mine, its, coarse)


def same(value: Any, ours: Any, theirs: Any, coarse: str) -> None:
    """Equal where PyTorch has numbers for the value and for how it moves: at poles formulas differ."""
    mine, its = ours.detach().numpy(), theirs.detach().numpy(force=True)
    assert mine.shape == its.shape
    known = np.isfinite(its) & np.isfinite(value.detach().numpy(force=True))
    rtol, atol = CLOSE[coarse]
    np.testing.assert_allclose(mine[known], its[known], rtol=rtol, atol=atol)


def moves(T: Any, f: Callable[..., Any], xs: list[Any], vs: list[Any]) -> Any:
    return T.func.jvp(f, tuple(xs), tuple(vs))


def gradient_moves(T: Any, f: Callable[..., Any], xs: list[Any], vs: list[Any]) -> Any:
    gradient = T.func.grad(lambda *ys: weighted(T, list(f(*ys))), tuple(range(len(xs))))
    return T.func.jvp(gradient, tuple(xs), tuple(vs))


@every_row
def test_jvp(row: Row) -> None:
    both_sides(row, moves)


@every_row
def test_jvp_of_the_gradient(row: Row) -> None:
    both_sides(row, gradient_moves)
