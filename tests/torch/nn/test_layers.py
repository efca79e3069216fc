"""Layers with state against PyTorch: outputs, all gradients, buffers, state-dict keys, repr."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree, compare_function, compare_layer, copy_state, tensors, twins

F, TF = nn.functional, torch.nn.functional
RNG = np.random.default_rng(2)


def normal(*shape, dtype=np.float32):
    return np.asarray(RNG.normal(size=shape)).astype(dtype)


# ---- linear ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3), (2, 2, 2, 3)])
def test_linear(shape, bias):
    mine, its = twins("Linear", 3, 5, bias)
    compare_layer(mine, its, normal(*shape))


def test_linear_in_float64():
    mine, its = twins("Linear", 3, 5)
    compare_layer(mine.double(), its.double(), normal(4, 3, dtype=np.float64))
    assert str(nn.Linear(3, 5, dtype=chainrule.float64).weight.dtype) == "torch.float64"


def test_linear_function_with_a_vector_as_weight():
    compare_function(F.linear, TF.linear, normal(4, 3), normal(3))


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(bias):
    mine, its = twins("Bilinear", 3, 2, 4, bias)
    compare_layer(mine, its, normal(5, 3), normal(5, 2))
    compare_layer(*twins("Bilinear", 3, 2, 4, bias), normal(2, 5, 3), normal(2, 5, 2))


@pytest.mark.parametrize("args", [(), (0,), (1, 2), (2,), (-2, -1)])
def test_flatten(args):
    compare_layer(*twins("Flatten", *args), normal(2, 3, 4, 5))


@pytest.mark.parametrize("args", [(1, (2, 6)), (1, (-1, 3)), (-1, (1, 5)), (0, (2, 1))])
def test_unflatten(args):
    compare_layer(*twins("Unflatten", *args), normal(2, 12, 5))


# ---- dropout -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "training"), [(0.0, True), (1.0, True), (0.5, False), (1.0, False)])
@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_without_chance(p, training, inplace):
    mine, its = twins("Dropout", p, inplace)
    mine.train(training)
    its.train(training)
    (a, b) = tensors(normal(3, 4), grad=True)
    out, reference = mine(a * 1), its(b * 1)
    agree(out, reference)
    out.sum().backward()
    reference.sum().backward()
    agree(a.grad, b.grad)


def test_dropout_drops_like_pytorch_on_average():
    x = chainrule.ones(200_000)
    mine, its = nn.Dropout(0.3)(x), torch.nn.Dropout(0.3)(torch.ones(200_000))
    assert sorted(set(mine.tolist())) == sorted(set(its.tolist()))  # 0 and the very same 1 / 0.7
    # Share of zeros: standard deviation sqrt(0.3 * 0.7 / 200000) = 0.001; both within five of them.
    for out in (mine, its):
        assert abs(float((out == 0).float().mean()) - 0.3) < 0.005


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_refuses(p):
    for module in (nn, torch.nn):
        with pytest.raises(ValueError, match="probability"):
            module.Dropout(p)
    for module, x in ((nn, chainrule.ones(2)), (torch.nn, torch.ones(2))):
        with pytest.raises(ValueError, match="probability"):
            module.functional.dropout(x, p)


# ---- normalization -----------------------------------------------------------------------------------------

BATCH_NORMS = [
    {}, {"momentum": 0.3}, {"momentum": None}, {"affine": False}, {"track_running_stats": False},
    {"eps": 0.1}, {"bias": False}, {"affine": False, "track_running_stats": False},
    {"momentum": None, "affine": False},
]  # fmt: skip


@pytest.mark.parametrize("settings", BATCH_NORMS)
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5)])
def test_batch_norm(settings, shape):
    mine, its = twins("BatchNorm1d", 3, **settings)
    for _ in range(3):  # running statistics move on with every batch
        compare_layer(mine, its, normal(*shape) * 3 + 1)
        mine.zero_grad()
        its.zero_grad()
    mine.eval()
    its.eval()
    compare_layer(mine, its, normal(*shape))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_function(shape, training):
    arrays = [normal(*shape, dtype=np.float64), normal(3, dtype=np.float64), np.array([0.5, 1.0, 2.0])]
    (x, y), (mean, mean_t), (var, var_t) = (tensors(a) for a in arrays)
    (w, w_t), (b, b_t) = tensors(normal(3, dtype=np.float64)), tensors(normal(3, dtype=np.float64))
    agree(
        F.batch_norm(x, mean, var, w, b, training, 0.2, 1e-3),
        TF.batch_norm(y, mean_t, var_t, w_t, b_t, training, 0.2, 1e-3),
    )
    agree(mean, mean_t)
    agree(var, var_t)


def test_batch_norm_of_an_empty_batch():
    mine, its = twins("BatchNorm1d", 3)
    compare_layer(mine, its, normal(0, 3))


@pytest.mark.parametrize("shape", [(1, 3), (3,), (2, 3, 4, 5), (2, 4)])
def test_batch_norm_refuses(shape):
    for module, x in ((nn, chainrule.zeros(*shape)), (torch.nn, torch.zeros(*shape))):
        with pytest.raises((ValueError, RuntimeError)):
            module.BatchNorm1d(3)(x)


@pytest.mark.parametrize("settings", [{}, {"elementwise_affine": False}, {"bias": False}, {"eps": 0.1}])
@pytest.mark.parametrize(
    ("shape", "over"), [((4, 3), 3), ((2, 4, 3), (3,)), ((2, 4, 3), (4, 3)), ((3,), 3), ((0, 3), 3)]
)
def test_layer_norm(shape, over, settings):
    compare_layer(*twins("LayerNorm", over, **settings), normal(*shape) * 3 + 1)


def test_layer_norm_refuses():
    for module, x in ((nn, chainrule.zeros(4, 3)), (torch.nn, torch.zeros(4, 3))):
        with pytest.raises(RuntimeError):
            module.LayerNorm(4)(x)


# ---- embedding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"scale_grad_by_freq": True}, {"max_norm": 1.0},
                 {"max_norm": 0.7, "norm_type": 1.0, "padding_idx": 0}]
)  # fmt: skip
@pytest.mark.parametrize("index", [[1, 2, 1, 0, 1], [[4, 0], [2, 2]], 3, []])
def test_embedding(settings, index):
    mine, its = twins("Embedding", 5, 3, **settings)
    compare_layer(mine, its, np.array(index, dtype=np.int64))
    agree(mine.weight, its.weight, "weight")  # max_norm shortens rows in the weight itself


def test_embedding_from_pretrained():
    rows = normal(4, 3)
    mine = nn.Embedding.from_pretrained(chainrule.tensor(rows), padding_idx=1)
    its = torch.nn.Embedding.from_pretrained(torch.tensor(rows), padding_idx=1)
    assert repr(mine) == repr(its)
    assert mine.weight.requires_grad is its.weight.requires_grad is False
    agree(mine(chainrule.tensor([1, 3])), its(torch.tensor([1, 3])))


@pytest.mark.parametrize("index", [[5], [-1], [0, 7]])
def test_embedding_refuses(index):
    for module, t in ((nn, chainrule.tensor), (torch.nn, torch.tensor)):
        with pytest.raises(IndexError):
            module.Embedding(5, 3)(t(index))


@pytest.mark.parametrize(("index", "classes"), [([0, 2, 1], -1), ([[0, 1], [2, 2]], 4), (1, 3), ([], 3)])
def test_one_hot(index, classes):
    array = np.array(index, dtype=np.int64)
    agree(F.one_hot(chainrule.tensor(array), classes), TF.one_hot(torch.tensor(array), classes))


def test_one_hot_refuses():
    for functional, t in ((F, chainrule.tensor), (TF, torch.tensor)):
        with pytest.raises((RuntimeError, IndexError)):
            functional.one_hot(t([0, 3]), 3)
        with pytest.raises((RuntimeError, IndexError)):
            functional.one_hot(t([-1, 2]))
        with pytest.raises(RuntimeError):
            functional.one_hot(t([0.0, 1.0]))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(p, dim):
    compare_function(F.normalize, TF.normalize, normal(3, 4, dtype=np.float64), p=p, dim=dim)


@pytest.mark.parametrize("dim", [0, 1])
def test_cosine_similarity(dim):
    compare_function(
        F.cosine_similarity,
        TF.cosine_similarity,
        normal(3, 4, dtype=np.float64),
        normal(3, 4, dtype=np.float64),
        dim=dim,
    )


# ---- together ----------------------------------------------------------------------------------------------


def network(module):
    return module.Sequential(
        module.Linear(6, 8), module.BatchNorm1d(8), module.ReLU(), module.Linear(8, 8), module.LayerNorm(8),
        module.GELU(), module.Linear(8, 3),
    )  # fmt: skip


def test_a_whole_network():
    mine, its = network(nn), network(torch.nn)
    assert repr(mine) == repr(its)
    copy_state(mine, its)
    x, target = normal(16, 6), RNG.integers(0, 3, size=16)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)(mine(chainrule.tensor(x)), chainrule.tensor(target))
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(its(torch.tensor(x)), torch.tensor(target))
    agree(loss, expected)
    loss.backward()
    expected.backward()
    for (name, a), b in zip(mine.named_parameters(), its.parameters(), strict=True):
        agree(a.grad, b.grad, name)
