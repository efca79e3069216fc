"""Cosine annealing with warm restarts against its formula, in whole and in fractional epochs."""

from __future__ import annotations

import math

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD
from chainrule.optim.lr_scheduler import CosineAnnealingWarmRestarts


def schedule(**options) -> CosineAnnealingWarmRestarts:
    return CosineAnnealingWarmRestarts(SGD([torch.zeros(1, requires_grad=True)], lr=0.8), **options)


def by_hand(epoch: float, first: int, factor: int, low: float) -> float:
    start, length = 0, first
    while epoch >= start + length:
        start, length = start + length, length * factor
    return low + (0.8 - low) * (1 + math.cos(math.pi * (epoch - start) / length)) / 2


@pytest.mark.parametrize(("first", "factor"), [(3, 1), (2, 2), (1, 3)])
def test_whole_epochs(first, factor):
    s = schedule(T_0=first, T_mult=factor, eta_min=0.1)
    for t in range(45):
        assert s.get_last_lr() == [pytest.approx(by_hand(t, first, factor, 0.1), abs=1e-15)]
        s.step()


@pytest.mark.parametrize(("first", "factor"), [(3, 1), (2, 2), (1, 3)])
def test_fractions_of_epochs_in_any_order(first, factor):
    s = schedule(T_0=first, T_mult=factor)
    for i in [*range(300), 17, 120, 3]:
        s.step(i / 7)
        assert s.get_last_lr() == [pytest.approx(by_hand(i / 7, first, factor, 0.0), abs=1e-14)]


def test_a_restart_at_a_power_that_logarithms_miss():
    s = schedule(T_0=1, T_mult=3)
    epoch = (3**5 - 1) // 2  # the fifth restart; log(243, 3) is 4.999999999999999
    s.step(epoch)
    assert (s.T_cur, s.T_i, s.get_last_lr()) == (0, 3**5, [0.8])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: schedule(T_0=0),
            "CosineAnnealingWarmRestarts got T_0=0\n  Expected positive integer T_0",
        ),
        (
            lambda: schedule(T_0=1, T_mult=0),
            "CosineAnnealingWarmRestarts got T_mult=0\n  Expected integer T_mult >= 1",
        ),
        (
            lambda: schedule(T_0=1).step(-1),
            "CosineAnnealingWarmRestarts.step got epoch=-1\n  Expected non-negative epoch",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ArgumentError) as info:
        make()
    assert info.value.summary == message
