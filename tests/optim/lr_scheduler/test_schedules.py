"""Each schedule against its closed formula."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD
from chainrule.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)


def optimizer(lr: float = 0.8) -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=lr)


def rates(schedule, steps: int = 25) -> list[float]:
    seen = []
    for _ in range(steps):
        seen += schedule.get_last_lr()
        schedule.optimizer.step()
        schedule.step()
    return seen


def cosine(t: int, n: int, low: float) -> float:
    return low + (0.8 - low) * (1 + math.cos(math.pi * t / n)) / 2


FORMULAS = {
    "lambda": (lambda o: LambdaLR(o, lambda t: 1 / (t + 1)), lambda t: 0.8 / (t + 1)),
    "step": (lambda o: StepLR(o, 3, 0.5), lambda t: 0.8 * 0.5 ** (t // 3)),
    "multistep": (
        lambda o: MultiStepLR(o, [9, 2, 5, 5], 0.5),
        lambda t: 0.8 * 0.5 ** sum(t >= m for m in (2, 5, 5, 9)),
    ),
    "constant": (lambda o: ConstantLR(o, 0.25, 4), lambda t: 0.8 * (0.25 if t < 4 else 1)),
    "linear": (lambda o: LinearLR(o, 0.25, 0.75, 8), lambda t: 0.8 * (0.25 + 0.5 * min(t, 8) / 8)),
    "exponential": (lambda o: ExponentialLR(o, 0.9), lambda t: 0.8 * 0.9**t),
    "cosine": (lambda o: CosineAnnealingLR(o, 10), lambda t: cosine(t, 10, 0.0)),
    "cosine with a floor": (lambda o: CosineAnnealingLR(o, 6, 0.1), lambda t: cosine(t, 6, 0.1)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    make, formula = FORMULAS[name]
    assert rates(make(optimizer())) == pytest.approx([formula(t) for t in range(25)], abs=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_going_to_an_epoch_directly(name):
    make, formula = FORMULAS[name]
    schedule = make(optimizer())
    schedule.optimizer.step()
    with pytest.warns(UserWarning, match="deprecated"):
        schedule.step(7)
    assert schedule.get_last_lr() == pytest.approx([formula(7)], abs=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_going_on_from_a_saved_state(name):
    make, _ = FORMULAS[name]
    whole = rates(make(optimizer()), 20)
    schedule = make(optimizer())
    seen = rates(schedule, 9)
    resumed = make(optimizer())
    resumed.load_state_dict(schedule.state_dict())
    resumed.optimizer.load_state_dict(schedule.optimizer.state_dict())
    assert seen + rates(resumed, 11) == whole


def test_lambdas_for_each_group():
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    opt = SGD([{"params": [p]} for p in params], lr=1.0)
    schedule = LambdaLR(opt, [lambda t: 0.5**t, lambda t: 0.25**t])
    opt.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 0.25]


def test_the_attributes_of_a_callable_object_are_saved():
    class Warmup:
        def __init__(self, n):
            self.n = n

        def __call__(self, t):
            return min(1.0, (t + 1) / self.n)

    saved = LambdaLR(optimizer(), Warmup(4)).state_dict()
    assert saved["lr_lambdas"] == [{"n": 4}]
    schedule = LambdaLR(optimizer(), Warmup(8))
    schedule.load_state_dict(saved)
    assert schedule.lr_lambdas[0].n == 4


def test_functions_are_not_saved():
    schedule = LambdaLR(optimizer(), lambda t: 0.5)
    assert schedule.state_dict()["lr_lambdas"] == [None]
    schedule.load_state_dict(schedule.state_dict())
    assert schedule.lr_lambdas[0](0) == 0.5


def test_the_milestones_are_saved_as_a_plain_dict():
    saved = MultiStepLR(optimizer(), [2, 5, 5]).state_dict()
    assert type(saved["milestones"]) is dict
    assert saved["milestones"] == {2: 1, 5: 2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda o: LambdaLR(o, [abs, abs]),
            "LambdaLR got 2 functions for 1 parameter groups\n  Expected 1 lr_lambdas",
        ),
        (lambda o: StepLR(o, 0), "StepLR got step_size=0\n  step_size must be a positive integer"),
        (
            lambda o: ConstantLR(o, 1.5),
            "ConstantLR got factor=1.5\n  Constant multiplicative factor expected to be between 0 and 1.",
        ),
        (
            lambda o: LinearLR(o, 0.0),
            "LinearLR got start_factor=0.0\n"
            "  Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
        ),
        (
            lambda o: LinearLR(o, 0.5, 1.5),
            "LinearLR got end_factor=1.5\n  Ending multiplicative factor expected to be between 0 and 1.",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ArgumentError) as info:
        make(optimizer())
    assert info.value.summary == message
