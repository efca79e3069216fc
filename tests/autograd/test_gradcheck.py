"""`gradcheck` and `gradgradcheck` pass what is right and find what is wrong by 0.1 %."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, GradError


def double(*values: float) -> torch.Tensor:
    return torch.tensor([float(v) for v in values], dtype=torch.float64, requires_grad=True)


def scaled(first: float = 1.0, second: float = 1.0) -> Any:
    """sin, with a first or second derivative that is wrong by a factor."""

    class Cos(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.cos(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return -g * torch.sin(ctx.saved_tensors[0]) * second

    class Sin(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * Cos.apply(ctx.saved_tensors[0]) * first

    return Sin.apply


def test_right_derivatives_pass() -> None:
    x = double(0.5, 2.0, -1.0)
    assert torch.autograd.gradcheck(scaled(), x) is True
    assert torch.autograd.gradgradcheck(scaled(), x) is True


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_derivative_wrong_by_a_thousandth_fails(factor: float) -> None:
    x = double(0.5, 2.0, -1.0)
    wrong = scaled(first=factor)
    assert torch.autograd.gradcheck(wrong, x, raise_exception=False) is False
    with pytest.raises(GradError, match="gradcheck got different derivatives of output 0 by input 0"):
        torch.autograd.gradcheck(wrong, x)


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_second_derivative_wrong_by_a_thousandth_fails(factor: float) -> None:
    x = double(0.5, 2.0, -1.0)
    wrong = scaled(second=factor)
    assert torch.autograd.gradcheck(wrong, x)
    assert torch.autograd.gradgradcheck(wrong, x, raise_exception=False) is False
    with pytest.raises(GradError, match="gradcheck got different derivatives"):
        torch.autograd.gradgradcheck(wrong, x)


def test_a_single_wrong_entry_is_found() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.sum() * torch.ones(4, dtype=x.dtype)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            gx = g.sum() * torch.ones(3, dtype=g.dtype)
            gx[1] += 0.002 * g[2]
            return gx

    with pytest.raises(GradError) as err:
        torch.autograd.gradcheck(Wrong.apply, double(1, 2, 3))
    assert err.value.summary == (
        "gradcheck got different derivatives of output 0 by input 0\n"
        "  element 2 of the output by element 1 of the input: "
        "backward says 1.002, central differences say 1"
    )


def test_the_message_names_output_and_input() -> None:
    wrong = scaled(first=3.0)

    def two(x: Any, y: Any) -> Any:
        return x * 2, x + wrong(y)

    with pytest.raises(GradError) as err:
        torch.autograd.gradcheck(two, [double(1.0), double(0.0)])
    assert err.value.summary == (
        "gradcheck got different derivatives of output 1 by input 1\n"
        "  element 0 of the output by element 0 of the input: backward says 3, central differences say 1"
    )


def test_nan_is_a_difference() -> None:
    class Nan(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * float("nan")

    with pytest.raises(GradError, match="backward says nan, central differences say 1"):
        torch.autograd.gradcheck(Nan.apply, double(1, 2))


def test_single_precision_is_not_enough_and_the_message_says_so() -> None:
    x = torch.tensor([0.5, 100.0], requires_grad=True)
    with pytest.raises(GradError) as err:
        torch.autograd.gradcheck(lambda x: x**3, x)
    assert err.value.summary.endswith("try: float64 inputs, float32 has too few digits for this")
    assert torch.autograd.gradcheck(lambda x: x * 2, x, eps=1e-2, atol=1e-3)  # exact enough in this case


def test_several_inputs_outputs_and_constants() -> None:
    def f(x: Any, name: str, y: Any, c: Any) -> Any:
        assert name == "f"
        return torch.outer(x, y), (x * c).sum(), (x > 0)

    c = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(f, (double(1, 2), "f", double(3, 4, 5), c))
    assert torch.autograd.gradgradcheck(f, (double(1, 2), "f", double(3, 4, 5), c))


def test_an_input_that_has_no_influence() -> None:
    assert torch.autograd.gradcheck(lambda x, y: x * 2, [double(1, 2), double(3)])


def test_a_result_that_was_cut_off_is_found_out() -> None:
    with pytest.raises(GradError) as err:
        torch.autograd.gradcheck(lambda x: x.detach() * 2, double(1, 2))
    assert err.value.summary == (
        "gradcheck got different derivatives of output 0 by input 0\n"
        "  element 0 of the output by element 0 of the input: nothing was recorded, central differences say 2"
    )
    assert torch.autograd.gradcheck(lambda x: torch.ones(2).double(), double(1, 2))  # constant, so rightly


def test_a_backward_that_is_not_repeatable() -> None:
    count = itertools.count()

    class Random(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 + 1e-6 * next(count))

    with pytest.raises(
        GradError, match="two runs of backward, from output 0 to input 0, that differ by"
    ) as err:
        torch.autograd.gradcheck(Random.apply, double(1.0))
    assert err.value.summary == (
        "gradcheck got two runs of backward, from output 0 to input 0, that differ by 1e-06\n"
        "  the same backward must give the same gradient\n"
        "  try: nondet_tol=1e-06, if that is meant"
    )
    assert torch.autograd.gradcheck(Random.apply, double(1.0), nondet_tol=1e-5)


def test_given_gradients_for_the_second_order() -> None:
    x = double(0.5, 2.0)
    assert torch.autograd.gradgradcheck(lambda x: x**3, x, [torch.tensor([1.0, -2.0]).double()])


def test_views_and_writes_inside() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        y[0] = x[1] * x[2]
        y[1:].mul_(x[0])
        return y

    assert torch.autograd.gradcheck(f, double(0.5, 2.0, -1.5))
    assert torch.autograd.gradgradcheck(f, double(0.5, 2.0, -1.5))


def test_inputs_stay_as_they_are() -> None:
    x = double(0.5, 2.0)
    x.grad = torch.ones(2, dtype=torch.float64)
    torch.autograd.gradcheck(torch.sin, x)
    torch.autograd.gradgradcheck(torch.sin, x)
    np.testing.assert_array_equal(x.detach().numpy(), [0.5, 2.0])
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
def test_inputs_must_need_a_gradient(check: str) -> None:
    with pytest.raises(ArgumentError) as err:
        getattr(torch.autograd, check)(torch.sin, torch.ones(2))
    assert err.value.summary == (
        f"{check} got inputs without requires_grad\n"
        "  at least one input must need a gradient\n"
        "  try: x.requires_grad_()"
    )  # fmt: skip
