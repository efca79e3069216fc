"""The one place where tensors live, under the names that course code uses."""

from __future__ import annotations

import copy

import pytest

import chainrule as torch
from chainrule.core.device import CPU, device
from chainrule.core.errors import ArgumentError


@pytest.mark.parametrize("given", ["cpu", "cpu:0", CPU, torch.device("cpu")])
def test_all_spellings_of_the_cpu(given: object) -> None:
    place = device(given)
    assert place == CPU
    assert (place.type, str(place), repr(place)) == ("cpu", "cpu", "device(type='cpu')")
    assert hash(place) == hash(CPU)


@pytest.mark.parametrize("given", ["cuda", "cuda:0", "mps", "cpu:1", ""])
def test_other_places_are_refused(given: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        device(given)
    assert caught.value.summary == (f"device got {given!r}\n  the device must be 'cpu'\n  try: device('cpu')")
    assert isinstance(caught.value, RuntimeError)  # what course code catches


def test_an_index_is_kept() -> None:
    assert device("cpu", 0).index == 0
    assert device("cpu").index is None


def test_a_device_is_no_string() -> None:
    assert CPU != "cpu"


def test_it_can_be_copied() -> None:
    assert copy.deepcopy(CPU) == CPU


def test_tensors_say_where_they_are() -> None:
    assert torch.zeros(1).device == CPU
    assert torch.zeros(1, device="cpu").to("cpu").device is CPU
