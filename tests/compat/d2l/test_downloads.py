"""download and its relatives, with files that are there already: no network."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest

import chainrule as torch
from chainrule.compat.d2l import downloads
from chainrule.compat.d2l import torch as d2l

TEXT = b"Id,SalePrice\n1,2\n"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`../data` with files that a hub of its own knows."""
    data = folder.parent / "data"
    data.mkdir()
    (data / "house.csv").write_bytes(TEXT)
    with zipfile.ZipFile(data / "zipped.zip", "w") as archive:
        archive.writestr("zipped/a.txt", "a")
    (folder / "b.txt").write_text("b")
    for name, mode in (("tarred.tar", "w"), ("packed.tar.gz", "w:gz")):
        with tarfile.open(data / name, mode) as packed:
            packed.add(folder / "b.txt", f"{name.partition('.')[0]}/b.txt")
    known = {
        path.name.partition(".")[0]: (
            f"http://127.0.0.1:9/{path.name}?raw=1",
            hashlib.sha1(path.read_bytes()).hexdigest(),
        )
        for path in data.iterdir()
    }
    monkeypatch.setattr(downloads, "DATA_HUB", known)
    return data


def test_by_its_name(hub: Path) -> None:
    assert Path(d2l.download("house")).read_bytes() == TEXT
    assert d2l.download("house") == "../data/house.csv"


def test_by_its_address_in_another_folder(hub: Path) -> None:
    url, sha1 = "http://127.0.0.1:9/house.csv", hashlib.sha1(TEXT).hexdigest()
    assert d2l.download(url) == "../data/house.csv"
    assert d2l.download(url, str(hub), sha1_hash=sha1) == str(hub / "house.csv")
    assert d2l.download(url, cache_dir=str(hub)) == str(hub / "house.csv")
    with pytest.raises(OSError, match="is not the right one, and could not be downloaded"):
        d2l.download(url, sha1_hash="0" * 40)


@pytest.mark.parametrize(("name", "file"), [("zipped", "a.txt"), ("tarred", "b.txt"), ("packed", "b.txt")])
def test_archives(hub: Path, name: str, file: str) -> None:
    assert d2l.download_extract(name) == f"../data/{name}"
    assert (hub / name / file).read_text() == file[0]
    assert d2l.download_extract(name, "inner") == "../data/inner"


def test_all(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(downloads, "download", asked.append)
    d2l.download_all()
    assert sorted(asked) == ["house", "packed", "tarred", "zipped"]


def test_the_books_own_files_are_known() -> None:
    url, sha1 = d2l.DATA_HUB["kaggle_house_train"]
    assert url == d2l.DATA_URL + "kaggle_house_pred_train.csv"
    assert len(sha1) == 40


def test_messages(hub: Path) -> None:
    with pytest.raises(torch.ArgumentError) as caught:
        d2l.download("hose")
    assert caught.value.summary == (
        "d2l.download got 'hose' (did you mean 'house'?)\n"
        "  it must be a name in DATA_HUB or an address of the web\n"
        "  try: 'kaggle_house_train' or 'kaggle_house_test'"
    )
    with pytest.raises(torch.ArgumentError) as caught:
        d2l.download_extract("house")
    assert caught.value.summary == (
        "d2l.download_extract got the file 'house.csv'\n"
        "  only .zip, .tar and .tar.gz files can be unpacked\n"
        "  try: d2l.download('house')"
    )


def test_folders(folder: Path) -> None:
    for _ in range(2):
        d2l.mkdir_if_not_exist(["a", "b"])
        d2l.mkdir_if_not_exist("c")
    assert (folder / "a" / "b").is_dir()
    assert (folder / "c").is_dir()
