"""LazyLinear: what it is before its first x, and that it is an ordinary Linear after."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn


def test_it_becomes_a_linear_with_the_first_x() -> None:
    layer = nn.LazyLinear(4, bias=False, dtype=torch.float64)
    weight = layer.weight
    assert (weight.shape, layer.in_features, layer.bias) == ((4, 0), 0, None)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    out = layer(x)
    assert type(layer) is nn.Linear
    assert (layer.in_features, layer.weight.shape, weight.dtype) == (3, (4, 3), torch.float64)
    assert layer.weight is weight
    np.testing.assert_allclose(out.detach(), x.numpy() @ weight.detach().numpy().T)


def test_it_draws_what_a_linear_draws() -> None:
    torch.manual_seed(3)
    plain = nn.Linear(30, 20)
    layer = nn.LazyLinear(20)
    torch.manual_seed(3)
    layer(torch.ones(30))
    assert torch.equal(layer.weight, plain.weight)
    assert torch.equal(layer.bias, plain.bias)


@pytest.mark.parametrize("method", [torch.optim.SGD, torch.optim.Adam])
def test_an_optimizer_may_be_made_before(method: type[torch.optim.Optimizer]) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(1))
    trainer = method(net.parameters(), lr=0.05)  # type: ignore[call-arg]
    x = torch.randn(64, 3)
    y = (x[:, :1] * x[:, 1:2]).tanh()
    losses = []
    for _ in range(60):
        trainer.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        trainer.step()
        losses.append(loss.item())
    assert all(p.grad is not None and p.grad.shape == p.shape for p in net.parameters())
    assert losses[-1] < 0.8 * losses[0]


def test_copies_and_states() -> None:
    layer = nn.LazyLinear(2)
    twin = copy.deepcopy(layer)
    layer(torch.ones(3))
    assert type(twin) is nn.LazyLinear
    twin(torch.ones(5))
    assert (layer.in_features, twin.in_features) == (3, 5)
    other = nn.Linear(3, 2)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(torch.ones(3)), layer(torch.ones(3)))


def test_the_second_x_must_fit() -> None:
    layer = nn.LazyLinear(2)
    layer(torch.ones(3))
    with pytest.raises(torch.ShapeError, match="in_features"):
        layer(torch.ones(4))


def test_a_first_x_without_axes() -> None:
    layer = nn.LazyLinear(2)
    with pytest.raises(torch.ShapeError) as caught:
        layer(torch.tensor(1.0))
    assert caught.value.summary == (
        "LazyLinear got x ()\n"
        "  the last axis of the first x is in_features, so x must have one\n"
        "  try: x.reshape(1), if it is one number"
    )
    assert type(layer) is nn.LazyLinear


def test_the_first_call_is_not_in_a_trace() -> None:
    layer = nn.LazyLinear(2)
    with pytest.raises(torch.ArgumentError) as caught:
        torch.compile(lambda x: layer(x))(torch.ones(3))
    assert caught.value.summary == (
        "LazyLinear got its first x in a function that is being compiled\n"
        "  its weight is made at the first call, and a graph cannot give a tensor other memory\n"
        "  try: model(x) once, before it is compiled"
    )
    assert type(layer) is nn.LazyLinear
    layer(torch.ones(3))
    assert torch.compile(lambda x: layer(x))(torch.ones(3)).shape == (2,)
