"""Saving and loading state: names, memory, strictness, and messages that name every mismatch."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule import nn


def model(width=4):
    net = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 2))
    net.register_buffer("scratch", torch.zeros(1), persistent=False)
    return net


def test_names_and_memory():
    net = model()
    state = net.state_dict()
    assert list(state) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        "1.num_batches_tracked", "2.weight", "2.bias",
    ]  # fmt: skip
    assert not state["0.weight"].requires_grad
    state["0.bias"].fill_(3.0)
    assert net[0].bias.tolist() == [3.0] * 4
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight
    mine = {"before": 1}
    assert net.state_dict(destination=mine, prefix="net.") is mine
    assert "net.0.weight" in mine


def test_loading_copies_into_the_same_parameters():
    source, net = model(), model()
    weight = net[0].weight
    assert repr(net.load_state_dict(source.state_dict())) == "<All keys matched successfully>"
    assert net[0].weight is weight
    assert weight.is_leaf
    assert weight.requires_grad
    assert weight.tolist() == source[0].weight.tolist()
    with torch.no_grad():
        source[0].weight.zero_()
    assert weight.abs().sum().item() > 0


def test_loading_converts_the_element_type():
    net = model()
    net.load_state_dict({k: v.double() for k, v in model().state_dict().items()})
    assert net[0].weight.dtype == torch.float32


def test_assign_takes_the_tensors_themselves():
    net, state = model(), {k: v.double() for k, v in model().state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net[0].weight.dtype == torch.float64
    assert isinstance(net[0].weight, nn.Parameter)
    assert net[1].running_mean is state["1.running_mean"]


def test_not_strict_loads_what_fits():
    net, state = model(), model().state_dict()
    del state["2.bias"]
    state["new"] = torch.ones(1)
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["2.bias"]
    assert result.unexpected_keys == ["new"]
    assert (
        repr(result) == str(result) == "_IncompatibleKeys(missing_keys=['2.bias'], unexpected_keys=['new'])"
    )
    assert net[0].weight.tolist() == state["0.weight"].tolist()


def text_of(net, state, **settings):
    with pytest.raises(torch.ArgumentError) as caught:
        net.load_state_dict(state, **settings)
    assert isinstance(caught.value, RuntimeError)
    assert "test_state.py" in str(caught.value)
    return caught.value.summary


def test_every_kind_of_mismatch_in_one_message():
    net, state = model(), model(width=5).state_dict()
    del state["0.bias"]
    state["2.wieght"] = state.pop("2.weight")
    state["2.bias"] = [1.0, 2.0]
    before = net[0].weight.tolist()
    assert text_of(net, state) == (
        "load_state_dict of Sequential got a state dict that does not fit\n"
        "  missing (in the model, not in the dict): '0.bias' (4,), '2.weight' (2, 4)\n"
        "  unexpected (in the dict, not in the model): '2.wieght' (did you mean '2.weight'?)\n"
        "  wrong shape: '0.weight' is (5, 3) in the dict, (4, 3) in the model\n"
        "  wrong shape: '1.weight' is (5,) in the dict, (4,) in the model\n"
        "  wrong shape: '1.bias' is (5,) in the dict, (4,) in the model\n"
        "  wrong shape: '1.running_mean' is (5,) in the dict, (4,) in the model\n"
        "  wrong shape: '1.running_var' is (5,) in the dict, (4,) in the model\n"
        "  not a tensor: '2.bias' is a list in the dict\n"
        "  nothing was loaded\n"
        "  try: strict=False to load only what fits by name, if the rest is meant to differ"
    )
    assert net[0].weight.tolist() == before


def test_a_wrong_shape_is_refused_even_if_not_strict():
    state = model().state_dict() | {"0.bias": torch.ones(9)}
    assert text_of(model(), state, strict=False) == (
        "load_state_dict of Sequential got a state dict that does not fit\n"
        "  wrong shape: '0.bias' is (9,) in the dict, (4,) in the model\n"
        "  nothing was loaded\n"
        "  try: build the model with the sizes it was saved with"
    )


def test_a_prefix_is_recognised():
    line = nn.Linear(1, 1)
    wrapped = {f"module.{k}": v for k, v in line.state_dict().items()}
    assert text_of(line, wrapped) == (
        "load_state_dict of Linear got a state dict that does not fit\n"
        "  missing (in the model, not in the dict): 'weight' (1, 1), 'bias' (1,)\n"
        "  unexpected (in the dict, not in the model): 'module.weight' (did you mean 'weight'?), "
        "'module.bias'\n"
        "  nothing was loaded\n"
        "  try: {k.removeprefix('module.'): v for k, v in state.items()}, without the prefix"
    )
    outer = nn.Module()
    outer.add_module("module", nn.Linear(1, 1))
    assert text_of(outer, line.state_dict()).endswith(
        "\n  try: {'module.' + k: v for k, v in state.items()}, with the prefix"
    )


def test_long_lists_are_cut():
    net = nn.Sequential(*(nn.Linear(1, 1) for _ in range(8)))
    assert "'3.weight' (1, 1), '3.bias' (1,) and 8 more\n" in text_of(net, {})


def test_not_a_dict():
    with pytest.raises(TypeError) as caught:
        model().load_state_dict([1])
    assert str(caught.value) == "Expected state_dict to be dict-like, got <class 'list'>."


def test_a_module_used_twice_is_saved_under_both_names():
    layer = nn.Linear(1, 1)
    net = nn.Sequential(layer, layer)
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    net.load_state_dict(net.state_dict())
