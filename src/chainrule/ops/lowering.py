"""How the compiler may compute an op: the words and rules that the field `lower` of an entry can hold.

The compiler sees every value as a function of an index (`../executors/cpu`). For an elementwise op `lower` is
a function of one element, `lower(b, x, y, **settings)`, where `b` writes instructions (`emit.py` there). This
file has the words for all others. They say what the op *is*; where and in which order it runs is the
compiler's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Rule = Callable[..., Any]


class Product:
    """The matrix product: loops of its own."""


PRODUCT: Final = Product()


@dataclass(frozen=True, slots=True)
class Strided:
    """The same elements at other places: out is a view of x, by NumPy's own rule.

    view: `view(x, **settings)`, a view of any array; None: the op's NumPy rule is one.
    """

    view: Rule | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One result for each slice along the axes in `dim`: elements are combined one after the other.

    start:   `start(dtype)`: the number that changes nothing when combined, in the type of the result.
    combine: `combine(b, total, x)`: both in the type of the result; the order may be changed.
    element: `element(b, x, dtype)`: what is combined, if not x converted to the type of the result.
    """

    start: Callable[[Any], Any]
    combine: Rule
    element: Rule | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """Made of other ops: `rule(*tensors, **settings)` in Tensors and primitives, like a gradient rule.

    It may answer NotImplemented for inputs that it does not cover; NumPy computes those.
    """

    rule: Rule


@dataclass(frozen=True, slots=True)
class Pull:
    """Element `index` of the result, from elements of the inputs: `rule(at, index, *xs, **settings)`.

    index: one int64 number for each axis of the result. `at(x, index)` reads an input there; `at.b` writes
    instructions; `at.check(x, axis, i)` gives i as a place from 0 along an axis of x and notes, for an error
    after the run, if there is no such place.
    """

    rule: Rule
    when: Callable[..., bool] | None = None  # `when(*shapes, **settings)`: the cases that the rule covers


@dataclass(frozen=True, slots=True)
class Pieces:
    """A result that is put together: `rule(*shapes, **settings)` gives (input number, steps) pairs.

    Each input is stored, one after the other, at the view of the result that its steps (pairs of primitive
    and settings) lead to.
    """

    rule: Rule


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers: `rule(b, words, dtype)` makes them of a stream's words, as integers of their size."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Shuffle:
    """The numbers from 0 to n - 1, in the order of as many 64-bit words of a stream.

    Numbers with equal words keep their order.
    """


Lowering = Strided | Fold | Composed | Pull | Pieces | Product | Draw | Shuffle
