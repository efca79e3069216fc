"""Errors: the one form of a message, the user's line in it, the classes, and what is shown of a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import chainrule as torch
from chainrule.core import errors
from chainrule.core.errors import (
    ArgumentError,
    ChainruleError,
    DTypeError,
    GradError,
    IndexingError,
    ShapeError,
    compose,
    describe,
    nearest,
)

SOURCE = str(Path(torch.__file__).parent.parent)


def test_the_form_of_a_message() -> None:
    assert compose("f", "", "", "", None) == "f"
    assert compose("f", "a shape", "", "", None) == "f got a shape"
    assert compose("f", "this", "that must hold", "g instead", None) == (
        "f got this\n  that must hold\n  try: g instead"
    )
    assert compose("f", "", "that must hold", "", None) == "f\n  that must hold"


def test_the_summary_is_the_message_without_the_line() -> None:
    err = ShapeError.of("f", given="x", must="y", hint="z")
    assert err.summary == "f got x\n  y\n  try: z"
    assert str(err).startswith(err.summary + "\n  at ")
    bare = ShapeError.of("f", given="x", at=False)
    assert str(bare) == bare.summary == "f got x"


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (ShapeError, (RuntimeError, ValueError)),
        (DTypeError, (RuntimeError, TypeError)),
        (GradError, (RuntimeError,)),
        (IndexingError, (IndexError,)),
        (ArgumentError, (ValueError, TypeError, RuntimeError)),
    ],
)
def test_the_classes_are_those_that_course_code_catches(
    kind: type[ChainruleError], also: tuple[type[Exception], ...]
) -> None:
    assert issubclass(kind, ChainruleError)
    for builtin in also:
        with pytest.raises(builtin):
            raise kind.of("f")


def line_below() -> int:
    return sys._getframe(1).f_lineno + 1


def test_the_line_is_that_of_the_user() -> None:
    with pytest.raises(ShapeError) as caught:
        line = line_below()
        torch.ones(2) + torch.ones(3)
    assert str(caught.value).endswith(f"test_errors.py:{line}")


def test_the_line_of_a_call_over_several_lines_is_its_first() -> None:
    with pytest.raises(ShapeError) as caught:
        line = line_below()
        torch.add(
            torch.ones(2),
            torch.ones(3),
        )
    assert str(caught.value).endswith(f"test_errors.py:{line}")


def test_the_line_is_found_through_functions_of_the_package() -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    with pytest.raises(ShapeError) as caught:
        line = line_below()
        layer(torch.ones(5))
    assert f"test_errors.py:{line}" in str(caught.value)


def test_the_line_in_a_function_that_the_package_calls_back() -> None:
    def loss(x: torch.Tensor) -> torch.Tensor:
        return x @ torch.ones(7)  # wrong, and called by gradcheck

    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    with pytest.raises((ShapeError, DTypeError)) as caught:
        torch.autograd.gradcheck(loss, x)
    assert f"test_errors.py:{loss.__code__.co_firstlineno + 1}" in str(caught.value)


def test_the_path_is_relative_to_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frame = sys._getframe()
    site = (frame.f_code, frame.f_lasti)
    here = Path(__file__)
    monkeypatch.chdir(here.parent)
    assert describe(site).startswith("test_errors.py:")
    monkeypatch.chdir(here.parent.parent)
    assert describe(site).startswith(f"core{os.sep}test_errors.py:")
    monkeypatch.chdir(tmp_path)  # not below it: the whole path
    assert describe(site).startswith(f"{here}:")


def test_a_working_directory_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = sys._getframe()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        assert describe((frame.f_code, frame.f_lasti)).startswith(f"{Path(__file__)}:")
    finally:
        os.chdir(tmp_path)


def test_an_unknown_line() -> None:
    assert describe(None) == "an unknown line"


def test_code_without_a_file() -> None:
    code = compile("torch.ones(2) + torch.ones(3)", "<a snippet>", "eval")
    with pytest.raises(ShapeError) as caught:
        eval(code, {"torch": torch})
    assert str(caught.value).endswith("at <a snippet>:1")


def test_a_near_miss() -> None:
    assert nearest("cosine", ["cos", "cosine_annealing", "step"]) in (
        " (did you mean 'cos'?)",
        " (did you mean 'cosine_annealing'?)",
    )
    assert nearest("stp", ["cos", "step"]) == " (did you mean 'step'?)"
    assert nearest("xyz", ["cos", "step"]) == ""


# -- uncaught errors -------------------------------------------------------------------------------------

PROGRAM = """
import chainrule as torch

def inner():
    return torch.ones(2, 3) + torch.ones(4)

inner()
"""


def run(tmp_path: Path, program: str, **settings: str) -> str:
    """What a program prints to stderr while it fails."""
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    environment = {k: v for k, v in os.environ.items() if k != "CHAINRULE_TRACEBACK"}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": SOURCE, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


TEXT = """\
chainrule.core.errors.ShapeError: x + y got shapes (2, 3) and (4,)
  read from the right, sizes must be equal or 1; the last axis has 3 and 4
  try: reshape or unsqueeze one of them so that the axes line up
  at program.py:5
"""


def test_an_uncaught_error_shows_the_users_frames_only(tmp_path: Path) -> None:
    shown = run(tmp_path, PROGRAM)
    assert 'program.py", line 7, in <module>' in shown
    assert 'program.py", line 5, in inner' in shown
    assert SOURCE not in shown
    assert shown.endswith(
        TEXT + "  (chainrule's own frames are hidden; CHAINRULE_TRACEBACK=full shows them)\n"
    )


def test_the_switch_shows_all_frames(tmp_path: Path) -> None:
    shown = run(tmp_path, PROGRAM, CHAINRULE_TRACEBACK="full")
    assert 'program.py", line 5, in inner' in shown
    assert f'File "{SOURCE}' in shown
    assert shown.endswith(TEXT)


def test_other_errors_are_left_alone(tmp_path: Path) -> None:
    shown = run(tmp_path, "import chainrule as torch\ntorch.ones(2).no_such_method()\n")
    assert "AttributeError" in shown
    assert "frames are hidden" not in shown


def test_an_error_made_of_ours_shows_both(tmp_path: Path) -> None:
    program = """
    import chainrule as torch
    try:
        torch.ones(2) + torch.ones(3)
    except RuntimeError as err:
        raise KeyError("mine") from err
    """
    shown = run(tmp_path, program)
    assert "x + y got shapes (2,) and (3,)" in shown
    assert shown.endswith("KeyError: 'mine'\n")


def test_a_hook_that_was_there_before_still_runs(tmp_path: Path) -> None:
    program = """
    import sys
    sys.excepthook = lambda kind, err, tb: print("mine:", kind.__name__, file=sys.stderr)
    import chainrule as torch
    torch.ones(2) + torch.ones(3)
    """
    assert run(tmp_path, program) == "mine: ShapeError\n"


def test_the_hook_is_installed_once() -> None:
    before = sys.excepthook
    previous = errors._previous_hook
    try:
        errors.install_excepthook()
        installed = sys.excepthook
        errors.install_excepthook()
        assert sys.excepthook is installed
    finally:
        sys.excepthook = before
        errors._previous_hook = previous
