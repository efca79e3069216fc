"""Loss layers: each is its function with the settings it was given; weights are saved with the model."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close

RNG = np.random.default_rng(0)
X, Y = torch.tensor(RNG.normal(size=(5, 3))), torch.tensor(RNG.normal(size=(5, 3)))
P = torch.tensor(RNG.uniform(0.1, 0.9, size=(5, 3)))
C = torch.tensor([0, 1, 2, 1, 0])
S = torch.tensor(RNG.choice([-1.0, 1.0], size=(5, 3)))
W = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)

PAIRS = [
    (nn.MSELoss, F.mse_loss, {}, (X, Y)),
    (nn.L1Loss, F.l1_loss, {}, (X, Y)),
    (nn.HuberLoss, F.huber_loss, {"delta": 0.5}, (X, Y)),
    (nn.SmoothL1Loss, F.smooth_l1_loss, {"beta": 0.5}, (X, Y)),
    (nn.CrossEntropyLoss, F.cross_entropy, {"weight": W, "ignore_index": 1, "label_smoothing": 0.1}, (X, C)),
    (nn.CrossEntropyLoss, F.cross_entropy, {}, (X, P)),
    (nn.NLLLoss, F.nll_loss, {"weight": W, "ignore_index": 2}, (X, C)),
    (nn.BCELoss, F.binary_cross_entropy, {"weight": W}, (P, P)),
    (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, {"weight": W, "pos_weight": W}, (X, P)),
    (nn.KLDivLoss, F.kl_div, {"log_target": True}, (X, Y)),
    (nn.HingeEmbeddingLoss, F.hinge_embedding_loss, {"margin": 0.5}, (X, S)),
    (nn.MarginRankingLoss, F.margin_ranking_loss, {"margin": 0.5}, (X, Y, S)),
    (nn.MultiMarginLoss, F.multi_margin_loss, {"p": 2, "margin": 0.5, "weight": W}, (X, C)),
    (nn.PoissonNLLLoss, F.poisson_nll_loss, {"log_input": False, "full": True, "eps": 1e-3}, (P, Y)),
    (nn.GaussianNLLLoss, F.gaussian_nll_loss, {"full": True, "eps": 1e-3}, (X, Y, P)),
]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("layer", "function", "settings", "inputs"), PAIRS)
@pytest.mark.filterwarnings("ignore:kl_div with reduction='mean'")
def test_layer(layer, function, settings, inputs, reduction):
    module = layer(**settings, reduction=reduction)
    expected = function(*inputs, **settings, reduction=reduction)
    np.testing.assert_array_equal(module(*inputs).numpy(), expected.numpy())
    assert repr(module) == f"{layer.__name__}()"


@pytest.mark.parametrize(("layer", "function", "settings", "inputs"), PAIRS)
def test_every_setting_of_the_function_is_one_of_the_layer(layer, function, settings, inputs):
    passed = set(inspect.signature(function).parameters) - {"size_average", "reduce"}
    own = set(inspect.signature(layer.__init__).parameters)
    tensors = {"input", "target", "input1", "input2", "var"}
    if layer in (nn.MSELoss, nn.L1Loss, nn.HuberLoss):
        tensors.add("weight")  # one for each element: given with each call of the function
    assert passed - tensors <= own


def test_weights_are_buffers():
    loss = nn.CrossEntropyLoss(weight=W)
    assert [n for n, _ in loss.named_buffers()] == ["weight"]
    assert list(loss.parameters()) == []
    assert loss.float().weight.dtype == torch.float32
    assert list(nn.CrossEntropyLoss().state_dict()) == []


def test_gradient_of_softmax_regression():
    # d loss / d scores = (softmax - one hot) / n, the formula every course derives.
    x = torch.tensor(RNG.normal(size=(5, 3)), requires_grad=True)
    nn.CrossEntropyLoss()(x, C).backward()
    expected = (F.softmax(x.detach(), 1) - F.one_hot(C, 3)) / 5
    close(x.grad.numpy(), expected.numpy())


def test_multi_margin_refuses_at_once():
    with pytest.raises(torch.ArgumentError) as caught:
        nn.MultiMarginLoss(p=3)
    assert caught.value.summary == "MultiMarginLoss got p=3\n  p must be 1 or 2\n  try: p=1"
