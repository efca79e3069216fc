"""Completeness of the comparisons: every name that ours and PyTorch share is used in one of them.

A name counts as compared if a comparison under tests/torch uses it in an expression: in the code of the files
there, in a table of expressions, in a method that a table's row is turned into, or as a name in a list that
the file looks up in the library. Comments and docstrings do not count.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import chainrule
from tests.torch.both import _alternatives
from tests.torch.functions.test_methods import IN_PLACE, METHODS

FOLDER = Path(__file__).parent

# What a namespace is called in expressions and in the comparisons' own code.
SPELLINGS = {
    "": {"T", "torch", "chainrule", "lib", "reference"},
    "linalg": {"T.linalg", "torch.linalg", "chainrule.linalg"},
    "autograd": {"T.autograd", "torch.autograd", "chainrule.autograd"},
    "nn.functional": {"F", "TF", "T.nn.functional", "torch.nn.functional", "module.functional"},
    "nn.init": {"init", "nn.init", "T.nn.init", "torch.nn.init"},
}

# Shared names without a comparison, and why.
EXCLUDED = {
    "": {
        "load": "reads files of its own format",
        "save": "writes files of its own format",
        "seed": "draws a seed from the system: nothing to compare",
        "matrix_rank": "PyTorch's only says that it has moved to linalg",
    },
    "Tensor": {},
    "linalg": {},
    "autograd": {},
    "nn.functional": {},
    "nn.init": {},
}


def shared(namespace: str) -> set[str]:
    """Public names on both sides: functions and classes, and for tensors properties too."""
    if namespace == "Tensor":
        return {n for n in dir(chainrule.Tensor) if not n.startswith("_") and hasattr(torch.Tensor, n)}
    ours, theirs = (_module(library, namespace) for library in ("chainrule", "torch"))
    names = getattr(ours, "__all__", None) or [n for n in dir(ours) if not n.startswith("_")]
    return {
        n
        for n in names
        if callable(getattr(ours, n))
        and callable(getattr(theirs, n, None))
        and (namespace != "nn.init" or getattr(ours, n).__module__ == ours.__name__)
    }


def _module(library: str, namespace: str) -> Any:
    return importlib.import_module(f"{library}.{namespace}" if namespace else library)


# -- what the comparisons use ------------------------------------------------------------------------------


def used(tree: ast.AST, modules: set[str]) -> Iterator[tuple[str, str]]:
    """(namespace, name) of each attribute in an expression or a program."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base = ast.unparse(node.value)
            for namespace, spellings in SPELLINGS.items():
                if base in spellings:
                    yield namespace, node.attr
                    break
            else:
                if base.partition(".")[0] not in modules or not isinstance(node.value, ast.Name):
                    yield "Tensor", node.attr


def texts(tree: ast.AST) -> Iterator[str]:
    """All string constants that are not docstrings or parts of f-strings."""
    skipped = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skipped.add(body[0].value)
        if isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.value


def expressions(text: str) -> Iterator[ast.AST]:
    """The code in a text: a program, one on each line, expressions between `;`, or a table's first column."""
    lines = [line.partition("#")[0].partition(" ::")[0].strip() for line in text.splitlines()]
    listed = text.replace("\n", " ").split(";") if "::" not in text and "#" not in text else []
    pieces = [p.strip() for p in listed] + [
        p.replace(";; ", "\n") for line in lines for p in _alternatives(line)
    ]
    for code in (text, *pieces):
        try:
            yield ast.parse(code)
        except (SyntaxError, ValueError):
            continue  # prose, or a piece of a program


LOOKED_UP = {"nn.functional": r"getattr\(T?F, name\)", "nn.init": r"getattr\((torch\.)?(nn\.)?init, name\)"}


@functools.cache
def compared() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in FOLDER.rglob("*.py"):
        if path in (Path(__file__), FOLDER / "both.py"):
            continue
        source = path.read_text()
        tree = ast.parse(source)
        imported = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        modules = {alias.asname or alias.name for n in imported for alias in n.names}
        found |= set(used(tree, modules))
        for text in texts(tree):
            for expression in expressions(text):
                found |= set(used(expression, {"T", "np"}))
            found |= {(space, text) for space, pattern in LOOKED_UP.items() if re.search(pattern, source)}
    for row in (*METHODS, *IN_PLACE):
        found |= set(used(ast.parse(row.expression, mode="eval"), {"T", "np"}))
    return found


@pytest.mark.parametrize("namespace", EXCLUDED)
def test_every_shared_name_is_compared(namespace: str) -> None:
    names = {name for space, name in compared() if space == namespace}
    missing = shared(namespace) - names - set(EXCLUDED[namespace])
    assert not missing, f"no comparison with PyTorch uses {sorted(missing)}"


@pytest.mark.parametrize("namespace", EXCLUDED)
def test_exclusions_are_needed(namespace: str) -> None:
    names = {name for space, name in compared() if space == namespace}
    assert set(EXCLUDED[namespace]) <= shared(namespace) - names


def test_names_count_only_where_they_are_used() -> None:
    tree = ast.parse('"""T.abs(x)"""\ny = T.exp(x).sin_()  # T.log(x)\nz = np.tan(x)')
    assert set(used(tree, {"T", "np"})) == {("", "exp"), ("Tensor", "sin_")}
    assert list(texts(tree)) == []
    table = "T.{cos|x.sin}(x) :: T.log(x)\n# T.exp(x)\nsome words; x.sum()"
    assert {pair for e in expressions(table) for pair in used(e, {"T"})} == {
        ("", "cos"), ("", "x"), ("Tensor", "sin"),
    }  # fmt: skip
    assert shared("linalg") >= {"svd", "solve"}
    assert "vector_norm" not in shared("")
