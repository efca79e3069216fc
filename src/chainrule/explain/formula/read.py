"""Text -> tree, with Python's own parser for the grammar; nothing is ever compiled or evaluated.

A formula is an expression, an equation (`s[k] = x[k] * s[k-1] + y[k]`), or a value in which something was
written (`x with x[...] = y`). Next: `formula.py`, what users of this package hold.
"""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import Final

from . import tree as t
from .error import unreadable
from .scan import Scanned, scan
from .tree import Node, Place

DEEPEST = 200  # operations in operations; trees are walked by functions that call themselves

_SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.MatMult: "@", ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.IsNot: "xor", ast.And: "and", ast.Or: "or", ast.USub: "-", ast.UAdd: "+", ast.Invert: "~",
    ast.Not: "not",
}  # fmt: skip


def read(text: str) -> Node:
    """The tree of a text of the table, or of one like it."""
    of, word, change = text.partition(" with ")
    if not word:
        return _Reader(scan(text, equation=True)).statement()
    changed = _Reader(scan(change, equation=True)).change()
    if changed is None:
        place = (len(of) + len(word), len(text))
        raise unreadable(text, place, "after 'with' must stand what is written", "x with x[...] = y")
    target, sign, value = changed
    return t.Altered(_Reader(scan(of)).statement(), target, sign, value)


def read_typed(text: str, functions: Container[str] = ()) -> tuple[Node, list[Place]]:
    """The tree of what a person types, where `^` is a power, and the places where it was one.

    functions: the names of functions, for what to try where brackets are missing: log x.
    """
    scanned = scan(text, power=True, functions=functions)
    return _Reader(scanned).statement(), scanned.carets


def read_named(text: str) -> list[tuple[str, Node]]:
    """The trees of values that are given by name: `x1=2, x2=pi/4`."""
    tree = _Reader(scan(text, power=True, values=True)).statement()
    return list(tree.settings) if isinstance(tree, t.Call) else []


class _Reader:
    def __init__(self, scanned: Scanned) -> None:
        self.scanned = scanned
        self.depth = 0

    def statement(self) -> Node:
        found = self._parse()
        if isinstance(found, ast.Assign) and len(found.targets) == 1:
            return t.Equation(self.node(found.targets[0]), self.node(found.value))
        if isinstance(found, ast.Expr):
            return self.node(found.value)
        raise self._strange((0, len(self.scanned.text)))

    def change(self) -> tuple[Node, str, Node] | None:
        found = self._parse()
        if isinstance(found, ast.Assign) and len(found.targets) == 1:
            return self.node(found.targets[0]), "=", self.node(found.value)
        if isinstance(found, ast.AugAssign) and isinstance(found.op, ast.Add):
            return self.node(found.target), "+=", self.node(found.value)
        return None

    def _parse(self) -> ast.stmt:
        python = self.scanned.python
        try:
            # Leading blanks would be an indentation, and a line break an end.
            (found,) = ast.parse(python.lstrip(), mode="exec").body
        except SyntaxError:  # an `if` without its `else`, and the like; where, depends on Python's version
            raise self._strange((0, len(self.scanned.text))) from None
        except (MemoryError, RecursionError):
            raise self._too_deep((0, 1)) from None
        return found

    # -- nodes

    def node(self, a: ast.expr) -> Node:
        self.depth += 1
        place = self._place(a)
        if self.depth > DEEPEST:
            raise self._too_deep(place)
        made = self._node(a, place)
        self.depth -= 1
        return made

    def _node(self, a: ast.expr, at: Place) -> Node:
        match a:
            case ast.Constant(value=value):
                if value is Ellipsis:
                    return t.Name("...", at=at)
                if value is None or isinstance(value, int | float):
                    return t.Constant(value, at=at)
            case ast.Name(id=name):
                return t.Name(name, at=at)
            case ast.UnaryOp(op=op, operand=x):
                return t.Unary(_SIGNS[type(op)], self.node(x), at=at)
            case ast.BinOp(left=x, op=op, right=y):
                return t.Binary(_SIGNS[type(op)], self.node(x), self.node(y), at=at)
            case ast.BoolOp(op=op, values=values):
                folded = self.node(values[0])
                for y in values[1:]:
                    folded = t.Binary(_SIGNS[type(op)], folded, self.node(y), at=at)
                return folded
            case ast.Compare(left=x, ops=[op], comparators=[y]) if type(op) in _SIGNS:
                return t.Binary(_SIGNS[type(op)], self.node(x), self.node(y), at=at)
            case ast.Compare(ops=[_, _, *_]):
                problem = "two comparisons in a row are not read"
                raise unreadable(self.scanned.text, at, problem, "one by one: (0 < x)*(x < 1)")
            case ast.IfExp(test=test, body=yes, orelse=no):
                return t.Conditional(self.node(test), self.node(yes), self.node(no), at=at)
            case ast.Call(func=function, args=args, keywords=keywords):
                return self._call(function, args, keywords, at)
            case ast.Attribute():
                return self._attribute(a, at)
            case ast.Subscript(value=of, slice=key):
                return t.Index(self.node(of), self.node(key), at=at)
            case ast.Slice(lower=start, upper=stop, step=step):
                ends = (None if e is None else self.node(e) for e in (start, stop, step))
                return t.Slice(*ends, at=at)
            case ast.Tuple(elts=items):
                return t.Group(tuple(map(self.node, items)), at=at)
            case ast.List(elts=items):
                return t.Group(tuple(map(self.node, items)), "[", at=at)
            case ast.Starred(value=items):
                return t.Star(self.node(items), at=at)
        raise self._strange(at)

    def _call(self, function: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], at: Place) -> Node:
        arguments = tuple(map(self.node, args))
        settings = tuple((k.arg or "", self.node(k.value)) for k in keywords)
        if isinstance(function, ast.Name):
            return t.Call(function.id, arguments, settings, at=at)
        assert isinstance(function, ast.Attribute)  # `scan` lets nothing else be called
        return t.Call(function.attr, arguments, settings, self.node(function.value), at=at)

    def _attribute(self, a: ast.Attribute, at: Place) -> Node:
        of = self.node(a.value)
        if a.attr not in t.ATTRIBUTES and isinstance(of, t.Name):
            return t.Name(f"{of.name}.{a.attr}", at=at)
        return t.Attribute(of, a.attr, at=at)

    # -- places and problems

    def _place(self, a: ast.expr) -> Place:
        python = self.scanned.python
        skipped = len(python) - len(python.lstrip())
        end = a.end_col_offset if a.end_col_offset is not None else a.col_offset + 1
        return self.scanned.place(a.col_offset + skipped, end + skipped)

    def _strange(self, place: Place) -> Exception:
        return unreadable(self.scanned.text, place, "this cannot be read")

    def _too_deep(self, place: Place) -> Exception:
        return unreadable(self.scanned.text, place, f"this is deeper than {DEEPEST} operations in each other")
