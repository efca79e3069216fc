"""`jvp`, `linearize`, `hvp`, dual tensors: values, structures, and every message."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule.autograd import forward_ad
from chainrule.func import grad, hvp, jvp, linearize


def vector(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


def number(value: float) -> Any:
    return torch.tensor(value, dtype=torch.float64)


def course(x1: Any, x2: Any) -> Any:
    """The worked example of the course: ln x1 + x1 x2 - sin x2."""
    return torch.log(x1) + x1 * x2 - torch.sin(x2)


def test_the_worked_example_of_the_course() -> None:
    at = number(2), number(5)
    value, by_x1 = jvp(course, at, (number(1), number(0)))
    _, by_x2 = jvp(course, at, (number(0), number(1)))
    assert (round(value.item(), 3), by_x1.item(), round(by_x2.item(), 4)) == (11.652, 5.5, 1.7163)
    value, push = linearize(course, *at)
    assert push(number(1), number(0)).item() == 5.5
    assert round(push(number(0), number(1)).item(), 4) == 1.7163
    assert push(number(2), number(1)).item() == pytest.approx(2 * 5.5 + by_x2.item(), rel=1e-15)


def test_structured_arguments_and_results() -> None:
    def f(p: Any) -> Any:
        return {"sum": p["a"] + p["b"][0], "const": torch.ones(2)}

    at, along = {"a": vector(1), "b": [vector(2)]}, {"a": vector(10), "b": [vector(20)]}
    value, moves = jvp(f, (at,), (along,))
    assert value["sum"].tolist() == [3]
    assert moves["sum"].tolist() == [30]
    assert moves["const"].tolist() == [0, 0]
    value, push = linearize(f, at)
    assert push(along)["sum"].tolist() == [30]
    assert push(along)["const"].tolist() == [0, 0]


def test_auxiliary_results() -> None:
    value, moves, aux = jvp(lambda x: (x * 2, x + 1), (vector(1),), (vector(1),), has_aux=True)
    assert (value.tolist(), moves.tolist(), aux.tolist()) == ([2], [2], [2])


def test_higher_derivatives_in_every_nesting() -> None:
    one = number(1)

    def forward(f: Any) -> Any:
        return lambda x: jvp(f, (x,), (one,))[1]

    ways = {"f": forward, "r": grad}
    for order in ("ff", "fr", "rf", "rr", "ffr", "frf", "rff", "rrf", "rfr", "frr", "fff"):
        f = lambda x: x**5  # noqa: E731
        for way in order:
            f = ways[way](f)
        assert f(number(2)).item() == pytest.approx({2: 20 * 8, 3: 60 * 4}[len(order)]), order


def test_the_linear_function_is_differentiable() -> None:
    x = vector(1, 2).requires_grad_()
    _, push = linearize(lambda x: x**3, x)
    push(vector(1, 1)).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [6, 12]
    v = vector(1, 1).requires_grad_()
    push(v).sum().backward()
    assert v.grad.tolist() == [3, 12]
    assert not linearize(lambda x: x**3, vector(1))[1](vector(1)).requires_grad


def test_linearize_of_writes_and_integers() -> None:
    def f(x: Any) -> Any:
        y = x.clone()
        y[0] *= y[1].clone()
        return y, x.argmax()

    (value, where), push = linearize(f, vector(2, 3))
    assert value.tolist() == [6, 3]
    moves, still = push(vector(1, 10))
    assert moves.tolist() == [23, 10]
    assert (where.item(), still.item()) == (1, 0)


def test_hessian_vector_product() -> None:
    a = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
    (g,), (h,) = hvp(lambda y: y @ a @ y, (vector(1, 2),), (vector(1, -1),))
    assert g.tolist() == [8, 14]
    assert h.tolist() == [2, -4]


def test_compiled() -> None:
    f = torch.compile(lambda x, v: jvp(lambda y: y.exp() * y, (x,), (v,))[1])
    x, v = vector(0.3, 0.4), vector(1, -1)
    assert f(x, v).tolist() == pytest.approx((x.exp() * (1 + x) * v).tolist(), rel=1e-15)
    assert "exp" in f.show("graph")


def test_dual_tensors() -> None:
    with forward_ad.dual_level():
        x = forward_ad.make_dual(vector(3), vector(1))
        y = x * x
        assert forward_ad.unpack_dual(y).tangent.tolist() == [6]
        primal, _ = forward_ad.unpack_dual(x)
        assert primal.tolist() == [3]
        assert forward_ad.unpack_dual(primal).tangent is None
        assert forward_ad.unpack_dual(vector(1) * 2).tangent is None
        # an inner level: the second derivative
        with forward_ad.dual_level():
            z = forward_ad.make_dual(x, vector(1))
            slope = forward_ad.unpack_dual(z**3).tangent
        assert slope.tolist() == [27]
        assert forward_ad.unpack_dual(slope).tangent.tolist() == [18]


REFUSALS = [
    (
        lambda: jvp(torch.sin, number(1), (number(1),)),
        "jvp got primals of type Tensor\n"
        "  the primals are a tuple with one entry for each argument of the function\n"
        "  try: (x,)",
    ),
    (
        lambda: jvp(torch.sin, (), ()),
        "jvp got no primals\n"
        "  the primals are a tuple with one entry for each argument of the function\n"
        "  try: (x,)",
    ),
    (
        lambda: jvp(torch.sin, (2.0,), (1.0,)),
        "jvp got float among the primals\n"
        "  derivatives are taken by tensors\n"
        "  try: torch.tensor(...) of it, or a lambda that keeps it fixed",
    ),
    (
        lambda: jvp(torch.sin, (torch.arange(3),), (torch.arange(3),)),
        "jvp got a tensor (3,) of type int64 among the primals\n"
        "  only floating-point values change continuously, so only they have derivatives\n"
        "  try: x.float(), or a lambda that keeps it fixed",
    ),
    (
        lambda: jvp(torch.sin, (number(1),), number(1)),
        "jvp got 1 tangent for 1 primal, or nested in another way\n"
        "  the tangents are a tuple with the structure of the primals\n"
        "  try: (v,)",
    ),
    (
        lambda: jvp(torch.sin, (number(1),), (1.0,)),
        "jvp got float as a tangent\n  a tangent is a tensor",
    ),
    (
        lambda: jvp(torch.sin, (vector(1, 2),), (vector(1),)),
        "jvp got a tangent (1,) for a primal (2,)\n  a direction has the shape of what moves",
    ),
    (
        lambda: jvp(torch.sin, (vector(1),), (torch.ones(1),)),
        "jvp got a float32 tangent for a float64 primal\n"
        "  a direction has the type of what moves\n"
        "  try: v.to(x.dtype)",
    ),
    (
        lambda: jvp(lambda x: torch.ones(2), (number(1),), (number(1),), strict=True),
        "jvp got strict=True, and output 0, a tensor (2,), that does not move with the primals\n"
        "  every output must depend on them\n"
        "  try: strict=False for zeros",
    ),
    (
        lambda: forward_ad.make_dual(number(1), number(1)),
        "make_dual got no dual level\n"
        "  directions belong to a level\n"
        "  try: with forward_ad.dual_level(): around it",
    ),
]


@pytest.mark.parametrize(("action", "text"), REFUSALS)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        action()
    assert err.value.summary == text


def dual(tensor: Any, tangent: Any) -> None:
    with forward_ad.dual_level():
        forward_ad.make_dual(tensor, tangent)


@pytest.mark.parametrize(
    ("tensor", "tangent", "text"),
    [
        (2.0, number(1), "make_dual got float as the tensor\n  both are tensors"),
        (
            torch.arange(2),
            torch.arange(2),
            "make_dual got a tensor (2,) of type int64\n"
            "  only floating-point values change continuously, so only they move\n"
            "  try: x.float()",
        ),
        (
            vector(1, 2),
            number(1),
            "make_dual got a float64 tangent () for a float64 tensor (2,)\n"
            "  a direction has the shape and the type of what moves",
        ),
    ],
)
def test_messages_of_dual_tensors(tensor: Any, tangent: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        dual(tensor, tangent)
    assert err.value.summary == text
