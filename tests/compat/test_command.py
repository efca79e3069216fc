"""The command line: its options, what it says, and its exit status."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainrule import compat
from chainrule.compat import command
from chainrule.compat.command import USAGE, main


@pytest.fixture(autouse=True)
def cleaned() -> Iterator[None]:
    yield
    compat.uninstall()


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr() == ("", USAGE)
    assert main(["--help"]) == main(["-h", "x.py"]) == 0
    assert capsys.readouterr() == (USAGE * 2, "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--shadwo", "a.py"], "there is no option --shadwo (did you mean '--shadow'?)"),
        (["no.py"], "cannot read no.py: No such file or directory"),
        (["--missing", "good.py", "more"], "--missing takes one file, and then not 'more'"),
        (["--missing", "bad.py"], "bad.py:2: this is not Python: invalid syntax"),
    ],
)
def test_a_wrong_command_line(
    folder: Path, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "good.py").write_text("import torch\n")
    (folder / "bad.py").write_text("import torch\nx = = 1\n")
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"chainrule.compat: error: {text}\n")


def test_missing_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text("import torch\ntorch.nn.Conv2d\ntorch.zero\n1 / 0\n")
    assert main(["--missing", "a.py"]) == 1
    assert capsys.readouterr() == (
        "a.py:2: torch.nn.Conv2d\na.py:3: torch.zero (did you mean torch.zeros?)\n",
        "2 names missing in a.py\n",
    )
    (folder / "b.py").write_text("import torch\ntorch.zero\n")
    assert main(["--missing", "b.py"]) == 1
    assert capsys.readouterr().err == "1 name missing in b.py\n"
    (folder / "c.py").write_text("import torch\ntorch.zeros(3)\n1 / 0")
    assert main(["--missing", "c.py"]) == 0
    assert capsys.readouterr() == ("c.py: every name that can be told without running it is there\n", "")


def test_pytorch_is_not_shadowed_unless_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "real", lambda name: "PyTorch 9.9.9")
    (folder / "a.py").write_text("import torch\nprint(torch.zeros(1))")
    assert main(["a.py"]) == 2
    assert capsys.readouterr() == (
        "",
        "chainrule.compat: error: PyTorch 9.9.9 is installed here and is not shadowed unless asked: "
        "--shadow runs a.py on chainrule\n",
    )
    assert main(["--shadow", "a.py"]) == 0
    assert capsys.readouterr().out == "tensor([0.])\n"


def test_without_pytorch_it_just_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "real", lambda name: "")
    (folder / "a.py").write_text("import sys, torch\nprint(torch.zeros(1), sys.argv)")
    assert main(["a.py", "--shadow", "--missing"]) == 0  # behind the file, options are the program's
    assert capsys.readouterr().out == "tensor([0.]) ['a.py', '--shadow', '--missing']\n"


def test_the_program_as_a_program(folder: Path) -> None:
    (folder / "a.py").write_text("from d2l import torch as d2l\nprint(d2l.ones(2))\nraise SystemExit(7)")
    done = subprocess.run(
        [sys.executable, "-m", "chainrule.compat", "--shadow", "a.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stdout) == (7, "tensor([1., 1.])\n"), done.stderr


@pytest.mark.parametrize(
    ("chosen", "numbers"), [({}, ["a"]), ({"PANDAS_FUTURE_INFER_STRING": "1"}, ["a", "s"])]
)
def test_text_in_tables_is_of_the_type_that_course_programs_expect(
    folder: Path, chosen: dict[str, str], numbers: list[str]
) -> None:
    (folder / "a.py").write_text(
        "import pandas as pd\n"
        "table = pd.DataFrame({'a': [1.0, 2.0], 's': ['x', 'y']})\n"
        "print(list(table.dtypes[table.dtypes != 'object'].index))"
    )
    done = subprocess.run(
        [sys.executable, "-m", "chainrule.compat", "--shadow", "a.py"],
        capture_output=True,
        text=True,
        env={**os.environ, **chosen, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    pandas_3 = int(importlib.metadata.version("pandas").partition(".")[0]) >= 3
    assert done.stdout == f"{numbers if pandas_3 else ['a']}\n", done.stderr


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom chainrule import compat\nfrom chainrule.compat import command\n"
        "print(sorted({'matplotlib', 'pandas', 'PIL', 'pooch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
