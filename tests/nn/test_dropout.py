"""Dropout: the mask, its scale, its randomness, its gradient, and the modes in which it does nothing."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close


def test_share_and_scale():
    torch.manual_seed(0)
    x = torch.full((100_000,), 3.0)
    out = nn.Dropout(0.3)(x)
    kept = out != 0
    # 100,000 draws: the standard deviation of the share is 0.0014.
    assert abs(kept.float().mean().item() - 0.7) < 0.006
    np.testing.assert_allclose(out[kept].numpy(), 3 / 0.7, rtol=1e-6)


def test_the_mean_stays():
    torch.manual_seed(0)
    out = F.dropout(torch.ones(200_000, dtype=torch.float64), 0.5)
    assert out.dtype == torch.float64
    assert abs(out.mean().item() - 1) < 0.01


def test_the_gradient_uses_the_same_mask():
    torch.manual_seed(0)
    x = torch.randn(50, requires_grad=True)
    out = F.dropout(x, 0.4)
    out.sum().backward()
    close((x.grad * x.detach()).numpy(), out.detach().numpy())
    assert set(np.round(x.grad.numpy(), 5)) == {np.float32(0.0), np.round(np.float32(1 / 0.6), 5)}


def test_every_call_draws_anew_and_the_seed_decides():
    layer, x = nn.Dropout(0.5), torch.ones(100)
    torch.manual_seed(1)
    one, two = layer(x).tolist(), layer(x).tolist()
    assert one != two
    torch.manual_seed(1)
    assert layer(x).tolist() == one


def test_where_it_does_nothing():
    x = torch.randn(5)
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x).tolist() == x.tolist()
    assert F.dropout(x, 0.5, training=False) is x
    state = torch.get_rng_state().tolist()
    nn.Dropout(0.5).eval()(x)
    assert torch.get_rng_state().tolist() == state


def test_everything_dropped():
    x = torch.randn(5, requires_grad=True)
    out = F.dropout(x, 1.0)
    assert out.tolist() == [0.0] * 5
    out.sum().backward()
    assert x.grad.tolist() == [0.0] * 5


@pytest.mark.parametrize("p", [0.5, 1.0])
def test_in_place(p):
    torch.manual_seed(0)
    x = torch.ones(20)
    out = nn.Dropout(p, inplace=True)(x)
    assert out is x
    assert set(x.tolist()) <= {0.0, 2.0}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.Dropout(1.5), "Dropout got p=1.5\n  the probability p must lie in [0, 1]\n  try: p=0.5"),
        (
            lambda: F.dropout(torch.ones(1), -1),
            "dropout got p=-1\n  the probability p must lie in [0, 1]\n  try: p=0.5",
        ),
    ],
)
def test_error_texts(call, text):
    with pytest.raises(torch.ArgumentError) as caught:
        call()
    assert caught.value.summary == text
