"""`y.explain()`: what the tape knows, what is computed again, and what is not kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.explain.phrases import evaluate
from chainrule.nn import functional as F


def test_the_names_and_numbers_of_the_program() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    w = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
    y = torch.tensor(2.0)
    a = x @ w
    b = a - y
    z = b**2
    d = z.explain()
    assert [(row.name, row.formula and str(row.formula)) for row in d.values] == [
        ("w", None),
        ("x", None),
        ("c", None),
        ("a", "x @ w"),
        ("b", "a - c"),
        ("z", "b**2"),
    ]
    known = {row.name: row.of.data for row in d.values}
    assert known["c"] is None  # nothing reads the y of a - y, and it is not kept
    assert "not kept" in d.text()
    assert abs(float(known["b"]) - -0.6) < 1e-6  # type: ignore[arg-type]
    assert [str(row.formula) for row in d.matrix] == ["2*b*x.T"]
    z.backward()
    np.testing.assert_allclose(d.gradient["w"].numpy(), w.grad.numpy())
    assert d.agree
    assert d.unchecked == "there is no function to run again; explain(fn, *inputs) has one"


def test_loops() -> None:
    a = torch.tensor(-70.2, requires_grad=True)
    b = a * 2
    while b.norm() < 1000:
        b = b * 2
    c = 100 * b
    d = c.explain()
    assert [step.out.name for step in d.steps] == ["b1", "b2", "b3", "b4", "c"]
    assert d.gradient["a"].item() == 1600


def test_a_model_and_its_loss() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    X, y = torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1])
    loss = F.cross_entropy(net(X), y)
    d = loss.explain(layout="denominator")
    assert d.program.output.name == "loss"
    with torch.no_grad():
        for row in d.values:
            if row.formula is not None and row.of.data is not None:
                found = evaluate(row.formula, d.space)
                np.testing.assert_allclose(found.numpy(), row.of.data, rtol=1e-5, atol=1e-7)
    loss.backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(d.gradient[f"net.{name}"].numpy(), p.grad.numpy(), rtol=1e-5, atol=1e-8)


def test_writes_and_views() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[0] = x[1] * 5
    z = y.reshape(3, 1).T.sum()
    d = z.explain()
    z.backward()
    np.testing.assert_allclose(d.gradient["x"].numpy(), x.grad.numpy())
    assert d.agree


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


def test_a_function_with_its_own_gradient_is_where_the_derivation_begins() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    z = Cube.apply(x) * 5
    assert {name: g.item() for name, g in z.explain().gradient.items()} == {"Cube": 5.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: torch.ones(2),
            "y.explain() got a tensor (2,) that nothing was recorded for\n"
            "  it must be the result of operations on tensors that require a gradient\n"
            "  try: requires_grad_() on the inputs before computing it, or explain(fn, *inputs)",
        ),
        (
            lambda: torch.ones(2, requires_grad=True),
            "y.explain() got a tensor (2,) that is a leaf\n"
            "  it must be the result of operations on tensors that require a gradient\n"
            "  try: requires_grad_() on the inputs before computing it, or explain(fn, *inputs)",
        ),
        (
            lambda: after_backward(),
            "y.explain() through x**2 got a result after its backward\n"
            "  what had been kept for backward was freed by it\n"
            "  try: y.explain() before backward, backward(retain_graph=True), or explain(fn, *inputs)",
        ),
    ],
)
def test_messages(make: Any, message: str) -> None:
    y = make()
    with pytest.raises(torch.GradError) as err:
        y.explain()
    assert err.value.summary == message


def after_backward() -> Any:
    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    y.backward()
    return y
