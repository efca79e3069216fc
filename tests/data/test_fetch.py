"""Downloads from a server of the test's own: checked, kept, continued; and what is said without one."""

from __future__ import annotations

import hashlib
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.data.fetch import FetchError, fetch

CONTENT = bytes(range(256)) * 4000
SUM = f"sha1:{hashlib.sha1(CONTENT).hexdigest()}"
NOWHERE = "http://127.0.0.1:9/file.bin"  # the port of "discard", where nobody listens


class Server(http.server.ThreadingHTTPServer):
    """Has one file, counts what it is asked for, and may break off the connection."""

    content = CONTENT
    ranges = True
    break_after: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/file.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if not self.path.endswith("file.bin"):
            self.send_error(404)
            return
        content = self.server.content
        if wanted is not None and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            content = content[start:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.break_after])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_file_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "data" / "file.bin"
    assert fetch([server.url], target, checksum=SUM) == target
    assert target.read_bytes() == CONTENT
    fetch([server.url], target, checksum=SUM)
    assert server.asked == [None]
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_a_file_without_a_checksum_is_taken_as_it_is(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"my own")
    assert fetch([server.url], target).read_bytes() == b"my own"
    assert server.asked == []


def test_a_file_with_another_checksum_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"half of it")
    assert fetch([server.url], target, checksum=SUM).read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on(server: Server, tmp_path: Path, ranges: bool) -> None:
    target = tmp_path / "file.bin"
    server.break_after = 300_000
    with pytest.raises(FetchError):
        fetch([server.url], target, checksum=SUM)
    assert not target.exists()
    assert (tmp_path / "file.bin.part").stat().st_size == 300_000
    server.break_after, server.ranges = None, ranges  # not every server knows how to go on
    fetch([server.url], target, checksum=SUM)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_part_that_is_whole_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert fetch([server.url], tmp_path / "file.bin", checksum=SUM).read_bytes() == CONTENT


def test_the_next_mirror_is_asked(server: Server, tmp_path: Path) -> None:
    urls = [NOWHERE, server.url.replace("file.bin", "other"), server.url]
    assert fetch(urls, tmp_path / "file.bin", checksum=SUM).read_bytes() == CONTENT


def test_without_a_network_it_says_where_to_put_the_file(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    with pytest.raises(FetchError) as caught:
        fetch([NOWHERE], target, checksum=SUM)
    assert caught.value.summary == (
        f"the file '{target}' is not there, and could not be downloaded\n"
        "  127.0.0.1:9: [Errno 111] Connection refused\n"
        f"  try: put {NOWHERE} there yourself"
    )
    assert isinstance(caught.value, OSError)


def test_each_mirror_has_its_reason(server: Server, tmp_path: Path) -> None:
    server.content = b"something else"
    target = tmp_path / "file.bin"
    target.write_bytes(b"wrong")
    host = f"127.0.0.1:{server.server_port}"
    with pytest.raises(FetchError) as caught:
        fetch([server.url, f"http://{host}/no"], target, checksum=SUM)
    assert caught.value.summary == (
        f"the file '{target}' is not the right one, and could not be downloaded\n"
        f"  {host}: not the right file, its checksum differs; {host}: HTTP status 404\n"
        f"  try: put {server.url} there yourself"
    )
    assert target.read_bytes() == b"wrong"
    assert not (tmp_path / "file.bin.part").exists()  # or the next try would go on with it


def test_a_broken_connection_is_said(server: Server, tmp_path: Path) -> None:
    server.break_after = 5
    with pytest.raises(FetchError, match=r"the connection broke off after 5 of 1024000 bytes"):
        fetch([server.url], tmp_path / "file.bin", checksum=SUM)


def test_pooch_is_needed_for_downloads_only(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    target = tmp_path / "file.bin"
    with pytest.raises(FetchError) as caught:
        fetch([server.url], target, checksum=SUM)
    assert caught.value.summary == (
        f"the file '{target}' is not there, and could not be downloaded\n"
        "  the package pooch, which downloads files, is not installed\n"
        f"  try: pip install pooch, or put {server.url} there yourself"
    )
    target.write_bytes(CONTENT)
    assert fetch([server.url], target, checksum=SUM) == target
