"""install and uninstall: what `import torch` gives, with and without PyTorch in the environment."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule import compat
from chainrule.compat.finder import Finder, real

OURS = ("torch", "torchvision", "d2l", "IPython", "matplotlib_inline")


def version(name: str) -> str:
    if name == "torch":
        return "9.9.9"
    raise importlib.metadata.PackageNotFoundError(name)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No module of the names that are ours has been imported; all is as before afterwards."""
    before = {name: m for name, m in sys.modules.items() if name.partition(".")[0] in OURS}
    for name in before:
        del sys.modules[name]
    yield
    compat.uninstall()
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def without_torch(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which nothing of ours is installed."""

    class Blind:
        def __init__(self, finder: Any) -> None:
            self.finder = finder

        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            return None if name in OURS else self.finder.find_spec(name, path, target)

    monkeypatch.setattr(sys, "meta_path", [Blind(finder) for finder in sys.meta_path])


@pytest.fixture
def with_torch(clean: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which another package is called torch."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("real = True")
    (tmp_path / "torch" / "nn.py").write_text("real = True")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(importlib.metadata, "version", version)


def test_without_pytorch_nothing_is_said(without_torch: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("torch")
    assert compat.install()
    assert compat.install()  # a second time changes nothing
    assert sum(isinstance(finder, Finder) for finder in sys.meta_path) == 1
    assert importlib.import_module("torch.nn").Linear
    assert importlib.import_module("IPython.display").display
    assert importlib.import_module("matplotlib_inline.backend_inline").set_matplotlib_formats
    compat.uninstall()
    assert not [name for name in sys.modules if name.partition(".")[0] in OURS]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("torch")
    assert capsys.readouterr() == ("", "")


def test_pytorch_is_left_alone(with_torch: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert not compat.install()
    assert importlib.import_module("torch").real
    assert capsys.readouterr().err == (
        "chainrule.compat: PyTorch 9.9.9 is installed here and stays what `import torch` gives; "
        "chainrule does not stand in (shadow=True makes it)\n"
    )
    assert not any(isinstance(finder, Finder) for finder in sys.meta_path)


@pytest.mark.parametrize("imported_before", [False, True])
def test_pytorch_is_shadowed_if_asked(
    with_torch: None, imported_before: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = importlib.import_module("torch.nn") if imported_before else None
    assert compat.install(shadow=True)
    assert capsys.readouterr().err == (
        "chainrule.compat: PyTorch 9.9.9 is installed here, but `import torch` gives chainrule "
        "in this program, as asked for\n"
    )
    assert not hasattr(importlib.import_module("torch.nn"), "real")
    compat.uninstall()
    after = importlib.import_module("torch.nn")
    assert after.real
    assert before is None or after is before


def test_what_counts_as_installed(with_torch: None, tmp_path: Path) -> None:
    assert real("torch") == "PyTorch 9.9.9"
    (tmp_path / "d2l").mkdir()  # a folder of that name beside a program is no package
    assert real("d2l") == ""
    (tmp_path / "d2l" / "__init__.py").write_text("")
    importlib.invalidate_caches()
    assert real("d2l") == "d2l"
    compat.install(shadow=True)
    importlib.import_module("torch")
    assert real("torch") == "PyTorch 9.9.9"


def test_other_imports_are_not_touched(without_torch: None) -> None:
    compat.install()
    with pytest.raises(ModuleNotFoundError, match="No module named 'torchaudio'"):
        importlib.import_module("torchaudio")
    assert importlib.util.find_spec("numpy") is not None
    assert importlib.util.find_spec("torch") is not None
