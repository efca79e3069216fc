"""`backward` and `autograd.grad`: accumulation, arguments, what is returned, and every refusal in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, GradError, ShapeError
from tests.sites import line

Tensor = torch.Tensor


def leaf(*values: float, dtype: Any = None) -> Tensor:
    return torch.tensor([float(v) for v in values], dtype=dtype, requires_grad=True)


def equal(x: Any, values: Any) -> None:
    assert isinstance(x, Tensor)
    np.testing.assert_array_equal(x.detach().numpy(), np.asarray(values))


# -- accumulation ------------------------------------------------------------------------------------


def test_gradients_of_two_backwards_add_up() -> None:
    x = leaf(1, 2)
    (x * x).sum().backward()
    equal(x.grad, [2, 4])
    first = x.grad
    (3 * x).sum().backward()
    equal(x.grad, [5, 7])
    assert x.grad is first  # added in place, so references that an optimizer holds stay right


def test_a_leaf_used_twice_gets_the_sum() -> None:
    x = leaf(2, 3)
    (x * x * x + x).sum().backward()
    equal(x.grad, [13, 28])


def test_gradient_zero_and_none() -> None:
    x = leaf(1, 2)
    (x * x).sum().backward()
    kept = x.grad
    x.grad.zero_()
    assert x.grad is kept
    equal(kept, [0, 0])
    x.grad = None
    (x * 5).sum().backward()
    equal(x.grad, [5, 5])
    equal(kept, [0, 0])  # the old gradient is not touched any more
    del x.grad
    assert x.grad is None


def test_gradients_of_leaves_share_no_memory() -> None:
    # x + y hands the same gradient to both; each must get memory of its own.
    x, y, given = leaf(1, 2), leaf(3, 4), torch.tensor([10.0, 20.0])
    (x + y).backward(given)
    x.grad += 1
    equal(x.grad, [11, 21])
    equal(y.grad, [10, 20])
    equal(given, [10, 20])


def test_gradient_argument_is_copied() -> None:
    x, given = leaf(1, 2), torch.tensor([1.0, 1.0])
    x.backward(given)
    x.grad.zero_()
    equal(given, [1, 1])
    view = leaf(1, 2, 3, 4)
    view.reshape(2, 2).backward(grown := torch.ones(2, 2))
    view.grad.zero_()
    equal(grown, [[1, 1], [1, 1]])


def test_gradient_of_an_expanded_sum_can_be_changed_element_by_element() -> None:
    x = leaf(1, 2, 3)
    x.sum().backward()  # its rule expands one number, whose memory is shared by all elements
    x.grad[0] = 7
    equal(x.grad, [7, 1, 1])


def test_gradients_are_contiguous() -> None:
    w = torch.randn(3, 4, requires_grad=True)
    (w.T @ torch.ones(3, 2)).sum().backward()
    assert w.grad.is_contiguous()
    assert w.grad.shape == (3, 4)


def test_only_leaves_collect() -> None:
    x = leaf(1, 2)
    y = x * 2
    y.sum().backward()
    assert y.grad is None
    assert not y.retains_grad


def test_a_leaf_that_needs_no_gradient_gets_none() -> None:
    x, c = leaf(1, 2), torch.tensor([3.0, 4.0])
    (x * c).sum().backward()
    equal(x.grad, [3, 4])
    assert c.grad is None


def test_backward_from_a_leaf() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    x.backward()
    equal(x.grad, 1)


# -- gradient= ---------------------------------------------------------------------------------------


def test_gradient_weighs_the_outputs() -> None:
    x = leaf(1, 2)
    (x * x).backward(torch.tensor([10.0, 100.0]))
    equal(x.grad, [20, 400])
    y = leaf(1, 2)
    (y * y).backward(gradient=torch.ones_like(y))
    z = leaf(1, 2)
    (z * z).sum().backward()
    equal(y.grad, z.grad.numpy())


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_of_any_rank_needs_no_gradient_argument(shape: tuple[int, ...]) -> None:
    x = torch.full(shape, 3.0, requires_grad=True)
    (x * x).backward()
    equal(x.grad, np.full(shape, 6.0))


def test_gradient_of_another_type_is_converted() -> None:
    x = leaf(1, 2)
    (x * 3).backward(torch.tensor([1.0, 2.0], dtype=torch.float64))
    assert x.grad.dtype is torch.float32
    equal(x.grad, [3, 6])


def test_gradient_that_needs_a_gradient_itself() -> None:
    x, v = leaf(1, 2), leaf(10, 20)
    (x * x).backward(v)
    assert not x.grad.requires_grad
    x.grad = None
    (x * x).backward(v, create_graph=True)
    x.grad.sum().backward()
    equal(v.grad, [2, 4])  # d(2 x v)/dv


# -- retain_graph, create_graph ----------------------------------------------------------------------


def test_retained_graph_can_be_walked_again() -> None:
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    equal(x.grad, [6, 12])


def test_second_backward_without_retaining() -> None:
    x = leaf(1, 2)
    square = x * x
    recorded = line(1)
    y = square.sum()
    y.backward()
    with pytest.raises(GradError) as err:
        y.backward()
    assert err.value.summary == (
        f"backward through x * y (recorded at {recorded}) got here a second time\n"
        "  what it had kept for backward was freed by the first backward\n"
        "  try: backward(retain_graph=True) the first time, or compute the value again"
    )
    equal(x.grad, [2, 4])


def test_second_backward_where_nothing_was_kept() -> None:
    x = leaf(1, 2)
    y = (x + x).sum()  # the rules of a sum read nothing, so nothing is missing
    y.backward()
    y.backward()
    equal(x.grad, [4, 4])


def test_create_graph_gives_second_derivatives() -> None:
    x = leaf(2, 3)
    (x**3).sum().backward(create_graph=True)
    equal(x.grad, [12, 27])
    first = x.grad
    x.grad = None
    first.sum().backward()
    equal(x.grad, [12, 18])


def test_create_graph_retains_the_graph() -> None:
    x = leaf(2, 3)
    y = (x**3).sum()
    y.backward(create_graph=True)
    y.backward(create_graph=True)
    equal(x.grad, [24, 54])
    assert x.grad.requires_grad


def test_backward_records_nothing_by_itself() -> None:
    x = leaf(2, 3)
    seen = []
    y = x * x
    y.register_hook(lambda g: seen.append(torch.is_grad_enabled()))
    y.sum().backward()
    y = x * x
    y.register_hook(lambda g: seen.append(torch.is_grad_enabled()))
    y.sum().backward(create_graph=True)
    assert seen == [False, True]
    assert torch.is_grad_enabled()


def test_backward_inside_no_grad() -> None:
    x = leaf(2, 3)
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
        assert not torch.is_grad_enabled()
    equal(x.grad, [4, 6])


# -- inputs= -----------------------------------------------------------------------------------------


def test_inputs_limits_who_collects() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    (x * y).sum().backward(inputs=[x])
    equal(x.grad, [3, 4])
    assert y.grad is None
    (x * y).sum().backward(inputs=y)
    equal(x.grad, [3, 4])
    equal(y.grad, [1, 2])


def test_inputs_may_be_intermediate_results() -> None:
    x = leaf(1, 2)
    y = x * 2
    z = (y * y).sum()
    z.backward(inputs=[y], retain_graph=True)
    equal(y.grad, [4, 8])
    assert x.grad is None
    z.backward(inputs=[x, y])
    equal(y.grad, [8, 16])
    equal(x.grad, [8, 16])


def test_backward_of_several_tensors() -> None:
    x = leaf(1, 2)
    torch.autograd.backward([(x * x).sum(), x * 3], [None, torch.tensor([1.0, 10.0])])
    equal(x.grad, [5, 34])
    x.grad = None
    y = x * 2
    torch.autograd.backward((y * y).sum(), inputs=[y])
    equal(y.grad, [4, 8])
    assert x.grad is None


# -- autograd.grad -----------------------------------------------------------------------------------


def test_grad_returns_and_stores_nothing() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    gx, gy = torch.autograd.grad((x * y).sum(), [x, y])
    equal(gx, [3, 4])
    equal(gy, [1, 2])
    assert x.grad is None
    assert y.grad is None
    assert not gx.requires_grad


def test_grad_of_several_outputs_adds_up() -> None:
    x = leaf(1, 2)
    (g,) = torch.autograd.grad([(x * x).sum(), x], x, [None, torch.tensor([10.0, 20.0])])
    equal(g, [12, 24])


def test_grad_by_an_intermediate_result_and_by_the_output_itself() -> None:
    x = leaf(1, 2)
    y = x * 2
    z = (y * y).sum()
    gz, gy, gx = torch.autograd.grad(z, (z, y, x))
    equal(gz, 1)
    equal(gy, [4, 8])
    equal(gx, [8, 16])


def test_grad_by_the_same_input_twice() -> None:
    x = leaf(1, 2)
    g, h = torch.autograd.grad((x * x).sum(), [x, x])
    equal(g, [2, 4])
    equal(h, [2, 4])


def test_grad_only_walks_the_paths_to_its_inputs() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    a, b = x * x, y * y
    called = []
    b.register_hook(lambda g: called.append("b"))
    torch.autograd.grad((a + b).sum(), x)
    assert called == []


def test_grad_of_unused_inputs() -> None:
    x, y = leaf(1, 2), leaf(3, 4, 5, dtype=torch.float64)
    assert torch.autograd.grad((x * x).sum(), [x, y], allow_unused=True)[1] is None
    g = torch.autograd.grad((x * x).sum(), [x, y], materialize_grads=True)[1]
    equal(g, [0, 0, 0])
    assert g.dtype is torch.float64
    with pytest.raises(GradError) as err:
        torch.autograd.grad((x * x).sum(), [x, y])
    assert err.value.summary == (
        "grad got input 1, a tensor (3,), that the outputs do not depend on\n"
        "  every input must have been used to compute the outputs\n"
        "  try: allow_unused=True for None in its place, or materialize_grads=True for zeros"
    )


def test_derivatives_of_derivatives() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x**5
    wanted = [80.0, 160.0, 240.0, 240.0, 120.0]  # 5 x^4, 20 x^3, 60 x^2, 120 x, 120
    for value in wanted:
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        assert y.item() == value


# -- refusals ----------------------------------------------------------------------------------------


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as err:
        call()
    assert isinstance(err.value, torch.ChainruleError)
    return err.value.summary


def test_backward_of_something_not_recorded() -> None:
    text = (
        "backward got a tensor (2,) that was not computed from anything with requires_grad=True\n"
        "  there is nothing to differentiate by\n"
        "  try: x.requires_grad_() on an input, before the computation, and not under no_grad()"
    )
    assert refusal(GradError, torch.ones(2).backward) == text
    assert refusal(GradError, lambda: torch.autograd.grad(torch.ones(2), leaf(1))) == text.replace(
        "backward", "grad", 1
    )


def test_backward_of_a_non_scalar() -> None:
    with pytest.raises(GradError) as err:
        (leaf(1, 2) * 2).backward()
    assert str(err.value) == (
        "backward got a tensor (2,)\n"
        "  without an argument only one number can be differentiated, and this has 2 elements\n"
        "  try: y.sum().backward(), or y.backward(torch.ones_like(y)), which is the same\n"
        f"  at {line(5)}"
    )
    assert isinstance(err.value, RuntimeError)  # as in PyTorch


def test_gradient_argument_of_another_shape_or_kind() -> None:
    y = leaf(1, 2) * 2
    assert refusal(ShapeError, lambda: y.backward(torch.ones(3))) == (
        "backward got a gradient (3,) for a tensor (2,)\n"
        "  the gradient must have the shape of the tensor"
    )  # fmt: skip
    assert refusal(ArgumentError, lambda: y.backward(1.0)) == (
        "backward got gradient=float\n"
        "  the gradient must be a Tensor or None\n"
        "  try: torch.tensor(...) of it"
    )  # fmt: skip


def test_wrong_number_of_gradients() -> None:
    x = leaf(1, 2)
    assert refusal(ArgumentError, lambda: torch.autograd.grad(x, x, [torch.ones(2), torch.ones(2)])) == (
        "grad got 2 gradients for 1 outputs\n"
        "  there must be one for each output"
    )  # fmt: skip
    assert refusal(ArgumentError, lambda: torch.autograd.backward([x, x], [torch.ones(2)])) == (
        "backward got 1 gradients for 2 outputs\n"
        "  there must be one for each output"
    )  # fmt: skip


def test_inputs_that_need_no_gradient() -> None:
    x = leaf(1, 2)
    text = (
        "backward got an input (2,) that needs no gradient\n"
        "  inputs need requires_grad=True\n"
        "  try: x.requires_grad_()"
    )
    assert refusal(GradError, lambda: x.sum().backward(inputs=[torch.ones(2)])) == text
    assert refusal(GradError, lambda: torch.autograd.grad(x.sum(), torch.ones(2))) == text.replace(
        "backward", "grad", 1
    )


def test_no_inputs() -> None:
    assert refusal(ArgumentError, lambda: leaf(1).sum().backward(inputs=[])) == (
        "backward got inputs=[]\n"
        "  there must be at least one input, or None for all"
    )  # fmt: skip


def test_contradicting_arguments_of_grad() -> None:
    x = leaf(1)
    contradiction = {"allow_unused": False, "materialize_grads": True}
    assert refusal(ArgumentError, lambda: torch.autograd.grad(x, x, **contradiction)) == (
        "grad got materialize_grads=True and allow_unused=False\n"
        "  zeros for unused inputs cannot be both wanted and forbidden\n"
        "  try: leave allow_unused out"
    )
    assert refusal(ArgumentError, lambda: torch.autograd.grad(x, x, only_inputs=False)) == (
        "grad got only_inputs=False\n"
        "  grad only returns the gradients of the inputs\n"
        "  try: y.backward(), which stores those of all leaves"
    )


def test_a_refused_backward_changes_nothing() -> None:
    x = leaf(1, 2)
    y = x * 2
    for call in (y.backward, lambda: y.backward(torch.ones(3)), lambda: y.backward(inputs=[torch.ones(1)])):
        with pytest.raises(RuntimeError):
            call()
    assert x.grad is None
    y.backward(torch.ones(2))  # the graph is still whole
    equal(x.grad, [2, 2])
