"""`torch.cuda` of a machine that has no GPU: what programs ask before they choose a device.

Tensors live in the memory of the processor. Requests that are about a GPU's state and need none to be met
(`manual_seed`, `synchronize`, `empty_cache`) do nothing, as in PyTorch without one.
"""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Whether there is a GPU to compute on: False.

    >>> is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of GPUs: 0.

    >>> device_count()
    0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Seed the current GPU: nothing to do."""


def manual_seed_all(seed: int) -> None:
    """Seed all GPUs: nothing to do."""


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done all work: nothing to wait for."""


def empty_cache() -> None:
    """Give back memory of the GPU that is not in use: there is none."""
