"""Margin losses: values worked out by hand, central differences, and the texts of errors."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule.nn import functional as F
from tests.nn.close import close, first_order

RNG = np.random.default_rng(0)


def test_hinge_embedding():
    x, target = torch.tensor([0.3, 0.3, 2.0, 2.0]), torch.tensor([1, -1, 1, -1])
    close(F.hinge_embedding_loss(x, target, reduction="none").numpy(), [0.3, 0.7, 2.0, 0.0])


def test_margin_ranking():
    a, b = torch.tensor([2.0, 2.0, 5.0]), torch.tensor([3.0, 3.0, 1.0])
    target = torch.tensor([1.0, -1.0, 1.0])
    assert F.margin_ranking_loss(a, b, target, margin=0.5, reduction="none").tolist() == [1.5, 0.0, 0.0]


@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin(p):
    x = torch.tensor([[0.1, 0.2, 0.4, 0.8], [0.0, 3.0, 0.0, 0.0]])
    target = torch.tensor([3, 0])
    rows = [[0.3, 0.4, 0.6], [4.0, 1.0, 1.0]]  # margin - x[right] + x[i] for the wrong i
    expected = [sum(v**p for v in row) / 4 for row in rows]
    close(F.multi_margin_loss(x, target, p=p, reduction="none").numpy(), expected)
    weight = torch.tensor([2.0, 1.0, 1.0, 0.5])  # of the right class
    ours = F.multi_margin_loss(x, target, p=p, weight=weight, reduction="none")
    close(ours.numpy(), [0.5 * expected[0], 2 * expected[1]])


def test_gradients_away_from_the_kinks():
    x = torch.tensor(RNG.normal(size=(5, 4)), requires_grad=True)
    signs, classes = (
        torch.tensor(RNG.choice([-1.0, 1.0], size=(5, 4))),
        torch.tensor(RNG.integers(0, 4, size=5)),
    )
    first_order(lambda x: F.hinge_embedding_loss(x, signs), x)
    for p in (1, 2):
        first_order(lambda x, p=p: F.multi_margin_loss(x, classes, p=p, margin=0.7), x)
    y = torch.tensor(RNG.normal(size=(5, 4)), requires_grad=True)
    first_order(lambda x, y: F.margin_ranking_loss(x, y, signs, margin=0.2), (x, y))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.margin_ranking_loss(torch.zeros(4), torch.zeros(4), torch.zeros(4, 1)),
            torch.ShapeError,
            "margin_ranking_loss got input1 (4,), input2 (4,) and target (4, 1)\n"
            "  all three must have the same number of axes; broadcasting would compare wrong pairs\n"
            "  try: target.reshape(input1.shape)",
        ),
        (
            lambda: F.margin_ranking_loss(torch.zeros(4), torch.zeros(3), torch.zeros(4)),
            torch.ShapeError,
            "margin_ranking_loss of input1, input2 and target got shapes (4,) and (3,) and (4,)\n"
            "  read from the right, sizes must be equal or 1; the last axis has 4 and 3 and 4\n"
            "  try: reshape or unsqueeze one of them so that the axes line up",
        ),
        (
            lambda: F.multi_margin_loss(torch.zeros(2, 3), torch.tensor([0, 1]), p=3),
            torch.ArgumentError,
            "multi_margin_loss got p=3\n  p must be 1 or 2\n  try: p=1",
        ),
        (
            lambda: F.multi_margin_loss(torch.zeros(2, 3, 4), torch.tensor([0, 1])),
            torch.ShapeError,
            "multi_margin_loss got x (2, 3, 4)\n  x must be (c,) or (n, c)",
        ),
        (
            lambda: F.multi_margin_loss(torch.zeros(2, 3), torch.tensor([0, 3])),
            torch.IndexingError,
            "multi_margin_loss got class number 3 for 3 classes\n"
            "  class numbers must lie in 0..2\n"
            "  try: as many scores as there are classes",
        ),
    ],
)
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text
