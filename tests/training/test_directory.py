"""A folder that appears whole or not at all, whatever goes wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from chainrule.data import DataError
from chainrule.training import directory
from chainrule.training.directory import first_free, new_directory, require_writable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_folder_appears_at_the_end(folder: Path) -> None:
    with new_directory("a/b/run") as staging:
        (staging / "x.txt").write_text("x")
        assert not Path("a/b/run").exists()
    assert everything(folder) == ["a", "a/b", "a/b/run", "a/b/run/x.txt"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_nothing(folder: Path, error: type[BaseException]) -> None:
    Path("a").mkdir()
    with pytest.raises(error), new_directory("a/b/c/run") as staging:
        (staging / "x.txt").write_text("x")
        raise error
    assert everything(folder) == ["a"]  # it was there before


def test_ctrl_c_while_writing_leaves_nothing(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_directory("run") as staging:
        (staging / "x.txt").write_text("x")
        signal.raise_signal(signal.SIGINT)
    assert everything(folder) == []


def test_ctrl_c_while_tidying_up_does_not_stop_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = directory.shutil.rmtree

    def slowly(*arguments: object, **how: object) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(*arguments, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(directory.shutil, "rmtree", slowly)
    with pytest.raises(ZeroDivisionError), new_directory("run"):
        raise ZeroDivisionError
    assert everything(folder) == []


@pytest.mark.parametrize(("make", "what"), [(Path.mkdir, "folder"), (Path.touch, "file")])
def test_what_is_there_stays(folder: Path, make: object, what: str) -> None:
    make(Path("run"))  # type: ignore[operator]
    text = f"the {what} 'run' is there already; a run needs a new one: choose another --out"
    for attempt in (new_directory("run").__enter__, lambda: require_writable("run")):
        with pytest.raises(DataError) as caught:
            attempt()
        assert str(caught.value) == text
    assert everything(folder) == ["run"]


def test_a_folder_that_appears_meanwhile_is_not_replaced(folder: Path) -> None:
    with pytest.raises(DataError) as caught, new_directory("run"):
        Path("run").mkdir()
    assert (
        str(caught.value) == "the folder 'run' is there already; a run needs a new one: choose another --out"
    )
    assert everything(folder) == ["run"]


def test_a_place_below_a_file(folder: Path) -> None:
    Path("file").touch()
    with pytest.raises(DataError) as caught:
        require_writable("file/run")
    assert str(caught.value) == "cannot write 'file/run': Not a directory; nothing was kept"
    assert everything(folder) == ["file"]


def test_no_permission(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # the tests may run as root, who may write everywhere
    with pytest.raises(DataError) as caught:
        require_writable("run")
    assert str(caught.value) == "cannot write 'run': Permission denied; nothing was kept"


def test_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError) as caught, new_directory("runs/run") as staging:
        (staging / "x.txt").write_text("x")
    assert str(caught.value) == "cannot write 'runs/run': No space left on device; nothing was kept"
    assert everything(folder) == []


def test_asking_first_leaves_nothing(folder: Path) -> None:
    require_writable("a/b/run")
    assert everything(folder) == []


def test_the_first_free_number(folder: Path) -> None:
    assert first_free(Path("runs"), "x") == Path("runs/x-1")
    Path("runs/x-1").mkdir(parents=True)
    Path("runs/x-3").mkdir()
    assert first_free(Path("runs"), "x") == Path("runs/x-2")
