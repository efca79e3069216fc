"""Every schedule against PyTorch's, step by step, exactly."""

from __future__ import annotations

import random

import pytest
import torch

import chainrule

SCHEDULES = {
    "LambdaLR": lambda m, o: m.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "StepLR": lambda m, o: m.StepLR(o, 3, 0.3),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [2, 5, 5, 9], 0.5),
    "ConstantLR": lambda m, o: m.ConstantLR(o, 0.3, 4),
    "LinearLR": lambda m, o: m.LinearLR(o, 0.3, 0.8, 7),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.8),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, 6, 0.01),
    "CosineAnnealingWarmRestarts, same length": lambda m, o: m.CosineAnnealingWarmRestarts(o, 3, 1, 0.01),
    "CosineAnnealingWarmRestarts, doubling": lambda m, o: m.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.ConstantLR(o, 0.1, 3), m.LinearLR(o, 0.5, 1.0, 4), m.ExponentialLR(o, 0.9)], [4, 9]
    ),
    "SequentialLR, warm-up": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, 1.0, 3), m.CosineAnnealingLR(o, 10)], [3]
    ),
}


def optimizer(lib, tensor_rate: bool = False):
    lr = lib.tensor(0.5, dtype=lib.float64) if tensor_rate else 0.5
    groups = [
        {"params": [lib.zeros(1).requires_grad_()]},
        {"params": [lib.zeros(2).requires_grad_()], "lr": 0.2},
    ]
    return lib.optim.SGD(groups, lr=lr)


def numbers(rates) -> list[float]:
    return [float(lr) for lr in rates]


@pytest.mark.parametrize("tensor_rate", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_thirty_steps(name, tensor_rate):
    ours, theirs = optimizer(chainrule, tensor_rate), optimizer(torch, tensor_rate)
    mine = SCHEDULES[name](chainrule.optim.lr_scheduler, ours)
    reference = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    assert mine.state_dict().keys() == reference.state_dict().keys()
    for _ in range(30):
        assert numbers(mine.get_last_lr()) == numbers(reference.get_last_lr())
        assert numbers(g["lr"] for g in ours.param_groups) == numbers(g["lr"] for g in theirs.param_groups)
        for step in (ours.step, theirs.step, mine.step, reference.step):
            step()


@pytest.mark.parametrize(
    "name", [n for n in SCHEDULES if not n.startswith(("Sequential", "CosineAnnealingWarm"))]
)
def test_beginning_at_a_later_epoch(name):
    rates = []
    for lib in (chainrule, torch):
        opt = optimizer(lib)
        schedule = SCHEDULES[name](lib.optim.lr_scheduler, opt)
        opt.step()
        with pytest.warns(UserWarning, match="deprecated"):
            schedule.step(4)
        rates.append(numbers(schedule.get_last_lr()))
    assert rates[0] == rates[1]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
def test_plateau(mode, threshold_mode, cooldown):
    options = {
        "mode": mode,
        "threshold_mode": threshold_mode,
        "cooldown": cooldown,
        "factor": 0.5,
        "patience": 2,
        "threshold": 0.05,
        "min_lr": [0.001, 0.02],
    }
    mine, reference = (
        lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer(lib), **options) for lib in (chainrule, torch)
    )
    rng = random.Random(0)
    for _ in range(200):
        metric = rng.random()
        mine.step(metric)
        reference.step(metric)
        assert mine.get_last_lr() == reference.get_last_lr()
        assert mine.num_bad_epochs == reference.num_bad_epochs
    assert mine.get_last_lr()[0] < 0.5


def test_restarts_at_fractions_of_epochs():
    mine, reference = (
        SCHEDULES["CosineAnnealingWarmRestarts, doubling"](lib.optim.lr_scheduler, optimizer(lib))
        for lib in (chainrule, torch)
    )
    for i in range(200):
        mine.step(i / 7)
        reference.step(i / 7)
        assert mine.get_last_lr() == reference.get_last_lr()


@pytest.mark.parametrize("lib", [chainrule, torch])
def test_both_warn_when_stepped_too_early(lib):
    schedule = lib.optim.lr_scheduler.StepLR(optimizer(lib), 2)
    with pytest.warns(
        UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"
    ):
        schedule.step()
