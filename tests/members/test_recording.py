"""`requires_grad`, `grad`, `detach`, `data`: what they give, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule import ArgumentError, DTypeError, GradError, ShapeError


def refusal(kind: type[Exception], call: Any) -> str:
    with pytest.raises(kind) as err:
        call()
    assert isinstance(err.value, torch.ChainruleError)
    return err.value.summary


# -- requires_grad -----------------------------------------------------------------------------------


def test_leaves_and_results() -> None:
    x, c = torch.ones(2, requires_grad=True), torch.ones(2)
    y = x * c
    assert [t.requires_grad for t in (x, c, y, c * 2)] == [True, False, True, False]
    assert [t.is_leaf for t in (x, c, y, c * 2)] == [True, True, False, True]
    assert x.grad_fn is None
    assert y.grad_fn.name == "MulBackward0"
    assert repr(y.grad_fn) == "<MulBackward0>"
    assert [repr(f) for f, _ in y.grad_fn.next_functions] == ["<AccumulateGrad>", "None"]
    assert y.grad_fn.next_functions[0][0].variable is x


def test_requires_grad_in_place() -> None:
    x = torch.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not x.requires_grad
    x.requires_grad = True
    (x * 2).sum().backward()
    grad = x.grad
    x.requires_grad_(False)
    assert not (x * 2).requires_grad
    assert x.grad is grad  # stays


def test_a_view_made_before_follows() -> None:
    x = torch.zeros(3)
    view = x[:2]
    x.requires_grad_()
    assert view.requires_grad
    (view * 2).sum().backward()
    assert x.grad.tolist() == [2, 2, 0]


@pytest.mark.parametrize("kind", ["int64", "uint8", "bool"])
def test_only_floats_have_gradients(kind: str) -> None:
    text = (
        f"requires_grad_ got a tensor (2,) of type {kind}\n"
        "  only floating-point values change continuously, so only they have gradients\n"
        "  try: x.float().requires_grad_()"
    )
    x = torch.zeros(2, dtype=getattr(torch, kind))
    assert refusal(GradError, x.requires_grad_) == text
    assert refusal(GradError, lambda: setattr(x, "requires_grad", True)) == text
    assert refusal(GradError, lambda: torch.tensor([0, 0], dtype=x.dtype, requires_grad=True)) == text
    assert x.requires_grad_(False) is x


def test_a_result_cannot_be_told_to_need_none() -> None:
    y = torch.ones(2, requires_grad=True) * 2
    assert y.requires_grad_() is y
    assert refusal(GradError, lambda: y.requires_grad_(False)) == (
        "requires_grad_(False) got a tensor (2,) made by recorded operations\n"
        "  its need for a gradient comes from its inputs\n"
        "  try: x.detach()"
    )


def test_integer_results_need_no_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    assert not (x > 0).requires_grad
    assert not x.argmax().requires_grad
    assert not x.long().requires_grad
    assert x.double().requires_grad


# -- grad --------------------------------------------------------------------------------------------


def test_grad_can_be_assigned() -> None:
    x = torch.ones(2, requires_grad=True)
    g = torch.tensor([1.0, 2.0])
    x.grad = g
    assert x.grad is g
    (x * 3).sum().backward()
    assert g.tolist() == [4, 5]
    x.grad = None
    assert x.grad is None
    y = torch.ones(2)
    y.grad = g  # also where no backward would put one
    del y.grad
    assert y.grad is None


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (
            ArgumentError,
            3.0,
            "x.grad = g got float\n  the gradient must be another Tensor, or None",
        ),
        (
            ShapeError,
            torch.ones(3),
            "x.grad = g got g (3,) for a tensor (2,)\n  the gradient must have the shape of the tensor",
        ),
        (
            DTypeError,
            torch.ones(2).double(),
            "x.grad = g got g of type float64 for a tensor of type float32\n"
            "  the gradient must have the type of the tensor\n"
            "  try: g.to(torch.float32)",
        ),
    ],
)
def test_grad_must_fit(kind: type[Exception], value: Any, text: str) -> None:
    x = torch.ones(2, requires_grad=True)
    assert refusal(kind, lambda: setattr(x, "grad", value)) == text
    assert x.grad is None


def test_grad_is_not_the_tensor_itself() -> None:
    x = torch.ones(2, requires_grad=True)
    assert refusal(ArgumentError, lambda: setattr(x, "grad", x)) == (
        "x.grad = g got x itself\n  the gradient must be another Tensor, or None"
    )


# -- detach ------------------------------------------------------------------------------------------


def test_detach_shares_memory_but_no_graph() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y.detach()
    assert not z.requires_grad
    assert z.is_leaf
    assert z.data_ptr() == y.data_ptr()
    assert z._base is None
    (y * z).sum().backward()
    assert x.grad.tolist() == [9, 18]  # z counts as a constant


def test_a_detached_tensor_can_become_a_leaf() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3).detach().requires_grad_()
    (y * y).sum().backward()
    assert y.grad.tolist() == [6, 12]
    assert x.grad is None
    assert y[1:].requires_grad


def test_detach_in_place() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    assert y.detach_() is y
    assert y.is_leaf
    assert not y.requires_grad
    assert not (y * 2).requires_grad
    w = torch.ones(2, requires_grad=True)
    w.detach_()
    assert not w.requires_grad


def test_a_view_cannot_be_detached_in_place() -> None:
    y = torch.ones(3, requires_grad=True) * 2
    assert refusal(GradError, y[:2].detach_) == (
        "detach_ got a view (2,) of another tensor\n"
        "  only a tensor with memory of its own can leave the tape in place\n"
        "  try: x.detach(), which makes another tensor on the same memory"
    )


# -- data --------------------------------------------------------------------------------------------


def test_data_is_the_memory_without_the_graph() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert not x.data.requires_grad
    x.data[0] = 5
    x.data += 1
    assert x.tolist() == [6, 3]
    assert x.requires_grad


def test_data_can_be_replaced() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    identity = id(x)
    x.data = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    assert id(x) == identity
    assert x.requires_grad
    (x * 2).sum().backward()
    assert x.grad.dtype is torch.float64
    assert x.grad.tolist() == [[2, 2, 2]]
    view = torch.zeros(3)[1:]
    view.data = torch.ones(1)
    assert view._base is None
    assert view.tolist() == [1]


def test_data_must_fit() -> None:
    x = torch.ones(2, requires_grad=True)
    assert refusal(ArgumentError, lambda: setattr(x, "data", [1.0])) == (
        "x.data = y got list\n  y must be a Tensor\n  try: tensor(...) of it"
    )
    assert refusal(GradError, lambda: setattr(x, "data", torch.tensor([1]))) == (
        "x.data = y got a y of type int64 for an x that needs a gradient\n"
        "  only floating-point values have gradients\n"
        "  try: x.requires_grad_(False) first"
    )
    y = x * 2
    y.data = torch.zeros(2)
    assert refusal(GradError, lambda: setattr(y, "data", torch.zeros(3))) == (
        "x.data = y got a y (3,) for an x (2,) that was made by recorded operations\n"
        "  shape and type must stay: the gradient that arrives is that of the recorded result\n"
        "  try: x = y.clone()"
    )
