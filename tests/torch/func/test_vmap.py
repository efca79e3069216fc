"""vmap over every row of the tables of functions, and the forms of its arguments, against PyTorch.

The tables: what a function gives for three sets of inputs at once must be what PyTorch gives for each of
them, one after the other; so must be its gradients, and what two vmaps, one in the other, give.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chainrule
from tests.torch.both import Refused, Row, weighted
from tests.torch.func.test_tables import CLOSE, ROWS, attempt, function

# Those two return a bool of Python, which cannot differ by row.
MAPPED = [row for row in ROWS if not row.expression.startswith(("T.allclose(", "T.equal("))]
every_row = pytest.mark.parametrize("row", MAPPED, ids=str)


def stacks(arrays: dict[str, Any], *sizes: int) -> dict[str, Any]:
    """Every input many times, moved a little where that keeps it what it is: a number."""
    rng = np.random.default_rng(3)
    found = {}
    for name, a in arrays.items():
        many = np.broadcast_to(a, (*sizes, *a.shape)).copy()
        found[name] = many + 0.01 * rng.normal(size=many.shape) if a.dtype.kind == "f" else many
    return found


def row_by_row(f: Callable[..., Any], many: dict[str, Any], depth: int) -> list[Any]:
    """What PyTorch gives for each set of inputs, stacked."""
    if depth == 0:
        return [y.detach() for y in f(*[torch.from_numpy(a.copy()) for a in many.values()])]
    size = len(next(iter(many.values())))
    each = [row_by_row(f, {k: np.asarray(a[i]) for k, a in many.items()}, depth - 1) for i in range(size)]
    return [torch.stack(list(parts)) for parts in zip(*each, strict=True)]


def compare(row: Row, depth: int, of: Callable[[Any, Callable[..., Any], int], Callable[..., Any]]) -> None:
    for arrays in row.arrays("float64"):
        if not arrays:
            continue
        names = list(arrays)
        many = stacks(arrays, *(3, 2)[:depth])
        its = of(torch, function(torch, row, names), len(names))
        theirs = attempt(lambda its=its, many=many: row_by_row(its, many, depth))
        mine = of(chainrule, function(chainrule, row, names), len(names))
        for _ in range(depth):
            mine = chainrule.func.vmap(mine)
        given = [chainrule.from_numpy(a.copy()) for a in many.values()]
        if isinstance(theirs, Refused):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = mine(*given)
        rtol, atol = CLOSE["float32" if "float32" in row.expression else "float64"]
        for y, z in zip(ours, theirs, strict=True):
            got, wanted = y.detach().numpy(), z.numpy()
            assert got.shape == wanted.shape
            known = np.isfinite(wanted)
            np.testing.assert_allclose(got[known], wanted[known], rtol=rtol, atol=atol)


def values(T: Any, f: Callable[..., Any], count: int) -> Callable[..., Any]:
    return f


def gradients(T: Any, f: Callable[..., Any], count: int) -> Callable[..., Any]:
    return T.func.grad(lambda *ys: weighted(T, list(f(*ys))), tuple(range(count)))  # type: ignore[no-any-return]


@every_row
def test_rows(row: Row) -> None:
    compare(row, 1, values)


@every_row
def test_rows_of_rows(row: Row) -> None:
    compare(row, 2, values)


@every_row
def test_gradients_of_rows(row: Row) -> None:
    compare(row, 1, gradients)
