"""Writing a file so that it is either the whole new file or the untouched old one.

`atomic_write` writes to a temporary file beside the target and moves it over the target at the end; whatever
goes wrong before that (a full disk, an exception, Ctrl-C) leaves the target as it was and no temporary file.
It does not lock: of two writers at the same time the last one wins, with a whole file. What is written
through it: `serialization.py` and the run directories of the command line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(path: str | bytes | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new binary file that takes the place of `path` when the block ends without an error.

    The bytes are on the disk before the move, so a power cut leaves the old or the new file, not a mixture.
    A symbolic link keeps pointing where it did; an existing file keeps its permissions.

    Raises:  OSError: no such directory, no permission, no space, or `path` is something other than a file.

    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "metrics.json")
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"{}")
    >>> os.listdir(folder.name)
    ['metrics.json']
    >>> folder.cleanup()
    """
    target = os.path.realpath(os.fsdecode(path))
    folder = os.path.dirname(target)
    permissions = _permissions_of_file(target)
    # The name does not contain the target's, which may already be as long as the file system allows.
    temporary = os.path.join(folder, f".chainrule-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if permissions is not None:
            os.chmod(temporary, permissions)
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C included
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _permissions_of_file(target: str) -> int | None:
    """The permission bits of an existing file; None where there is no file yet."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        if not os.path.isdir(os.path.dirname(target)):
            raise FileNotFoundError(errno.ENOENT, "no such folder", os.path.dirname(target)) from None
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", target)
    if not stat.S_ISREG(mode):  # replacing a device or a pipe by a file would break it for everyone
        raise OSError(errno.EINVAL, "is not a regular file and cannot be replaced", target)
    return stat.S_IMODE(mode)


def _sync_folder(folder: str) -> None:
    """Make the move itself survive a power cut, where folders can be synchronised (not on Windows)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse; the file itself is safe
            os.fsync(handle)
    finally:
        os.close(handle)
