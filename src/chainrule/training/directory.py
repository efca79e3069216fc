"""A new folder that appears whole, with all its files, or not at all.

The files are written into a hidden folder beside it, which gets its name at the end. What goes into a run's
folder is decided in `run.py`; single files are written by `core/files.py`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..data import DataError
from .interrupt import ignoring_interrupts


@contextlib.contextmanager
def new_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to write files into; when the block ends without an error it becomes `path`.

    After an error, Ctrl-C included, nothing is left of it, nor of the folders above it that had to be made.
    Raises:  DataError: `path` is there already, or cannot be written (the reason is named).
    """
    target = Path(path)
    _refuse_existing(target)
    made: list[Path] = []
    staging = target.parent / f".chainrule-{secrets.token_hex(8)}.tmp"
    try:
        try:
            _make_parents(target.parent, made)
            staging.mkdir()
            yield staging
            _to_disk(staging)
            _refuse_existing(target)
            staging.rename(target)
        except OSError as problem:
            raise DataError(
                f"cannot write '{target}': {problem.strerror or problem}; nothing was kept"
            ) from problem
    except BaseException:
        with ignoring_interrupts():
            shutil.rmtree(staging, ignore_errors=True)
            for folder in reversed(made):
                with contextlib.suppress(OSError):  # something else may have been put there meanwhile
                    folder.rmdir()
        raise


def require_writable(path: str | os.PathLike[str]) -> None:
    """Refuse now what `new_directory` would refuse after an hour of training; leaves nothing behind."""

    class Enough(Exception):
        pass

    with contextlib.suppress(Enough), new_directory(path):
        raise Enough


def first_free(folder: Path, stem: str) -> Path:
    """`folder/stem-1`, or the first number after it that is not taken."""
    number = 1
    while os.path.lexists(folder / f"{stem}-{number}"):
        number += 1
    return folder / f"{stem}-{number}"


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        what = "folder" if target.is_dir() else "file"
        raise DataError(
            f"the {what} '{target}' is there already; a run needs a new one: choose another --out"
        )


def _make_parents(folder: Path, made: list[Path]) -> None:
    if not folder.exists():
        _make_parents(folder.parent, made)
        folder.mkdir()
        made.append(folder)


def _to_disk(folder: Path) -> None:
    """Wait until the files are on the disk, so that a power cut after the renaming finds them whole."""
    for file in folder.iterdir():
        with open(file, "rb+") as handle:
            os.fsync(handle.fileno())
