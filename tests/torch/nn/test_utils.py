"""Clipping and vectors of parameters against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree

RNG = np.random.default_rng(3)
GRADS = [RNG.normal(size=s).astype(np.float32) for s in ((3, 4), (5,), (), (0,))]


def parameters(t, nn, scale=1.0):
    made = []
    for g in GRADS:
        p = nn.Parameter(t.zeros(g.shape))
        p.grad = t.tensor(g * scale)
        made.append(p)
    return [*made, nn.Parameter(t.zeros(2))]  # the last has no gradient


SIDES = ((chainrule, nn), (torch, torch.nn))


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf"), "inf"])
@pytest.mark.parametrize("max_norm", [0.5, 1, 100.0])
def test_clip_grad_norm(norm_type, max_norm):
    grads, norms = [], []
    # Without the empty gradient: the largest of no numbers does not exist.
    for t, side in SIDES:
        params = [p for p in parameters(t, side) if p.numel()]
        norms.append(side.utils.clip_grad_norm_(iter(params), max_norm, norm_type))
        grads.append([p.grad for p in params if p.grad is not None])
    agree(*norms)
    for ours, theirs in zip(*grads, strict=True):
        agree(ours, theirs)


def test_clip_one_tensor_and_none():
    for t, side in SIDES:
        p = side.Parameter(t.zeros(2))
        assert float(side.utils.clip_grad_norm_(p, 1.0)) == 0.0
        p.grad = t.tensor([3.0, 4.0])
        assert float(side.utils.clip_grad_norm_(p, 1.0)) == 5.0
        assert float(side.utils.clip_grad_norm_([], 1.0)) == 0.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_not_finite(bad):
    for t, side in SIDES:
        p = side.Parameter(t.zeros(2))
        p.grad = t.tensor([1.0, bad])
        with pytest.raises(RuntimeError):
            side.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
        assert p.grad.tolist()[0] == 1.0
        side.utils.clip_grad_norm_(p, 1.0)


def test_clip_grad_value():
    for t, side in SIDES:
        params = parameters(t, side)
        side.utils.clip_grad_value_(params, 0.5)
        for p, g in zip(params, GRADS, strict=False):
            np.testing.assert_array_equal(p.grad.numpy(), np.clip(g, -0.5, 0.5))


def test_get_total_norm():
    for norm_type in (1.0, 2.0, float("inf")):
        ours, theirs = (
            side.utils.get_total_norm([t.tensor(g) for g in GRADS[:3]], norm_type) for t, side in SIDES
        )
        agree(ours, theirs)


def test_vectors():
    vectors = []
    for t, side in SIDES:
        net = side.Linear(3, 2)
        side.utils.vector_to_parameters(t.arange(8, dtype=t.float32), net.parameters())
        vector = side.utils.parameters_to_vector(net.parameters())
        (vector * vector).sum().backward()
        vectors.append((vector, net.weight.grad, net.bias.grad))
    for ours, theirs in zip(*vectors, strict=True):
        agree(ours, theirs)
