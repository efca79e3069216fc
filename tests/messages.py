"""Which messages exist in a file, and which of them some actions bring about: untested messages rot."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from chainrule.core.errors import ChainruleError


def made_in(path: Path) -> dict[tuple[str, int], range]:
    """The calls `SomeError.of(...)` in a file: (path, first line) -> all lines of the call."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "of":
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id.endswith("Error"):
                assert node.end_lineno is not None
                found[str(path), node.lineno] = range(node.lineno, node.end_lineno + 1)
    return found


def brought_about(
    actions: Iterable[Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> set[tuple[str, int]]:
    """(file, line) of the calls of `SomeError.of` while the actions run; each action must fail."""
    seen = set()
    make = ChainruleError.of.__func__  # type: ignore[attr-defined]

    def of(cls: type[ChainruleError], *args: Any, **facts: Any) -> ChainruleError:
        frame = sys._getframe(1)
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        error: ChainruleError = make(cls, *args, **facts)
        return error

    monkeypatch.setattr(ChainruleError, "of", classmethod(of))
    for action in actions:
        with pytest.raises(ChainruleError):
            action()
    return seen


def untested(
    paths: Iterable[Path], actions: Iterable[Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """`file:line` of the messages that no action brings about."""
    seen = brought_about(actions, monkeypatch)
    return [
        f"{Path(file).name}:{line}"
        for path in paths
        for (file, line), lines in made_in(path).items()
        if not any((file, n) in seen for n in lines)
    ]
