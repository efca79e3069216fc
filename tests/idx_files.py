"""Small IDX files for tests, written from the description of the format and not by the code under test."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PARTS = {True: "train", False: "t10k"}


def write(path: Path, array: npt.NDArray[Any], *, packed: bool = False) -> Path:
    """Write an array of bytes as an IDX file."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def images(n: int, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """n images of 28 × 28 in ten classes that a linear model can tell apart: a bright row for each class."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 10).astype(np.uint8)
    made = rng.integers(0, 60, (n, 28, 28), dtype=np.uint8)
    made[np.arange(n), 2 * labels + 4, 4:24] = 250
    return made, labels


def write_data_set(root: Path, name: str, *, train: int = 200, test: int = 50, packed: bool = False) -> None:
    """The four files of a data set below `root`."""
    for part, n in ((True, train), (False, test)):
        pixels, labels = images(n, seed=int(part))
        ending = ".gz" if packed else ""
        folder = root / name / "raw"
        write(folder / f"{PARTS[part]}-images-idx3-ubyte{ending}", pixels, packed=packed)
        write(folder / f"{PARTS[part]}-labels-idx1-ubyte{ending}", labels, packed=packed)
