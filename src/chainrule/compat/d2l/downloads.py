"""`download` and what the book builds on it: files from the web, checked and kept in a folder.

`DATA_HUB` maps short names to addresses and SHA-1 sums; programs add to it. How a file gets here:
`chainrule/data/fetch.py`.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

from ...core.errors import ArgumentError, nearest
from ...data.fetch import fetch

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
DATA_HUB: dict[str, tuple[str, str]] = {
    "kaggle_house_train": (
        DATA_URL + "kaggle_house_pred_train.csv",
        "585e9cc93e70b39160e7921475f9bcd7d31219ce",
    ),
    "kaggle_house_test": (
        DATA_URL + "kaggle_house_pred_test.csv",
        "fa19780a7b011d9b009e8bff8e99922a8ee2eb90",
    ),
}


def download(
    name: str,
    folder: str = os.path.join("..", "data"),
    sha1_hash: str | None = None,
    *,
    cache_dir: str | None = None,
) -> str:
    """The path of a file, which is downloaded unless it is there already.

    Args:    name: one in `DATA_HUB`, or an address of the web. folder: where files are kept; `cache_dir` is
             its name in an earlier edition of the book. sha1_hash: what the file's SHA-1 sum must be; a file
             with another one is downloaded again.
    Raises:  ArgumentError: there is no such name; FetchError: the file cannot be had, and where to put it.

    >>> download("no such file")
    Traceback (most recent call last):
    chainrule.core.errors.ArgumentError: d2l.download got 'no such file'
      it must be a name in DATA_HUB or an address of the web
      try: 'kaggle_house_train' or 'kaggle_house_test'
      at <doctest chainrule.compat.d2l.downloads.download[0]>:1
    """
    url = name
    if "://" not in name:
        if name not in DATA_HUB:
            raise ArgumentError.of(
                "d2l.download",
                given=f"'{name}'{nearest(name, list(DATA_HUB))}",
                must="it must be a name in DATA_HUB or an address of the web",
                hint="'kaggle_house_train' or 'kaggle_house_test'",
            )
        url, sha1_hash = DATA_HUB[name]
    file = url.rpartition("/")[2].partition("?")[0]
    return str(
        fetch([url], Path(cache_dir or folder) / file, checksum=f"sha1:{sha1_hash}" if sha1_hash else None)
    )


def download_extract(name: str, folder: str | None = None) -> str:
    """Download a .zip, .tar or .tar.gz file and unpack it beside; returns the path of what was in it.

    Args:    folder: the folder in the archive, if it is not named like the file.
    Raises:  ArgumentError: it is no such file.
    """
    path = Path(download(name))
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(path.parent)
    elif path.suffix in (".tar", ".gz", ".tgz"):
        with tarfile.open(path) as archive:
            archive.extractall(path.parent, filter="data")  # refuses paths that lead out of the folder
    else:
        raise ArgumentError.of(
            "d2l.download_extract",
            given=f"the file '{path.name}'",
            must="only .zip, .tar and .tar.gz files can be unpacked",
            hint=f"d2l.download({name!r})",
        )
    stem = path.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar").removesuffix(".zip")
    return str(path.parent / (folder or stem))


def download_all() -> None:
    """Download every file in `DATA_HUB`."""
    for name in DATA_HUB:
        download(name)


def mkdir_if_not_exist(path: str | list[str] | tuple[str, ...]) -> None:
    """Make a folder, given as a path or as its parts, unless it is there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mkdir_if_not_exist([folder, "data"])
    ...     os.listdir(folder)
    ['data']
    """
    os.makedirs(path if isinstance(path, str) else os.path.join(*path), exist_ok=True)
