"""Adagrad against its formulas, worked out with plain numbers."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import Adagrad

GRADS = [2.0, -1.0, 0.5, 3.0, 0.1]


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("lr_decay", [0.0, 0.25])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_formula(weight_decay, lr_decay, start):
    w = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    opt = Adagrad(
        [w],
        lr=0.1,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=start,
        eps=1e-3,
    )
    p, s = 1.0, start
    for t, g in enumerate(GRADS):
        w.grad = torch.tensor([g], dtype=torch.float64)
        opt.step()
        g += weight_decay * p
        s += g * g
        p -= 0.1 / (1 + t * lr_decay) * g / (math.sqrt(s) + 1e-3)
    assert w.item() == pytest.approx(p, abs=1e-14)


def test_a_parameter_added_later_has_a_sum_of_its_own():
    a, b = torch.ones(1, requires_grad=True), torch.ones(2, requires_grad=True)
    opt = Adagrad([a], lr=0.1, initial_accumulator_value=3.0)
    opt.add_param_group({"params": [b]})
    b.grad = torch.ones(2)
    opt.step()
    assert opt.state[b]["sum"].tolist() == [4.0, 4.0]


def test_refusals():
    with pytest.raises(ArgumentError) as info:
        Adagrad([torch.zeros(1, requires_grad=True)], lr_decay=-0.5)
    assert (
        info.value.summary == "Adagrad: Invalid lr_decay value: -0.5\n  lr_decay must be a number, at least 0"
    )
