"""`autograd.Function`: a user's own operation, what it may do, and how each misuse is refused."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import ArgumentError, GradError
from tests.sites import line

Function = torch.autograd.Function


def leaf(*values: float, dtype: Any = None) -> torch.Tensor:
    return torch.tensor([float(v) for v in values], dtype=dtype, requires_grad=True)


def double(*values: float) -> torch.Tensor:
    return leaf(*values, dtype=torch.float64)


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


class Exp(Function):
    """Keeps its result."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = torch.exp(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (out,) = ctx.saved_tensors
        return g * out


class PolarToCartesian(Function):
    """Two inputs, two results; keeps inputs and results."""

    @staticmethod
    def forward(ctx: Any, r: Any, phi: Any) -> Any:
        x, y = r * torch.cos(phi), r * torch.sin(phi)
        ctx.save_for_backward(r, x, y)
        return x, y

    @staticmethod
    def backward(ctx: Any, gx: Any, gy: Any) -> Any:
        r, x, y = ctx.saved_tensors
        return gx * x / r + gy * y / r, gy * x - gx * y


# -- what it may do ----------------------------------------------------------------------------------


def test_one_input_one_result() -> None:
    x = leaf(1, 2)
    y = Cube.apply(x)
    assert repr(y) == "tensor([1., 8.], grad_fn=<CubeBackward>)"
    (y * 2).sum().backward()
    assert x.grad.tolist() == [6, 24]


@pytest.mark.parametrize("function", [Cube, Exp])
def test_differentiable_to_second_order(function: type[Function]) -> None:
    x = double(0.5, -1.5)
    assert torch.autograd.gradcheck(function.apply, x)
    assert torch.autograd.gradgradcheck(function.apply, x)


def test_several_inputs_and_results() -> None:
    r, phi = double(1.0, 2.0), double(0.3, 1.2)
    assert torch.autograd.gradcheck(PolarToCartesian.apply, [r, phi])
    assert torch.autograd.gradgradcheck(PolarToCartesian.apply, [r, phi])


def test_one_of_several_results_is_used() -> None:
    r, phi = double(2.0), double(0.5)
    x, _ = PolarToCartesian.apply(r, phi)
    x.sum().backward()
    np.testing.assert_allclose(r.grad.numpy(), [np.cos(0.5)])
    np.testing.assert_allclose(phi.grad.numpy(), [-2 * np.sin(0.5)])
    _, y = PolarToCartesian.apply(r, phi)
    np.testing.assert_allclose(torch.autograd.grad(y.sum(), phi)[0].numpy(), [2 * np.cos(0.5)])


def test_results_used_several_times() -> None:
    r, phi = double(2.0), double(0.5)
    x, y = PolarToCartesian.apply(r, phi)
    (x * x + y * y + 0 * x).sum().backward()  # = r^2
    np.testing.assert_allclose(r.grad.numpy(), [4.0])
    np.testing.assert_allclose(phi.grad.numpy(), [0.0], atol=1e-12)


def test_derivative_by_a_result() -> None:
    r, phi = double(2.0), double(0.5)
    x, y = PolarToCartesian.apply(r, phi)
    gx, gy = torch.autograd.grad((x * 3 + y * 5).sum(), [x, y])
    assert (gx.item(), gy.item()) == (3, 5)


def test_arguments_that_are_no_tensors() -> None:
    class Power(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, exponent: int, name: str) -> Any:
            assert name == "power"
            ctx.save_for_backward(x)
            ctx.exponent = exponent
            assert ctx.needs_input_grad == (True, False, False)
            return x**exponent

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * ctx.exponent * x ** (ctx.exponent - 1), None, None

    x = leaf(1, 2)
    Power.apply(x, 4, "power").sum().backward()
    assert x.grad.tolist() == [4, 32]


def test_gradients_nobody_needs_may_be_left_out() -> None:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            needs = ctx.needs_input_grad
            asked.append(needs)
            return g * y if needs[0] else None, g * x if needs[1] else None

    asked: list[tuple[bool, ...]] = []
    x, c = leaf(1, 2), torch.tensor([3.0, 4.0])
    Product.apply(x, c).sum().backward()
    assert x.grad.tolist() == [3, 4]
    Product.apply(c, x).sum().backward()
    assert x.grad.tolist() == [6, 8]
    assert asked == [(True, False), (False, True)]
    # A gradient for something that needs none is ignored.
    assert c.grad is None


