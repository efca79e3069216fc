"""Fewer values, the same results: `simplify`.

Each rewrite keeps every value bit for bit, NaN and signed zeros included: `x + 0` is not x when x is -0, so
it stays; `x * 1` goes. A rewrite that changes the order of elements in memory is left out where that order
decides in which order numbers are summed. Rewrites look at one value and its inputs; the graph is walked in
order until nothing changes. What nobody needs any more disappears by itself, since a graph holds only what
its outputs reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core import dtypes, settings
from ..ops import arithmetic as ar
from ..ops import move as mv
from ..ops import views as vw
from ..ops.primitive import CONTRACTION, ELEMENTWISE, MOVEMENT, VIEW, Primitive
from .debug import show
from .evaluate import step
from .graph import Graph
from .loop import Loop, loop_value, part, reduced
from .text import LARGEST_CONSTANT
from .values import CONSTANT, LOOP, OP, PART, Value, constant, op_value
from .verify import verify

Rewrite = Callable[[Value], Value | None]


def simplify(graph: Graph) -> Graph:
    """A graph with the same inputs and results and, usually, fewer values.

    Equal computations are done once, constants are computed now, operations that change nothing are left out,
    and chains of views become one.

    >>> import chainrule as torch
    >>> from chainrule.graph import simplify, trace
    >>> print(simplify(trace(lambda x: (x * 1.0).exp() + x.exp(), torch.ones(3))))
    def graph(x: float32[3]):
        v1: float32[3] = exp(x)
        v2: float32[3] = add(v1, v1)
        return v2
    """
    graph = _simplified(graph, {*graph.inputs, *graph.captures}, set())
    show("simplified", graph)
    return graph


def _simplified(graph: Graph, ordered: set[Value], done: set[Loop]) -> Graph:
    """See `simplify`. `ordered`: the inputs and captures that lie in row-major order in memory; `done`: loops
    whose bodies are simple already."""
    while True:
        replace = _loop(graph, ordered, done) or _one_round(graph, ordered)
        if not replace:
            return graph
        graph = graph.rebuilt(replace)
        if settings.check():
            verify(graph)


def _loop(graph: Graph, ordered: set[Value], done: set[Loop]) -> dict[Value, Value]:
    """What replaces the first loop that can be simplified, and its results."""
    loops = [v for v in graph.values if v.kind == LOOP]
    if loops:
        ordered = _all_ordered(graph, ordered)
    for v in loops:
        parts = [x for x in graph.values if x.kind == PART and x.inputs[0] is v]
        now = {x: x for x in (v, *parts)}
        for change in (reduced, _with_body(ordered, done), reduced):
            whole = now[v]
            read = [x for x in now.values() if x.kind == PART and x.inputs[0] is whole]
            found = change(whole, read)
            now = {x: found.get(y, y) for x, y in now.items()}
        done.add(now[v].data)
        if now[v] is not v:
            return now
    return {}


def _with_body(ordered: set[Value], done: set[Loop]) -> Callable[[Value, list[Value]], dict[Value, Value]]:
    """The step that simplifies a loop's body on its own."""

    def change(v: Value, parts: list[Value]) -> dict[Value, Value]:
        loop: Loop = v.data
        inside = {p for p, x in zip(loop.body.inputs, v.inputs, strict=True) if x in ordered}
        body = loop.body if loop in done else _simplified(loop.body, inside, done)
        if body is loop.body:
            return {}
        whole = loop_value(Loop(body, loop.trips, loop.sequences), v.inputs, v.site)
        return {v: whole} | {x: part(whole, x.index) for x in parts}

    return change


def _all_ordered(graph: Graph, ordered: set[Value]) -> set[Value]:
    """What certainly lies in row-major order, with the inputs and captures that do."""
    ordered = set(ordered)
    for v in graph.values:
        if _in_order(v, ordered):
            ordered.add(v)
    return ordered


def _one_round(graph: Graph, ordered: set[Value]) -> dict[Value, Value]:
    replace: dict[Value, Value] = {}
    seen: dict[Any, Value] = {}
    fixed = _order_matters(graph)
    ordered = _all_ordered(graph, ordered)
    for v in graph.values:
        same = seen.setdefault(_key(v), v)
        new = same if same is not v else _rewritten(v)
        if new is None or new is v:
            continue
        if same is v and v in fixed and not (v in ordered and (new in ordered or _in_order(new, ordered))):
            continue
        replace[v] = new
    return replace


_LAYOUT_PASSES = (ELEMENTWISE, VIEW, MOVEMENT)


