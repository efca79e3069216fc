"""Parameter and Buffer: shared memory, leaves, copies, printing."""

from __future__ import annotations

import copy

import pytest

import chainrule as torch
from chainrule import nn


def test_a_parameter_shares_memory_and_is_a_leaf():
    data = torch.ones(2)
    p = nn.Parameter(data)
    data[0] = 5.0
    assert p.tolist() == [5.0, 1.0]
    with torch.no_grad():
        p[1] = 7.0
    assert data.tolist() == [5.0, 7.0]
    assert p.is_leaf
    assert p.requires_grad
    assert isinstance(p, torch.Tensor)


def test_made_from_a_computed_tensor_it_is_still_a_leaf():
    x = torch.ones(2, requires_grad=True)
    p = nn.Parameter(x * 2)
    (p * 3).sum().backward()
    assert p.grad.tolist() == [3.0, 3.0]
    assert x.grad is None


def test_results_are_plain_tensors():
    p = nn.Parameter(torch.ones(2))
    for result in (p * 2, p.detach(), p.clone(), p[0], p.data, p.reshape(1, 2), p.T):
        assert type(result) is torch.Tensor


def test_repr_of_a_parameter():
    assert (
        repr(nn.Parameter(torch.tensor([1.0, 2.0])))
        == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    )
    frozen = nn.Parameter(torch.tensor([1.0, 2.0]), requires_grad=False)
    assert repr(frozen) == "Parameter containing:\ntensor([1., 2.])"
    assert repr(nn.Parameter()) == "Parameter containing:\ntensor([], requires_grad=True)"


def test_deep_copies():
    p = nn.Parameter(torch.ones(2), requires_grad=False)
    q = copy.deepcopy(p)
    assert type(q) is nn.Parameter
    assert not q.requires_grad
    q.fill_(3.0)
    assert p.tolist() == [1.0, 1.0]
    one, two = copy.deepcopy([p, p])
    assert one is two
    buffer = copy.deepcopy(nn.Buffer(torch.ones(2), persistent=False))
    assert type(buffer) is nn.Buffer
    assert not buffer.persistent


def test_whole_numbers_cannot_be_trained():
    with pytest.raises(torch.GradError) as caught:
        nn.Parameter(torch.tensor([1, 2]))
    assert isinstance(caught.value, RuntimeError)
    assert nn.Parameter(torch.tensor([1, 2]), requires_grad=False).dtype == torch.int64


def test_only_tensors_become_parameters():
    with pytest.raises(TypeError) as caught:
        nn.Parameter([1.0, 2.0])
    assert str(caught.value) == "Parameter expects a Tensor, but got a list\n  try: tensor(...) of it"


def test_buffers_register_themselves():
    module = nn.Module()
    module.kept = nn.Buffer(torch.ones(1))
    module.temporary = nn.Buffer(torch.ones(1), persistent=False)
    assert [n for n, _ in module.named_buffers()] == ["kept", "temporary"]
    assert list(module.state_dict()) == ["kept"]
    module.kept = torch.zeros(2)  # a plain tensor takes the buffer's place
    assert module.state_dict()["kept"].tolist() == [0.0, 0.0]
    assert not module.kept.requires_grad


def test_an_update_in_place_reaches_the_module():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        for p in layer.parameters():
            p -= p
    assert layer(torch.ones(1, 2)).tolist() == [[0.0]]
