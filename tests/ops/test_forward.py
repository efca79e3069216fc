"""Forward mode of one op: what is constant has no tangent, and what each word of the `jvp` field means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.base import wrap
from chainrule.ops import TABLE
from chainrule.ops.forward import jvp_of, tangent_of


def vector(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


def test_nothing_moves_if_no_input_does() -> None:
    out, tangent = jvp_of(TABLE["mul"], [vector(2.0), vector(3.0)], [None, None], {})
    assert out.tolist() == [6]
    assert tangent is None


@pytest.mark.parametrize("name", ["floor_divide", "lt", "atan2"])
def test_only_ops_with_a_derivative_have_tangents(name: str) -> None:
    op = TABLE[name]
    tangent = jvp_of(op, [vector(2.0), vector(3.0)], [vector(1.0), None], {})[1]
    assert (tangent is not None) == op.differentiable


def test_a_result_of_integers_does_not_move() -> None:
    settings = {"to": torch.int64, "source": torch.float64}
    out, tangent = jvp_of(TABLE["cast"], [vector(2.5)], [vector(1.0)], settings)
    assert out.tolist() == [2]
    assert tangent is None


def test_an_input_without_a_derivative_alone_gives_no_tangent() -> None:
    choice = torch.tensor([True])
    _, tangent = jvp_of(TABLE["where"], [choice, vector(1.0), vector(2.0)], [choice, None, None], {})
    assert tangent is None


def test_linear_ops_are_applied_to_the_tangents() -> None:
    # a number does not move, nor does an input without a tangent
    _, tangent = jvp_of(TABLE["sub"], [vector(1.0, 2.0), 5.0], [vector(10.0, 20.0), None], {})
    assert tangent.tolist() == [10, 20]
    _, tangent = jvp_of(TABLE["sub"], [vector(1.0, 2.0), vector(3.0)], [None, vector(7.0)], {})
    assert tangent.tolist() == [-7, -7]
    _, tangent = jvp_of(TABLE["cat"], [vector(1.0), vector(2.0, 3.0)], [None, vector(5.0, 6.0)], {"dim": 0})
    assert tangent.tolist() == [0, 5, 6]


def test_multilinear_ops_have_one_term_for_each_input() -> None:
    x, y = vector(2.0, 3.0), vector(5.0, 7.0)
    _, tangent = jvp_of(TABLE["mul"], [x, y], [vector(1.0, 0.0), vector(10.0, 100.0)], {})
    assert tangent.tolist() == [1 * 5 + 2 * 10, 3 * 100]


def test_elementwise_ops_use_their_gradient_rules() -> None:
    x, y = vector(1.0, 2.0), vector(4.0)
    _, tangent = jvp_of(TABLE["div"], [x, y], [vector(1.0, 1.0), vector(2.0)], {})
    assert tangent.tolist() == [1 / 4 - 2 * 1 / 16, 1 / 4 - 2 * 2 / 16]


def test_a_tangent_has_the_shape_of_the_result() -> None:
    x = torch.ones(3, 1, dtype=torch.float64)
    for name in ("add", "mul", "maximum", "div"):
        _, tangent = jvp_of(TABLE[name], [x, vector(1.0, 2.0)], [x, None], {})
        assert tangent.shape == (3, 2)


def test_a_tangent_can_be_differentiated_again() -> None:
    x = vector(0.5).requires_grad_()
    out = TABLE["sin"](x)
    tangent = tangent_of(TABLE["sin"], out, [x], [vector(1.0)], {})
    (second,) = torch.autograd.grad(tangent.sum(), x)
    assert second.item() == pytest.approx(-np.sin(0.5))


def test_types_are_kept() -> None:
    for kind in (np.float32, np.float16):
        x = wrap(np.array([0.5, 2.0], kind))
        for name in ("exp", "square", "relu", "neg"):
            _, tangent = jvp_of(TABLE[name], [x], [x], {})
            assert tangent._a.dtype == kind
