"""Adam and AdamW against the formulas of their papers, worked out with plain numbers."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import Adam, AdamW

GRADS = [2.0, -1.0, 0.5, 3.0, 0.1, 0.1]


def run(method=Adam, grads=GRADS, **options) -> float:
    p = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    opt = method([p], **options)
    for g in grads:
        p.grad = torch.tensor([g], dtype=torch.float64)
        opt.step()
    return p.item()


def by_hand(*, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, l2=0.0, decay=0.0, amsgrad=False, sign=1) -> float:
    p, m, v, largest = 1.0, 0.0, 0.0, 0.0
    for t, g in enumerate(GRADS, start=1):
        g = sign * g + l2 * p
        p *= 1 - lr * decay
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        largest = max(largest, v)
        used = largest if amsgrad else v
        p -= lr * (m / (1 - b1**t)) / (math.sqrt(used / (1 - b2**t)) + eps)
    return p


@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize(
    ("options", "hand"),
    [
        ({}, {}),
        ({"lr": 0.1, "betas": (0.5, 0.75), "eps": 1e-3}, {"lr": 0.1, "b1": 0.5, "b2": 0.75, "eps": 1e-3}),
        ({"lr": 0.1, "weight_decay": 0.2}, {"lr": 0.1, "l2": 0.2}),
        ({"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True}, {"lr": 0.1, "decay": 0.2}),
        ({"lr": 0.1, "betas": (0.9, 0.5), "amsgrad": True}, {"lr": 0.1, "b2": 0.5, "amsgrad": True}),
        ({"lr": 0.1, "maximize": True}, {"lr": 0.1, "sign": -1}),
    ],
)
def test_adam(options, hand, capturable):
    assert run(capturable=capturable, **options) == pytest.approx(by_hand(**hand), abs=1e-14)


def test_adamw_decays_apart_from_the_gradient():
    assert run(AdamW, lr=0.1, weight_decay=0.2) == pytest.approx(by_hand(lr=0.1, decay=0.2), abs=1e-14)
    assert run(AdamW) == pytest.approx(by_hand(decay=0.01), abs=1e-14)


def test_the_first_step_has_the_length_of_the_learning_rate():
    assert run(grads=[123.0], lr=0.25, eps=0.0) == pytest.approx(0.75, abs=1e-15)


def test_amsgrad_keeps_the_largest_average():
    p = torch.tensor([1.0], requires_grad=True)
    opt = Adam([p], amsgrad=True, betas=(0.9, 0.5))
    for g in (4.0, 0.0):
        p.grad = torch.tensor([g])
        opt.step()
    state = opt.state[p]
    assert (state["exp_avg_sq"].item(), state["max_exp_avg_sq"].item()) == (4.0, 8.0)


def test_the_count_is_a_tensor_and_goes_up():
    p = torch.tensor([1.0], requires_grad=True)
    opt = Adam([p])
    for _ in range(3):
        p.grad = torch.ones(1)
        opt.step()
    count = opt.state[p]["step"]
    assert (tuple(count.shape), count.dtype, count.item()) == ((), torch.float32, 3.0)


def test_a_tensor_learning_rate_in_tensor_arithmetic():
    lr = torch.tensor(0.1, dtype=torch.float64)
    assert run(lr=lr, capturable=True, weight_decay=0.2) == pytest.approx(by_hand(lr=0.1, l2=0.2), abs=1e-14)


def test_adamw_is_an_adam_with_decoupled_decay():
    opt = AdamW([torch.zeros(1, requires_grad=True)])
    assert isinstance(opt, Adam)
    assert opt.param_groups[0]["decoupled_weight_decay"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": -1e-8}, "Adam: Invalid epsilon value: -1e-08\n  eps must be a number, at least 0"),
        (
            {"betas": (1.0, 0.9)},
            "Adam: Invalid beta parameter at index 0: 1.0\n"
            "  betas must be a number, at least 0 and less than 1",
        ),
        (
            {"betas": (0.9, -0.1)},
            "Adam: Invalid beta parameter at index 1: -0.1\n"
            "  betas must be a number, at least 0 and less than 1",
        ),
        (
            {"betas": 0.9},
            "Adam got betas=0.9\n  betas must be two numbers in [0, 1)\n  try: betas=(0.9, 0.999)",
        ),
        (
            {"weight_decay": -0.1},
            "Adam: Invalid weight_decay value: -0.1\n  weight_decay must be a number, at least 0",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ArgumentError) as info:
        Adam([torch.zeros(1, requires_grad=True)], **options)
    assert info.value.summary == message
