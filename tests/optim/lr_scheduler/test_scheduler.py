"""What all schedules share: initial rates, the order of the steps, saving and loading, refusals."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.optim import SGD
from chainrule.optim.lr_scheduler import ExponentialLR, LRScheduler, StepLR


def optimizer(*rates: float) -> SGD:
    return SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in rates])


def rates(schedule, steps: int) -> list[list[float]]:
    seen = []
    for _ in range(steps):
        seen.append(schedule.get_last_lr())
        schedule.optimizer.step()
        schedule.step()
    return seen


def test_each_group_has_its_own_rate():
    opt = optimizer(1.0, 0.5)
    assert rates(ExponentialLR(opt, gamma=0.5), 3) == [[1.0, 0.5], [0.5, 0.25], [0.25, 0.125]]
    assert [group["lr"] for group in opt.param_groups] == [0.125, 0.0625]
    assert [group["initial_lr"] for group in opt.param_groups] == [1.0, 0.5]


def test_the_optimizer_steps_with_the_scheduled_rate():
    p = torch.zeros(1, requires_grad=True)
    opt = SGD([p], lr=1.0)
    schedule = ExponentialLR(opt, gamma=0.5)
    for _ in range(3):
        p.grad = torch.ones(1)
        opt.step()
        schedule.step()
    assert p.item() == -1.75


def test_two_schedules_work_together():
    opt = optimizer(1.0)
    first, second = ExponentialLR(opt, gamma=0.5), StepLR(opt, step_size=2, gamma=0.25)
    seen = []
    for _ in range(4):
        seen.append(opt.param_groups[0]["lr"])
        opt.step()
        first.step()
        second.step()
    assert seen == [1.0, 0.5, 0.0625, 0.03125]


def test_a_rate_that_is_a_tensor_is_changed_in_place():
    lr = torch.tensor(1.0)
    opt = SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = ExponentialLR(opt, gamma=0.5)
    first = schedule.get_last_lr()[0]
    opt.step()
    schedule.step()
    assert opt.param_groups[0]["lr"] is lr
    assert (lr.item(), first.item(), schedule.base_lrs[0].item()) == (0.5, 1.0, 1.0)


class TestStateDict:
    def test_going_on_is_like_not_having_stopped(self):
        whole = rates(StepLR(optimizer(1.0), step_size=2, gamma=0.5), 8)
        opt = optimizer(1.0)
        schedule = StepLR(opt, step_size=2, gamma=0.5)
        seen = rates(schedule, 3)

        other = optimizer(99.0)
        resumed = StepLR(other, step_size=7)
        resumed.load_state_dict(schedule.state_dict())
        other.load_state_dict(opt.state_dict())
        assert seen + rates(resumed, 5) == whole

    def test_contents(self):
        schedule = StepLR(optimizer(1.0), step_size=2, gamma=0.5)
        assert schedule.state_dict() == {
            "step_size": 2,
            "gamma": 0.5,
            "base_lrs": [1.0],
            "last_epoch": 0,
            "_step_count": 1,
            "_is_initial": False,
            "_get_lr_called_within_step": False,
            "_last_lr": [1.0],
        }

    def test_beginning_later(self):
        opt = optimizer(1.0)
        schedule = ExponentialLR(opt, gamma=0.5)
        rates(schedule, 3)
        other = optimizer(1.0)
        other.load_state_dict(opt.state_dict())
        resumed = ExponentialLR(other, gamma=0.5, last_epoch=2)
        assert resumed.get_last_lr() == schedule.get_last_lr()
        assert rates(resumed, 2) == rates(schedule, 2)


class TestWarnings:
    def test_a_step_before_the_optimizers(self):
        opt = optimizer(1.0)
        schedule = StepLR(opt, step_size=2)
        message = (
            r"^Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`:"
            r" the first learning rate of the schedule is skipped."
            r" Call `optimizer.step\(\)` first, then `lr_scheduler.step\(\)`.$"
        )
        with pytest.warns(UserWarning, match=message):
            schedule.step()
        schedule.step()  # said once

    def test_no_warning_in_the_right_order(self):
        opt = optimizer(1.0)
        schedule = StepLR(opt, step_size=2)
        opt.step()
        schedule.step()  # warnings are errors in these tests
        assert schedule.last_epoch == 1

    def test_the_epoch_as_an_argument(self):
        opt = optimizer(1.0)
        schedule = ExponentialLR(opt, gamma=0.5)
        opt.step()
        with pytest.warns(
            UserWarning,
            match=r"^ExponentialLR.step\(epoch\) is deprecated: call step\(\) once for each epoch$",
        ):
            schedule.step(3)
        assert schedule.get_last_lr() == [0.125]

    def test_get_lr_outside_of_a_step(self):
        schedule = ExponentialLR(optimizer(1.0), gamma=0.5)
        message = (
            "^get_lr\\(\\) computes the rates of the next step from the present ones."
            " To get the last learning rate computed by the scheduler, please use `get_last_lr\\(\\)`.$"
        )
        with pytest.warns(UserWarning, match=message):
            schedule.get_lr()


class TestRefusals:
    def test_not_an_optimizer(self):
        with pytest.raises(ArgumentError) as info:
            StepLR([1.0], step_size=2)
        assert info.value.summary == (
            "StepLR got an object of type list\n"
            "  list is not an Optimizer\n"
            "  try: StepLR(torch.optim.SGD(model.parameters(), lr=0.1), ...)"
        )

    def test_going_on_without_the_initial_rate(self):
        with pytest.raises(ArgumentError) as info:
            StepLR(optimizer(1.0), step_size=2, last_epoch=4)
        assert info.value.summary == (
            "StepLR got last_epoch=4, but param_groups[0] has no 'initial_lr'\n"
            "  param 'initial_lr' is specified in the groups when a schedule goes on\n"
            "  try: load the optimizer's saved state first; last_epoch=-1 for a new training"
        )

    def test_a_schedule_without_rates(self):
        class Nothing(LRScheduler):
            pass

        with pytest.raises(NotImplementedError) as info:
            Nothing(optimizer(1.0))
        assert str(info.value) == "Nothing must define get_lr(), a list with a rate for each group"
