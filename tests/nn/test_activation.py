"""Activation layers: each does what its function does, with its settings, and prints them."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F

X = torch.tensor([[-4.0, -1.0, -0.2], [0.0, 0.7, 7.5]])

PAIRS = [
    (nn.ReLU(), F.relu, "ReLU()"),
    (nn.ReLU6(), F.relu6, "ReLU6()"),
    (nn.LeakyReLU(0.3), lambda x: F.leaky_relu(x, 0.3), "LeakyReLU(negative_slope=0.3)"),
    (nn.ELU(0.5), lambda x: F.elu(x, 0.5), "ELU(alpha=0.5)"),
    (nn.CELU(0.5), lambda x: F.celu(x, 0.5), "CELU(alpha=0.5)"),
    (nn.SELU(), F.selu, "SELU()"),
    (nn.GELU(), F.gelu, "GELU(approximate='none')"),
    (nn.GELU("tanh"), lambda x: F.gelu(x, "tanh"), "GELU(approximate='tanh')"),
    (nn.SiLU(), F.silu, "SiLU()"),
    (nn.Mish(), F.mish, "Mish()"),
    (nn.Sigmoid(), F.sigmoid, "Sigmoid()"),
    (nn.LogSigmoid(), F.logsigmoid, "LogSigmoid()"),
    (nn.Tanh(), F.tanh, "Tanh()"),
    (nn.Softmax(1), lambda x: F.softmax(x, 1), "Softmax(dim=1)"),
    (nn.LogSoftmax(0), lambda x: F.log_softmax(x, 0), "LogSoftmax(dim=0)"),
    (nn.Softmin(-1), lambda x: F.softmin(x, -1), "Softmin(dim=-1)"),
    (nn.Softplus(2.0, 5.0), lambda x: F.softplus(x, 2.0, 5.0), "Softplus(beta=2.0, threshold=5.0)"),
    (nn.Hardtanh(-2.0, 0.5), lambda x: F.hardtanh(x, -2.0, 0.5), "Hardtanh(min_val=-2.0, max_val=0.5)"),
    (nn.Softsign(), F.softsign, "Softsign()"),
    (nn.Softshrink(0.2), lambda x: F.softshrink(x, 0.2), "Softshrink(0.2)"),
    (nn.Tanhshrink(), F.tanhshrink, "Tanhshrink()"),
    (nn.Hardsigmoid(), F.hardsigmoid, "Hardsigmoid()"),
    (nn.Hardswish(), F.hardswish, "Hardswish()"),
    (nn.Threshold(0.1, 9.0), lambda x: F.threshold(x, 0.1, 9.0), "Threshold(threshold=0.1, value=9.0)"),
]


@pytest.mark.parametrize(("layer", "function", "text"), PAIRS)
def test_layer(layer, function, text):
    assert layer(X).tolist() == function(X).tolist()
    assert repr(layer) == text
    assert list(layer.state_dict()) == []


@pytest.mark.parametrize(
    "cls", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.Mish, nn.Hardtanh]
)
def test_inplace_layers_write_and_say_so(cls):
    x = X.clone()
    layer = cls(inplace=True)
    assert layer(x) is x
    assert x.tolist() == cls()(X).tolist()
    assert repr(layer).endswith("inplace=True)")


def test_prelu_learns_its_slope():
    layer = nn.PReLU(3, init=0.1)
    assert repr(layer) == "PReLU(num_parameters=3)"
    layer(X).sum().backward()
    assert layer.weight.tolist() == pytest.approx([0.1] * 3)
    assert layer.weight.grad.tolist() == pytest.approx([-4.0, -1.0, -0.2])
    with torch.no_grad():
        layer.weight.fill_(0.7)
    layer.reset_parameters()
    assert layer.weight.tolist() == pytest.approx([0.1] * 3)


def test_hardtanh_refuses_an_empty_range():
    with pytest.raises(torch.ArgumentError) as caught:
        nn.Hardtanh(1.0, 1.0)
    assert (
        caught.value.summary
        == "Hardtanh got min_val=1.0 and max_val=1.0\n  max_val must be larger than min_val"
    )
