"""Losses against PyTorch: values and gradients for every option, edge cases, and what both refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree, compare_function, compare_layer, tensors, twins

F, TF = nn.functional, torch.nn.functional
RNG = np.random.default_rng(1)
REDUCTIONS = ["none", "mean", "sum"]
SHAPES = [(), (1,), (5,), (4, 3), (2, 3, 4), (0,), (3, 0)]


def normal(*shape, scale=1.0):
    return np.asarray(RNG.normal(scale=scale, size=shape))


def positive(*shape):
    return np.asarray(RNG.uniform(0.05, 3.0, size=shape))


def probabilities(*shape):
    return np.asarray(RNG.uniform(0.01, 0.99, size=shape))


# ---- numbers against numbers -------------------------------------------------------------------------------

ELEMENTWISE = [
    ("mse_loss", {}), ("l1_loss", {}), ("huber_loss", {}), ("huber_loss", {"delta": 0.3}),
    ("smooth_l1_loss", {}), ("smooth_l1_loss", {"beta": 0.25}), ("smooth_l1_loss", {"beta": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "settings"), ELEMENTWISE)
def test_elementwise(name, settings, shape, reduction):
    compare_function(
        getattr(F, name), getattr(TF, name), normal(*shape), normal(*shape), reduction=reduction, **settings
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_where_the_pieces_meet(name):
    x = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    compare_function(getattr(F, name), getattr(TF, name), x, np.zeros(7), fixed=(1,), reduction="none")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_element_weights(name, reduction):
    compare_function(
        getattr(F, name),
        getattr(TF, name),
        normal(4, 3),
        normal(4, 3),
        reduction=reduction,
        weight=positive(4, 3),
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_a_broadcast_warns_on_both_sides_and_agrees(name):
    a, b = tensors(normal(4, 1)), tensors(normal(4))
    with pytest.warns(UserWarning, match=r"\(4, 1\)"):
        result = getattr(F, name)(a[0], b[0])
    with pytest.warns(UserWarning, match="target size"):
        expected = getattr(TF, name)(a[1], b[1])
    agree(result, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_element_types_are_kept(name, dtype):
    compare_function(
        getattr(F, name), getattr(TF, name), normal(4, 3).astype(dtype), normal(4, 3).astype(dtype)
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_nll(log_input, full, reduction):
    x = normal(5, 4) if log_input else positive(5, 4)
    target = RNG.integers(0, 6, size=(5, 4)).astype(np.float64)
    compare_function(
        F.poisson_nll_loss, TF.poisson_nll_loss, x, target,
        fixed=(1,), log_input=log_input, full=full, reduction=reduction,
    )  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("var", [(5, 4), (5, 1), (5,)])
def test_gaussian_nll(var, full, reduction):
    v = positive(*var)
    v.flat[0] = 1e-9  # below eps: held at eps, with a gradient
    compare_function(
        F.gaussian_nll_loss,
        TF.gaussian_nll_loss,
        normal(5, 4),
        normal(5, 4),
        v,
        full=full,
        reduction=reduction,
    )


def test_gaussian_nll_with_one_number():
    a, b = tensors(normal(5)), tensors(normal(5))
    agree(F.gaussian_nll_loss(a[0], b[0], 2.0), TF.gaussian_nll_loss(a[1], b[1], 2.0))


# ---- classes -----------------------------------------------------------------------------------------------

CLASS_SHAPES = [(3,), (1, 3), (5, 3), (2, 3, 4), (2, 3, 4, 2)]


def class_numbers(shape, classes=3, ignored=None):
    rest = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target = np.asarray(RNG.integers(0, classes, size=rest))
    if ignored is not None and target.size > 1:
        target.flat[::2] = ignored
    return target


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [None, -100, 1])
@pytest.mark.parametrize("shape", CLASS_SHAPES)
def test_cross_entropy_with_class_numbers(shape, ignore, weighted, smoothing, reduction):
    settings = {"reduction": reduction, "label_smoothing": smoothing}
    if ignore is not None:
        settings["ignore_index"] = ignore
    if weighted:
        settings["weight"] = positive(3)
    compare_function(
        F.cross_entropy,
        TF.cross_entropy,
        normal(*shape, scale=3),
        class_numbers(shape, ignored=ignore),
        **settings,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", CLASS_SHAPES)
def test_cross_entropy_with_probabilities(shape, weighted, smoothing, reduction):
    settings = {"weight": positive(3)} if weighted else {}
    compare_function(
        F.cross_entropy, TF.cross_entropy, normal(*shape, scale=3), probabilities(*shape),
        reduction=reduction, label_smoothing=smoothing, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [None, -100, 2])
@pytest.mark.parametrize("shape", CLASS_SHAPES)
def test_nll(shape, ignore, weighted, reduction):
    settings = {"ignore_index": ignore} if ignore is not None else {}
    if weighted:
        settings["weight"] = positive(3)
    compare_function(
        F.nll_loss,
        TF.nll_loss,
        normal(*shape),
        class_numbers(shape, ignored=ignore),
        reduction=reduction,
        **settings,
    )


def test_all_targets_ignored():
    x, target = normal(4, 3), np.full(4, -100)
    for reduction in REDUCTIONS:  # the mean over nothing is NaN on both sides
        a, t = tensors(x), tensors(target)
        agree(
            F.cross_entropy(a[0], t[0], reduction=reduction),
            TF.cross_entropy(a[1], t[1], reduction=reduction),
        )


def test_extreme_scores():
    x = np.array([[1000.0, 0.0, -1000.0], [-1000.0, 1000.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    for target in ([0, 1, 2], [2, 0, 1]):
        compare_function(F.cross_entropy, TF.cross_entropy, x, np.array(target), reduction="none")


def test_minus_infinity_masks_a_class():
    x = normal(3, 4)
    x[:, 1] = -np.inf
    compare_function(F.cross_entropy, TF.cross_entropy, x, np.array([0, 2, 3]))


def test_bytes_as_class_numbers():
    x, target = normal(4, 3), np.array([0, 1, 2, 1], dtype=np.uint8)
    compare_function(F.nll_loss, TF.nll_loss, x, target)


# ---- binary ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (4, 3), (3,), (1,)])
def test_binary_cross_entropy(weight, reduction):
    settings = {} if weight is None else {"weight": positive(*weight)}
    compare_function(
        F.binary_cross_entropy, TF.binary_cross_entropy, probabilities(4, 3), probabilities(4, 3),
        fixed=(1,), reduction=reduction, **settings,
    )  # fmt: skip


def test_gradient_of_the_target():
    compare_function(
        F.binary_cross_entropy, TF.binary_cross_entropy, probabilities(4, 3), probabilities(4, 3)
    )


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_at_the_ends(target):
    # In float32, because PyTorch's floor of 1e-12 is itself a float32 number.
    x = np.array([0.0, 1e-40, 1e-30, 1e-13, 1e-11, 0.5, 1 - 1e-7, 1.0], dtype=np.float32)
    y = np.full(8, target, dtype=np.float32)
    compare_function(F.binary_cross_entropy, TF.binary_cross_entropy, x, y, fixed=(1,), reduction="none")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("pos_weight", [None, (3,), (1,)])
@pytest.mark.parametrize("weight", [None, (4, 3), (3,)])
def test_with_logits(weight, pos_weight, reduction):
    settings = {} if weight is None else {"weight": positive(*weight)}
    if pos_weight is not None:
        settings["pos_weight"] = positive(*pos_weight)
    compare_function(
        F.binary_cross_entropy_with_logits, TF.binary_cross_entropy_with_logits, normal(4, 3, scale=3),
        probabilities(4, 3), reduction=reduction, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_with_logits_far_out(target):
    x = np.array([-1000.0, -100.0, -30.0, 0.0, 30.0, 100.0, 1000.0], dtype=np.float32)
    compare_function(
        F.binary_cross_entropy_with_logits, TF.binary_cross_entropy_with_logits, x,
        np.full(7, target, dtype=np.float32), fixed=(1,), reduction="none",
    )  # fmt: skip


@pytest.mark.parametrize("reduction", ["none", "batchmean", "sum"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div(log_target, reduction):
    target = probabilities(4, 3)
    target /= target.sum(1, keepdims=True)
    compare_function(
        F.kl_div, TF.kl_div, np.log(probabilities(4, 3)), np.log(target) if log_target else target,
        reduction=reduction, log_target=log_target,
    )  # fmt: skip


def test_kl_div_zero_probability():
    target = np.array([[0.0, 1.0], [0.25, 0.75]])
    compare_function(
        F.kl_div, TF.kl_div, np.log(probabilities(2, 2)), target, fixed=(1,), reduction="batchmean"
    )


def test_kl_div_mean_warns_on_both_sides():
    x, target = tensors(np.log(probabilities(4, 3))), tensors(probabilities(4, 3))
    with pytest.warns(UserWarning, match="batchmean"):
        result = F.kl_div(x[0], target[0])
    with pytest.warns(UserWarning, match="batchmean"):
        expected = TF.kl_div(x[1], target[1])
    agree(result, expected)


# ---- margins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [1.0, 0.2])
def test_hinge_embedding(margin, reduction):
    x = np.array([-2.0, 0.0, 0.2, 0.5, 1.0, 3.0] * 2)  # with the kinks
    target = np.repeat([1, -1], 6)
    compare_function(
        F.hinge_embedding_loss, TF.hinge_embedding_loss, x, target, margin=margin, reduction=reduction
    )


def test_hinge_embedding_other_targets():
    compare_function(
        F.hinge_embedding_loss, TF.hinge_embedding_loss, normal(6), np.array([0, 1, -1, 2, 1, 0])
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_margin_ranking(margin, reduction):
    a, b = normal(6), normal(6)
    a[0], b[0] = 1.0, 1.0 - margin  # at the kink
    target = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    compare_function(
        F.margin_ranking_loss,
        TF.margin_ranking_loss,
        a,
        b,
        target,
        fixed=(2,),
        margin=margin,
        reduction=reduction,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("margin", [1.0, 0.4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5, 3), (3,)])
def test_multi_margin(shape, weighted, margin, p, reduction):
    settings = {"weight": positive(3)} if weighted else {}
    compare_function(
        F.multi_margin_loss, TF.multi_margin_loss, normal(*shape), class_numbers(shape), p=p, margin=margin,
        reduction=reduction, **settings,
    )  # fmt: skip


def test_multi_margin_at_the_kink():
    compare_function(F.multi_margin_loss, TF.multi_margin_loss, np.array([[1.0, 0.0, 2.0]]), np.array([0]))


# ---- as layers ---------------------------------------------------------------------------------------------

LAYERS = [
    ("MSELoss", {}, "numbers"), ("L1Loss", {"reduction": "sum"}, "numbers"),
    ("HuberLoss", {"delta": 0.5}, "numbers"), ("SmoothL1Loss", {"beta": 0.5}, "numbers"),
    ("CrossEntropyLoss", {}, "classes"),
    ("CrossEntropyLoss", {"weight": positive(3), "label_smoothing": 0.1, "ignore_index": 1}, "classes"),
    ("CrossEntropyLoss", {"reduction": "none"}, "probabilities"),
    ("NLLLoss", {"weight": positive(3)}, "classes"), ("BCELoss", {}, "binary"),
    ("BCELoss", {"weight": positive(3)}, "binary"), ("BCEWithLogitsLoss", {}, "logits"),
    ("BCEWithLogitsLoss", {"pos_weight": positive(3), "weight": positive(3)}, "logits"),
    ("KLDivLoss", {"reduction": "batchmean"}, "divergence"),
    ("KLDivLoss", {"reduction": "sum", "log_target": True}, "numbers"),
    ("HingeEmbeddingLoss", {"margin": 0.5}, "signs"),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": positive(3)}, "classes"),
    ("PoissonNLLLoss", {"full": True}, "counts"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "kind"), LAYERS)
def test_layer(name, settings, kind):
    inputs = {
        "numbers": (normal(5, 3), normal(5, 3)),
        "classes": (normal(5, 3), class_numbers((5, 3))),
        "probabilities": (normal(5, 3), probabilities(5, 3)),
        "binary": (probabilities(5, 3), probabilities(5, 3)),
        "logits": (normal(5, 3), probabilities(5, 3)),
        "divergence": (np.log(probabilities(5, 3)), probabilities(5, 3)),
        "signs": (normal(5, 3), RNG.choice([-1, 1], size=(5, 3))),
        "counts": (normal(5, 3), RNG.integers(0, 5, size=(5, 3)).astype(np.float64)),
    }[kind]
    mine, its = twins(name, **settings)
    compare_layer(mine, its, *inputs, fixed=(1,) if kind == "counts" else ())


def test_layers_with_three_inputs():
    mine, its = twins("MarginRankingLoss", 0.3)
    compare_layer(mine, its, normal(4), normal(4), np.array([1.0, -1.0, -1.0, 1.0]), fixed=(2,))
    mine, its = twins("GaussianNLLLoss", full=True)
    compare_layer(mine, its, normal(4), normal(4), positive(4))


@pytest.mark.parametrize(
    ("size_average", "reduce", "reduction"),
    [
        (True, None, "mean"),
        (False, None, "sum"),
        (None, False, "none"),
        (True, False, "none"),
        (False, True, "sum"),
    ],
)
def test_older_names_of_the_reduction(size_average, reduce, reduction):
    for module in (nn, torch.nn):
        with pytest.warns(UserWarning, match="size_average"):
            loss = module.MSELoss(size_average, reduce)
        assert loss.reduction == reduction


# ---- refusals ----------------------------------------------------------------------------------------------

X, XT = chainrule.tensor(normal(4, 3)), torch.tensor(normal(4, 3))
REFUSED = [
    (lambda F, t: F.cross_entropy(t(normal(4, 3)), t(np.array([0, 1, 2]))), ValueError),
    (lambda F, t: F.cross_entropy(t(normal(4, 3)), t(np.array([0, 1, 2, 3]))), IndexError),
    (lambda F, t: F.cross_entropy(t(normal(4, 3)), t(np.array([0, 1, 2, -1]))), IndexError),
    (lambda F, t: F.cross_entropy(t(normal(4, 3)), t(np.array([0.0, 1.0, 2.0, 1.0]))), RuntimeError),
    (lambda F, t: F.cross_entropy(t(normal(4, 3)), t(np.array([[0], [1], [2], [1]]))), RuntimeError),
    (lambda F, t: F.cross_entropy(t(normal(2, 3)), t(np.ones((2, 3), dtype=np.int64))), RuntimeError),
    (lambda F, t: F.cross_entropy(t(normal(2, 3)), t(np.array([0, 1])), label_smoothing=2.0), RuntimeError),
    (lambda F, t: F.cross_entropy(t(normal(2, 3)), t(np.array([0, 1])), weight=t(np.ones(2))), RuntimeError),
    (lambda F, t: F.nll_loss(t(normal(4, 3)), t(np.array([0, 1, 2, 3]))), IndexError),
    (lambda F, t: F.mse_loss(t(normal(4)), t(normal(4)), reduction="average"), ValueError),
    (lambda F, t: F.binary_cross_entropy(t(probabilities(4)), t(probabilities(4, 1))), ValueError),
    (lambda F, t: F.binary_cross_entropy(t(np.array([1.5])), t(np.array([1.0]))), RuntimeError),
    (lambda F, t: F.binary_cross_entropy_with_logits(t(normal(4)), t(probabilities(4, 1))), ValueError),
    (lambda F, t: F.huber_loss(t(normal(4)), t(normal(4)), delta=0.0), RuntimeError),
    (lambda F, t: F.smooth_l1_loss(t(normal(4)), t(normal(4)), beta=-1.0), RuntimeError),
    (lambda F, t: F.multi_margin_loss(t(normal(4, 3)), t(np.array([0, 1, 2, 1])), p=3), ValueError),
    (lambda F, t: F.margin_ranking_loss(t(normal(4)), t(normal(4)), t(normal(4, 1))), RuntimeError),
    (lambda F, t: F.gaussian_nll_loss(t(normal(4)), t(normal(4)), t(-positive(4))), ValueError),
    (lambda F, t: F.gaussian_nll_loss(t(normal(4, 3)), t(normal(4, 3)), t(positive(2))), ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_both_refuse(call, error):
    with pytest.raises(error):
        call(F, chainrule.tensor)
    # PyTorch's own choice of class is not always the most telling one: ours may be a second one beside it.
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        call(TF, torch.tensor)
