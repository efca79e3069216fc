"""The value of a tree: its signs are Python's, its names and functions those of a namespace.

Nothing else can be called or read: no built-in function, no attribute that begins with `_`. Next:
`vocabulary.py`, the functions that the table's texts are written in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from ...core.errors import ArgumentError, nearest
from . import tree as t
from .tree import Node
from .write import write

LARGEST_WHOLE: Final = 2**53  # whole numbers beyond it are decimals: 9**9**9 has 369 million digits

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "@": operator.matmul, "**": operator.pow, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_LOGIC: Final = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}


def evaluate(node: Node, namespace: Mapping[str, Any]) -> Any:
    """The value; names and functions are looked up in the namespace."""
    match node:
        case t.Constant(value=value):
            return value
        case t.Name(name="..."):
            return ...
        case t.Name(name=name):
            return _looked_up(name, namespace, "value")
        case t.Unary(sign=sign, x=x):
            return _prefixed(sign, evaluate(x, namespace), namespace)
        case t.Binary(sign=sign, x=x, y=y):
            return combined(sign, evaluate(x, namespace), evaluate(y, namespace), namespace)
        case t.Conditional(test=test, yes=yes, no=no):
            return evaluate(yes if evaluate(test, namespace) else no, namespace)
        case t.Call():
            return _called(node, namespace)
        case t.Attribute(of=of, name=name):
            return getattr(evaluate(of, namespace), name)
        case t.Index(of=of, key=key):
            return evaluate(of, namespace)[evaluate(key, namespace)]
        case t.Slice(start=start, stop=stop, step=step):
            return slice(*(None if end is None else evaluate(end, namespace) for end in (start, stop, step)))
        case t.Group(items=items, bracket=bracket):
            values = [evaluate(item, namespace) for item in items]
            return values if bracket == "[" else tuple(values)
        case t.Equation(right=right):
            return evaluate(right, namespace)
    raise ArgumentError.of(
        write(node), must="this says what was written into a value, and has no value of its own"
    )


def combined(sign: str, x: Any, y: Any, namespace: Mapping[str, Any]) -> Any:
    """Two values with a sign between them. Numbers stay within what a float64 holds."""
    if sign in _LOGIC:
        if isinstance(x, bool) and isinstance(y, bool):
            return x and y if sign == "and" else x or y if sign == "or" else x != y
        return _looked_up(_LOGIC[sign], namespace, "function")(x, y)
    if isinstance(x, int | float) and isinstance(y, int | float) and sign in ("*", "**", "<<"):
        try:
            value = float(x) ** y if sign == "**" else float(x) * (2.0**y if sign == "<<" else y)
        except OverflowError:
            raise ArgumentError.of(f"{x} {sign} {y}", must="the result is too large for a number") from None
        except ZeroDivisionError:
            raise ArgumentError.of(f"{x}{sign}{y}", must="0 has no power below 0") from None
        if isinstance(value, complex):
            raise ArgumentError.of(f"({x}){sign}{y}", must="this root of a negative number is no real number")
        if abs(value) > LARGEST_WHOLE:
            return value
    return _OPERATORS[sign](x, y)


def _prefixed(sign: str, x: Any, namespace: Mapping[str, Any]) -> Any:
    if sign == "not":
        return not x if isinstance(x, bool) else _looked_up("logical_not", namespace, "function")(x)
    return -x if sign == "-" else ~x if sign == "~" else +x


def _called(node: t.Call, namespace: Mapping[str, Any]) -> Any:
    arguments: list[Any] = []
    for x in node.arguments:
        if isinstance(x, t.Star):
            arguments.extend(evaluate(x.items, namespace))
        else:
            arguments.append(evaluate(x, namespace))
    settings = {name: evaluate(x, namespace) for name, x in node.settings}
    if node.of is None:
        return _looked_up(node.function, namespace, "function")(*arguments, **settings)
    if node.function.startswith("_"):
        raise ArgumentError.of(node.function, must="names that begin with _ are no part of a formula")
    return getattr(evaluate(node.of, namespace), node.function)(*arguments, **settings)


def _looked_up(name: str, namespace: Mapping[str, Any], kind: str) -> Any:
    try:
        return namespace[name]
    except KeyError:
        raise ArgumentError.of(
            f"a formula with {name!r}",
            must=f"there is no {kind} of this name here{nearest(name, list(namespace))}",
        ) from None
