"""No dead tests: a test whose name is used twice, or that pytest does not collect, fails here.

It reads the test files without running them. `problems` is the check and has tests of its own below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Folders that pytest never enters (its `norecursedirs`).
SKIPPED = {"build", "dist", "CVS", "_darcs", "node_modules", "venv", "{arch}"}


def problems(path: PurePosixPath, source: str) -> list[str]:
    """What is wrong with the tests in one file, as lines for a reader; an empty list if nothing is."""
    tree = ast.parse(source)
    found = [f"{path}:{line}: {what}" for line, what in _in_scope(tree.body, "", collected=True)]
    tests = [node for node in ast.walk(tree) if _is_test(node)]
    if tests and not path.name.startswith("test_"):
        found.append(f"{path}: has tests, but only files named test_*.py are collected")
    if tests and (path.parts[0] != "tests" or SKIPPED & set(path.parts)):
        found.append(f"{path}: pytest does not look for tests in this folder")
    if path.name.startswith("test_") and not tests:
        found.append(f"{path}: is named like a test file, but has no test")
    return found


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _in_scope(body: list[ast.stmt], owner: str, *, collected: bool) -> Iterator[tuple[int, str]]:
    """Walk one module, class or function; `collected` says whether pytest looks for tests in it."""
    lines: dict[str, int] = {}
    for node in _statements(body):
        if isinstance(node, ast.ClassDef):
            is_tests = node.name.startswith("Test")
            names = {child.name for child in node.body if isinstance(child, ast.FunctionDef)}
            if is_tests and "__init__" in names:
                yield node.lineno, f"class {node.name} has an __init__, so pytest does not collect it"
            yield from _in_scope(node.body, f"{owner}{node.name}.", collected=collected and is_tests)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_test(node) and not collected:
                yield node.lineno, f"{owner}{node.name} is where pytest does not collect it"
            yield from _in_scope(node.body, f"{owner}{node.name}.", collected=False)
        else:
            continue
        if node.name.startswith(("test", "Test")):
            if node.name in lines:
                yield node.lineno, f"{owner}{node.name} is defined again (first in line {lines[node.name]})"
            lines.setdefault(node.name, node.lineno)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body and of the `if`, `for`, `with` and `try` in it, which open no scope."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _statements(getattr(node, field, []))


def test_every_test_of_the_repository_is_collected_once() -> None:
    files = [
        path
        for folder in ("tests", "src", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]
    assert ROOT / "tests" / "test_suite_itself.py" in files
    found = [
        line
        for path in files
        for line in problems(
            PurePosixPath(path.relative_to(ROOT).as_posix()), path.read_text(encoding="utf-8")
        )
    ]
    assert not found, "\n".join(found)


GOOD = """
def helper(): ...
def test_one(): ...
class TestMore:
    def test_one(self): ...
    class TestDeeper:
        def test_one(self): ...
"""


def test_a_good_file_has_no_problems() -> None:
    assert problems(PurePosixPath("tests/nn/test_good.py"), GOOD) == []


@pytest.mark.parametrize(
    ("path", "source", "problem"),
    [
        (
            "tests/test_a.py",
            "def test_x(): ...\ndef test_x(): ...",
            "tests/test_a.py:2: test_x is defined again (first in line 1)",
        ),
        (
            "tests/test_a.py",
            "class TestA:\n    def test_x(self): ...\n    def test_x(self): ...",
            "tests/test_a.py:3: TestA.test_x is defined again (first in line 2)",
        ),
        (
            "tests/test_a.py",
            "class TestA:\n    def test_x(self): ...\nclass TestA:\n    def test_y(self): ...",
            "tests/test_a.py:3: TestA is defined again (first in line 1)",
        ),
        (
            "tests/test_a.py",
            "def test_x(): ...\nif True:\n    def test_x(): ...",
            "tests/test_a.py:3: test_x is defined again (first in line 1)",
        ),
        (
            "tests/test_a.py",
            "class Losses:\n    def test_x(self): ...",
            "tests/test_a.py:2: Losses.test_x is where pytest does not collect it",
        ),
        (
            "tests/test_a.py",
            "def test_x():\n    def test_y(): ...",
            "tests/test_a.py:2: test_x.test_y is where pytest does not collect it",
        ),
        (
            "tests/test_a.py",
            "class TestA:\n    def __init__(self): ...\n    def test_x(self): ...",
            "tests/test_a.py:1: class TestA has an __init__, so pytest does not collect it",
        ),
        (
            "tests/losses.py",
            "def test_x(): ...",
            "tests/losses.py: has tests, but only files named test_*.py are collected",
        ),
        (
            "src/chainrule/test_a.py",
            "def test_x(): ...",
            "src/chainrule/test_a.py: pytest does not look for tests in this folder",
        ),
        (
            "tests/build/test_a.py",
            "def test_x(): ...",
            "tests/build/test_a.py: pytest does not look for tests in this folder",
        ),
        (
            "tests/test_a.py",
            "def tset_x(): ...",
            "tests/test_a.py: is named like a test file, but has no test",
        ),
    ],
)
def test_a_bad_file_is_found_out(path: str, source: str, problem: str) -> None:
    assert problems(PurePosixPath(path), source) == [problem]