def test_none_is_no_gradient() -> None:
    class Forget(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None, g, None, None  # more of None than there are arguments does no harm

    x, y = leaf(1, 2), leaf(3, 4)
    Forget.apply(x, y).sum().backward()
    assert x.grad is None
    assert y.grad.tolist() == [1, 1]


def test_forward_is_not_recorded() -> None:
    class Through(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            assert not torch.is_grad_enabled()
            assert not (x * 2).requires_grad
            return torch.from_numpy(np.tanh(x.detach().numpy()))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert not torch.is_grad_enabled()
            return g * 100

    x = leaf(1, 2)
    y = Through.apply(x)
    y.sum().backward()
    assert torch.is_grad_enabled()
    assert x.grad.tolist() == [100, 100]


def test_under_no_grad_and_without_need() -> None:
    x = leaf(1, 2)
    with torch.no_grad():
        assert Cube.apply(x).grad_fn is None
    assert Cube.apply(torch.ones(2)).grad_fn is None
    r, phi = PolarToCartesian.apply(torch.ones(1), torch.zeros(1))
    assert not r.requires_grad
    assert not phi.requires_grad


def test_a_list_is_one_result_that_is_no_tensor() -> None:
    class Listed(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return [x * 2, "text"]

    first, text = Listed.apply(leaf(1, 2))
    assert text == "text"
    assert not first.requires_grad


def test_results_without_gradient() -> None:
    class MaxWithIndex(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            value, index = x.max(0)
            rounded = value.round()
            ctx.mark_non_differentiable(rounded)
            ctx.save_for_backward(index)
            ctx.size = len(x)
            return value, index, rounded, 7

        @staticmethod
        def backward(ctx: Any, g: Any, *others: Any) -> Any:
            seen.append([None if o is None else (o.dtype, o.tolist()) for o in others])
            (index,) = ctx.saved_tensors
            return g.new_zeros(ctx.size).index_add(0, index.reshape(1), g.reshape(1))

    seen: list[Any] = []
    x = leaf(1, 3.4, 2)
    value, index, rounded, seven = MaxWithIndex.apply(x)
    assert value.requires_grad
    assert not index.requires_grad
    assert not rounded.requires_grad
    assert seven == 7
    value.backward()
    assert x.grad.tolist() == [0, 1, 0]
    assert seen == [[(torch.int64, 0), (torch.float32, 0.0), None]]


def test_missing_gradients_arrive_as_zeros_or_none() -> None:
    class Two(Function):
        materialize = True

        @classmethod
        def both(cls, materialize: bool) -> Any:
            cls.materialize = materialize
            return cls.apply(x)

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(Two.materialize)
            return x * 1, x.sum()

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append(None if h is None else (h.shape, h.item()))
            return g

    seen: list[Any] = []
    x = leaf(1, 2)
    Two.both(True)[0].sum().backward()
    Two.both(False)[0].sum().backward()
    assert seen == [((), 0.0), None]


def test_setup_context() -> None:
    class Scale(Function):
        @staticmethod
        def forward(x: Any, factor: float) -> Any:
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, ctx.factor = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, output = ctx.saved_tensors
            np.testing.assert_allclose(output.detach().numpy(), x.detach().numpy() * ctx.factor)
            return g * ctx.factor, None

    x = leaf(1, 2)
    Scale.apply(x, 3.0).sum().backward()
    assert x.grad.tolist() == [3, 3]


# -- the same tensor going in and out ----------------------------------------------------------------


class Same(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def test_an_argument_as_result() -> None:
    x = leaf(1, 2)
    y = Same.apply(x)
    assert y is not x
    assert y.data_ptr() == x.data_ptr()
    assert x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_the_same_result_twice() -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return 2 * g + 20 * h

    x = leaf(1, 2)
    y, z = Twice.apply(x)
    (y + z).sum().backward()
    assert x.grad.tolist() == [22, 22]


class Double(Function):
    """Doubles its argument in place."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def test_an_argument_changed_in_place() -> None:
    x = leaf(1, 2)
    y = x * 3
    z = Double.apply(y)
    assert z is y
    assert y.tolist() == [6, 12]
    y.sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_a_part_changed_in_place() -> None:
    x = leaf(1, 2)
    y = x * 3
    Double.apply(y[0])
    y.sum().backward()
    assert x.grad.tolist() == [6, 3]


def test_a_leaf_cannot_be_changed_in_place() -> None:
    with pytest.raises(GradError) as err:
        Double.apply(leaf(1, 2))
    assert err.value.summary == (
        "in-place Double got a leaf tensor (2,) that requires a gradient\n"
        "  a leaf's value is what backward differentiates by; changing it must not be recorded\n"
        "  try: with no_grad(): around the update, or x = x + ... for a new tensor"
    )


# -- what it keeps -----------------------------------------------------------------------------------


def test_a_kept_argument_that_was_changed() -> None:
    x = leaf(1, 2) * 1
    y = Cube.apply(x)
    recorded = line(1)
    x += 1
    changed = line(1)
    with pytest.raises(GradError) as err:
        y.sum().backward()
    assert err.value.summary == (
        f"backward through Cube (recorded at {recorded}) got its saved tensor 0, a tensor (2,), in a changed "
        "state\n"
        "  a value kept for backward must not be changed in place: it was at version 0 and is now at 1, "
        f"last changed at {changed}\n"
        "  try: x = x + ... instead of x += ..., or change a clone()"
    )


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_a_kept_result_that_was_changed(forget: bool, several: bool) -> None:
    x = leaf(1, 2)
    if several:
        y = PolarToCartesian.apply(x, leaf(0, 0))[0]
        what = "PolarToCartesian"
    else:
        y = Exp.apply(x)
        what = "Exp"
    y += 1
    changed = line(1)
    loss = y.sum()
    if forget:
        del y  # then no version could tell any more
    with pytest.raises(GradError) as err:
        loss.backward()
    text = err.value.summary
    assert text.startswith(f"backward through {what} (recorded at tests/")
    assert f" got its saved tensor {int(several)}, a tensor (2,), in a changed state\n" in text
    assert f"it was at version 0 and is now at 1, last changed at {changed}\n" in text


def test_a_second_backward() -> None:
    y = Cube.apply(leaf(1, 2)).sum()
    recorded = line(1)
    y.backward()
    with pytest.raises(GradError) as err:
        y.backward()
    assert err.value.summary == (
        f"backward through Cube (recorded at {recorded}) got here a second time\n"
        "  what it had kept for backward was freed by the first backward\n"
        "  try: backward(retain_graph=True) the first time, or compute the value again"
    )


@pytest.mark.parametrize("function", [Cube, Exp, lambda x: PolarToCartesian.apply(x, x)[0]])
def test_no_circles(function: Any) -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(1, 2)
        y = getattr(function, "apply", function)(x)
        node, array = weakref.ref(y.grad_fn), weakref.ref(y._a)
        del y
        assert node() is None
        assert array() is None
    finally:
        gc.enable()


# -- what PyTorch sums or converts -------------------------------------------------------------------


def _returning(make: Callable[[Any], Any]) -> type[Function]:
    class Returning(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, k: Any = 1) -> Any:
            return x * torch.ones(3, 2)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return make(g)

    return Returning


def test_a_gradient_is_summed_over_what_forward_broadcast() -> None:
    x = leaf(1, 2)
    _returning(lambda g: g).apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_a_gradient_is_converted_to_the_type() -> None:
    x = leaf(1, 2)
    _returning(lambda g: g.sum(0).double()).apply(x).sum().backward()
    assert x.grad.dtype is torch.float32
    assert x.grad.tolist() == [3, 3]


# -- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "arguments", "given", "must"),
    [
        (
            lambda g: g.sum(0),
            2,
            "1 gradient",
            "it must return one for each of the 2 arguments of forward, None where there is none",
        ),
        (
            lambda g: (g.sum(0), None, g),
            2,
            "3 gradients",
            "it must return one for each of the 2 arguments of forward, None where there is none",
        ),
        (
            lambda g: (g.sum(0), g),
            2,
            "a gradient for argument 1 of forward, which is no tensor",
            "None must stand in that place",
        ),
        (
            lambda g: 3.0,
            1,
            "float as the gradient for argument 0 of forward",
            "a gradient must be a Tensor or None",
        ),
        (
            lambda g: torch.ones(3),
            1,
            "a gradient (3,) for argument 0 of forward, a tensor (2,)",
            "a gradient must have the shape of the argument, or one that it was broadcast to",
        ),
        (
            lambda g: torch.ones(()),
            1,
            "a gradient () for argument 0 of forward, a tensor (2,)",
            "a gradient must have the shape of the argument, or one that it was broadcast to",
        ),
    ],
)
def test_wrong_gradients(make: Any, arguments: int, given: str, must: str) -> None:
    y = _returning(make).apply(*[leaf(1, 2), 5][:arguments])
    recorded = line(1)
    with pytest.raises(GradError) as err:
        y.sum().backward()
    assert str(err.value) == f"Returning.backward (recorded at {recorded}) got back {given}\n  {must}"


def test_a_class_without_forward_or_backward() -> None:
    class Nothing(Function):
        pass

    with pytest.raises(ArgumentError) as err:
        Nothing.apply(leaf(1))
    assert err.value.summary == (
        "Function.apply got a class without forward\n"
        "  forward must be a static method of the class"
    )  # fmt: skip

    class Half(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x / 2

    y = Half.apply(leaf(1))
    with pytest.raises(ArgumentError) as err:
        y.backward()
    assert err.value.summary == (
        "backward got a Function without backward\n"
        "  backward must be a static method of the class"
    )  # fmt: skip


def test_an_error_in_forward_or_backward_comes_through() -> None:
    class Fails(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, now: bool) -> Any:
            if now:
                raise KeyError("forward")
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise KeyError("backward")

    with pytest.raises(KeyError, match="forward"):
        Fails.apply(leaf(1), True)
    assert torch.is_grad_enabled()
    y = Fails.apply(leaf(1), False)
    with pytest.raises(KeyError, match="backward"):
        y.backward()
    assert torch.is_grad_enabled()


def test_a_users_function_inside_a_larger_graph() -> None:
    w, x = double(0.5, 2.0), double(1.0, 3.0)

    def loss(w: Any, x: Any) -> Any:
        a, b = PolarToCartesian.apply(Exp.apply(w * x), Cube.apply(x) * 0.1)
        return (a * b).sum().reshape(1)

    assert torch.autograd.gradcheck(loss, [w, x])
    assert torch.autograd.gradgradcheck(loss, [w, x])


class BothModes(torch.autograd.Function):
    """x³ and its slope, in both modes."""

    @staticmethod
    def forward(x: Any) -> Any:
        return torch.from_numpy(x.detach().numpy() ** 3), x * 2

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x**2 + 2 * h

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * t, None


def test_forward_mode_asks_the_function_itself() -> None:
    x = torch.tensor([2.0])
    value, moves = torch.func.jvp(BothModes.apply, (x,), (torch.ones(1),))
    assert [y.tolist() for y in value] == [[8], [4]]
    assert [t.tolist() for t in moves] == [[12], [0]]  # None: it says that the second result stands still
    assert torch.func.grad(lambda x: BothModes.apply(x)[0].sum())(x).tolist() == [12]
    second = torch.func.jvp(torch.func.grad(lambda x: BothModes.apply(x)[0].sum()), (x,), (torch.ones(1),))[1]
    assert second.tolist() == [12]
    nested = torch.func.jvp(
        lambda x: torch.func.jvp(BothModes.apply, (x,), (torch.ones(1),))[1][0], (x,), (torch.ones(1),)
    )[1]
    assert nested.tolist() == [12]


class OnlyBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def test_a_function_without_jvp_has_no_forward_mode() -> None:
    with pytest.raises(torch.ArgumentError) as err:
        torch.func.jvp(OnlyBackward.apply, (torch.ones(1),), (torch.ones(1),))
    assert err.value.summary == (
        "jvp got a Function without jvp, in forward mode\n"
        "  its forward is not looked into, so it has to say how its results move\n"
        "  try: a static method jvp(ctx, *tangents), or reverse mode"
    )
    # where nothing moves it may be used
    assert torch.func.jvp(
        lambda x: x * OnlyBackward.apply(torch.ones(1)), (torch.ones(1),), (torch.ones(1),)
    )[1].tolist() == [2]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((None, None), "Odd.jvp got back 2 for 1 results\n  it must return one tangent for each result"),
        (3.0, "Odd.jvp got back float for result 0\n  a tangent is a tensor, or None"),
        (
            torch.ones(2),
            "Odd.jvp got back a float32 tensor (2,) for result 0, a float32 tensor (1,)\n"
            "  a tangent has the shape and the type of the result",
        ),
    ],
)
def test_what_jvp_returns_is_checked(answer: Any, text: str) -> None:
    class Odd(OnlyBackward):
        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return answer

    with pytest.raises(torch.GradError) as err:
        torch.func.jvp(Odd.apply, (torch.ones(1),), (torch.ones(1),))
    assert err.value.summary == text
