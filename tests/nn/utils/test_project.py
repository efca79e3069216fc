"""Projection on a ball: the nearest point of it, what is left alone, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

import chainrule as torch
from chainrule import nn
from chainrule.nn.utils import project_norm_
from tests.nn.close import close


def test_the_nearest_point_of_the_ball():
    start = np.array([1.0, -2.0, 0.5, 3.0])
    w = torch.tensor(start, requires_grad=True)
    norm = project_norm_(w, 1.5)
    close(norm.numpy(), np.asarray(np.linalg.norm(start)))
    found = optimize.minimize(
        lambda v: ((v - start) ** 2).sum(),
        np.zeros(4),
        constraints={"type": "ineq", "fun": lambda v: 1.5**2 - v @ v},
        tol=1e-12,
    )
    np.testing.assert_allclose(w.detach(), found.x, atol=1e-6)
    assert w.requires_grad


def test_parameters_share_one_ball():
    model = nn.Linear(1, 2, bias=True)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0], [4.0]]))
        model.bias.copy_(torch.tensor([4.0, 0.0]))
    assert project_norm_(model.parameters(), 3.0).item() == 6.0
    assert model.weight.tolist() == [[1.0], [2.0]]
    assert model.bias.tolist() == [2.0, 0.0]


def test_inside_the_ball_nothing_changes():
    w = torch.tensor([0.3, 0.4, 0.0])
    project_norm_(w, 1.0)
    assert w.tolist() == torch.tensor([0.3, 0.4, 0.0]).tolist()
    zero = torch.zeros(3)
    assert project_norm_(zero, 0.0).item() == 0.0  # no division by the norm 0
    assert zero.tolist() == [0.0, 0.0, 0.0]


def test_a_ball_of_radius_0_is_the_origin():
    w = torch.tensor([1.0, -1.0])
    project_norm_(w, 0.0)
    assert (w == 0).all()


def test_it_can_be_compiled():
    w = torch.tensor([3.0, 4.0])
    torch.compile(lambda: project_norm_(w, 1.0))()
    close(w.numpy(), np.array([0.6, 0.8]))


def test_refusal():
    with pytest.raises(torch.ArgumentError) as caught:
        project_norm_(torch.ones(2), -1.0)
    assert caught.value.summary == "project_norm_ got max_norm = -1.0\n  max_norm must be at least 0"
