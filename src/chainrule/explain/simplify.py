"""Derivatives as one would write them: 1/8·ones·r + 1/8·ones·r is 1/4·r.

A formula is taken apart into terms, each a number times factors. Numbers are multiplied exactly, equal terms
added, and ones left out where they change nothing; a number moves out of a matrix product. What is equal by
these rules is equal as a formula, not to the last bit, and whoever shows it compares the values first
(`matrix.holds`). Next: `matrix.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from .formula import Formula
from .formula import tree as t
from .wording import literal

Shape = tuple[int, ...]
ShapeOf = Callable[[t.Node], Shape | None]  # of a part of the formula, or None if it is not known

_PLAIN_UP_TO: Final = 1000  # a fraction with a larger denominator is shown as a decimal


@dataclass(frozen=True, slots=True)
class Term:
    """A number times factors; `decimal`: the number came from one with a point."""

    number: Fraction
    factors: tuple[t.Node, ...]
    decimal: bool = False


def simplified(formula: Formula, shape_of: ShapeOf) -> Formula:
    """The formula with numbers collected, equal terms added, and ones left out."""
    return Formula(_Simplifier(shape_of).node(formula.tree)).tidy()


class _Simplifier:
    def __init__(self, shape_of: ShapeOf) -> None:
        self.shape_of = shape_of

    def node(self, node: t.Node) -> t.Node:
        """A node with everything in it simplified."""
        return self._sum(self.terms(node))

    def terms(self, node: t.Node) -> list[Term]:
        """The terms that a node is the sum of."""
        value = t.value_of(node)
        if value is not None and not isinstance(value, bool) and abs(value) < float("inf"):
            return [Term(Fraction(str(value)), (), isinstance(value, float))]
        if isinstance(node, t.Unary) and node.sign == "-":
            return [Term(-term.number, term.factors, term.decimal) for term in self.terms(node.x)]
        if isinstance(node, t.Binary):
            return self._binary(node)
        if isinstance(node, t.Call) and node.function == "unsqueeze":
            moved = self._unsqueezed(node)
            if moved is not None:
                return [moved]
        if isinstance(node, t.Attribute) and node.name in ("T", "mT"):
            return [self._outside(node, node.of)]
        if (
            isinstance(node, t.Call)
            and (node.function, node.of) == ("sum", None)
            and len(node.arguments) == 1
        ):
            return [self._outside(node, node.arguments[0])]
        return [Term(Fraction(1), (t.rebuilt(node, self.node),))]

    def _outside(self, node: t.Attribute | t.Call, x: t.Node) -> Term:
        """A sum or a transpose of x, with the number of x before it."""
        term = self._one(x)
        if not term.factors:
            return Term(Fraction(1), (t.rebuilt(node, self.node),))
        inner = self._product(term.factors)
        if isinstance(node, t.Attribute):
            if isinstance(inner, t.Attribute) and inner.name in ("T", "mT"):
                return Term(term.number, (inner.of,), term.decimal)
            return Term(term.number, (replace(node, of=inner),), term.decimal)
        return Term(term.number, (replace(node, arguments=(inner,)),), term.decimal)

    def _binary(self, node: t.Binary) -> list[Term]:
        if node.sign in ("+", "-"):
            sign = 1 if node.sign == "+" else -1
            right = [Term(sign * y.number, y.factors, y.decimal) for y in self.terms(node.y)]
            return self._added([*self.terms(node.x), *right])
        if node.sign not in ("*", "/", "@"):
            return [Term(Fraction(1), (t.Binary(node.sign, self.node(node.x), self.node(node.y)),))]
        x, y = self._one(node.x), self._one(node.y)
        decimal = x.decimal or y.decimal
        if node.sign == "*":
            return [Term(x.number * y.number, self._without_ones((*x.factors, *y.factors)), decimal)]
        if node.sign == "@":
            product = t.Binary("@", self._product(x.factors), self._product(y.factors))
            return [Term(x.number * y.number, (product,), decimal)]
        if not y.factors and y.number:
            return [Term(x.number / y.number, x.factors, decimal)]
        if not y.number:
            return [Term(Fraction(1), (t.Binary("/", self.node(node.x), self.node(node.y)),))]
        below = self._product(y.factors)
        if x.factors:
            return [
                Term(x.number / y.number, (*x.factors[:-1], t.Binary("/", x.factors[-1], below)), decimal)
            ]
        return [Term(1 / y.number, (t.Binary("/", _number(x.number, x.decimal), below),), decimal)]

    def _one(self, node: t.Node) -> Term:
        """A node as one term; a sum is a factor."""
        found = self.terms(node)
        return found[0] if len(found) == 1 else Term(Fraction(1), (self._sum(found),))

    def _added(self, terms: list[Term]) -> list[Term]:
        """Terms with those of equal factors added."""
        found: dict[tuple[t.Node, ...], Term] = {}
        for term in terms:
            before = found.get(term.factors)
            number = term.number + (before.number if before else 0)
            found[term.factors] = Term(
                number, term.factors, term.decimal or (before is not None and before.decimal)
            )
        return [term for term in found.values() if term.number] or [Term(Fraction(0), ())]

    def _without_ones(self, factors: tuple[t.Node, ...]) -> tuple[t.Node, ...]:
        """Factors without ones that the others have the shape of already."""
        kept = list(factors)
        for factor in factors:
            size = _ones(factor)
            if size is None or len(kept) < 2:
                continue
            rest = [f for f in kept if f is not factor]
            shape = self.shape_of(self._product(tuple(rest)))
            if shape is not None and _fits(size, shape):
                kept = rest
        return tuple(kept)

    def _unsqueezed(self, node: t.Call) -> Term | None:
        """(c·ones((n,))).unsqueeze(1) is c·ones((n, 1))."""
        inner = node.of if node.of is not None else node.arguments[0] if node.arguments else None
        dim = node.arguments[-1] if node.arguments else None
        place = None if dim is None else t.value_of(dim)
        if inner is None or place is None:
            return None
        term = self._one(inner)
        sizes = [_ones(f) for f in term.factors]
        shapes = [self.shape_of(f) for f, size in zip(term.factors, sizes, strict=True) if size is None]
        found = [size for size in sizes if size is not None]
        if len(found) != 1 or any(shape != () for shape in shapes):
            return None
        (size,) = found
        wider = (*size[: int(place)], 1, *size[int(place) :])
        factors = tuple(
            _ones_of(wider) if s is not None else f for f, s in zip(term.factors, sizes, strict=True)
        )
        return Term(term.number, factors, term.decimal)

    def _product(self, factors: tuple[t.Node, ...]) -> t.Node:
        if not factors:
            return t.Constant(1)
        product = factors[0]
        for factor in factors[1:]:
            product = t.Binary("*", product, factor)
        return product

    def _sum(self, terms: list[Term]) -> t.Node:
        terms = self._added(terms)
        total: t.Node | None = None
        for term in terms:
            minus = term.number < 0 and (total is not None or bool(term.factors))
            part = self._part(Term(-term.number, term.factors, term.decimal) if minus else term)
            if total is None:
                total = t.Unary("-", part) if minus else part
            else:
                total = t.Binary("-" if minus else "+", total, part)
        assert total is not None
        return total

    def _part(self, term: Term) -> t.Node:
        if not term.factors:
            return _number(term.number, term.decimal)
        if term.number == 1:
            return self._product(term.factors)
        return self._product((_number(term.number, term.decimal), *term.factors))


def _number(x: Fraction, decimal: bool) -> t.Node:
    if x.denominator == 1 and abs(x.numerator) < 1e9:
        return t.number(int(x))
    if decimal or x.denominator > _PLAIN_UP_TO:
        return t.number(float(x))
    over = t.Binary("/", t.Constant(abs(x.numerator)), t.Constant(x.denominator))
    return t.Unary("-", over) if x < 0 else over


def _ones(node: t.Node) -> Shape | None:
    """The shape of ones, if that is what a node is; of a row of them, too."""
    if isinstance(node, t.Attribute) and node.name in ("T", "mT"):
        inner = _ones(node.of)
        return None if inner is None else tuple(reversed(inner))
    if isinstance(node, t.Call) and node.function == "ones" and len(node.arguments) == 1:
        (shape,) = node.arguments
        if isinstance(shape, t.Group):
            sizes = [t.value_of(item) for item in shape.items]
            return tuple(int(n) for n in sizes if n is not None)
    return None


def _ones_of(shape: Shape) -> t.Node:
    return t.Call("ones", (literal(shape).tree,))


def _fits(small: Shape, large: Shape) -> bool:
    """Whether broadcasting with `small` leaves the shape `large` as it is."""
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(small, large[len(large) - len(small) :], strict=True))
