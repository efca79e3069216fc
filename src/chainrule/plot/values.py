"""What users hand in, as NumPy arrays of numbers: tensors (recorded or not), arrays, lists of either.

Pictures never take part in a gradient, so a tensor on the tape is read like any other. What cannot be read as
numbers is refused with what was given. Next: `picture.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import ArgumentError, ShapeError
from ..tensor import Tensor

Floats = npt.NDArray[np.float64]


def plain(value: Any) -> npt.NDArray[Any]:
    """Any nesting of tensors, arrays, lists and numbers as one array, of whatever type it has."""
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, list | tuple) and any(isinstance(v, Tensor | list | tuple) for v in value):
        return np.array([plain(v) for v in value])
    return np.asarray(value)


def numbers(value: Any, what: str, name: str, *, axes: int | None = None) -> Floats:
    """An array of float64, with so many axes.

    Args:    what: the function that the user called; name: the argument, both for the message.
    Raises:  ArgumentError: it has something else than real numbers; ShapeError: another number of axes.
    """
    try:
        given = plain(value)
        if given.dtype == object:  # None stands for "no value", as in records of epochs without validation
            given = given.astype(np.float64)
        if given.dtype.kind not in "biuf":
            raise ValueError
    except (TypeError, ValueError):  # lists of different lengths, text, complex numbers
        raise ArgumentError.of(
            what,
            given=f"{name} = {shortened(value)}",
            must=f"{name} must hold real numbers: a tensor, an array, or lists of equal lengths",
        ) from None
    if axes is not None and given.ndim != axes:
        raise ShapeError.of(
            what,
            given=f"{name} of shape {given.shape}",
            must=f"{name} must have {axes} {'axis' if axes == 1 else 'axes'}",
        )
    return given.astype(np.float64)


def interval(value: Any, what: str, name: str = "xlim") -> tuple[float, float]:
    """Two finite numbers, the smaller one first.

    Raises:  ArgumentError for anything else.
    """
    try:
        low, high = (float(v) for v in plain(value))
        good = bool(np.isfinite([low, high]).all()) and low < high
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ArgumentError.of(
            what,
            given=f"{name} = {shortened(value)}",
            must=f"{name} must be two finite numbers, the smaller one first",
            hint=f"{name}=(-3, 3)",
        )
    return low, high


def several(value: Any) -> list[Any]:
    """One thing, or a list of them, as a list."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return [value.item()] if value.ndim == 0 else list(value)
    return list(value) if isinstance(value, list | tuple | range) else [value]


def written(value: float) -> str:
    """A number as short as six digits allow, with a minus sign of the same width as a plus: '−0.25'."""
    text = f"{value:.6g}"
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def counted(number: int, thing: str) -> str:
    """'1 name', '2 names'."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def shortened(value: Any, width: int = 60) -> str:
    """How a value prints, on one line that is not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= width else text[: width - 3] + "..."
