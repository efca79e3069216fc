"""The value of a tree: its signs are Python's, its names and functions those of a namespace.

Nothing else can be called or read: no built-in function, no attribute that begins with `_`. Next:
`vocabulary.py`, the functions that the table's texts are written in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...core.errors import ArgumentError, ChainruleError, nearest
from . import tree as t
from .tree import Node
from .write import write

LARGEST_WHOLE: Final = 2**53  # whole numbers beyond it are decimals: 9**9**9 has 369 million digits

LARGEST_SHIFT: Final = 1_000
NOTHING: Final[Mapping[Node, Any]] = MappingProxyType({})

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "@": operator.matmul, "**": operator.pow, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_OF_DECIMALS: Final = ("+", "-", "*", "/", "//", "%", "**")
_LOGIC: Final = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}


def evaluate(node: Node, namespace: Mapping[str, Any], known: Mapping[Node, Any] = NOTHING) -> Any:
    """The value; names and functions are looked up in the namespace.

    known: the values of parts that were computed before.
    An error of this package gets an attribute `place`: where the innermost part that failed was read.
    """
    return _Evaluation(namespace, known).value(node)


class _Evaluation:
    def __init__(self, namespace: Mapping[str, Any], known: Mapping[Node, Any]) -> None:
        self.namespace = namespace
        self.known = known

    def value(self, node: Node) -> Any:
        if self.known and node in self.known:
            return self.known[node]
        try:
            return self._computed(node)
        except ChainruleError as err:
            if node.at is not None:
                vars(err).setdefault("place", node.at)
            raise

    def _computed(self, node: Node) -> Any:
        match node:
            case t.Constant(value=value):
                return value
            case t.Name(name="..."):
                return ...
            case t.Name(name=name):
                return self._looked_up(name, "value")
            case t.Unary(sign=sign, x=x):
                return self._prefixed(sign, self.value(x))
            case t.Binary(sign=sign, x=x, y=y):
                return self._combined(sign, self.value(x), self.value(y))
            case t.Conditional(test=test, yes=yes, no=no):
                return self.value(yes if self.value(test) else no)
            case t.Call():
                return self._called(node)
            case t.Attribute(of=of, name=name):
                return getattr(self.value(of), name)
            case t.Index(of=of, key=key):
                return self.value(of)[self.value(key)]
            case t.Slice(start=start, stop=stop, step=step):
                return slice(*(None if end is None else self.value(end) for end in (start, stop, step)))
            case t.Group(items=items, bracket=bracket):
                values = [self.value(item) for item in items]
                return values if bracket == "[" else tuple(values)
            case t.Equation(right=right):
                return self.value(right)
        problem = "this says what was written into a value, and has no value of its own"
        raise ArgumentError.of(write(node), must=problem)

    def _prefixed(self, sign: str, x: Any) -> Any:
        if sign == "not":
            return not x if isinstance(x, bool) else self._looked_up("logical_not", "function")(x)
        return -x if sign == "-" else ~x if sign == "~" else +x

    def _combined(self, sign: str, x: Any, y: Any) -> Any:
        if sign in _LOGIC:
            if isinstance(x, bool) and isinstance(y, bool):
                return x and y if sign == "and" else x or y if sign == "or" else x != y
            return self._looked_up(_LOGIC[sign], "function")(x, y)
        if isinstance(x, int | float) and isinstance(y, int | float):
            return _number(sign, x, y)
        return _OPERATORS[sign](x, y)

    def _called(self, node: t.Call) -> Any:
        arguments: list[Any] = []
        for x in node.arguments:
            if isinstance(x, t.Star):
                arguments.extend(self.value(x.items))
            else:
                arguments.append(self.value(x))
        settings = {name: self.value(x) for name, x in node.settings}
        if node.of is None:
            return self._looked_up(node.function, "function")(*arguments, **settings)
        if node.function.startswith("_"):
            raise ArgumentError.of(node.function, must="names that begin with _ are no part of a formula")
        return getattr(self.value(node.of), node.function)(*arguments, **settings)

    def _looked_up(self, name: str, kind: str) -> Any:
        try:
            return self.namespace[name]
        except KeyError:
            raise ArgumentError.of(
                f"a formula with {name!r}",
                must=f"there is no {kind} of this name here{nearest(name, list(self.namespace))}",
            ) from None


def _number(sign: str, x: int | float, y: int | float) -> int | float:
    """Two Python numbers with a sign between them."""
    try:
        if sign == "<<" and y > LARGEST_SHIFT:
            raise OverflowError
        # First as decimals: 9**9**9 as whole numbers would fill the memory.
        value = _OPERATORS[sign](float(x), float(y)) if sign in _OF_DECIMALS else 0.0
        if not isinstance(value, complex) and abs(value) <= LARGEST_WHOLE:
            value = _OPERATORS[sign](x, y)
    except OverflowError:
        problem = "the result is too large for a number"
    except ZeroDivisionError:
        problem = "there is no division by zero among numbers"
    except (TypeError, ValueError):
        problem = "this is for whole numbers, and a shift for one that is not negative"
    else:
        if not isinstance(value, complex):
            return value
        problem = "a root of a negative number is no real number"
    raise ArgumentError.of(f"{x} {sign} {y}", must=problem)
