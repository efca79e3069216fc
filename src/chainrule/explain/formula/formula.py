"""`Formula`: an expression as an immutable value.

Substitution works on trees, so brackets come and go where precedence asks for them. Nothing is computed
before `evaluate`. Next: `tree.py`, what is inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

from ...core.errors import ArgumentError
from . import tree as t
from .evaluate import evaluate
from .latex import latex
from .latex_name import latex_name
from .read import read
from .tidy import negated, tidy
from .tree import Node
from .write import write

Operand: TypeAlias = "Formula | str | int | float"


class Formula:
    """An expression such as `-x / y**2`: equal to another one if it is written alike.

    >>> d = Formula.parse("-x / y**2").substitute({"x": "a + 1", "y": 3})
    >>> print(d)
    -(a + 1)/3**2
    >>> d.latex()
    '-\\\\frac{a + 1}{3^{2}}'
    >>> d.evaluate({"a": 8.0})
    -1.0
    """

    __slots__ = ("tree",)

    tree: Node

    def __init__(self, tree: Node) -> None:
        object.__setattr__(self, "tree", tree)

    # -- making one

    @classmethod
    def parse(cls, text: str) -> Self:
        """The formula that a text says, in Python's spelling or with the signs of `scan.py`.

        Raises:  FormulaError, which shows the place, for what cannot be read.
        """
        return cls(read(text))

    @classmethod
    def name(cls, name: str) -> Self:
        """A value by its name; any text, such as `0.weight`, which could not be read."""
        return cls(t.Name(name))

    @classmethod
    def number(cls, value: int | float | None) -> Self:
        """A number, True, False or None."""
        return cls(t.number(value))

    @classmethod
    def of(cls, value: Operand) -> Formula:
        """The formula itself, of a text, or of a number."""
        if isinstance(value, Formula):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int | float):
            return cls.number(value)
        raise ArgumentError.of(
            "Formula.of", given=repr(value), must="a formula, a text or a number is needed"
        )

    # -- other formulas

    def substitute(self, values: Mapping[str, Operand]) -> Formula:
        """The formula with names replaced, all at once; functions and settings keep their names.

        >>> print(Formula.parse("x * y").substitute({"x": "y", "y": "a + b"}))
        y*(a + b)
        """
        trees = {name: Formula.of(value).tree for name, value in values.items()}

        def replaced(node: Node) -> Node:
            if isinstance(node, t.Name):
                return trees.get(node.name, node)
            return t.rebuilt(node, replaced)

        return Formula(replaced(self.tree))

    def tidy(self) -> Formula:
        """The formula without what says nothing, of the same value.

        >>> print(Formula.parse("1*x + (-1)*y**1").tidy())
        x - y
        """
        return Formula(tidy(self.tree))

    def __neg__(self) -> Formula:
        return Formula(negated(self.tree))

    def __add__(self, other: Operand) -> Formula:
        return self._with("+", other)

    def __radd__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("+", self)

    def __sub__(self, other: Operand) -> Formula:
        return self._with("-", other)

    def __rsub__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("-", self)

    def __mul__(self, other: Operand) -> Formula:
        return self._with("*", other)

    def __rmul__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("*", self)

    def __truediv__(self, other: Operand) -> Formula:
        return self._with("/", other)

    def __rtruediv__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("/", self)

    def __matmul__(self, other: Operand) -> Formula:
        return self._with("@", other)

    def __rmatmul__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("@", self)

    def __pow__(self, other: Operand) -> Formula:
        return self._with("**", other)

    def __rpow__(self, other: Operand) -> Formula:
        return Formula.of(other)._with("**", self)

    def _with(self, sign: str, other: Operand) -> Formula:
        return Formula(t.Binary(sign, self.tree, Formula.of(other).tree))

    # -- what it says

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its values, each once, in the order of reading; functions are not among them."""
        found = (node.name for node in t.walk(self.tree) if isinstance(node, t.Name) and node.name != "...")
        return tuple(dict.fromkeys(found))

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions and methods it calls, each once, in the order of reading."""
        return tuple(dict.fromkeys(n.function for n in t.walk(self.tree) if isinstance(n, t.Call)))

    def text(self, *, unicode: bool = False, digits: int | None = None) -> str:
        """The formula as plain text: as Python writes it, which `parse` reads back.

        unicode: with the signs of mathematics, for people: `x₁·x₂²`.
        digits: at most so many digits that matter in a number that is not whole; all if None.
        """
        return write(self.tree, unicode=unicode, digits=digits)

    def latex(
        self,
        *,
        tensors: bool = False,
        digits: int | None = None,
        names: Callable[[str], str] = latex_name,
    ) -> str:
        """The formula in LaTeX's mathematics, without dollars around it.

        tensors: the product of elements is written ⊙, since factors side by side are a matrix product.
        digits: as in `text`.
        names: makes the LaTeX of a name.
        """
        return latex(self.tree, tensors=tensors, digits=digits, names=names)

    def evaluate(self, namespace: Mapping[str, Any]) -> Any:
        """The value, with the values and functions of a namespace (`vocabulary()` for the package's).

        Raises:  ArgumentError for a name that is not there.
        """
        return evaluate(self.tree, namespace)

    # -- as a value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a formula does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a formula does not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.tree == other.tree

    def __hash__(self) -> int:
        return hash(self.tree)

    def __reduce__(self) -> tuple[type[Formula], tuple[Node]]:
        return Formula, (self.tree,)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Formula({self.text()!r})"