def _order_matters(graph: Graph) -> set[Value]:
    """Values whose order in memory decides in which order numbers are summed further on."""
    fixed: set[Value] = set()
    for v in reversed(graph.values):
        if v in fixed or v.kind == LOOP or (v.op is not None and v.op.kind not in _LAYOUT_PASSES):
            fixed.update(v.operands)
    return fixed


def _in_order(v: Value, ordered: set[Value]) -> bool:
    """Whether a value lies in row-major order in memory, as inputs do; NumPy keeps their order."""
    if v.op is None or v.op is mv.COPY or v.op.kind == CONTRACTION:
        return v.kind != PART or _operand(v).kind == LOOP
    if v.op.kind is VIEW and v.op is not vw.RESHAPE and not _some_rows(v):
        return v.op is vw.EXPAND and _operand(v).kind == CONSTANT
    return all(x in ordered for x in v.operands)


def _some_rows(v: Value) -> bool:
    """Whether a view is one piece of the first axis: it has no gaps if what it is taken from has none."""
    key = v.settings["key"] if v.op is vw.SLICE else ()
    return len(key) == 1 and isinstance(key[0], slice) and key[0].step in (None, 1)


def _key(v: Value) -> Any:
    """Equal for values that are computed alike; numbers by type and bits, so that 0.0 and -0.0 differ."""
    if v.kind == CONSTANT:
        return ("constant", v.dtype, v.shape, v.data.tobytes())
    inputs = tuple(x if isinstance(x, Value) else (type(x), repr(x)) for x in v.inputs)
    if v.kind == LOOP:
        return (v.kind, inputs, id(v.data))
    return (v.kind, v.op and v.op.name, inputs, _frozen(v.settings), v.index)


def _frozen(x: Any) -> Any:
    if isinstance(x, dict):
        return tuple((k, _frozen(y)) for k, y in sorted(x.items()))
    if isinstance(x, tuple | list):
        return (type(x).__name__, *map(_frozen, x))
    if isinstance(x, slice):
        return ("slice", x.start, x.stop, x.step)
    if isinstance(x, Primitive):
        return x.name
    if isinstance(x, float):
        return ("float", repr(x))
    return (type(x).__name__, x)


def _rewritten(v: Value) -> Value | None:
    if v.kind not in (OP, PART):
        return None
    for rule in REWRITES:
        new = rule(v)
        if new is not None:
            assert (new.shape, new.dtype) == (v.shape, v.dtype), f"{rule.__name__} changed {v!r} into {new!r}"
            return new
    return None


def _fold(v: Value) -> Value | None:
    """A value computed from constants alone, if it is small."""
    if v.kind != OP or v.op is None or v.op.outputs != 1 or v.op is vw.EXPAND:
        return None
    if not all(x.kind == CONSTANT for x in v.operands) or int(np.prod(v.shape)) > LARGEST_CONSTANT:
        return None
    with np.errstate(all="ignore"):
        return constant(np.array(step(v, {x: x.data for x in v.operands})), v.dtype)


def _is_number(x: Any, number: float) -> bool:
    """Whether x is that number, or a constant that holds nothing else."""
    if not isinstance(x, Value):
        return bool(x == number) and str(x)[0] != "-"
    if x.op is vw.EXPAND:
        x = _operand(x)
    if x.kind != CONSTANT:
        return False
    return bool(np.all(x.data == number)) and not np.signbit(np.asarray(x.data, np.float64)).any()


_EXACT = (ar.ADD, ar.SUB, ar.MUL, ar.DIV, ar.NEG)


def _uniform(v: Value) -> Value | None:
    """One number everywhere, computed from numbers that are the same everywhere: computed once."""
    if v.op not in _EXACT or not any(x.op is vw.EXPAND for x in v.operands):
        return None
    inputs = []
    for x in v.inputs:
        if isinstance(x, Value):
            x = _operand(x) if x.op is vw.EXPAND else x
            if x.kind != CONSTANT or x.shape != ():
                return None
        inputs.append(x)
    one = _fold(op_value(v.op, tuple(inputs), v.settings, v.dtype, v.site))
    return None if one is None else op_value(vw.EXPAND, (one,), {"shape": v.shape}, v.dtype, v.site)


