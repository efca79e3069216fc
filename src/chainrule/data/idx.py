"""The IDX format, in which MNIST and its relatives are distributed: an array of numbers, often in gzip.

Four bytes (two zeros, the type of the numbers, how many axes), the length of each axis as a big-endian 32-bit
number, then the numbers, the last axis first to vary. Which files make a data set: `images.py`.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .problems import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> npt.NDArray[Any]:
    """The array in a file, in the byte order of this machine.

    Raises:  DataError: it is no such file, or has not all of its numbers; OSError: it cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as err:
            raise DataError(f"'{path}' is damaged: its compressed data ends or breaks ({err})") from err
    kind, axes = (content[2], content[3]) if len(content) >= 4 else (0, 0)
    start = 4 + 4 * axes
    if content[:2] != b"\0\0" or kind not in _TYPES or len(content) < start:
        raise DataError(
            f"'{path}' is not an IDX file: it begins with the bytes {content[:4].hex(' ') or 'of no file'}"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", axes, 4))
    dtype = np.dtype(_TYPES[kind])
    needed, found = math.prod(shape) * dtype.itemsize, len(content) - start
    if found != needed:
        raise DataError(f"'{path}' is damaged: an array {shape} has {needed} bytes, and it has {found}")
    array: npt.NDArray[Any] = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))
