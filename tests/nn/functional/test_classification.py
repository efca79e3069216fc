"""Losses over classes: closed forms with SciPy, central differences, extremes, and the texts of errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import chainrule as torch
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)
SCORES = RNG.normal(scale=2, size=(5, 3))
CLASSES = np.array([0, 2, 1, 1, 0])
WEIGHT = np.array([0.5, 2.0, 1.0])
LOGP = special.log_softmax(SCORES, axis=1)
PICKED = -LOGP[np.arange(5), CLASSES]


def t(a, grad=False):
    return torch.tensor(a, requires_grad=grad)


def test_class_numbers():
    losses = F.cross_entropy(t(SCORES), t(CLASSES), reduction="none").numpy()
    close(losses, PICKED)
    close(F.cross_entropy(t(SCORES), t(CLASSES)).item(), PICKED.mean())
    close(F.nll_loss(t(LOGP), t(CLASSES)).item(), PICKED.mean())


def test_weights_change_the_divisor_too():
    w = WEIGHT[CLASSES]
    expected = (w * PICKED).sum() / w.sum()
    close(F.cross_entropy(t(SCORES), t(CLASSES), weight=t(WEIGHT)).item(), expected)


def test_ignored_targets_do_not_count():
    target = np.array([0, -100, 1, -100, 0])
    loss = F.cross_entropy(x := t(SCORES, grad=True), t(target))
    close(loss.item(), PICKED[[0, 2, 4]].mean())
    loss.backward()
    assert x.grad[1].tolist() == [0.0, 0.0, 0.0]
    assert (x.grad[0] != 0).all()


def test_label_smoothing_mixes_with_the_uniform_distribution():
    soft = 0.8 * np.eye(3)[CLASSES] + 0.2 / 3
    expected = -(soft * LOGP).sum(1).mean()
    for target in (t(CLASSES), t(np.eye(3)[CLASSES])):
        close(F.cross_entropy(t(SCORES), target, label_smoothing=0.2).item(), expected)


def test_probabilities():
    soft = special.softmax(RNG.normal(size=(5, 3)), axis=1)
    expected = -(soft * LOGP).sum(1)
    close(F.cross_entropy(t(SCORES), t(soft), reduction="none").numpy(), expected)
    # Cross-entropy = divergence + entropy, each computed another way.
    parts = special.rel_entr(soft, special.softmax(SCORES, axis=1)).sum(1) + special.entr(soft).sum(1)
    close(expected, parts)


def test_scores_beyond_the_range_of_exp():
    x = torch.tensor([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], requires_grad=True)
    losses = F.cross_entropy(x, torch.tensor([2, 0]), reduction="none")
    losses.sum().backward()
    close(losses.detach().numpy(), [2e4, np.log(3)])
    close(x.grad.numpy(), [[1, 0, -1], [-2 / 3, 1 / 3, 1 / 3]])


def test_more_axes_are_positions():
    x = RNG.normal(size=(2, 3, 4))
    target = RNG.integers(0, 3, size=(2, 4))
    rows = torch.tensor(x.transpose(0, 2, 1).reshape(8, 3))
    flat = F.cross_entropy(rows, torch.tensor(target.reshape(8)), reduction="none")
    close(F.cross_entropy(t(x), t(target), reduction="none").numpy().reshape(8), flat.numpy())


def test_the_mean_over_nothing_is_nan():
    assert np.isnan(F.cross_entropy(t(SCORES), torch.full((5,), -100)).item())


SETTINGS = [
    {},
    {"weight": WEIGHT},
    {"label_smoothing": 0.3},
    {"weight": WEIGHT, "label_smoothing": 0.3, "ignore_index": 1},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_gradients(settings, reduction):
    settings = {k: t(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}

    def loss(x):
        return F.cross_entropy(x, t(CLASSES), reduction=reduction, **settings)

    second_order(loss, t(SCORES, grad=True))


def test_gradients_of_probabilities():
    soft = special.softmax(RNG.normal(size=(5, 3)), axis=1)
    inputs = (t(SCORES, grad=True), t(soft, grad=True))
    first_order(lambda x, y: F.cross_entropy(x, y, weight=t(WEIGHT)), inputs)


# ---- binary ------------------------------------------------------------------------------------------------


def test_binary_cross_entropy_is_two_class_cross_entropy():
    p, target = RNG.uniform(0.01, 0.99, size=6), RNG.uniform(size=6)
    expected = -(target * np.log(p) + (1 - target) * np.log(1 - p))
    close(F.binary_cross_entropy(t(p), t(target), reduction="none").numpy(), expected)
    scores = t(special.logit(p))
    close(F.binary_cross_entropy_with_logits(scores, t(target), reduction="none").numpy(), expected)
    # The positive weight multiplies one of the two terms.
    weighted = -(3 * target * np.log(p) + (1 - target) * np.log(1 - p))
    ours = F.binary_cross_entropy_with_logits(
        scores, t(target), reduction="none", pos_weight=torch.tensor([3.0])
    )
    close(ours.numpy(), weighted)


def test_log_is_not_taken_below_minus_100():
    x = torch.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    losses = F.binary_cross_entropy(x, torch.tensor([1.0, 0.0, 0.0, 1.0]), reduction="none")
    assert losses.tolist() == [100.0, 100.0, 0.0, 0.0]
    losses.sum().backward()
    close(x.grad.numpy(), [-1e12, 1e12, 0, 0])  # steep, but not infinite: 0 can be left


def test_scores_of_any_size():
    x = torch.tensor([-800.0, 800.0, -800.0, 800.0, 40.0], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    losses = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    close(losses.detach().numpy(), [0, 0, 800, 800, np.exp(-40)])
    losses.sum().backward()
    close(x.grad.numpy(), [0, 0, -1, 1, -np.exp(-40)])


def test_binary_gradients():
    p, target = t(RNG.uniform(0.05, 0.95, size=(2, 3)), grad=True), t(RNG.uniform(size=(2, 3)), grad=True)
    weight = t(RNG.uniform(size=3))
    first_order(lambda x, y: F.binary_cross_entropy(x, y, weight=weight), (p, target))
    second_order(lambda x: F.binary_cross_entropy(x, target.detach()), p)
    scores = t(RNG.normal(size=(2, 3)), grad=True)
    first_order(lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=weight), (scores, target))
    second_order(lambda x: F.binary_cross_entropy_with_logits(x, target.detach()), scores)


# ---- divergence --------------------------------------------------------------------------------------------


def test_kl_div_is_relative_entropy():
    p = special.softmax(RNG.normal(size=(4, 3)), axis=1)
    q = special.softmax(RNG.normal(size=(4, 3)), axis=1)
    p[0] = [0.0, 0.25, 0.75]  # 0 log 0 is 0
    elements = special.rel_entr(p, q)
    close(F.kl_div(t(np.log(q)), t(p), reduction="none").numpy(), elements)
    close(F.kl_div(t(np.log(q)), t(p), reduction="batchmean").item(), elements.sum() / 4)
    ours = F.kl_div(t(np.log(q[1:])), t(np.log(p[1:])), reduction="sum", log_target=True)
    close(ours.item(), elements[1:].sum())


def test_kl_div_gradients():
    logq, p = t(RNG.normal(size=(2, 3)), grad=True), t(RNG.uniform(0.1, 1, size=(2, 3)), grad=True)
    for log_target in (False, True):

        def loss(x, y, log_target=log_target):
            return F.kl_div(x, y, reduction="batchmean", log_target=log_target)

        first_order(loss, (logq, p))


def test_kl_div_mean_warns():
    with pytest.warns(UserWarning, match="batchmean") as caught:
        F.kl_div(torch.zeros(2, 2), torch.ones(2, 2))
    assert str(caught[0].message) == (
        "kl_div with reduction='mean' divides by the number of elements, classes included\n"
        "  try: reduction='batchmean', the divergence as it is defined, averaged over samples"
    )


# ---- texts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.cross_entropy(torch.zeros(4, 3), torch.tensor([[0], [1], [2], [0]])),
            torch.ShapeError,
            "cross_entropy got x (4, 3) and target (4, 1)\n"
            "  class numbers must have the shape of x without its class axis (axis 1): (4,)\n"
            "  try: target.squeeze(-1)",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(4, 3), torch.tensor([0, 1, 2])),
            torch.ShapeError,
            "cross_entropy got x (4, 3) and target (3,)\n"
            "  class numbers must have the shape of x without its class axis (axis 1): (4,)\n"
            "  try: one class number for each row of x",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(4, 3), torch.zeros(4, 2)),
            torch.ShapeError,
            "cross_entropy got x (4, 3) and target (4, 2)\n"
            "  class numbers must have the shape of x without its class axis (axis 1): (4,)\n"
            "  try: class probabilities of the shape of x, or class numbers without the class axis",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0.0, 1.0])),
            torch.DTypeError,
            "cross_entropy got a target (2,) with torch.float32\n"
            "  class numbers must be int64\n"
            "  try: target.long()",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.int64)),
            torch.DTypeError,
            "cross_entropy got x (2, 3) and a target of the same shape with torch.int64\n"
            "  a target of the shape of x holds class probabilities, which are floating-point numbers\n"
            "  try: target.float(), or class numbers without the class axis: target.argmax(1)",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(3, 3), torch.tensor([1, 2, 3])),
            torch.IndexingError,
            "cross_entropy got class number 3 for 3 classes\n"
            "  class numbers must lie in 0..2\n"
            "  try: target - 1, if the numbers start at 1",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, -1])),
            torch.IndexingError,
            "cross_entropy got class number -1 for 3 classes\n"
            "  class numbers must lie in 0..2\n"
            "  try: ignore_index=-1, if it means that there is no class",
        ),
        (
            lambda: F.nll_loss(torch.zeros(2, 3), torch.tensor([0, 9])),
            torch.IndexingError,
            "nll_loss got class number 9 for 3 classes\n"
            "  class numbers must lie in 0..2\n"
            "  try: as many scores as there are classes",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), weight=torch.ones(2)),
            torch.ShapeError,
            "cross_entropy got weight (2,) for 3 classes\n  weight must hold one factor for each class: (3,)",
        ),
        (
            lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), label_smoothing=2),
            torch.ArgumentError,
            "cross_entropy got label_smoothing=2\n  it must lie in [0, 1]\n  try: 0.1",
        ),
        (
            lambda: F.cross_entropy(torch.tensor(1.0), torch.tensor(0)),
            torch.ShapeError,
            "cross_entropy got x ()\n  x must be (c,), (n, c) or (n, c, ...)",
        ),
        (
            lambda: F.nll_loss(torch.tensor(1.0), torch.tensor(0)),
            torch.ShapeError,
            "nll_loss got x ()\n  x must be (c,), (n, c) or (n, c, ...)",
        ),
        (
            lambda: F.binary_cross_entropy(torch.tensor([0.5, 1.5]), torch.zeros(2)),
            torch.ArgumentError,
            "binary_cross_entropy got an input of 1.5\n"
            "  inputs are probabilities and must lie in [0, 1]\n"
            "  try: binary_cross_entropy_with_logits, which takes scores",
        ),
        (
            lambda: F.binary_cross_entropy(torch.zeros(4), torch.zeros(4, 1)),
            torch.ShapeError,
            "binary_cross_entropy got input (4,) and target (4, 1)\n"
            "  both must have the same shape; broadcasting would compare wrong pairs\n"
            "  try: target.reshape(input.shape)",
        ),
        (
            lambda: F.binary_cross_entropy_with_logits(torch.zeros(4), torch.zeros(3)),
            torch.ShapeError,
            "binary_cross_entropy_with_logits got input (4,) and target (3,)\n"
            "  both must have the same shape; broadcasting would compare wrong pairs\n"
            "  try: one target for each input",
        ),
        (
            lambda: F.kl_div(torch.zeros(2), torch.zeros(2), reduction="batch"),
            torch.ArgumentError,
            "a loss got reduction='batch'\n"
            "  reduction must be one of 'none', 'mean', 'sum', 'batchmean' (did you mean 'batchmean'?)",
        ),
    ],
)
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text
    assert str(caught.value).startswith(text + "\n  at ")
    assert "test_classification.py" in str(caught.value)
