"""Symbols: expressions first, values later."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.graph import TraceError, gradient, graph_of, simplify, symbol


def test_expression_of_the_notes() -> None:
    a = torch.symbol("a", (2, 1))
    b = torch.symbol("b", (2, 1))
    c = 2 * a + b
    assert repr(a) == "traced(a: float32[2, 1])"
    assert repr(c) == "traced(float32[2, 1])"
    assert (c.shape, c.dtype) == (torch.Size([2, 1]), torch.float32)
    assert torch.equal(c.eval(a=torch.ones(2, 1), b=torch.ones(2, 1)), torch.full((2, 1), 3.0))
    assert torch.equal(c.eval(a=np.ones((2, 1), np.float32), b=[[1], [2]]), torch.tensor([[3.0], [4.0]]))


def test_kinds_of_symbols() -> None:
    assert symbol("x").shape == ()
    assert symbol("i", 3, dtype=torch.int64).dtype is torch.int64
    assert symbol("w", (2,), requires_grad=True).requires_grad


def test_gradients() -> None:
    w = symbol("w", (3,), requires_grad=True)
    x = symbol("x", (3,))
    loss = ((w * x) ** 2).sum()
    dw = gradient(loss, w)
    values: dict[str, Any] = {"w": [1.0, 2.0, 3.0], "x": [1.0, 0.0, 2.0]}
    assert dw.eval(**values).tolist() == [2.0, 0.0, 24.0]
    (second,) = gradient(dw.sum(), [w])
    assert second.eval(x=values["x"]).tolist() == [2.0, 0.0, 8.0]
    both = graph_of(loss, dw, name="loss_and_slope")
    assert str(both).startswith("def loss_and_slope(w: float32[3], x: float32[3]):")
    assert [r.tolist() for r in both(**values)] == [37.0, [2.0, 0.0, 24.0]]
    assert [r.tolist() for r in simplify(both)(**values)] == [37.0, [2.0, 0.0, 24.0]]


def test_gradient_by_what_is_not_used_is_zero() -> None:
    w, u = symbol("w", (2,), requires_grad=True), symbol("u", (2,), requires_grad=True)
    assert gradient((w * 2).sum(), u).eval().tolist() == [0.0, 0.0]


def test_layers_on_symbols() -> None:
    net = torch.nn.Linear(3, 2)
    x = symbol("x", (4, 3))
    y = net(x)
    values = torch.randn(4, 3)
    assert torch.equal(y.eval(x=values), net(values))
    with torch.no_grad():
        net.weight.mul_(2)
    assert torch.equal(y.eval(x=values), net(values))  # parameters are read when it is evaluated


def test_in_place_on_an_expression() -> None:
    x = symbol("x", (3,))
    y = x * 2
    y[0] = 7.0
    row = y[1:]
    y.add_(1)
    assert torch.equal(y.eval(x=[1.0, 2.0, 3.0]), torch.tensor([8.0, 5.0, 7.0]))
    assert torch.equal(row.eval(x=[1.0, 2.0, 3.0]), torch.tensor([5.0, 7.0]))


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.summary  # type: ignore[attr-defined, no-any-return]


def test_refusals() -> None:
    x = symbol("x", (3,))
    assert refusal(torch.ArgumentError, lambda: symbol("2x")) == (
        "symbol got the name '2x'\n  a name is letters, digits and _, as in Python\n  try: symbol('a', (2, "
        "1))"
    )
    assert refusal(torch.ArgumentError, lambda: symbol("lambda")).startswith("symbol got the name 'lambda'")
    assert refusal(TraceError, lambda: graph_of(x + symbol("x", (3,)))) == (
        "graph_of got two symbols named 'x'\n  names must differ"
    )
    assert refusal(TraceError, lambda: graph_of(torch.ones(2))) == (
        "graph_of got a Tensor\n  only what is computed from symbols has a graph"
    )
    assert refusal(torch.ArgumentError, lambda: (x * 2).eval(y=1)) == (
        "expression got an input 'y'\n  its inputs are x"
    )
    assert refusal(TraceError, lambda: torch.ones(3).add_(x)) == (
        "in-place x + y on an ordinary tensor got a traced tensor, which has a shape and a type but no "
        "values yet\n"
        "  the program is being recorded; what it does must not depend on the numbers\n"
        "  try: where(condition, a, b) instead of if, keep the tensor instead of a number, read values "
        "outside"
    )
    assert "requires" in refusal(torch.GradError, lambda: gradient((x * 2).sum(), x))
    with pytest.raises(torch.ShapeError, match=r"x \+ y got shapes \(3,\) and \(4,\)"):
        x + symbol("y", (4,))


def test_importing_the_package_does_not_load_graphs() -> None:
    loaded = "'chainrule.graph' in sys.modules"
    code = f"import sys, chainrule; assert not {loaded}; chainrule.symbol('a'); assert {loaded}"
    subprocess.run([sys.executable, "-c", code], check=True)
