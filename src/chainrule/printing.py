"""How a tensor is written down: the text of `repr(t)`, character for character PyTorch's.

This file turns a NumPy array and a few facts (default dtype, gradient flags) into text. It knows nothing
of Tensor, so it can be read and tested by itself; `tensor.py` calls `format_tensor` from `__repr__`.

The layout, from the outside in:

- `tensor(` + nested brackets + suffixes such as `dtype=torch.float64` + `)`. Suffixes that would pass the
  line width go to a line of their own.
- All numbers share one style (`_NumberStyle`) and one width, found by looking at every number shown.
- Arrays of more than `threshold` elements show only the first and last `edgeitems` along each axis.

Next: `tensor.py`, whose `__repr__` is the user of this file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from .core.errors import ArgumentError

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]

_PREFIX: Final = "tensor("


@dataclass(frozen=True, slots=True)
class _Options:
    """What `set_printoptions` can change. `threshold` is infinite in the profile "full"."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None  # None: decided for each tensor from its numbers


_PROFILES: Final = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}

_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed from now on; what is not given keeps its value.

    Args:    precision: digits after the point of a float (4).
             threshold: number of elements above which only the edges are shown (1000).
             edgeitems: how many elements are shown at each end of an axis then (3).
             linewidth: characters in a line (80).
             profile: "default", "short" or "full": sets the four above, before they are looked at.
             sci_mode: True or False forces scientific notation on or off. It is the one exception to
             the first sentence: leaving it out goes back to a choice per tensor, as in PyTorch.
    Raises:  ValueError for a profile that does not exist.

    >>> import numpy as np
    >>> set_printoptions(precision=2)
    >>> format_tensor(np.array([0.125, 1.5], np.float32))
    'tensor([0.12, 1.50])'
    >>> set_printoptions(profile="default")
    """
    global _options
    base = _options
    if profile is not None:
        if profile not in _PROFILES:
            names = ", ".join(map(repr, _PROFILES))
            raise ArgumentError.of(
                "set_printoptions", given=f"profile {profile!r}", must=f"profile must be one of {names}"
            )
        base = _PROFILES[profile]
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(base, sci_mode=sci_mode, **changes)


def get_printoptions() -> dict[str, Any]:
    """The current print options as a dictionary; `set_printoptions(**get_printoptions())` changes nothing.

    >>> get_printoptions()
    {'precision': 4, 'threshold': 1000, 'edgeitems': 3, 'linewidth': 80, 'sci_mode': None}
    """
    return asdict(_options)


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Change the print options (see `set_printoptions`) inside a `with` block only.

    >>> import numpy as np
    >>> with printoptions(precision=1):
    ...     print(format_tensor(np.array([0.25, 1.5], np.float32)))
    tensor([0.2, 1.5])
    """
    global _options
    before = _options
    try:
        set_printoptions(**changes)
        yield
    finally:
        _options = before


