"""SequentialLR: the parts take turns, and each counts its own epochs."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD
from chainrule.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def optimizer() -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


def rates(schedule, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen += schedule.get_last_lr()
        schedule.optimizer.step()
        schedule.step()
    return seen


def warm_up_then_decay(opt: SGD) -> SequentialLR:
    return SequentialLR(opt, [LinearLR(opt, 0.25, 1.0, 3), ExponentialLR(opt, 0.5)], milestones=[3])


def test_one_after_the_other():
    expected = [0.25, 0.5, 0.75, 1.0, 0.5, 0.25, 0.125]
    assert rates(warm_up_then_decay(optimizer()), 7) == pytest.approx(expected, abs=1e-15)


def test_three_parts():
    opt = optimizer()
    parts = [ConstantLR(opt, 0.5, 10), StepLR(opt, 2, 0.5), CosineAnnealingLR(opt, 2)]
    schedule = SequentialLR(opt, parts, milestones=[2, 5])
    assert rates(schedule, 8) == pytest.approx([0.5, 0.5, 1.0, 1.0, 0.5, 1.0, 0.5, 0.0], abs=1e-15)


def test_going_on_from_a_saved_state():
    whole = rates(warm_up_then_decay(optimizer()), 8)
    schedule = warm_up_then_decay(optimizer())
    seen = rates(schedule, 5)
    resumed = warm_up_then_decay(optimizer())
    resumed.load_state_dict(schedule.state_dict())
    resumed.optimizer.load_state_dict(schedule.optimizer.state_dict())
    assert seen + rates(resumed, 3) == whole


def plateau_part(opt):
    return SequentialLR(opt, [ReduceLROnPlateau(opt)], [])


def part_of_another(opt):
    return SequentialLR(opt, [StepLR(opt, 1), StepLR(optimizer(), 1)], [1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda opt: SequentialLR(opt, [], []),
            "SequentialLR got no schedulers\n  SequentialLR expects at least one scheduler",
        ),
        (
            plateau_part,
            "SequentialLR got a ReduceLROnPlateau at index 0\n"
            "  SequentialLR does not support `ReduceLROnPlateau`: its step() needs a metric\n"
            "  try: step it by yourself, after the warm-up",
        ),
        (
            part_of_another,
            "SequentialLR got StepLR at index 1 with another optimizer\n"
            "  SequentialLR expects all schedulers to belong to the same optimizer",
        ),
        (
            lambda opt: SequentialLR(opt, [StepLR(opt, 1)], [1]),
            "SequentialLR got 1 schedulers and 1 milestones\n"
            "  expects number of schedulers provided to be one more than the number of milestone points",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ArgumentError) as info:
        make(optimizer())
    assert info.value.summary == message
