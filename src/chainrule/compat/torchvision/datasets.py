"""`torchvision.datasets`: MNIST and Fashion-MNIST, with torchvision's arguments and folders.

Images stay bytes in one tensor. With transforms that work on whole batches (`transforms.py`) a `DataLoader`
takes rows of it and converts them together, so an epoch over 60,000 images runs no Python for each of them;
any other transform is called image by image. The files: `chainrule/data/images.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ... import as_tensor
from ...data import images
from ...utils.data import Dataset
from ...utils.data.in_memory import Held
from . import transforms


class MNIST(Dataset[Any]):
    """Handwritten digits: 60,000 images of 28 × 28 for training, 10,000 for testing, in 10 classes.

    Args:    root: the folder whose `MNIST/raw` has, or gets, the files. train: which part.
             download: fetch files that are missing (checked; continued where it broke off).
             transform: what is done to an image, which is PIL's before; target_transform: to a label.
    Raises:  FetchError: a file is missing and cannot be had, with where to put it; DataError: one is damaged.

    `data` (n, 28, 28, bytes) and `targets` (n,) are the whole of it, `classes` the names of the labels.

    >>> MNIST("no such folder")
    Traceback (most recent call last):
    chainrule.data.fetch.FetchError: MNIST got no file 'no such folder/MNIST/raw/train-images-idx3-ubyte.gz'
      its four files must be there, or download must be asked for
      try: download=True, or the folder that has MNIST/raw as root
      at <doctest chainrule.compat.torchvision.datasets.MNIST[0]>:1
    """

    source = images.MNIST

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.root = root
        self.train = train
        self.transform = transform
        self.target_transform = target_transform
        data, targets = images.load(self.source, Path(root).expanduser(), train=train, download=download)
        self.data, self.targets = as_tensor(data), as_tensor(targets)
        self.classes = list(self.source.classes)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Names of classes and their labels."""
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = transforms.picture(self.data[index].numpy())
        label: Any = int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def held_in_memory(self) -> Held | None:
        """The bytes of all images, and how a batch of them becomes what the transform makes of each."""
        own = type(self).__getitem__ is MNIST.__getitem__  # a subclass may make other samples
        convert = transforms.of_batch(self.transform, *self.data.shape[1:])
        if not own or convert is None or self.target_transform is not None:
            return None
        return Held((self.data, self.targets), lambda rows: [convert(rows[0]), rows[1]])

    def __repr__(self) -> str:
        part = "Train" if self.train else "Test"
        return (
            f"Dataset {type(self).__name__}\n    {len(self)} images\n    Root: {self.root}\n    Split: {part}"
        )


class FashionMNIST(MNIST):
    """Clothes: 60,000 images of 28 × 28 for training, 10,000 for testing, in 10 classes; else as `MNIST`.

    >>> FashionMNIST("no such folder")
    Traceback (most recent call last):
    chainrule.data.fetch.FetchError: FashionMNIST got no file
    'no such folder/FashionMNIST/raw/train-images-idx3-ubyte.gz'
      its four files must be there, or download must be asked for
      try: download=True, or the folder that has FashionMNIST/raw as root
      at <doctest chainrule.compat.torchvision.datasets.FashionMNIST[0]>:1
    """

    source = images.FASHION_MNIST


__all__ = ["MNIST", "FashionMNIST"]
