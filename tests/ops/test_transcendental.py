"""The gamma family has derivatives of every order: none of them is silently 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

import chainrule as torch
from chainrule.core.errors import ArgumentError
from tests.tolerances import VALUE, assert_close

X = np.array([0.3, 1.0, 2.5, 7.0])


def derivative(y: Any, x: Any) -> Any:
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def test_the_derivatives_of_lgamma() -> None:
    x = torch.tensor(X, requires_grad=True)
    y = torch.lgamma(x)
    for n in range(4):
        y = derivative(y, x)
        wanted = scipy.special.polygamma(n, X)
        assert_close(y.detach().numpy() / wanted, np.ones(4), VALUE["float64"], f"derivative {n + 1}")


def test_polygamma_of_order_0_is_digamma() -> None:
    x = torch.tensor(X)
    assert torch.equal(torch.polygamma(0, x), torch.digamma(x))
    assert torch.equal(x.polygamma(2), torch.polygamma(2, x))


@pytest.mark.parametrize("n", [-1, 1.0, True, None])
def test_the_order_of_polygamma_is_checked(n: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        torch.polygamma(n, torch.ones(1))
    assert caught.value.summary == f"polygamma got n={n!r}\n  n must be an integer, 0 or larger"


def test_integers_become_floats() -> None:
    assert torch.polygamma(1, torch.tensor([1, 2])).dtype is torch.float32
