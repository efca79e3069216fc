"""ReduceLROnPlateau: a smaller learning rate when a metric has stopped getting better."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat

from ...core.errors import ArgumentError, nearest
from ..optimizer import Optimizer, number
from .scheduler import LRScheduler, check_optimizer, refuse_traced, set_lr


class ReduceLROnPlateau(LRScheduler):
    """lr * factor when `step(metric)` has not seen a better metric for more than `patience` epochs.

    Args:    mode: 'min' if smaller is better, 'max' if larger is.
             threshold, threshold_mode: how much better counts: by a part of the best so far ('rel'), or by an
             amount ('abs').
             cooldown: epochs after a reduction in which nothing is counted.
             min_lr: a lower bound, or a list with one for each group; eps: smaller changes are not made.
    Raises:  ValueError for factor >= 1, an unknown mode, or a wrong number of bounds.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    ...     print(schedule.get_last_lr())
    [1.0]
    [1.0]
    [1.0]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(self, optimizer)
        if factor >= 1.0:
            raise ArgumentError.of(
                "ReduceLROnPlateau", given=f"factor={factor}", must="Factor should be < 1.0."
            )
        _check_choice("mode", mode, ["min", "max"])
        _check_choice("threshold_mode", threshold_mode, ["rel", "abs"])
        groups = len(optimizer.param_groups)
        if isinstance(min_lr, list | tuple) and len(min_lr) != groups:
            raise ArgumentError.of(
                "ReduceLROnPlateau",
                given=f"{len(min_lr)} bounds min_lr",
                must=f"expected {groups} min_lrs, one for each group",
            )
        # Not super().__init__: it would set the rates of epoch 0, which here depend on a metric.
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = list(min_lr) if isinstance(min_lr, list | tuple) else [min_lr] * groups
        self.eps = eps
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = self._present()

    @property
    def in_cooldown(self) -> bool:
        """Whether the epochs after a reduction are not over yet."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of this epoch's metric, and reduce the rates if it has not got better for too long."""
        refuse_traced(self)
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._present()

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            bound = self.best + sign * self.threshold
        else:
            bound = self.best * (1.0 + sign * self.threshold)
        return value > bound if self.mode == "max" else value < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ArgumentError.of(
                    "ReduceLROnPlateau",
                    given=f"an optimizer with {len(groups)} parameter groups now",
                    must=f"its min_lrs are for {len(self.min_lrs)} groups",
                    hint="set schedule.min_lrs after optimizer.add_param_group(...)",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, low in zip(groups, self.min_lrs, strict=True):
            old = number(group["lr"])
            new = max(old * self.factor, low)
            if old - new > self.eps:
                set_lr(group, new)


def _check_choice(name: str, value: Any, valid: list[str]) -> None:
    if value not in valid:
        raise ArgumentError.of(
            "ReduceLROnPlateau",
            given=f"{name}={value!r}{nearest(str(value), valid)}",
            must=f"{name.replace('_', ' ')} {value} is unknown! It is one of {', '.join(map(repr, valid))}",
        )
