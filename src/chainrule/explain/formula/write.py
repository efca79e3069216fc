"""Tree -> plain text: as Python writes it, which can be read back, or with the signs of mathematics.

Brackets stand where the signs need them, and before a minus that would follow another sign. How a formula
looks in LaTeX stands in `latex.py`.
"""

from __future__ import annotations

from typing import Final

from . import tree as t
from .tree import Node

_TIGHT: Final = ("*", "/")  # signs without blanks around them
_MATHEMATICAL: Final = {
    "-": "−", "*": "·", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "and": "∧", "or": "∨", "not": "¬",
    "xor": "⊻", "^": "⊕",
}  # fmt: skip
_RAISED: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def write(node: Node, *, unicode: bool = False, digits: int | None = None) -> str:
    """The text of a tree."""
    return _Writer(unicode, digits).text(node)


def shown(value: int | float | None, digits: int | None) -> str:
    """A number, with at most so many digits that matter."""
    if digits is None or isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        return str(value)
    return f"{value:.{digits}g}"


class _Writer:
    def __init__(self, unicode: bool, digits: int | None) -> None:
        self.unicode = unicode
        self.digits = digits

    def text(self, node: Node) -> str:
        match node:
            case t.Constant(value=value):
                return shown(value, self.digits)
            case t.Name(name=name):
                return {"pi": "π", "inf": "∞"}.get(name, name) if self.unicode else name
            case t.Unary(sign=sign, x=x):
                blank = " " if sign == "not" and not self.unicode else ""
                return f"{self._sign(sign)}{blank}{self.within(x, node.rank)}"
            case t.Binary():
                return self._binary(node)
            case t.Conditional(test=test, yes=yes, no=no):
                first, second = self.within(yes, t.OR), self.within(test, t.OR)
                return f"{first} if {second} else {self.within(no, t.CONDITIONAL)}"
            case t.Call():
                return self._call(node)
            case t.Attribute(of=of, name=name):
                if self.unicode and name in ("T", "mT"):
                    return f"{self.within(of, t.ATOM)}ᵀ"
                return f"{self._tight(of)}.{name}"
            case t.Index(of=of, key=key):
                if isinstance(key, t.Group) and key.bracket == "(" and key.items:
                    return f"{self.within(of, t.ATOM)}[{self._listed(key.items)}]"
                return f"{self.within(of, t.ATOM)}[{self.text(key)}]"
            case t.Slice(start=start, stop=stop, step=step):
                first, last, by = ("" if end is None else self.text(end) for end in (start, stop, step))
                return f"{first}:{last}" + (f":{by}" if by else "")
            case t.Group(items=items, bracket=bracket):
                inner = self._listed(items, alone=bracket == "(")
                return f"[{inner}]" if bracket == "[" else f"({inner})"
            case t.Star(items=items):
                return f"*{self.within(items, t.BITOR)}"
            case t.Equation(left=left, right=right):
                return f"{self.text(left)} = {self.text(right)}"
            case t.Altered(of=of, place=place, sign=sign, value=value):
                return f"{self.text(of)} with {self.text(place)} {sign} {self.text(value)}"
        raise AssertionError(f"no such node: {node!r}")

    def within(self, node: Node, rank: int) -> str:
        """The text, in brackets if it binds less tightly than `rank`."""
        text = self.text(node)
        return f"({text})" if node.rank < rank else text

    def _binary(self, node: t.Binary) -> str:
        sign, rank = node.sign, node.rank
        if sign == "**":
            return self._power(node)
        left = self.within(node.x, rank + (rank == t.COMPARE))  # comparisons do not stand in a row
        right = self.within(node.y, rank + 1)
        if rank > t.COMPARE and right[0] in "-+~−":
            right = f"({right})"
        if sign in _TIGHT:
            return f"{left}{self._sign(sign)}{right}"
        return f"{left} {self._sign(sign)} {right}"

    def _power(self, node: t.Binary) -> str:
        base = self.within(node.x, t.ATOM)
        exponent = t.value_of(node.y)
        if self.unicode and isinstance(exponent, int):
            if isinstance(node.x, t.Constant):
                base = f"({base})" if "." in base or "e" in base else base
            return f"{base}{str(exponent).translate(_RAISED)}"
        if self.unicode:
            return f"{base}^{self.within(node.y, t.ATOM)}"
        return f"{base}**{self.within(node.y, t.UNARY)}"

    def _call(self, node: t.Call) -> str:
        if self.unicode and node.of is None and len(node.arguments) == 1 and not node.settings:
            (x,) = node.arguments
            if node.function == "abs":
                return f"|{self.text(x)}|"
            if node.function == "norm":
                return f"‖{self.text(x)}‖"
            if node.function == "sqrt":
                simple = isinstance(x, t.Name | t.Constant)
                return f"√{self.text(x)}" if simple else f"√({self.text(x)})"
            if node.function == "log":
                return f"ln({self.text(x)})"
        given = [self.text(x) for x in node.arguments] + [f"{n}={self.text(x)}" for n, x in node.settings]
        function = node.function if node.of is None else f"{self._tight(node.of)}.{node.function}"
        return f"{function}({', '.join(given)})"

    def _tight(self, node: Node) -> str:
        """What a point can follow: `2.shape` would be a number."""
        text = self.within(node, t.ATOM)
        return f"({text})" if isinstance(node, t.Constant) else text

    def _listed(self, items: tuple[Node, ...], *, alone: bool = True) -> str:
        texts = [self.text(item) for item in items]
        return f"{texts[0]}," if len(texts) == 1 and alone else ", ".join(texts)

    def _sign(self, sign: str) -> str:
        return _MATHEMATICAL.get(sign, sign) if self.unicode else sign
