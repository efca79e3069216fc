"""`.grad` and the tape in a loop over batches: each iteration stands on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from chainrule.graph import trace
from tests.graph.loops import loader, message

LEFTOVER = (
    "for batch in loader got a gradient (2,) that the first batch leaves for the second, in .grad\n"
    "  each iteration must find .grad as the one before it did\n"
    "  try: optimizer.zero_grad() as the first line of the loop, or w.grad = None"
)


def _accumulates(w: Any, x: Any) -> None:
    (x @ w).sum().backward()


def _set_too_late(w: Any, x: Any) -> None:
    _accumulates(w, x)
    w.grad = None
    _accumulates(w, x)


def _zero_too_early(w: Any, x: Any) -> None:
    if w.grad is not None:
        w.grad.zero_()
    _accumulates(w, x)


@pytest.mark.parametrize("body", [_accumulates, _set_too_late, _zero_too_early])
def test_gradients_that_add_up_from_batch_to_batch(body: Callable[[Any, Any], None]) -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        for x, _ in loader():
            body(w, x)

    assert message(f) == LEFTOVER
    assert w.grad is None


def test_a_gradient_from_before_that_only_the_first_batch_uses() -> None:
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.ones(2)

    def f() -> None:
        for x, _ in loader():
            with torch.no_grad():
                w.sub_(w.grad)
            w.grad = None
            _accumulates(w, x)

    assert message(f) == LEFTOVER
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_gradient_from_before_that_is_cleared_first() -> None:
    def make() -> tuple[Any, Callable[[], None]]:
        w = torch.ones(2, requires_grad=True)
        w.grad = torch.ones(2)

        def f() -> None:
            for x, _ in loader():
                w.grad = None
                _accumulates(w, x)
                with torch.no_grad():
                    w.sub_(w.grad, alpha=1e-4)

        return w, f

    w, f = make()
    f()
    other, g = make()
    trace(g)()
    assert other.tolist() == w.tolist()


BOUNDARY = (
    "for batch in loader got backward through a tensor {} that was computed outside of this iteration, or "
    "was changed in it and is carried on\n"
    "  each iteration is differentiated on its own\n"
    "  try: compute it in the same iteration as the loss, or detach() it"
)


def test_no_gradient_flows_into_the_loop() -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        doubled = w * 2
        for x, _ in loader():
            _accumulates(doubled, x)

    assert message(f) == BOUNDARY.format("(2,)")


@pytest.mark.parametrize("where", ["inside", "after"])
def test_no_gradient_flows_out_of_an_iteration(where: str) -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        total = torch.zeros(())
        for x, _ in loader():
            total += (x @ w).sum()
            if where == "inside":
                total.backward()
        total.backward()

    assert message(f) == BOUNDARY.format("()")


def test_what_was_recorded_before_the_loop_can_be_differentiated_after_it() -> None:
    def f(w: Any) -> Any:
        before = (w * 3).sum()
        count = torch.zeros(())
        for x, _ in loader():
            count += len(x) * before.detach()
        return torch.autograd.grad(before, w)[0], count

    w = torch.ones(2, requires_grad=True)
    assert [x.tolist() for x in trace(f, w)(w)] == [[3.0, 3.0], 138.0]
