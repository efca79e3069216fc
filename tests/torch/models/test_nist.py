"""NIST's certified regression problems beside PyTorch's least squares."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

import chainrule
from tests.models.nist_problems import NAMES, digits, exact, problem


@pytest.mark.filterwarnings("ignore:.*condition number")
@pytest.mark.parametrize("name", NAMES)
def test_lstsq_has_as_many_digits_as_pytorchs_best_driver(name):
    given = problem(name)
    A = np.array([[float(value) for value in row] for row in given.design()])
    y = np.array([[float(value)] for value in given.y])
    ours = digits(
        chainrule.linalg.lstsq(chainrule.tensor(A), chainrule.tensor(y)).solution, given.coefficients
    )
    theirs = [
        digits(
            torch.linalg.lstsq(torch.tensor(A), torch.tensor(y), driver=driver).solution.numpy(),
            given.coefficients,
        )
        for driver in ("gels", "gelsy", "gelsd", "gelss")
    ]
    # The numbers were rounded to float64: what follows exactly from these is all that can be known of them.
    rows = [[Fraction(value) for value in row] for row in A.tolist()]
    known = digits(exact(rows, [Fraction(value) for (value,) in y.tolist()])[0], given.coefficients)
    assert ours >= min(max(theirs), known - 0.01, 13.9)
