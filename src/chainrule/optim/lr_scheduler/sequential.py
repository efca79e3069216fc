"""SequentialLR: one schedule after the other, such as a warm-up before a decay."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from ...core.errors import ArgumentError
from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, refuse_traced, set_lr


class SequentialLR(LRScheduler):
    """`schedulers[i]` from epoch `milestones[i - 1]` on, each counting its own epochs from 0.

    Raises:  ValueError for schedules of another optimizer, or without exactly one milestone between two.

    >>> import chainrule as torch
    >>> from chainrule.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(opt, factor=0.5, total_iters=2), ExponentialLR(opt, gamma=0.1)]
    >>> schedule = SequentialLR(opt, parts, milestones=[2])
    >>> for _ in range(4):
    ...     print([round(lr, 3) for lr in schedule.get_last_lr()])
    ...     opt.step(); schedule.step()
    [0.5]
    [0.5]
    [1.0]
    [0.1]
    """

    _unsaved = ("optimizer", "_schedulers")

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        _check(optimizer, schedulers, milestones)
        # Not super().__init__: the parts have set initial_lr, and the first one sets the rates of epoch 0.
        self.optimizer = optimizer
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # every part has changed the rates when it was made
            set_lr(group, group["initial_lr"])
        _take_back_one_step(schedulers)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch, with the schedule whose turn it is."""
        refuse_traced(self)
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            part._update_lr(0)  # its epoch 0, from the initial rates and not from what the part before left
        else:
            part.step()
        self._last_lr = part.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({name: v for name, v in state_dict.items() if name != "_schedulers"})
        for part, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            part.load_state_dict(state)


def _take_back_one_step(schedulers: list[LRScheduler]) -> None:
    for part in schedulers:
        if isinstance(part, SequentialLR):
            _take_back_one_step(part._schedulers)
        else:
            part.last_epoch -= 1


def _check(optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int]) -> None:
    if not schedulers:
        raise ArgumentError.of(
            "SequentialLR", given="no schedulers", must="SequentialLR expects at least one scheduler"
        )
    for i, part in enumerate(schedulers):
        if isinstance(part, ReduceLROnPlateau):
            raise ArgumentError.of(
                "SequentialLR",
                given=f"a ReduceLROnPlateau at index {i}",
                must="SequentialLR does not support `ReduceLROnPlateau`: its step() needs a metric",
                hint="step it by yourself, after the warm-up",
            )
        if part.optimizer is not optimizer:
            raise ArgumentError.of(
                "SequentialLR",
                given=f"{type(part).__name__} at index {i} with another optimizer",
                must="SequentialLR expects all schedulers to belong to the same optimizer",
            )
    if len(milestones) != len(schedulers) - 1:
        raise ArgumentError.of(
            "SequentialLR",
            given=f"{len(schedulers)} schedulers and {len(milestones)} milestones",
            must="expects number of schedulers provided to be one more than the number of milestone points",
        )
