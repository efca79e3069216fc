"""What a person types as a function, `log(x1) + x1*x2 - sin(x2)`, as something that can be called.

The text becomes a tree (`formula/read.py`); the tree may hold arithmetic, comparisons, numbers, names, and
calls of the functions of `expression_words.py`, and nothing else. No text is compiled or evaluated by Python.
Every refusal shows the place and says what to write instead.
"""

from __future__ import annotations

import inspect
import unicodedata
from typing import Any, Final, NoReturn

from ..core.errors import ArgumentError, nearest
from .expression_words import CONSTANTS, words
from .formula import Formula
from .formula import tree as t
from .formula.error import unreadable
from .formula.evaluate import evaluate
from .formula.read import read_typed
from .formula.tree import Node
from .formula.vocabulary import tensor_of

LONGEST: Final = 1_000  # letters
SIGNS: Final = ("+", "-", "*", "/", "//", "%", "@", "**", "<", "<=", ">", ">=", "==", "!=")
PARTS: Final = ("T", "mT")
_INSTEAD: Final = {
    "and": "a product of comparisons: (x > 0)*(x < 1)", "or": "maximum(x < 0, x > 1)", "xor": "!=",
    "&": "a product of comparisons: (x > 0)*(x < 1)", "|": "maximum(x < 0, x > 1)", "^": "**",
    "<<": "a power of 2: x*2**n", ">>": "a power of 2: x/2**n", "~": "1 - x", "not": "1 - x",
}  # fmt: skip


class Expression:
    """A function of the names in a text, in the order in which they appear there.

    source: the text; formula: what was read; parameters: its names; notes: what was read in another way than
    Python would. Calling it with tensors (or numbers) gives a tensor. It is computed as one does by hand: the
    innermost parts first, and equal parts once.

    Raises:  FormulaError, which shows the place, for a text that is no expression.

    >>> f = Expression("ln(x1) + x1*x2 - sin(x2)")
    >>> f.parameters, round(f(2, 5).item(), 3)
    (('x1', 'x2'), 11.652)
    """

    __name__ = "f"
    __qualname__ = "f"

    def __init__(self, source: str) -> None:
        self.source = source.strip()
        if len(self.source) > LONGEST:
            problem = (
                f"the expression has {len(self.source):,} letters, more than the {LONGEST:,} that are read"
            )
            raise unreadable(self.source, (0, 1), problem)
        tree, carets = read_typed(self.source, words())
        self._tree = _Checker(self.source).checked(tree)
        self.formula = Formula(self._tree)
        self._order = _by_depth(self._tree)
        self.parameters = tuple(name for name in self.formula.names if name not in CONSTANTS)
        if not self.parameters:
            problem = "there is no variable in this expression, so nothing to differentiate by"
            raise unreadable(
                self.source, (0, len(self.source)), problem, "a name where a value may change: x"
            )
        self.notes = ("^ was read as a power, which Python writes **",) if carets else ()
        if isinstance(self._tree, t.Binary) and self._tree.rank == t.COMPARE:
            problem = "the result is true or false, and has no derivative"
            raise unreadable(self.source, (0, len(self.source)), problem, "where(x > 0, x, 0)")
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in self.parameters])

    def __call__(self, *values: Any, **named: Any) -> Any:
        try:
            given = self.__signature__.bind(*values, **named).arguments
        except TypeError:
            count = len(values) + len(named)
            needed = ", ".join(self.parameters)
            raise ArgumentError.of(
                self.source, given=f"{count} value{'s' * (count != 1)}", must=f"it has the variables {needed}"
            ) from None
        tensors = {n: tensor_of(v) if isinstance(v, int | float) else v for n, v in given.items()}
        namespace = {**words(), **CONSTANTS, **tensors}
        known: dict[Node, Any] = {}
        for part in self._order:
            known[part] = evaluate(part, namespace, known)
        return known[self._tree]

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


def read_number(text: str, node: Node) -> int | float:
    """The number that a part of a text says: `-1`, `pi/4`, `sqrt(2)`."""
    found = evaluate(_Checker(text, variables=False).checked(node), {**words(), **CONSTANTS})
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise unreadable(text, node.at or (0, len(text)), "this is no number")
    return found


