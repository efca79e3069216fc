"""What a loop over batches cannot be in a graph is refused, with the words that help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import eager, nn
from chainrule.graph import trace
from chainrule.ops.primitive import tracing
from tests.graph.loops import ANOTHER, X, gone, loader, message

BATCHES = {"a loop": 20, "a loop and a rest": 23}


# -- what is made inside -------------------------------------------------------------------------------------


def test_the_value_of_the_last_batch() -> None:
    def f() -> Any:
        for x, _ in loader(20):
            loss = x.sum()
        return loss

    assert message(f) == gone()


@pytest.mark.parametrize("rows", BATCHES.values(), ids=BATCHES)
def test_a_sum_that_is_a_new_tensor_each_time(rows: int) -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader(rows):
            total = total + x.sum()
        return total

    assert message(f) == gone()


@pytest.mark.parametrize("rows", BATCHES.values(), ids=BATCHES)
def test_a_list_of_losses(rows: int) -> None:
    def f() -> Any:
        losses = []
        for x, _ in loader(rows):
            losses.append(x.sum())
        return losses

    assert message(f) == gone()


def test_a_batch_itself() -> None:
    def f() -> Any:
        for x, _ in loader(20):
            x += 1
        return x

    assert message(f) == gone("(5, 2)")


def test_a_tensor_made_and_changed_inside() -> None:
    def f() -> Any:
        for _ in loader(20):
            m = torch.zeros(2)
            m += 1
        return m

    assert message(f) == gone("(2,)")


MAKERS: dict[str, Callable[[Any], Any]] = {
    "tensor": lambda x: torch.tensor([1.0, 2.0]),
    "as_tensor": lambda x: torch.as_tensor([1.0, 2.0]),
    "from_numpy": lambda x: torch.from_numpy(np.ones(2, np.float32)),
    "Tensor": lambda x: torch.Tensor([1.0, 2.0]),
    "arange": lambda x: torch.arange(2.0),
    "full": lambda x: torch.full((2,), 3.0),
    "zeros_like": lambda x: torch.zeros_like(x[0]),
    "new_full": lambda x: x.new_full((2,), 0.5),
    "clone": lambda x: X[0].clone(),
    "rand": lambda x: torch.rand(2),
    "one_hot": lambda x: nn.functional.one_hot(torch.tensor(1), 2).float(),
    "eye": lambda x: torch.eye(2)[1],
}


@pytest.mark.parametrize("name", MAKERS)
def test_each_iteration_has_the_tensors_that_it_makes(name: str) -> None:
    batches, make = loader(20), MAKERS[name]

    def f() -> Any:
        total = torch.zeros(2)
        for x, _ in batches:
            m = make(x)
            m += x.sum(0)
            total += m
        return total

    torch.manual_seed(0)
    wanted = f()
    graph = trace(f)
    torch.manual_seed(0)
    assert graph().tolist() == wanted.tolist()


def test_a_tensor_of_which_nobody_knows_where_it_was_made() -> None:
    def f() -> Any:
        total = torch.zeros(2)
        for x, _ in loader(20):
            m = nn.Parameter(torch.ones(2)).detach()
            m += x.sum(0)
            total += m
        return total

    assert message(f) == (
        "for batch in loader got a tensor (2,) that it changes in place, where the second batch does not\n"
        + ANOTHER
    )


def test_a_list_outside_that_keeps_a_tensor() -> None:
    kept = []

    def f() -> None:
        for x, _ in loader(20):
            kept.append(x)

    assert message(f) == (
        "trace got a tensor (5, 2) that was made inside the traced function, at PLACE, and is still held "
        "outside\n"
        "  a later run would make another one, and what holds this one would never know\n"
        "  try: return it, or make it outside and change it in place; an optimizer makes its state in its "
        "first step: take that one before"
    )


def test_the_rest_is_an_ordinary_piece_of_the_program() -> None:
    def f() -> Any:
        for x, _ in loader(23):
            last = x.sum()
        return last

    assert trace(f)().item() == X[20:].sum().item()


def test_a_reshaped_tensor_whose_owner_the_loop_changes() -> None:
    def f() -> Any:
        t = torch.zeros(2, 3)
        turned = t.t().contiguous()
        for x, _ in loader(20):
            t += x.sum()
        return turned

    assert message(f).startswith("reading a reshaped or contiguous tensor got one (3, 2) after a write")


def test_a_reshaped_tensor_whose_owner_stays() -> None:
    def f(t: Any) -> Any:
        turned, total = t.t().contiguous(), torch.zeros(3, 2)
        for x, _ in loader(20):
            total += turned * x.sum()
        return total, turned

    t = torch.arange(6.0).reshape(2, 3)
    assert [y.tolist() for y in trace(f, t)(t)] == [y.tolist() for y in f(t)]


# -- leaving early -------------------------------------------------------------------------------------------

LEFT = (
    "for batch in loader got break or return before the last batch\n"
    "  the loop is recorded once and runs for every batch\n"
    "  try: a loader over fewer samples: Subset(dataset, range(n))"
)


def test_break() -> None:
    def f() -> Any:
        for x, _ in loader():
            if len(x) == 5:
                break
        return torch.ones(2) * 2

    assert message(f) == LEFT


def test_return() -> None:
    def f() -> Any:
        for x, _ in loader():
            return x
        return None

    assert message(f) == LEFT


def test_break_and_another_loop() -> None:
    def f() -> Any:
        for _ in loader():
            break
        for _ in loader():
            pass

    assert message(f) == LEFT


def test_break_inside_a_nested_loop() -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader():
            for _ in loader():
                break
            total += x.sum()
        return total

    assert message(f) == LEFT


def test_break_in_the_rest_and_in_a_single_batch() -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader():
            total += x.sum()
            if len(x) < 5:
                break
        return total

    def g() -> Any:
        total = torch.zeros(())
        for x, _ in loader(7):
            total += x.sum()
            break
        return total

    assert trace(f)().item() == f().item()
    assert trace(g)().tolist() == g().tolist()


# -- the state afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_body_leaves_nothing_behind(kind: type[BaseException]) -> None:
    net = nn.Linear(2, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    total = torch.zeros(())
    before = [p.tolist() for p in net.parameters()], [p._v for p in net.parameters()], eager.special
    state = torch.get_rng_state()

    def f(fail: bool) -> None:
        for x, _ in loader(shuffle=True):
            opt.zero_grad()
            loss = net(x).sum()
            loss.backward()
            opt.step()
            total.add_(loss.detach())
            if fail:
                raise kind("stop")

    with pytest.raises(kind, match="stop"):
        trace(lambda: f(True))
    assert tracing.tracer is None
    assert ([p.tolist() for p in net.parameters()], [p._v for p in net.parameters()], eager.special) == before
    assert [p.grad for p in net.parameters()] == [None, None]
    assert all(isinstance(p.grad_fn, type(None)) and p.requires_grad for p in net.parameters())
    assert not total.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    trace(lambda: f(False))()
    assert [p.tolist() for p in net.parameters()] != before[0]


def test_an_error_caught_inside_the_function_is_as_a_break() -> None:
    def f() -> Any:
        try:
            for _ in loader():
                raise ValueError
        except ValueError:
            pass
        return torch.ones(2)

    assert message(f) == LEFT
