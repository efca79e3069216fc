"""The data sets of images: samples one by one, and whole batches without Python for each image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.compat.torchvision import datasets, transforms
from chainrule.utils.data import DataLoader, Subset, random_split
from tests.idx_files import images, write_data_set

KINDS = [datasets.MNIST, datasets.FashionMNIST]
TRANSFORMS = [
    transforms.ToTensor(),
    transforms.Compose([transforms.Resize(64), transforms.ToTensor()]),
    transforms.Compose([transforms.Resize((30, 40)), transforms.ToTensor(), transforms.Normalize(0.5, 0.25)]),
]


def data_set(tmp_path: Path, transform: Any = None, kind: Any = datasets.FashionMNIST, **options: Any) -> Any:
    write_data_set(tmp_path, kind.__name__, train=40, test=20)
    return kind(tmp_path, transform=transform, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_samples(tmp_path: Path, kind: Any) -> None:
    pixels, labels = images(40, seed=1)
    plain = data_set(tmp_path, kind=kind)
    image, label = plain[3]
    assert (image.mode, image.size, label) == ("L", (28, 28), int(labels[3]))
    np.testing.assert_array_equal(np.asarray(image), pixels[3])
    assert len(plain) == 40
    assert plain.data.shape == (40, 28, 28)
    assert plain.targets.tolist() == labels.tolist()
    assert plain.class_to_idx[plain.classes[9]] == 9
    assert len(kind(tmp_path, train=False)) == 20
    changed = kind(tmp_path, transform=np.asarray, target_transform=lambda label: -label)
    assert changed[3][1] == -int(labels[3])
    assert repr(plain) == f"Dataset {kind.__name__}\n    40 images\n    Root: {tmp_path}\n    Split: Train"


def test_an_image_as_a_tensor(tmp_path: Path) -> None:
    image, _ = data_set(tmp_path, transforms.ToTensor())[3]
    assert (image.shape, image.dtype) == ((1, 28, 28), torch.float32)
    np.testing.assert_array_equal(image[0], images(40, seed=1)[0][3] / np.float32(255))


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_batches_equal_the_samples_one_by_one(tmp_path: Path, transform: Any) -> None:
    data = data_set(tmp_path, transform)
    loader = DataLoader(data, batch_size=16)
    batches = list(loader)
    assert [len(y) for _, y in batches] == [16, 16, 8]
    expected = [data[i] for i in range(40)]
    got = torch.cat([X for X, _ in batches])
    assert got.dtype == torch.float32
    assert torch.equal(got, torch.stack([image for image, _ in expected]))
    labels = torch.cat([y for _, y in batches])
    assert (labels.dtype, labels.tolist()) == (torch.int64, [label for _, label in expected])


def count_samples(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indices that are asked for one by one from now on."""
    asked: list[int] = []
    make = datasets.MNIST.__getitem__

    def counted(self: Any, index: int) -> Any:
        asked.append(index)
        return make(self, index)

    monkeypatch.setattr(datasets.MNIST, "__getitem__", counted)
    return asked


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_no_image_is_asked_for_by_itself(
    tmp_path: Path, transform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_set(tmp_path, transform)
    asked = count_samples(monkeypatch)
    part, _ = random_split(data, [30, 10])
    loaders = [DataLoader(data, 8, shuffle=True, num_workers=4), DataLoader(data, 8), DataLoader(part, 8)]
    assert [sum(len(y) for _, y in loader) for loader in loaders] == [40, 40, 30]
    assert asked == []


def test_shuffled_batches_keep_images_and_labels_together(tmp_path: Path) -> None:
    data = data_set(tmp_path, transforms.ToTensor())
    seen = []
    for X, y in DataLoader(Subset(data, range(10, 40)), 7, shuffle=True):
        rows = X[:, 0, 4:24:2, 4:24].mean(dim=2).argmax(dim=1)  # the bright row of the class
        assert rows.tolist() == y.tolist()
        seen += y.tolist()
    assert sorted(seen) == sorted(data.targets[10:].tolist())
    assert seen != data.targets[10:].tolist()


def test_any_other_transform_is_called_for_each_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_samples(monkeypatch)
    brighter = transforms.Compose([transforms.ToTensor(), lambda image: image * 2])
    smaller = transforms.Compose([transforms.Resize(20), transforms.ToTensor()])
    sets = [data_set(tmp_path, transform) for transform in (brighter, smaller)]
    for data in (*sets, data_set(tmp_path, transforms.ToTensor(), target_transform=int)):
        X, _ = next(iter(DataLoader(data, 40)))
        assert len(asked) == 40
        assert torch.equal(X[5], data[5][0])
        asked.clear()


def test_a_subclass_with_samples_of_its_own(tmp_path: Path) -> None:
    class Inverted(datasets.FashionMNIST):
        def __getitem__(self, index: int) -> Any:
            image, label = super().__getitem__(index)
            return 1 - image, label

    data = data_set(tmp_path, transforms.ToTensor(), FashionMNIST_like(Inverted))
    X, _ = next(iter(DataLoader(data, 40)))
    assert torch.equal(X[0], 1 - datasets.FashionMNIST(tmp_path, transform=transforms.ToTensor())[0][0])


def FashionMNIST_like(kind: Any) -> Any:
    kind.__name__ = "FashionMNIST"  # the folder that the files are written to
    return kind


def test_a_compiled_epoch_sees_the_same_images(tmp_path: Path) -> None:
    data = data_set(tmp_path, transforms.ToTensor())
    loader = DataLoader(data, 16)

    def total() -> torch.Tensor:
        found = torch.zeros(1, 28, 28)
        for X, y in loader:
            found += (X * y.reshape(-1, 1, 1, 1)).sum(0)
        return found

    expected = total()
    compiled = torch.compile(total)
    np.testing.assert_allclose(compiled(), expected, rtol=1e-6)
    data.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(1.0, 1.0)])
    np.testing.assert_allclose(compiled(), total(), rtol=1e-5)
    assert float((total() - expected).abs().max()) > 1
