"""How close is close: one table by element type for values, one for central differences.

A test that needs a looser bound adds a line to `LOOSER` with the reason; no test has numbers of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Tolerance(NamedTuple):
    """|got - wanted| may be at most `atol + rtol * |wanted|`."""

    rtol: float
    atol: float


# A value computed in the type against the same value computed exactly from the same (already rounded) inputs:
# a few units in the last place. The absolute part serves sums whose terms cancel; terms are of order 1.
VALUE = {
    "float16": Tolerance(4e-3, 4e-3),  # 4 eps
    "float32": Tolerance(1e-6, 1e-6),  # 8 eps
    "float64": Tolerance(4e-15, 4e-15),  # 18 eps
}

# Weights after some steps of training, native against eager: both round, in different orders, and each step
# passes on what the ones before it rounded.
TRAINED = {
    "float32": Tolerance(2e-4, 2e-5),
    "float64": Tolerance(1e-11, 1e-12),
    "int64": Tolerance(0, 0),
}

# A derivative in float64 against central differences with the step eps**(1/3): the differences themselves are
# wrong by about eps**(2/3) = 4e-11 times the third derivative, and by eps / step where the function is large.
DIFFERENCES = Tolerance(1e-7, 1e-8)

# (op, element type) -> the tolerance, and the reason why VALUE does not do; "differences" instead of a type
# stands for DIFFERENCES.
LOOSER: dict[tuple[str, str], tuple[Tolerance, str]] = {}


def value_tolerance(dtype: Any, op: str = "") -> Tolerance:
    """The bound for a value of this type; exact for integers and bool."""
    name = np.dtype(dtype).name
    if (op, name) in LOOSER:
        return LOOSER[op, name][0]
    return VALUE.get(name, Tolerance(0, 0))


def difference_tolerance(op: str = "") -> Tolerance:
    """The bound for a derivative against central differences."""
    return LOOSER[op, "differences"][0] if (op, "differences") in LOOSER else DIFFERENCES


def assert_close(got: Any, wanted: Any, tolerance: Tolerance, what: str = "") -> None:
    """Elementwise; NaN equals NaN, infinities equal themselves, and the shapes must be equal."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, f"{what}: shape {got.shape}, wanted {wanted.shape}"
    close = np.isclose(got, wanted, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
    if not close.all():
        with np.errstate(all="ignore"):
            apart = np.where(close, 0, np.abs(np.asarray(got, float) - np.asarray(wanted, float)))
        worst = np.unravel_index(np.nanargmax(np.where(np.isnan(apart), np.inf, apart)), got.shape)
        raise AssertionError(
            f"{what}: {int((~close).sum())} of {got.size} elements differ, most at {tuple(map(int, worst))}: "
            f"got {got[worst]!r}, wanted {wanted[worst]!r} "
            f"(within {tolerance.rtol:g} relative, {tolerance.atol:g} absolute)"
        )