def _neutral(v: Value) -> Value | None:
    """x * 1, 1 * x, x / 1, x - 0, x ** 1."""
    if v.op not in (ar.MUL, ar.DIV, ar.SUB, ar.POW):
        return None
    x, y = v.inputs
    number = 0 if v.op is ar.SUB else 1
    if isinstance(x, Value) and _is_number(y, number) and (x.shape, x.dtype) == (v.shape, v.dtype):
        return x
    if (
        v.op is ar.MUL
        and isinstance(y, Value)
        and _is_number(x, 1)
        and (y.shape, y.dtype) == (v.shape, v.dtype)
    ):
        return y
    return None


def _two_steps(v: Value) -> Value | None:
    """(x + 2) + 3 for whole numbers, which wrap around either way: the blocks of a random stream."""
    x = _inner(v, ar.ADD, ar.ADD)
    if x is None or v.dtype is not dtypes.int64 or x.shape != v.shape:
        return None
    (first, m), n = x.inputs, v.inputs[1]
    if not isinstance(first, Value) or type(m) is not int or type(n) is not int or abs(m + n) >= 1 << 63:
        return None
    return op_value(ar.ADD, (first, m + n), {}, v.dtype, v.site)


def _twice_negated(v: Value) -> Value | None:
    inner = _inner(v, ar.NEG, ar.NEG)
    return None if inner is None else _operand(inner)


def _inner(v: Value, outer: Primitive, inner: Primitive) -> Value | None:
    """The input of v, if v is `outer(inner(...))`."""
    x = v.inputs[0] if v.op is outer else None
    return x if isinstance(x, Value) and x.op is inner else None


def _operand(v: Value) -> Value:
    x = v.inputs[0]
    assert isinstance(x, Value)
    return x


def _copy(v: Value) -> Value | None:
    """Values never change, so a copy is the value itself."""
    return _operand(v) if v.op is mv.COPY else None


def _cast(v: Value) -> Value | None:
    """To the type it has; or back from a type that holds every value of the first."""
    if v.op is not mv.CAST:
        return None
    x = _operand(v)
    if x.dtype is v.dtype:
        return x
    if x.op is mv.CAST and _operand(x).dtype is v.dtype and _holds(x.dtype, v.dtype):
        return _operand(x)
    return None


def _holds(wide: dtypes.dtype, narrow: dtypes.dtype) -> bool:
    if narrow is dtypes.int64 and wide.is_floating_point:  # NumPy calls that safe, but digits are lost
        return False
    return bool(np.can_cast(narrow.numpy, wide.numpy, "safe"))


def _view_of_nothing(v: Value) -> Value | None:
    """A view that shows everything as it is."""
    if v.op is None or v.op.kind is not VIEW or v.shape != _operand(v).shape:
        return None
    x = _operand(v)
    if v.op in (vw.RESHAPE, vw.EXPAND):
        return x
    if v.op is vw.PERMUTE and v.settings["dims"] == tuple(range(len(v.shape))):
        return x
    if v.op is vw.SLICE and all(k is Ellipsis or k == slice(None) for k in v.settings["key"]):
        return x
    return None


def _view_of_view(v: Value) -> Value | None:
    """Two reshapes, permutations or expansions in a row are one."""
    inner = _inner(v, vw.RESHAPE, vw.RESHAPE)
    if inner is not None:
        return op_value(vw.RESHAPE, (_operand(inner),), {"shape": v.shape}, v.dtype, v.site)
    inner = _inner(v, vw.EXPAND, vw.EXPAND)
    if inner is not None:
        return op_value(vw.EXPAND, (_operand(inner),), {"shape": v.shape}, v.dtype, v.site)
    inner = _inner(v, vw.PERMUTE, vw.PERMUTE)
    if inner is not None:
        dims = tuple(inner.settings["dims"][d] for d in v.settings["dims"])
        return op_value(vw.PERMUTE, (_operand(inner),), {"dims": dims}, v.dtype, v.site)
    return None


def _overwritten(v: Value) -> Value | None:
    """What is overwritten as a whole is the new value; what is read where it was just written likewise."""
    if v.op is vw.OVERWRITE and v.settings["steps"] == ():
        y = v.inputs[1]
        return y if isinstance(y, Value) else None
    if v.op is not None and v.op.kind is VIEW:
        x = _operand(v)
        if x.op is vw.OVERWRITE and _frozen(x.settings["steps"]) == _frozen(((v.op, v.settings),)):
            y = x.inputs[1]
            return y if isinstance(y, Value) else None
    return None


REWRITES: Iterable[Rewrite] = (
    _fold,
    _uniform,
    _neutral,
    _two_steps,
    _twice_negated,
    _copy,
    _cast,
    _view_of_nothing,
    _view_of_view,
    _overwritten,
)
