"""`install` and `uninstall`: whether `import torch` finds chainrule.

A finder at the front of `sys.meta_path` answers for the names in `standins.py` and for no others. PyTorch
that is installed in the same environment is not shadowed unless that is asked for; then nothing at all is
installed, since half of a program on each of them could not work. What happened is said on standard error.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .standins import IF_ABSENT, ROOTS, MissingModule, Standin, loaded, missing, target_of


class Finder(MetaPathFinder):
    """Finds the stand-ins for some roots, by names such as "torch"."""

    def __init__(self, roots: frozenset[str], aside: dict[str, ModuleType]) -> None:
        self.roots = roots
        self.aside = aside  # real modules that were in `sys.modules`, for `uninstall`

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of a stand-in; None for a name that is not ours to answer for."""
        if fullname.partition(".")[0] not in self.roots:
            return None
        module = target_of(fullname)
        if module is None:
            raise MissingModule.of(missing(fullname), at=False)
        return ModuleSpec(fullname, _Loader(module), is_package=True)


class _Loader(Loader):
    def __init__(self, target: ModuleType) -> None:
        self.target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Standin(spec.name, self.target)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the target has been imported already."""


_installed: list[Finder] = []  # at most one


def install(*, shadow: bool = False) -> bool:
    """From now on `import torch`, `torchvision` and `from d2l import torch as d2l` give chainrule.

    A line on standard error says so where PyTorch is installed too: it is left alone, and nothing changes,
    unless shadow. What was imported from it before keeps working with it.

    Args:    shadow: stand in even where PyTorch is installed.
    Returns: whether chainrule stands in now.

    >>> from chainrule import compat
    >>> compat.install(shadow=True)
    True
    >>> import torch
    >>> torch
    <module 'torch': chainrule stands in>
    >>> from torch import nn
    >>> nn.Linear(2, 1)
    Linear(in_features=2, out_features=1, bias=True)
    >>> compat.uninstall()
    """
    if _installed:
        return True
    there = real("torch")
    if there and not shadow:
        _say(
            f"{there} is installed here and stays what `import torch` gives; chainrule does not stand in "
            "(shadow=True makes it)"
        )
        return False
    roots = frozenset(ROOTS) | {name for name in IF_ABSENT if not real(name)}
    aside = {name: m for name, m in sys.modules.items() if name.partition(".")[0] in roots}
    for name in aside:
        del sys.modules[name]
    finder = Finder(roots, aside)
    sys.meta_path.insert(0, finder)
    _installed.append(finder)
    if there:
        _say(f"{there} is installed here, but `import torch` gives chainrule in this program, as asked for")
    return True


def uninstall() -> None:
    """Undo `install`: `import torch` means again what it meant before. Without it, nothing happens.

    >>> from chainrule import compat
    >>> compat.uninstall()
    """
    while _installed:
        finder = _installed.pop()
        sys.meta_path.remove(finder)
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(finder.aside)


def real(name: str) -> str:
    """What `import name` would find besides stand-ins, as `PyTorch 2.13.0`; "" if nothing."""
    module = sys.modules.get(name)
    if module is None or isinstance(module, Standin):
        specs = (f.find_spec(name, None) for f in sys.meta_path if not isinstance(f, Finder))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or spec.loader is None:  # a folder without __init__.py is no package of that name
            return ""
    title = "PyTorch" if name == "torch" else name
    try:
        return f"{title} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return title


def _say(text: str) -> None:
    sys.stderr.write(f"chainrule.compat: {text}\n")
