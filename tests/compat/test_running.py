"""Running scripts and notebooks: what they find, what is shown, how they end, and traces."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from chainrule.compat.program import read
from chainrule.compat.running import run

pytestmark = pytest.mark.usefixtures("standing_in")


def script(folder: Path, text: str, *arguments: str) -> int:
    (folder / "train.py").write_text(text, encoding="utf-8")
    return run(read(Path("train.py")), list(arguments))


def notebook(folder: Path, *cells: str) -> int:
    made = [{"cell_type": "code", "source": source} for source in cells]
    (folder / "lesson.ipynb").write_text(json.dumps({"cells": made}), encoding="utf-8")
    return run(read(Path("lesson.ipynb")), [])


def without_marks(trace: str) -> str:
    """A trace without the lines that mark a part of the line above, which differ from Python to Python."""
    return "".join(line for line in trace.splitlines(True) if line.strip(" ~^\n"))


def test_a_script_finds_what_python_gives_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "helper.py").write_text("value = 7", encoding="utf-8")
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    status = script(
        folder,
        "import sys, helper, __main__\n"
        "x = helper.value\n"
        "print(__name__, __file__, sys.argv[1:], __main__.x, sys.path[0])\n"
        "x\n",
        "--lr",
        "3",
    )
    assert status == 0
    assert capsys.readouterr() == (f"__main__ train.py ['--lr', '3'] 7 {folder}\n", "")
    assert (sys.argv, list(sys.path), sys.modules["__main__"]) == before
    del sys.modules["helper"]


@pytest.mark.parametrize(
    ("text", "status", "err"),
    [
        ("import sys\nsys.exit()", 0, ""),
        ("import sys\nsys.exit(5)", 5, ""),
        ("import sys\nsys.exit('no data')", 1, "no data\n"),
    ],
)
def test_how_a_script_ends(
    folder: Path, text: str, status: int, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(folder, text) == status
    assert capsys.readouterr().err == err


def test_a_trace_begins_in_the_script(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script(folder, "def f(x):\n    return 1 / x\nf(0)\n") == 1
    assert without_marks(capsys.readouterr().err) == (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 3, in <module>\n'
        "    f(0)\n"
        '  File "train.py", line 2, in f\n'
        "    return 1 / x\n"
        "ZeroDivisionError: division by zero\n"
    )


def test_a_trace_names_cell_and_line_and_hides_our_frames(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        notebook(folder, "import torch\ndef f(x):\n    return x @ torch.ones(3)\n", "\nf(torch.ones(2))") == 1
    )
    assert without_marks(capsys.readouterr().err) == (
        "Traceback (most recent call last):\n"
        '  File "lesson.ipynb, cell 2", line 2, in <module>\n'
        "    f(torch.ones(2))\n"
        '  File "lesson.ipynb, cell 1", line 3, in f\n'
        "    return x @ torch.ones(3)\n"
        "chainrule.core.errors.ShapeError: torch.dot got vectors of 2 and 3 elements\n"
        "  both must have the same number of elements\n"
        "  at lesson.ipynb, cell 1:3\n"
        "  (chainrule's own frames are hidden; CHAINRULE_TRACEBACK=full shows them)\n"
    )


def test_what_python_cannot_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script(folder, "x = [1,\n") == 1
    assert capsys.readouterr().err == (
        "  File \"train.py\", line 1\n    x = [1,\n        ^\nSyntaxError: '[' was never closed\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import torch\nnet = torch.nn.Conv2d(1, 2, 3)", "train.py:2: chainrule has no torch.nn.Conv2d\n"),
        ("x = 1\nfrom torch.nn import Conv2d", "train.py:2: chainrule has no torch.nn.Conv2d\n"),
        ("\n\nimport torch.cuda.amp", "train.py:3: chainrule has no torch.cuda.amp\n"),
        (
            "import torch\ndef f():\n    return torch.softmin\nf()",
            "train.py:3: chainrule has no torch.softmin (there is torch.nn.functional.softmin)\n",
        ),
    ],
)
def test_a_missing_name_is_one_line(
    folder: Path, text: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(folder, text) == 1
    assert capsys.readouterr().err == line


def test_a_missing_name_in_a_notebook(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook(folder, "import torch", "x = 1\ntorch.nn.Conv2d") == 1
    assert capsys.readouterr().err == "lesson.ipynb, cell 2, line 2: chainrule has no torch.nn.Conv2d\n"


def test_a_program_may_do_without_a_missing_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import torch\n"
        "try:\n    from torch.nn import Conv2d\nexcept ImportError:\n    print('no Conv2d')\n"
        "print(hasattr(torch, 'mps'))\n"
    )
    assert script(folder, text) == 0
    assert capsys.readouterr() == ("no Conv2d\nFalse\n", "")


def test_ctrl_c(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script(folder, "raise KeyboardInterrupt") == 130
    assert capsys.readouterr().err.endswith("raise KeyboardInterrupt\nKeyboardInterrupt\n")


def test_a_notebook_shows_the_last_value_of_a_cell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = ("import torch\ntorch.arange(3)", "x = 1", "'text'", "x;", "None", "_ + '!'", "display(x, x)", "")
    assert notebook(folder, *cells) == 0
    assert capsys.readouterr() == ("tensor([0, 1, 2])\n'text'\n'text!'\n1\n1\n", "")


def test_a_notebook_runs_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "course").mkdir()
    path = tmp_path / "course" / "lesson.ipynb"
    cells = [{"cell_type": "code", "source": "import os\nprint(os.getcwd())"}]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(read(Path("course/lesson.ipynb")), []) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'course'}\n"
    assert Path(os.getcwd()) == tmp_path


def test_skipped_lines_are_said_when_their_cell_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notebook(folder, "%matplotlib inline\n1 / 0", "!pip install d2l") == 1
    assert capsys.readouterr().err.startswith(
        "chainrule.compat: lesson.ipynb, cell 1, line 1: skipped %matplotlib inline\nTraceback"
    )
    assert script(folder, "%load_ext autoreload\nprint(1)") == 0
    assert capsys.readouterr() == ("1\n", "chainrule.compat: train.py:1: skipped %load_ext autoreload\n")


PLOT = "from d2l import torch as d2l\nd2l.plot([1, 2, 3], [1, 4, 9])\nd2l.plt.show()\n"


def test_open_pictures_are_written_at_the_end_of_a_script(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(folder, PLOT + "d2l.plt.figure()\n") == 0  # an empty figure is none
    assert capsys.readouterr() == (
        f"the picture is in {folder}/plot.png (no screen here; plot.save chooses another name)\n",
        "",
    )
    assert (folder / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_open_pictures_are_written_at_the_end_of_each_cell(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notebook(folder, PLOT, "1 + 1", PLOT) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in out] == [
        f"the picture is in {folder}/plot.png",
        "2",
        f"the picture is in {folder}/plot-2.png",
    ]


# A class in the way of the book's chapter, where readers write the animator themselves.
ANIMATOR = """
from IPython import display
from d2l import torch as d2l

