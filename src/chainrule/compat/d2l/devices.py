"""Where a model is computed: on the processor, since there is no GPU to choose."""

from __future__ import annotations

from ... import device
from ...core.errors import ArgumentError


def cpu() -> device:
    """The processor.

    >>> cpu()
    device(type='cpu')
    """
    return device("cpu")


def gpu(i: int = 0) -> device:
    """A GPU.

    Raises:  ArgumentError: there is none.
    """
    raise ArgumentError.of(
        "d2l.gpu", given=f"GPU {i}", must="chainrule computes on the processor only", hint="d2l.try_gpu()"
    )


def num_gpus() -> int:
    """The number of GPUs: 0.

    >>> num_gpus()
    0
    """
    return 0


def try_gpu(i: int = 0) -> device:
    """The i-th GPU if there is one, else the processor: always the processor.

    >>> try_gpu()
    device(type='cpu')
    """
    return cpu()


def try_all_gpus() -> list[device]:
    """All GPUs, or the processor if there is none: always the processor.

    >>> try_all_gpus()
    [device(type='cpu')]
    """
    return [cpu()]
