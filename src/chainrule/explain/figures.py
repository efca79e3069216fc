"""Numbers and tensors as people read them: 0.6931, [1, 2, 3], or the shape and a summary of many numbers.

Next: `show/`, which sets them in tables.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from .formula import Formula
from .formula import tree as t

INLINE: Final = (
    6  # a vector of so many elements is written out, and a matrix of so many rows and columns: 3x3
)
DECIMALS: Final = 4  # the course's examples show 3 or 4


def figure(x: float) -> str:
    """A number with 4 decimals, without zeros at the end; with a power of ten where that would hide it.

    >>> figure(0.69314718), figure(5.5), figure(1e-7), figure(123456.0)
    ('0.6931', '5.5', '1e-07', '123456')
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    x = float(x)
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if x == int(x) and abs(x) < 1e7:
        return str(int(x))
    if 1e-3 <= abs(x) < 1e6:
        text = f"{x:.{DECIMALS}f}".rstrip("0").rstrip(".")
    else:
        text = f"{x:.{DECIMALS}g}"
    return text


def figures(a: np.ndarray[Any, Any] | None, *, short: bool = False) -> str:
    """The numbers of an array: all of a small one, else mean, range and norm (short: no range).

    >>> figures(np.array([[1.0, 2.0], [3.0, 4.0]]))
    '[[1, 2], [3, 4]]'
    """
    if a is None:
        return "not kept"
    if a.ndim == 0:
        return figure(a.item())
    if a.size == 0:
        return "no elements"
    if (a.ndim == 1 and a.size <= INLINE) or (a.ndim == 2 and a.size <= 9 and max(a.shape) <= INLINE):
        return _listed(a)
    return summary(a, short=short)


def signed(text: str) -> str:
    """Numbers with the minus of formulas."""
    return text.replace("-", "−")


def _listed(a: np.ndarray[Any, Any]) -> str:
    if a.ndim == 0:
        return figure(a.item())
    return "[" + ", ".join(_listed(row) for row in a) + "]"


def summary(a: np.ndarray[Any, Any], *, short: bool = False) -> str:
    """Many numbers in a line: mean, range and norm; counts for truth values."""
    if a.dtype.kind == "b":
        return f"{int(a.sum())} of {a.size} true"
    if a.dtype.kind != "f":
        return f"from {a.min()} to {a.max()}"
    wide = a.astype(np.float64)
    finite = np.isfinite(wide)
    if not finite.all():
        return f"{int((~finite).sum())} of {a.size} not finite"
    if wide.min() == wide.max():
        return f"all {figure(wide.flat[0])}"
    middle, norm = figure(wide.mean()), figure(float(np.linalg.norm(wide)))
    between = "" if short else f" {figure(wide.min())} to {figure(wide.max())},"
    return f"mean {middle},{between} norm {norm}"


def with_numbers(formula: Formula, values: dict[str, float], *, plain: bool = True) -> Formula:
    """The formula with numbers in place of names, rounded as they are shown.

    plain: for text, negative ones in brackets, as one writes them by hand; else they are numbers, for LaTeX.
    """

    def atom(x: float) -> Formula:
        if not plain and math.isfinite(x):
            rounded = float(figure(x))
            return Formula.number(int(rounded) if rounded.is_integer() else rounded)
        text = figure(x).replace("-", "−")
        return Formula(t.Name(f"({text})" if x < 0 and not alone else text))

    alone = isinstance(formula.tree, t.Name)
    bracketed = {f"({name})": value for name, value in values.items()}
    return formula.substitute({name: atom(x) for name, x in (values | bracketed).items()})


def shape_text(shape: tuple[int, ...]) -> str:
    """`(3, 4)`; "scalar" without axes."""
    return str(tuple(shape)) if shape else "scalar"


def amount(n: float, unit: str = "B") -> str:
    """A number of bytes or operations with a prefix: `1.5 kB`, `20 M`."""
    for prefix in ("", "k", "M", "G", "T"):
        if n < 1000 or prefix == "T":
            return f"{n:.3g} {prefix}{unit}".rstrip() if n < 1000 else f"{n:.0f} {prefix}{unit}".rstrip()
        n /= 1000
    raise AssertionError


__all__ = ["amount", "figure", "figures", "shape_text", "signed", "summary", "with_numbers"]
