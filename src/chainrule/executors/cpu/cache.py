"""Compiled objects on disk, so that the next program need not compile them.

`lookup` and `store` work on a key: `key(...)` makes one of whatever decides what the object is (the text of a
module, or a graph and the package's own `sources()`), and adds this processor and the versions. They never
raise because of the disk: a missing, unreadable, full or write-protected folder means that nothing is found
or kept, and an entry that is not exactly what was written is as good as none.

Loading an entry means running it. So the entries lie in a folder of their own that is made for the user
alone, and neither the folder nor an entry is used if it belongs to somebody else or somebody else may write
to it: else another user of the machine could have code run in our name. Nothing more is checked about the
code; a checksum shows damage, not intent.

Every entry is one file, written beside its place and then moved there (`core/files.py`): a reader sees all of
it or nothing, of several writers at once the last one wins, and a killed one leaves a file that is later
swept away. The entries used longest ago go when all of them need more than `BOUND` bytes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
import sys
import time
from typing import Any, BinaryIO, Final, NamedTuple

import llvmlite

from chainrule.core import settings
from chainrule.core.files import atomic_write

from .host import processor

BOUND: Final = 256 << 20  # bytes of all entries together: some thousand of them
_MAGIC: Final = b"chainrule 1 code"  # with the format's version
_DIGEST: Final = 32  # bytes
_HEAD: Final = len(_MAGIC) + _DIGEST + 4  # and the length of the facts
_RECENT: Final = 3600.0  # seconds in which a use need not be noted again, and a writer may still be at work


class Entry(NamedTuple):
    """What is kept under a key: an object file and facts about it, as they can be written in JSON."""

    code: bytes
    meta: dict[str, Any]


def key(*parts: str | bytes) -> bytes:
    """A key for what is decided by these parts, this processor, LLVM and this package's source files."""
    digest = hashlib.sha256()
    for part in (_sources(), *_compiler(), processor(), *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))  # ("ab", "c") is not ("a", "bc")
        digest.update(data)
    return digest.digest()


@functools.cache
def _sources() -> bytes:
    """A digest that changes when a source file of this package does, by sizes and times of change."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                status = os.stat(os.path.join(folder, name))
                fact = f"{os.path.relpath(folder, root)}/{name} {status.st_size} {status.st_mtime_ns}\n"
                digest.update(fact.encode())
    return digest.digest()


def lookup(key: bytes) -> Entry | None:
    """What was stored under this key; None where there is nothing whole that may be used."""
    folder = _folder()
    if folder is None:
        return None
    path = os.path.join(folder, _name(key))
    try:
        if not _safe(os.stat(folder)):
            return None
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if not _safe(status) or not stat.S_ISREG(status.st_mode) or status.st_size > BOUND:
                return None
            entry = _read(file, key)
    except (OSError, ValueError):
        return None
    if time.time() - status.st_mtime > _RECENT:
        with contextlib.suppress(OSError):
            os.utime(path)  # the time of the last use decides what goes first
    return entry


def store(key: bytes, code: bytes, meta: dict[str, Any] | None = None) -> None:
    """Keep an object file, and facts about it that JSON can hold, under this key, if that is possible."""
    folder = _folder()
    if folder is None:
        return
    facts = json.dumps(meta or {}).encode()
    body = len(facts).to_bytes(4, "little") + facts + code
    if _HEAD + len(body) > BOUND:
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _safe(os.stat(folder)):
            return
        with atomic_write(os.path.join(folder, _name(key))) as file:
            os.chmod(file.name, 0o600)  # whatever the user's mask for new files is
            file.write(_MAGIC + _digest(key, body) + body)
        _sweep(folder)
    except OSError:
        return


def _read(file: BinaryIO, key: bytes) -> Entry:
    """An entry, if it is what was written under this key.

    Raises: ValueError if it is not.
    """
    data = file.read()
    magic, digest, body = data[: len(_MAGIC)], data[len(_MAGIC) : _HEAD - 4], data[_HEAD - 4 :]
    if magic != _MAGIC or digest != _digest(key, body):
        raise ValueError("not a whole entry")
    size = int.from_bytes(body[:4], "little")
    return Entry(body[4 + size :], json.loads(body[4 : 4 + size]))


def _digest(key: bytes, body: bytes) -> bytes:
    """The checksum of an entry; with the key, so that an entry under another's name is not taken for it."""
    return hashlib.sha256(key + body).digest()


def _name(key: bytes) -> str:
    return f"{key.hex()}.code"


def _safe(status: os.stat_result) -> bool:
    """Whether a file or folder is the user's own, and nobody else may write to it."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps each user's folders from the others by itself
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _folder() -> str | None:
    """Where entries lie: a folder of their own, below the user's cache folder or the one that is set."""
    chosen = settings.cache_folder()
    if chosen == "":
        chosen = _user_folder()
    return None if chosen is None else os.path.join(chosen, "objects")


def _user_folder() -> str | None:
    """This package's part of the user's cache folder, by the rules of the system; None without a home."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        folder = os.path.join(base, "chainrule", "cache")
    elif sys.platform == "darwin":
        folder = os.path.join(home, "Library", "Caches", "chainrule")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        # The rules of the XDG base directories say that a relative path is to be ignored.
        folder = os.path.join(base if os.path.isabs(base) else os.path.join(home, ".cache"), "chainrule")
    return folder if os.path.isabs(folder) else None


def _sweep(folder: str) -> None:
    """Remove what killed writers left, and the entries used longest ago where there are too many bytes."""
    now = time.time()
    entries = []
    with os.scandir(folder) as found:
        for file in found:
            status = file.stat(follow_symlinks=False)
            if file.name.endswith(".code"):
                entries.append((status.st_mtime, status.st_size, file.path))
            elif file.name.endswith(".tmp") and now - status.st_mtime > _RECENT:
                os.unlink(file.path)
    excess = sum(size for _, size, _ in entries) - BOUND
    for _, size, path in sorted(entries):
        if excess <= 0:
            break
        with contextlib.suppress(FileNotFoundError):  # another process sweeps, too
            os.unlink(path)
        excess -= size


@functools.cache
def _compiler() -> tuple[str, str]:
    """The version of llvmlite, and which build of LLVM comes with it, without loading it."""
    built = []
    with os.scandir(os.path.join(os.path.dirname(llvmlite.__file__), "binding")) as files:
        for file in files:
            if "llvmlite" in file.name:
                status = file.stat()
                built.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return llvmlite.__version__, " ".join(sorted(built))
