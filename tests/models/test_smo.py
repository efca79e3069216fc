"""The native loop of SMO against the rule in plain Python; with room for few columns; its last step."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.models import smo
from chainrule.models.kernels import Kernel


def _problem(rows, copies, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    kernel = Kernel(x, "rbf", 0.5, 3, 0.0)
    low, high = -rng.random((copies, rows)), rng.random((copies, rows))
    low[:, ::7] = 0.0  # some that can only grow
    return smo.Problem(kernel.columns, kernel.diagonal(), rng.standard_normal((copies, rows)), low, high)


def _as_said(problem, tol, most):
    """What the docstring of `smo.py` says, one number after the other."""
    copies, n = problem.t.shape
    K = problem.block(np.arange(n))
    z, f = np.zeros((copies, n)), problem.t.copy()
    moved = 0
    while moved < most:
        can_grow = [(f[k], k) for k in np.ndindex(z.shape) if z[k] < problem.high[k]]
        can_shrink = [(f[k], k) for k in np.ndindex(z.shape) if z[k] > problem.low[k]]
        top, i = max(can_grow, key=lambda pair: pair[0])
        if top - min(value for value, _ in can_shrink) < tol:
            break
        best, j = -1.0, i
        for value, k in can_shrink:
            if value < top:
                gained = (top - value) ** 2 / max(K[i[1], i[1]] + K[k[1], k[1]] - 2 * K[i[1], k[1]], 1e-12)
                if gained > best:
                    best, j = gained, k
        curvature = max(K[i[1], i[1]] + K[j[1], j[1]] - 2 * K[i[1], j[1]], 1e-12)
        t = min((top - f[j]) / curvature, problem.high[i] - z[i], z[j] - problem.low[j])
        z[i] += t
        z[j] -= t
        f -= t * (K[:, i[1]] - K[:, j[1]])
        moved += 1
    return z, moved


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("rows", [2, 7, 8, 9, 60])
def test_the_loop_does_what_is_said(rows, copies):
    problem = _problem(rows, copies, seed=rows)
    wanted, moved = _as_said(problem, 1e-3, 40)
    z, f = np.zeros(problem.t.shape), problem.t.copy()
    assert smo._pairs(problem, smo.Columns(problem), z, f, 1e-3, 40) == moved
    np.testing.assert_allclose(z, wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(f, problem.slope(z), rtol=1e-9, atol=1e-12)
    assert abs(z.sum()) < 1e-12


def test_room_for_few_columns_changes_nothing(monkeypatch):
    problem = _problem(200, 1)
    plenty = smo.solve(problem, tol=1e-6, most=10**6)
    monkeypatch.setattr(smo, "_CACHE", 0)
    assert len(smo.Columns(problem).values) == 16
    few = smo.solve(problem, tol=1e-6, most=10**6)
    assert few.pairs == plenty.pairs > 100
    np.testing.assert_allclose(few.z, plenty.z, atol=1e-10)


def test_what_is_settled_is_the_same_at_all_free_numbers():
    problem = _problem(100, 2)
    found = smo.solve(problem, tol=1e-5, most=10**6)
    f = problem.slope(found.z)
    free = (found.z > problem.low) & (found.z < problem.high)
    assert free.sum() > 5
    np.testing.assert_allclose(f[free], found.offset, atol=1e-9)
    assert found.gap < 1e-9


def test_columns_that_are_kept_and_others():
    problem = _problem(50, 1)
    columns = smo.Columns(problem)
    columns.add(np.array([3, 9]))
    calls = []
    columns.block = lambda rows: calls.append(rows.tolist()) or problem.block(rows)
    np.testing.assert_allclose(columns.of(np.array([9, 4, 3])), problem.block(np.array([9, 4, 3])).T)
    assert calls == [[4]]
