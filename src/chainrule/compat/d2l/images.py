"""Fashion-MNIST as the book loads it. The data set: `../torchvision/datasets.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...utils.data import DataLoader
from ..torchvision.datasets import FashionMNIST
from ..torchvision.transforms import Compose, Resize, ToTensor
from .figures import show_images

_NAMES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def get_fashion_mnist_labels(labels: Iterable[Any]) -> list[str]:
    """The names of classes.

    >>> get_fashion_mnist_labels([9, 2])
    ['ankle boot', 'pullover']
    """
    return [_NAMES[int(label)] for label in labels]


def show_fashion_mnist(images: Any, labels: Iterable[Any]) -> None:
    """Images in one row, with the names of their classes."""
    titles = get_fashion_mnist_labels(labels)
    show_images([image.reshape(image.shape[-2:]) for image in images], 1, len(titles), titles=titles)


def get_dataloader_workers() -> int:
    """How many workers prepare batches: 4. (Data that is in memory needs none, and a loader starts none.)

    >>> get_dataloader_workers()
    4
    """
    return 4


def load_data_fashion_mnist(
    batch_size: int, resize: int | None = None
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Loaders of Fashion-MNIST for training (shuffled) and for testing; the files are kept in `../data`.

    Shapes:  batches of images (b, 1, 28, 28), or (b, 1, resize, resize), from 0 to 1, and labels (b,).
    Raises:  FetchError: the files cannot be downloaded; it says where to put them.
    """
    transform = Compose([*([Resize(resize)] if resize else []), ToTensor()])
    parts = [
        FashionMNIST("../data", train=train, transform=transform, download=True) for train in (True, False)
    ]
    workers = get_dataloader_workers()
    return (
        DataLoader(parts[0], batch_size, shuffle=True, num_workers=workers),
        DataLoader(parts[1], batch_size, shuffle=False, num_workers=workers),
    )
