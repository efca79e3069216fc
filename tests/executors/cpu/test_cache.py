"""Objects on disk: found again, and never a wrong one whatever happens to disk, file or process."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.core import settings
from chainrule.executors.cpu import cache, target

from .natives import TEXT, function

KEY = cache.key("a test")
OTHER = cache.key("another test")
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="about owners and permissions")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that entries are in, which does not exist yet."""
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "cache"))
    settings.cache_folder.cache_clear()
    yield tmp_path / "cache" / "objects"
    settings.cache_folder.cache_clear()


def the_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


# -- what is stored is found -----------------------------------------------------------------------


def test_an_entry_is_found_again() -> None:
    assert cache.lookup(KEY) is None
    cache.store(KEY, b"\x00code\xff", {"names": ["f"], "scale": 0.5})
    assert cache.lookup(KEY) == (b"\x00code\xff", {"names": ["f"], "scale": 0.5})
    assert cache.lookup(OTHER) is None


def test_an_entry_without_facts_and_an_empty_one() -> None:
    cache.store(KEY, b"")
    assert cache.lookup(KEY) == (b"", {})


def test_the_last_one_wins() -> None:
    cache.store(KEY, b"old", {"n": 1})
    cache.store(KEY, b"new", {"n": 2})
    assert cache.lookup(KEY) == (b"new", {"n": 2})


def test_keys_differ_in_every_part() -> None:
    parts = [("a", "b"), ("ab", ""), ("", "ab"), ("b", "a"), ("a", "b", ""), ("a",), (b"a", b"c")]
    assert len({cache.key(*p) for p in parts}) == len(parts)
    assert cache.key("a", b"b") == cache.key("a", "b")
    assert len(KEY) == 32


@pytest.mark.parametrize("what", ["_sources", "_compiler", "processor"])
def test_keys_depend_on_everything_that_compiles(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.key("x")
    other: Any = {"_sources": b"y", "_compiler": ("0", "z"), "processor": "another"}[what]
    monkeypatch.setattr(cache, what, lambda: other)
    assert cache.key("x") != before


def test_the_digest_of_the_sources_sees_a_changed_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = tmp_path / "chainrule" / "executors" / "cpu"
    deep.mkdir(parents=True)
    (deep / "cache.py").write_text("1")
    monkeypatch.setattr(cache, "__file__", str(deep / "cache.py"))
    digests = []
    for change in ("1", "2", "22"):
        (deep.parent / "other.py").write_text(change)
        os.utime(deep.parent / "other.py", ns=(0, 10**9 * len(digests)))
        cache._sources.cache_clear()
        digests.append(cache._sources())
    cache._sources.cache_clear()
    assert len(set(digests)) == 3


# -- where -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", ""])
def test_no_cache(value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings.cache_folder.cache_clear()
    cache.store(KEY, b"code")
    assert cache.lookup(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_the_user_folder_of_each_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", "1")
    settings.cache_folder.cache_clear()
    home = os.path.join(str(tmp_path), "home")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, home)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    for platform, xdg, expected in (
        ("linux", None, (home, ".cache", "chainrule", "objects")),
        ("linux", str(tmp_path), (str(tmp_path), "chainrule", "objects")),
        ("linux", "relative", (home, ".cache", "chainrule", "objects")),
        ("darwin", None, (home, "Library", "Caches", "chainrule", "objects")),
        ("win32", None, (home, "AppData", "Local", "chainrule", "cache", "objects")),
    ):
        monkeypatch.setattr(cache.sys, "platform", platform)
        if xdg is None:
            monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        else:
            monkeypatch.setenv("XDG_CACHE_HOME", xdg)
        assert cache._folder() == os.path.join(*expected)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert cache._folder() == os.path.join(str(tmp_path), "chainrule", "cache", "objects")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", "1")
    settings.cache_folder.cache_clear()
    monkeypatch.setattr(cache.os.path, "expanduser", lambda path: path)  # what Python does without a home
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    cache.store(KEY, b"code")
    assert cache.lookup(KEY) is None


# -- damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 15, 16, 40, 48, 52, 53, 60, -1])
def test_a_truncated_entry_is_none(folder: Path, length: int) -> None:
    cache.store(KEY, b"code" * 100, {"names": ["f"]})
    file = the_file(folder)
    file.write_bytes(file.read_bytes()[:length])
    assert cache.lookup(KEY) is None
    cache.store(KEY, b"whole")
    assert cache.lookup(KEY) == (b"whole", {})


def test_one_wrong_bit_anywhere_is_seen(folder: Path) -> None:
    cache.store(KEY, b"code" * 20, {"names": ["f"]})
    file = the_file(folder)
    good = file.read_bytes()
    for place in range(len(good)):
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert cache.lookup(KEY) is None
    file.write_bytes(good)
    assert cache.lookup(KEY) is not None


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, b"\x7fELF" + b"\xff" * 100, os.urandom(500)])
def test_garbage_is_none(folder: Path, content: bytes) -> None:
    cache.store(KEY, b"code")
    the_file(folder).write_bytes(content)
    assert cache.lookup(KEY) is None


