"""The program from outside: as a process, with real signals, pipes, limits and terminals."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import chainrule
from chainrule.training import load_run

from .conftest import Call, listing

PROGRAM = (sys.executable, "-m", "chainrule")


def start(*arguments: str, setup: Callable[[], None] | None = None, **how: object) -> subprocess.Popen[str]:
    def in_child() -> None:
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # a test run in the background passes on that it is ignored
        if setup is not None:
            setup()

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    return subprocess.Popen([*PROGRAM, *arguments], text=True, preexec_fn=in_child, **pipes)  # type: ignore[call-overload]


def test_version_and_help(call: Call) -> None:
    process = start("--version")
    assert process.communicate() == (f"chainrule {chainrule.__version__}\n", "")
    assert process.returncode == 0
    assert call("--version").status == 0
    overview = call("--help")
    assert overview.status == 0
    assert "train a model on a CSV or Parquet table" in overview.out
    assert call().status == 2  # nothing asked for: the overview, but no success
    for command in ("train", "predict"):
        result = call(command, "--help")
        assert result.status == 0
        assert max(map(len, result.out.splitlines())) <= 80


def test_ctrl_c_from_a_terminal(ready: Path) -> None:
    process = start("train", "houses.csv", "--epochs", "1000000", "--patience", "1000000", "--out", "r")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch  10"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "")
    assert "          interrupted by Ctrl-C: the best weights so far\n" in out
    run = load_run("r")
    assert run.history.interrupted
    assert len(run.history.epochs) >= 10
    assert sorted(listing(ready / "r")) == ["curve.png", "metrics.jsonl", "model.safetensors", "run.json"]


def test_a_reader_that_has_seen_enough(ready: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start("predict", "run-birds", "birds.csv", stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in err, "Broken pipe" in err) == (1, False, False)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_an_output_that_is_full(ready: Path) -> None:
    with open("/dev/full", "w") as full:
        process = start("predict", "run-birds", "birds.csv", "--quiet", stdout=full)
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (
        1,
        "chainrule: error: cannot write the output: No space left on device\n",
    )


def test_a_disk_that_takes_no_more(ready: Path) -> None:
    # the largest file that the process may write: the picture does not fit
    limit = 2_000
    before = listing(ready)
    process = start(
        "train", "houses.csv", "--epochs", "2", "--out", "new/run", "--quiet",
        setup=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert err == "chainrule: error: cannot write 'new/run': File too large; nothing was kept\n"
    assert listing(ready) == before


def test_an_output_that_knows_only_ascii(ready: Path) -> None:
    process = start(
        "train", "houses.csv", "--epochs", "1", "--out", "r", env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "R?" in out


def test_a_terminal_gets_a_bar_and_no_lines_per_epoch(ready: Path) -> None:
    import pty

    main, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "30"}
    process = start("train", "houses.csv", "--epochs", "30", "--out", "r", stdout=child, env=environment)
    os.close(child)
    printed = b""
    try:
        while piece := os.read(main, 65536):
            printed += piece
    except OSError:  # how a terminal says that the other side is closed
        pass
    os.close(main)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    text = printed.decode()
    assert "━" in text  # the bar
    assert "epoch 10 " not in text
    assert "\x1b[1mVerdict" in text  # in bold
    assert (ready / "r" / "run.json").exists()
