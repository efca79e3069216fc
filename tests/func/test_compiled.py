"""Transformed functions as native programs: the same numbers as op by op, traced once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    vjp,
    vmap,
)
from tests.tolerances import Tolerance, assert_close

RNG = np.random.default_rng(11)
A = torch.from_numpy(RNG.normal(size=(4, 3)))
CLOSE = Tolerance(1e-12, 1e-13)


def layer(x: Any) -> Any:
    return torch.tanh(A @ torch.sigmoid(A.T @ x)) * x


def loss(x: Any) -> Any:
    return (layer(x) ** 2).sum() + torch.logsumexp(x, 0)


def in_place(x: Any) -> Any:
    y = x.clone()
    y[1:] *= x[:-1]
    y += 1
    return y * y


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda x, v: grad(loss)(x),
    "grad_and_value": lambda x, v: grad_and_value(loss)(x),
    "third derivative": lambda x, v: grad(lambda x: (grad(lambda x: (grad(loss)(x) * v).sum())(x) * v).sum())(
        x
    ),
    "vjp": lambda x, v: vjp(layer, x)[1](v),
    "jvp": lambda x, v: jvp(layer, (x,), (v,)),
    "jvp of writes": lambda x, v: jvp(in_place, (x,), (v,)),
    "linearize": lambda x, v: linearize(layer, x)[1](v),
    "hvp": lambda x, v: hvp(loss, (x,), (v,)),
    "jacrev": lambda x, v: jacrev(layer)(x),
    "jacfwd": lambda x, v: jacfwd(layer)(x),
    "jacfwd of writes": lambda x, v: jacfwd(in_place)(x),
    "jacobian": lambda x, v: jacobian(layer, x, layout="denominator"),
    "hessian": lambda x, v: hessian(loss)(x),
    "jacrev(jacfwd)": lambda x, v: jacrev(jacfwd(loss))(x),
    "vmap": lambda x, v: vmap(lambda a, b: (a * b).exp() - a, in_dims=(0, None))(x, v),
    "vmap(grad)": lambda x, v: vmap(grad(lambda a, b: a.sin() * b))(x, v),
    "grad(vmap)": lambda x, v: grad(lambda x: vmap(lambda a: a**3)(x).sum())(x),
    "vmap(hessian)": lambda x, v: vmap(hessian(loss))(torch.stack([x, v])),
    "jvp(vmap(grad))": lambda x, v: jvp(vmap(grad(lambda a: a**4)), (x,), (v,)),
}


def numbers(result: Any) -> list[Any]:
    if isinstance(result, tuple):
        return [a for part in result for a in numbers(part)]
    return [result.detach().numpy()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_numbers(name: str) -> None:
    program = PROGRAMS[name]
    compiled = torch.compile(program)
    for _ in range(2):  # other values, the same program
        x, v = torch.from_numpy(RNG.normal(size=4)), torch.from_numpy(RNG.normal(size=4))
        wanted, got = numbers(program(x, v)), numbers(compiled(x, v))
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, CLOSE, name)
    assert compiled.traces == 1


def test_gradients_of_each_row_by_the_parameters_of_a_module() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    x, y = torch.randn(6, 3), torch.randn(6, 2)

    def one(p: Any, x: Any, y: Any) -> Any:
        return nn.functional.mse_loss(functional_call(net, p, x), y)

    state = {name: p.detach() for name, p in net.named_parameters()}
    each = torch.compile(vmap(grad(one), in_dims=(None, 0, 0)))
    found = each(state, x, y)
    for i in range(len(x)):
        net.zero_grad()
        nn.functional.mse_loss(net(x[i]), y[i]).backward()
        for name, p in net.named_parameters():
            assert torch.allclose(found[name][i], p.grad, atol=1e-6)


def test_a_compiled_function_can_be_transformed() -> None:
    f = torch.compile(lambda x: (x**3).sum())
    x = torch.tensor([1.0, 2.0])
    f(x)
    assert grad(f)(x).tolist() == [3, 12]
    assert hessian(f)(x).tolist() == [[6, 0], [0, 12]]
    assert vmap(f)(torch.stack([x, 2 * x])).tolist() == [9, 72]


def test_newtons_method_as_one_program() -> None:
    # minimises the logistic loss; the wanted minimum has a gradient of zeros
    rows, signs = torch.from_numpy(RNG.normal(size=(40, 3))), torch.from_numpy(np.sign(RNG.normal(size=40)))

    def cost(w: Any) -> Any:
        return torch.log1p(torch.exp(-signs * (rows @ w))).mean() + 0.01 * (w @ w)

    @torch.compile
    def step(w: Any) -> Any:
        return w - torch.linalg.solve(hessian(cost)(w), grad(cost)(w))

    w = torch.zeros(3, dtype=torch.float64)
    for _ in range(8):
        w = step(w)
    assert step.traces == 1
    assert float(grad(cost)(w).norm()) < 1e-14
