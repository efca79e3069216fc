"""Tangents: through views, writes and backward, with what is kept by the tape, no longer than needed.

That every op moves right is seen in `tests/func` and `tests/torch/func`.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.func import jvp
from chainrule.transforms.forward import Forward


def vector(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


def slope(f: Callable[[Any], Any], x: Any, v: Any, step: float = 1e-6) -> np.ndarray[Any, Any]:
    """How f moves, by central differences."""
    up, down = f(x + step * v), f(x - step * v)
    return np.asarray((up - down).detach().numpy()) / (2 * step)


def overwrite_a_part(x: Any) -> Any:
    y = x.clone()
    y[0] *= y[1]
    return y * x


def overwrite_through_views(x: Any) -> Any:
    y = x.clone()
    first, rest = y[:1], y[1:]
    rest *= first
    first += rest.sum()
    return y


def overwrite_with_constants(x: Any) -> Any:
    y = x * x
    y[1] = 7.0
    return y * x


def overwrite_a_constant(x: Any) -> Any:
    y = torch.zeros(3, dtype=torch.float64)
    view = y.reshape(3, 1)
    view.copy_(x.reshape(3, 1) ** 2)
    return y * x


def view_without_gradients(x: Any) -> Any:
    y = x.clone()
    with torch.no_grad():
        part = y[:2]
        part.mul_(x[2])
    return y * 2


def transposed(x: Any) -> Any:
    y = x.reshape(1, 3).repeat(3, 1)
    y.T[0] = x * 5
    y.diagonal().mul_(x)
    return y @ x


def branches(x: Any) -> Any:
    b = x * 2
    while b.norm() < 1000:
        b = b * 2
    return b if b.sum() > 0 else 100 * b


def own_gradient(x: Any) -> Any:
    z = x.clone().requires_grad_() if not x.requires_grad else x
    (g,) = torch.autograd.grad((z.sigmoid() * z.exp()).sum(), z, create_graph=True)
    return g


def backward_into_grad(x: Any) -> Any:
    z = (x * 1.0).detach()
    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (w.exp() * x).sum().backward()
    return w.grad * x + z


PROGRAMS = [
    overwrite_a_part, overwrite_through_views, overwrite_with_constants, overwrite_a_constant,
    view_without_gradients, transposed, branches,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("on_tape", [False, True])
def test_programs_move_as_their_differences_say(f: Callable[[Any], Any], on_tape: bool) -> None:
    x, v = vector(0.7, -1.3, 2.1), vector(0.3, 1.0, -0.5)
    if on_tape:
        x.requires_grad_()
    value, moves = jvp(f, (x,), (v,))
    with torch.no_grad():
        np.testing.assert_allclose(value.detach().numpy(), f(x.detach()).numpy())
        np.testing.assert_allclose(moves.detach().numpy(), slope(f, x.detach(), v), rtol=1e-7, atol=1e-7)


def test_gradients_inside_move() -> None:
    x, v = vector(0.7, -1.3, 2.1), vector(0.3, 1.0, -0.5)
    # backward reads what the tape kept: an input of exp, results of sigmoid and exp whose tensors are gone
    moves = jvp(lambda x: torch.func.grad(lambda z: (z.sigmoid() * z.exp()).sum())(x), (x,), (v,))[1]
    np.testing.assert_allclose(moves.numpy(), slope(own_gradient, x, v), rtol=1e-7)


def test_grad_fields_move() -> None:
    x, v = vector(0.7, -1.3, 2.1), vector(0.3, 1.0, -0.5)
    moves = jvp(backward_into_grad, (x,), (v,))[1]
    # w.grad = e x, so the result e x² + const moves by 2 e x v: the detached part does not
    np.testing.assert_allclose(moves.numpy(), 2 * np.e * x.numpy() * v.numpy())


def test_detach_and_data_do_not_move() -> None:
    one = vector(1.0)
    assert jvp(lambda x: x.detach() * x, (vector(3.0),), (one,))[1].tolist() == [3]
    assert jvp(lambda x: x.data * x, (vector(3.0),), (one,))[1].tolist() == [3]


def test_no_grad_does_not_stop_it() -> None:
    def f(x: Any) -> Any:
        with torch.no_grad():
            return x * x

    assert jvp(f, (vector(3.0),), (vector(1.0),))[1].tolist() == [6]


def test_what_is_closed_over_does_not_move_with_the_argument() -> None:
    x = vector(3.0)
    assert jvp(lambda y: x * y, (x,), (vector(1.0),))[1].tolist() == [3]


def test_perturbations_of_two_levels_are_kept_apart() -> None:
    # d/dx (x d/dy (x + y)) is 1; confusing the two directions gives 2
    one = vector(1.0)
    inner = lambda x: x * jvp(lambda y: x + y, (one,), (one,))[1]  # noqa: E731
    assert jvp(inner, (vector(5.0),), (one,))[1].tolist() == [1]


def test_ops_without_a_derivative_stand_still() -> None:
    value, moves = jvp(
        lambda x: (x > 0).double() + x.floor() * 0 + x.argmax(), (vector(1.5, 2.5),), (vector(1, 1),)
    )
    assert value.tolist() == [2, 2]
    assert moves.tolist() == [0, 0]


def test_conversions_move_in_the_new_type() -> None:
    moves = jvp(lambda x: x.float() * 2, (vector(1.5),), (vector(1.0),))[1]
    assert moves.dtype == torch.float32
    assert moves.tolist() == [2]


def test_tangents_go_with_their_tensors() -> None:
    level = Forward()
    with level.entered():
        x = vector(1.0, 2.0)
        direction = vector(1.0, 1.0)
        level.move(x, direction)
        gone = weakref.ref(direction)
        y = x * 2
        del direction, x
        gc.collect()
        assert gone() is None
        assert level.tangent(y).tolist() == [2, 2]


def test_an_input_written_in_place_is_written_for_the_caller_too() -> None:
    x = vector(1.0, 2.0)
    value, moves = jvp(lambda x: x.mul_(x), (x,), (vector(1.0, 1.0),))
    assert value.tolist() == x.tolist() == [1, 4]
    assert moves.tolist() == [2, 4]
