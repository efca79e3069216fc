"""ReduceLROnPlateau: when it counts an epoch as bad, and what it does then."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD
from chainrule.optim.lr_scheduler import ReduceLROnPlateau


def optimizer(*rates: float) -> SGD:
    return SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in rates])


def run(metrics, rates=(1.0,), **options) -> list[float]:
    schedule = ReduceLROnPlateau(optimizer(*rates), factor=0.5, **options)
    seen = []
    for metric in metrics:
        schedule.step(metric)
        seen.append(schedule.get_last_lr()[0])
    return seen


def test_reduces_after_more_than_patience_bad_epochs():
    assert run([3, 2, 2, 2, 2, 2], patience=1) == [1, 1, 1, 0.5, 0.5, 0.25]


def test_a_better_epoch_starts_the_count_anew():
    assert run([3, 3, 3, 1, 1, 1], patience=2) == [1, 1, 1, 1, 1, 1]


def test_max_looks_for_larger_metrics():
    assert run([1, 2, 3, 3], mode="max", patience=0) == [1, 1, 1, 0.5]


def test_relative_threshold():
    assert run([1.0, 0.95, 0.85], patience=0, threshold=0.1) == [1, 0.5, 0.5]


def test_absolute_threshold():
    assert run([10.0, 9.5, 8.5], patience=0, threshold=1.0, threshold_mode="abs") == [1, 0.5, 0.5]


def test_cooldown():
    assert run([1] * 8, patience=0, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_lower_bounds():
    schedule = ReduceLROnPlateau(optimizer(1.0, 1.0), factor=0.5, patience=0, min_lr=[0.75, 0.1])
    for _ in range(4):
        schedule.step(1.0)
    assert schedule.get_last_lr() == [0.75, 0.125]


def test_a_change_that_is_too_small_is_not_made():
    assert run([1, 1, 1], patience=0, eps=0.3) == [1, 0.5, 0.5]


def test_nan_is_never_better():
    assert run([1.0, math.nan, math.nan], patience=1) == [1, 1, 0.5]


def test_takes_a_loss_tensor():
    assert run([torch.tensor(2.0), torch.tensor(2.0)], patience=0) == [1, 0.5]


def test_a_group_added_later_has_the_common_bound():
    opt = optimizer(1.0)
    schedule = ReduceLROnPlateau(opt, factor=0.5, patience=0)
    opt.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.5})
    schedule.step(1.0)
    schedule.step(1.0)
    assert schedule.get_last_lr() == [0.5, 0.25]


def test_a_group_added_later_needs_a_bound_if_bounds_were_listed():
    opt = optimizer(1.0)
    schedule = ReduceLROnPlateau(opt, factor=0.5, patience=0, min_lr=[0.1])
    opt.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
    schedule.step(1.0)
    with pytest.raises(ArgumentError) as info:
        schedule.step(1.0)
    assert info.value.summary == (
        "ReduceLROnPlateau got an optimizer with 2 parameter groups now\n"
        "  its min_lrs are for 1 groups\n"
        "  try: set schedule.min_lrs after optimizer.add_param_group(...)"
    )


def test_going_on_from_a_saved_state():
    metrics = [5, 4, 4, 4, 3, 3, 3, 3, 3]
    whole = run(metrics, patience=1)
    opt = optimizer(1.0)
    schedule = ReduceLROnPlateau(opt, factor=0.5, patience=1)
    for metric in metrics[:3]:
        schedule.step(metric)
    other = optimizer(1.0)
    resumed = ReduceLROnPlateau(other)
    resumed.load_state_dict(schedule.state_dict())
    other.load_state_dict(opt.state_dict())
    seen = []
    for metric in metrics[3:]:
        resumed.step(metric)
        seen += resumed.get_last_lr()
    assert seen == whole[3:]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "ReduceLROnPlateau got factor=1.0\n  Factor should be < 1.0."),
        (
            {"mode": "mim"},
            "ReduceLROnPlateau got mode='mim' (did you mean 'min'?)\n"
            "  mode mim is unknown! It is one of 'min', 'max'",
        ),
        (
            {"threshold_mode": "relative"},
            "ReduceLROnPlateau got threshold_mode='relative'\n"
            "  threshold mode relative is unknown! It is one of 'rel', 'abs'",
        ),
        (
            {"min_lr": [0.1, 0.1]},
            "ReduceLROnPlateau got 2 bounds min_lr\n  expected 1 min_lrs, one for each group",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ArgumentError) as info:
        ReduceLROnPlateau(optimizer(1.0), **options)
    assert info.value.summary == message


def test_not_an_optimizer():
    with pytest.raises(ArgumentError, match="int is not an Optimizer"):
        ReduceLROnPlateau(3)
