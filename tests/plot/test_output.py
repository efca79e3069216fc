"""Where pictures go: files of all formats, a window, the notebook, and a file where there is no screen."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
from matplotlib.figure import Figure

from chainrule import plot
from chainrule.plot import output

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, folder: Path, backend: str) -> str:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    environment = {key: value for key, value in os.environ.items() if key not in screens}
    environment |= {"PYTHONPATH": paths, **({"MPLBACKEND": backend} if backend else {})}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF"), ("a", b"\x89PNG")]
)
def test_save_writes_the_format_of_the_name(tmp_path: Path, name: str, start: bytes) -> None:
    path = plot.save(tmp_path / name, plot.normal())
    assert path == tmp_path / ("a.png" if name == "a" else name)
    assert path.read_bytes().startswith(start)


def test_save_takes_an_axes_a_figure_or_the_last_picture(tmp_path: Path) -> None:
    first, last = plot.normal(figsize=(3, 2)), plot.normal(figsize=(5, 2))
    for picture, width in ((first, 300), (first.figure, 300), (last, 500), (None, 500)):
        path = plot.save(str(tmp_path / "a.png"), picture, dpi=100)
        assert matplotlib.image.imread(path).shape[1] == width


def test_a_picture_in_the_users_figure_is_the_last_one_too(tmp_path: Path) -> None:
    figure = Figure(figsize=(7, 1))
    plot.normal(ax=figure.subfigures(1, 2)[0].add_subplot())
    assert matplotlib.image.imread(plot.save(tmp_path / "a.png", dpi=100)).shape[1] == 700


def test_only_the_last_picture_is_kept() -> None:
    for _ in range(3):
        plot.lines([1, 2])
    assert len(output.last.__globals__["_last"]) == 1


def test_show_without_a_screen_writes_a_file_and_says_where(tmp_path: Path) -> None:
    code = "from chainrule import plot; ax = plot.normal(); plot.show(); print(plot.show(ax).name)"
    out = run(code, tmp_path, "" if sys.platform == "linux" else "agg")
    assert out.splitlines() == [
        f"the picture is in {tmp_path / 'plot.png'} (no screen here; plot.save chooses another name)",
        f"the picture is in {tmp_path / 'plot-2.png'} (no screen here; plot.save chooses another name)",
        "plot-2.png",
    ]
    assert (tmp_path / "plot.png").read_bytes() == (tmp_path / "plot-2.png").read_bytes()
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_show_with_a_screen_opens_windows(tmp_path: Path) -> None:
    code = """
from matplotlib.figure import Figure
from chainrule import plot
from tests.plot.window_backend import FigureManager
ax = plot.normal()
assert plot.show() is None
figure = plot.activations()
plot.show(figure)
plot.normal(ax=ax)
plot.show(ax)
print([shown is ax.figure for shown in FigureManager.shown])
import matplotlib.pyplot as plt
plt.close("all")
plot.show(ax)
print(FigureManager.shown[-1] is ax.figure, len(plt.get_fignums()))
"""
    out = run(code, tmp_path, "module://tests.plot.window_backend")
    # pyplot shows all windows that are open
    assert out.splitlines() == ["[True, True, False, True, False]", "True 1"]
    assert list(tmp_path.iterdir()) == []


class Shell:
    def __init__(self, kernel: object) -> None:
        self.kernel = kernel


def test_show_in_a_notebook_displays(monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[Any] = []
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: Shell(kernel=object())  # type: ignore[attr-defined]
    display.display = displayed.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    ax = plot.normal()
    assert plot.show(ax) is None
    assert displayed == [ax.figure]


def test_a_terminal_of_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: Shell(kernel=None)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(output, "_has_windows", lambda: False)
    monkeypatch.chdir(tmp_path)
    path = plot.show(plot.normal())
    assert path is not None
    assert path.samefile(tmp_path / "plot.png")


def test_where_the_working_directory_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(output, "_has_windows", lambda: False)
    monkeypatch.setattr(Path, "cwd", lambda: Path("/no/such/place"))
    monkeypatch.setattr(output.tempfile, "gettempdir", lambda: str(tmp_path))
    assert plot.show(plot.normal()) == tmp_path / "plot.png"
