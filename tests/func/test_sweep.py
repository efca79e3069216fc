"""Every op of the table under `func`: Jacobians in both modes and second derivatives in every nesting.

The wanted values are central differences: of values for Jacobians, of gradients (which the sweep of the ops
compares with differences of values) for second derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chainrule.base import wrap
from chainrule.func import jacfwd, jacrev, jvp, vjp
from tests.ops.cases import Array, Case, differentiable, evaluate, moved, run, tensors
from tests.ops.check_derivatives import differences, gradients
from tests.ops.test_sweep import SMOOTH, every_derivative
from tests.tolerances import assert_close, difference_tolerance


class Setup:
    """One sample as a function of the inputs that have derivatives."""

    def __init__(self, case: Case) -> None:
        self.case, self.arrays = case, case.arrays()
        self.settings = case.sample.settings_for(self.arrays)
        self.by = differentiable(case, self.arrays, self.settings)
        self.points = tuple(wrap(np.array(self.arrays[i])) for i in self.by)
        self.bound = difference_tolerance(case.op.name)

    def function(self, *xs: Any) -> Any:
        given = tensors(self.arrays)
        for i, x in zip(self.by, xs, strict=True):
            given[i] = x
        return run(self.case, given, self.settings)

    def jacobians(self) -> list[Array]:
        """(*out, *x) for each input, by central differences of values."""
        (out,) = evaluate(self.case, self.arrays, self.settings)
        return [
            last_first(
                differences(
                    lambda v, i=i: evaluate(self.case, moved(self.arrays, i, v), self.settings)[0],
                    self.arrays[i],
                ),
                out.shape,
                self.arrays[i].shape,
            )
            for i in self.by
        ]


def last_first(rows: Array, y: tuple[int, ...], x: tuple[int, ...]) -> Array:
    """Differences (elements of x, *y) as a Jacobian (*y, *x)."""
    return np.moveaxis(rows.reshape(math.prod(x), *y), 0, -1).reshape(y + x)


@every_derivative
def test_jacobians(case: Case) -> None:
    s = Setup(case)
    if not s.by:
        return
    wanted = s.jacobians()
    places = tuple(range(len(s.by)))
    for transform in (jacfwd, jacrev):
        found = transform(s.function, places)(*s.points)
        for j, exact in zip(found, wanted, strict=True):
            assert not j.requires_grad
            assert_close(j.numpy(), exact, s.bound, f"{case}: {transform.__name__}")


@every_derivative
def test_products_are_adjoint(case: Case) -> None:
    s = Setup(case)
    if not s.by:
        return
    rng = case.rng()
    along = tuple(wrap(rng.standard_normal(x.shape)) for x in s.points)
    value, moves = jvp(s.function, s.points, along)
    g = wrap(rng.standard_normal(tuple(value.shape)))
    back = vjp(s.function, *s.points)[1](g)
    left = float((g * moves).sum())
    terms = [(b * v).numpy() for b, v in zip(back, along, strict=True)]
    scale = 1 + sum(float(np.abs(t).sum()) for t in terms)
    assert abs(left - sum(float(t.sum()) for t in terms)) <= 1e-13 * scale


NESTINGS = {
    "jacfwd(jacrev)": (jacfwd, jacrev),
    "jacrev(jacrev)": (jacrev, jacrev),
    "jacfwd(jacfwd)": (jacfwd, jacfwd),
    "jacrev(jacfwd)": (jacrev, jacfwd),
}


@pytest.mark.parametrize("case", [c for c in SMOOTH if c.sample.smooth], ids=str)
def test_second_derivatives_in_every_nesting(case: Case) -> None:
    s = Setup(case)
    if not s.by:
        return
    rng = case.rng()
    weights = rng.standard_normal(evaluate(case, s.arrays, s.settings)[0].shape)

    def functional(*xs: Any) -> Any:
        return (s.function(*xs) * wrap(weights)).sum()

    places = tuple(range(len(s.by)))
    wanted = [
        [
            differences(
                lambda v, i=i, k=k: gradients(case, moved(s.arrays, i, v), s.settings, weights, s.by)[k],
                s.arrays[i],
            )
            for i in s.by
        ]
        for k in range(len(s.by))
    ]
    for name, (outer, inner) in NESTINGS.items():
        found = outer(inner(functional, places), places)(*s.points)
        for k, row in enumerate(found):
            for n, second in enumerate(row):
                exact = last_first(wanted[k][n], s.arrays[s.by[k]].shape, s.arrays[s.by[n]].shape)
                assert_close(second.numpy(), exact, s.bound, f"{case}: {name}, by inputs {k} and {n}")
