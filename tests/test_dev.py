"""`dev.py`: environments are made once, and what can go wrong on a fresh machine has a clear line.

No test here makes a real environment (CI does): the commands that would are replaced by a record of them.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import signal
import subprocess
import sys
import textwrap
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "dev.py"


class Machine:
    """Answers for the commands that `dev.py` would run, and a list of them."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.failing = ""  # a word: commands that have it as an argument fail

    def captured(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.commands.append(command[1:])
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
        return subprocess.CompletedProcess(command, int(self.failing in command), stdout="the reason")

    def installed(self) -> list[tuple[str, ...]]:
        return [command[5:] for command in self.commands if "install" in command]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def dev(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, in a checkout of its own."""
    spec = importlib.util.spec_from_file_location("dev_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "captured", machine.captured)
    return module


def message(dev: ModuleType, *arguments: str) -> str:
    with pytest.raises(dev.Stop) as info:
        dev.main(list(arguments))
    return str(info.value)


# The commands -----------------------------------------------------------------------------------------------


def test_no_command_prints_the_help_and_is_an_error(
    dev: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main([]) == 2
    assert dev.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"    {command} " in out for command in ("train", "test", "lint", "types", "torch"))


def test_unknown_command(dev: ModuleType) -> None:
    assert message(dev, "tests") == "there is no command 'tests'; there are: train, test, lint, types, torch"


def test_what_each_command_runs(dev: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[str, ...]] = []

    def run(program: Path, *arguments: str, settings: dict[str, str] | None = None) -> int:
        runs.append((program.relative_to(dev.ROOT).as_posix(), *arguments))
        return 0

    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    for command in ("train", "test", "lint", "types", "torch"):
        assert dev.main([command]) == 0
    assert dev.main(["test", "tests/nn", "-k", "linear"]) == 0
    python, other = ".venv/bin/python", ".venv-torch/bin/python"
    assert runs == [
        (".venv/bin/chainrule", "train", "examples/data/breast_cancer.csv"),
        (python, "-m", "pytest", "-n", "2", "--ignore=tests/torch"),
        (python, "-m", "ruff", "check", "."),
        (python, "-m", "ruff", "format", "--check", "."),
        (python, "-m", "mypy"),
        (other, "-m", "pytest", "-n", "2", "tests/torch"),
        (python, "-m", "pytest", "-n", "2", "--ignore=tests/torch", "tests/nn", "-k", "linear"),
    ]
    # Training needs the package alone; each environment is installed once.
    peers = ("-e", ".[dev]", "torch==2.13.0", "jax==0.10.2")
    assert machine.installed() == [("-e", "."), ("-e", ".[dev]"), peers]


def test_run_gives_back_the_status_and_the_users_settings_win(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOSEN", "by the user")
    script = (
        "import os, sys; sys.exit(os.environ['CHOSEN'] == 'by the user' and os.environ['OTHER'] == '1' and 7)"
    )
    settings = {"CHOSEN": "by us", "OTHER": "1"}
    assert dev.run(Path(sys.executable), "-c", script, settings=settings) == 7


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_interrupted_program_ends_by_itself(tmp_path: Path) -> None:
    # Ctrl-C reaches a training run and `dev.py` at once. The run saves what it has, and `dev.py` must wait.
    child = textwrap.dedent("""
        import time
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(1)  # longer than subprocess.run would wait before it kills
            print("saved", flush=True)
            raise SystemExit(9)
    """)
    parent = f"import runpy; d = runpy.run_path({str(SCRIPT)!r}); "
    parent += f"raise SystemExit(d['run'](d['Path']({sys.executable!r}), '-c', {child!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == "saved\n"
        assert process.wait(timeout=30) == 9


# The environment --------------------------------------------------------------------------------------------


def test_environment_is_made_once(
    dev: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        dev.environment(".venv", "-e", ".")
    assert machine.installed() == [("-e", ".")]
    assert capsys.readouterr().out == (
        "making the virtual environment '.venv'\ninstalling into '.venv': . (minutes, the first time)\n"
    )


def test_installs_again_when_the_metadata_change_or_the_checkout_has_moved(
    dev: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.environment(".venv", "-e", ".")
    (dev.ROOT / "pyproject.toml").write_text("[project]\nname = 'other'\n", encoding="utf-8")
    dev.environment(".venv", "-e", ".")
    assert len(machine.installed()) == 2
    moved = dev.ROOT.parent / "moved here"
    dev.ROOT.rename(moved)
    monkeypatch.setattr(dev, "ROOT", moved)
    dev.environment(".venv", "-e", ".")
    assert len(machine.installed()) == 3


def test_failed_installation_is_shown_and_tried_again(dev: ModuleType, machine: Machine) -> None:
    machine.failing = "install"
    assert message(dev, "train") == (
        "the reason\n"
        "pip could not install . into '.venv'; its lines above say why\n"
        "try: look at the network connection (or its proxy), and run this again"
    )
    machine.failing = ""
    dev.environment(".venv", "-e", ".")
    assert machine.installed() == [("-e", "."), ("-e", ".")]


def test_failed_environment_leaves_nothing_behind(dev: ModuleType, machine: Machine) -> None:
    machine.failing = "venv"
    folder = dev.ROOT / ".venv"
    assert message(dev, "train") == (
        f"the reason\npython -m venv could not make '{folder}'; its lines above say why"
    )
    assert not folder.exists()


def test_interrupted_environment_leaves_nothing_behind(
    dev: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*command: str) -> None:
        machine.captured(*command)
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "captured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dev.environment(".venv", "-e", ".")
    assert not (dev.ROOT / ".venv").exists()


def test_python_without_venv(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else known(name)
    )
    assert message(dev, "train") == (
        f"this Python ({sys.executable}) comes without venv or ensurepip\n"
        "try: sudo apt install python3-venv (on Debian and Ubuntu), or a Python from python.org"
    )


def test_broken_environment_is_left_alone(dev: ModuleType, machine: Machine) -> None:
    folder = dev.ROOT / ".venv"
    folder.mkdir()
    machine.failing = "-c"
    assert message(dev, "train") == (
        "'.venv' is there, but has no working Python 3.11 or later with pip\n"
        f"try: delete the folder '{folder}', and run this again"
    )
    assert folder.exists()


def test_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    version = namedtuple("version", "major minor micro releaselevel serial")
    monkeypatch.setattr(sys, "version_info", version(3, 10, 13, "final", 0))
    monkeypatch.setattr(sys, "version", "3.10.13 (main, ...)")
    monkeypatch.setattr(sys, "argv", ["dev.py", "train"])
    with pytest.raises(SystemExit) as info:
        runpy.run_path(str(SCRIPT))
    assert str(info.value) == (
        "chainrule needs Python 3.11 or later; this is 3.10.13\n"
        f"try: python3.11 {SCRIPT} train, or any later one"
    )
