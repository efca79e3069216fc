"""Levels: a clean stack after errors, observers that hear of everything, and a stack for each thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import chainrule as torch
from chainrule import eager
from chainrule.ops.primitive import Primitive, levels
from chainrule.transforms.level import Observer


class Heard(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        self.heard.append(op.name)

    def writes(self, x: Any) -> None:
        self.heard.append("before")

    def wrote(self, x: Any, new: Any) -> None:
        self.heard.append("after")

    def detached(self, x: Any, y: Any) -> None:
        self.heard.append("detached")


def heard(action: Any) -> list[str]:
    level = Heard()
    with level.entered():
        action()
    return level.heard


def test_an_error_inside_leaves_no_level_behind() -> None:
    before = eager.special
    with pytest.raises(torch.ShapeError), Heard().entered():
        torch.ones(2) + torch.ones(3)
    assert levels.stack == ()
    assert eager.special == before
    with pytest.raises(torch.ShapeError), Heard().entered(), Heard().entered():
        torch.ones(2, 3) @ torch.ones(2, 3)
    assert levels.stack == ()


def test_every_op_is_seen_after_it_ran() -> None:
    x = torch.ones(3)
    assert heard(lambda: (x * 2 + x).sum()) == ["mul", "add", "sum"]
    assert heard(lambda: x[1:].exp()) == ["slice", "exp"]


def test_conversions_of_operands_are_ops_of_their_own() -> None:
    assert heard(lambda: torch.ones(3) * torch.arange(3)) == ["cast", "mul"]


def test_writes_are_announced_and_told() -> None:
    x = torch.ones(3)
    assert heard(lambda: x.mul_(2)) == ["mul", "before", "after"]
    assert x.tolist() == [2, 2, 2]
    assert heard(lambda: x.__setitem__(0, torch.tensor(5.0)))[-2:] == ["before", "after"]
    assert x.tolist() == [5, 2, 2]
    assert heard(lambda: x.zero_())[-2:] == ["before", "after"]
    assert x.tolist() == [0, 0, 0]


def test_detach_is_told() -> None:
    assert heard(lambda: torch.ones(2).detach()) == ["detached"]


def test_the_inner_level_hears_first_and_both_hear_all() -> None:
    order: list[tuple[str, str]] = []

    class Named(Heard):
        def __init__(self, name: str) -> None:
            self.name = name

        def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
            order.append((self.name, op.name))
            if self.name == "inner":
                out.neg()  # what a level computes itself goes through those below it

    with Named("outer").entered(), Named("inner").entered():
        torch.ones(2).exp()
    assert order == [("outer", "exp"), ("inner", "exp"), ("outer", "neg")]


def test_another_thread_has_no_levels() -> None:
    seen: list[Any] = []
    level = Heard()
    with level.entered():
        thread = threading.Thread(target=lambda: seen.append((levels.stack, torch.ones(2).exp())))
        thread.start()
        thread.join()
    assert seen[0][0] == ()
    assert level.heard == []


def test_ops_are_recorded_on_the_tape_as_ever() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    with Heard().entered():
        y = x * x
        y += 1
        y.backward()
    assert x.grad.item() == 6


def test_compiled_functions_run_op_by_op() -> None:
    f = torch.compile(lambda x: x.exp() * 2)
    f(torch.ones(2))
    assert heard(lambda: f(torch.ones(2))) == ["exp", "mul"]
