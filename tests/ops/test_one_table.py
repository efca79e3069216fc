"""Nobody but the table knows an op by its name: other code asks fields of the entry, or uses the entry.

Found are comparisons of `op.name` with a text, `match` on it, and look-ups of a fixed name in `TABLE`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chainrule

PACKAGE = Path(chainrule.__file__).parent


def by_name(source: str) -> list[int]:
    """The lines that treat an op by its name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            asks = any(map(_is_op_name, sides)) and any(map(_has_text, sides))
        elif isinstance(node, ast.Match):
            asks = _is_op_name(node.subject)
        elif isinstance(node, ast.Subscript):
            value = node.value
            name = value.id if isinstance(value, ast.Name) else getattr(value, "attr", "")
            asks = name == "TABLE" and _has_text(node.slice)
        else:
            asks = False
        if asks:
            found.append(node.lineno)
    return found


def _is_op_name(node: ast.AST) -> bool:
    """`op.name`, `node.op.name`, and the like."""
    if not (isinstance(node, ast.Attribute) and node.attr == "name"):
        return False
    owner = node.value
    return (owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")) in ("op", "primitive")


def _has_text(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(node))


def test_no_file_of_the_package_treats_an_op_by_its_name() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert PACKAGE / "eager.py" in files
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in files
        for line in by_name(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"ops treated by name: {', '.join(found)}; a field of the entry should say it"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("if op.name == 'add': pass", [1]),
        ("x = 1\nif node.op.name in ('neg', 'sub'): pass", [2]),
        ("'exp' != op.name", [1]),
        ("match op.name:\n    case 'add': pass", [1]),
        ("TABLE['add']", [1]),
        ("ops.TABLE['add']", [1]),
        ("TABLE[name]", []),
        ("op.name == other.name", []),
        ("op.kind == 'view'", []),
        ("column.name == 'add'", []),
    ],
)
def test_what_counts_as_by_name(source: str, lines: list[int]) -> None:
    assert by_name(source) == lines
