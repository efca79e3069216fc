"""What the tests of `chainrule.compat` share: chainrule in the place of PyTorch, and a folder to run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainrule import compat

collect_ignore = ["programs"]  # they import torch, which the tests decide about


@pytest.fixture
def standing_in(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """chainrule is what `import torch` gives, whether PyTorch is installed or not."""
    compat.install(shadow=True)
    capsys.readouterr()
    yield
    compat.uninstall()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the test runs in; beside it there is room for `../data`."""
    made = tmp_path / "course"
    made.mkdir()
    monkeypatch.chdir(made)
    return made
