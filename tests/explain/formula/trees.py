"""Random formulas: trees of every kind of node, with names and functions that a value exists for."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from chainrule.explain.formula import Formula
from chainrule.explain.formula import tree as t
from chainrule.explain.formula.tree import Node

VALUES: dict[str, Any] = {"x": 1.75, "y": -0.5, "v1": 3.0, "w_in": 0.125, "encoder.fc1": 2.0}
FUNCTIONS: dict[str, Any] = {"atan": math.atan, "tanh": math.tanh, "hypot": math.hypot}
NAMESPACE = VALUES | FUNCTIONS
ARITHMETIC = ("+", "-", "*", "/")
EVERY_SIGN = tuple(t.RANK)

numbers = st.one_of(
    st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False).map(abs), st.sampled_from([1e-7, 2.5e30])
).map(t.Constant)
names = st.sampled_from(list(VALUES)).map(t.Name)
leaves = st.one_of(numbers, names)


def _arithmetic(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(lambda x: t.Unary("-", x), inner),
        st.builds(t.Binary, st.sampled_from(ARITHMETIC), inner, inner),
        st.builds(lambda x, n: t.Binary("**", x, t.number(n)), inner, st.integers(-2, 3)),
        st.builds(lambda f, x: t.Call(f, (x,)), st.sampled_from(["atan", "tanh"]), inner),
        st.builds(lambda x, y: t.Call("hypot", (x, y)), inner, inner),
    )


def _everything(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, max_size=3).map(tuple)
    settings = st.lists(st.tuples(st.sampled_from(["dim", "n"]), inner), max_size=2).map(tuple)
    return st.one_of(
        _arithmetic(inner),
        st.builds(t.Unary, st.sampled_from(["-", "+", "~", "not"]), inner),
        st.builds(t.Binary, st.sampled_from(EVERY_SIGN), inner, inner),
        st.builds(t.Conditional, inner, inner, inner),
        st.builds(t.Call, st.sampled_from(["f", "sum", "log", "sqrt", "norm"]), several, settings),
        st.builds(t.Call, st.sampled_from(["sum", "reshape"]), several, settings, inner),
        st.builds(t.Attribute, inner, st.sampled_from(t.ATTRIBUTES)),
        st.builds(t.Index, inner, inner),
        st.builds(lambda x, k: t.Index(x, t.Group((*k, t.Name("...")))), inner, several),
        st.builds(
            lambda x, a, b: t.Index(x, t.Slice(a, b, None)), inner, inner | st.none(), inner | st.none()
        ),
        st.builds(t.Group, several.filter(bool)),
        st.builds(t.Group, several.filter(bool), st.just("[")),
        st.builds(lambda x: t.Call("f", (t.Star(x),)), inner),
    )


formulas = st.recursive(leaves, _arithmetic, max_leaves=12).map(Formula)
"""Formulas of arithmetic and functions: they have a value, or divide by zero."""

anything = st.recursive(leaves, _everything, max_leaves=12).map(Formula)
"""Formulas of every kind of node; most have no value."""


def value(formula: Formula) -> float | None:
    """What plain Python makes of the tree, node by node; None where there is no number."""
    try:
        found = _value(formula.tree)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return found if isinstance(found, int | float) and math.isfinite(found) else None


def _value(node: Node) -> Any:
    match node:
        case t.Constant(value=number):
            return number
        case t.Name(name=name):
            return VALUES[name]
        case t.Unary(x=x):
            return -_value(x)
        case t.Call(function=function, arguments=arguments):
            return FUNCTIONS[function](*map(_value, arguments))
        case t.Binary(sign=sign, x=x, y=y):
            a, b = _value(x), _value(y)
            return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
                    "**": lambda: a**b}[sign]()  # fmt: skip
    raise AssertionError(node)
