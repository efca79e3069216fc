"""Parameters as one vector and back."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import utils


def test_there_and_back():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (13,)
    assert vector[:6].tolist() == net[0].weight.reshape(-1).tolist()
    weight = net[0].weight
    utils.vector_to_parameters(torch.arange(13.0), net.parameters())
    assert net[0].weight is weight
    assert weight.requires_grad
    assert utils.parameters_to_vector(net.parameters()).tolist() == list(range(13))


def test_gradients_flow_through_the_vector():
    net = nn.Linear(2, 1)
    (utils.parameters_to_vector(net.parameters()) ** 2).sum().backward()
    assert net.weight.grad.tolist() == (2 * net.weight).tolist()


@pytest.mark.parametrize("size", [2, 4])
def test_the_wrong_length(size):
    with pytest.raises(torch.ShapeError) as caught:
        utils.vector_to_parameters(torch.zeros(size), nn.Linear(2, 1).parameters())
    assert caught.value.summary == (
        f"vector_to_parameters got a vector ({size},)\n  the parameters have 3 elements, so it must be (3,)"
    )