def test_another_entrys_file_under_this_name_is_none(folder: Path) -> None:
    cache.store(OTHER, b"other")
    os.rename(the_file(folder), folder / f"{KEY.hex()}.code")
    assert cache.lookup(KEY) is None


def test_a_folder_in_the_place_of_an_entry(folder: Path) -> None:
    (folder / f"{KEY.hex()}.code").mkdir(parents=True)
    folder.chmod(0o700)
    cache.store(KEY, b"code")
    assert cache.lookup(KEY) is None


def test_a_file_in_the_place_of_the_folder(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")
    cache.store(KEY, b"code")
    assert cache.lookup(KEY) is None
    assert folder.read_text() == "in the way"


def test_a_damaged_module_is_compiled_anew(folder: Path) -> None:
    target.compile_module(TEXT)
    file = the_file(folder)
    good = file.read_bytes()
    file.write_bytes(good[:-1])
    assert function(target.compile_module(TEXT), "seven")() == 7
    assert file.read_bytes()[:100] == good[:100]
    assert cache.lookup(bytes.fromhex(file.stem)) is not None


# -- other users -----------------------------------------------------------------------------------


@posix
def test_only_the_user_can_get_at_the_files(folder: Path) -> None:
    before = os.umask(0)
    try:
        cache.store(KEY, b"code")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(folder).stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    cache.store(KEY, b"code")
    folder.chmod(mode)
    assert cache.lookup(KEY) is None
    cache.store(OTHER, b"code")
    assert len(list(folder.iterdir())) == 1
    folder.chmod(0o755)  # reading is harmless
    assert cache.lookup(KEY) == (b"code", {})


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    cache.store(KEY, b"code")
    the_file(folder).chmod(mode)
    assert cache.lookup(KEY) is None


@posix
def test_what_belongs_to_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(KEY, b"code")
    monkeypatch.setattr(cache.os, "geteuid", lambda: os.getuid() + 1)
    assert cache.lookup(KEY) is None
    cache.store(OTHER, b"code")
    assert len(list(folder.iterdir())) == 1


# -- a disk that does not take it ------------------------------------------------------------------


def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = cache.atomic_write

    def full(path: str) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(cache, "atomic_write", full)
    cache.store(KEY, b"code")
    assert function(target.compile_module(TEXT), "seven")() == 7
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(cache, "atomic_write", real)
    assert cache.lookup(KEY) is None


@posix
def test_a_disk_that_is_full_halfway_through(folder: Path) -> None:
    """With a limit on the size of files: a write really fails after some bytes."""
    cache.store(KEY, b"small")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        cache.store(KEY, os.urandom(1 << 20))
        loaded = target.compile_module(TEXT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert cache.lookup(KEY) == (b"small", {})
    assert function(loaded, "seven")() == 7
    assert [file.name for file in folder.iterdir() if file.name.endswith(".tmp")] == []


@posix
def test_a_read_only_home() -> None:
    """In a process without the right to override permissions, which the tests' own may have."""
    program = """
import os
from chainrule.executors.cpu import cache, target
from natives import TEXT, function
target.emit(TEXT)  # loads all that may lie where the other user cannot read
if os.geteuid() == 0:
    os.setuid(65534)
key = bytes(32)
cache.store(key, b"code")
print(function(target.compile_module(TEXT), "seven")(), cache.lookup(key))
"""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        objects = place / "cache" / "objects"
        objects.mkdir(parents=True)
        (objects / "old.code").write_bytes(b"")
        (place / "empty").mkdir()
        for path in (place / "empty", objects, objects.parent, place):
            path.chmod(0o500)
            if os.geteuid() == 0:
                os.chown(path, 65534, -1)
        results = [run(program, path) for path in (place / "empty", objects.parent)]
        left = [sorted(p.name for p in path.iterdir()) for path in (place / "empty", objects)]
        for path in (place, objects.parent, objects):
            path.chmod(0o700)
    assert [(r.returncode, r.stdout, r.stderr) for r in results] == [(0, "7 None\n", "")] * 2
    assert left == [[], ["old.code"]]


# -- processes -------------------------------------------------------------------------------------


def run(program: str, place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], env=environment(place), capture_output=True, text=True, timeout=60
    )


def environment(place: Path) -> dict[str, str]:
    paths = [str(Path(__file__).parent), *sys.path]
    return {**os.environ, "CHAINRULE_CACHE": str(place), "PYTHONPATH": os.pathsep.join(paths)}


WRITER = """
import sys
from chainrule.executors.cpu import cache
key = bytes.fromhex(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    number += 1
    cache.store(key, number.to_bytes(8, "little") * 40_000, {"number": number})
"""


def start_writer(place: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, KEY.hex()], env=environment(place), stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def check_whole(entry: cache.Entry | None) -> bool:
    if entry is None:
        return False
    assert entry.code == entry.meta["number"].to_bytes(8, "little") * 40_000
    return True


def test_two_processes_write_while_this_one_reads(folder: Path) -> None:
    writers = [start_writer(folder.parent) for _ in range(2)]
    try:
        end, found = time.monotonic() + 1.0, 0
        while time.monotonic() < end:
            found += check_whole(cache.lookup(KEY))
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert found > 10


@posix
def test_a_process_killed_in_the_middle_of_a_write(folder: Path) -> None:
    left = 0
    for attempt in range(12):
        writer = start_writer(folder.parent)
        time.sleep(0.03 + 0.003 * attempt)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert check_whole(cache.lookup(KEY)) or not (folder / f"{KEY.hex()}.code").exists()
        left += sum(file.name.endswith(".tmp") for file in folder.iterdir())
    assert left > 0  # else no write was ever caught in the middle
    for file in folder.glob(".*.tmp"):
        os.utime(file, (0, 0))
    cache.store(OTHER, b"code")
    assert [file.name for file in folder.iterdir() if file.name.endswith(".tmp")] == []
    assert cache.lookup(OTHER) == (b"code", {})


# -- size ------------------------------------------------------------------------------------------


def test_what_was_used_longest_ago_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BOUND", 3500)
    keys = [cache.key(str(i)) for i in range(4)]
    now = time.time()
    for i, key in enumerate(keys[:3]):
        cache.store(key, b"x" * 1000)
        os.utime(folder / f"{key.hex()}.code", (now - 90_000 + i, now - 90_000 + i))
    assert cache.lookup(keys[0]) is not None  # which notes the use
    cache.store(keys[3], b"x" * 1000)
    assert [cache.lookup(key) is not None for key in keys] == [True, False, True, True]


def test_an_entry_larger_than_all_may_be_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BOUND", 3500)
    cache.store(KEY, b"x" * 1000)
    cache.store(OTHER, b"x" * 5000)
    assert cache.lookup(OTHER) is None
    assert cache.lookup(KEY) is not None


def test_a_file_that_is_not_ours_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(KEY, b"code")
    (folder / "notes.txt").write_text("x" * 100)
    monkeypatch.setattr(cache, "BOUND", 10)
    cache.store(OTHER, b"")
    assert (folder / "notes.txt").exists()
