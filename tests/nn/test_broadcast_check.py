"""The trap of a loss: a silent broadcast warns, with both shapes, what becomes of it, and a way out."""

from __future__ import annotations

import warnings

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close

ELEMENTWISE = [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss]


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_a_column_against_a_vector(loss):
    with pytest.warns(UserWarning, match="broadcast") as caught:
        value = loss(torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0]))
    assert len(caught) == 1
    assert str(caught[0].message) == (
        f"{loss.__name__} got input (2, 1) and target (2,)\n"
        "  they broadcast to (2, 2), so each of the 2 predictions is compared with each of the 2 targets\n"
        "  try: target.reshape(input.shape), or input.squeeze(-1)"
    )
    # Perfect predictions, and yet a loss: this is what the warning is about.
    assert value.item() > 0


def calls_a_function():
    return F.mse_loss(torch.zeros(4, 1), torch.zeros(4))


def calls_a_layer():
    return nn.Sequential(nn.Identity(), nn.Linear(2, 1))[0](nn.MSELoss()(torch.zeros(4, 1), torch.zeros(4)))


@pytest.mark.parametrize("users", [calls_a_function, calls_a_layer])
def test_the_warning_points_at_the_users_line(users):
    with pytest.warns(UserWarning, match="broadcast") as caught:
        users()
    assert (caught[0].filename, caught[0].lineno) == (__file__, users.__code__.co_firstlineno + 1)


@pytest.mark.parametrize(
    ("input", "target", "told"),
    [
        (
            (4,), (4, 1),
            "  they broadcast to (4, 4), so each of the 4 predictions "
            "is compared with each of the 4 targets\n"
            "  try: target.reshape(input.shape), or target.squeeze(-1)",
        ),
        (
            (1, 4), (4,),
            "  they broadcast to (1, 4), which changes what is compared with what\n"
            "  try: target.reshape(input.shape)",
        ),
        (
            (4, 3), (3,),
            "  they broadcast to (4, 3), so one target is compared with several predictions\n"
            "  try: give both one shape; target.expand_as(input), if one target is meant for several",
        ),
        (
            (), (3,),
            "  they broadcast to (3,), so one prediction is compared with several targets\n"
            "  try: give both one shape; target.expand_as(input), if one target is meant for several",
        ),
        (
            (5, 1), (1, 3),
            "  they broadcast to (5, 3), so each of the 5 predictions "
            "is compared with each of the 3 targets\n"
            "  try: give both one shape; target.expand_as(input), if one target is meant for several",
        ),
    ],
)  # fmt: skip
def test_other_pairs(input, target, told):
    with pytest.warns(UserWarning, match="broadcast") as caught:
        F.mse_loss(torch.zeros(input), torch.zeros(target))
    assert str(caught[0].message) == f"mse_loss got input {input} and target {target}\n{told}"


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_the_same_shape_is_silent(loss):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(torch.zeros(4, 1), torch.zeros(4, 1))


def test_shapes_that_do_not_broadcast():
    with pytest.raises(torch.ShapeError) as caught:
        F.mse_loss(torch.zeros(4, 2), torch.zeros(4, 3))
    assert caught.value.summary == (
        "mse_loss of input and target got shapes (4, 2) and (4, 3)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 2 and 3\n"
        "  try: reshape or unsqueeze one of them so that the axes line up"
    )


def test_a_whole_regression_is_spoilt_by_it_and_saved_by_the_hint():
    # What the trap does to a run: the model can only learn the mean of the targets.
    x = torch.linspace(-1, 1, 20, dtype=torch.float64).reshape(20, 1)
    y = (3 * x).reshape(20)
    slopes = {}
    for hint in (False, True):
        w = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        for _ in range(200):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = x * w
                loss = F.mse_loss(out, y.reshape(out.shape) if hint else y)
            loss.backward()
            with torch.no_grad():
                w -= 0.5 * w.grad
                w.grad = None
        slopes[hint] = w.item()
    close([slopes[False], slopes[True]], [0.0, 3.0])
