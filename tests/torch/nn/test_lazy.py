"""LazyLinear beside PyTorch's: when it becomes what, and what it computes."""

from __future__ import annotations

import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree


def test_before_and_after_the_first_x() -> None:
    mine, its = nn.LazyLinear(4), torch.nn.LazyLinear(4)
    assert repr(mine) == repr(its)
    x = torch.randn(5, 3)
    its(x)
    mine(chainrule.tensor(x.numpy()))
    assert type(its).__name__ == type(mine).__name__ == "Linear"
    assert repr(mine) == repr(its)
    mine.load_state_dict({k: chainrule.tensor(v.numpy()) for k, v in its.state_dict().items()})
    agree(mine(chainrule.tensor(x.numpy())), its(x))
