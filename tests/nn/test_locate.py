"""An error inside a model names the layer by its path, what it got, what must hold, and the user's line."""

from __future__ import annotations

import os

import pytest

import chainrule as torch
from chainrule import nn

HERE = os.path.relpath(__file__)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(512, 128)
        self.own = nn.Parameter(torch.ones(7))

    def forward(self, x):
        return self.fc1(x) + self.own


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()

    def forward(self, x):
        return self.encoder(x)


def line_of(function, offset):
    return f"{HERE}:{function.__code__.co_firstlineno + offset}"


def test_a_layer_of_a_model():
    with pytest.raises(torch.ShapeError) as caught:
        Model()(torch.zeros(32, 784))
    assert str(caught.value) == (
        "Linear 'encoder.fc1' got x (32, 784), but its weight is (128, 512)\n"
        "  the last axis of x (784) must equal in_features (512)\n"
        "  try: Linear(784, 128), or look at the layer before it\n"
        f"  at {line_of(Encoder.forward, 1)}"
    )


def test_a_layer_alone_has_no_path():
    with pytest.raises(torch.ShapeError) as caught:
        nn.Linear(3, 2)(torch.zeros(4))
    assert str(caught.value) == (
        "Linear got x (4,), but its weight is (2, 3)\n"
        "  the last axis of x (4) must equal in_features (3)\n"
        "  try: Linear(4, 2), or look at the layer before it\n"
        f"  at {line_of(test_a_layer_alone_has_no_path, 2)}"
    )


def test_an_operation_in_a_users_forward():
    with pytest.raises(torch.ShapeError) as caught:
        Model()(torch.zeros(32, 512))
    assert str(caught.value) == (
        "x + y got shapes (32, 128) and (7,)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 128 and 7\n"
        "  try: reshape or unsqueeze one of them so that the axes line up\n"
        "  in Encoder 'encoder'\n"
        f"  at {line_of(Encoder.forward, 1)}"
    )


def test_an_operation_in_the_outermost_forward_is_left_as_it_is():
    with pytest.raises(torch.ShapeError) as caught:
        Encoder()(torch.zeros(32, 512))
    assert "in Encoder" not in str(caught.value)


def test_inside_containers():
    net = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 2)))
    with pytest.raises(torch.ShapeError) as caught:
        net(torch.zeros(3, 2, 2))
    assert str(caught.value).startswith("Linear '1.1' got x (3, 4), but its weight is (2, 5)\n")


@pytest.mark.parametrize(
    ("net", "x", "error", "text"),
    [
        (
            nn.Sequential(nn.Linear(784, 10)), torch.zeros(32, 1, 28, 28), torch.ShapeError,
            "Linear '0' got x (32, 1, 28, 28), but its weight is (10, 784)\n"
            "  the last axis of x (28) must equal in_features (784)\n"
            "  try: nn.Flatten() before it, which makes x (32, 784)",
        ),
        (
            nn.Sequential(nn.Linear(3, 2)), torch.tensor(1.0), torch.ShapeError,
            "Linear '0' got x (), but its weight is (2, 3)\n"
            "  x must have at least one axis\n"
            "  try: x.reshape(1), if it is one number",
        ),
        (
            nn.Sequential(nn.Linear(3, 2)), torch.zeros(4, 3, dtype=torch.int64), torch.DTypeError,
            "Linear '0' got x of torch.int64, but its weight is of torch.float32\n"
            "  both must have the same element type\n"
            "  try: x.to(torch.float32)",
        ),
        (
            nn.Sequential(nn.Linear(3, 2)), torch.zeros(4, 3, dtype=torch.float64), torch.DTypeError,
            "Linear '0' got x of torch.float64, but its weight is of torch.float32\n"
            "  both must have the same element type\n"
            "  try: x.to(torch.float32), or layer.to(torch.float64)",
        ),
        (
            nn.Sequential(nn.BatchNorm1d(3)), torch.zeros(4, 5), torch.ShapeError,
            "BatchNorm1d '0' got x (4, 5), but it has 3 channels\n"
            "  axis 1 of x (5) must equal num_features (3)\n"
            "  try: BatchNorm1d(5), or look at the layer before it",
        ),
        (
            nn.Sequential(nn.BatchNorm1d(3)), torch.zeros(1, 3), torch.ShapeError,
            "BatchNorm1d '0' got x (1, 3) in training\n"
            "  there must be more than 1 value per channel (axis 1)\n"
            "  try: a larger batch (drop_last=True leaves a small last one out), or model.eval()",
        ),
        (
            nn.Sequential(nn.BatchNorm1d(3)), torch.zeros(3), torch.ShapeError,
            "BatchNorm1d '0' got x (3,)\n"
            "  x must be (n, c) or (n, c, l)\n"
            "  try: x.unsqueeze(0), if it is one sample",
        ),
        (
            nn.Sequential(nn.LayerNorm(3)), torch.zeros(4, 5), torch.ShapeError,
            "LayerNorm '0' got x (4, 5), but it normalizes over (3,)\n"
            "  the last axis of x must be (3,)\n"
            "  try: LayerNorm(5), or look at the layer before it",
        ),
        (
            nn.Sequential(nn.LayerNorm((2, 3))), torch.zeros(4, 3, 3), torch.ShapeError,
            "LayerNorm '0' got x (4, 3, 3), but it normalizes over (2, 3)\n"
            "  the last 2 axes of x must be (2, 3)\n"
            "  try: LayerNorm((3, 3)), or look at the layer before it",
        ),
        (
            nn.Sequential(nn.Embedding(10, 3)), torch.tensor([2, 10]), torch.IndexingError,
            "Embedding '0' got number 10, but it has 10 rows\n"
            "  numbers must lie in 0..9\n"
            "  try: Embedding(11, 3), or map unknown numbers to one row",
        ),
        (
            nn.Sequential(nn.Embedding(10, 3)), torch.tensor([2, -1]), torch.IndexingError,
            "Embedding '0' got number -1, but it has 10 rows\n"
            "  numbers must lie in 0..9\n"
            "  try: number the rows from 0",
        ),
    ],
)  # fmt: skip
def test_texts_of_the_layers(net, x, error, text):
    with pytest.raises(error) as caught:
        net(x)
    assert caught.value.summary == text
    assert str(caught.value).startswith(f"{text}\n  at {HERE}:")


def test_a_layer_called_from_elsewhere_keeps_its_short_name():
    stray = nn.Linear(3, 2)

    class Borrower(nn.Module):
        def forward(self, x):
            return stray(x)

    with pytest.raises(torch.ShapeError) as caught:
        nn.Sequential(Borrower())(torch.zeros(1, 4))
    assert str(caught.value).startswith("Linear got x (1, 4), but its weight is (2, 3)\n")


def test_other_errors_pass_untouched():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        nn.Sequential(Fails())(torch.zeros(1))
    assert caught.value.args == ("mine",)


def test_a_shape_error_caught_inside_a_model_leaves_no_trace():
    class Tries(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            try:
                return self.fc(x)
            except torch.ShapeError:
                return self.fc(x[:, :3])

    assert nn.Sequential(Tries())(torch.zeros(1, 5)).shape == (1, 2)
