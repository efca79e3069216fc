"""Hooks on tensors: what they see, what they may return, order, removal, retained gradients."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule import GradError
from tests.sites import line


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor([float(v) for v in values], requires_grad=True)


def test_a_hook_sees_the_gradient_that_arrives() -> None:
    x = leaf(1, 2)
    y = x * x
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 3).sum().backward()
    assert seen == [[3, 3]]
    assert x.grad.tolist() == [6, 12]


def test_a_hook_sees_the_sum_over_all_uses() -> None:
    x = leaf(1, 2)
    y = x * x
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 3 + y).sum().backward()
    assert seen == [[4, 4]]


def test_what_a_hook_returns_goes_on() -> None:
    x = leaf(1, 2)
    y = x * x
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert x.grad.tolist() == [20, 40]


def test_a_hook_on_a_leaf_changes_what_is_added() -> None:
    x = leaf(1, 2)
    x.register_hook(lambda g: g * 10)
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [60, 60]


def test_hooks_run_in_the_order_they_were_added() -> None:
    x = leaf(1, 2)
    order = []

    def first(g: Any) -> Any:
        order.append(("first", g[0].item()))
        return g + 1

    def second(g: Any) -> Any:
        order.append(("second", g[0].item()))
        return g * 10

    x.register_hook(first)
    x.register_hook(second)
    x.sum().backward()
    assert order == [("first", 1), ("second", 2)]
    assert x.grad.tolist() == [20, 20]


def test_hooks_can_be_removed() -> None:
    x = leaf(1, 2)
    handle = x.register_hook(lambda g: g * 10)
    other = x.register_hook(lambda g: g + 1)
    handle.remove()
    handle.remove()  # nothing happens
    x.sum().backward()
    assert x.grad.tolist() == [2, 2]
    with other:
        pass  # as a context manager it is removed at the end
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_a_hook_may_remove_itself() -> None:
    x = leaf(1, 2)
    calls = []

    def once(g: Any) -> None:
        calls.append(g.tolist())
        handle.remove()

    handle = x.register_hook(once)
    x.sum().backward()
    x.sum().backward()
    assert calls == [[1, 1]]


def test_hooks_run_for_autograd_grad_too() -> None:
    x = leaf(1, 2)
    x.register_hook(lambda g: g * 10)
    (g,) = torch.autograd.grad((x * 3).sum(), x)
    assert g.tolist() == [30, 30]


def test_a_kept_gradient_is_not_changed_later() -> None:
    x = leaf(1, 2)
    kept = []
    y = x * 1
    y.register_hook(kept.append)
    x.register_hook(kept.append)
    (y + x).sum().backward()
    x.grad.zero_()
    (x * 7).sum().backward()
    assert [g.tolist() for g in kept[:2]] == [[1, 1], [2, 2]]


def test_hook_of_a_value_from_before_an_in_place_operation() -> None:
    x = leaf(1, 2)
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.mul_(5)
    y.sum().backward()
    assert seen == [[5, 5]]  # the gradient of the value that y had when the hook was added


def test_an_error_in_a_hook_comes_through_and_leaves_a_clean_state() -> None:
    x = leaf(1, 2)
    y = x * x

    def fails(g: Any) -> None:
        raise ZeroDivisionError

    handle = y.register_hook(fails)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert torch.is_grad_enabled()
    assert x.grad is None
    handle.remove()
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (torch.ones(3), "a tensor (3,) in place of a gradient (2,)"),
        (3.0, "float"),
        (torch.ones(2).double(), "a tensor of type float64 in place of a gradient of type float32"),
    ],
)
def test_a_hook_that_returns_something_else(returned: Any, text: str) -> None:
    x = leaf(1, 2)
    y = x * x

    def wrong(g: Any) -> Any:
        return returned

    y.register_hook(wrong)
    with pytest.raises(GradError) as err:
        y.sum().backward()
    assert str(err.value) == (
        f"the hook 'wrong' on the gradient of x * y (recorded at {line(9)}) got a gradient and "
        f"returned {text}\n"
        "  a hook returns None, or a tensor with the shape and type of the gradient"
    )


def test_a_hook_of_a_leaf_that_returns_something_else() -> None:
    x = leaf(1, 2)
    x.register_hook(lambda g: 3)
    with pytest.raises(GradError) as err:
        x.sum().backward()
    assert str(err.value) == (
        "the hook '<lambda>' on the gradient of AccumulateGrad got a gradient and returned int\n"
        "  a hook returns None, or a tensor with the shape and type of the gradient"
    )


def test_hooks_need_a_gradient() -> None:
    with pytest.raises(GradError) as err:
        torch.ones(2).register_hook(print)
    assert err.value.summary == (
        "register_hook got a tensor (2,) that needs no gradient\n"
        "  no gradient will arrive\n"
        "  try: x.requires_grad_()"
    )  # fmt: skip


# -- after accumulation ------------------------------------------------------------------------------


def test_post_accumulate_hook() -> None:
    x = leaf(1, 2)
    seen: list[Any] = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    x.register_hook(lambda g: g * 2)
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    assert seen == [(True, [6, 6]), (True, [12, 12])]
    handle.remove()
    (x * 3).sum().backward()
    assert len(seen) == 2


def test_post_accumulate_hook_may_use_up_the_gradient() -> None:
    x = leaf(1, 2)

    def update(t: torch.Tensor) -> None:
        with torch.no_grad():
            t -= t.grad
        t.grad = None

    x.register_post_accumulate_grad_hook(update)
    (x * 3).sum().backward()
    assert x.tolist() == [-2, -1]
    assert x.grad is None


def test_post_accumulate_hooks_are_for_leaves() -> None:
    x = leaf(1, 2)
    for tensor, hint in ((x * 2, "x.register_hook(hook)"), (torch.ones(2), "x.requires_grad_()")):
        with pytest.raises(GradError) as err:
            tensor.register_post_accumulate_grad_hook(print)
        assert err.value.summary == (
            "register_post_accumulate_grad_hook got a tensor (2,) that collects no gradient\n"
            "  only leaves with requires_grad=True collect gradients\n"
            f"  try: {hint}"
        )


# -- retain_grad -------------------------------------------------------------------------------------


def test_retain_grad() -> None:
    x = leaf(1, 2)
    y = x * x
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()  # twice is once
    assert y.retains_grad
    z = (y * 3).sum()
    z.backward(retain_graph=True)
    assert y.grad.tolist() == [3, 3]
    z.backward()
    assert y.grad.tolist() == [6, 6]


def test_retained_gradient_is_what_hooks_made_of_it() -> None:
    x = leaf(1, 2)
    y = x * 1
    y.retain_grad()
    y.register_hook(lambda g: g * 10)  # added later, but what is retained comes last
    y.sum().backward()
    assert y.grad.tolist() == [10, 10]
    assert x.grad.tolist() == [10, 10]


def test_retained_gradients_share_no_memory() -> None:
    x = leaf(1, 2)
    y = x + 1
    z = y + 1
    y.retain_grad()
    z.retain_grad()
    given = torch.ones(2)
    z.backward(given)
    z.grad.zero_()
    assert y.grad.tolist() == [1, 1]
    assert given.tolist() == [1, 1]
    assert x.grad.tolist() == [1, 1]


def test_retained_gradient_follows_an_in_place_operation() -> None:
    x = leaf(1, 2)
    y = x * 1
    y.retain_grad()
    y.mul_(3)
    assert y.retains_grad
    (y * 2).sum().backward()
    assert y.grad.tolist() == [2, 2]  # of the value that y has now
    assert x.grad.tolist() == [6, 6]


def test_retained_gradient_follows_a_write_through_a_view() -> None:
    x = leaf(1, 2, 3)
    y = x * 1
    y.retain_grad()
    y[0].mul_(3)
    (y * 2).sum().backward()
    assert y.grad.tolist() == [2, 2, 2]
    assert x.grad.tolist() == [6, 2, 2]


def test_retain_grad_of_a_leaf_changes_nothing() -> None:
    x = leaf(1, 2)
    x.retain_grad()
    assert not x.retains_grad
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_retaining_keeps_nothing_alive() -> None:
    x = leaf(1, 2)
    y = x * 1
    y.retain_grad()
    z = y * 2
    del y
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_retain_grad_needs_a_gradient() -> None:
    with pytest.raises(GradError) as err:
        torch.ones(2).retain_grad()
    assert err.value.summary == (
        "retain_grad got a tensor (2,) that needs no gradient\n"
        "  no gradient will arrive\n"
        "  try: x.requires_grad_() on an input, before the computation"
    )
