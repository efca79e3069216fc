r"""Tree -> LaTeX: fractions, roots, powers, \ln x, products as factors side by side, |x|, sums, transposes.

A formula looks here as on paper, and cannot be read back: brackets that addition and multiplication do not
need are left out, a comparison that counts as 0 or 1 stands in square brackets (Iverson's), and settings of
functions that have no sign of their own follow as arguments. Only what matplotlib's mathtext knows as well is
used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from . import tree as t
from .latex_name import latex_name, upright
from .tree import Node
from .write import shown

# Words of formulas (functions, not ops) that have a sign or a name in upright letters on paper.
_BARE: Final = {  # these need no brackets around a single name: \ln x
    "log": r"\ln", "log2": r"\log_{2}", "log10": r"\log_{10}", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan",
    "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh", "asin": r"\arcsin", "acos": r"\arccos",
    "atan": r"\arctan", "arcsin": r"\arcsin", "arccos": r"\arccos", "arctan": r"\arctan", "det": r"\det",
}  # fmt: skip
_NAMED: Final = {
    "max": r"\max", "min": r"\min", "maximum": r"\max", "minimum": r"\min", "amax": r"\max", "amin": r"\min",
    "argmax": r"\arg\,\max", "argmin": r"\arg\,\min", "sigmoid": r"\sigma", "gamma": r"\Gamma",
    "digamma": r"\psi",
}  # fmt: skip
_AROUND: Final = {
    "abs": (r"\left|", r"\right|"), "norm": (r"\left\|", r"\right\|"), "sqrt": (r"\sqrt{", "}"),
    "floor": (r"\left\lfloor ", r"\right\rfloor"), "ceil": (r"\left\lceil ", r"\right\rceil"),
}  # fmt: skip
_BASES: Final = {"exp": "e", "exp2": "2"}
_SIGNS: Final = {
    "<=": r"\leq", ">=": r"\geq", "==": "=", "!=": r"\neq", "and": r"\wedge", "or": r"\vee", "xor": r"\oplus",
    "&": r"\wedge", "|": r"\vee", "^": r"\oplus", "<<": r"\ll", ">>": r"\gg", "%": r"\;\mathrm{mod}\;",
    "~": r"\neg ", "not": r"\neg ",
}  # fmt: skip

Written = tuple[str, int]  # LaTeX, and how tightly it holds together there


def latex(
    node: Node,
    *,
    tensors: bool = False,
    digits: int | None = None,
    names: Callable[[str], str] = latex_name,
) -> str:
    """The LaTeX of a tree, for mathematics mode."""
    return _Writer(tensors, digits, names).text(node)


class _Writer:
    def __init__(self, tensors: bool, digits: int | None, names: Callable[[str], str]) -> None:
        self.names = names
        self.tensors = tensors
        self.digits = digits

    def text(self, node: Node) -> str:
        return self.written(node)[0]

    def within(self, node: Node, rank: int, *, closed: bool = False) -> str:
        """The LaTeX, in brackets if it binds less tightly than `rank`."""
        text, own = self.written(node, closed)
        if own >= rank:
            return text
        return rf"\left[{text}\right]" if own == t.COMPARE else _bracketed(text)

    def written(self, node: Node, closed: bool = False) -> Written:
        """closed: something stands right after it, so a function must have its argument in brackets."""
        match node:
            case t.Constant(value=value):
                return self._number(value)
            case t.Name(name=name):
                text = self.names(name)
                return text, t.POWER if text.startswith(r"\frac") else t.ATOM
            case t.Unary(sign="-" | "+" as sign, x=x):
                operand = self.within(x, t.PRODUCT, closed=closed)
                return f"{sign}{_bracketed(operand) if operand[0] in '-+' else operand}", t.UNARY
            case t.Unary(sign=sign, x=x):
                return f"{_SIGNS[sign]}{self.within(x, t.UNARY, closed=closed)}", t.UNARY
            case t.Binary(sign="*" | "@"):
                return self._product(node, closed), t.PRODUCT
            case t.Binary(sign="/", x=t.Unary(sign="-", x=x), y=y):
                return f"-{self._fraction(x, y)}", t.UNARY
            case t.Binary(sign="/", x=x, y=y):
                return self._fraction(x, y), t.POWER
            case t.Binary(sign="//", x=x, y=y):
                return rf"\left\lfloor {self._fraction(x, y)}\right\rfloor", t.ATOM
            case t.Binary(sign="**"):
                return self._power(node)
            case t.Binary():
                return self._between(node, closed), node.rank
            case t.Conditional(test=test, yes=yes, no=no):
                first, second = self.within(yes, t.OR), self.within(test, t.OR)
                text = rf"{first} \text{{ if }} {second} \text{{ else }} {self.within(no, t.CONDITIONAL)}"
                return text, t.CONDITIONAL
            case t.Call():
                return self._call(node, closed)
            case t.Attribute(of=of, name="T" | "mT"):
                return rf"{self.within(of, t.ATOM)}^{{\top}}", t.POWER
            case t.Attribute(of=of, name=name):
                return rf"{_operator(name)}{_bracketed(self.text(of))}", t.ATOM
            case t.Index(of=of, key=key):
                base, below = self.within(of, t.ATOM), self._listed(key)
                plain = isinstance(of, t.Name) and "_" not in base and "'" not in base
                return (f"{base}_{{{below}}}" if plain else rf"{base}\left[{below}\right]"), t.ATOM
            case t.Slice(start=start, stop=stop, step=step):
                ends = ["" if end is None else self.text(end) for end in (start, stop, step)]
                return ":".join(ends if step is not None else ends[:2]), t.ATOM
            case t.Group(bracket=bracket):
                left, right = (r"\left[", r"\right]") if bracket == "[" else (r"\left(", r"\right)")
                return f"{left}{self._listed(node)}{right}", t.ATOM
            case t.Star(items=items):
                return rf"{self.text(items)}, \ldots", t.ATOM
            case t.Equation(left=left, right=right):
                return f"{self.text(left)} = {self.text(right)}", t.STATEMENT
            case t.Altered(of=of, place=place, sign=sign, value=value):
                sign = "=" if sign == "=" else "{+}{=}"
                return (
                    rf"{self.text(of)} \text{{ with }} {self.text(place)} {sign} {self.text(value)}",
                    t.STATEMENT,
                )
        raise AssertionError(f"no such node: {node!r}")

    # -- signs

    def _number(self, value: int | float | None) -> Written:
        text = shown(value, self.digits)
        if isinstance(value, bool) or value is None:
            return upright(text), t.ATOM
        digits, _, exponent = text.partition("e")
        if not exponent:
            return digits, t.ATOM
        power = f"10^{{{int(exponent)}}}"
        return (power, t.POWER) if digits == "1" else (rf"{digits} \cdot {power}", t.PRODUCT)

    def _between(self, node: t.Binary, closed: bool) -> str:
        sign, rank = node.sign, node.rank
        left = self.within(node.x, rank + (rank == t.COMPARE), closed=sign == "%")
        same = sign == "+" and isinstance(node.y, t.Binary) and node.y.sign in ("+", "-")
        right = self.within(node.y, rank if same else rank + 1, closed=closed)
        if rank > t.COMPARE and right[0] in "-+":
            right = _bracketed(right)
        return f"{left} {_SIGNS.get(sign, sign)} {right}"

    def _product(self, node: t.Binary, closed: bool) -> str:
        """Factors side by side; a dot where digits would run together; ⊙ for elements beside matrices."""
        x, y = node.x, node.y
        left = self.within(x, t.PRODUCT, closed=True)
        if isinstance(x, t.Binary) and x.sign != node.sign and x.sign in ("*", "@", "%"):
            left = _bracketed(self.text(x))
        same = isinstance(y, t.Binary) and y.sign == node.sign
        right = self.within(y, t.PRODUCT if same else t.UNARY, closed=closed)
        if right[0] in "-+":
            right = _bracketed(self.text(y))
        numbers = t.value_of(x) is not None or t.value_of(y) is not None
        if self.tensors and node.sign == "*" and not numbers:
            return rf"{left} \odot {right}"
        if right[0].isdigit() or (numbers and right.startswith(r"\frac")):
            return rf"{left} \cdot {right}"
        wide = _ends_upright(left) or right.startswith((r"\mathrm", r"\text", r"\operatorname"))
        return rf"{left} \, {right}" if wide else f"{left} {right}"

    def _fraction(self, x: Node, y: Node) -> str:
        over, under = (
            self.within(part, t.SUM) if part.rank == t.COMPARE else self.text(part) for part in (x, y)
        )
        return rf"\frac{{{over}}}{{{under}}}"

    def _power(self, node: t.Binary) -> Written:
        x, exponent = node.x, self.text(node.y)
        whole = t.value_of(node.y)
        if isinstance(x, t.Call) and x.function in _BARE and len(x.arguments) == 1 and not x.settings:
            sign = _BARE[x.function]
            if isinstance(whole, int) and whole > 1 and "_" not in sign and x.of is None:  # \sin^{2} x
                return rf"{sign}^{{{whole}}}{_bracketed(self.text(x.arguments[0]))}", t.POWER
        return f"{self.within(x, t.ATOM)}^{{{exponent}}}", t.POWER

    # -- functions

    def _call(self, node: t.Call, closed: bool) -> Written:
        function, settings = node.function, node.settings
        given = node.arguments if node.of is None else (node.of, *node.arguments)
        if len(given) == 1 and not settings:
            (x,) = given
            if function in _BASES:
                return f"{_BASES[function]}^{{{self.text(x)}}}", t.POWER
            if function == "inv":
                return f"{self.within(x, t.ATOM)}^{{-1}}", t.POWER
            if function in _AROUND:
                left, right = _AROUND[function]
                return f"{left}{self.text(x)}{right}", t.ATOM
            if function == "sum":
                text = rf"\sum {self.within(x, t.PRODUCT)}"
                return (_bracketed(text), t.ATOM) if closed else (text, t.UNARY)
            if function in _BARE and not closed and isinstance(x, t.Name | t.Constant):
                text, rank = self.written(x)
                if rank == t.ATOM:
                    return f"{_BARE[function]} {text}", t.UNARY
        if function == "norm" and len(given) == 2 and not settings:
            return rf"\left\|{self.text(given[0])}\right\|_{{{self.text(given[1])}}}", t.ATOM
        if function == "polygamma" and len(given) + len(settings) == 2:
            order, x = (settings[0][1], given[0]) if settings else given
            return rf"\psi^{{\left({self.text(order)}\right)}}{_bracketed(self.text(x))}", t.ATOM
        name = _BARE.get(function) or _NAMED.get(function) or _operator(function)
        texts = [self.text(x) for x in given]
        texts += [f"{latex_name(n)}={self.text(x)}" for n, x in settings]
        return f"{name}{_bracketed(', '.join(texts))}", t.ATOM

    def _listed(self, node: Node) -> str:
        if not isinstance(node, t.Group):
            return self.text(node)
        comma = "," if len(node.items) == 1 and node.bracket == "(" else ""
        return ", ".join(map(self.text, node.items)) + comma


def _bracketed(text: str) -> str:
    return rf"\left({text}\right)"


def _operator(name: str) -> str:
    return upright(name).replace(r"\mathrm", r"\operatorname", 1)


def _ends_upright(text: str) -> bool:
    return re.search(r"\\(mathrm|text)\{[^{}]*\}(_\{[^{}]*\})?$", text) is not None
