"""Reductions, scans, softmax and norms: special values, totals in half precision. The sweep does the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch

INF, NAN = math.inf, math.nan
BIG = 3e38  # near the largest float32


def t(*values: float, dtype: Any = torch.float32) -> Any:
    return torch.tensor(values, dtype=dtype)


CASES: list[tuple[str, Callable[[], Any], Any]] = [
    ("NaN spoils a sum", lambda: t(1, NAN, 2).sum(), NAN),
    ("infinities of both signs", lambda: t(INF, -INF).sum(), NAN),
    ("NaN is the largest", lambda: t(1, NAN, INF).amax(), NAN),
    ("NaN is the smallest", lambda: t(1, NAN, -INF).amin(), NAN),
    ("NaN is where the largest is", lambda: t(1, NAN, INF, NAN).argmax(), 1),
    ("NaN is where the smallest is", lambda: t(1, NAN, -INF).argmin(), 1),
    ("all of nothing", lambda: t().all(), True),
    ("any of nothing", lambda: t().any(), False),
    ("NaN is true", lambda: t(NAN).all(), True),
    ("-0 is false", lambda: t(-0.0).any(), False),
    ("a sum of nothing", lambda: t().sum(), 0),
    ("a product of nothing", lambda: t().prod(), 1),
    ("a product with 0 and infinity", lambda: t(0, INF).prod(), NAN),
    ("a running sum after NaN", lambda: t(1, NAN, 2).cumsum(0), [1, NAN, NAN]),
    ("a running product after 0", lambda: t(2, 0, 3).cumprod(0), [2, 0, 0]),
    ("log-sum-exp of nothing", lambda: t().logsumexp(0), -INF),
    ("log-sum-exp of -infinities", lambda: t(-INF, -INF).logsumexp(0), -INF),
    ("log-sum-exp with infinity", lambda: t(INF, 0).logsumexp(0), INF),
    ("log-sum-exp with NaN", lambda: t(NAN, 0).logsumexp(0), NAN),
    ("log-sum-exp of large numbers", lambda: t(BIG, BIG).logsumexp(0), np.float32(BIG)),
    ("log-sum-exp of small numbers", lambda: t(-1e4, -1e4).logsumexp(0), -1e4 + math.log(2)),
    ("softmax of large numbers", lambda: t(BIG, BIG, 0).softmax(0), [0.5, 0.5, 0]),
    ("softmax with -infinity", lambda: t(-INF, 1, 1).softmax(0), [0, 0.5, 0.5]),
    ("softmax of -infinities", lambda: t(-INF, -INF).softmax(0), [NAN, NAN]),
    ("softmax with infinity", lambda: t(INF, 0).softmax(0), [NAN, NAN]),
    ("softmax of one", lambda: t(-7).softmax(0), [1]),
    ("log-softmax of distant numbers", lambda: t(0, 1000).log_softmax(0), [-1000, 0]),
    ("log-softmax with -infinity", lambda: t(-INF, 0).log_softmax(0), [-INF, 0]),
    ("a norm of nothing", lambda: torch.norm(t()), 0),
    ("a norm of zeros", lambda: torch.norm(t(0, 0), 3), 0),
    ("a norm with infinity", lambda: torch.norm(t(INF, 1)), INF),
    ("a norm with NaN", lambda: torch.norm(t(NAN, 1), 3), NAN),
]


@pytest.mark.parametrize(("action", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_special_values(action: Callable[[], Any], wanted: Any) -> None:
    np.testing.assert_allclose(action().numpy(), wanted, rtol=2e-7, atol=0)


def test_tests_of_uint8_stay_uint8() -> None:
    x = torch.tensor([1, 2], dtype=torch.uint8)
    assert x.all().dtype is torch.uint8
    assert x.any(0).dtype is torch.uint8
    assert x.to(torch.int8).all().dtype is torch.bool


# 3000 times 0.1 in half precision: a total kept in half precision stops growing at 256
N, TENTH = 3000, np.float16(0.1)
EXACT = N * float(TENTH)


@pytest.mark.parametrize("layout", ["row", "column"])
def test_totals_of_half_precision_are_kept_in_float32(layout: str) -> None:
    x = torch.full((N, 2), 0.1, dtype=torch.float16)
    x = x if layout == "column" else x.T.contiguous().T
    half_ulp = 0.125
    assert abs(x.sum(0)[0].item() - EXACT) <= half_ulp
    assert abs(x.cumsum(0)[-1, 0].item() - EXACT) <= half_ulp
    assert abs(torch.norm(x, dim=0)[0].item() - math.sqrt(N) * float(TENTH)) <= 2e-3
    assert abs((x.T @ torch.ones(N, 1, dtype=torch.float16))[0, 0].item() - EXACT) <= half_ulp
    assert abs(x.logsumexp(0)[0].item() - (math.log(N) + float(TENTH))) <= 4e-3
    flat = x.softmax(0)
    assert flat.dtype is torch.float16
    np.testing.assert_allclose(flat.numpy(), 1 / N, rtol=1e-3)
    np.testing.assert_allclose(x.log_softmax(0).numpy(), -math.log(N), rtol=1e-3)
    ones = torch.full((N,), 1 + 2**-10, dtype=torch.float16)
    assert abs(ones.prod().item() - (1 + 2**-10) ** N) <= 0.01
    assert abs(ones.cumprod(0)[-1].item() - (1 + 2**-10) ** N) <= 0.01


def test_a_product_of_many_elements_has_the_right_gradient_beside_a_zero() -> None:
    values = [1.5, -2.0, 0.0, 0.5, 4.0]
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    x.prod().backward()
    assert x.grad.tolist() == [0, 0, 1.5 * -2.0 * 0.5 * 4.0, 0, 0]


@pytest.mark.parametrize("values", [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
def test_the_hessian_of_a_product_is_exact_with_zeros(values: list[float]) -> None:
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(x.prod(), x, create_graph=True)
    for i in range(3):
        (row,) = torch.autograd.grad(first[i], x, retain_graph=True)
        wanted = [0 if i == j else values[3 - i - j] for j in range(3)]  # the one element that is left
        assert row.tolist() == wanted
