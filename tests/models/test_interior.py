"""Interior points against closed forms and the conditions of the optimum."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.models.interior import Quadratic, solve


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize("damped", [0.0, 0.5])
@pytest.mark.parametrize("above", ["all", "some", "none"])
def test_the_conditions_of_the_optimum_hold(offset, factored, damped, above):
    rng = np.random.default_rng(1)
    n = 80
    x, t = rng.standard_normal((n, 5)), rng.standard_normal(n)
    low, high = -rng.random(n), rng.random(n)
    high = {"all": high, "some": np.where(np.arange(n) % 2, high, np.inf), "none": np.full(n, np.inf)}[above]
    if above == "none" and not damped:
        t = -np.abs(t)  # bounded below only: there must be a minimum
    quadratic = Quadratic(x if factored else x @ x.T, np.full(n, damped), factored)
    if above != "all" and not damped:
        quadratic = quadratic._replace(diagonal=np.full(n, 0.01))
    found = solve(quadratic, t, low, high, offset=offset)
    slope = quadratic.times(found.z) - t + found.offset
    assert (found.z >= low).all()
    assert (found.z <= high).all()
    free = (found.z > low) & (found.z < high)
    # Numbers that are as good at a bound as beside it are put there, which moves the others a little.
    np.testing.assert_allclose(slope[free], 0, atol=1e-5)
    assert slope[found.z == low].min(initial=0) >= -1e-5
    assert slope[found.z == high].max(initial=0) <= 1e-5
    if offset:
        assert abs(found.z.sum()) < 1e-7
    else:
        assert found.offset == 0
    assert found.steps < 40


def test_a_box_alone_is_a_clip():
    t = np.array([-3.0, -0.5, 0.2, 4.0])
    found = solve(
        Quadratic(np.zeros((4, 1)), np.ones(4), True), t, np.full(4, -1.0), np.ones(4), offset=False
    )
    np.testing.assert_allclose(found.z, t.clip(-1, 1), atol=1e-12)


def test_what_is_no_minimum_is_refused():
    K = np.diag([1.0, -50.0, 1.0])
    with pytest.raises(np.linalg.LinAlgError):
        solve(Quadratic(K, np.zeros(3), False), np.ones(3), np.zeros(3), np.ones(3), offset=False)
