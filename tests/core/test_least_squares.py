"""Least squares against rational numbers, closed forms and the singular value decomposition."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.least_squares import normal, powers_of_two, solve
from tests.models.nist_problems import NAMES, digits, exact, problem


def _float_design(name):
    """The design matrix and y of a problem as float64, each number rounded once."""
    given = problem(name)
    A = np.array([[float(value) for value in row] for row in given.design()])
    return A, np.array([[float(value)] for value in given.y]), given


@pytest.mark.parametrize("name", NAMES)
def test_certified_problems_have_at_least_the_digits_of_numpy(name):
    A, y, given = _float_design(name)
    found = digits(solve(A, y).w, given.coefficients)
    assert found >= 7
    if name != "filip":  # there rounding the powers decides: see the next test, and `PolynomialRegression`
        assert found >= digits(np.linalg.lstsq(A, y, rcond=None)[0], given.coefficients) - 1e-9
        assert found >= 13


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_that_of_the_numbers_given(name):
    # Data rounded to float64 are another problem, with an exact solution of its own: that is what is found.
    A, y, _ = _float_design(name)
    wanted, _ = exact([[Fraction(v) for v in row] for row in A], [Fraction(v) for v in y[:, 0]])
    assert digits(solve(A, y).w, wanted) >= 14


def test_the_textbook_form_loses_the_digits_of_the_squared_condition_number():
    lost = {}
    for name in ("norris", "longley", "wampler1", "wampler4"):
        A, y, given = _float_design(name)
        lost[name] = digits(solve(A, y).w, given.coefficients) - digits(normal(A, y), given.coefficients)
    assert lost["norris"] > 0.5
    assert lost["longley"] > 6
    assert lost["wampler1"] > 8
    assert lost["wampler4"] > 8
    A, y, given = _float_design("filip")
    assert digits(normal(A, y), given.coefficients) < 1  # nothing is left


def test_filip_with_exact_powers_is_right_to_the_last_digits():
    given = problem("filip")
    x = [Fraction(float(row[0])) for row in given.rows]
    A = np.array([[float(v**k) for k in range(11)] for v in x])
    low = np.array([[float(v**k - Fraction(float(v**k))) for k in range(11)] for v in x])
    y = np.array([[float(v)] for v in given.y])
    found = solve(A, y, low=low)
    assert found.rank == 11
    assert digits(found.w, given.coefficients) >= 13.5


def _smallest(A, b):
    """By the singular value decomposition, as a reference."""
    return np.linalg.pinv(A, rcond=1e-12) @ b


@pytest.mark.parametrize(
    ("rows", "columns", "rank"),
    [(30, 6, 3), (5, 9, 5), (9, 9, 4), (4, 12, 2), (1, 3, 1), (3, 1, 1), (2, 2, 1)],
)
def test_without_full_rank_the_smallest_solution_is_found(rows, columns, rank):
    rng = np.random.default_rng(rows * columns)
    A = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
    b = rng.standard_normal((rows, 2))
    found = solve(A, b)
    assert found.rank == rank
    np.testing.assert_allclose(found.w, _smallest(A, b), rtol=1e-9, atol=1e-11)


def test_units_of_measurement_do_not_matter():
    # Exact powers of two as units: the answer must be the same to the last bit, and all columns must count.
    rng = np.random.default_rng(3)
    A, b = rng.standard_normal((20, 5)), rng.standard_normal((20, 1))
    units = 2.0 ** np.array([-200, -60, 0, 60, 200])
    plain, scaled = solve(A, b), solve(A * units, b * 2.0**100)
    assert scaled.rank == plain.rank == 5
    assert scaled.condition == plain.condition
    assert np.array_equal(scaled.w, plain.w * 2.0**100 / units[:, None])


def test_extreme_sizes_neither_overflow_nor_vanish():
    A = np.array([[1e300, 0.0], [1e300, 1e-300], [1e300, 3e-300]])
    found = solve(A, A @ np.array([[2e-300], [5e300]]))
    np.testing.assert_allclose(found.w, [[2e-300], [5e300]], rtol=1e-13)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_fit(shape):
    found = solve(np.empty(shape), np.empty((shape[0], 2)))
    assert found.w.tolist() == np.zeros((shape[1], 2)).tolist()
    assert found.rank == 0


def test_a_matrix_of_zeros_has_rank_0():
    found = solve(np.zeros((3, 2)), np.ones((3, 1)))
    assert (found.w.tolist(), found.rank) == ([[0.0], [0.0]], 0)


def test_powers_of_two_scale_without_error():
    sizes = np.array([0.0, 5e-324, 0.7, 1.0, 1.7e308])
    scale = powers_of_two(sizes)
    assert (np.frexp(scale)[0] == 0.5).all()
    assert ((sizes[2:] / scale[2:] >= 1) & (sizes[2:] / scale[2:] < 2)).all()


# -- linalg.lstsq, which is this


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lstsq_warns_where_rounding_the_data_takes_half_of_the_digits(dtype):
    size = {torch.float32: 1e-4, torch.float64: 1e-9}[dtype]
    A = torch.tensor([[1.0, 1.0], [1.0, 1.0 + size], [1.0, 1.0 - size]], dtype=dtype)
    with pytest.warns(UserWarning, match="condition number") as caught:
        torch.linalg.lstsq(A, torch.ones(3, 1, dtype=dtype))
    if dtype is torch.float64:
        assert str(caught[0].message) == (
            "linalg.lstsq: the condition number of the columns is 2.4e+09, so relative errors of 2e-16 in "
            "the data, which rounding makes, become 5e-07 in the weights\n"
            "  try: leave out columns that nearly depend on others, or center the columns"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.linalg.lstsq(A + torch.eye(3, dtype=dtype)[:, :2], torch.ones(3, 1, dtype=dtype))


def test_lstsq_counts_columns_whatever_their_units():
    A, y, given = _float_design("filip")
    with pytest.warns(UserWarning, match="condition number of the columns is 5.7e\\+09"):
        found = torch.linalg.lstsq(torch.tensor(A), torch.tensor(y))
    assert found.rank.item() == 11
    assert digits(found.solution.numpy(), given.coefficients) >= 7
    # A cut that is asked for is one of the matrix as it is.
    assert torch.linalg.lstsq(torch.tensor(A), torch.tensor(y), rcond=1e-10).rank.item() == 7


def test_lstsq_in_float32_is_rounded_once():
    rng = np.random.default_rng(5)
    A, b = rng.standard_normal((50, 4)).astype(np.float32), rng.standard_normal((50, 1)).astype(np.float32)
    exactly = solve(A.astype(np.float64), b.astype(np.float64)).w.astype(np.float32)
    assert np.array_equal(torch.linalg.lstsq(torch.tensor(A), torch.tensor(b)).solution.numpy(), exactly)
