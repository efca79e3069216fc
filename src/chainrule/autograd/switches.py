"""`set_detect_anomaly` and `detect_anomaly`: see `../tape/anomaly.py` for what they do."""

from __future__ import annotations

from .. import eager
from ..core.errors import ArgumentError
from ..tape import anomaly


class set_detect_anomaly:
    """Switch on or off that the first NaN or infinity is an error naming its operation and line.

    Works as a function and as a context manager. Slow: every result is looked at. Holds for all threads.
    check_nan:  must be True; it is there as in PyTorch.

    >>> import chainrule as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.log(torch.tensor([0.0]))  # doctest: +ELLIPSIS, +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    GradError: log(x) got (1,), and its result (1,) has an infinity
    """

    def __init__(self, mode: bool = True, check_nan: bool = True) -> None:
        if not check_nan:
            raise ArgumentError.of(
                "set_detect_anomaly",
                given="check_nan=False",
                must="looking for NaN and infinity is all that it does",
                hint="set_detect_anomaly(False)",
            )
        self._before = anomaly.enabled()
        self._mode = bool(mode)
        _switch(self._mode)

    def __enter__(self) -> None:
        _switch(self._mode)

    def __exit__(self, *exc: object) -> None:
        _switch(self._before)


class detect_anomaly(set_detect_anomaly):
    """Context manager: inside, the first NaN or infinity is an error naming its operation and line.

    >>> import chainrule as torch
    >>> with torch.autograd.detect_anomaly():
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether the first NaN or infinity is an error."""
    return anomaly.enabled()


def _switch(on: bool) -> None:
    if on != anomaly.enabled():
        anomaly.set_enabled(on)
        eager.change_special(1 if on else -1)
