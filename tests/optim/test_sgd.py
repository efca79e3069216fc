"""SGD against its formulas, worked out with plain numbers."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD

GRADS = [2.0, -1.0, 0.5, 3.0]


def run(**options: float) -> float:
    p = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    opt = SGD([p], **options)
    for g in GRADS:
        p.grad = torch.tensor([g], dtype=torch.float64)
        opt.step()
    return p.item()


def test_plain():
    assert run(lr=0.5) == 1.0 - 0.5 * sum(GRADS)


def test_maximize():
    assert run(lr=0.5, maximize=True) == 1.0 + 0.5 * sum(GRADS)


def test_weight_decay():
    p = 1.0
    for g in GRADS:
        p -= 0.1 * (g + 0.25 * p)
    assert run(lr=0.1, weight_decay=0.25) == pytest.approx(p, abs=1e-15)


@pytest.mark.parametrize("dampening", [0.0, 0.25])
def test_momentum_begins_with_the_first_gradient(dampening):
    p, v = 1.0, None
    for g in GRADS:
        v = g if v is None else 0.5 * v + (1 - dampening) * g
        p -= 0.125 * v
    assert run(lr=0.125, momentum=0.5, dampening=dampening) == p  # all numbers are short in base 2: exact


def test_nesterov_looks_ahead():
    p, v = 1.0, None
    for g in GRADS:
        v = g if v is None else 0.5 * v + g
        p -= 0.125 * (g + 0.5 * v)
    assert run(lr=0.125, momentum=0.5, nesterov=True) == p


def test_the_momentum_is_not_the_gradient_itself():
    p = torch.tensor([1.0], requires_grad=True)
    opt = SGD([p], lr=0.1, momentum=0.9)
    p.grad = torch.tensor([2.0])
    opt.step()
    p.grad.zero_()
    assert opt.state[p]["momentum_buffer"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": -0.5}, "SGD: Invalid momentum value: -0.5\n  momentum must be a number, at least 0"),
        (
            {"weight_decay": -1},
            "SGD: Invalid weight_decay value: -1\n  weight_decay must be a number, at least 0",
        ),
        (
            {"nesterov": True},
            "SGD got nesterov=True, momentum=0, dampening=0\n"
            "  Nesterov momentum requires a momentum and zero dampening\n"
            "  try: momentum=0.9, dampening=0",
        ),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "SGD got nesterov=True, momentum=0.9, dampening=0.1\n"
            "  Nesterov momentum requires a momentum and zero dampening\n"
            "  try: momentum=0.9, dampening=0",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ArgumentError) as info:
        SGD([torch.zeros(1, requires_grad=True)], lr=0.1, **options)
    assert info.value.summary == message
