"""MNIST and Fashion-MNIST: the files of torchvision's folders, packed and not, and damaged ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.data import DataError
from chainrule.data.fetch import FetchError
from chainrule.data.images import FASHION_MNIST, MNIST, Source, load
from tests.idx_files import images, write, write_data_set


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
@pytest.mark.parametrize("packed", [False, True])
def test_both_parts_are_read(tmp_path: Path, source: Source, packed: bool) -> None:
    write_data_set(tmp_path, source.name, train=30, test=20, packed=packed)
    for train, n in ((True, 30), (False, 20)):
        pixels, labels = load(source, tmp_path, train=train, download=False)
        expected, classes = images(n, seed=int(train))
        np.testing.assert_array_equal(pixels, expected)
        np.testing.assert_array_equal(labels, classes)
        assert (pixels.dtype, labels.dtype) == (np.uint8, np.int64)


def test_files_that_are_there_are_not_downloaded(tmp_path: Path) -> None:
    write_data_set(tmp_path, "MNIST", train=10, test=10)
    pixels, _ = load(MNIST, tmp_path, train=True, download=True)
    assert len(pixels) == 10


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        load(MNIST, tmp_path, train=False, download=False)
    assert caught.value.summary == (
        f"MNIST got no file '{tmp_path}/MNIST/raw/t10k-images-idx3-ubyte.gz'\n"
        "  its four files must be there, or download must be asked for\n"
        "  try: download=True, or the folder that has MNIST/raw as root"
    )


def test_images_and_labels_must_fit(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    pixels = write(raw / "train-images-idx3-ubyte", np.zeros((3, 28, 28), np.uint8))
    labels = write(raw / "train-labels-idx1-ubyte", np.zeros(4, np.uint8))
    with pytest.raises(DataError) as caught:
        load(MNIST, tmp_path, train=True, download=False)
    assert str(caught.value) == f"'{pixels}' has 3 images, and '{labels}' 4 labels"


def test_files_of_another_kind(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    swapped = write(raw / "train-images-idx3-ubyte", np.zeros(3, np.uint8))
    write(raw / "train-labels-idx1-ubyte", np.zeros(3, np.uint8))
    with pytest.raises(DataError) as caught:
        load(MNIST, tmp_path, train=True, download=False)
    assert str(caught.value) == f"'{swapped}' has an array (3,) of uint8, not one of 3 axes of bytes"


def test_the_real_files_are_known_by_their_sums() -> None:
    for source in (MNIST, FASHION_MNIST):
        assert len(source.classes) == 10
        assert len(set(source.files.values())) == 4
        assert all(len(md5) == 32 and int(md5, 16) for md5 in source.files.values())
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in source.mirrors)
    assert not set(MNIST.files.values()) & set(FASHION_MNIST.files.values())
