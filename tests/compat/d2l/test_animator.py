"""Curves that grow: their points, and where the picture goes in a notebook, in a window, without a screen."""

from __future__ import annotations

import atexit
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chainrule as torch
from chainrule.compat import pictures
from chainrule.compat.d2l import animator as animators
from chainrule.compat.d2l import torch as d2l


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    d2l.plt.close("all")


def grown(**options: Any) -> d2l.Animator:
    animator = d2l.Animator(xlabel="epoch", legend=["train", "test"], **options)
    for epoch in range(1, 4):
        animator.add(epoch, (torch.tensor(1.0 / epoch, requires_grad=True), None if epoch == 2 else 0.5))
    return animator


def test_points() -> None:
    animator = grown(xlim=[1, 10], ylim=[0, 1])
    assert animator.X == [[1, 2, 3], [1, 3]]
    assert [[1.0, 0.5, pytest.approx(1 / 3)], [0.5, 0.5]] == animator.Y
    (ax,) = animator.axes
    assert [list(line.get_ydata()) for line in ax.lines] == animator.Y
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "test"]
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_xlabel()) == ((1, 10), (0, 1), "epoch")
    animator.close()


def test_one_curve_and_limits_that_follow() -> None:
    animator = d2l.Animator()
    for epoch in range(5):
        animator.add(epoch, torch.tensor(2.0 * epoch))
    low, high = animator.axes[0].get_ylim()
    assert low <= 0 < 8 <= high < 10
    animator.add([5, 6], [1.0, 2.0])  # an x of its own for each curve
    assert (animator.X[1], animator.Y[1]) == ([6.0], [2.0])
    animator.close()


def test_a_grid_of_axes() -> None:
    animator = d2l.Animator(nrows=2, ncols=2)
    assert len(animator.axes) == 4
    animator.axes[3].plot([1, 2])
    animator.add(1, 1)
    assert [len(ax.lines) for ax in animator.axes] == [1, 0, 0, 1]
    animator.close()


def test_without_a_screen_it_is_written_once_and_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    animator = grown()
    assert list(folder.iterdir()) == []
    animator.show()
    animator.show()  # it is shown already
    text = f"the picture is in {folder}/plot.png (no screen here; plot.save chooses another name)\n"
    assert capsys.readouterr().out == text
    assert [path.name for path in folder.iterdir()] == ["plot.png"]


def test_a_program_leaves_its_picture_when_it_ends(folder: Path) -> None:
    code = (
        "from chainrule.compat.d2l import torch as d2l\n"
        "a, b = d2l.Animator(), d2l.Animator()\n"  # the second stays empty
        "a.add(1, 2)\na.add(2, 3)\nprint('done')\nraise SystemExit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == (
        f"done\nthe picture is in {folder}/plot.png (no screen here; plot.save chooses another name)\n"
    )
    assert [path.name for path in folder.iterdir()] == ["plot.png"]


class Display(types.ModuleType):
    """What IPython.display is to the animator, and a list of what was asked of it."""

    def __init__(self) -> None:
        super().__init__("IPython.display")
        self.asked: list[Any] = []

    def display(self, figure: Any) -> None:
        self.asked.append([list(line.get_xdata()) for line in figure.axes[0].lines])

    def clear_output(self, *, wait: bool) -> None:
        self.asked.append(wait)


def test_in_a_notebook_it_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Display()
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    monkeypatch.setitem(sys.modules, "matplotlib_inline", None)
    monkeypatch.setattr(animators, "PAUSE", 0.0)
    registered: list[Any] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    assert pictures.place() == "notebook"
    grown()
    assert shown.asked == [
        [[1.0], [1.0]],
        True,
        [[1.0, 2.0], [1.0]],
        True,
        [[1.0, 2.0, 3.0], [1.0, 3.0]],
        True,
    ]
    assert registered == []  # the notebook keeps it


def test_it_is_not_drawn_more_often_than_eyes_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(pictures, "place", lambda: "window")
    monkeypatch.setattr(animators.Animator, "_present", lambda self: drawn.append(len(self.X[0])))
    monkeypatch.setattr(animators, "PAUSE", 1000.0)
    animator = d2l.Animator()
    for i in range(100):
        animator.add(i, i)
    assert drawn == [1]
    assert len(animator.axes[0].lines[0].get_xdata()) == 100  # whoever looks later sees all
    animator.close()


def test_in_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    opened: list[Any] = []
    monkeypatch.setattr(pictures, "place", lambda: "window")
    monkeypatch.setattr(d2l.plt, "pause", paused.append)
    monkeypatch.setattr(d2l.plt.Figure, "show", lambda self: opened.append(self))
    monkeypatch.setattr(animators, "PAUSE", 0.0)
    animator = grown()
    assert len(paused) == 3
    assert opened == [animator.fig] * 3
    animator.close()
