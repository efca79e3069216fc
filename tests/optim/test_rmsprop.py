"""RMSprop against its formulas, worked out with plain numbers."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import RMSprop

GRADS = [2.0, -1.0, 0.5, 3.0, 0.1]


def run(**options) -> float:
    p = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    opt = RMSprop([p], **options)
    for g in GRADS:
        p.grad = torch.tensor([g], dtype=torch.float64)
        opt.step()
    return p.item()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("maximize", [False, True])
def test_formula(weight_decay, momentum, centered, maximize):
    p, v, a, b = 1.0, 0.0, 0.0, 0.0
    for g in GRADS:
        g = (-g if maximize else g) + weight_decay * p
        v = 0.75 * v + 0.25 * g * g
        a = 0.75 * a + 0.25 * g
        step = g / (math.sqrt(v - a * a if centered else v) + 1e-3)
        b = momentum * b + step
        p -= 0.1 * b
    result = run(
        lr=0.1,
        alpha=0.75,
        eps=1e-3,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        maximize=maximize,
    )
    assert result == pytest.approx(p, abs=1e-14)


def test_refusals():
    with pytest.raises(ArgumentError) as info:
        RMSprop([torch.zeros(1, requires_grad=True)], alpha=-0.5)
    assert info.value.summary == "RMSprop: Invalid alpha value: -0.5\n  alpha must be a number, at least 0"
