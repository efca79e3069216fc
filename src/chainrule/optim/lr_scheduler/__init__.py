"""Schedules of the learning rate: PyTorch's `torch.optim.lr_scheduler`. Start with `scheduler.py`."""

from .plateau import ReduceLROnPlateau
from .restarts import CosineAnnealingWarmRestarts
from .scheduler import LRScheduler
from .schedules import ConstantLR, CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from .sequential import SequentialLR

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
