"""A compiled module is the module, but for the call."""

from __future__ import annotations

import copy
from typing import Any

import chainrule as torch
from chainrule import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))
        self.register_buffer("offset", torch.zeros(2))
        self.scale = 2.0

    def forward(self, x: Any, *, twice: bool = False) -> Any:
        out = self.rest(self.first(x)) * self.scale + self.offset
        return out * 2 if twice else out

    def named(self) -> str:
        return "net"


def test_everything_is_shared() -> None:
    net = Net()
    fast = torch.compile(net)
    assert isinstance(fast, nn.Module)
    assert list(fast.state_dict()) == list(net.state_dict())
    assert [n for n, _ in fast.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert all(p is q for p, q in zip(fast.parameters(), net.parameters(), strict=True))
    assert (fast.named(), fast.scale, fast.first) == ("net", 2.0, net.first)
    assert fast.eval() is fast
    assert not net.training
    assert not net.rest[1].training
    assert fast.train().training
    fast.scale = 3.0
    assert net.scale == 3.0
    fast.extra = nn.Linear(1, 1)
    assert "extra.weight" in net.state_dict()
    del fast.extra
    assert "extra.weight" not in fast.state_dict()
    fast.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    fast.double()
    assert net.first.weight.dtype is torch.float64
    assert "named" in dir(fast)
    assert "first" in dir(fast)


def test_calls() -> None:
    net = Net()
    fast = torch.compile(net)
    x = torch.randn(5, 3)
    with torch.no_grad():
        for _ in range(2):
            assert torch.equal(fast(x), net(x))
            assert torch.equal(fast(x, twice=True), net(x, twice=True))
            assert torch.equal(fast.forward(x), net(x))
        assert fast.traces == 2
        net.scale = 5.0
        assert torch.equal(fast(x), net(x))
        assert (fast.traces, fast.why()) == (3, "model.scale: before 2.0, now 5.0")
        fast.load_state_dict(Net().state_dict())
        assert torch.equal(fast(x), net(x))
        assert fast.traces == 3


def test_deep_copies() -> None:
    net = Net()
    fast = torch.compile(net)
    x = torch.randn(5, 3)
    fast(x)
    other = copy.deepcopy(nn.Sequential(fast))[0]
    with torch.no_grad():
        other.first.weight.zero_()
        assert torch.equal(other(x), other.forward(x))
        assert not torch.equal(other(x), fast(x))
        assert torch.equal(fast(x), net(x))
    assert other._wrapped is not net
    f = torch.compile(net.named)
    assert copy.deepcopy(f) is f


def test_hooks_run_at_the_trace() -> None:
    net, seen = nn.Linear(3, 2), []
    net.register_forward_hook(lambda m, args, out: seen.append(tuple(out.shape)) or out * 2)
    fast = torch.compile(net)
    x = torch.randn(4, 3)
    with torch.no_grad():
        first = fast(x)
        assert torch.equal(first, net(x))
        fast(x)
    assert seen == [(4, 2), (4, 2)]  # once by the trace, once by the module itself


def test_inside_another_module() -> None:
    inner = nn.Linear(3, 3)
    net = nn.Sequential(torch.compile(inner), nn.ReLU())
    x = torch.randn(2, 3)
    assert list(net.state_dict()) == ["0.weight", "0.bias"]
    net(x).sum().backward()
    assert inner.weight.grad is not None
    whole = torch.compile(net)
    with torch.no_grad():
        assert torch.equal(whole(x), net(x))
    net.train(False)
    assert not inner.training


def test_errors_name_the_layer() -> None:
    fast = torch.compile(Net())
    try:
        fast(torch.ones(2, 5))
    except torch.ShapeError as err:
        text = str(err)
    assert "first" in text
    assert "test_module.py" in text


def test_how_it_is_shown() -> None:
    assert repr(torch.compile(nn.Linear(3, 2))) == "compiled Linear(in_features=3, out_features=2, bias=True)"
    assert repr(torch.compile(nn.Sequential(nn.ReLU()))) == "compiled Sequential(\n  (0): ReLU()\n)"