class _Checker:
    """Goes through a tree and lets pass what an expression may hold."""

    def __init__(self, text: str, *, variables: bool = True) -> None:
        self.text = text
        self.variables = variables

    def checked(self, node: Node) -> Node:
        """The node, with methods turned into calls of functions."""
        match node:
            case t.Constant(value=bool() | None):
                self._refuse(node, f"{node.value} has no place here", "1 or 0")
            case t.Constant():
                return node
            case t.Name(name=name):
                self._name(node, name)
                return node
            case t.Unary(sign="-" | "+"):
                return t.rebuilt(node, self.checked)
            case t.Unary(sign=sign) | t.Binary(sign=sign) if sign not in SIGNS:
                self._refuse(node, f"{sign!r} has no place in an expression", _INSTEAD[sign])
            case t.Binary():
                return t.rebuilt(node, self.checked)
            case t.Call():
                return self._call(node)
            case t.Attribute(of=of, name=name):
                if name not in PARTS:
                    self._refuse(
                        node, f".{name} has no place in an expression", "x.T for the transpose of a matrix"
                    )
                return t.Attribute(self.checked(of), name, at=node.at)
            case t.Index(of=of, key=key):
                self._key(key)
                return t.Index(self.checked(of), key, at=node.at)
            case t.Conditional():
                self._refuse(node, "'if' has no place in an expression", "where(x > 0, x, 0)")
        raise unreadable(self.text, node.at or (0, len(self.text)), "this has no place in an expression")

    def _name(self, node: Node, name: str) -> None:
        if name in CONSTANTS:
            return
        if "." in name and name != "...":
            hint = "x.T for the transpose of a matrix; functions are called: sum(x)"
            self._refuse(node, f"{name!r}: a point after a name has no place here", hint)
        if name in words():
            self._refuse(node, f"{name!r} is a function", f"{name}(x)")
        if name.startswith("_") or name == "...":
            self._refuse(node, f"{name!r} is no name for a variable", "a name that begins with a letter")
        if not name.isascii():
            strange = next(letter for letter in name if not letter.isascii())
            called = unicodedata.name(strange, "unknown").lower()
            self._refuse(
                node, f"{name!r} has a letter that is not on the keyboard: {called}", _spelled(strange)
            )
        if not self.variables:
            self._refuse(node, f"{name!r} is no number")

    def _call(self, node: t.Call) -> Node:
        given = node.arguments if node.of is None else (node.of, *node.arguments)
        name = node.function
        if name not in words():
            self._unknown_function(node, name)
        for argument in given:
            if isinstance(argument, t.Star):
                self._refuse(argument, "'*' before an argument has no place here")
        for setting, value in node.settings:
            if not all(isinstance(part, t.Constant | t.Group | t.Unary) for part in t.walk(value)):
                self._refuse(value, f"{setting} must be a number, True or False", f"{setting}=0")
        problem, hint = words()[name].misuse(len(given), [setting for setting, _ in node.settings])
        if problem:
            self._refuse_called(node, problem, hint)
        arguments = tuple(self._argument(argument) for argument in given)
        return t.Call(words()[name].name, arguments, node.settings, at=node.at)  # ln is log

    def _argument(self, node: Node) -> Node:
        if isinstance(node, t.Group):
            return t.rebuilt(node, self._argument)
        if isinstance(node, t.Constant) and isinstance(node.value, bool):
            return node
        return self.checked(node)

    def _key(self, key: Node) -> None:
        allowed = t.Constant | t.Group | t.Slice | t.Unary
        for part in t.walk(key):
            if not (isinstance(part, allowed) or part == t.Name("...")):
                self._refuse(part, "a place in a tensor is said by whole numbers", "x[0], x[1:3], x[..., 0]")

    def _unknown_function(self, node: t.Call, name: str) -> NoReturn:
        if node.of is not None and name.startswith("_"):
            self._refuse_called(node, f"{name!r} has no place in an expression")
        suggestion = nearest(name, list(words()))
        if not suggestion and node.of is None and len(name) <= 2 and len(node.arguments) == 1:
            inner = Formula(node.arguments[0]).text()
            hint = f"{name}*({inner}), if a product is meant"
            self._refuse_called(node, f"there is no function {name!r}", hint)
        self._refuse_called(node, f"there is no function {name!r}{suggestion}")

    def _refuse_called(self, node: t.Call, problem: str, hint: str = "") -> NoReturn:
        """Shows the name of the function, not all that it is given."""
        start = (node.of.at if node.of is not None and node.of.at else (0, 0))[1]
        start = self.text.find(node.function, max(start, (node.at or (0, 0))[0]))
        place = (start, start + len(node.function)) if start >= 0 else node.at or (0, len(self.text))
        raise unreadable(self.text, place, problem, hint)

    def _refuse(self, node: Node, problem: str, hint: str = "") -> NoReturn:
        raise unreadable(self.text, node.at or (0, len(self.text)), problem, hint)


def _by_depth(tree: Node) -> list[Node]:
    """The parts of a tree that are computed, each once: by depth, and as they are read within one depth."""
    depths: dict[Node, int] = {}
    for node in reversed(list(t.walk(tree))):  # parts come before what is made of them
        depths[node] = 1 + max((depths[part] for part in t.parts(node)), default=0)
    computed = t.Name | t.Unary | t.Binary | t.Call | t.Attribute | t.Index
    ordered = dict.fromkeys(
        node for node in t.walk(tree) if isinstance(node, computed) and node != t.Name("...")
    )
    return sorted(ordered, key=lambda node: depths[node])


def _spelled(letter: str) -> str:
    """What to type for a letter: `alpha` for α."""
    kind = unicodedata.name(letter, "").split()
    if len(kind) == 4 and kind[0] == "GREEK":
        return kind[3].lower()
    return "a letter from a to z"
