"""Drawings of explicit graphs: symbols, traces, training steps, loops over loaders."""

from __future__ import annotations

from typing import Any

import chainrule as torch
from chainrule import nn
from chainrule.graph import symbol, trace
from chainrule.utils.data import DataLoader, TensorDataset
from tests.explain.drawing.geometry import check


def by_name(d: Any) -> dict[str, Any]:
    return {n.name: n for n in d._shown.nodes.values()}


def test_symbols_have_a_backward_graph() -> None:
    a, b = symbol("a", (2, 1)), symbol("b", (2, 1))
    d = torch.draw((2 * a + torch.sin(b) * 3).sum())
    check(d.svg)
    assert by_name(d)["v2"].title == "v2 = sin(b)"
    assert by_name(d)["v2"].keeps == "keeps b"
    assert by_name(d)["v2"].rules == ["∂b = ∂v2 * cos(b)"]
    assert by_name(d)["a"].rules == ["the gradient of a"]


def test_what_is_kept_is_what_eager_mode_keeps() -> None:
    def f(x: Any, w: Any) -> Any:
        return (torch.tanh(x @ w) * w.sum()).sum()

    x, w = torch.randn(4, 3), torch.randn(3, 2)
    eager = torch.draw(f, x.requires_grad_(), w.requires_grad_())
    explicit = torch.draw(trace(f, x, w))
    assert [n.keeps for n in eager._shown.nodes.values()] == [n.keeps for n in explicit._shown.nodes.values()]
    assert [n.title for n in eager._shown.nodes.values() if n.role != "result"] == [
        n.title for n in explicit._shown.nodes.values() if n.role != "result"
    ]
    assert [n.rules for n in eager._shown.nodes.values() if n.role == "operation"][:2] == [
        n.rules for n in explicit._shown.nodes.values() if n.role == "operation"
    ][:2]


def test_training_step_shows_its_writes_and_no_second_backward() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(x: Any, t: Any) -> Any:
        opt.zero_grad()
        loss = ((model(x) - t) ** 2).mean()
        loss.backward()
        opt.step()
        return loss

    d = torch.draw(trace(step, torch.randn(5, 4), torch.randn(5, 1)), params=model)
    check(d.svg)
    assert "0.weight" in by_name(d)
    assert d.groups[:2] == ["0", "2"]
    writes = [line for n in by_name(d).values() for line in n.details if line.startswith("written to")]
    assert sorted(writes) == [f"written to {i}.{p}" for i in (0, 2) for p in ("bias", "weight")]
    assert not d._whole.has_backward
    assert "stroke-dasharray" in d.svg
    assert 'class="constant-flow"' not in d.svg


def test_loops_are_groups_with_their_body() -> None:
    loader = DataLoader(TensorDataset(torch.arange(6.0).reshape(6, 1)), batch_size=2)
    total = torch.zeros(1)

    def epoch() -> Any:
        for (x,) in loader:
            total.add_(x.sum())
        return total * 2

    d = torch.draw(trace(epoch))
    check(d.svg)
    assert [g.title for g in d._whole.groups.values()] == ["loop · 3 times"]
    assert any("starts as total" in n.details for n in by_name(d).values())
    folded = torch.draw(trace(epoch), depth=0)
    check(folded.svg)
    assert by_name(d)["v5"].details == ["(1,) float32", "written to total"]
    assert any(n.role == "folded" for n in folded._shown.nodes.values())
