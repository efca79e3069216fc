"""Cosine annealing with warm restarts, a schedule that can be stepped to fractions of an epoch."""

from __future__ import annotations

import math

from ...core.errors import ArgumentError
from ..optimizer import Optimizer
from .scheduler import LR, LRScheduler, refuse_traced


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosines from the initial lr down to `eta_min`, each `T_mult` times as long as the one before.

    lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2, where T_cur counts the epochs
    since the last restart and T_i is the number of epochs between two restarts, at first `T_0`.
    Source: Loshchilov and Hutter 2017.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingWarmRestarts(opt, T_0=2)
    >>> for _ in range(4):
    ...     print([round(lr, 3) for lr in schedule.get_last_lr()])
    ...     opt.step(); schedule.step()
    [1.0]
    [0.5]
    [1.0]
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ArgumentError.of(
                "CosineAnnealingWarmRestarts", given=f"T_0={T_0!r}", must="Expected positive integer T_0"
            )
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ArgumentError.of(
                "CosineAnnealingWarmRestarts", given=f"T_mult={T_mult!r}", must="Expected integer T_mult >= 1"
            )
        self.T_0 = T_0
        self.T_i: float = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to any one: `step(epoch + i / batches)` after each batch i."""
        refuse_traced(self)
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ArgumentError.of(
                "CosineAnnealingWarmRestarts.step", given=f"epoch={epoch}", must="Expected non-negative epoch"
            )
        else:
            self._find_restart(epoch)
        self.last_epoch = math.floor(epoch)
        with self._asking():
            rates = self.get_lr()
        self._set(rates)

    def _find_restart(self, epoch: float) -> None:
        if self.T_mult == 1:
            self.T_cur = epoch % self.T_0
            return
        start, length = 0, self.T_0
        while epoch >= start + length:
            start, length = start + length, length * self.T_mult
        self.T_cur, self.T_i = epoch - start, length
