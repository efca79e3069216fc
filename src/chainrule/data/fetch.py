"""Files from the web: checked by a checksum, kept in a folder, and continued where a download broke off.

pooch checks and keeps; it loads with the first download, and is not needed for files that are there. What
it does not do, to go on with half a file, is `_Resuming`: the part that has arrived stays beside the
target, and the server is asked for the rest. Images come this way: `images.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import ChainruleError

TIMEOUT = 20.0  # seconds without an answer
_BLOCK = 1 << 18


class FetchError(ChainruleError, OSError):
    """A file that is not there and cannot be downloaded; the text says where to put it."""


def fetch(urls: Sequence[str], target: Path, *, checksum: str | None = None) -> Path:
    """The path of a file, which is downloaded from the first address that has it unless it is there.

    Args:    checksum: "sha1:...", "md5:..." or "sha256:..."; a file with another one is downloaded again.
    Raises:  FetchError: no address could be reached, or none has the right file.
    """
    if target.is_file() and (checksum is None or _has(target, checksum)):
        return target
    try:
        import pooch
    except ImportError as err:
        raise _failed(
            urls, target, "the package pooch, which downloads files, is not installed", True
        ) from err
    reasons = []
    for url in urls:
        try:
            with _quiet(pooch):
                pooch.retrieve(
                    url,
                    known_hash=checksum,
                    fname=target.name,
                    path=target.parent,
                    downloader=_Resuming(target),
                )
            return target
        except ValueError:
            reasons.append(f"{_host(url)}: not the right file, its checksum differs")
        except (OSError, urllib.error.URLError) as err:
            reasons.append(f"{_host(url)}: {_reason(err)}")
    raise _failed(urls, target, "; ".join(reasons), False)


class _Resuming:
    """Downloads into `NAME.part` beside the target, from where an earlier try broke off."""

    def __init__(self, target: Path) -> None:
        self.part = target.with_name(target.name + ".part")

    def __call__(
        self, url: str, output_file: str | os.PathLike[str], _: Any, check_only: bool = False
    ) -> None:
        there = self.part.stat().st_size if self.part.exists() else 0
        request = urllib.request.Request(url, headers={"User-Agent": "chainrule"})
        if there:
            request.add_header("Range", f"bytes={there}-")
        try:
            answer = urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as err:
            if (
                err.code != 416
            ):  # 416: there is no more, the part is all of it (or of another file: the checksum)
                raise
        else:
            with answer, open(self.part, "ab" if answer.status == 206 else "wb") as file:
                shutil.copyfileobj(answer, file, _BLOCK)
                length = answer.headers.get("Content-Length")
                arrived = file.tell() - (there if answer.status == 206 else 0)
            if length is not None and arrived < int(length):
                raise OSError(f"the connection broke off after {arrived} of {length} bytes")
        shutil.move(self.part, output_file)


def _has(path: Path, checksum: str) -> bool:
    kind, _, expected = checksum.partition(":")
    with open(path, "rb") as file:
        return (
            hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
            == expected
        )


@contextlib.contextmanager
def _quiet(pooch: Any) -> Any:
    """pooch reports each download in its log; here only failures are said."""
    log = pooch.get_logger()
    level = log.level
    log.setLevel("ERROR")
    try:
        yield
    finally:
        log.setLevel(level)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _reason(err: Exception) -> str:
    text = str(getattr(err, "reason", None) or err)
    return f"HTTP status {err.code}" if isinstance(err, urllib.error.HTTPError) else text


def _failed(urls: Sequence[str], target: Path, reason: str, no_pooch: bool) -> FetchError:
    state = "is not the right one" if target.exists() else "is not there"
    by_hand = f"put {urls[0]} there yourself"
    return FetchError.of(
        f"the file '{target}' {state}, and could not be downloaded",
        must=reason,
        hint=f"pip install pooch, or {by_hand}" if no_pooch else by_hand,
    )
