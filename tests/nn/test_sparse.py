"""Embedding: rows, gradients, the padding row, and shortened rows."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("index", [[2, 0, 2], [[1, 3], [0, 0]], 3, []])
def test_rows(index):
    layer = nn.Embedding(4, 3)
    index = np.array(index, dtype=np.int64)
    out = layer(torch.tensor(index))
    np.testing.assert_array_equal(out.detach().numpy(), layer.weight.detach().numpy()[index])


def test_gradients_add_up_over_repeated_rows():
    layer = nn.Embedding(4, 2)
    layer(torch.tensor([1, 1, 3])).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]
    weight, index = torch.tensor(RNG.normal(size=(4, 2)), requires_grad=True), torch.tensor([[1, 1], [3, 0]])
    first_order(lambda w: F.embedding(index, w), weight)
    second_order(lambda w: F.embedding(index, w) ** 2, weight)


def test_the_padding_row_is_zero_and_stays():
    layer = nn.Embedding(4, 2, padding_idx=-3)
    assert layer.padding_idx == 1
    assert layer.weight[1].tolist() == [0.0, 0.0]
    layer(torch.tensor([1, 1, 3])).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]


def test_gradient_by_frequency():
    layer = nn.Embedding(4, 2, scale_grad_by_freq=True)
    out = layer(torch.tensor([1, 1, 3]))
    assert out.tolist() == layer.weight.detach()[torch.tensor([1, 1, 3])].tolist()  # the value is untouched
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
def test_long_rows_are_shortened_in_the_weight(order):
    rows = np.array([[3.0, 4.0], [0.1, 0.2], [30.0, 40.0], [6.0, 8.0]], dtype=np.float32)
    layer = nn.Embedding.from_pretrained(torch.tensor(rows), freeze=False, max_norm=1.0, norm_type=order)
    layer(torch.tensor([0, 1, 0, 3]))
    after = layer.weight.detach().numpy()
    norms = np.linalg.norm(rows, ord=order, axis=1)
    close(after[[0, 3]], (rows / norms[:, None])[[0, 3]])
    np.testing.assert_array_equal(after[[1, 2]], rows[[1, 2]])  # short, and not looked up
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf


def test_from_pretrained():
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(rows)
    assert not layer.weight.requires_grad
    rows[0, 0] = 9.0  # the memory is shared
    assert layer(torch.tensor(0)).tolist() == [9.0, 2.0]
    assert nn.Embedding.from_pretrained(rows, freeze=False).weight.requires_grad


def test_start_values():
    torch.manual_seed(0)
    a = nn.Embedding(1000, 100).weight.detach().numpy()
    # 100,000 standard normal values: the standard errors are 0.003 and 0.002.
    assert abs(a.mean()) < 0.012
    assert abs(a.std() - 1) < 0.01


def test_reprs():
    assert repr(nn.Embedding(4, 2)) == "Embedding(4, 2)"
    assert repr(nn.Embedding(4, 2, padding_idx=0, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)) == (
        "Embedding(4, 2, padding_idx=0, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)"
    )


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.embedding(torch.tensor([4]), torch.ones(4, 2)), torch.IndexingError,
            "embedding got number 4 for a weight of 4 rows\n  numbers must lie in 0..3",
        ),
        (
            lambda: F.embedding(torch.tensor([-1]), torch.ones(4, 2)), torch.IndexingError,
            "embedding got number -1 for a weight of 4 rows\n  numbers must lie in 0..3",
        ),
        (
            lambda: F.embedding(torch.tensor([0]), torch.ones(4, 2), padding_idx=4), torch.ArgumentError,
            "embedding got padding_idx=4\n  it must lie in -4..3",
        ),
        (
            lambda: F.embedding(torch.tensor([0]), torch.ones(4, 2), sparse=True), torch.ArgumentError,
            "embedding got sparse=True\n  gradients are dense here\n  try: sparse=False, the same values",
        ),
        (
            lambda: nn.Embedding(4, 2, padding_idx=9), torch.ArgumentError,
            "Embedding got padding_idx=9\n  it must lie in -4..3",
        ),
        (
            lambda: nn.Embedding(4, 2, sparse=True), torch.ArgumentError,
            "Embedding got sparse=True\n  gradients are dense here\n  try: sparse=False, the same values",
        ),
        (
            lambda: nn.Embedding(4, 2, _weight=torch.ones(2, 4)), torch.ArgumentError,
            "Embedding got _weight (2, 4)\n  its shape must be (4, 2)",
        ),
        (
            lambda: nn.Embedding.from_pretrained(torch.ones(4)), torch.ArgumentError,
            "Embedding.from_pretrained got rows of shape (4,)\n  they must be (n, d)",
        ),
    ],
)  # fmt: skip
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text
