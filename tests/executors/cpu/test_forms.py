"""What a value is to the compiler: an op that is native for some numbers only."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.graph import trace
from tests.executors.cpu.running import assert_same, run_native


@pytest.mark.parametrize("function", [torch.floor_divide, torch.remainder, torch.fmod])
def test_an_integer_division_is_native_for_each_number_by_itself(function: Any) -> None:
    x = torch.tensor([7, -8, 9])
    for number in (3, -2):
        assert_same(trace(lambda x, n=number: function(x, n), x), x.numpy())
    graph = trace(lambda x: function(x, 0), x)
    with pytest.raises(ArgumentError):
        run_native(graph, x.numpy())
