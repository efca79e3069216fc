"""`compile` itself: what it takes, what it refuses, what it gives back."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.compiler import Compiled, CompiledModule

X = torch.ones(2, 3)


def f(x: Any, k: float = 2.0) -> Any:
    """Doubles."""
    return x * k


def test_ways_to_call_it() -> None:
    for g in (torch.compile(f), torch.compile(limit=3)(f), torch.compile(f, mode="max-autotune")):
        assert isinstance(g, Compiled)
        assert (g.__name__, g.__doc__, g.__wrapped__) == ("f", "Doubles.", f)
        assert list(inspect.signature(g).parameters) == ["x", "k"]
        assert torch.equal(g(X), X * 2)
    assert torch.compile(g) is g
    model = torch.compile(nn.Linear(3, 2))
    assert isinstance(model, CompiledModule)
    assert torch.compile(model) is model
    assert torch.compile(f, disable=True) is f


REFUSED = {
    "fullgraph": (
        False,
        "compile got fullgraph=False\n"
        "  a function is compiled as a whole; a part that cannot be is an error\n"
        "  try: compile the parts that can be, each with a decorator of its own",
    ),
    "dynamic": (
        True,
        "compile got dynamic=True\n"
        "  every shape has a program of its own, which is what makes it fast\n"
        "  try: leave dynamic out; for many shapes pad to a few, or raise limit",
    ),
    "backend": (
        "inductr",
        "compile got backend='inductr' (did you mean 'inductor'?)\n"
        "  backend must be one of 'chainrule', 'inductor', which all mean the same\n"
        "  try: leave backend out",
    ),
    "mode": (
        "fast",
        "compile got mode='fast'\n"
        "  mode must be one of 'default', 'reduce-overhead', 'max-autotune', 'max-autotune-no-cudagraphs', "
        "which all mean the same\n"
        "  try: leave mode out",
    ),
    "options": ({"a": 1}, "compile got options={'a': 1}\n  there are no options\n  try: leave it out"),
    "limit": (0, "compile got limit=0\n  it is a number of programs, at least 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_without_a_meaning(name: str) -> None:
    value, text = REFUSED[name]
    with pytest.raises(torch.ArgumentError) as caught:
        torch.compile(f, **{name: value})
    assert caught.value.summary == text


def test_what_cannot_be_compiled() -> None:
    with pytest.raises(torch.ArgumentError) as caught:
        torch.compile(nn.Linear)
    assert caught.value.summary == (
        "compile got the class Linear\n"
        "  a function, a method or a module can be compiled\n"
        "  try: an instance of it: compile(Model())"
    )
    with pytest.raises(torch.ArgumentError) as caught:
        torch.compile(3)
    assert caught.value.summary == (
        "compile got a int\n  a function, a method or a module can be compiled\n"
        "  try: compile(f), or @compile"
    )


def test_before_the_first_call() -> None:
    g = torch.compile(f)
    assert (g.traces, g.why()) == (0, "it was not called yet")
    for ask in (g.show, g.report):
        with pytest.raises(torch.ArgumentError) as caught:
            ask()
        assert caught.value.summary == (
            f"{ask.__name__} got the compiled function f before its first call\n"
            "  a function is traced when it is called\n"
            "  try: f(...) first"
        )


def test_stages() -> None:
    g = torch.compile(lambda x: x * 1.0 + x)
    g(X)
    assert "mul(x, 1.0)" in g.show("graph")
    assert "mul(x, 1.0)" not in g.show("simplified")
    assert g.show() == g.show("simplified")
    for stage in ("kernels", "ir", "asm"):
        assert len(g.show(stage)) > 20
    assert g.report()
    with pytest.raises(torch.ArgumentError) as caught:
        g.show("graphs")
    assert caught.value.summary == (
        "show got 'graphs' (did you mean 'graph'?)\n"
        "  the stages are 'graph', 'simplified', 'kernels', 'ir', 'asm'"
    )


def test_both_programs_are_shown_where_there_are_two() -> None:
    model = torch.compile(nn.Linear(3, 2))
    model(X)
    text = model.show()
    assert "def Linear(input: float32[2, 3], *, model_weight: float32[2, 3], model_bias: float32[2]):" in text
    assert "def Linear_backward(g1: float32[2, 2]" in text
    assert len(model.report().split("\n\n")) == 2


def test_inside_traces_and_with_symbols() -> None:
    g = torch.compile(f)
    s = torch.symbol("s", (2,))
    assert g(s).eval(s=[1.0, 2.0]).tolist() == [2.0, 4.0]
    assert "mul(x, 2.0)" in str(torch.graph.trace(lambda x: g(x), X))
    assert g.traces == 0


def test_anomaly_detection_sees_every_operation() -> None:
    g = torch.compile(lambda x: torch.log(x).sum())
    g(X)
    with torch.autograd.set_detect_anomaly(True), pytest.raises(torch.GradError):
        g(torch.zeros(2, 3))
    assert g(torch.zeros(2, 3)).item() == float("-inf")
