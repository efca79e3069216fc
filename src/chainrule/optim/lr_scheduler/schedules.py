"""Learning rates as a function of the epoch. `plateau.py` has the one that watches a metric instead.

Where PyTorch derives a rate from the present one (`group["lr"]`), so does this: schedules can then be used
together, each one changing what the others left. t is `last_epoch`, the number of steps so far.
"""

from __future__ import annotations

import math
import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ...core.errors import ArgumentError
from ..optimizer import Optimizer
from .scheduler import LR, LRScheduler


class LambdaLR(LRScheduler):
    """lr = initial lr * lr_lambda(t).

    Args:    lr_lambda: a function of the epoch, or a list of them, one for each group.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    >>> LambdaLR(opt, lambda t: 1 / (t + 2)).get_last_lr()
    [0.25]
    """

    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        n = len(getattr(optimizer, "param_groups", ()))
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * n
        if len(self.lr_lambdas) != n:
            raise ArgumentError.of(
                "LambdaLR",
                given=f"{len(self.lr_lambdas)} functions for {n} parameter groups",
                must=f"Expected {n} lr_lambdas",
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        return [lr * f(self.last_epoch) for lr, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """As for every schedule. Functions are code and not saved; of callable objects, their attributes."""
        lambdas = [None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": lambdas}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({name: v for name, v in state_dict.items() if name != "lr_lambdas"})
        for f, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                f.__dict__.update(attributes)


class StepLR(LRScheduler):
    """lr * gamma every `step_size` epochs.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = StepLR(opt, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     print(schedule.get_last_lr())
    ...     opt.step(); schedule.step()
    [1.0]
    [1.0]
    [0.5]
    [0.5]
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if not isinstance(step_size, int) or step_size < 1:
            raise ArgumentError.of(
                "StepLR", given=f"step_size={step_size!r}", must="step_size must be a positive integer"
            )
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._times(self.gamma) if due else self._present()

    def _get_closed_form_lr(self) -> list[LR]:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr * gamma at each epoch in `milestones` (twice for one that is there twice).

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = MultiStepLR(opt, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     opt.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        times = self.milestones[self.last_epoch]
        return self._times(self.gamma**times) if times else self._present()

    def _get_closed_form_lr(self) -> list[LR]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "milestones": dict(self.milestones)}  # plain, so that it can be saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "milestones": Counter(state_dict["milestones"])})


class ConstantLR(LRScheduler):
    """lr * factor for the first `total_iters` epochs, then lr.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> ConstantLR(opt, factor=0.25).get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ArgumentError.of(
                "ConstantLR",
                given=f"factor={factor}",
                must="Constant multiplicative factor expected to be between 0 and 1.",
            )
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._times(self.factor)
        return self._times(1.0 / self.factor) if self.last_epoch == self.total_iters else self._present()

    def _get_closed_form_lr(self) -> list[LR]:
        factor = 1 if self.last_epoch >= self.total_iters else self.factor
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """lr times a factor that goes straight from `start_factor` to `end_factor` in `total_iters` epochs.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = LinearLR(opt, start_factor=0.5, total_iters=4)
    >>> for _ in range(5):
    ...     print(schedule.get_last_lr())
    ...     opt.step(); schedule.step()
    [0.5]
    [0.625]
    [0.75]
    [0.875]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ArgumentError.of(
                "LinearLR",
                given=f"start_factor={start_factor}",
                must="Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
            )
        if not 0 <= end_factor <= 1:
            raise ArgumentError.of(
                "LinearLR",
                given=f"end_factor={end_factor}",
                must="Ending multiplicative factor expected to be between 0 and 1.",
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        t, n = self.last_epoch, self.total_iters
        if t == 0:
            return self._times(self.start_factor)
        if self._is_initial or t > n:
            return self._present()
        rise = self.end_factor - self.start_factor
        return self._times(1.0 + rise / (n * self.start_factor + (t - 1) * rise))  # factor(t) / factor(t - 1)

    def _get_closed_form_lr(self) -> list[LR]:
        done = min(self.last_epoch, self.total_iters) / self.total_iters
        return [
            lr * (self.start_factor + (self.end_factor - self.start_factor) * done) for lr in self.base_lrs
        ]


class ExponentialLR(LRScheduler):
    """lr * gamma in every epoch: initial lr * gamma^t.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = ExponentialLR(opt, gamma=0.5)
    >>> opt.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        return self._present() if self._is_initial else self._times(self.gamma)

    def _get_closed_form_lr(self) -> list[LR]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial lr down to `eta_min` at epoch `T_max`, and up again after that.

    lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * t / T_max)) / 2.
    Source: Loshchilov and Hutter 2017, without the restarts.

    >>> import chainrule as torch
    >>> opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingLR(opt, T_max=10)
    >>> for _ in range(10):
    ...     opt.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[LR]:
        self._warn_outside_step()
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return self._present()
        if self._step_count == 1 and t > 0:  # going on: the present rate may belong to another epoch
            return [low + (lr - low) * (1 + math.cos(t * math.pi / n)) / 2 for lr in self.base_lrs]
        if (t - 1 - n) % (2 * n) == 0:  # the epoch before was at the bottom, and the ratio below is 0 / 0
            up = (1 - math.cos(math.pi / n)) / 2
            groups = self.optimizer.param_groups
            return [group["lr"] + (lr - low) * up for lr, group in zip(self.base_lrs, groups, strict=True)]
        ratio = (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n))
        return [ratio * (group["lr"] - low) + low for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[LR]:
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]