def format_tensor(
    array: np.ndarray[Any, Any],
    *,
    default_dtype: str = "float32",
    requires_grad: bool = False,
    grad_fn: str | None = None,
) -> str:
    """The text PyTorch prints for a tensor with these values.

    Shapes:  any, 0-d and empty included.
    dtype:   float16/32/64, signed and unsigned integers, bool. The dtype is part of the text unless the
             values already tell it: the default float dtype, int64 and bool are left out.
    Args:    default_dtype: the float dtype that goes without saying.
             requires_grad: whether to say `requires_grad=True`.
             grad_fn: the name of the operation that made the tensor, as in `grad_fn=<MulBackward0>`; it
             implies a gradient, so `requires_grad` is not said as well.
    Source:  the rules were inferred from PyTorch 2.13's output; tests/torch/test_printing.py compares.

    >>> import numpy as np
    >>> print(format_tensor(np.array([[1.0, -2.5], [0.0, 3.0]], np.float32)))
    tensor([[ 1.0000, -2.5000],
            [ 0.0000,  3.0000]])
    >>> print(format_tensor(np.array([1.0, 2.0]), requires_grad=True))
    tensor([1., 2.], dtype=torch.float64, requires_grad=True)
    """
    dtype = array.dtype.name
    suffixes = []
    if array.ndim != 1 if array.size == 0 else _options.edgeitems == 0:
        suffixes.append(f"size={array.shape}")  # the brackets alone do not show it
    if array.size == 0:
        body = "[]"
        dtype_is_obvious = dtype == default_dtype  # there is no element that could tell int64 or bool
    else:
        body = _format_values(array)
        dtype_is_obvious = dtype in (default_dtype, "int64", "bool")
    if not dtype_is_obvious:
        suffixes.append(f"dtype=torch.{dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(_PREFIX + body, suffixes)


def _with_suffixes(text: str, suffixes: list[str]) -> str:
    """Append `, suffix` for each, on a new line where the last line would pass the width, then `)`."""
    # The last line's length and two more, as PyTorch counts: each suffix is followed by `, ` or `)`.
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * len(_PREFIX) + suffix
            used = len(_PREFIX) + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


def _format_values(array: np.ndarray[Any, Any]) -> str:
    """The nested brackets. `array` has at least one element."""
    shorten = array.size > _options.threshold
    shown = _edges(array) if shorten else array
    style = _NumberStyle(shown)
    return _format_block(array, style, indent=len(_PREFIX), shorten=shorten)


def _edges(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements that a shortened print shows: both ends of every axis that is long enough to be cut."""
    n = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * n:
            ends = np.concatenate([np.arange(n), np.arange(size - n, size)])
            array = array.take(ends, axis)
    return array


def _format_block(array: np.ndarray[Any, Any], style: _NumberStyle, *, indent: int, shorten: bool) -> str:
    """`array` as nested brackets whose first character stands in column `indent`."""
    if array.ndim == 0:
        return style.format(array.item())
    n = _options.edgeitems
    cut = shorten and len(array) > 2 * n
    if array.ndim == 1:
        return _format_row(array, style, indent=indent, cut=cut)

    def blocks(part: np.ndarray[Any, Any]) -> list[str]:
        return [_format_block(block, style, indent=indent + 1, shorten=shorten) for block in part]

    parts = [*blocks(array[:n]), "...", *blocks(array[len(array) - n :])] if cut else blocks(array)
    # Rows of a matrix follow each other; each further axis adds one empty line between its blocks.
    separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def _format_row(array: np.ndarray[Any, Any], style: _NumberStyle, *, indent: int, cut: bool) -> str:
    """A 1-d array (n,) in brackets, with as many numbers in a line as fit."""
    n = _options.edgeitems
    if cut and n == 0:
        words = ["..."]
    elif cut:
        first, last = array[:n], array[len(array) - n :]
        words = [*map(style.format, first.tolist()), " ...", *map(style.format, last.tolist())]
    else:
        words = [style.format(value) for value in array.tolist()]
    per_line = max(1, (_options.linewidth - indent) // (style.width + len(", ")))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


class _NumberStyle:
    """The one way in which all numbers of a tensor are written, and the width they share.

    Integers and truth values are written in full. Floats take the first that fits of: integers with a
    point (`1.`), fixed point (`0.2500`), and scientific (`2.5000e-05`) when the largest magnitude is over
    1000 times the smallest or they would not show well in fixed point. Zeros, infinities and NaNs have no
    say in the choice, nor in the width.
    """

    __slots__ = ("code", "point", "width")

    def __init__(self, shown: np.ndarray[Any, Any]) -> None:
        self.code = ""  # the format code for one number
        self.point = False  # whether a point follows the code's output
        if shown.dtype.kind != "f":
            self.width = max((len(str(value)) for value in shown.ravel().tolist()), default=1)
            return
        flat = shown.ravel().astype(np.float64)
        speaking = flat[np.isfinite(flat) & (flat != 0)]
        if not speaking.size:
            self.code, self.point, self.width = ".0f", True, 1
            return
        magnitude = np.abs(speaking)
        smallest, largest = float(magnitude.min()), float(magnitude.max())
        whole = bool(np.array_equal(speaking, np.ceil(speaking)))
        scientific = largest / smallest > 1000 or largest > 1e8 or (smallest < 1e-4 and not whole)
        if _options.sci_mode is not None:
            scientific = _options.sci_mode
        self.point = whole and not scientific
        digits = 0 if self.point else _options.precision
        self.code = f".{digits}{'e' if scientific else 'f'}"
        self.width = max(len(format(value, self.code)) for value in speaking.tolist()) + self.point

    def format(self, value: float) -> str:
        """One number, padded on the left to the common width."""
        text = format(value, self.code) if self.code else str(value)
        if self.point and math.isfinite(value):
            text += "."
        return text.rjust(self.width)
