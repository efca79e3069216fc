"""Formulas without what says nothing: 1*x is x, --x is x, x**1 is x, 3 - 1 is 2; the value stays what it is.

Only what holds exactly, for every number: `0*x` stays (x may be infinite), and decimals are added only where
no digit is lost. A comparison keeps its factor 1, which makes a number of it.
"""

from __future__ import annotations

from fractions import Fraction

from . import tree as t
from .tree import Node

_LARGEST = 10**6  # results of whole numbers up to here are shown as numbers
_TRUTHS = ("and", "or", "xor", "<", "<=", ">", ">=", "==", "!=")


def tidy(node: Node) -> Node:
    """The tree with every part tidied, the inner ones first."""
    return _tidied(t.rebuilt(node, tidy))


def negated(node: Node) -> Node:
    """-x without a second minus; in a product the first factor gets it: (-x)*y is -(x*y), to the last bit."""
    if isinstance(node, t.Unary) and node.sign == "-":
        return node.x
    if isinstance(node, t.Binary) and node.sign in ("*", "/"):
        return t.Binary(node.sign, negated(node.x), node.y)
    return t.Unary("-", node)


def _tidied(node: Node) -> Node:
    """One step, for a node whose parts are tidy."""
    if isinstance(node, t.Unary):
        if node.sign == "-":
            return negated(node.x)
        return node.x if node.sign == "+" and not _is_truth(node.x) else node
    if not isinstance(node, t.Binary):
        return node
    folded = _folded(node)
    if folded is not None:
        return folded
    if node.sign in ("+", "-"):
        return _sum(node)
    if node.sign in ("*", "/"):
        return _product(node)
    if node.sign == "**" and t.value_of(node.y) == 1 and not _is_truth(node.x):
        return node.x
    return node


def _sum(node: t.Binary) -> Node:
    x, y, plus = node.x, node.y, node.sign == "+"
    if _is(y, 0) and not _is_truth(x):
        return x
    if _is(x, 0) and not _is_truth(y):
        return y if plus else negated(y)
    positive = _without_minus(y)
    return node if positive is None else _tidied(t.Binary("-" if plus else "+", x, positive))


def _product(node: t.Binary) -> Node:
    x, y, sign = node.x, node.y, node.sign
    if _is(y, 1) and not _is_truth(x):
        return x
    if sign == "*" and _is(x, 1) and not _is_truth(y):
        return y
    if sign == "*" and _is(x, -1):
        return negated(y)
    if _is(y, -1):
        return negated(x)
    positive = _without_minus(y)
    if positive is not None and t.value_of(y) is None:
        return negated(_tidied(t.Binary(sign, x, positive)))
    return node


def _without_minus(node: Node) -> Node | None:
    """A term that begins with a minus, without it; None for others."""
    if isinstance(node, t.Unary) and node.sign == "-":
        return node.x
    if isinstance(node, t.Binary) and node.sign in ("*", "/"):
        first = _without_minus(node.x)
        return None if first is None else t.Binary(node.sign, first, node.y)
    return None


def _folded(node: t.Binary) -> Node | None:
    """The number that a sign makes of two numbers, if it is exact and short."""
    x, y = t.value_of(node.x), t.value_of(node.y)
    if x is None or y is None or node.sign not in ("+", "-", "*"):
        return None
    first, second = Fraction(x), Fraction(y)
    exact = first + second if node.sign == "+" else first - second if node.sign == "-" else first * second
    if isinstance(x, int) and isinstance(y, int):
        return t.number(int(exact)) if abs(exact) <= _LARGEST else None
    value = float(exact) if abs(exact) <= _LARGEST else 0.0
    # What two decimals give in floating point is what their digits give: 0.5 - 1 is, 0.1 + 0.2 is not.
    same = Fraction(str(value)) == _decimal(x, y, node.sign)
    return t.number(value) if same and Fraction(value) == exact else None


def _decimal(x: float, y: float, sign: str) -> Fraction:
    first, second = Fraction(str(x)), Fraction(str(y))
    return first + second if sign == "+" else first - second if sign == "-" else first * second


def _is(node: Node, value: int) -> bool:
    return t.value_of(node) == value


def _is_truth(node: Node) -> bool:
    """Whether the value is true or false, which is not the number that it counts as."""
    if isinstance(node, t.Binary):
        return node.sign in _TRUTHS
    if isinstance(node, t.Constant):
        return isinstance(node.value, bool)
    return isinstance(node, t.Unary) and node.sign in ("not", "~")
