"""Linear, Bilinear, Identity, Flatten, Unflatten: closed forms, central differences, start values."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F
from tests.nn.close import close, first_order, second_order

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
def test_linear_is_an_affine_map(shape):
    layer = nn.Linear(3, 4)
    x = torch.randn(*shape)
    expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    out = layer(x)
    assert out.shape == (*shape[:-1], 4)
    close(out.detach().numpy(), expected)


def test_linear_gradients():
    x, w, b = (torch.tensor(RNG.normal(size=s), requires_grad=True) for s in ((2, 3), (4, 3), (4,)))
    second_order(F.linear, (x, w, b))
    v = torch.tensor(RNG.normal(size=3), requires_grad=True)
    first_order(F.linear, (x, v))


def test_without_bias():
    layer = nn.Linear(3, 4, bias=False)
    assert layer.bias is None
    assert [n for n, _ in layer.named_parameters()] == ["weight"]
    assert layer(torch.zeros(2, 3)).abs().sum().item() == 0.0


def test_linear_start_values():
    torch.manual_seed(0)
    layer = nn.Linear(400, 300)
    for values in (layer.weight, layer.bias):
        a = values.detach().numpy()
        # Uniform in ±1/20: never outside, and close to the ends with so many values.
        assert np.abs(a).max() <= 0.05
        assert np.abs(a).max() > 0.049
    # Standard deviation 0.05 / sqrt(3); its estimate from 120,000 values is right to about 0.2 %.
    np.testing.assert_allclose(layer.weight.detach().numpy().std(), 0.05 / np.sqrt(3), rtol=0.01)
    with pytest.warns(UserWarning, match="no elements"):
        assert nn.Linear(0, 2).bias.shape == (2,)


def test_the_seed_decides_the_start():
    torch.manual_seed(7)
    one = nn.Linear(3, 2)
    torch.manual_seed(7)
    two = nn.Linear(3, 2)
    assert one.weight.tolist() == two.weight.tolist()
    before = one.weight.tolist()
    one.reset_parameters()
    assert one.weight.tolist() != before


def test_bilinear():
    layer = nn.Bilinear(3, 2, 4)
    x, y = torch.randn(5, 3), torch.randn(5, 2)
    expected = np.einsum("ni,oij,nj->no", x.numpy(), layer.weight.detach().numpy(), y.numpy())
    close(layer(x, y).detach().numpy(), expected + layer.bias.detach().numpy())
    tensors = [
        torch.tensor(RNG.normal(size=s), requires_grad=True) for s in ((2, 3), (2, 2), (4, 3, 2), (4,))
    ]
    first_order(F.bilinear, tensors)
    with pytest.raises(ValueError, match="in1_features must be > 0, but got 0"):
        nn.Bilinear(0, 1, 1)


def test_identity_and_shapes():
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert nn.Identity("anything", at=1)(x) is x
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (3, 1))(x).shape == (2, 3, 1, 4)
    assert nn.Unflatten(2, (-1, 2))(x).tolist() == x.reshape(2, 3, 2, 2).tolist()
    with pytest.raises(torch.ArgumentError) as caught:
        nn.Unflatten("c", (2, 2))
    assert caught.value.summary == (
        "Unflatten got dim='c' and unflattened_size=(2, 2)\n"
        "  dim must be an integer and unflattened_size a tuple of integers (axes have no names)\n"
        "  try: Unflatten(1, (2, 5))"
    )


def test_reprs():
    assert repr(nn.Linear(3, 4, bias=False)) == "Linear(in_features=3, out_features=4, bias=False)"
    assert repr(nn.Bilinear(3, 2, 4)) == "Bilinear(in1_features=3, in2_features=2, out_features=4, bias=True)"
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, (2, 5))) == "Unflatten(dim=1, unflattened_size=(2, 5))"
    assert repr(nn.Identity()) == "Identity()"


def test_one_hot_rows():
    x = torch.tensor([[0, 2], [1, 1]])
    np.testing.assert_array_equal(F.one_hot(x).numpy(), np.eye(3, dtype=np.int64)[x.numpy()])
    assert F.one_hot(x, 5).shape == (2, 2, 5)
    assert F.one_hot(torch.zeros(0, dtype=torch.int64), 3).shape == (0, 3)


def test_directions():
    x = RNG.normal(size=(4, 3))
    unit = F.normalize(torch.tensor(x)).numpy()
    close(np.linalg.norm(unit, axis=1), np.ones(4))
    close(unit * np.linalg.norm(x, axis=1, keepdims=True), x)
    assert F.normalize(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]
    y = RNG.normal(size=(4, 3))
    cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    close(F.cosine_similarity(torch.tensor(x), torch.tensor(y)).numpy(), cosine)
    first_order(F.normalize, torch.tensor(x, requires_grad=True))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: F.one_hot(torch.tensor([0.0, 1.0])), torch.DTypeError,
            "one_hot got torch.float32\n  class numbers must be int64\n  try: x.long(), if x is whole",
        ),
        (
            lambda: F.one_hot(torch.tensor([0, 3]), 3), torch.IndexingError,
            "one_hot got class numbers from 0 to 3, with num_classes=3\n"
            "  class numbers must lie in 0..2\n"
            "  try: num_classes=4",
        ),
        (
            lambda: F.one_hot(torch.tensor([-1, 3])), torch.IndexingError,
            "one_hot got class numbers from -1 to 3, with num_classes=-1\n"
            "  class numbers must lie in 0..3\n"
            "  try: number the classes from 0",
        ),
        (
            lambda: F.one_hot(torch.zeros(0, dtype=torch.int64)), torch.ArgumentError,
            "one_hot got no class numbers\n  num_classes cannot be found from them\n  try: num_classes=3",
        ),
    ],
)  # fmt: skip
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.summary == text


@pytest.mark.parametrize(
    ("call", "name", "given"),
    [
        (lambda: nn.Linear(3, 2)(np.ones((4, 3), np.float32)), "linear", "ndarray"),
        (lambda: nn.Linear(3, 2)([1.0, 2.0, 3.0]), "linear", "list"),
        (lambda: F.linear(torch.ones(4, 3), np.ones((2, 3), np.float32)), "linear", "ndarray"),
        (lambda: nn.Flatten()(np.ones((4, 3, 2))), "flatten", "ndarray"),
        (lambda: F.cross_entropy((torch.ones(2, 3),), torch.tensor([0, 1])), "cross_entropy", "tuple"),
    ],
)
def test_what_is_no_tensor(call, name, given):
    with pytest.raises(torch.ArgumentError) as caught:
        call()
    assert caught.value.summary == (
        f"{name} got {given}\n  the input must be a Tensor\n  try: {name}(tensor(...))"
    )
