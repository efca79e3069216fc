"""Every batch must do the same: what Python does otherwise for the second one is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from tests.graph.loops import ANOTHER, gone, loader, message


def _counts(total: Any, x: Any, state: dict[str, Any]) -> None:
    state["n"] = state.get("n", 0) + 1
    total += x.sum(0) * state["n"]


def _skips(total: Any, x: Any, state: dict[str, Any]) -> None:
    if "started" in state:
        total += 1
    state["started"] = True


def _starts(total: Any, x: Any, state: dict[str, Any]) -> None:
    if not state:
        total += 1
    state["started"] = True


def _takes_turns(total: Any, x: Any, state: dict[str, Any]) -> None:
    first, second = PAIR
    state["turn"] = second if state.get("turn") is first else first
    total += state["turn"]


def _squares(total: Any, x: Any, state: dict[str, Any]) -> None:
    total += x.sum(0) ** 2 if state else x.exp().sum(0)
    state["started"] = True


def _remembers(total: Any, x: Any, state: dict[str, Any]) -> None:
    total += state.get("last", torch.zeros(2))
    state["last"] = x.sum(0)


PAIR = [torch.ones(2), torch.ones(2)]

OTHERWISE: dict[Callable[[Any, Any, dict[str, Any]], None], str] = {
    _counts: "mul(..., 1.0) for the first batch, and mul(..., 2.0) for the second\n" + ANOTHER,
    _skips: "a tensor (2,) that it changes in place, where the first batch did not\n" + ANOTHER,
    _starts: "a tensor (2,) that it changes in place, where the second batch does not\n" + ANOTHER,
    _takes_turns: "a tensor (2,) for the first batch, and another one for the second\n" + ANOTHER,
    _squares: "sum(..., dim=(0,), keepdim=False) for the first batch, and square(...) for the second\n"
    + ANOTHER,
}


@pytest.mark.parametrize("body", OTHERWISE)
def test_every_batch_must_do_the_same(body: Callable[..., None]) -> None:
    batches = loader(20)

    def f() -> Any:
        total, state = torch.zeros(2), dict[str, Any]()
        for x, _ in batches:
            body(total, x, state)
        return total

    assert message(f) == "for batch in loader got " + OTHERWISE[body]


def test_what_python_remembers_from_batch_to_batch() -> None:
    def f() -> Any:
        total, state = torch.zeros(2), dict[str, Any]()
        for x, _ in loader(20):
            _remembers(total, x, state)
        return total

    assert message(f) == gone("(2,)")


def test_a_step_before_the_first_gradient() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)

    def f() -> None:
        for x, _ in loader(20):
            opt.step()
            opt.zero_grad()
            (x @ w).sum().backward()

    assert message(f) == gone("(2,)")
    assert w.grad is None
