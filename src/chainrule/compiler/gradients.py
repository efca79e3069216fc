"""Gradients of what a compiled function returns: a forward and a backward program, as one step of the tape.

The trace records the gradient rules together with the function (`seed` and `leaf_gradients`); `Split` then
cuts that one graph into what runs at the call and what runs at backward. What the second needs of the first
is returned by the first, except what is cheap to make again. Next: `signature.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..autograd.function import Function
from ..base import TensorBase, wrap
from ..core.errors import GradError
from ..graph.graph import Graph
from ..graph.tracer import Outside, Traced, Tracer
from ..graph.values import CAPTURE, CONSTANT, INPUT, Value
from ..graph.verify import verify
from ..ops.primitive import VIEW
from ..tape import engine, mode
from ..tape.node import AccumulateGrad, Node
from .memory import address

Leaf = Any  # the number of an input, or a tensor from outside


def seed(y: Any) -> Any:
    """Stands for the gradient that arrives at y: an ordinary tensor, so that the trace captures it."""
    return wrap(np.zeros(y._a.shape, np.dtype(y._a.dtype.char)))


def leaf_gradients(
    roots: list[tuple[Node, Any]], stands: Sequence[Traced], tracer: Tracer
) -> tuple[list[Leaf], list[Any]]:
    """Where gradients of the roots go to, and the gradients as traced tensors. Runs inside the trace."""
    leaves: dict[Node, Leaf] = {}
    for i, stand in enumerate(stands):
        if isinstance(stand._node, AccumulateGrad) and stand._node.leaf() is stand:
            leaves[stand._node] = i
    for x, _, _ in list(tracer._captures.values()):
        if isinstance(x, TensorBase) and isinstance(x._node, AccumulateGrad | Outside):
            leaves[x._node] = x
    found = engine.run(roots, retain_graph=True, create_graph=False, targets=list(leaves), accumulate=False)
    return [leaves[node] for node in found], list(found.values())


class Split:
    """The two graphs.

    forward:   outputs are those of the function, then `saved` ones.
    backward:  inputs are the arriving gradients, then what it reads; outputs are the gradients of the leaves.
    seeds:     which arriving gradients it reads.
    reads:     what it reads: (number among the inputs and captures of forward, None) for a tensor that is
               there anyway, (None, number among the outputs of forward) for the rest.
    """

    def __init__(self, joint: Graph, results: int, gradients: int, seeds: list[Any]) -> None:
        count = len(joint.outputs) - gradients
        arriving = {v: i for i, s in enumerate(seeds) for v in joint.captures if v.data is s}
        late: set[Value] = set(arriving)
        for v in joint.values:
            if any(x in late for x in v.operands):
                late.add(v)
        written = {v for v, _ in joint.writes}
        places = [*joint.inputs, *(c for c in joint.captures if c not in arriving)]
        numbers = {v: i for i, v in enumerate(places)}
        self.reads: list[tuple[int | None, int | None]] = []
        saved: list[Value] = []
        replace: dict[Value, Value] = {}
        inputs: list[Value] = []
        self.seeds: list[int] = []
        for v, i in sorted(arriving.items(), key=lambda pair: pair[1]):
            replace[v] = Value(INPUT, v.shape, v.dtype, name=f"g{i + 1}")
            inputs.append(replace[v])
            self.seeds.append(i)

        needed: set[Value] = set()
        for v in late:
            if v not in arriving:
                needed |= _early(x for x in v.operands if x not in late)
        needed |= _early(v for v in joint.outputs[count:] if v not in late)
        for n, v in enumerate(_kept(needed, set(joint.outputs[:results]))):
            replace[v] = Value(INPUT, v.shape, v.dtype, name=f"s{n + 1}")
            inputs.append(replace[v])
            if v.kind in (INPUT, CAPTURE) and v not in written:
                self.reads.append((numbers[v], None))
            elif v in joint.outputs[:results]:
                self.reads.append((None, joint.outputs.index(v)))
            else:
                self.reads.append((None, count + len(saved)))
                saved.append(v)
        self.forward = verify(
            Graph(joint.name, joint.inputs, [*joint.outputs[:count], *saved], joint.captures, joint.writes)
        )
        backward = Graph(f"{joint.name}_backward", inputs, joint.outputs[count:])
        self.backward = verify(backward.rebuilt(replace))


def _early(values: Iterable[Value]) -> set[Value]:
    """What has to be known to have these values; views and constants are made again."""
    found: set[Value] = set()
    stack = list(values)
    while stack:
        v = stack.pop()
        if v.op is not None and v.op.kind is VIEW:
            stack += v.operands
        elif v.kind != CONSTANT:
            found.add(v)
    return found


def _kept(needed: set[Value], results: set[Value]) -> list[Value]:
    """Which values have to be kept: the rest of the needed ones costs little to compute from them.

    results: are there anyway, so that what can be computed from them need not be kept.
    """
    known: dict[Value, set[Value]] = {v: {v} for v in results}  # value -> which results it takes

    def takes(v: Value, depth: int) -> set[Value] | None:
        """Which results v is computed from, besides what is kept; None if that is not possible, or dear."""
        if v in known:
            return known[v]
        if v.kind == CONSTANT:
            return set()
        cheap = v.op is not None and (v.op.kind is VIEW or v.op.name in CHEAP)
        if not cheap or depth == DEEPEST:
            return None
        found: set[Value] = set()
        for x in v.operands:
            more = takes(x, depth + 1)
            if more is None:
                return None
            found |= more
        return found

    kept: set[Value] = set()
    for v in sorted(needed, key=lambda v: v.seq):  # what v is made of comes first
        found = takes(v, 0)
        if found is None:
            kept.add(v)
        else:
            kept |= found
        known[v] = set()
    return sorted(kept, key=lambda v: v.seq)


# Operations that cost less than reading their result back from memory.
CHEAP = frozenset(
    ("add", "sub", "mul", "neg", "square", "abs", "sign", "maximum", "minimum", "relu", "clamp", "where",
     "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_not", "isnan", "cast")
)  # fmt: skip
DEEPEST = 4  # operations in a row that are done again


class Compiled(Function):
    """One run of a compiled function on the tape; `apply(signature, inputs, *leaves)`."""

    @staticmethod
    def forward(ctx: Any, signature: Any, tensors: list[Any], *leaves: Any) -> tuple[Any, ...]:
        """Run the forward program."""
        split, recorded = signature.split, signature.recorded
        everything, outputs = signature.execute(tensors)
        results = [wrap(a) for a in outputs]
        count = recorded.results + sum(number is not None for _, number in recorded.effects)
        ctx.save_for_backward(*(everything[i] if i is not None else results[k] for i, k in split.reads))
        ctx.mark_non_differentiable(
            *(
                y
                for y, wanting in zip(results[:count], recorded.wanting_all(count), strict=True)
                if not wanting
            )
        )
        ctx.signature = signature
        return tuple(results[:count])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> tuple[Any, ...]:
        """Run the backward program."""
        signature = ctx.signature
        if mode.state.grad:
            raise GradError.of(
                f"backward with create_graph=True through the compiled function {signature.name}",
                must="its backward is a program, which is not recorded",
                hint="compute the derivative inside the compiled function, or call it uncompiled",
            )
        wanting = [i for i, wanted in enumerate(signature.recorded.wanting) if wanted]
        given = [gs[wanting[k]]._a for k in signature.split.seeds]
        given += [x._a for x in ctx.saved_tensors]
        arrays = [a if a.flags.c_contiguous else np.array(a, order="C") for a in given]
        grads = signature.backward.run([address(a) for a in arrays])
        return (None, None, *map(wrap, grads))
