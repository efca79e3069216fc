"""`symbol`: build a graph first, give values later.

A symbol is a traced tensor with a name. What is computed from symbols is traced as well; `evaluate` (and the
method `eval`) runs it with values, `gradient` differentiates it.
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

from ..autograd import grad
from ..core import dtypes
from ..core.dtypes import as_dtype
from ..core.errors import ArgumentError
from ..core.shapes import new_shape, sizes_from_args
from .captures import constants, name_them
from .errors import TraceError
from .graph import Graph
from .tracer import Traced, lift, traced
from .values import CAPTURE, INPUT, Value, reachable
from .verify import verify


def symbol(name: str, shape: Any = (), *, dtype: Any = None, requires_grad: bool = False) -> Traced:
    """A tensor without a value, to build an expression with.

    >>> from chainrule.graph import symbol
    >>> a, b = symbol("a", (2, 1)), symbol("b", (2, 1))
    >>> c = 2 * a + b
    >>> import chainrule as torch
    >>> c.eval(a=torch.ones(2, 1), b=torch.ones(2, 1))
    tensor([[3.],
            [3.]])
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ArgumentError.of(
            "symbol",
            given=f"the name {name!r}",
            must="a name is letters, digits and _, as in Python",
            hint="symbol('a', (2, 1))",
        )
    kind = dtypes.get_default_dtype() if dtype is None else as_dtype(dtype)
    out = traced(Value(INPUT, new_shape(sizes_from_args((shape,), "symbol")), kind, name=name))
    return out.requires_grad_() if requires_grad else out


def graph_of(*outputs: Traced, name: str = "expression") -> Graph:
    """The graph that computes traced tensors from the symbols they were made of.

    Inputs are in order of the symbols' making; ordinary tensors in the expression are captured.
    Raises:  TraceError for a tensor that is not made of symbols, or two symbols of one name.
    """
    for y in outputs:
        if not isinstance(y, Traced):
            raise TraceError.of(
                "graph_of",
                given=f"a {type(y).__name__}",
                must="only what is computed from symbols has a graph",
            )
    roots = [y.value for y in outputs]
    order = reachable(roots)
    inputs = [v for v in order if v.kind == INPUT]
    for i, v in enumerate(inputs):
        if any(u.name == v.name for u in inputs[:i]):
            raise TraceError.of("graph_of", given=f"two symbols named {v.name!r}", must="names must differ")
    captures = [v for v in order if v.kind == CAPTURE]
    replace, _ = constants(captures, set())
    captures = [v for v in captures if v not in replace]
    name_them(captures, inputs)
    graph = Graph(name, inputs, roots, captures)
    return verify(graph.rebuilt(replace) if replace else graph)


def evaluate(y: Traced, /, **values: Any) -> Any:
    """The value of an expression, with values for its symbols by name."""
    return graph_of(y)(**values)


def gradient(y: Traced, xs: Traced | Sequence[Traced]) -> Any:
    """The derivatives of an expression with one element by symbols, as expressions. See `autograd.grad`.

    The symbols must have been made with `requires_grad=True`.
    """
    single = isinstance(xs, Traced)
    found = [lift(g) for g in grad(y, xs, create_graph=True, materialize_grads=True)]
    return found[0] if single else tuple(found)


Traced.eval = evaluate  # type: ignore[attr-defined]
