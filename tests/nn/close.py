"""Comparisons for the tests of `nn`, with the tolerances of the one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.autograd import gradcheck, gradgradcheck
from tests.tolerances import Tolerance, assert_close, difference_tolerance, value_tolerance

# A layer or loss is a chain of operations with sums of some hundred terms, and the closed form it is compared
# with rounds too; the table is for one operation against an exact value.
OPERATIONS = 20


def close(got: Any, wanted: Any, what: str = "") -> None:
    """Equal within the tolerance of the type of `got`, a NumPy array or Python number."""
    rtol, atol = value_tolerance(np.asarray(got).dtype)
    assert_close(got, wanted, Tolerance(OPERATIONS * rtol, OPERATIONS * atol), what)


def first_order(function: Callable[..., Any], inputs: Any) -> None:
    """Backward agrees with central differences of the function."""
    rtol, atol = difference_tolerance()
    assert gradcheck(function, inputs, rtol=rtol, atol=atol)


def second_order(function: Callable[..., Any], inputs: Any) -> None:
    """And backward of backward agrees with central differences of backward."""
    first_order(function, inputs)
    rtol, atol = difference_tolerance()
    assert gradgradcheck(function, inputs, rtol=rtol, atol=atol)
