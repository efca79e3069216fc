"""Names of values, read from the code that runs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.explain import explain
from chainrule.explain.names import RETURNED, Namer, assigned, function_name, held_by, parameters, statement


def place() -> tuple[Any, int]:
    frame = sys._getframe(1)
    return frame.f_code, frame.f_lasti


def test_where_a_result_goes() -> None:
    class Box:
        value: Any = None

    box = Box()
    plain = place()
    first = second = place()
    box.value = place()
    if inner := place():
        pass
    items = [place(), 1]
    one, other = place()
    assert assigned(plain) == "plain"
    assert assigned(first) == "first"
    assert second is first
    assert assigned(box.value) == "value"
    assert assigned(inner) == "inner"
    assert assigned(items[0]) == ""  # type: ignore[arg-type]
    assert assigned((one, other)) == ""
    assert assigned((lambda: place())()) == RETURNED


def test_globals_and_code_without_source() -> None:
    space: dict[str, Any] = {"place": place}
    exec("found = place()\ndef f():\n    global g\n    g = place()\nf()", space)
    assert assigned(space["found"]) == "found"
    assert assigned(space["g"]) == "g"


def test_one_expression_is_one_statement() -> None:
    a = (place(), place())
    b = place()
    assert statement(a[0]) == statement(a[1]) != statement(b)


@pytest.mark.parametrize(
    ("wishes", "taken", "wanted"),
    [
        (["a", "b", ""], [], ["a", "b", "v1"]),
        (["b", "b", "b"], ["a"], ["b1", "b2", "b3"]),
        (["x", ""], ["x"], ["x1", "v1"]),
        (["b", "b1", "b"], [], ["b_1", "b1", "b_2"]),
        (["v1", "", ""], [], ["v1", "u1", "u2"]),
        (["x1", "x1"], [], ["x1_1", "x1_2"]),
        (["{", "{"], [], ["{1", "{2"]),
    ],
)
def test_every_value_has_a_name_of_its_own(wishes: list[str], taken: list[str], wanted: list[str]) -> None:
    assert Namer(taken).names(wishes) == wanted


def test_what_holds_a_tensor() -> None:
    x, params, table = torch.ones(2), [torch.ones(1), torch.ones(1)], {"w": torch.ones(1)}
    net = nn.Sequential(nn.Linear(1, 1))
    here = [sys._getframe()]
    assert held_by(x, here) == "x"
    assert held_by(params[1], here) == "params[1]"
    assert held_by(table["w"], here) == "table['w']"
    assert held_by(net[0].weight, here) == "net.0.weight"
    assert held_by(net[0].weight, here, shallow=True) == ""
    assert held_by(torch.ones(3), here) == ""


def test_parameters_of_functions() -> None:
    assert parameters(lambda a, b: a, 2) == ["a", "b"]
    assert parameters(lambda *xs: xs, 2) == ["xs[0]", "xs[1]"]
    assert parameters(nn.Linear(1, 1), 1) == ["input"]
    assert parameters(max, 2) == ["x1", "x2"]
    assert function_name(lambda: 0) == "f"
    assert function_name(test_parameters_of_functions) == "test_parameters_of_functions"


def names_of(fn: Any, *inputs: Any) -> list[str]:
    return [step.out.name for step in explain(fn, *inputs).steps]


def test_a_function_called_by_the_function_gives_its_result_to_the_caller_s_variable() -> None:
    def double(t: Any) -> Any:
        return t * 2

    def outer(t: Any) -> Any:
        return double(t)

    def f(x: Any) -> Any:
        y = outer(x)
        z = double(y) + 1
        return z * z

    assert names_of(f, 1.0) == ["y", "v1", "z", "f"]


def test_several_primitives_in_one_call_name_only_the_last() -> None:
    def f(x: Any) -> Any:
        m = x.mean()
        return m * m

    assert names_of(f, torch.ones(3)) == ["v1", "m", "f"]


def test_rounds_of_a_loop_are_numbered() -> None:
    def f(a: Any) -> Any:
        b = a * 2
        for _ in range(2):
            b = b * 3
        return b

    assert names_of(f, 1.0) == ["b1", "b2", "b3"]


def test_a_tuple_taken_apart_is_found_where_it_is_used() -> None:
    def f(a: Any) -> Any:
        p, q = a * 2, a + 1
        return p * q

    assert names_of(f, 1.0) == ["p", "q", "f"]


def test_parameters_by_their_path_in_the_largest_module() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            h = self.fc(x)
            return torch.tanh(h)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = Inner(), Inner()

        def forward(self, x: Any) -> Any:
            return self.second(self.first(x)).sum()

    d = explain(Net(), torch.ones(1, 2))
    assert list(d.gradient) == ["first.fc.weight", "first.fc.bias", "second.fc.weight", "second.fc.bias"]
    assert d.steps[0].layers == ("", "first", "first.fc")
    net = Net()
    assert list(explain(lambda x: net(x), torch.ones(1, 2)).gradient) == list(d.gradient)
    assert [step.out.name for step in d.steps] == ["v1", "h1", "x1", "v2", "h2", "v3", "net"]
