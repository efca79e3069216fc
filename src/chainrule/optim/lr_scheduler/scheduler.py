"""LRScheduler: what all schedules of the learning rate share. The schedules are in `schedules.py`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...core.errors import ArgumentError
from ...graph.host import only_outside
from ...tensor import Tensor
from ..optimizer import Optimizer, number

LR = float | Tensor


class LRScheduler:
    """Base of schedules: sets `group["lr"]` of the optimizer at each `step()`, once per epoch or per batch.

    A schedule defines `get_lr()`, the learning rates of all groups for `self.last_epoch`. It reads
    `self.base_lrs` (the rates before the schedule began) or, to be combined with other schedules, the present
    rates `group["lr"]`. Making it sets the rates for epoch 0.

    Args:    last_epoch: -1 to begin; when going on, the number of the epoch before (the groups then need
             "initial_lr", which is in the optimizer's saved state).
    Raises:  TypeError if not given an Optimizer. Warns when stepped before the optimizer.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> class Harmonic(LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) for lr in self.base_lrs]
    >>> schedule = Harmonic(opt)
    >>> opt.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _unsaved: tuple[str, ...] = ("optimizer",)  # what state_dict() leaves out

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        self.last_epoch = last_epoch
        self._is_initial = False
        self._get_lr_called_within_step = False
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", own(group["lr"]))
            elif "initial_lr" not in group:
                raise ArgumentError.of(
                    type(self).__name__,
                    given=f"last_epoch={last_epoch}, but param_groups[{i}] has no 'initial_lr'",
                    must="param 'initial_lr' is specified in the groups when a schedule goes on",
                    hint="load the optimizer's saved state first; last_epoch=-1 for a new training",
                )
        self.base_lrs: list[LR] = [own(group["initial_lr"]) for group in optimizer.param_groups]
        self._initial_step()

    def get_lr(self) -> list[LR]:
        """The learning rates of all groups for `last_epoch`; only `step()` calls it."""
        raise NotImplementedError(
            f"{type(self).__name__} must define get_lr(), a list with a rate for each group"
        )

    def get_last_lr(self) -> list[LR]:
        """The learning rates that were set last, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set its learning rates. Call it after `optimizer.step()`."""
        refuse_traced(self)
        if self._step_count == 1 and not self.optimizer._has_stepped:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first learning rate of"
                " the schedule is skipped. Call `optimizer.step()` first, then `lr_scheduler.step()`.",
                UserWarning,
                stacklevel=2,
            )
        if epoch is not None:
            warnings.warn(
                f"{type(self).__name__}.step(epoch) is deprecated: call step() once for each epoch",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._update_lr(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, to go on from here later."""
        return {name: value for name, value in self.__dict__.items() if name not in self._unsaved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`. The optimizer's state is loaded by itself, after this."""
        self.__dict__.update(state_dict)

    # ---- for the schedules

    def _initial_step(self) -> None:
        """Set the rates of epoch 0. Rates that `get_lr` derives from the present ones begin with these."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._asking():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = self._get_closed_form_lr()
        self._set(rates)

    def _get_closed_form_lr(self) -> list[LR]:
        """The rates for `last_epoch` from `base_lrs` alone, where a schedule knows them."""
        return self.get_lr()

    def _set(self, rates: list[LR]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_lr(group, rate)
        self._last_lr: list[LR] = self._present()

    def _present(self) -> list[LR]:
        return [own(group["lr"]) for group in self.optimizer.param_groups]

    def _times(self, factor: float) -> list[LR]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "get_lr() computes the rates of the next step from the present ones."
                " To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )


def refuse_traced(scheduler: object) -> None:
    """Refuse to step a scheduler inside a traced function."""
    only_outside(
        f"{type(scheduler).__name__}.step",
        "step schedulers outside, between runs: the graph reads the rate each time it runs",
    )


def check_optimizer(owner: object, optimizer: object) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError.of(
            type(owner).__name__,
            given=f"an object of type {type(optimizer).__name__}",
            must=f"{type(optimizer).__name__} is not an Optimizer",
            hint=f"{type(owner).__name__}(torch.optim.SGD(model.parameters(), lr=0.1), ...)",
        )


def set_lr(group: dict[str, Any], rate: LR) -> None:
    """Set a group's rate; a rate that is a Tensor is changed in place, where a recorded step reads it."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(number(rate))
    else:
        group["lr"] = rate


def own(rate: LR) -> LR:
    """A rate that does not change when the group's does."""
    return rate.clone() if isinstance(rate, Tensor) else rate
