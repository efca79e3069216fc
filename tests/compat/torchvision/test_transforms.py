"""Transforms of one image and of batches: values by NumPy and Pillow, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import chainrule as torch
from chainrule.compat.torchvision.transforms import Compose, Normalize, Resize, ToTensor, enlarged, of_batch
from chainrule.core.errors import ArgumentError


def noise(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("old", [(28, 28), (13, 31), (28, 5)])
@pytest.mark.parametrize("new", [(64, 64), (28, 32), (29, 31), (28, 31), (96, 96), (224, 40)])
def test_enlarging_a_batch_is_pillows(old: tuple[int, int], new: tuple[int, int]) -> None:
    batch = noise(5, *old)
    batch[0], batch[1] = 255, 0
    expected = [
        np.asarray(Image.fromarray(image).resize(new[::-1], Image.Resampling.BILINEAR)) for image in batch
    ]
    found = enlarged(torch.as_tensor(batch), *new)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found, np.stack(expected))


@pytest.mark.parametrize(
    ("size", "shape", "new"),
    [(64, (28, 28), (64, 64)), (10, (28, 14), (20, 10)), (10, (14, 28), (10, 20)), ((5, 6), (28, 28), (5, 6)),
     ([7], (28, 14), (14, 7)), (10, (20, 30), (10, 15)), (10, (30, 21), (14, 10))],
)  # fmt: skip
def test_the_size_is_of_the_shorter_side(size: Any, shape: tuple[int, int], new: tuple[int, int]) -> None:
    image = Resize(size)(Image.fromarray(noise(*shape)))
    assert (image.height, image.width) == new


def test_to_tensor() -> None:
    grey, color = noise(3, 4), noise(3, 4, 2)
    np.testing.assert_array_equal(ToTensor()(grey), grey[None] / np.float32(255))
    np.testing.assert_array_equal(ToTensor()(color), color.transpose(2, 0, 1) / np.float32(255))
    np.testing.assert_array_equal(ToTensor()(Image.fromarray(grey)), grey[None] / np.float32(255))
    numbers = np.array([[0.5, 300.0]])
    assert ToTensor()(numbers).tolist() == [[[0.5, 300.0]]]  # only bytes are scaled


def test_normalize_each_channel() -> None:
    image = torch.ones(2, 3, 3)
    found = Normalize((0.0, 3.0), (2.0, 4.0))(image)
    assert (found[0].unique().tolist(), found[1].unique().tolist()) == ([0.5], [-0.5])


def test_which_transforms_work_on_batches() -> None:
    known = [
        ToTensor(),
        Compose([ToTensor()]),
        Compose([Resize(30), Resize(96), ToTensor(), Normalize(0, 1)]),
    ]
    unknown = [None, Resize(64), Compose([]), Compose([Resize(64)]), Compose([ToTensor(), Resize(64)]), abs]
    smaller = [Compose([Resize(27), ToTensor()]), Compose([Resize((64, 20)), ToTensor()])]
    smaller.append(Compose([Resize(64), Resize(60), ToTensor()]))
    assert all(of_batch(transform, 28, 28) is not None for transform in known)
    assert all(of_batch(transform, 28, 28) is None for transform in [*unknown, *smaller])


def test_how_they_print() -> None:
    assert repr(Compose([Resize(64), ToTensor(), Normalize(0.5, 1)])) == (
        "Compose(\n    Resize(size=64)\n    ToTensor()\n    Normalize(mean=0.5, std=1)\n)"
    )


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (
            lambda: Resize(64)(torch.zeros(1, 28, 28)),
            "Resize got Tensor\n  it takes PIL's images\n"
            "  try: Compose([Resize(64), ToTensor()]), in this order",
        ),
        (
            lambda: ToTensor()(torch.zeros(1, 28, 28)),
            "ToTensor got Tensor (1, 28, 28)\n"
            "  it takes one image: PIL's, or an array (height, width) or (height, width, channels)",
        ),
        (
            lambda: ToTensor()(np.zeros(3)),
            "ToTensor got ndarray (3,)\n"
            "  it takes one image: PIL's, or an array (height, width) or (height, width, channels)",
        ),
    ],
)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        action()
    assert caught.value.summary == text
