"""`grad`, `grad_and_value`, `vjp`: structures, nesting, what is recorded, and every message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.func import grad, grad_and_value, jvp, vjp


def vector(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


def number(value: float) -> Any:
    return torch.tensor(value, dtype=torch.float64)


def test_gradient_and_value() -> None:
    g, value = grad_and_value(lambda x: (x**3).sum())(vector(1, 2))
    assert g.tolist() == [3, 12]
    assert value.item() == 9
    assert not g.requires_grad
    assert not value.requires_grad


def test_higher_derivatives() -> None:
    f, x = (lambda x: x**4), number(2)
    derivatives = []
    for _ in range(5):
        derivatives.append(f(x).item())
        f = grad(f)
    assert derivatives == [16, 32, 48, 48, 24]


def test_arguments_by_number_and_structure() -> None:
    def f(p: Any, x: Any, *, scale: float = 1.0) -> Any:
        return (p["w"] * x).sum() * scale + p["b"][0] ** 2

    p, x = {"w": vector(1, 2), "b": [number(3)]}, vector(4, 5)
    g = grad(f)(p, x)
    assert g["w"].tolist() == [4, 5]
    assert g["b"][0].item() == 6
    assert grad(f, 1)(p, x).tolist() == [1, 2]
    assert grad(f, -1)(p, x, scale=10.0).tolist() == [10, 20]
    by_p, by_x = grad(f, (0, 1))(p, x)
    assert by_p["w"].tolist() == [4, 5]
    assert by_x.tolist() == [1, 2]
    (alone,) = grad(f, (1,))(p, x)
    assert alone.tolist() == [1, 2]


def test_auxiliary_results_come_back_as_values() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y.sum(), {"y": y, "note": "kept"}

    g, aux = grad(f, has_aux=True)(vector(1, 2))
    assert g.tolist() == [2, 4]
    assert aux["y"].tolist() == [1, 4]
    assert not aux["y"].requires_grad
    assert aux["note"] == "kept"
    g, (value, aux) = grad_and_value(f, has_aux=True)(vector(1, 2))
    assert value.item() == 5
    value, pull, aux = vjp(f, vector(1, 2), has_aux=True)
    assert pull(number(1))[0].tolist() == [2, 4]
    assert aux["y"].tolist() == [1, 4]


def test_what_does_not_matter_has_a_gradient_of_zeros() -> None:
    assert grad(lambda x, y: y.sum())(vector(1, 2), vector(3)).tolist() == [0, 0]
    assert grad(lambda x: number(5))(vector(1, 2)).tolist() == [0, 0]
    assert vjp(lambda x: x > 0, vector(1, 2))[1](torch.tensor([True, True]))[0].tolist() == [0, 0]


def test_no_grad_outside_does_not_count_and_inside_does() -> None:
    def f(x: Any) -> Any:
        with torch.no_grad():
            constant = x**2
        return x**2 - constant

    with torch.no_grad():
        assert grad(lambda x: x**2)(number(3)).item() == 6
    assert grad(f)(number(3)).item() == 6


def test_outer_tape_goes_through() -> None:
    w = number(2).requires_grad_()
    g = grad(lambda x: (w * x) ** 3)(number(1.5))  # 3 w³ x²
    assert g.item() == 3 * 8 * 2.25
    g.backward()
    assert w.grad.item() == 9 * 4 * 2.25
    x = number(1.5).requires_grad_()
    grad(lambda x: x**3)(x).backward()
    assert x.grad.item() == 6 * 1.5
    with torch.no_grad():
        assert not grad(lambda x: (w * x) ** 3)(number(1.5)).requires_grad


def test_nothing_is_recorded_that_nobody_asks_for() -> None:
    x = number(2)
    assert not grad(lambda y: grad(lambda x: x**3 * y)(x))(number(1)).requires_grad
    value, pull = vjp(lambda x: x**2, x)
    assert not value.requires_grad
    assert not pull(number(1))[0].requires_grad
    assert x.grad is None
    assert not x.requires_grad


def test_gradients_of_gradients_of_different_variables() -> None:
    x, y = number(0.7), number(1.3)
    mixed = grad(lambda y: grad(lambda x: (x * y).sin() * x)(x))(y)
    # d/dx = y x cos(xy) + sin(xy);  d/dy of it = 2 x cos(xy) - x² y sin(xy)
    assert mixed.item() == pytest.approx(2 * 0.7 * np.cos(0.91) - 0.49 * 1.3 * np.sin(0.91), rel=1e-14)


def test_the_vector_product_can_be_asked_again_and_differentiated() -> None:
    _, pull = vjp(lambda x: x**2, vector(1, 2))
    assert pull(vector(1, 0))[0].tolist() == [2, 0]
    assert pull(vector(0, 1))[0].tolist() == [0, 4]
    # it is linear in what arrives: its own vjp multiplies by the transpose
    _, again = vjp(lambda v: pull(v)[0], vector(1, 1))
    assert again(vector(1, 1))[0].tolist() == [2, 4]


def test_structured_values_and_arguments() -> None:
    value, pull = vjp(lambda x, y: {"s": x + y, "p": (x * y,)}, vector(2), vector(5))
    assert value["p"][0].tolist() == [10]
    x, y = pull({"s": vector(1), "p": (vector(10),)})
    assert (x.tolist(), y.tolist()) == ([51], [21])
    _, pull = vjp(lambda x: (x, x * 2), vector(1))
    assert pull(vector(1), vector(10))[0].tolist() == [21]  # one argument for each part
    assert pull((vector(1), vector(10)))[0].tolist() == [21]


def test_an_error_inside_leaves_nothing_behind() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    before = torch.is_grad_enabled()
    with torch.no_grad():
        with pytest.raises(KeyError):
            grad(f)(number(1))
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled() == before


def test_compiled() -> None:
    f = torch.compile(grad(lambda x: (x.sin() * x).sum()))
    x = vector(0.3, 0.4)
    assert f(x).tolist() == pytest.approx((x.cos() * x + x.sin()).tolist(), rel=1e-15)
    g = torch.compile(lambda x, v: vjp(lambda y: y**3, x)[1](v)[0])
    assert g(x, x).tolist() == pytest.approx((3 * x**3).tolist(), rel=1e-15)
    h = torch.compile(lambda x: grad(lambda y: jvp(lambda z: z**3, (y,), (y,))[1].sum())(x))
    assert h(x).tolist() == pytest.approx((9 * x**2).tolist(), rel=1e-15)


REFUSALS = [
    (
        lambda: grad(lambda x: x)(vector(1, 2)),
        "grad got a function that returns a tensor (2,)\n"
        "  a gradient is the derivative of one number, a tensor of shape ()\n"
        "  try: .sum() or .mean() at its end, or jacrev for all derivatives of several numbers",
    ),
    (
        lambda: grad(lambda x: 3.0)(number(1)),
        "grad got a function that returns float\n"
        "  a gradient is the derivative of one number, a tensor of shape ()\n"
        "  try: .sum() or .mean() at its end, or jacrev for all derivatives of several numbers",
    ),
    (
        lambda: grad(lambda x: x)(2.0),
        "grad got float to differentiate by\n"
        "  derivatives are taken by tensors\n"
        "  try: torch.tensor(...) of it, or argnums= for another argument",
    ),
    (
        lambda: grad(lambda x: x.sum())(torch.arange(3)),
        "grad got a tensor (3,) of type int64 to differentiate by\n"
        "  only floating-point values change continuously, so only they have derivatives\n"
        "  try: x.float(), or argnums= for another argument",
    ),
    (
        lambda: grad(lambda x: x, 1)(number(1)),
        "grad got argnums=1 for a call with 1 argument\n  it names arguments by position, from 0 to 0",
    ),
    (
        lambda: grad(lambda: number(1))(),
        "grad got argnums=0 for a call with 0 arguments\n"
        "  there must be a positional argument to differentiate by",
    ),
    (
        lambda: grad(lambda x: x, has_aux=True)(number(1)),
        "grad got has_aux=True, and a function that returns Tensor\n"
        "  with has_aux it returns two things: (what is differentiated, anything else)",
    ),
    (
        lambda: vjp(lambda x: (x, 3), number(1)),
        "vjp got a function that returns a tuple with int in it\n"
        "  it must return a tensor, or tuples, lists and dicts of tensors\n"
        "  try: has_aux=True if it returns (value, anything else)",
    ),
    (lambda: vjp(lambda: number(1)), "vjp got no primals\n  there must be something to differentiate by"),
    (
        lambda: vjp(lambda x: (x, x), number(1))[1](number(1)),
        "vjp_fn got 1 tensor in another structure than that of the value, which has 2\n"
        "  there must be one for each part of the value, nested in the same way",
    ),
    (
        lambda: vjp(lambda x: x, vector(1, 2))[1](vector(1, 2, 3)),
        "vjp_fn got a tensor (3,) for a value (2,)\n  what arrives at a value has its shape",
    ),
]


@pytest.mark.parametrize(("action", "text"), REFUSALS)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        action()
    assert err.value.summary == text
