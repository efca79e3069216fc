"""The short way of a call does what the general way does, and steps aside where it does not know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.compiler.fast import MISS, short_way
from chainrule.compiler.memory import _asked, address

X = torch.ones(2, 3)


def only(f: Any) -> Any:
    (s,) = f._signatures
    return s


def test_the_general_way_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @torch.compile
    def step(x: Any, y: Any, weight: float) -> Any:
        opt.zero_grad()
        loss = ((model(x) - y) ** 2).mean() * weight
        loss.backward()
        opt.step()
        return loss

    x, y = torch.randn(8, 3), torch.randn(8, 1)
    step(x, y, 0.5)
    step(x[:5], y[:5], 0.5)

    def general(*args: Any) -> Any:
        raise AssertionError("the general way")

    monkeypatch.setattr(type(step), "_call", general)
    losses = [step(x, y, 0.5).item() for _ in range(5)]
    assert len(set(losses)) == 5
    step(torch.randn(5, 3), torch.randn(5, 1), 0.5)
    whole = torch.randn(20, 3)
    step(whole[2:10], y, 0.5)  # a view that lies in order
    opt.param_groups[0]["lr"] = 0.01
    step(x, y, 0.5)


def test_what_the_short_way_leaves_to_the_general_one() -> None:
    f = torch.compile(lambda x, k=1.0: x * k)
    f(X)
    short = short_way(only(f))
    assert torch.equal(short((X,)), X)
    for args in (
        (X, 1.0),
        (),
        (X[:1],),
        (X.double(),),
        (X.T,),
        (X.clone().requires_grad_(),),
        (2.0,),
        (nn.Parameter(X),),
    ):
        assert short(args) is MISS
    with torch.no_grad():
        assert short((X,)) is MISS
    w = torch.ones(2, 3, requires_grad=True)
    assert short((w[:],)) is MISS  # a view of what wants a gradient


@pytest.mark.parametrize("build", [
    lambda: torch.compile(lambda x: {"a": x * 2}),
    lambda: torch.compile(lambda x: (x.add_(1), x)[1]),
    lambda: torch.compile(lambda x: None),
    lambda: torch.compile(lambda x: x),
    lambda: torch.compile(lambda x: torch.rand(2) + x.sum()),
])  # fmt: skip
def test_the_same_as_the_general_way(build: Any) -> None:
    f = build()
    results = []
    for way in ("general", "short"):
        torch.manual_seed(0)
        x = torch.full((2, 3), 2.0)
        f(x)
        s = only(f)
        short = short_way(s)
        out = s.run([x]) if way == "general" else short((x,))
        results.append((str(out), x.tolist(), x._v, out is x))
    assert results[0] == results[1]


def test_writes_are_counted_on_both_ways() -> None:
    w = torch.ones(3, requires_grad=True)

    def step(x: Any) -> None:
        (g,) = torch.autograd.grad((x * w).sum(), w)
        with torch.no_grad():
            w.sub_(g)

    f = torch.compile(step)
    f(torch.ones(3))
    assert w._v == 1
    f(torch.ones(3))
    assert w._v == 2
    out = (w * w).sum()
    f(torch.ones(3))
    with pytest.raises(torch.GradError, match="must not be changed in place"):
        out.backward()


def test_inputs_on_memory_that_is_written() -> None:
    w = torch.zeros(100)
    f = torch.compile(lambda x: w.add_(x.sum()).sum())
    f(torch.ones(4))
    short = short_way(only(f))
    assert short((torch.ones(4),)) is not MISS
    for start in (0, 1, 50, 96):
        assert short((w[start : start + 4],)) is MISS
    around = torch.zeros(8)
    v = around[4:]
    g = torch.compile(lambda x: v.sum() + x.sum())
    g(torch.ones(4))
    assert short_way(only(g))((around[:4],)).item() == 0.0  # nothing is written


def test_addresses() -> None:
    whole = np.arange(24.0).reshape(2, 3, 4)
    for a in (whole, whole[1], whole[:, 1:], whole.T, np.array(3.0), np.zeros(0), np.ones(5, np.int8)[2:]):
        assert address(a) == _asked(a) == a.__array_interface__["data"][0]
