"""MNIST and Fashion-MNIST as arrays: which files they are, from where, and what the labels mean.

Files lie where PyTorch's torchvision puts them (`FOLDER/MNIST/raw`), packed or unpacked, so what it has
downloaded is found. One image is a matrix of 28 × 28 shades from 0 (background) to 255. The format:
`idx.py`; downloads: `fetch.py`; the data set that programs use: `chainrule/compat/torchvision/datasets.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .fetch import FetchError, fetch
from .idx import read_idx
from .problems import DataError


class Source(NamedTuple):
    """Where a data set comes from, and the names of its classes.

    files: the MD5 sums of its four packed files, those of images and labels for training and for testing.
    """

    name: str
    mirrors: tuple[str, ...]
    files: dict[str, str]
    classes: tuple[str, ...]


_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _files(*sums: str) -> dict[str, str]:
    return dict(zip(_NAMES, sums, strict=True))


MNIST = Source(
    "MNIST",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    _files(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    (
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ),
)  # fmt: skip

FASHION_MNIST = Source(
    "FashionMNIST",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    _files(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
)  # fmt: skip


def load(
    source: Source, folder: Path, *, train: bool, download: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The images (n, 28, 28) and the labels (n,) of one part of a data set.

    Args:    folder: the one that has, or gets, the files; train: the part for training, else for testing;
             download: fetch files that are missing.
    Raises:  FetchError: a file is missing; DataError: a file is damaged, or images and labels do not fit.
    """
    names = _NAMES[:2] if train else _NAMES[2:]
    paths = [_path(source, folder, name, download) for name in names]
    images, labels = (read_idx(path) for path in paths)
    for array, path, axes in ((images, paths[0], 3), (labels, paths[1], 1)):
        if array.ndim != axes or array.dtype != np.uint8:
            raise DataError(
                f"'{path}' has an array {array.shape} of {array.dtype}, not one of {axes} axes of bytes"
            )
    if len(images) != len(labels):
        raise DataError(f"'{paths[0]}' has {len(images)} images, and '{paths[1]}' {len(labels)} labels")
    return images, labels.astype(np.int64)


def _path(source: Source, folder: Path, name: str, download: bool) -> Path:
    """A file that is there, or has been made to be there."""
    raw = folder / source.name / "raw"
    packed = raw / f"{name}.gz"
    if (raw / name).is_file():
        return raw / name
    if download:
        return fetch(
            [f"{mirror}{name}.gz" for mirror in source.mirrors], packed, checksum=f"md5:{source.files[name]}"
        )
    if packed.is_file():
        return packed
    raise FetchError.of(
        source.name,
        given=f"no file '{packed}'",
        must="its four files must be there, or download must be asked for",
        hint=f"download=True, or the folder that has {source.name}/raw as root",
    )