class Animator:
    def __init__(self, xlabel=None, legend=None, xlim=None, nrows=1, ncols=1, figsize=(3.5, 2.5)):
        d2l.use_svg_display()
        self.fig, self.axes = d2l.plt.subplots(nrows, ncols, figsize=figsize)
        if nrows * ncols == 1:
            self.axes = [self.axes, ]
        self.config_axes = lambda: d2l.set_axes(
            self.axes[0], xlabel, None, xlim, None, 'linear', 'linear', legend)
        self.X, self.Y = [], []

    def add(self, x, y):
        self.X.append(x)
        self.Y.append(y)
        self.axes[0].cla()
        self.axes[0].plot(self.X, self.Y, 'm--')
        self.config_axes()
        display.display(self.fig)
        display.clear_output(wait=True)

animator = Animator(xlabel='epoch', legend=['loss'], xlim=[0, 4])
for epoch in range(4):
    animator.add(epoch, 1 / (epoch + 1))
"""


def test_an_animator_of_the_readers_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook(folder, ANIMATOR, "len(animator.axes[0].lines)") == 0
    assert capsys.readouterr() == (
        f"the picture is in {folder}/plot.png (no screen here; plot.save chooses another name)\n1\n",
        "",
    )


def test_pictures_of_a_script_that_fails_are_not_lost(folder: Path) -> None:
    assert script(folder, PLOT + "1 / 0") == 1
    assert (folder / "plot.png").exists()
