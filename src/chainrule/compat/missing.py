"""What a program needs and does not find here, by reading it: names of PyTorch, torchvision, d2l; packages.

The program is not run. Names are followed through imports (`import torch.nn as nn`, `from torch.nn import
functional as F`) and assignments (`F = torch.nn.functional`), in the order of the lines and in each scope;
a name that is bound to anything else is dropped. What stands on a value, such as a method of a tensor,
cannot be known without running, and is not looked at.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .program import Program
from .standins import ROOTS, hint, lookup, target_of


class Need(NamedTuple):
    """A dotted name that is not there, where it is used first, and how often."""

    name: str
    place: str
    times: int
    hint: str

    def __str__(self) -> str:
        again = f", and {self.times - 1} more" if self.times > 1 else ""
        return f"{self.place}: {self.name}{self.hint}{again}"


def needs(program: Program) -> list[Need]:
    """The names that a program needs and chainrule lacks, in the order of their first use.

    Raises:  SyntaxError: the program is not Python.
    """
    reader = _Reader(program.path.resolve().parent)
    for cell in program.cells:
        reader.cell = cell.name
        reader.visit(ast.parse(cell.source, cell.name))
    places: dict[str, list[str]] = {}
    for name, place in reader.found:
        places.setdefault(name, []).append(place)
    return [Need(name, at[0], len(at), _about(name)) for name, at in places.items()]


def _about(name: str) -> str:
    root = name.partition(".")[0]
    return hint(name) if root in ROOTS else " (this package is not installed)"


class _Reader(ast.NodeVisitor):
    """Walks through the cells in order, knowing for each scope which names stand for which modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder  # of the program: files there can be imported
        self.cell = ""
        self.found: list[tuple[str, str]] = []
        self.scopes: list[dict[str, str]] = [{}]  # name -> dotted name; "" hides a name of an outer scope

    # What names stand for ---------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for item in node.names:
            root = item.name.partition(".")[0]
            self._need(item.name, node)
            self._bind(item.asname or root, item.name if item.asname else root)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        self._need(node.module, node)
        for item in node.names:
            full = f"{node.module}.{item.name}"
            if item.name == "*":
                continue
            if target_of(node.module) is not None:  # else the module is what is missing
                self._need(full, node)
            self._bind(item.asname or item.name, full)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._assign(target, self._dotted(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target, self._dotted(node.value))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._assign(node.target, self._dotted(node.value))

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self.visit(node.iter)
        self._assign(node.target, "")
        self._visit_all(node.ifs if isinstance(node, ast.comprehension) else [*node.body, *node.orelse])

    visit_AsyncFor = visit_For
    visit_comprehension = visit_For

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, "")
        self._visit_all(node.body)

    visit_AsyncWith = visit_With

    def _assign(self, target: ast.expr, name: str) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, name)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._assign(part, "")
        elif isinstance(target, ast.Starred):
            self._assign(target.value, "")
        else:  # `torch.x = ...` and `a[torch.x] = ...`
            self.generic_visit(target)

    def _bind(self, name: str, full: str) -> None:
        known = full.partition(".")[0] in ROOTS and lookup(full)
        self.scopes[-1][name] = full if known else ""

    # Scopes -----------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all(node.decorator_list)
        self._bind(node.name, "")
        self._function(node.args, node.body)
        if node.returns is not None:
            self.visit(node.returns)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node.args, [node.body])

    def _function(self, args: ast.arguments, body: Iterable[ast.AST]) -> None:
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
        self._visit_all([*args.defaults, *filter(None, args.kw_defaults)])
        self._visit_all(arg.annotation for arg in every if arg.annotation is not None)
        self.scopes.append({arg.arg: "" for arg in every})
        self._visit_all(body)
        self.scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        self._bind(node.name, "")
        self.scopes.append({})
        self._visit_all(node.body)
        self.scopes.pop()

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.scopes.append({})
        self._visit_all(node.generators)  # before the element, which stands in front of them
        self._visit_all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.scopes.pop()

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp
    visit_DictComp = visit_ListComp

    # Uses -------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> None:
        full = self._dotted(node)
        if full and isinstance(node.ctx, ast.Load):
            self._need(full, node)
        else:
            self.generic_visit(node)

    def _dotted(self, node: ast.AST) -> str:
        """The dotted name of `torch.nn.functional`, however it is spelled here; "" for everything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        start = next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), "")
        return ".".join([start, *parts]) if start else ""

    def _need(self, full: str, node: ast.stmt | ast.expr) -> None:
        root = full.partition(".")[0]
        if root not in ROOTS:
            if not _installed(root, self.folder):
                self._add(root, node)
            return
        parts = full.split(".")
        for end in range(1, len(parts) + 1):  # the first part that is missing: more would say nothing more
            name = ".".join(parts[:end])
            if not lookup(name):
                self._add(name, node)
                return
            if target_of(name) is None and not _is_class(name):
                return  # a function or a value: what it has is known when it runs

    def _add(self, name: str, node: ast.stmt | ast.expr) -> None:
        place = f"{self.cell}, line {node.lineno}" if ", cell " in self.cell else f"{self.cell}:{node.lineno}"
        self.found.append((name, place))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def _is_class(name: str) -> bool:
    owner, _, leaf = name.rpartition(".")
    module = target_of(owner)
    return module is not None and isinstance(getattr(module, leaf, None), type)


def _installed(package: str, folder: Path) -> bool:
    """Whether a package other than the roots can be imported; the stand-ins for Jupyter's count."""
    if (folder / f"{package}.py").is_file() or (folder / package).is_dir():
        return True
    if package in sys.modules or package in sys.stdlib_module_names or target_of(package) is not None:
        return True
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
