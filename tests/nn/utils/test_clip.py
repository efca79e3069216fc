"""Clipping of gradients: closed forms, what is left alone, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import utils
from tests.nn.close import close


def parameters(*grads):
    made = []
    for g in grads:
        p = nn.Parameter(torch.zeros(len(g)))
        p.grad = torch.tensor(g)
        made.append(p)
    return [*made, nn.Parameter(torch.zeros(2))]  # the last has no gradient


@pytest.mark.parametrize(
    ("order", "total"), [(1, 10.0), (2, math.sqrt(30)), (float("inf"), 4.0), ("inf", 4.0)]
)
def test_the_common_norm(order, total):
    params = parameters([1.0, -2.0], [3.0, 4.0])
    norm = utils.clip_grad_norm_(params, 1.0, norm_type=order)
    close(norm.numpy(), np.asarray(total))
    clipped = np.concatenate([p.grad.numpy() for p in params[:2]])
    close(clipped, np.array([1, -2, 3, 4]) / total)
    assert params[2].grad is None


def test_small_gradients_are_left_alone():
    params = parameters([0.3, 0.4])
    grad = params[0].grad
    assert utils.clip_grad_norm_(iter(params), 1.0).item() == pytest.approx(0.5)
    assert params[0].grad is grad
    close(grad.numpy(), [0.3, 0.4])


def test_nothing_to_clip():
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.clip_grad_norm_(nn.Parameter(torch.zeros(1)), 1.0).item() == 0.0


def test_each_element():
    (p, _) = parameters([3.0, -0.5, -9.0])
    utils.clip_grad_value_(p, 1)
    assert p.grad.tolist() == [1.0, -0.5, -1.0]


def test_not_finite():
    (p, _) = parameters([1.0, math.inf])
    with pytest.raises(torch.GradError) as caught:
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert caught.value.summary == (
        "clip_grad_norm_ got gradients whose norm of order 2.0 is inf\n"
        "  they cannot be clipped\n"
        "  try: find the first bad operation with autograd.set_detect_anomaly(True), "
        "or error_if_nonfinite=False to go on"
    )
    assert p.grad.tolist() == [1.0, math.inf]


def test_clipping_is_not_recorded():
    (p, _) = parameters([3.0, 4.0])
    utils.clip_grad_norm_(p, 1.0)
    assert not p.grad.requires_grad
