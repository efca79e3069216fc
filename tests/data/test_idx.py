"""The IDX format: what is read, and what is said of files that are something else."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import DataError
from chainrule.data.idx import read_idx
from tests.idx_files import write


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_of_any_number_of_axes(tmp_path: Path, packed: bool) -> None:
    for shape in ((7,), (3, 4), (2, 3, 5)):
        array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        found = read_idx(write(tmp_path / "file", array, packed=packed))
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, array)
        found[0] = 1  # memory of its own


@pytest.mark.parametrize(
    ("code", "letter", "values"),
    [
        (0x09, "b", [-1, 2]),
        (0x0B, "h", [-300, 7]),
        (0x0C, "i", [70000, -1]),
        (0x0D, "f", [0.5, -2.0]),
        (0x0E, "d", [0.1, 3.0]),
    ],
)
def test_other_numbers_come_in_the_order_of_this_machine(
    tmp_path: Path, code: int, letter: str, values: list[float]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes([0, 0, code, 1]) + struct.pack(f">I2{letter}", 2, *values))
    found = read_idx(path)
    assert found.dtype == np.dtype(letter)
    assert found.dtype.isnative
    assert found.tolist() == values


HEAD = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<html>", "is not an IDX file: it begins with the bytes 3c 68 74 6d"),
        (b"", "is not an IDX file: it begins with the bytes of no file"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "is not an IDX file: it begins with the bytes 00 00 07 01"),
        (HEAD[:10], "is not an IDX file: it begins with the bytes 00 00 08 02"),
        (HEAD + b"12345", "is damaged: an array (2, 3) has 6 bytes, and it has 5"),
        (HEAD + b"1234567", "is damaged: an array (2, 3) has 6 bytes, and it has 7"),
        (
            gzip.compress(HEAD + b"123456")[:-6],
            "is damaged: its compressed data ends or breaks "
            "(Compressed file ended before the end-of-stream marker was reached)",
        ),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == f"'{path}' {problem}"
