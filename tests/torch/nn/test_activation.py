"""Activation functions and layers against PyTorch: values, gradients, kinks, extremes, in-place, repr."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree, compare_function, compare_layer, tensors, twins

F, TF = nn.functional, torch.nn.functional
RNG = np.random.default_rng(0)

# Around every kink and far out; float64.
KINKS = np.array([-3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0])
SPREAD = np.concatenate([RNG.normal(scale=3, size=40), [-800.0, -90.0, -30.0, 30.0, 90.0, 800.0]])

# celu with 2.0, and hardsigmoid in float32 only: PyTorch's own gradients of float64 tensors multiply by
# 1 / alpha and 1 / 6 rounded to float32.
FLOAT32_ONLY = {"hardsigmoid"}


def precision(name, dtype):
    return np.float32 if name in FLOAT32_ONLY else dtype


ELEMENTWISE = [
    ("relu", {}), ("relu6", {}), ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.3}), ("elu", {}),
    ("elu", {"alpha": 0.7}), ("celu", {}), ("celu", {"alpha": 2.0}), ("selu", {}), ("gelu", {}),
    ("gelu", {"approximate": "tanh"}), ("silu", {}), ("mish", {}), ("sigmoid", {}), ("tanh", {}),
    ("logsigmoid", {}), ("softplus", {}), ("softplus", {"beta": 2.5, "threshold": 5.0}), ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 3.0}), ("softsign", {}), ("tanhshrink", {}),
    ("softshrink", {}), ("softshrink", {"lambd": 1.0}), ("softshrink", {"lambd": 0.0}),
    ("hardsigmoid", {}), ("hardswish", {}), ("threshold", {"threshold": 0.5, "value": -2.0}),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "settings"), ELEMENTWISE)
@pytest.mark.parametrize("x", [KINKS, SPREAD], ids=["kinks", "spread"])
def test_function(name, settings, x, dtype):
    compare_function(getattr(F, name), getattr(TF, name), x.astype(precision(name, dtype)), **settings)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize(("name", "settings"), ELEMENTWISE)
def test_shapes(name, settings, shape):
    x = np.asarray(RNG.normal(size=shape)).astype(precision(name, np.float64))
    compare_function(getattr(F, name), getattr(TF, name), x, **settings)


@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "celu",
        "selu",
        "silu",
        "mish",
        "hardtanh",
        "hardsigmoid",
        "hardswish",
    ],
)
def test_inplace_writes_into_the_input(name):
    x = RNG.normal(size=(3, 4)).astype(precision(name, np.float64))
    mine, its = tensors(x, grad=True)
    a, b = mine * 2, its * 2  # not leaves, which must not be overwritten
    before = a.data_ptr()
    out, reference = getattr(F, name)(a, inplace=True), getattr(TF, name)(b, inplace=True)
    assert out is a
    assert out.data_ptr() == before
    agree(a, b)
    out.sum().backward()
    reference.sum().backward()
    agree(mine.grad, its.grad, "gradient")


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_family(name, dim):
    x = RNG.normal(scale=3, size=(4, 3, 5))
    x[0, 0] = [1000.0, -1000.0, 0.0, 999.0, -np.inf]
    compare_function(getattr(F, name), getattr(TF, name), x, dim=dim)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_in_another_dtype(name):
    x = RNG.normal(size=(2, 3)).astype(np.float32)
    mine, its = tensors(x)
    agree(
        getattr(F, name)(mine, dim=1, dtype=chainrule.float64),
        getattr(TF, name)(its, dim=1, dtype=torch.float64),
    )


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_softmax_guesses_the_same_axis(name, rank):
    x = np.asarray(RNG.normal(size=(2, 3, 2, 3)[:rank]))
    mine, its = tensors(x)
    with pytest.warns(UserWarning, match="without dim"):
        result = getattr(F, name)(mine)
    with pytest.warns(UserWarning, match="Implicit dimension"):
        expected = getattr(TF, name)(its)
    agree(result, expected)


@pytest.mark.parametrize(
    ("x", "weight"),
    [((5,), (1,)), ((2, 3), (1,)), ((2, 3), (3,)), ((2, 3, 4), (3,)), ((2, 3, 4, 2), (3,)), ((2, 3), ())],
)
def test_prelu(x, weight):
    compare_function(F.prelu, TF.prelu, RNG.normal(size=x), np.asarray(RNG.normal(size=weight)))


LAYERS = [
    ("ReLU", ()), ("ReLU", (True,)), ("ReLU6", ()), ("LeakyReLU", (0.2,)), ("PReLU", ()), ("PReLU", (3, 0.1)),
    ("ELU", (0.5,)), ("CELU", (0.5,)), ("SELU", ()), ("GELU", ()), ("GELU", ("tanh",)), ("SiLU", ()),
    ("Mish", ()), ("Sigmoid", ()), ("LogSigmoid", ()), ("Tanh", ()), ("Softmax", (1,)), ("LogSoftmax", (0,)),
    ("Softmin", (-1,)), ("Softplus", ()), ("Softplus", (2.0, 3.0)), ("Hardtanh", ()),
    ("Hardtanh", (-0.5, 0.5)), ("Softsign", ()), ("Tanhshrink", ()), ("Hardsigmoid", ()), ("Hardswish", ()),
    ("Threshold", (0.1, 7.0)), ("Identity", ()), ("Softmax", ()), ("ELU", ()), ("LeakyReLU", ()),
    ("Softshrink", (0.3,)), ("Softshrink", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), LAYERS)
@pytest.mark.filterwarnings("ignore:.*(without dim|Implicit dimension):UserWarning")
def test_layer(name, args):
    mine, its = twins(name, *args)
    x = RNG.normal(size=(4, 3)).astype(np.float32)
    if args == (True,):  # in place: not on a leaf
        a, b = tensors(x)
        agree(mine(a), its(b))
    else:
        compare_layer(mine, its, x)


@pytest.mark.parametrize(
    ("name", "args", "settings"),
    [
        ("ReLU", (), {"inplace": True}), ("LeakyReLU", (), {"inplace": True}), ("ELU", (), {"inplace": True}),
        ("Hardtanh", (-2, 2), {"inplace": True}), ("Hardswish", (), {"inplace": True}),
        ("Hardsigmoid", (), {"inplace": True}), ("Threshold", (1, 2), {"inplace": True}),
        ("SELU", (), {"inplace": True}), ("CELU", (), {"inplace": True}), ("SiLU", (), {"inplace": True}),
        ("Mish", (), {"inplace": True}), ("ReLU6", (), {"inplace": True}),
    ],
)  # fmt: skip
def test_repr_of_inplace(name, args, settings):
    assert repr(getattr(nn, name)(*args, **settings)) == repr(getattr(torch.nn, name)(*args, **settings))


def test_refusals():
    for module, tensor in ((nn, chainrule.tensor), (torch.nn, torch.tensor)):
        with pytest.raises(RuntimeError):
            module.functional.gelu(tensor([1.0]), approximate="erf")
        with pytest.raises(RuntimeError):
            module.functional.prelu(tensor([[1.0, 2.0]]), tensor([0.1, 0.2, 0.3]))
        with pytest.raises(ValueError, match="min_val"):
            module.functional.hardtanh(tensor([1.0]), 1.0, -1.0)
